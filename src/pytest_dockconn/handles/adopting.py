"""What may be adopted: containers of docker-py, of testcontainers, ids and names."""

from __future__ import annotations

from ..errors import SpecError
from .container import Container


def identified(container: object) -> str:
    """The id or name of what someone else runs. Raises ``SpecError`` for what is no container."""
    if isinstance(container, str) and container.strip():
        return container.strip()
    if isinstance(container, Container):
        return container.id
    wrapped = getattr(container, "get_wrapped_container", None)
    if callable(wrapped):
        container = wrapped()
    found = getattr(container, "id", None)
    if isinstance(found, str) and found:
        return found
    raise SpecError(
        f"{container!r} is not a container that can be adopted",
        checked="an id, a name, a docker-py container and a started testcontainers container can",
        remedy="pass its name",
    )

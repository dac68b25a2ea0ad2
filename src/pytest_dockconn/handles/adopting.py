"""What may be adopted: containers of docker-py, of testcontainers, ids and names."""

from __future__ import annotations

from ..errors import SpecError
from ..logic.given import shown, text
from ..logic.names import reference
from .container import Container


def identified(container: object) -> str:
    """The id or name of what someone else runs. Raises ``SpecError`` for what is no container."""
    if isinstance(container, str) and reference(container.strip()):
        return container.strip()
    if isinstance(container, Container):
        return container.id
    wrapped = getattr(container, "get_wrapped_container", None)
    if callable(wrapped):
        container = wrapped()
    found = getattr(container, "id", None)
    if reference(found):
        return str(found)
    raise SpecError(
        f"{shown(container)} is not a container that can be adopted",
        checked="an id, a name, a docker-py container and a started testcontainers container can",
        remedy="pass its name",
    )


def own_name(name: object) -> str | None:
    """The name that tests give it; None where the engine's own will do. Raises ``SpecError``."""
    return None if name is None else text(name, "name", "write a word such as 'db', or leave it out")

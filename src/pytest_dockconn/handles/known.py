"""A URL whose address is that of a container that the tests hold: then somebody can be asked from inside."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ..actions.services import Services
from ..model.probe import Target
from .container import Container


def owned(services: Services, targets: Sequence[Target]) -> tuple[list[Target], Container | None]:
    """The targets of a URL with their owner, and the owner; as they are, and None, where nobody knows one."""
    for container in holders(services):
        if targets[0].host in container.last_facts().addresses:
            return [replace(t, owner=container.id, inner=t.port, via="address") for t in targets], container
    return list(targets), None


def holders(services: Services) -> list[Container]:
    """The containers that the tests hold: those that run first, as an address may have been another's before; none that is gone."""
    held = [(one.facts(), one) for one in services.known_containers() if isinstance(one, Container)]
    there = [(facts, one) for facts, one in held if facts.status != "removed"]
    return [one for _, one in sorted(there, key=lambda pair: not pair[0].running)]

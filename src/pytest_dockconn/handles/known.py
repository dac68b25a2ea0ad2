"""A URL whose address is that of a container that the tests hold: then somebody can be asked from inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..actions.services import Services
from ..model.probe import Target
from .container import Container


def owned(services: Services, targets: Sequence[Target]) -> tuple[list[Target], Container | None]:
    """The targets of a URL with their owner, and the owner; as they are, and None, where nobody knows one."""
    for container in services.known_containers():
        if isinstance(container, Container) and targets[0].host in container.last_facts().addresses:
            return [replace(t, owner=container.id, inner=t.port, via="address") for t in targets], container
    return list(targets), None

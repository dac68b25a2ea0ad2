"""The machine that the tests run on, as a source of probes."""

from __future__ import annotations

from ..actions.services import Services
from ..model.facts import ContainerFacts
from .source import Source


class Host(Source):
    """Asks from the test process itself; where that runs in a container of the engine, from the engine's host."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.name = "the host"

    @property
    def source_id(self) -> str | None:
        """None: no container."""
        return None

    def source_facts(self) -> ContainerFacts | None:
        """None: no container."""
        return None

    def __repr__(self) -> str:
        return "<Host>"

"""The machine that the tests run on, as a source of probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..actions.services import Services
from ..model.facts import ContainerFacts
from .once import Once
from .source import Source

if TYPE_CHECKING:
    from .listener import HostListener


class Host(Once, Source):
    """Asks from the test process itself; where that runs in a container of the engine, from the engine's host.

    What a lab's listens on is closed with that lab.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.name = "the host"
        self._listeners: list[HostListener] = []

    @property
    def source_id(self) -> str | None:
        """None: no container."""
        return None

    def source_facts(self) -> ContainerFacts | None:
        """None: no container."""
        return None

    def listen(self, port: int | str | None = None, protocol: str = "tcp") -> HostListener:
        """A server in the test process that containers can reach: the way "can my container call back?" is asked.

        Args:
            port: the number, or ``"53/udp"``; any free one if None.
            protocol: ``tcp`` (HTTP, and an echo of anything else) or ``udp`` (an echo).

        Raises:
            CapabilityError: the engine is elsewhere, so its containers don't see this process.
            PortInUse: somebody has that port.
            SpecError: what is no port.
        """
        from .listener import HostListener  # noqa: PLC0415 - few runs listen

        listener = HostListener(self.services, port, protocol)
        self._listeners.append(listener)
        return listener

    def close(self) -> None:
        """Close what listens here."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()

    def __repr__(self) -> str:
        return "<Host>"

"""What the assertions share: who asks, and whom."""

from __future__ import annotations

from ..handles.container import Container, Port
from ..handles.source import Destination, Source
from ..model.asked import Asked
from ..model.probe import ProbeResult
from ..report.summary import way


def port_of(destination: Destination) -> Port | None:
    """The port that is asked; None for what no container owns. Raises ``SpecError`` for a container without its one port."""
    if isinstance(destination, Container):
        return destination.only_port()
    return destination if isinstance(destination, Port) else None


def note(question: str, source: Source, destination: object, result: ProbeResult, *, passed: bool) -> None:
    """Remember a question for the table at the end of the run, and for its report."""
    services = source.services
    services.asked.append(
        Asked(
            test=services.test, question=question, source=source.name, destination=str(destination), way=way(result),
            verdict=str(result.verdict), elapsed=result.elapsed, passed=passed, address=result.address,
            attempts=result.attempts,
        )
    )  # fmt: skip

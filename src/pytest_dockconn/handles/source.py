"""What every source of probes has in common."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from msgspec.structs import replace

from ..actions.agents import Channel
from ..actions.asking import ask
from ..actions.services import Services
from ..errors import NoAddress, SpecError
from ..logic.destinations import parse
from ..logic.given import kind, listed, shown
from ..model.facts import ContainerFacts
from ..model.probe import ProbeResult, Target
from ..text import one_line


class Askable(Protocol):
    """What can be asked besides a URL: a port, or a container with one exposed port."""

    def targets_from(self, source: ContainerFacts | None) -> list[Target]:
        """Every way in which a source (None: the host) can ask for it."""


#: How an https certificate is checked, as requests takes it: by the source's authorities, not at all, or by a CA file.
Verify = bool | str | PathLike[str]

#: What can be asked: a port, a container with one exposed port, or a URL.
Destination = Askable | str


def check_destination(destination: object) -> None:
    """Raises ``SpecError`` for what can't be asked, before anybody is."""
    if isinstance(destination, str):
        parse(destination)
    elif isinstance(destination, type) or not callable(getattr(destination, "targets_from", None)):
        raise SpecError(
            f"{shown(destination)} is not a destination",
            checked="Port, Server, Client, Container and URLs are",
            remedy="pass server.port(80), or a URL such as http://host:port/",
        )


def check_source(source: object) -> None:
    """Raises ``SpecError`` for what can't ask."""
    if not isinstance(source, Source):
        raise SpecError(
            f"{shown(source)} can't ask: it is not a source",
            checked="clients, servers, adopted containers and dockconn_host are",
            remedy="write assert_reachable(SOURCE, DESTINATION), or matrix([SOURCE, ...], [DESTINATION, ...])",
        )


def trust(verify: Verify) -> dict[str, Any]:
    """What is different of a target whose certificate is checked so. Raises ``SpecError`` for a file that can't be read."""
    remedy = "name a file with certificates as PEM text, or write verify=False"
    if isinstance(verify, bool):
        return {} if verify else {"verify": False}
    if not isinstance(verify, (str, PathLike)):
        raise SpecError(f"verify={shown(verify)} is no way to check a certificate", checked=kind(verify), remedy=remedy)
    import ssl  # noqa: PLC0415 - 15 ms that only this pays

    try:
        text = Path(verify).read_text(encoding="ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
        return {"ca": text}
    except (OSError, ValueError, TypeError) as error:
        raise SpecError(
            f"verify={shown(str(verify))}: the authorities can't be read",
            checked=one_line(str(error)),
            remedy=remedy,
        ) from None


def check_timeout(timeout: float, what: str = "timeout") -> float:
    """A time in seconds that is not negative. Raises ``SpecError``."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 <= timeout < 86400:
        raise SpecError(
            f"{what}={shown(timeout)} is not a time in seconds",
            checked="numbers from 0 to a day are taken",
            remedy=f"write {what}=1.0",
        )
    return float(timeout)


class Source:
    """Asks. A container asks from its own network namespace, the host from the machine that the tests run on."""

    name: str
    services: Services

    @property
    def source_id(self) -> str | None:
        """The id of the container that asks; None for the host."""
        raise NotImplementedError

    def source_facts(self) -> ContainerFacts | None:
        """What the asking container is like now; None for the host."""
        raise NotImplementedError

    def targets(self, destination: Destination, verify: Verify = True) -> list[Target]:
        """Every way to ask for a destination from here; one without a host where it has no address now.

        Raises ``SpecError`` for what is no destination.
        """
        changes = trust(verify)
        if isinstance(destination, str):
            return [replace(parse(destination), **changes)]
        check_destination(destination)
        try:
            return destination.targets_from(self.source_facts())
        except NoAddress as error:
            return [Target(scheme="tcp", host="", port=0, via="address", why=error.cause)]

    def channel(self) -> Channel:
        """The way to its agent. Raises ``DockconnError`` where there is none."""
        source = self.source_id
        return self.services.host_channel() if source is None else self.services.agents.channel(source)

    def ask_all(self, targets: Sequence[Target], timeout: float) -> list[ProbeResult]:
        """Probe all of them at once."""
        return ask(self.services, self.source_id, targets, timeout)

    def probe(self, destination: Destination, timeout: float = 1.0, *, verify: Verify = True) -> ProbeResult:
        """Ask once, by the first address of the destination.

        Args:
            destination: a port, a container with one exposed port, or a URL.
            timeout: seconds to the first line of an answer.
            verify: of https URLs: whether the certificate is checked, or the path of a file of authorities (PEM).

        Returns:
            What came of it; a probe that could not be made is ``INCONCLUSIVE``.

        Raises:
            SpecError: the destination is none.
        """
        limit = check_timeout(timeout)
        targets = self.targets(destination, verify)
        return self.ask_all(targets[:1], limit)[0]

    def probe_many(self, destinations: Sequence[Destination], timeout: float = 1.0) -> list[ProbeResult]:
        """Ask all destinations at once, in one request to the agent; results in their order."""
        limit = check_timeout(timeout)
        wanted = listed(
            destinations, "destinations", "ports and URLs", "write probe_many([web.port(80), db.port(5432)])"
        )
        for destination in wanted:
            check_destination(destination)
        return self.ask_all([self.targets(d)[0] for d in wanted], limit) if wanted else []

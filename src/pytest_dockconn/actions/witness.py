"""Who answered: the owner itself, as it proved or as its own sockets show, or somebody else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from ..errors import DockconnError, NotFound
from ..logic import verdicts
from ..model.facts import ContainerFacts
from ..model.probe import LISTENER, ProbeResult, Target, Verdict
from . import agents
from .agents import Row
from .holders import is_of_container
from .passages import Passage, Stay
from .services import Services

#: Seconds that a listener has to take a connection out of its accept queue, on top of the answer.
ACCEPT = 0.3
#: Schemes without a connection.
DATAGRAMS = ("udp", "dns", "icmp")


def speaks(services: Services, target: Target) -> bool:
    """Whether the owner says who it is when it is asked so."""
    return target.owner in services.speakers and target.scheme in ("http", "udp")


def is_silent(services: Services, target: Target) -> bool:
    """Whether the owner takes a connection and can't say who it is, so that its sockets must tell."""
    return bool(target.owner) and target.scheme not in DATAGRAMS and not speaks(services, target)


def passage(services: Services, target: Target) -> Passage | None:
    """Where its connection is known by being new alone: behind a bound port addresses are translated."""
    return (target.owner, target.inner) if target.via == "bound port" and is_silent(services, target) else None


class Unclear(DockconnError):
    """Which of several connections is the probe's can't be seen."""


class Witness:
    """Made before one request, and asked about what came of it.

    Args:
        services: of the session.
        targets: of the request. Behind a bound port addresses are translated, so that a connection is known among the
            owner's by being new: what was there before is looked up at once.
        stay: who else asks there.

    Attributes:
        unclear: the targets where more than one connection was new.
    """

    def __init__(self, services: Services, targets: Iterable[Target], stay: Stay | None = None) -> None:
        self._services = services
        self._met = stay.met if stay is not None else set()
        self.unclear: set[Target] = set()
        through = {key for t in targets if (key := passage(services, t))}
        self._before = {(owner, port): self._looked(owner, port) for owner, port in through}

    def _looked(self, owner: str, port: int) -> list[Row] | DockconnError:
        """None where the owner has no processes, as whoever answers is another; an error is only of who asks for this one."""
        try:
            if self._status(owner) in verdicts.WITHOUT_PROCESSES:
                return []
            return self._sockets(owner, port)
        except DockconnError as error:
            return error

    def identified(self, probed: ProbeResult) -> ProbeResult:
        """The verdict, now that it is clear who answered; inconclusive where it can't be."""
        target = probed.target
        if not probed or not target.owner:
            return probed
        try:
            if verdicts.is_owners(probed):
                return self._lives(probed)
            if speaks(self._services, target):
                return self._another(probed)
            return self._seen(probed)
        except DockconnError as error:
            if isinstance(error, Unclear):
                self.unclear.add(target)
            why = f"it answered, but who did can't be told: {error.cause}"
            return replace(probed, verdict=Verdict.INCONCLUSIVE, answered_by="", detail=why)

    def _lives(self, probed: ProbeResult) -> ProbeResult:
        """A proof is not believed against what is known of the owner: who can ask the engine can read a token, too."""
        owner = probed.target.owner
        if owner.startswith(LISTENER) or not self._services.facts.cheap:
            return probed
        if self._status(owner) not in verdicts.WITHOUT_PROCESSES:
            return probed
        status = self._status(owner, fresh=True)  # it may have been started a moment ago
        gone = status in verdicts.WITHOUT_PROCESSES
        return verdicts.not_by(probed, self._services.name_of(owner), status) if gone else probed

    def _another(self, probed: ProbeResult) -> ProbeResult:
        """The answer is not that of an owner who would have said so."""
        if probed.answered_by:
            return verdicts.said_who(probed, self._services.name_of(probed.answered_by))
        name = self._services.name_of(probed.target.owner)
        why = f"something answered that does not prove that it is {name}: {probed.detail}"
        return replace(probed, verdict=Verdict.WRONG_SERVER, detail=why)

    def _seen(self, probed: ProbeResult) -> ProbeResult:
        """By the owner's sockets, whatever the answer says."""
        owner = probed.target.owner
        status = self._status(owner)
        if status in verdicts.WITHOUT_PROCESSES:
            found = verdicts.not_by(probed, self._services.name_of(owner), status)
        else:
            found = self._by_address(probed) if probed.target.scheme in DATAGRAMS else self._by_socket(probed)
        if found.verdict is Verdict.WRONG_SERVER and probed.answered_by:
            return verdicts.said_who(found, self._services.name_of(probed.answered_by))
        return found

    def _by_address(self, probed: ProbeResult) -> ProbeResult:
        """A datagram has no connection to look for: the owner must have the address, and a socket on the port if there is one.

        That it has the address is asked of the engine now: nothing else would show that it has lost it.
        """
        owner, target = probed.target.owner, probed.target
        port = target.inner or target.port
        row = verdicts.hears(self._sockets(owner, port, "udp"), probed) if port else ANY
        facts = self._services.facts.fresh(owner)
        has = target.via == "bound port" or facts.network_mode == "host" or probed.address in facts.addresses
        return self._proven(probed, row if has else None, facts)

    def _by_socket(self, probed: ProbeResult) -> ProbeResult:
        from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415

        waits = retry_if_result(lambda row: row is not None and row["state"] == "established" and row["inode"] == 0)
        try:
            row = Retrying(retry=waits, wait=wait_fixed(0.005), stop=stop_after_delay(ACCEPT))(self._other_end, probed)
        except RetryError as error:
            row = error.last_attempt.result()
        return self._proven(probed, row, self._services.facts.get(probed.target.owner))

    def _other_end(self, probed: ProbeResult) -> Row | None:
        """Of the connection that the probe made."""
        owner, inner = probed.target.owner, probed.target.inner or probed.target.port
        if probed.target.via == "bound port":
            return self._new(probed, owner, inner)
        if probed.path is None:
            return None
        return verdicts.found_in(self._sockets(owner, inner, peer_port=probed.path.source_port), probed)

    def _new(self, probed: ProbeResult, owner: str, port: int) -> Row | None:
        """The one connection that has come to a port; None for none. Raises ``Unclear`` where it may be another's."""
        before = self._before[owner, port]
        if isinstance(before, DockconnError):
            raise before
        came = verdicts.new_connections(before, self._sockets(owner, port), port)
        # podman's rootlessport asks from inside, at the owner's loopback too
        if self._services.version.kind == "docker":
            came = verdicts.from_outside(came, self._services.facts.get(owner).addresses)
        found = verdicts.held(came, over=bool(probed.text))
        if came and (len(found) != 1 or (owner, port) in self._met):
            raise Unclear(f"{len(came)} connections to its port {port} are new, and which is the probe's can't be seen")
        return next(iter(found), None)

    def _proven(self, probed: ProbeResult, row: Row | None, facts: ContainerFacts) -> ProbeResult:
        """Where others share the namespace their sockets are seen, too: there the process that has it must be the owner's."""
        name = self._services.name_of(facts.id)
        proven = verdicts.proven(probed, row, name)
        host = facts.network_mode == "host"
        if not proven or row is None or not (host or (row is not ANY and self._is_shared(facts))):
            return proven
        its_own = self._has(facts, row) if self._services.same_host else None
        return proven if its_own else verdicts.not_apart(proven, name, told=its_own is not None, host=host)

    def _is_shared(self, facts: ContainerFacts) -> bool:
        return bool(facts.joined) or self._services.facts.is_joined(facts)

    def _has(self, facts: ContainerFacts, row: Row) -> bool | None:
        """Whether a process of it has the socket; of one that its process has closed, that on which it listens. None: not seen."""
        inodes = {row["inode"]} if row["inode"] else self._listening(facts.id, row["port"])
        told = {is_of_container(inode, facts.id) for inode in inodes}
        return told.pop() if len(told) == 1 else None

    def _listening(self, owner: str, port: int) -> set[int]:
        rows = agents.listeners(self._services.agents.channel(owner), [port])
        return {row["inode"] for row in rows if row["protocol"] == "tcp"}

    def _sockets(self, owner: str, port: int, protocol: str = "tcp", peer_port: int = 0) -> list[Row]:
        return agents.sockets(self._services.agents.channel(owner), protocol, port, peer_port)

    def _status(self, owner: str, *, fresh: bool = False) -> str:
        facts = self._services.facts
        try:
            return (facts.fresh(owner) if fresh else facts.get(owner)).status
        except NotFound:
            return "removed"


#: Of what the kernel itself answers, without a socket.
ANY: dict[str, Any] = {"state": "close", "inode": 1}

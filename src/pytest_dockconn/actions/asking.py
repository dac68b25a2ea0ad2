"""Probes: questions to an agent, and who answered them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ..errors import DockconnError, NotFound
from ..logic import verdicts
from ..model.probe import ProbeResult, Target, Verdict
from . import agents
from .agents import Channel
from .holders import is_of_container
from .services import Services

#: Seconds that a listener has to take a connection out of its accept queue, on top of the answer.
ACCEPT = 0.3
#: Schemes without a connection.
DATAGRAMS = ("udp", "dns", "icmp")


def ask(services: Services, source: str | None, targets: Sequence[Target], timeout: float) -> list[ProbeResult]:
    """Probe all targets at once from a container (its id) or from the host (None); ``timeout`` in seconds.

    A probe that can't be made is ``INCONCLUSIVE``, never an exception.
    """
    if any(not target.host for target in targets):
        return [_nowhere(t) if not t.host else ask(services, source, [t], timeout)[0] for t in targets]
    try:
        if services.reuse is not None:
            services.room.before_probe(source, targets)
        channel = services.host_channel() if source is None else services.agents.channel(source)
        return _asked(services, channel, targets, timeout)
    except DockconnError as error:
        return _not_made(targets, error)


def _not_made(targets: Sequence[Target], error: DockconnError) -> list[ProbeResult]:
    detail = f"the probe could not be made: {error.cause}"
    return [ProbeResult(verdict=Verdict.INCONCLUSIVE, target=target, detail=detail) for target in targets]


def _nowhere(target: Target) -> ProbeResult:
    return ProbeResult(verdict=Verdict.INCONCLUSIVE, target=target, detail=target.why)


def _asked(services: Services, channel: Channel, targets: Sequence[Target], timeout: float) -> list[ProbeResult]:
    silent = [_is_silent(services, target) for target in targets]
    before = {
        t.owner: _before(services, t.owner) for t, s in zip(targets, silent, strict=True) if s and t.via == "bound port"
    }
    requests = [_request(t, timeout, hold=s) for t, s in zip(targets, silent, strict=True)]
    seen = agents.probes(channel, requests, timeout)
    try:
        return [
            _identified(services, verdicts.result(target, answer, services.speakers), before.get(target.owner))
            for target, answer in zip(targets, seen, strict=True)
        ]
    finally:
        held = [str(r["hold"]) for r in requests if r["hold"]]
        if held:
            agents.release(channel, held)


def _is_silent(services: Services, target: Target) -> bool:
    """Whether the owner takes a connection and can't say who it is, so that its sockets must tell."""
    return bool(target.owner) and target.scheme not in DATAGRAMS and not _speaks(services, target)


def _speaks(services: Services, target: Target) -> bool:
    """Whether the owner says who it is when it is asked so."""
    return target.owner in services.speakers and target.scheme in ("http", "udp")


def _request(target: Target, timeout: float, *, hold: bool) -> dict[str, Any]:
    nonce = secrets.token_hex(8)
    return {
        "scheme": target.scheme,
        "host": target.host,
        "port": target.port,
        "path": target.path,
        "timeout": timeout,
        "nonce": nonce,
        "hold": nonce if hold else "",
        "verify": target.verify,
        "ca": target.ca,
    }


def _sockets(services: Services, owner: str) -> list[Mapping[str, Any]]:
    return list(agents.look(services.agents.channel(owner), "sockets")["sockets"])


def _before(services: Services, owner: str) -> list[Mapping[str, Any]]:
    """The owner's sockets before it is asked by its bound port: none where it has no processes, and whoever answers is another."""
    return [] if _status(services, owner) in verdicts.WITHOUT_PROCESSES else _sockets(services, owner)


def _status(services: Services, owner: str) -> str:
    try:
        return services.facts.get(owner).status
    except NotFound:
        return "removed"


def _identified(services: Services, probed: ProbeResult, before: list[Mapping[str, Any]] | None) -> ProbeResult:
    if not verdicts.needs_proof(probed):
        return verdicts.said_who(probed, services.name_of(probed.answered_by)) if probed.answered_by else probed
    if _speaks(services, probed.target):
        return replace(
            probed,
            verdict=Verdict.WRONG_SERVER,
            detail=f"something answered that does not prove that it is {services.name_of(probed.target.owner)}: {probed.detail}",
        )
    try:
        status = _status(services, probed.target.owner)
        if status in verdicts.WITHOUT_PROCESSES:
            return verdicts.not_by(probed, services.name_of(probed.target.owner), status)
        if probed.target.scheme in DATAGRAMS:
            return _by_address(services, probed)
        return _by_socket(services, probed, before)
    except DockconnError as error:
        return replace(
            probed, verdict=Verdict.INCONCLUSIVE, detail=f"it answered, but who did can't be told: {error.cause}"
        )


def _by_address(services: Services, probed: ProbeResult) -> ProbeResult:
    """A datagram has no connection to look for: the owner must have the address, and a socket on the port if there is one."""
    owner = probed.target.owner
    port = probed.target.inner or probed.target.port
    rows = _sockets(services, owner) if port else []
    listens = not port or any(row["protocol"] == "udp" and row["port"] == port for row in rows)
    has = probed.target.via == "bound port" or probed.address in services.facts.get(owner).addresses
    return verdicts.proven(probed, {"state": "close", "inode": 1} if listens and has else None, services.name_of(owner))


def _by_socket(services: Services, probed: ProbeResult, before: list[Mapping[str, Any]] | None) -> ProbeResult:
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415

    owner = probed.target.owner

    def other_end() -> Mapping[str, Any] | None:
        rows = _sockets(services, owner)
        if before is None:
            return verdicts.found_in(rows, probed)
        fresh = verdicts.new_connections(before, rows, probed.target.inner)
        return next(iter(fresh), None)

    waits = retry_if_result(lambda row: row is not None and row["state"] == "established" and row["inode"] == 0)
    try:
        row = Retrying(retry=waits, wait=wait_fixed(0.005), stop=stop_after_delay(ACCEPT))(other_end)
    except RetryError as error:
        row = error.last_attempt.result()
    proven = verdicts.proven(probed, row, services.name_of(owner))
    return _apart(services, proven, row) if proven and row is not None else proven


def _apart(services: Services, proven: ProbeResult, row: Mapping[str, Any]) -> ProbeResult:
    """In the host's namespace everybody's sockets are seen: there the process that has the connection must be the owner's."""
    owner = proven.target.owner
    if services.facts.get(owner).network_mode != "host":
        return proven
    its_own = is_of_container(int(row["inode"]), owner) if services.same_host else None
    if its_own:
        return proven
    name = services.name_of(owner)
    if its_own is None:
        detail = f"it answered, but whether {name} did can't be told: it shares the host's network, whose processes can't be read"
        return replace(proven, verdict=Verdict.INCONCLUSIVE, answered_by="", detail=detail)
    detail = f"a process of the host took the connection, and none of {name}, which shares the host's network"
    return replace(proven, verdict=Verdict.WRONG_SERVER, answered_by="", detail=detail)


def watch(
    services: Services, source: str | None, targets: Sequence[Target], timeout: float, hold: float
) -> list[ProbeResult]:
    """Probe all targets for ``hold`` seconds by probes that overlap; one result of every kind that was seen of each."""
    if any(not target.host for target in targets):
        return ask(services, source, targets, timeout)
    try:
        if services.reuse is not None:
            services.room.before_probe(source, targets)
        channel = services.host_channel() if source is None else services.agents.channel(source)
        seen = agents.watch(channel, [_request(t, timeout, hold=False) for t in targets], hold, timeout)
    except DockconnError as error:
        return _not_made(targets, error)
    results = [
        replace(verdicts.result(target, one, services.speakers), attempts=int(one["attempts"]))
        for target, kinds in zip(targets, seen, strict=True)
        for one in kinds
    ]
    return [_watched(services, source, one, timeout) for one in results]


def _watched(services: Services, source: str | None, probed: ProbeResult, timeout: float) -> ProbeResult:
    """An answer and who gave it. A server that can't say who it is gets one more question, whose connection is looked for."""
    if probed.answered_by:
        return verdicts.said_who(probed, services.name_of(probed.answered_by))
    if not verdicts.needs_proof(probed):
        return probed
    again = ask(services, source, [probed.target], timeout)[0]
    # what is closed again by now was open all the same
    return again if again.verdict is Verdict.WRONG_SERVER or verdicts.QUEUED in again.detail else probed

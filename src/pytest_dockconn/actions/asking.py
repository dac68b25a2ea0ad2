"""Probes: questions to an agent, once or for some time."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from ..errors import DockconnError
from ..logic import verdicts
from ..model.probe import ProbeResult, Target, Verdict
from . import agents
from .agents import Channel
from .passages import Stay
from .services import Services
from .witness import Witness, is_silent, passage


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
    through = [key for t in targets if (key := passage(services, t))]
    with services.passages.together(through) as stay:
        results, unclear = _asked_once(services, channel, targets, timeout, stay)
    return [_asked_alone(services, channel, r, timeout) if r.target in unclear else r for r in results]


def _asked_alone(services: Services, channel: Channel, probed: ProbeResult, timeout: float) -> ProbeResult:
    """Once more, when none of the others that ask there now can be taken for it; what is unclear then stays inconclusive."""
    key = passage(services, probed.target)
    if key is None:  # what it is now: its owner has become one of ours that says who it is
        return probed
    with services.passages.alone(key) as stay:
        return _asked_once(services, channel, [probed.target], timeout, stay)[0][0]


def _asked_once(
    services: Services, channel: Channel, targets: Sequence[Target], timeout: float, stay: Stay
) -> tuple[list[ProbeResult], set[Target]]:
    """The results, and the targets of which it is not clear whose connection was seen."""
    witness = Witness(services, targets, stay)
    requests = [_request(t, timeout, hold=is_silent(services, t)) for t in targets]
    try:
        seen = agents.probes(channel, requests, timeout)
        results = [
            witness.identified(verdicts.result(target, answer, services.speakers, request["nonce"]))
            for target, request, answer in zip(targets, requests, seen, strict=True)
        ]
        return results, witness.unclear
    finally:
        held = [str(r["hold"]) for r in requests if r["hold"]]
        if held:
            agents.release(channel, held)


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


def watch(
    services: Services, source: str | None, targets: Sequence[Target], timeout: float, hold: float
) -> list[ProbeResult]:
    """Probe all targets for ``hold`` seconds by probes that overlap; one result of every kind that was seen of each."""
    if any(not target.host for target in targets):
        return ask(services, source, targets, timeout)
    requests = [_request(t, timeout, hold=False) for t in targets]
    try:
        if services.reuse is not None:
            services.room.before_probe(source, targets)
        channel = services.host_channel() if source is None else services.agents.channel(source)
        seen = agents.watch(channel, requests, hold, timeout)
    except DockconnError as error:
        return _not_made(targets, error)
    results = [
        verdicts.result(target, one, services.speakers, request["nonce"])
        for target, request, kinds in zip(targets, requests, seen, strict=True)
        for one in kinds
    ]
    return [_watched(services, source, one, timeout) for one in results]


def _watched(services: Services, source: str | None, probed: ProbeResult, timeout: float) -> ProbeResult:
    """An answer and who gave it. A server that can't say who it is gets one more question, whose connection is looked for."""
    if not is_silent(services, probed.target) or not probed:
        return Witness(services, ()).identified(probed)
    again = ask(services, source, [probed.target], timeout)[0]
    if again or again.verdict is Verdict.WRONG_SERVER or verdicts.QUEUED in again.detail:
        return replace(again, attempts=probed.attempts)
    return replace(probed, answered_by="")  # what is closed again by now was open all the same

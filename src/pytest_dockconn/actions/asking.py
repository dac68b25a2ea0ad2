"""Probes: questions to an agent, once or for some time."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
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

#: Seconds between the beginnings of two probes of one target that overlap; longer where more than so many would be under way.
OVERLAP, MOST = 0.05, 64


def ask(services: Services, source: str | None, targets: Sequence[Target], timeout: float) -> list[ProbeResult]:
    """Probe all targets at once from a container (its id) or from the host (None); ``timeout`` in seconds.

    A probe that can't be made is ``INCONCLUSIVE``, never an exception.
    """
    if any(not target.host for target in targets):
        return [_nowhere(t) if not t.host else ask(services, source, [t], timeout)[0] for t in targets]
    try:
        return _asked(services, _channel(services, source, targets), targets, timeout)
    except DockconnError as error:
        return _not_made(targets, error)


def _channel(services: Services, source: str | None, targets: Sequence[Target]) -> Channel:
    """The way to who asks, when nothing that an earlier run keeps can answer in the place of who is asked."""
    if services.reuse is not None:
        services.room.before_probe(source, targets)
    return services.host_channel() if source is None else services.agents.channel(source)


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
        seen = agents.watch(_channel(services, source, targets), requests, hold, timeout)
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


def overlapping(
    services: Services, source: str | None, results: Sequence[ProbeResult], timeout: float
) -> Overlapping | None:
    """What goes on asking after these results, without waiting for each answer; None where one has to wait."""
    if not verdicts.are_lost(results):
        return None
    if any(passage(services, one.target) for one in results):  # there a connection is known by being the only new one
        return None
    return Overlapping(services, source, results, timeout)


class Overlapping:
    """Probes that begin while others still wait for their answer, so that a way that is open now and then is not missed.

    The answers to those are its to judge, by whom they are as everywhere. Who has heard enough lets go of it: what is under
    way then ends by itself, and nobody looks at it.

    Args:
        services: of the session.
        source: the id of the container that asks; None for the host.
        results: the last ones of every target.
        timeout: seconds to the first line of an answer, for each probe.

    Attributes:
        targets: those that are asked.
    """

    def __init__(self, services: Services, source: str | None, results: Sequence[ProbeResult], timeout: float) -> None:
        self.targets = [one.target for one in results]
        self._services = services
        self._source = source
        self._timeout = timeout
        self._results = list(results)
        self._pace = max(OVERLAP, timeout * len(results) / MOST)
        #: which target was asked, with which nonce, and what came of it
        self._came: queue.SimpleQueue[tuple[int, str, Mapping[str, Any] | DockconnError]] = queue.SimpleQueue()
        self._under_way = 0

    def more(self) -> list[ProbeResult]:
        """Ask each once more, and wait for what comes until the next may begin: the last result of each."""
        try:
            channel = _channel(self._services, self._source, self.targets)
            for at in range(len(self.targets) if self._under_way < MOST else 0):
                self._begin(channel, at)
        except DockconnError as error:
            self._results = _not_made(self.targets, error)
            return self._results
        return self._heard(self._pace)

    def rest(self) -> list[ProbeResult]:
        """Wait for what is under way: the last result of each."""
        return self._heard(self._timeout + agents.GRACE)

    def _begin(self, channel: Channel, at: int) -> None:
        try:
            threading.Thread(target=self._ask, args=(channel, at), name="dockconn-probe", daemon=True).start()
        except RuntimeError as error:
            raise DockconnError(f"a probe could not begin: {error}") from error
        self._under_way += 1

    def _ask(self, channel: Channel, at: int) -> None:
        request = _request(self.targets[at], self._timeout, hold=False)
        seen: Mapping[str, Any] | DockconnError
        try:
            seen = agents.probes(channel, [request], self._timeout)[0]
        except DockconnError as error:
            seen = error
        self._came.put((at, request["nonce"], seen))

    def _heard(self, seconds: float) -> list[ProbeResult]:
        """What comes in that time, or until somebody answers who should."""
        until = time.monotonic() + seconds
        while self._under_way and (left := until - time.monotonic()) > 0:
            try:
                at, nonce, seen = self._came.get(timeout=left)
            except queue.Empty:
                break
            self._under_way -= 1
            self._results[at] = self._judged(self.targets[at], nonce, seen)
            if self._results[at]:
                break
        return list(self._results)

    def _judged(self, target: Target, nonce: str, seen: Mapping[str, Any] | DockconnError) -> ProbeResult:
        """A server that can't say who it is is asked again: its connection is looked for while it is held."""
        if isinstance(seen, DockconnError):
            return _not_made([target], seen)[0]
        probed = verdicts.result(target, seen, self._services.speakers, nonce)
        if probed and is_silent(self._services, target):
            return ask(self._services, self._source, [target], self._timeout)[0]
        return Witness(self._services, ()).identified(probed)

"""The destination's owner answers."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ..actions.asking import Overlapping, overlapping
from ..errors import ReachabilityError
from ..handles.source import Destination, Source, Verify, check_source, check_timeout
from ..logic.verdicts import are_lost
from ..model.probe import ProbeResult, Target, Verdict
from .common import note

#: Seconds between two rounds of questions, or after the last of those that overlap.
PACE = 0.01


def assert_reachable(
    source: Source, destination: Destination, *, within: float = 5.0, timeout: float = 1.0, verify: Verify = True
) -> ProbeResult:
    """Pass once the destination's owner answers.

    Args:
        source: a container, or the host.
        destination: a port, a container with one exposed port, or a URL. Of an owner with several addresses each is
            asked, IPv4 before IPv6; it passes with the first that the owner itself answers (``.address`` says which).
        within: seconds to try again.
        timeout: seconds to the first line of an answer, for each probe.
        verify: of https URLs: whether the certificate is checked, or the path of a file of authorities (PEM).

    Returns:
        What the successful probe saw.

    Raises:
        ReachabilityError: nobody answered, or somebody else did; says why.
        SpecError: an argument that can't be.
    """
    __tracebackhide__ = True
    # loaded here and not above: what pytest imports before it has collected a test delays the start of the containers
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415

    check_source(source)
    patience, limit = check_timeout(within, "within"), check_timeout(timeout)
    rounds = _Rounds(source, destination, limit, verify)
    try:
        retrying = Retrying(
            retry=retry_if_result(lambda result: not result), wait=wait_fixed(PACE), stop=stop_after_delay(patience)
        )
        found: ProbeResult = retrying(rounds.one)
    except RetryError:
        found = rounds.rest()
    note("reachable", source, destination, found, passed=bool(found))
    if not found:
        from ..report import messages  # noqa: PLC0415
        from .explaining import explained  # noqa: PLC0415

        told = explained(source, destination, found, limit)
        text = messages.failure(source.name, destination, found, told.why, rounds.last)
        raise ReachabilityError(text, told.sections)
    return found


class _Rounds:
    """Questions to every address of a destination, again and again: addresses are read anew each time.

    Where they get lost, each begins while others still wait: else a server that is up for a part of each second would be
    asked at the same moment of each.
    """

    def __init__(self, source: Source, destination: Destination, timeout: float, verify: Verify) -> None:
        self._source = source
        self._verify = verify
        self._destination = destination
        self._timeout = timeout
        self._count = 0
        self._overlapping: Overlapping | None = None
        self.last: list[ProbeResult] = []

    def one(self) -> ProbeResult:
        self._count += 1
        targets = self._source.targets(self._destination, self._verify)
        under_way = self._overlapping
        if under_way is not None and under_way.targets == targets:
            self.last = under_way.more()
            self._overlapping = under_way if are_lost(self.last) else None
        else:
            self.last = self._round(targets)
            self._overlapping = overlapping(self._source.services, self._source.source_id, self.last, self._timeout)
        return self.best()

    def _round(self, targets: Sequence[Target]) -> list[ProbeResult]:
        """The first address, and where nobody answers there the others, each until it has answered or its time is over."""
        seen = self._source.ask_all(targets[:1], self._timeout)
        if targets[1:] and not seen[0]:
            seen += self._source.ask_all(targets[1:], self._timeout)
        return seen

    def rest(self) -> ProbeResult:
        """What comes of the probes that are under way at the end: each has its time."""
        if self._overlapping is not None:
            self.last = self._overlapping.rest()
        return self.best()

    def best(self) -> ProbeResult:
        """The first that the owner answered; else a wrong server, which tells most; else the first failure."""
        order = sorted(self.last, key=lambda r: (not r, r.verdict is not Verdict.WRONG_SERVER))
        return replace(order[0], attempts=self._count)

"""It is proved that the destination can't be reached."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..actions.asking import watch
from ..actions.containers import side_by_side
from ..actions.controls import Ends, answers_inside, beside, doubts, source_works
from ..errors import DockconnError, ReachabilityError, SpecError
from ..handles.container import Container
from ..handles.known import owned
from ..handles.listener import HostListener
from ..handles.source import Destination, Source, Verify, check_source, check_timeout
from ..logic import proof
from ..logic.given import shown
from ..logic.wiring import shared_networks
from ..model.facts import ContainerFacts
from ..model.probe import NEGATIVE, ProbeResult, Verdict
from ..report import messages
from .common import note, port_of
from .explaining import explained


def assert_unreachable(
    source: Source,
    destination: Destination,
    *,
    because: Verdict | Iterable[Verdict] | None = None,
    hold: float = 0.0,
    timeout: float = 1.0,
    verify: Verify = True,
) -> ProbeResult:
    """Pass on proof that the source can't reach the destination.

    Proof means: the source's probe works; the owner runs and answers when asked from inside its own network namespace, at
    the address in question, which is its own, and to which a name has led; and every address stays unreachable for all of ``hold``, asked by probes that overlap. The
    controls are made before and after.

    Args:
        source: a container, or the host.
        destination: a port, or a container with one exposed port; a URL only where its address is that of a container
            that is known here, because nobody else's can be asked from inside.
        because: the verdict, or several, that it must be.
        hold: seconds that it must stay so.
        timeout: seconds to the first line of an answer, for each probe.
        verify: of https URLs: whether the certificate is checked, or the path of a file of authorities (PEM).

    Returns:
        What the probe saw, by the first address.

    Raises:
        ReachabilityError: it can be reached; or is unreachable for another reason than ``because``; or it is not
            proved: then the message holds the word "inconclusive" and says what is missing.
        SpecError: an argument that can't be.
    """
    __tracebackhide__ = True
    check_source(source)
    wanted = _verdicts(because)
    duration, limit = check_timeout(hold, "hold"), check_timeout(timeout)
    question = _Question(source, destination, limit, verify)
    lacks = question.controls("before")
    seen = question.watched(duration)
    lacks += question.doubts(seen)
    if not lacks and proof.reached(seen) is None:
        lacks = question.controls("after") + question.changes()
    shown, failure = _judged(source, destination, seen, lacks, wanted)
    note("unreachable", source, destination, shown, passed=failure is None)
    if failure is not None:
        raise failure
    return shown


def _judged(
    source: Source,
    destination: Destination,
    seen: Sequence[ProbeResult],
    lacks: Sequence[str],
    wanted: Collection[Verdict] | None,
) -> tuple[ProbeResult, ReachabilityError | None]:
    """The result that tells most, and why it is no proof; None where it is one."""
    answer = proof.reached(seen)
    others = proof.other_reasons(seen, wanted)
    if answer is None and not lacks and not others:
        return seen[0], None
    shown = answer or (_doubtful(seen) if lacks else others[0])
    told = explained(source, destination, shown)
    if answer is not None:
        name = source.services.name_of(answer.answered_by) if answer.answered_by else ""
        text = messages.reached(source.name, destination, answer, name, apart=_apart(source, answer))
    elif lacks:
        text = messages.inconclusive(source.name, destination, lacks, shown, told.why)
    else:
        text = messages.other_reason(source.name, destination, shown, list(wanted or ()), told.why)
    return shown, ReachabilityError(text, told.sections)


def _apart(source: Source, answer: ProbeResult) -> bool:
    """Whether the engine's isolation of networks should have kept them apart."""
    asks = source.source_facts()
    if asks is None or not answer.answered_by or answer.target.via != "address":
        return False
    try:
        owner = source.services.facts.get(answer.answered_by)
    except DockconnError:
        return False
    bridged = asks.endpoints and owner.endpoints and "host" not in (asks.network_mode, owner.network_mode)
    return bool(bridged) and not shared_networks(asks, owner)


def _doubtful(seen: Sequence[ProbeResult]) -> ProbeResult:
    return next((r for r in seen if r.verdict not in NEGATIVE), seen[0])


class _Question:
    """Can the source reach the destination? Controls and probes of one call of ``assert_unreachable``."""

    def __init__(self, source: Source, destination: Destination, timeout: float, verify: Verify) -> None:
        self._source = source
        self._services = source.services
        self._timeout = timeout
        self._destination = destination
        self._verify = verify
        self._targets = source.targets(destination, verify)
        self._owner = self._find_owner(destination)
        self._ends = (source.source_facts(), self.owner_facts())

    def _find_owner(self, destination: Destination) -> Container | HostListener | None:
        if isinstance(destination, HostListener):
            return destination
        if not isinstance(destination, str):
            port = port_of(destination)
            return port.owner if port else None
        self._targets, owner = owned(self._services, self._targets)
        return owner

    def owner_facts(self) -> ContainerFacts | None:
        """What the owner is like now; None for the host, and where nobody knows one."""
        return self._owner.facts() if isinstance(self._owner, Container) else None

    @property
    def owner_name(self) -> str:
        """In the tests' words; empty where nobody knows one."""
        return self._owner.name if self._owner is not None else ""

    def controls(self, when: str) -> list[str]:
        """The proofs that are missing now."""
        if self._owner is None:
            host = self._targets[0].host
            return [
                f"{host} is not the address of a container that is known here, so there is no owner to ask from inside"
            ]
        facts = self.owner_facts()
        works, inside = side_by_side(
            lambda: source_works(self._services, self._source.source_id),
            lambda: answers_inside(self._services, facts, self._targets, self._timeout),
        )
        controls = proof.Controls(works[0], works[1], facts, tuple(inside))
        aside = [f"{reason} ({when})" for reason in beside(self._services, self._now(facts), self._targets)]
        return aside + proof.missing(controls, when, self._owner.name, self._source.name)

    def changes(self) -> list[str]:
        """What happened to both ends since the question was put, a line each."""
        source, owner = self._ends
        started = proof.changed(source, self._source.source_facts(), self._source.name)
        started += proof.changed(owner, self.owner_facts(), self.owner_name)
        if isinstance(self._destination, str):
            return started
        return started + proof.unasked(self._targets, self._source.targets(self._destination, self._verify))

    def doubts(self, seen: Sequence[ProbeResult]) -> list[str]:
        """Why the results themselves prove nothing."""
        return doubts(self._services, self._now(self.owner_facts()), seen)

    def _now(self, owner: ContainerFacts | None) -> Ends:
        # of the source it is asked which one it is, and that stays as it was
        return Ends(self._ends[0], owner, self.owner_name)

    def watched(self, hold: float) -> list[ProbeResult]:
        """What the probes saw; of each address every kind of result."""
        with self._services.turns.asking():
            return watch(self._services, self._source.source_id, self._targets, self._timeout, hold)


def _verdicts(because: Any) -> Collection[Verdict] | None:
    if because is None:
        return None
    wanted = (
        [because] if isinstance(because, Verdict) else list(because) if isinstance(because, Iterable) else [because]
    )
    wrong = [v for v in wanted if v not in NEGATIVE] if all(isinstance(v, Verdict) for v in wanted) else wanted
    if wrong or not wanted:
        raise SpecError(
            f"because={shown(because)} can't be the reason of a proof",
            checked="reasons: " + ", ".join(f"Verdict.{v.name}" for v in Verdict if v in NEGATIVE),
            remedy="write because=Verdict.TIMED_OUT, or several in a tuple",
        )
    return wanted

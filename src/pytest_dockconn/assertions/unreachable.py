"""It is proved that the destination can't be reached."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..actions import agents
from ..actions.asking import ask, watch
from ..actions.containers import side_by_side
from ..errors import DockconnError, ReachabilityError, SpecError
from ..handles.container import Container
from ..handles.source import Destination, Source, check_timeout
from ..logic import proof
from ..model.facts import ContainerFacts
from ..model.probe import NEGATIVE, ProbeResult, Target, Verdict
from ..report import messages
from .common import check_source, explain, note, port_of


def assert_unreachable(
    source: Source,
    destination: Destination,
    *,
    because: Verdict | Iterable[Verdict] | None = None,
    hold: float = 0.0,
    timeout: float = 1.0,
) -> ProbeResult:
    """Pass on proof that the source can't reach the destination.

    Proof means: the source's probe works; the owner runs and answers when asked from inside its own network namespace, at
    the address in question; and every address stays unreachable for all of ``hold``, asked by probes that overlap. The
    controls are made before and after.

    Args:
        source: a container, or the host.
        destination: a port, or a container with one exposed port; a URL only where its address is that of a container
            that is known here, because nobody else's can be asked from inside.
        because: the verdict, or several, that it must be.
        hold: seconds that it must stay so.
        timeout: seconds to the first line of an answer, for each probe.

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
    question = _Question(source, destination, limit)
    lacks = question.controls("before")
    seen = question.watched(duration)
    lacks += proof.doubts(seen)
    if not lacks and proof.reached(seen) is None:
        lacks = question.controls("after")
    shown, message = _judged(source, destination, seen, lacks, wanted)
    note("unreachable", source, destination, shown, passed=not message)
    if message:
        raise ReachabilityError(message)
    return shown


def _judged(
    source: Source,
    destination: Destination,
    seen: Sequence[ProbeResult],
    lacks: Sequence[str],
    wanted: Collection[Verdict] | None,
) -> tuple[ProbeResult, str]:
    """The result that tells most, and why it is no proof; an empty text where it is one."""
    answer = proof.reached(seen)
    if answer is not None:
        name = source.services.name_of(answer.answered_by) if answer.answered_by else ""
        return answer, messages.reached(source.name, destination, answer, name)
    if lacks:
        shown = next((r for r in seen if r.verdict not in NEGATIVE), seen[0])
        return shown, messages.inconclusive(source.name, destination, lacks, shown, explain(source, destination, shown))
    other = proof.other_reasons(seen, wanted)
    if other:
        why = explain(source, destination, other[0])
        return other[0], messages.other_reason(source.name, destination, other[0], list(wanted or ()), why)
    return seen[0], ""


class _Question:
    """Can the source reach the destination? Controls and probes of one call of ``assert_unreachable``."""

    def __init__(self, source: Source, destination: Destination, timeout: float) -> None:
        self._source = source
        self._services = source.services
        self._timeout = timeout
        self._targets = source.targets(destination)
        self._owner = self._find_owner(destination)

    def _find_owner(self, destination: Destination) -> Container | None:
        if not isinstance(destination, str):
            port = port_of(destination)
            return port.owner if port else None
        for container in self._services.known_containers():
            assert isinstance(container, Container)
            if self._targets[0].host in container.last_facts().addresses:
                self._targets = [replace(t, owner=container.id, inner=t.port, via="address") for t in self._targets]
                return container
        return None

    def controls(self, when: str) -> list[str]:
        """The proofs that are missing now."""
        if self._owner is None:
            host = self._targets[0].host
            return [
                f"{host} is not the address of a container that is known here, so there is no owner to ask from inside"
            ]
        works, inside = side_by_side(self._source_works, self._inside)
        controls = proof.Controls(works[0], works[1], self._owner.facts(), tuple(inside))
        return proof.missing(controls, when, self._owner.name, self._source.name)

    def _source_works(self) -> tuple[bool, str]:
        try:
            return agents.selftest(self._source.channel(), secrets.token_hex(8))
        except DockconnError as error:
            return False, error.cause

    def _inside(self) -> list[ProbeResult]:
        assert self._owner is not None
        facts = self._owner.facts()
        if not facts.running:
            return []
        return ask(
            self._services, self._owner.id, [self._within(t, a) for t, a in self._own_addresses(facts)], self._timeout
        )

    def _own_addresses(self, facts: ContainerFacts) -> list[tuple[Target, str]]:
        """The address in question; of a bound port, or a name, every address of the owner."""
        own = facts.addresses or ("127.0.0.1",)
        pairs = [(t, t.host) if t.via == "address" and t.host in own else (t, own[0]) for t in self._targets]
        return list(dict.fromkeys(pairs))

    @staticmethod
    def _within(target: Target, address: str) -> Target:
        return replace(target, host=address, port=target.inner or target.port, via="address")

    def watched(self, hold: float) -> list[ProbeResult]:
        """What the probes saw; of each address every kind of result."""
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
            f"because={because!r} can't be the reason of a proof",
            checked="reasons: " + ", ".join(f"Verdict.{v.name}" for v in Verdict if v in NEGATIVE),
            remedy="write because=Verdict.TIMED_OUT, or several in a tuple",
        )
    return wanted

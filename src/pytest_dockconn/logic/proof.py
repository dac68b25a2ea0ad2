"""Is it proved that something can't be reached? Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..model.facts import ContainerFacts
from ..model.probe import NEGATIVE, ProbeResult, Verdict


@dataclass(frozen=True, slots=True)
class Controls:
    """What was seen at one moment, before or after the negative probes.

    Attributes:
        source_works: whether the source's agent reaches a listener of its own.
        source_detail: what is wrong with it if not.
        owner: the owner then.
        inside: probes of the owner from its own network namespace, one for each address in question.
    """

    source_works: bool
    source_detail: str
    owner: ContainerFacts
    inside: tuple[ProbeResult, ...]


def missing(controls: Controls, when: str, owner: str, source: str) -> list[str]:
    """The proofs that are missing from the controls, a line each."""
    lacks = []
    if not controls.source_works:
        lacks.append(f"{source} can't probe at all ({when}): {controls.source_detail}")
    if not controls.owner.running:
        lacks.append(f"{owner} is {controls.owner.status} ({when}): nothing can be said about the way to it")
        return lacks
    lacks += [
        f"{owner} does not answer at {r.target} even when asked from inside its own network ({when}): {r.verdict}, {r.detail}"
        for r in controls.inside
        if not r
    ]
    if not controls.inside:
        lacks.append(f"{owner} has no address to be asked by from inside its own network ({when})")
    return lacks


def doubts(seen: Sequence[ProbeResult]) -> list[str]:
    """Results that prove nothing either way, a line each."""
    return [
        f"{r.target}: {r.verdict}, {r.detail}"
        for r in seen
        if r.verdict not in NEGATIVE and r.verdict is not Verdict.REACHABLE
    ]


def reached(seen: Sequence[ProbeResult]) -> ProbeResult | None:
    """An answer, if there was one."""
    return next((r for r in seen if r), None)


def other_reasons(seen: Sequence[ProbeResult], because: Collection[Verdict] | None) -> list[ProbeResult]:
    """Results whose reason is not among those that were named."""
    return [] if because is None else [r for r in seen if r.verdict not in because]

"""Is it proved that something can't be reached? Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from ..model.facts import ContainerFacts
from ..model.probe import NEGATIVE, ProbeResult, Target, Verdict
from .verdicts import was_taken
from .wiring import is_loopback


class Controls(Struct, frozen=True):
    """What was seen at one moment, before or after the negative probes.

    Attributes:
        source_works: whether the source's agent reaches a listener of its own.
        source_detail: what is wrong with it if not.
        owner: the owner then; None for the host, which runs as long as the test does.
        inside: probes of the owner from its own network namespace, one for each address in question.
    """

    source_works: bool
    source_detail: str
    owner: ContainerFacts | None
    inside: tuple[ProbeResult, ...]


def asked_inside(target: Target, owner: ContainerFacts) -> tuple[str, ...]:
    """The owner's own addresses at which it must answer from inside, so that silence at the target means isolation.

    An address is asked itself. Behind a bound port, or a name, may be any address of the owner: each must answer. Empty
    where the target is no address of the owner at all.
    """
    if owner.network_mode == "host":
        return (target.host,) if target.via == "address" else ("127.0.0.1",)
    if target.via == "address":
        return (target.host,) if target.host in owner.addresses else ()
    same = [a for a in owner.addresses if (":" in a) == (":" in target.host)]
    return tuple(same) if target.via == "bound port" and same else owner.addresses


def beside(target: Target, owner: ContainerFacts, source: ContainerFacts | None, name: str = "") -> str:
    """Why a target does not lead to the owner in the first place, so that nothing is proved there; empty if it does.

    ``name`` is what the tests call the owner.
    """
    if target.via == "address" and target.host and not asked_inside(target, owner):
        return f"{target.host} is not an address of {name or owner.name}: it has {', '.join(owner.addresses) or 'none'}"
    away = source is not None and source.network_mode != "host"
    if target.via == "bound port" and away and is_loopback(target.host):
        return f"{target.host} asked from a container is that container itself, not the host"
    return ""


def missing(controls: Controls, when: str, owner: str, source: str) -> list[str]:
    """The proofs that are missing from the controls, a line each."""
    lacks = []
    if not controls.source_works:
        lacks.append(f"{source} can't probe at all ({when}): {controls.source_detail}")
    if controls.owner is not None and not controls.owner.running:
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


def changed(before: ContainerFacts | None, after: ContainerFacts | None, name: str) -> list[str]:
    """What happened to an end between the controls before and after, which then do not speak of the time between them."""
    if before is None or after is None or not after.running:  # that it does not run is said by ``missing``
        return []
    if (before.pid, before.started_at) == (after.pid, after.started_at):
        return []
    return [f"{name} was started again while it was asked, so nothing is known of the time between"]


def unasked(asked: Collection[Target], now: Collection[Target]) -> list[str]:
    """Ways to the owner that are there now, and were not when it was asked."""
    return [f"{target} leads to it by now, and was not asked" for target in now if target.host and target not in asked]


def doubts(seen: Sequence[ProbeResult], owner: ContainerFacts | None = None, name: str = "") -> list[str]:
    """Results that prove nothing either way, a line each; ``name`` is what the tests call the owner."""
    doubtful = [r for r in seen if r.verdict not in NEGATIVE and r.verdict is not Verdict.REACHABLE]
    taken = [r for r in seen if owner is not None and _was_taken(r, owner)]
    unresolved = [r for r in seen if _nobody_said(r)]
    return [
        *(f"{r.target}: {r.verdict}, {r.detail}" for r in doubtful),
        *(
            f"{r.target}: {name or (owner.name if owner else '')} took the connection, so packets do get through; it only did not answer"
            for r in taken
        ),
        *(f"no name server said whether there is a {r.target.host!r}: {r.verdict}, {r.detail}" for r in unresolved),
    ]


def _nobody_said(seen: ProbeResult) -> bool:
    """Whether it ended at the name, and without a no: any name would have, as where the resolver is dead."""
    asked = "name resolution: " in seen.detail and seen.verdict in (Verdict.NAME_NOT_FOUND, Verdict.TIMED_OUT)
    return asked and not seen.detail.endswith(" is not known")


def _was_taken(seen: ProbeResult, owner: ContainerFacts) -> bool:
    """Whether the owner's kernel took a connection and then nothing came. (Behind a bound port a proxy may have.)"""
    return (
        seen.verdict is Verdict.TIMED_OUT
        and was_taken(seen)
        and seen.target.via != "bound port"
        and seen.address in owner.addresses
    )


def reached(seen: Sequence[ProbeResult]) -> ProbeResult | None:
    """An answer, if there was one."""
    return next((r for r in seen if r), None)


def other_reasons(seen: Sequence[ProbeResult], because: Collection[Verdict] | None) -> list[ProbeResult]:
    """Results whose reason is not among those that were named."""
    return [] if because is None else [r for r in seen if r.verdict not in because]

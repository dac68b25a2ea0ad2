"""The words of a failed assertion."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.evidence import Why
from ..model.probe import ProbeResult, Verdict
from ..text import block, one_line

#: How a verdict reads in a sentence.
SEEN = {
    Verdict.REACHABLE: "reachable",
    Verdict.REFUSED: "connection refused",
    Verdict.TIMED_OUT: "timed out",
    Verdict.NO_ROUTE: "no route",
    Verdict.NAME_NOT_FOUND: "name not found",
    Verdict.RESET: "connection reset",
    Verdict.WRONG_SERVER: "wrong server",
    Verdict.INCONCLUSIVE: "inconclusive",
}


def by_address(result: ProbeResult) -> str:
    """The way that was asked: ``172.17.0.3:80``."""
    target = result.target
    if not target.host:
        return "no address"
    if not target.port:
        return target.host
    host = result.address if target.via == "name" and result.address else target.host
    shown = f"[{host}]" if ":" in host else host
    return (
        f"{target.host} = {shown}:{target.port}"
        if shown != target.host and target.via == "name"
        else f"{shown}:{target.port}"
    )


def failure(source: str, destination: object, result: ProbeResult, why: Why, seen: Sequence[ProbeResult] = ()) -> str:
    """Who could not reach what and how, then why: evidence and remedy."""
    first = f"{source} cannot reach {destination} at {by_address(result)}: {SEEN[result.verdict]}: {why.cause}"
    tries = [f"{r.target}: {r.verdict}, {one_line(r.detail)} ({r.elapsed * 1000:.1f} ms)" for r in seen or [result]]
    if result.attempts > 1:
        tries[-1] += f", the last of {result.attempts} tries"
    return _whole(one_line(first, 500), [*why.evidence, *(f"asked {line}" for line in tries)], why.remedy)


#: With docker 20.10.24, 3 in 100 connections between two networks get through while somebody makes a third one.
TOGETHER = "take them off their shared network, close the port, or correct the test"
APART = (
    "make no network meanwhile, nor another run on this engine (docker 20.10 takes its isolation rules out for a moment "
    "then); where it can always be reached, see the rules of the engine's host: iptables -S"
)


def reached(source: str, destination: object, result: ProbeResult, name: str, *, apart: bool = False) -> str:
    """Somebody could reach what they must not; ``apart``: on networks that the engine should keep apart."""
    who = f", and {name or 'a server that does not say who it is'} answered"
    first = f"{source} can reach {destination} at {by_address(result)}{who}, but it must not"
    evidence = [f"asked {result.target}: {one_line(result.detail)} ({result.elapsed * 1000:.1f} ms)"]
    if result.path:
        evidence.append(
            f"connection {result.path.source}:{result.path.source_port} -> {result.path.destination}:{result.path.destination_port}"
        )
    if result.text:
        evidence.append(f"the answer begins: {one_line(result.text, 120)}")
    if apart:
        evidence.append(f"{source} and {name} share no network, and it was asked by {name}'s own address")
    return _whole(one_line(first, 500), evidence, APART if apart else TOGETHER)


def inconclusive(
    source: str, destination: object, lacks: Sequence[str], result: ProbeResult | None, why: Why | None
) -> str:
    """It could not be proved."""
    seen = f" ({SEEN[result.verdict]} at {by_address(result)})" if result else ""
    first = one_line(f"inconclusive: it is not proved that {source} cannot reach {destination}{seen}: {lacks[0]}", 500)
    evidence = [f"missing proof: {one_line(lack, 400)}" for lack in lacks]
    if why is not None:
        evidence += [f"likely cause: {why.cause}", *why.evidence]
    remedy = why.remedy if why and why.remedy else "have the owner run and answer, so that silence means isolation"
    return _whole(first, evidence, remedy)


def other_reason(source: str, destination: object, result: ProbeResult, wanted: Sequence[Verdict], why: Why) -> str:
    """Unreachable, as proved, but for another reason than the one that was named."""
    words = " or ".join(str(v) for v in wanted)
    first = f"{source} cannot reach {destination} at {by_address(result)}, but because of {result.verdict}, not {words}: {why.cause}"
    return _whole(
        one_line(first, 500),
        [*why.evidence, f"asked {result.target}: {one_line(result.detail)}"],
        f"correct because=, or: {why.remedy}",
    )


def link(client: str, server: str, alias: str, problems: Sequence[str], remedy: str) -> str:
    """A link that is not what the engine promises."""
    first = one_line(f"{client} is not linked to {server} as {alias!r}: {problems[0]}", 500)
    return _whole(first, list(problems), remedy)


def _whole(first: str, evidence: Sequence[str], remedy: str) -> str:
    lines = [first]
    lines += [f"  evidence: {block(line, 4000)}" for line in evidence if line]
    if remedy:
        lines.append(f"  remedy:   {block(remedy)}")
    return "\n".join(lines)

"""The controls of a proof: the source can probe at all, and the owner answers from inside its own network."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ..errors import DockconnError, NotFound
from ..logic import called, proof
from ..logic.wiring import is_loopback
from ..model.facts import ContainerFacts
from ..model.probe import NEGATIVE, ProbeResult, Target, Verdict
from . import agents
from .asking import ask
from .services import Services

#: Seconds for which an owner that is silent from inside is asked again, each time for as long as it was from outside: on a busy
#: machine an answer takes over 0.3 s now and then (eight workers on two cores). One that never answers in the time that it
#: had from outside proves nothing there either.
INSIDE = 1.0
PACE = 0.01


def source_works(services: Services, source: str | None) -> tuple[bool, str]:
    """Whether the agent of a source (a container's id; None: the host) reaches a listener of its own, and what is wrong if not."""
    try:
        channel = services.host_channel() if source is None else services.agents.channel(source)
        return agents.selftest(channel, secrets.token_hex(8))
    except DockconnError as error:
        return False, error.cause


def answers_inside(
    services: Services, owner: ContainerFacts | None, targets: Iterable[Target], timeout: float
) -> list[ProbeResult]:
    """The owner asked from its own namespace, at every address that these targets may lead to; empty if it does not run.

    The host (None) asks itself, at its addresses as they are.
    """
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415 - as in containers.py

    asked, source = asked_inside(owner, targets), owner.id if owner is not None else None
    found: dict[Target, ProbeResult] = {}

    def silent() -> list[Target]:
        left = [target for target in asked if target not in found or _is_silent(found[target])]
        found.update(zip(left, ask(services, source, left, timeout) if left else [], strict=True))
        return [target for target in left if _is_silent(found[target])]

    with contextlib.suppress(RetryError):
        Retrying(retry=retry_if_result(bool), wait=wait_fixed(PACE), stop=stop_after_delay(INSIDE))(silent)
    if timeout < INSIDE:
        found.update(_late(services, source, [one for one in found.values() if _is_silent(one)], timeout))
    return [found[target] for target in asked]


def _is_silent(result: ProbeResult) -> bool:
    return result.verdict is Verdict.TIMED_OUT


def _late(
    services: Services, source: str | None, silent: Sequence[ProbeResult], timeout: float
) -> dict[Target, ProbeResult]:
    """Of an owner that would answer, given more time, that it would."""
    seen = ask(services, source, [one.target for one in silent], INSIDE) if silent else []
    words = "it answers only after {:.2f} s, and has {:g} s here as there"
    return {
        before.target: replace(before, verdict=Verdict.INCONCLUSIVE, detail=words.format(late.elapsed, timeout))
        for before, late in zip(silent, seen, strict=True)
        if late
    }


def asked_inside(owner: ContainerFacts | None, targets: Iterable[Target]) -> list[Target]:
    """Where the owner is asked from its own namespace for the sake of these targets; nowhere if it does not run."""
    if owner is None:
        return list(dict.fromkeys(targets))
    if not owner.running:
        return []
    return list(dict.fromkeys(_within(t, a) for t in targets for a in proof.asked_inside(t, owner)))


def _within(target: Target, address: str) -> Target:
    return replace(target, host=address, port=target.inner or target.port, via="address", named=False)


class Ends(Struct, frozen=True):
    """Both ends of a question at one moment.

    Attributes:
        source: what the one who asks is like; None for the host.
        owner: the one who is asked; None for the host, and where nobody knows one.
        name: what the tests call the owner.
    """

    source: ContainerFacts | None
    owner: ContainerFacts | None
    name: str


def beside(services: Services, ends: Ends, targets: Sequence[Target]) -> list[str]:
    """Why targets do not lead to the owner in the first place, a line each; none if it does not run."""
    if ends.owner is None or not ends.owner.running:
        return []
    reasons = [proof.beside(t, ends.owner, ends.source, ends.name) for t in targets]
    on_host = [t for t in targets if t.via == "bound port" or ends.owner.network_mode == "host"]
    asked = dict.fromkeys(t.host for t in on_host if (t.named or is_loopback(t.host)) and not called.by_name(t))
    reasons += [_not_of_host(services, ends, host, host) for host in asked]
    return [reason for reason in dict.fromkeys(reasons) if reason]


def doubts(services: Services, ends: Ends, seen: Sequence[ProbeResult]) -> list[str]:
    """Why results prove nothing either way, a line each: also that a name is not the owner's, or led to another."""
    lines = proof.doubts(seen, ends.owner, ends.name)
    if ends.owner is None or not ends.owner.running:
        return lines
    lines += called.misled(seen, ends.owner, ends.source, ends.name)
    return [*lines, *_off_the_host(services, ends, seen), *_unknown(services, ends, seen)]


def _off_the_host(services: Services, ends: Ends, seen: Sequence[ProbeResult]) -> list[str]:
    """Names by which a bound port was asked, and that led to another machine; what an engine calls its host is believed."""
    named = [r for r in seen if r.target.via == "bound port" and called.by_name(r.target) and r.verdict in NEGATIVE]
    led = dict.fromkeys((r.target.host, r.address) for r in named if r.address)
    asked = [(host, address) for host, address in led if host.lower() not in called.OF_HOST]
    reasons = [_not_of_host(services, ends, address, f"{host!r} led to {address}, which") for host, address in asked]
    return [reason for reason in reasons if reason]


def _not_of_host(services: Services, ends: Ends, address: str, what: str) -> str:
    try:
        if is_loopback(address):
            elsewhere = ends.source is None and not services.has_loopback
            return f"{what} is this machine's own, and the engine may be on another one" if elsewhere else ""
        return "" if services.host_has(address) else f"{what} is no address of the host"
    except DockconnError as error:
        return f"whether {address} is an address of the host can't be seen: {error.cause}"


def _unknown(services: Services, ends: Ends, seen: Sequence[ProbeResult]) -> list[str]:
    missed = [r for r in seen if called.not_known(r)]
    if not missed or ends.owner is None:
        return []
    host = called.OF_HOST | {services.info.name.lower()}
    names = called.names_of(ends.owner, _held(services), ends.name) | services.former_names.get(
        ends.owner.id, frozenset()
    )
    names |= host if ends.owner.network_mode == "host" else set()
    bound = [r for r in missed if r.target.via == "bound port"]
    own = [r for r in missed if r.target.via != "bound port"]
    return called.unknown(own, names, ends.name) + called.unknown(bound, host, "the host")


def _held(services: Services) -> list[ContainerFacts]:
    """The containers that the tests hold; those that are gone have no links any more."""
    found = []
    for container in list(services.known):
        with contextlib.suppress(NotFound):
            found.append(services.facts.get(container))
    return found

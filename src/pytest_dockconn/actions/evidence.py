"""Looks up what a diagnosis needs. What can't be looked up stays unknown; it never fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from ..errors import DockconnError, NotFound
from ..logic import links
from ..logic.clock import seconds_between
from ..model.evidence import Drop, End, Evidence
from ..model.facts import ContainerFacts, NetworkFacts
from ..model.probe import ProbeResult, Target, Verdict
from ..model.spec import PortKey, Publish
from . import firewall
from .asking import ask
from .holders import holder_of
from .services import Services


class Subject(Struct, frozen=True):
    """What a question is about: both ends, the owner's port, how it was asked and what came of it.

    Attributes:
        source: who asked.
        owner: who should have answered; None where nobody knows.
        port: of the owner.
        bound: whether it was asked as it is bound to the host.
        result: of the probe.
        unpublished: containers that expose the port which was asked of the host, but do not publish it.
    """

    source: End
    owner: End | None
    port: PortKey | None
    bound: bool
    result: ProbeResult
    unpublished: tuple[str, ...] = ()


def gather(services: Services, subject: Subject) -> Evidence:
    """The evidence about one question."""
    source, owner, result = subject.source, subject.owner, subject.result
    facts = owner.facts if owner else None
    wrong = result.verdict is Verdict.WRONG_SERVER
    return Evidence(
        source_name=source.name,
        source=source.facts,
        owner_name=owner.name if owner else "",
        owner=facts,
        port=subject.port,
        bound=subject.bound,
        result=result,
        listeners=owner.listeners if owner else None,
        networks=_networks(services, [f for f in (source.facts, facts) if f]),
        hosts=links.hosts(source.hosts) if source.facts and source.hosts is not None else None,
        answered_name=services.name_of(result.answered_by) if result.answered_by and wrong else "",
        holder=_holder(services, facts, result),
        last_lines=owner.last_lines if owner else "",
        same_host=_holds(lambda: services.same_host),
        has_loopback=_holds(lambda: services.has_loopback),
        default_network=services.default_network,
        age=_age(services, facts),
        unpublished=subject.unpublished,
        partition=_partition(services, source.facts, facts),
    )


def _partition(services: Services, source: ContainerFacts | None, owner: ContainerFacts | None) -> str:
    if source is None or owner is None:
        return ""
    return next((str(one) for one in tuple(services.partitions) if one.parts(source, owner)), "")


def deepened(services: Services, evidence: Evidence, timeout: float) -> Evidence:
    """With what takes another round of questions: the owner asked from inside, and the counters of firewall rules."""
    result = evidence.result
    inside = _asked_inside(evidence)
    if inside is None:
        return evidence
    if not ask(services, evidence.owner.id if evidence.owner else None, [inside], timeout)[0]:
        return replace(evidence, answers_inside=False)
    source = evidence.source.id if evidence.source else None
    unread, drops = _drops(services, evidence, lambda: ask(services, source, [result.target], timeout))
    return replace(evidence, answers_inside=True, drops=drops, unread=unread)


def _asked_inside(evidence: Evidence) -> Target | None:
    """The question as the owner would ask it itself; None where nobody owns it, or the owner does not run."""
    owner, target = evidence.owner, evidence.result.target
    if evidence.to_host:
        return target
    if owner is None or not owner.running or (evidence.port is None and target.port):
        return None
    number = evidence.port.number if evidence.port else 0
    return replace(
        target,
        host=next(iter(owner.addresses), "127.0.0.1"),
        port=number,
        owner=owner.id,
        via="address",
        inner=number,
    )


def _drops(
    services: Services, evidence: Evidence, ask_again: Callable[[], object]
) -> tuple[str, tuple[Drop, ...] | None]:
    try:
        unread = firewall.unreadable(services)
    except DockconnError as error:
        unread = error.cause
    if unread:
        return unread, None
    ends = {evidence.source_name: evidence.source, evidence.owner_name: evidence.owner}
    return "", firewall.counted(firewall.places(ends), ask_again)


def _networks(services: Services, ends: list[ContainerFacts]) -> tuple[NetworkFacts, ...]:
    found = []
    for network in dict.fromkeys(e.network_id for facts in ends for e in facts.endpoints if e.network_id):
        with contextlib.suppress(DockconnError):
            found.append(services.engine.network(network))
    return tuple(found)


def _holder(services: Services, owner: ContainerFacts | None, result: ProbeResult) -> str:
    """Who else has the address, or the host's port, that was asked."""
    if owner is None or not result.address:
        return ""
    with contextlib.suppress(DockconnError):
        if result.target.via == "bound port":
            return "" if owner.running else _port_holder(services, result)
        if result.target.via == "address" and not (owner.running and result.address in owner.addresses):
            return _address_holder(services, owner, result.address)
    return ""


def _address_holder(services: Services, owner: ContainerFacts, address: str) -> str:
    for entry in services.engine.containers(running=True):
        with contextlib.suppress(NotFound):  # one that has gone meanwhile hides nobody else
            facts = services.engine.inspect(str(entry["id"]))
            if facts.id != owner.id and address in facts.addresses:
                return f"{services.name_of(facts.id)} has the address {address} now"
    return ""


def _port_holder(services: Services, result: ProbeResult) -> str:
    target = result.target
    key = PortKey(target.inner or target.port, "udp" if target.scheme == "udp" else "tcp")
    wish = Publish(key, result.address, str(target.port))
    return holder_of(services.engine, wish, same_host=services.same_host)


def _age(services: Services, owner: ContainerFacts | None) -> float | None:
    """By the engine's own clock, which may be another machine's."""
    if owner is None or not owner.running:
        return None
    with contextlib.suppress(DockconnError):
        return seconds_between(owner.started_at, services.engine.info().time)
    return None


def _holds(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except DockconnError:
        return False

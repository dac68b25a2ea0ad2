"""Looks up what a diagnosis needs. What can't be looked up stays unknown; it never fails."""

from __future__ import annotations

import contextlib

from ..errors import DockconnError
from ..logic import links
from ..model.evidence import Evidence, Listener
from ..model.facts import ContainerFacts, NetworkFacts
from ..model.probe import ProbeResult, Verdict
from ..model.spec import PortKey
from . import agents
from .containers import last_lines
from .services import Services


def gather(
    services: Services,
    source: tuple[str, ContainerFacts | None],
    owner: ContainerFacts | None,
    port: PortKey | None,
    result: ProbeResult,
    *,
    bound: bool,
) -> Evidence:
    """The evidence about one question."""
    name, asking = source
    return Evidence(
        source_name=name,
        source=asking,
        owner_name=services.name_of(owner.id) if owner else "",
        owner=owner,
        port=port,
        bound=bound,
        result=result,
        listeners=_listeners(services, owner),
        networks=_networks(services, [f for f in (asking, owner) if f]),
        hosts=_hosts(services, asking),
        answered_name=services.name_of(result.answered_by)
        if result.answered_by and result.verdict is Verdict.WRONG_SERVER
        else "",
        holder=_holder(services, owner, result),
        last_lines=_last_lines(services, owner),
        same_host=_same_host(services),
        default_network=services.default_network,
    )


def _listeners(services: Services, owner: ContainerFacts | None) -> tuple[Listener, ...] | None:
    if owner is None or not owner.running:
        return None
    try:
        rows = agents.look(services.agents.channel(owner.id), "listeners")["listeners"]
    except DockconnError:
        return None
    # docker's own resolver listens in every container of a user network
    return tuple(Listener(r["protocol"], r["local"], r["port"]) for r in rows if r["local"] != "127.0.0.11")


def _networks(services: Services, ends: list[ContainerFacts]) -> tuple[NetworkFacts, ...]:
    found = []
    for network in dict.fromkeys(e.network_id for facts in ends for e in facts.endpoints if e.network_id):
        with contextlib.suppress(DockconnError):
            found.append(services.engine.network(network))
    return tuple(found)


def _hosts(services: Services, source: ContainerFacts | None) -> dict[str, tuple[str, ...]] | None:
    if source is None or not source.running:
        return None
    try:
        return links.hosts(str(agents.look(services.agents.channel(source.id), "hosts")["hosts"]))
    except DockconnError:
        return None


def _holder(services: Services, owner: ContainerFacts | None, result: ProbeResult) -> str:
    """Who else has the address that was asked: a container that took it over."""
    if owner is None or not result.address:
        return ""
    if result.target.via != "address" or (owner.running and result.address in owner.addresses):
        return ""
    with contextlib.suppress(DockconnError):
        for entry in services.engine.containers(running=True):
            facts = services.engine.inspect(str(entry["id"]))
            if facts.id != owner.id and result.address in facts.addresses:
                return f"{services.name_of(facts.id)} has the address {result.address} now"
    return ""


def _last_lines(services: Services, owner: ContainerFacts | None) -> str:
    if owner is None or owner.status == "removed":
        return ""
    return last_lines(services.engine, owner.id, 5)


def _same_host(services: Services) -> bool:
    try:
        return services.same_host
    except DockconnError:
        return False

"""Networks: made with a subnet that is free, or refused in words that help."""

from __future__ import annotations

import secrets

from msgspec.structs import replace

from ..engine.port import Engine
from ..errors import DockconnError, EngineError
from ..logic.networks import check_overlap, free_ula, is_used_up, wants_subnet6
from ..model.facts import NetworkFacts
from ..model.spec import NetworkPlan


def create(engine: Engine, plan: NetworkPlan) -> NetworkFacts:
    """Make a network. Raises ``SpecError`` for a subnet that another has a part of; nothing is left behind."""
    if plan.subnets:
        check_overlap(plan.subnets, engine.networks())
    try:
        return engine.network(_created(engine, plan))
    except EngineError as error:
        if is_used_up(error.cause):
            raise _used_up(engine, plan, error) from error
        raise


def _created(engine: Engine, plan: NetworkPlan) -> str:
    """An engine before 27 can't choose an IPv6 subnet: it is asked, and where it says so, a free one is drawn."""
    try:
        return engine.create_network(plan)
    except EngineError as error:
        has_six = any(":" in subnet for subnet in plan.subnets)
        if not plan.ipv6 or has_six or not wants_subnet6(error.cause):
            raise
    draw = iter(lambda: secrets.randbits(40), None)
    return engine.create_network(replace(plan, subnets=(*plan.subnets, free_ula(engine.networks(), draw))))


def _used_up(engine: Engine, plan: NetworkPlan, error: EngineError) -> DockconnError:
    there = engine.networks()
    empty = sum(not network.containers for network in there)
    return DockconnError(
        f"network {plan.name}: the engine has no addresses left for another network",
        checked=f"it has {len(there)} networks, {empty} of them without a running container; it said: {error.cause}",
        remedy="remove those that nobody needs (`dockconn prune`, `docker network prune`), name a free subnet=, "
        "or give the daemon more default-address-pools",
    )

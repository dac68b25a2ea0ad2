"""Looks at one end of a question from inside. What can't be looked up stays unknown; it never fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..agent.namespace import ROWS
from ..errors import DockconnError
from ..model.evidence import End, Listener
from ..model.facts import ContainerFacts
from . import agents
from .agents import Channel
from .containers import last_lines
from .services import Services

#: Lines and characters of a container's output: so few that no message has to leave out the end of them.
LINES, CHARACTERS = 5, 1500
#: Where docker's own resolver listens, in every container of a user network.
RESOLVER = "127.0.0.11"


def look_at(services: Services, name: str, facts: ContainerFacts | None) -> End:
    """An end as it is now: a container, or the host (None)."""
    seen = _seen(services, facts)
    gone = facts is None or facts.status == "removed"
    output = "" if gone or facts is None else last_lines(services.engine, facts.id, LINES, CHARACTERS)
    if seen is None:
        return End(name=name, facts=facts, last_lines=output)
    return End(
        name=name,
        facts=facts,
        interfaces=tuple(_interface(one) for one in seen["interfaces"]),
        routes=tuple(seen["routes"]),
        listeners=_listeners(seen["listeners"]),
        hosts=str(seen["hosts"]),
        resolver=str(seen["resolv"]),
        last_lines=output,
    )


def _listeners(rows: Sequence[Mapping[str, Any]]) -> tuple[Listener, ...] | None:
    """None where there are more than are told: what is not among them may be there all the same."""
    if len(rows) > ROWS:
        return None
    return tuple(Listener(r["protocol"], r["local"], r["port"]) for r in rows if r["local"] != RESOLVER)


def _seen(services: Services, facts: ContainerFacts | None) -> Mapping[str, Any] | None:
    try:
        channel = _channel(services, facts)
        return agents.look(channel, "interfaces", "routes", "listeners", "hosts", "resolv") if channel else None
    except DockconnError:
        return None


def _channel(services: Services, facts: ContainerFacts | None) -> Channel | None:
    if facts is None:
        return services.host_channel()
    return services.agents.channel(facts.id) if facts.running else None


def _interface(one: Mapping[str, Any]) -> str:
    addresses = ", ".join(filter(None, [one.get("ipv4"), *one.get("ipv6", ())])) or "no address"
    return f"{one['name']}: {addresses}, {'up' if one.get('up') else 'down'}, mtu {one.get('mtu')}"

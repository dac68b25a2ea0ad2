"""Both ends of a failed question, as sections of the test's report."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.evidence import End
from ..model.facts import ContainerFacts
from ..text import block

#: Lines of one part; the host may have hundreds of sockets.
MOST = 40
#: Characters of one line.
LONGEST = 400


def sections(ends: Iterable[End]) -> list[tuple[str, str]]:
    """Title and text of each end."""
    return [(f"dockconn: {end.name}", _text(end)) for end in ends]


def _text(end: End) -> str:
    parts = [
        ("state", [_state(end.facts)] if end.facts else None),
        ("networks", _networks(end.facts) if end.facts else None),
        ("addresses", end.interfaces),
        ("routes", end.routes),
        ("listening sockets", sorted(map(str, end.listeners)) if end.listeners is not None else None),
        ("/etc/hosts", end.hosts.splitlines() if end.hosts is not None else None),
        ("/etc/resolv.conf", end.resolver.splitlines() if end.resolver is not None else None),
        ("last output", end.last_lines.splitlines() if end.last_lines else None),
    ]
    return "\n".join(line for title, lines in parts for line in _part(title, lines))


def _part(title: str, lines: Iterable[str] | None) -> list[str]:
    if lines is None:
        return []
    shown = [block(line.strip(), LONGEST) for line in lines if line.strip()]
    more = [f"  ... and {len(shown) - MOST} more"] if len(shown) > MOST else []
    return [f"{title}:", *(f"  {line}" for line in shown[:MOST] or ["nothing"]), *more]


def _state(facts: ContainerFacts) -> str:
    health = f", {facts.health}" if facts.health else ""
    code = f", exit code {facts.exit_code}" if facts.status in ("exited", "dead", "restarting") else ""
    return f"{facts.status}{health}{code}, {facts.name} ({facts.id[:12]}) of {facts.image}"


def _networks(facts: ContainerFacts) -> list[str]:
    lines = [
        f"{e.network}: {', '.join(filter(None, (e.ip, e.ip6))) or 'no address'}, gateway {e.gateway or 'none'}"
        + (f", aliases {', '.join(e.aliases)}" if e.aliases else "")
        for e in facts.endpoints
    ]
    bound = [f"{b.port} is bound to {b.address}:{b.host_port}" for b in facts.bindings]
    return [*lines, *bound] or [f"none (network mode {facts.network_mode})"]

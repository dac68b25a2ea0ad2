"""Evidence in words, as several causes need it."""

from __future__ import annotations

from ...model.evidence import Evidence
from ...model.facts import ContainerFacts


def hosts_line(e: Evidence) -> str:
    """What /etc/hosts of the source knows."""
    if e.hosts is None:
        return ""
    return f"/etc/hosts of {e.source_name} knows: {', '.join(sorted(e.hosts)) or 'nothing'}"


def networks_line(e: Evidence) -> str:
    """The networks of both ends."""
    parts = [f"{e.source_name} is on {nets(e.source)}" if e.source else f"{e.source_name} is no container"]
    if e.owner is not None:
        parts.append(f"{e.owner_name} is on {nets(e.owner)}")
    return "; ".join(parts)


def nets(facts: ContainerFacts) -> str:
    """The networks of a container, with its addresses."""
    return (
        ", ".join(f"{n.network} ({n.ip or n.ip6 or 'no address'})" for n in facts.endpoints)
        or f"none ({facts.network_mode})"
    )

"""The name leads nowhere, or elsewhere."""

from __future__ import annotations

from ...model.evidence import Evidence, Why
from ...model.probe import Verdict
from .words import hosts_line, networks_line


def stale(e: Evidence) -> Why | None:
    """The name is in /etc/hosts, and leads to an address that the owner does not have any more."""
    listed = (e.hosts or {}).get(e.result.target.host, ())
    if e.owner is None or not e.owner.addresses or not listed or set(listed) & set(e.owner.addresses):
        return None
    return Why(
        f"/etc/hosts of {e.source_name} is stale: it says {', '.join(listed)} for {e.result.target.host!r}, but "
        f"{e.owner_name} is at {', '.join(e.owner.addresses)}",
        (hosts_line(e), networks_line(e)),
        f"restart {e.source_name}, or use a link or a network's DNS in place of a fixed line (extra_hosts)",
        "stale-hosts",
    )


def name_unknown(e: Evidence) -> Why | None:
    """The name is not known to the source, or its resolver says nothing."""
    if not _unresolved(e):
        return None
    name = e.result.target.host
    if e.source is not None and e.source.endpoint(e.default_network) is not None and len(e.source.endpoints) == 1:
        return Why(
            f"the name {name!r} is not known to {e.source_name}: the default network has no DNS, and no link made that name",
            (f"{e.source_name} is on {e.default_network} only", hosts_line(e), e.result.detail),
            "link them (client(links=[server])), or put both on a network of your own",
            "no-dns",
        )
    where = _aliases(e, name)
    if where:
        return Why(
            f"the name {name!r} is not known to {e.source_name}: {e.owner_name} has it on network {where} only",
            (networks_line(e), e.result.detail),
            f"connect {e.source_name} to {where}, or give the alias on a network that both share",
            "alias-elsewhere",
        )
    if e.result.verdict is Verdict.TIMED_OUT:
        return _resolver_silent(e)
    return Why(
        f"the name {name!r} is not known to {e.source_name}",
        tuple(line for line in (hosts_line(e), networks_line(e), e.result.detail) if line),
        "correct the name, or give it as an alias or a link",
        "name-unknown",
    )


def _aliases(e: Evidence, name: str) -> str:
    if e.owner is None:
        return ""
    mine = {endpoint.network_id for endpoint in e.source.endpoints} if e.source else set()
    has = [p.network for p in e.owner.endpoints if p.network_id not in mine and name in (*p.aliases, e.owner.name)]
    return ", ".join(has)


def _unresolved(e: Evidence) -> bool:
    """Whether it ended at the name: the resolver said no, or nothing in time (it asks upstream for what it does not know)."""
    silent = e.result.verdict is Verdict.TIMED_OUT and "name resolution" in e.result.detail
    return silent or e.result.verdict is Verdict.NAME_NOT_FOUND


def _resolver_silent(e: Evidence) -> Why:
    return Why(
        f"the resolver of {e.source_name} did not answer for {e.result.target.host!r} in time",
        (e.result.detail,),
        "see its /etc/resolv.conf; the name may be unknown, and the upstream name server out of reach",
        "resolver",
    )

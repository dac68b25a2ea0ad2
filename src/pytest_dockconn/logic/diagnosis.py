"""Why did it not answer? A pure function from evidence to cause, evidence in words, and remedy.

Each rule knows one cause and returns None where it does not apply; the first that applies wins. The order is from what
explains everything (the owner does not run) to what is left when nothing else was found.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from ..model.evidence import Evidence, Why
from ..model.facts import ContainerFacts
from ..model.probe import Verdict
from .wiring import ANY4, ANY6, shared_networks

Rule = Callable[[Evidence], "Why | None"]


def diagnose(evidence: Evidence) -> Why:
    """The cause."""
    for rule in RULES:
        why = rule(evidence)
        if why is not None:
            return why
    return _unknown(evidence)


def _not_asked(e: Evidence) -> Why | None:
    if e.result.verdict is Verdict.INCONCLUSIVE and "could not be made" in e.result.detail:
        return Why(
            "the probe could not be made", (e.result.detail,), "mend the source first: see the evidence", "not-asked"
        )
    return None


def _not_running(e: Evidence) -> Why | None:
    if e.owner is None or e.owner.running:
        return None
    return _STATES.get(e.owner.status, _ended)(e, e.owner)


def _ended(e: Evidence, owner: ContainerFacts) -> Why:
    code = " (out of memory)" if owner.oom_killed else ""
    error = f": {owner.error}" if owner.error else ""
    return Why(
        f"{e.owner_name} is not running: it {owner.status} with exit code {owner.exit_code}{code}{error}",
        (f"state {owner.status}", *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        f"start it ({e.owner_name}.start()), or see in its output why it ended",
        "not-running",
    )


def _created(e: Evidence, owner: ContainerFacts) -> Why:
    said = (f"state {owner.status}", *((f"the engine said: {owner.error}",) if owner.error else ()))
    return Why(f"{e.owner_name} was created but never started", said, "start it", "not-running")


def _paused(e: Evidence, owner: ContainerFacts) -> Why:
    return Why(
        f"{e.owner_name} is paused: its kernel takes connections, but its processes are frozen",
        (f"state {owner.status}",),
        f"docker unpause {owner.name}",
        "paused",
    )


def _restarting(e: Evidence, owner: ContainerFacts) -> Why:
    return Why(
        f"{e.owner_name} is restarting: it ended with exit code {owner.exit_code}, {owner.restart_count} times so far",
        (f"state {owner.status}", *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see in its output why it ends",
        "restarting",
    )


def _removed(e: Evidence, owner: ContainerFacts) -> Why:
    where = ", ".join(owner.addresses) or "unknown"
    return Why(f"{e.owner_name} was removed", (f"its last address: {where}",), "make it again", "removed")


_STATES: dict[str, Callable[[Evidence, ContainerFacts], Why]] = {
    "created": _created,
    "paused": _paused,
    "restarting": _restarting,
    "removed": _removed,
}


def _wrong_server(e: Evidence) -> Why | None:
    if e.result.verdict is not Verdict.WRONG_SERVER:
        return None
    who = e.answered_name or e.holder or "a server that does not say who it is"
    how = f"http://{e.result.target.host}" if e.result.target.via == "name" else e.result.address
    shows = [f"asked {e.result.target}, which led to {e.result.address or 'no address'}"]
    if e.owner is not None:
        shows.append(f"{e.owner_name} is {e.owner.status}, at {', '.join(e.owner.addresses) or 'no address'}")
    shows += [line for line in (e.holder, e.result.detail) if line]
    stale = _stale_line(e)
    if stale:
        shows.append(stale)
    return Why(
        f"the wrong server: {who} answered at {how}, not {e.owner_name}",
        tuple(shows),
        "see who has the address or the port now",
        "wrong-server",
    )


def _stale_line(e: Evidence) -> str:
    listed = (e.hosts or {}).get(e.result.target.host, ())
    if e.owner is None or not listed or set(listed) & set(e.owner.addresses):
        return ""
    return f"/etc/hosts of {e.source_name} says {', '.join(listed)} for {e.result.target.host}: it is stale"


def _name_unknown(e: Evidence) -> Why | None:
    if not _unresolved(e):
        return None
    name = e.result.target.host
    if e.source is not None and e.source.endpoint(e.default_network) is not None and len(e.source.endpoints) == 1:
        return Why(
            f"the name {name!r} is not known to {e.source_name}: the default network has no DNS, and no link made that name",
            (f"{e.source_name} is on {e.default_network} only", _hosts_line(e), e.result.detail),
            "link them (client(links=[server])), or put both on a network of your own",
            "no-dns",
        )
    where = _aliases(e, name)
    if where:
        return Why(
            f"the name {name!r} is not known to {e.source_name}: {e.owner_name} has it on network {where} only",
            (_networks_line(e), e.result.detail),
            f"connect {e.source_name} to {where}, or give the alias on a network that both share",
            "alias-elsewhere",
        )
    if e.result.verdict is Verdict.TIMED_OUT:
        return _resolver_silent(e)
    return Why(
        f"the name {name!r} is not known to {e.source_name}",
        tuple(line for line in (_hosts_line(e), _networks_line(e), e.result.detail) if line),
        "correct the name, or give it as an alias or a link",
        "name-unknown",
    )


def _aliases(e: Evidence, name: str) -> str:
    if e.owner is None:
        return ""
    mine = {endpoint.network_id for endpoint in e.source.endpoints} if e.source else set()
    has = [p.network for p in e.owner.endpoints if p.network_id not in mine and name in (*p.aliases, e.owner.name)]
    return ", ".join(has)


def _hosts_line(e: Evidence) -> str:
    if e.hosts is None:
        return ""
    return f"/etc/hosts of {e.source_name} knows: {', '.join(sorted(e.hosts)) or 'nothing'}"


def _networks_line(e: Evidence) -> str:
    parts = [f"{e.source_name} is on {_nets(e.source)}" if e.source else f"{e.source_name} is no container"]
    if e.owner is not None:
        parts.append(f"{e.owner_name} is on {_nets(e.owner)}")
    return "; ".join(parts)


def _nets(facts: ContainerFacts) -> str:
    return (
        ", ".join(f"{n.network} ({n.ip or n.ip6 or 'no address'})" for n in facts.endpoints)
        or f"none ({facts.network_mode})"
    )


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


def _not_listening(e: Evidence) -> Why | None:
    if e.listeners is None or e.port is None:
        return None
    here = [one for one in e.listeners if one.protocol == e.port.protocol and one.port == e.port.number]
    if here:
        return None
    others = ", ".join(sorted({str(one) for one in e.listeners})) or "nothing at all"
    return Why(
        f"nothing listens on {e.port} in {e.owner_name}",
        (f"what listens there: {others}",),
        f"expose the port that it listens on, or have it listen on {e.port.number}",
        "not-listening",
    )


def _loopback_only(e: Evidence) -> Why | None:
    if e.listeners is None or e.port is None:
        return None
    here = {one.address for one in e.listeners if one.protocol == e.port.protocol and one.port == e.port.number}
    if here and all(_is_loopback(address) for address in here):
        return Why(
            f"{e.owner_name} listens on {', '.join(sorted(here))} only, so nobody outside of it can connect",
            (f"sockets on {e.port}: {', '.join(sorted(here))}",),
            "have it listen on 0.0.0.0 (and ::)",
            "loopback-only",
        )
    return None


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _one_family(e: Evidence) -> Why | None:
    if e.listeners is None or e.port is None or e.bound or not e.result.address:
        return None
    here = {one.address for one in e.listeners if one.protocol == e.port.protocol and one.port == e.port.number}
    asked_six = ":" in e.result.address
    # a socket on :: takes IPv4 too unless it was told not to, which /proc does not show
    if here and asked_six and all(":" not in address for address in here):
        return _family(e, here, "IPv4", "IPv6")
    if here and not asked_six and all(":" in a and a != ANY6 for a in here):
        return _family(e, here, "IPv6", "IPv4")
    return None


def _family(e: Evidence, here: set[str], has: str, asked: str) -> Why:
    return Why(
        f"{e.owner_name} listens on {has} only, and was asked by {asked} ({e.result.address})",
        (f"sockets on {e.port}: {', '.join(sorted(here))}",),
        f"have it listen on {asked} too, or ask by its {has} address",
        "one-family",
    )


def _other_binding(e: Evidence) -> Why | None:
    if not e.bound or e.owner is None or e.port is None:
        return None
    addresses = {b.address for b in e.owner.bindings if b.port == e.port}
    if not addresses or addresses & {ANY4, ANY6, e.result.target.host}:
        return None
    return Why(
        f"port {e.port} of {e.owner_name} is bound to {', '.join(sorted(addresses))} of the host, and was asked by {e.result.target.host}",
        (f"bindings: {', '.join(f'{b.address}:{b.host_port}' for b in e.owner.bindings if b.port == e.port)}",),
        f'bind it to every address: bind={{{e.port.number}: ("0.0.0.0", None)}}; or ask the container\'s own address',
        "other-address",
    )


def _far_host(e: Evidence) -> Why | None:
    if e.source is None and not e.bound and e.owner is not None and not e.same_host:
        return Why(
            "container addresses can't be reached from here: the engine runs on another host, in a virtual machine or rootless",
            ("no bridge of the engine is an interface of this machine",),
            f"bind the port (bind={{{e.port.number if e.port else 80}: None}}) and ask bound_port(), or ask from a client",
            "far-host",
        )
    return None


def _no_shared_network(e: Evidence) -> Why | None:
    if e.source is None or e.owner is None or e.bound or e.source.id == e.owner.id:
        return None
    if "host" in (e.source.network_mode, e.owner.network_mode) or shared_networks(e.source, e.owner):
        return None
    return Why(
        f"{e.source_name} and {e.owner_name} share no network",
        (_networks_line(e),),
        f"put both on one: networks=[...] at creation, or network.connect({e.source_name})",
        "no-shared-network",
    )


def _icc_off(e: Evidence) -> Why | None:
    if e.source is None or e.owner is None or e.bound:
        return None
    shared = set(shared_networks(e.source, e.owner))
    off = [n.name for n in e.networks if n.name in shared and not n.icc]
    if off and len(off) == len(shared):
        return Why(
            f"network {', '.join(off)} has inter-container communication (icc) off, and no link opens {e.port}",
            (
                f"enable_icc=false on {', '.join(off)}",
                f"links of {e.source_name}: {', '.join(a for _, a in e.source.links) or 'none'}",
            ),
            "link the two (a link opens the exposed ports), or make the network with icc=True",
            "icc-off",
        )
    return None


def _internal(e: Evidence) -> Why | None:
    if e.source is None or (e.owner is not None and shared_networks(e.source, e.owner)):
        return None
    mine = [n for n in e.networks if e.source.endpoint(n.id)]
    if mine and all(n.internal for n in mine):
        names = ", ".join(n.name for n in mine)
        return Why(
            f"{e.source_name} is on an internal network only ({names}), which has no way out",
            (_networks_line(e),),
            "connect it to a network that is not internal",
            "internal",
        )
    return None


def _accepts_in_silence(e: Evidence) -> Why | None:
    if e.result.verdict is not Verdict.TIMED_OUT or not (
        "accepted" in e.result.detail or "accept queue" in e.result.detail
    ):
        return None
    who = e.owner_name or "the destination"
    return Why(
        f"{who} takes connections but does not answer",
        (e.result.detail, *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see whether it is overloaded or stuck, or speaks another protocol; a longer timeout= may do",
        "silent",
    )


def _closes(e: Evidence) -> Why | None:
    if e.result.verdict is not Verdict.RESET:
        return None
    return Why(
        f"{e.owner_name or 'the destination'} takes connections and closes them without an answer",
        (e.result.detail, *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see its output; it may want TLS, or refuse this client; behind a bound port it may be that nothing listens",
        "closes",
    )


def _other_protocol(e: Evidence) -> Why | None:
    if e.result.verdict is Verdict.INCONCLUSIVE:
        return Why(
            "the answer can't be read as what was asked for",
            (e.result.detail,),
            "ask by another scheme: tcp:// or https://",
            "unreadable",
        )
    return None


def _address_taken(e: Evidence) -> Why | None:
    if e.holder:
        return Why(f"{e.holder}", (_networks_line(e),), "ask the owner's present address", "address-taken")
    return None


def _unknown(e: Evidence) -> Why:
    shows = [e.result.detail] if e.result.detail else []
    if e.owner is not None:
        shows.append(_networks_line(e))
    if e.listeners is not None and e.port is not None:
        shows.append(f"{e.owner_name} listens on {e.port}, and answers inside of its own network")
    what = (
        "packets are dropped on the way, as by a firewall"
        if e.result.verdict is Verdict.TIMED_OUT and e.owner
        else "no cause was found"
    )
    return Why(
        what, tuple(shows), "see the rules of the engine's host (`iptables -L DOCKER-USER -v`) and of both containers"
    )


RULES: tuple[Rule, ...] = (
    _not_asked,
    _wrong_server,
    _not_running,
    _name_unknown,
    _not_listening,
    _loopback_only,
    _one_family,
    _other_binding,
    _far_host,
    _no_shared_network,
    _icc_off,
    _internal,
    _accepts_in_silence,
    _closes,
    _other_protocol,
    _address_taken,
)

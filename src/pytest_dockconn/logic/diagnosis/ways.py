"""The way to the owner is closed."""

from __future__ import annotations

from ...model.evidence import Evidence, Why
from ...model.probe import Verdict
from ..wiring import ANY4, ANY6, is_loopback, shared_networks
from .words import networks_line


def other_address(e: Evidence) -> Why | None:
    """An address was asked that is not the owner's."""
    host = e.result.target.host
    if e.owner is None or e.bound or e.result.target.via != "address" or e.owner.network_mode == "host":
        return None
    if not host or host in e.owner.addresses:
        return None
    return Why(
        f"{host} is not an address of {e.owner_name}, which is at {', '.join(e.owner.addresses) or 'none'}"
        + (f"; {e.holder}" if e.holder else ""),
        (networks_line(e),),
        "ask the owner's present address: port(n) follows it, and on(network) picks one",
        "not-its-address",
    )


def other_binding(e: Evidence) -> Why | None:
    """It is bound to another address of the host."""
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


def not_published(e: Evidence) -> Why | None:
    """The host was asked for a port that containers expose, but that nobody published."""
    if not e.unpublished or e.result.verdict not in (Verdict.REFUSED, Verdict.TIMED_OUT):
        return None
    who, number = ", ".join(e.unpublished), e.result.target.port
    return Why(
        f"port {number} is exposed by {who}, but not published, and the host was asked ({e.result.target.host})",
        (
            f"exposed only: {who}",
            "an exposed port is reached by the container's own address; on the host only published ones are",
        ),
        f"publish it: bind={{{number}: None}} and ask bound_port({number}); or ask port({number}), which goes by the container's address",
        "not-published",
    )


def far_host(e: Evidence) -> Why | None:
    """The host asks a container address of an engine that is elsewhere."""
    if e.source is None and not e.bound and e.owner is not None and not e.same_host:
        return Why(
            "container addresses can't be reached from here: the engine runs on another host, in a virtual machine or rootless",
            ("no bridge of the engine is an interface of this machine",),
            f"{_open(e)}; or ask from a client. Docker Desktop and rootless engines pass their 127.0.0.1 on, so there bind={{{_number(e)}: None}} does it",
            "far-host",
        )
    return None


def far_loopback(e: Evidence) -> Why | None:
    """The host asks its own loopback for what is bound on an engine's that is elsewhere."""
    host = e.result.target.host
    of_host = e.bound or (e.owner is not None and e.owner.network_mode == "host")
    if e.source is None and of_host and not e.has_loopback and is_loopback(host):
        return Why(
            f"{host} was asked of this machine, and the engine, whose {host} is meant, may be on another one",
            ("no bridge of the engine is an interface of this machine",),
            f"{_open(e)}; or ask from a client",
            "far-loopback",
        )
    return None


def _number(e: Evidence) -> int:
    return e.port.number if e.port else 80


def _open(e: Evidence) -> str:
    number = _number(e)
    return f'bind it to every address of the engine\'s host (bind={{{number}: ("0.0.0.0", None)}}) and ask bound_port({number})'


def no_shared_network(e: Evidence) -> Why | None:
    """Source and owner share no network."""
    if e.source is None or e.owner is None or e.bound or e.source.id == e.owner.id:
        return None
    if "host" in (e.source.network_mode, e.owner.network_mode) or shared_networks(e.source, e.owner):
        return None
    return Why(
        f"{e.source_name} and {e.owner_name} share no network",
        (networks_line(e),),
        f"put both on one: networks=[...] at creation, or network.connect({e.source_name})",
        "no-shared-network",
    )


def icc_off(e: Evidence) -> Why | None:
    """The network that they share forbids it."""
    if e.source is None or e.owner is None or e.bound:
        return None
    shared = set(shared_networks(e.source, e.owner))
    off = [n.name for n in e.networks if n.name in shared and not n.icc]
    if off and len(off) == len(shared):
        return Why(
            f"network {', '.join(off)} has inter-container communication (icc) off, and no link opens {e.port or 'it'}",
            (
                f"enable_icc=false on {', '.join(off)}",
                f"links of {e.source_name}: {', '.join(a for _, a in e.source.links) or 'none'}",
            ),
            "link the two (a link opens the exposed ports), or make the network with icc=True",
            "icc-off",
        )
    return None


def internal(e: Evidence) -> Why | None:
    """The source has no way out."""
    if e.source is None or (e.owner is not None and shared_networks(e.source, e.owner)):
        return None
    mine = [n for n in e.networks if e.source.endpoint(n.id)]
    if mine and all(n.internal for n in mine):
        names = ", ".join(n.name for n in mine)
        return Why(
            f"{e.source_name} is on an internal network only ({names}), which has no way out",
            (networks_line(e),),
            "connect it to a network that is not internal",
            "internal",
        )
    return None


def partitioned(e: Evidence) -> Why | None:
    """The test itself has cut them off from each other."""
    cut = (Verdict.TIMED_OUT, Verdict.REFUSED, Verdict.RESET, Verdict.NO_ROUTE)
    if not e.partition or e.result.verdict not in cut:
        return None
    return Why(
        f"the test cut them off from each other: {e.partition} is in force",
        (networks_line(e),),
        "ask after the end of the `with` block, or expect it to be unreachable",
        "partition",
    )


def firewall(e: Evidence) -> Why | None:
    """Everything else is as it should be, and still nothing gets through."""
    if e.drops:
        what = "rejects" if e.result.verdict is Verdict.REFUSED else "drops"
        return Why(
            f"a firewall rule of {e.drops[0].place} {what} it: {e.drops[0].rule}",
            (*map(str, e.drops), *_sound(e)),
            "take the rule away, or let this connection through before it",
            "firewall",
        )
    suspect = e.result.verdict in (Verdict.TIMED_OUT, Verdict.NO_ROUTE, Verdict.REFUSED)
    if not suspect or not e.answers_inside:
        return None
    return Why(
        "packets are dropped on the way, as by a firewall"
        if e.result.verdict is not Verdict.REFUSED
        else "it is refused on the way, as by a firewall that rejects",
        (*_sound(e), e.unread or "no rule of iptables counted it; nftables rules without a counter show nothing"),
        "see the rules of the engine's host (`iptables -L DOCKER-USER -v`, `nft list ruleset`) and of both containers",
        "firewall-suspected",
    )


def _sound(e: Evidence) -> tuple[str, ...]:
    inside = f"{e.owner_name} answers{f' on {e.port}' if e.port else ''} when it is asked from inside its own network"
    return (*((inside,) if e.answers_inside else ()), networks_line(e))

"""Which address a source asks for a port of an owner. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from msgspec import Struct

from ..model.facts import Binding, ContainerFacts, Endpoint
from ..model.probe import Target
from ..model.spec import PortKey
from .given import ip

ANY4 = "0.0.0.0"
ANY6 = "::"
LOOPBACK = ("127.0.0.1", "::1")


class Where(Struct, frozen=True):
    """What a ``Port`` narrows: one network, one address, or a name in place of the address. Empty: nothing."""

    network: str = ""
    address: str = ""
    name: str = ""


def is_loopback(address: str) -> bool:
    """Whether an address is one of loopback; a name is none."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def scheme(port: PortKey, *, speaks: bool) -> str:
    """How a port is asked: servers of ours answer HTTP, of others only a connection is known to make sense."""
    if port.protocol == "tcp":
        return "http" if speaks else "tcp"
    return port.protocol


def own_addresses(owner: ContainerFacts, where: Where, source: ContainerFacts | None) -> list[str]:
    """The owner's addresses: networks shared with the source first, IPv4 before IPv6."""
    if where.address:
        return [where.address]
    if owner.network_mode == "host":
        return [address for address in (_of_host(source),) if address]
    chosen = [e for e in owner.endpoints if where.network in ("", e.network, e.network_id)]
    shared = {e.network_id for e in source.endpoints} if source else set()
    chosen.sort(key=lambda e: e.network_id not in shared)
    return [e.ip for e in chosen if e.ip] + [e.ip6 for e in chosen if e.ip6]


def _of_host(source: ContainerFacts | None) -> str:
    """The engine's host as a source sees it."""
    return _gateway(source.endpoints) if source and source.network_mode != "host" else LOOPBACK[0]


def _gateway(endpoints: Sequence[Endpoint], *, six: bool = False) -> str:
    """Of several by the networks' names, as docker chooses the way out, whichever network the source was created on."""
    return next((g for e in sorted(endpoints, key=lambda e: e.place) if (g := e.gateway6 if six else e.gateway)), "")


def port_targets(
    owner: ContainerFacts, port: PortKey, where: Where, source: ContainerFacts | None, *, speaks: bool, far: str = ""
) -> list[Target]:
    """Every way to ask for a container's own port; ``far`` is the engine's host, where the one who asks is on another machine."""
    kind = scheme(port, speaks=speaks)
    name = where.name or (far if owner.network_mode == "host" and not where.address else "")
    if name:
        via = "address" if ip(name) and not where.name else "name"
        return [Target(kind, name, port.number, owner=owner.id, via=via, inner=port.number)]
    addresses = own_addresses(owner, where, source)
    return [Target(kind, a, port.number, owner=owner.id, via="address", inner=port.number) for a in addresses]


def bound_targets(
    owner: ContainerFacts,
    bindings: Iterable[Binding],
    port: PortKey,
    where: Where,
    source: ContainerFacts | None,
    *,
    speaks: bool,
    far: str = "",
) -> list[Target]:
    """Every way to ask for a bound port; ``far`` is the engine's host, where the one who asks is on another machine."""
    kind = scheme(port, speaks=speaks)
    found: list[Target] = []
    # the one that is bound to just that address before those that have it too, being bound to every one
    for binding in sorted(bindings, key=lambda b: b.address != where.address):
        anywhere = binding.address in (ANY4, ANY6) and where.address in ("", binding.address) and not where.name
        host = _of_family(far, binding) if far and anywhere else _bound_address(binding, where, source)
        named = bool(where.name or (far and anywhere)) or where.address not in ("", binding.address)
        target = Target(kind, host, binding.host_port, owner=owner.id, via="bound port", inner=port.number, named=named)
        if host and target not in found:
            found.append(target)
    return sorted(found, key=lambda t: ":" in t.host)


def _of_family(far: str, binding: Binding) -> str:
    """The far host, unless it is named by an address of the other family."""
    return "" if ip(far) and (":" in far) != (binding.address == ANY6) else far


def _bound_address(binding: Binding, where: Where, source: ContainerFacts | None) -> str:
    """The address to ask a binding by; empty where the narrowing leaves it out or the source has no way to say it."""
    if where.address and where.address != binding.address:
        any_of = ANY6 if ":" in where.address else ANY4
        return where.address if binding.address == any_of else ""
    if where.name:
        return where.name
    asked_from_host = source is None or source.network_mode == "host"
    if binding.address in (ANY4, ANY6):
        if asked_from_host:
            return LOOPBACK[binding.address == ANY6]
        return _gateway(source.endpoints, six=binding.address == ANY6)  # type: ignore[union-attr]
    if is_loopback(binding.address) and not asked_from_host and not where.address:
        # 127.0.0.1 in a container is the container: the host's is asked where the container sees the host
        return _gateway(source.endpoints, six=":" in binding.address)  # type: ignore[union-attr]
    return binding.address


def shared_networks(one: ContainerFacts, other: ContainerFacts) -> list[str]:
    """Names of the networks that both are on."""
    ids = {e.network_id for e in other.endpoints}
    return [e.network for e in one.endpoints if e.network_id in ids]

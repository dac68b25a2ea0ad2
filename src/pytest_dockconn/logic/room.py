"""What an earlier run keeps stands in the way of this one: by a name, an address, a host port, a subnet. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from ..model.facts import ContainerFacts, Endpoint, NetworkFacts
from ..model.probe import Target
from ..model.spec import Attachment, NetworkPlan, Publish

#: As the address of a host port: any.
ANY = ("", "0.0.0.0", "::")
#: A place on the host as a container's listing shows it: address, number, protocol.
HostPort = tuple[str, int, str]

#: Options of a network that the engine gives to one network only: the interface on the host.
INTERFACE = ("com.docker.network.bridge.name", "parent")


def names(facts: ContainerFacts, endpoint: Endpoint) -> set[str]:
    """What docker's DNS knows a container by on a network, in lower case: it does not tell them apart (seen on 20.10)."""
    known = (*endpoint.aliases, facts.name, facts.id[:12], facts.hostname)
    return {name.lower() for name in known if name}


def taken(facts: ContainerFacts, wanted: Attachment, hostname: str = "") -> str:
    """What of a container somebody else wants on a network: a name, or an address; empty if nothing."""
    there = facts.endpoint(wanted.network)
    if there is None:
        return ""
    both = names(facts, there) & {name.lower() for name in (*wanted.aliases, hostname)}
    if both:
        return f"it had the name {min(both)}"
    return f"it had {wanted.ip}" if wanted.ip and wanted.ip in (there.ip, there.ip6) else ""


def called(facts: ContainerFacts, source: Endpoint, words: Iterable[str]) -> str:
    """The word among these by which a container is found from a place on a network; empty if none is."""
    there = facts.endpoint(source.network)
    known = names(facts, there) if there is not None else set()
    return next((word for word in words if _behind(word, source) & known), "")


def _behind(word: str, source: Endpoint) -> set[str]:
    """The names that docker's DNS looks for: without the network's name after it, and for a link's alias its source's."""
    bare = word.rstrip(".").lower()
    bare = bare.removesuffix(f".{source.network.lower()}")
    return {bare, *(name.lower() for name, alias in source.links if alias.lower() == bare)}


def words(argv: Iterable[str]) -> list[str]:
    """What in a command could be a host's name."""
    return list(dict.fromkeys(re.findall(r"[\w.-]+", " ".join(argv))))


def is_open(target: Target) -> bool:
    """Whether anybody may answer it: it goes by a name, or to an address that is not looked up with its owner."""
    return not (target.owner and target.via in ("address", "bound port"))


def answers(addresses: Iterable[str], ports: Iterable[HostPort], target: Target) -> str:
    """By what a container is found from everywhere: an address of its own, or a host port; empty if by nothing."""
    if target.host in addresses:
        return target.host
    protocol = "udp" if target.scheme in ("udp", "dns") else "tcp"
    for address, number, kind in ports:
        if number and (number, kind) == (target.port, protocol) and _may_be(target.host, address):
            return _port(number, kind)
    return ""


def _may_be(host: str, address: str) -> bool:
    """Whether a host, which may be a name, could be that address of the engine's host."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return address in ANY or host == address


def _port(number: int, kind: str) -> str:
    return f"port {number}/{kind} of the host"


def overlap(one: str, other: str) -> bool:
    """Whether two addresses of the host may be the same."""
    return one == other or one in ANY or other in ANY


def port_held(ports: Iterable[HostPort], wishes: Sequence[Publish]) -> str:
    """The host port of somebody's that is among what is wished for; empty if none is. Of a range each."""
    for address, number, kind in ports:
        for wish in wishes:
            if number and number in _range(wish.host) and kind == wish.port.protocol and overlap(address, wish.address):
                return f"it had {_port(number, kind)}"
    return ""


def _range(host: str) -> range:
    first, _, last = host.partition("-")
    return range(int(first), int(last or first) + 1) if first.isdigit() else range(0)


def crossed(plan: NetworkPlan, there: NetworkFacts) -> str:
    """What a network has that another one wants for itself: a part of a subnet, an interface; empty if nothing."""
    for subnet in there.subnets:
        if any(_cross(subnet, wished) for wished in plan.subnets):
            return f"it had {subnet}"
    both = [name for name in INTERFACE if name in plan.options and plan.options[name] == there.options.get(name)]
    return f"it had the interface {plan.options[both[0]]}" if both else ""


def _cross(one: str, other: str) -> bool:
    a, b = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return a.version == b.version and a.overlaps(b)

"""What ``network()`` was asked for, as a plan. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from .. import labels
from ..errors import SpecError
from ..model.facts import NetworkFacts
from ..model.spec import NetworkPlan
from ..text import one_line
from .given import flag, ip, kind, shown, text, written

ICC = "com.docker.network.bridge.enable_icc"


def planned(
    name: str,
    labels: Mapping[str, str],
    *,
    internal: bool,
    ipv6: bool,
    subnet: str | None,
    icc: bool,
    driver: str,
    options: Mapping[str, str] | None,
) -> NetworkPlan:
    """The plan. Raises ``SpecError`` for a subnet that is none, and for what is not of the type that it is said to be."""
    for what, value in (("internal", internal), ("ipv6", ipv6), ("icc", icc)):
        flag(value, what)
    text(driver, "driver", 'write driver="bridge"')
    wanted = _options(options)
    if not icc:
        wanted[ICC] = "false"
    return NetworkPlan(
        name=name,
        labels=labels,
        driver=driver,
        internal=internal,
        ipv6=ipv6,
        subnets=(_subnet(subnet),) if subnet is not None else (),
        options=wanted,
        attachable=driver == "overlay",
    )


def _options(options: object) -> dict[str, str]:
    remedy = 'write options={"com.docker.network.driver.mtu": "1400"}'
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise SpecError(
            f"options={shown(options)}: a mapping of name to value is wanted", checked=kind(options), remedy=remedy
        )
    for name, value in options.items():
        if not isinstance(name, str) or not name or isinstance(value, float) or written(value) is None:
            raise SpecError(
                f"options: {shown(name)}: {shown(value)} is not a name and its value",
                checked=kind(value),
                remedy=remedy,
            )
    # as the engine reads them: Go's "true", not Python's "True"
    return {name: str(v).lower() if isinstance(v, bool) else str(v) for name, v in options.items()}


def _subnet(wanted: object) -> str:
    why = "a str is wanted"
    if isinstance(wanted, str):
        address, _, prefix = wanted.partition("/")
        # Python takes an address without a prefix too, and anything behind a %
        why = "" if prefix and ip(address) else "it is no address with the length of a prefix"
    try:
        if not why:
            return str(ipaddress.ip_network(str(wanted)))
    except ValueError as error:
        why = one_line(str(error))
    raise SpecError(
        f"subnet={shown(wanted)}: {why}",
        checked="an address and the length of a prefix are taken",
        remedy='write a network such as "192.0.2.0/24"',
    )


def check_overlap(subnets: Iterable[str], there: Iterable[NetworkFacts]) -> None:
    """Raises ``SpecError`` for a wished-for subnet of which another network has a part; the engine would not name it."""
    for wished in map(ipaddress.ip_network, subnets):
        for network in there:
            taken = next((s for s in network.subnets if _overlap(wished, _theirs(s))), None)
            if taken is not None:
                kept = network.labels.get(labels.REUSE)  # of an earlier run with --dockconn-reuse
                raise SpecError(
                    f"subnet={str(wished)!r} overlaps with network {network.name!r}, which has {taken}",
                    checked="the subnets of the engine's networks",
                    remedy=("it is kept for a later run: `dockconn prune` removes it, or " if kept else "")
                    + "choose another subnet, or leave it out: then the engine chooses a free one",
                )


def _theirs(subnet: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Of a network that somebody made: docker before 25 took one with host bits, 172.28.0.1/16."""
    return ipaddress.ip_network(subnet, strict=False)


def _overlap(
    one: ipaddress.IPv4Network | ipaddress.IPv6Network, other: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    return one.version == other.version and one.overlaps(other)


def free_ula(there: Iterable[NetworkFacts], draw: Iterable[int]) -> str:
    """A unique local IPv6 subnet (RFC 4193) that no network has; ``draw`` gives numbers of 40 bits, at random."""
    taken = [_theirs(s) for n in there for s in n.subnets if ":" in s]
    for number in draw:
        subnet = ipaddress.IPv6Network(((0xFD << 120) | (number << 80), 64))
        if not any(_overlap(subnet, other) for other in taken):
            return str(subnet)
    raise AssertionError("there are 2**40 of them")


#: The engine's words for "there is no pool of addresses left": up to 26, and from 27 on.
_USED_UP = ("non-overlapping ipv4 address pool", "all predefined address pools have been fully subnetted")
#: And for "IPv6 was asked for without a subnet": an engine before 27 has no pool for it.
_NO_POOL6 = ("ipv6 address pool", "could not find an available, non-overlapping ipv6", "no ipv6")


def is_used_up(words: str) -> bool:
    """Whether the engine says that it has no addresses left for another network."""
    return any(phrase in words.lower() for phrase in _USED_UP)


def wants_subnet6(words: str) -> bool:
    """Whether the engine says that it can't choose an IPv6 subnet itself."""
    return any(phrase in words.lower() for phrase in _NO_POOL6)


def no_address(words: str) -> bool:
    """Whether the engine says that a network has no address left for another container."""
    return "no available ip" in words.lower()


def is_held(words: str) -> bool:
    """Whether the engine says that somebody has a static address; podman's words are the second."""
    return "address already in use" in words.lower() or "is already allocated" in words.lower()

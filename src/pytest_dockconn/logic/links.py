"""What a link promises: the variables of moby's ``daemon/links/links.go``, and the line in /etc/hosts; of a network, that it is there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from ..model.facts import ContainerFacts
from ..model.spec import PortKey
from ..text import HIDDEN
from .called import names_of

#: Variables of the source that a link does not copy.
NOT_COPIED = ("HOME", "PATH")


class Link(Struct, frozen=True):
    """One legacy link, as the recipient sees it at its start.

    Attributes:
        recipient: the engine's name of the container that links.
        alias: the name by which it sees the source.
        ip: the source's IPv4 address.
        ports: the source's exposed ports.
        env: the source's own variables.
        tcp_first: since 28.0 ``_PORT`` is the lowest TCP port; before, the lowest number of any protocol.
    """

    recipient: str
    alias: str
    ip: str
    ports: tuple[PortKey, ...]
    env: Mapping[str, str]
    tcp_first: bool


def prefix(alias: str) -> str:
    """``docker-1`` as ``DOCKER_1``."""
    return alias.upper().replace("-", "_")


def variables(link: Link) -> dict[str, str]:
    """Every variable that the engine sets in the recipient."""
    p = prefix(link.alias)
    ports = in_order(link.ports, tcp_first=link.tcp_first)
    found: dict[str, str] = {f"{p}_NAME": f"/{link.recipient}/{link.alias}"}
    if ports:
        found[f"{p}_PORT"] = _url(link.ip, ports[0])
    for first, last in runs(ports, tcp_first=link.tcp_first):
        found |= _run(p, link.ip, first, last)
    for port in ports:
        found |= _port(p, link.ip, port)
    return found | {f"{p}_ENV_{name}": value for name, value in link.env.items() if name not in NOT_COPIED}


def in_order(ports: Sequence[PortKey], *, tcp_first: bool) -> list[PortKey]:
    """The order that decides which port is "the" port of a link."""
    if tcp_first:
        return sorted(ports, key=lambda port: (port.protocol != "tcp", port.protocol, port.number))
    return sorted(ports, key=lambda port: (port.number, port.protocol != "tcp"))


def runs(ports: Sequence[PortKey], *, tcp_first: bool) -> list[tuple[PortKey, PortKey]]:
    """First and last of each run of consecutive ports.

    Since 28.0 (moby#49300) two or more of one protocol; before, three or more of any, as ``nextContiguous`` found them.
    """
    if tcp_first:
        return _same_protocol(ports)
    found, at = [], 0
    while at < len(ports):
        end = _end_of_run(ports, at)
        if end > at + 1:
            found.append((ports[at], ports[end]))
            at = end + 1
        else:
            at += 1
    return found


def _same_protocol(ports: Sequence[PortKey]) -> list[tuple[PortKey, PortKey]]:
    found: list[tuple[PortKey, PortKey]] = []
    for port in ports:
        if found and (port.protocol, port.number) == (found[-1][1].protocol, found[-1][1].number + 1):
            found[-1] = (found[-1][0], port)
        else:
            found.append((port, port))
    return [(first, last) for first, last in found if first != last]


def _end_of_run(ports: Sequence[PortKey], at: int) -> int:
    value = ports[at].number
    for place in range(at + 1, len(ports)):
        if ports[place].number > value + 1:
            return place - 1
        value += 1
    return len(ports) - 1


def _url(ip: str, port: PortKey) -> str:
    return f"{port.protocol}://{ip}:{port.number}"


def _port(p: str, ip: str, port: PortKey) -> dict[str, str]:
    base = f"{p}_PORT_{port.number}_{port.protocol.upper()}"
    return {base: _url(ip, port), f"{base}_ADDR": ip, f"{base}_PORT": str(port.number), f"{base}_PROTO": port.protocol}


def _run(p: str, ip: str, first: PortKey, last: PortKey) -> dict[str, str]:
    base, end = f"{p}_PORT_{first.number}_{first.protocol.upper()}", f"{p}_PORT_{first.number}_{last.protocol.upper()}"
    return {
        f"{base}_START": _url(ip, first),
        f"{base}_ADDR": ip,
        f"{base}_PROTO": first.protocol,
        f"{base}_PORT_START": str(first.number),
        f"{end}_END": _url(ip, last),
        f"{end}_PORT_END": str(last.number),
    }


def differences(
    expected: Mapping[str, str], seen: Mapping[str, str], alias: str, others: Iterable[str] = ()
) -> list[str]:
    """What is wrong with the variables of one link, a line each; empty where they are exact.

    The values of the server's own variables are left out: they are passwords and the like.

    Args:
        expected: what the engine sets for it.
        seen: all variables of the recipient.
        alias: of the link.
        others: the aliases of the recipient's links. What ``db-env`` sets begins like a variable that ``db`` copies, and
            of a name that both set the engine leaves one: neither is held against ``db``.
    """
    p = prefix(alias)
    longer = [q for q in map(prefix, others) if q.startswith(f"{p}_")]
    mine = [n for n in {**expected, **seen} if not any(_is_of(n, q) for q in longer)]

    def told(name: str, value: str, instead: str = HIDDEN) -> str:
        return instead if name.startswith(f"{p}_ENV_") else repr(value)

    wanted = {n: expected[n] for n in mine if n in expected}
    ours = {n: seen[n] for n in mine if n in seen and (n in wanted or _is_of(n, p))}
    wrong = [f"{n} is missing (expected {told(n, v)})" for n, v in wanted.items() if n not in ours]
    differ = [(n, v) for n, v in wanted.items() if n in ours and ours[n] != v]
    wrong += [f"{n} is {told(n, ours[n])}, expected {told(n, v, 'another')}" for n, v in differ]
    return sorted(wrong) + sorted(f"{n}={told(n, v)} was not expected" for n, v in ours.items() if n not in wanted)


def _is_of(name: str, p: str) -> bool:
    """Whether a variable is called as those of a link with this prefix."""
    return name in (f"{p}_PORT", f"{p}_NAME") or name.startswith((f"{p}_PORT_", f"{p}_ENV_"))


def of_networks(ours: ContainerFacts, alias: str) -> list[tuple[str, str]]:
    """The links by a name that a container has on networks of one's own: (network, source) pairs.

    Docker keeps them as they were given: the source by a name, an id or an alias, and perhaps still to come; the alias left
    out where ``docker run --link web`` did so.
    """
    return [(e.network, source) for e in ours.endpoints for source, word in e.links if (word or source) == alias]


def on_a_network(ours: ContainerFacts, theirs: ContainerFacts, alias: str) -> bool:
    """Whether there is such a link on a network that both are on."""
    names = names_of(theirs, ())
    return any(
        source.lower() in names and theirs.endpoint(network) is not None for network, source in of_networks(ours, alias)
    )


def no_link(ours: ContainerFacts, theirs: ContainerFacts, alias: str, server: str) -> str:
    """Why there is none, in words; ``server`` is what the tests call it."""
    leads = [network for network, source in of_networks(ours, alias) if source.lower() in names_of(theirs, ())]
    if leads:
        return f"the link is one of {', '.join(leads)}, and {server} is not on it"
    there = [f"{word or source} to {source} on {e.network}" for e in ours.endpoints for source, word in e.links]
    on = ", ".join(e.network for e in ours.endpoints) or "none"
    return (
        f"there is no such link on its networks ({on}), where it has {', '.join(there) or 'none'}; that DNS knows a name makes "
        "no link: there every container has names for all"
    )


def hosts(text: str) -> dict[str, tuple[str, ...]]:
    """An /etc/hosts as name to addresses, in the order of the file."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            if address not in found.get(name, ()):
                found[name] = (*found.get(name, ()), address)
    return found

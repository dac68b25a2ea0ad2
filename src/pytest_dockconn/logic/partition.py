"""A cut between two parties as rules of nftables, in a table of its own, so that it heals by dropping the table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ..errors import SpecError
from ..model.facts import Binding, ContainerFacts
from .given import shown
from .wiring import ANY4, ANY6

DROP, REJECT = "drop", "reject"
#: What ``how`` may be: silence, or a refusal.
WAYS = (DROP, REJECT)


class Doorway(Struct, frozen=True):
    """A host port that leads to a party: address of the host, protocol, number."""

    address: str
    protocol: str
    number: int


class Cut(Struct, frozen=True):
    """What is cut in the network namespace of one container.

    Attributes:
        peers: addresses, and subnets, of the other party.
        doorways: host ports that lead to the other party.
        out: whether what this container begins is cut.
        into: whether what the other party begins is cut.
        how: ``drop`` or ``reject``.
    """

    peers: tuple[str, ...]
    doorways: tuple[Doorway, ...] = ()
    out: bool = True
    into: bool = True
    how: str = DROP


class Party(Struct, frozen=True):
    """One side of a partition: a container, or all that are on a network; the other id is empty."""

    name: str
    container: str = ""
    network: str = ""

    def has(self, facts: ContainerFacts) -> bool:
        """Whether a container is on this side."""
        return facts.id == self.container or (bool(self.network) and facts.endpoint(self.network) is not None)


class Partition(Struct, frozen=True):
    """A partition that is in force."""

    a: Party
    b: Party
    one_way: bool = False

    def __str__(self) -> str:
        return f"partition({self.a.name}, {self.b.name}{', one_way=True' if self.one_way else ''})"

    def parts(self, source: ContainerFacts, owner: ContainerFacts) -> bool:
        """Whether it keeps a source from an owner."""
        there = self.a.has(source) and self.b.has(owner)
        return there or (not self.one_way and self.b.has(source) and self.a.has(owner))


def ruleset(table: str, cut: Cut) -> str:
    """The table as ``nft`` takes it.

    Where both directions are cut every packet is; where one is, only those of connections that were begun that way, as
    the kernel tracks them. Loopback is left alone: a container reaches itself by its own address.
    """
    track = "" if cut.out and cut.into else ("ct direction original " if cut.out else "ct direction reply ")
    back = "" if cut.out and cut.into else ("ct direction reply " if cut.out else "ct direction original ")
    lines_out = _rules(cut.peers, "daddr", track, cut.how)
    lines_in = _rules(cut.peers, "saddr", back, cut.how)
    if cut.out:
        lines_out += [line for door in cut.doorways for line in _doorway(door, cut.how)]
    return (
        f"table inet {table} {{\n"
        f"  chain out {{\n    type filter hook output priority 0; policy accept;\n    oifname lo accept\n{_block(lines_out)}  }}\n"
        f"  chain into {{\n    type filter hook input priority 0; policy accept;\n    iifname lo accept\n{_block(lines_in)}  }}\n"
        "}\n"
    )


def _block(lines: Iterable[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)


def _rules(peers: Iterable[str], side: str, track: str, how: str) -> list[str]:
    return [f"{_family(peer)} {side} {peer} {track}{end}" for peer in peers for end in _ends(how)]


def _doorway(door: Doorway, how: str) -> list[str]:
    end = _ends(how)[0] if door.protocol == "tcp" else _ends(how)[-1]
    end = end.removeprefix("meta l4proto tcp ")
    return [f"{_family(door.address)} daddr {door.address} {door.protocol} dport {door.number} {end}"]


def _ends(how: str) -> tuple[str, ...]:
    """A refusal is a reset for TCP, which also ends a live connection at once, and an ICMP error for all else."""
    if how == DROP:
        return ("counter drop",)
    return ("meta l4proto tcp counter reject with tcp reset", "counter reject with icmpx type port-unreachable")


def _family(peer: str) -> str:
    return "ip6" if ":" in peer else "ip"


def doorways(bindings: Iterable[Binding], host: Sequence[str]) -> tuple[Doorway, ...]:
    """The host ports that lead to a container; ``host`` are the addresses of the engine's host."""
    found = []
    for binding in bindings:
        any_of = {ANY4: [a for a in host if ":" not in a], ANY6: [a for a in host if ":" in a]}
        for address in any_of.get(binding.address, [binding.address]):
            if binding.port.protocol in ("tcp", "udp"):
                found.append(Doorway(address, binding.port.protocol, binding.host_port))
    return tuple(dict.fromkeys(found))


def check(how: object) -> str:
    """Raises ``SpecError`` for what is neither ``drop`` nor ``reject``."""
    if how not in WAYS:
        raise SpecError(
            f"how={shown(how)} is no way to cut",
            checked="known: drop (packets vanish, so it times out), reject (it is refused)",
            remedy='write how="drop"',
        )
    return str(how)


def why_not(facts: ContainerFacts) -> str:
    """Why no rules can be set in a container's own namespace; empty if they can."""
    if not facts.running:
        return f"it is {facts.status}"
    if facts.network_mode == "host":
        return "it shares the host's network, whose rules are not ours to change"
    if facts.joined:
        return f"it shares the network of container {facts.joined[:12]}, which would be cut off too"
    return ""

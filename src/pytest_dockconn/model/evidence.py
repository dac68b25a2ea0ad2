"""What was looked up to say why."""

from __future__ import annotations

from msgspec import Struct, field

from .facts import ContainerFacts, NetworkFacts
from .probe import ProbeResult
from .spec import PortKey


class Listener(Struct, frozen=True):
    """A socket that waits for others."""

    protocol: str
    address: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.protocol} {host}:{self.port}"


class End(Struct, frozen=True, kw_only=True):
    """One end of a question, as it looks from inside; what could not be looked up is None. Its text is untrusted.

    Attributes:
        name: in the tests' words.
        facts: the container; None for the host.
        interfaces: a line each: name, addresses, state.
        routes: a line each.
        listeners: the sockets that wait for others.
        hosts: the text of /etc/hosts.
        resolver: the text of /etc/resolv.conf.
        last_lines: the end of its output.
    """

    name: str
    facts: ContainerFacts | None = None
    interfaces: tuple[str, ...] | None = None
    routes: tuple[str, ...] | None = None
    listeners: tuple[Listener, ...] | None = None
    hosts: str | None = None
    resolver: str | None = None
    last_lines: str = ""


class Drop(Struct, frozen=True):
    """A firewall rule that counted packets while a question was asked again.

    Attributes:
        place: whose rules: ``the host``, or a container's name.
        rule: as ``iptables-save`` writes it.
        packets: how many more than before.
    """

    place: str
    rule: str
    packets: int

    def __str__(self) -> str:
        return f"{self.place}: {self.rule} (counted {self.packets} more packets while it was asked again)"


class Evidence(Struct, frozen=True, kw_only=True):
    """Facts about a question and both of its ends; what could not be looked up is None.

    Attributes:
        source_name: who asked.
        source: the container that asked; None for the host.
        owner_name: who should have answered; empty where nobody knows.
        owner: the container that should have answered.
        port: of the owner.
        bound: whether it was asked as it is bound to the host.
        result: of the probe.
        listeners: in the owner's namespace.
        networks: that the two are on.
        hosts: the source's /etc/hosts, name to addresses.
        names: of the owner, by the network on which they resolve.
        answered_name: who answered, in the tests' words.
        holder: who else has the address that was asked, in words.
        last_lines: the end of the owner's output.
        same_host: whether container addresses are reachable from the test process.
        has_loopback: whether 127.0.0.1 of the test process is the one that the engine binds ports to.
        default_network: the engine's.
        age: seconds since the owner was started, by the engine's clock; None where that is not known.
        unpublished: containers that expose the port which was asked of the host, but do not publish it.
        to_host: whether the test process itself was asked: a server of ``host.listen()``.
        answers_inside: whether the owner answers when it is asked from inside its own network.
        drops: firewall rules that counted packets; None where none could be read.
        unread: why no rules could be read.
        partition: a partition of this run that is in force between the two, in words.
    """

    source_name: str
    source: ContainerFacts | None
    owner_name: str
    owner: ContainerFacts | None
    port: PortKey | None
    bound: bool
    result: ProbeResult
    listeners: tuple[Listener, ...] | None = None
    networks: tuple[NetworkFacts, ...] = ()
    hosts: dict[str, tuple[str, ...]] | None = None
    answered_name: str = ""
    holder: str = ""
    last_lines: str = ""
    same_host: bool = True
    has_loopback: bool = True
    default_network: str = "bridge"
    age: float | None = None
    unpublished: tuple[str, ...] = ()
    answers_inside: bool | None = None
    to_host: bool = False
    drops: tuple[Drop, ...] | None = None
    unread: str = ""
    partition: str = ""


class Why(Struct, frozen=True):
    """A cause, what shows it, and what to do."""

    cause: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    code: str = field(default="unknown")

"""What the engine said, at one moment."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from .spec import PortKey

#: The network that a container joins when none is named: docker's, and podman's.
DEFAULT_NETWORKS = ("bridge", "podman")


class VersionFacts(Struct, frozen=True):
    """Who answers at the engine's address."""

    url: str
    kind: str
    version: str
    api_version: str
    min_api_version: str
    os: str
    arch: str


class InfoFacts(Struct, frozen=True):
    """What the engine says of itself and of its host; ``root`` is the folder where it keeps what it holds."""

    name: str
    operating_system: str
    rootless: bool
    security: tuple[str, ...]
    cgroup_version: str
    time: str = ""
    id: str = ""
    root: str = ""


class Endpoint(Struct, frozen=True):
    """A container's place on one network; empty strings where it has none. ``links`` are (source, alias) pairs."""

    network: str
    network_id: str
    ip: str
    ip6: str
    gateway: str
    gateway6: str
    mac: str
    aliases: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> tuple[bool, str]:
        """Where it stands among others, as docker sorts them: the default network first, then by name."""
        return self.network not in DEFAULT_NETWORKS, self.network


class Binding(Struct, frozen=True):
    """A port of a container as it is published now."""

    port: PortKey
    address: str
    host_port: int


class ContainerFacts(Struct, frozen=True, kw_only=True):
    """A container, as ``inspect`` shows it. Of its endpoints the first is that of the network on which it was created.

    ``health`` is ``starting``, ``healthy`` or ``unhealthy``, and empty where nobody checks; ``started_at`` a time as the
    engine writes it (RFC 3339, UTC); ``shares_pids`` whether its processes have numbers of the host's or of another container's.
    """

    id: str
    name: str
    image: str
    image_id: str
    labels: Mapping[str, str]
    status: str
    exit_code: int
    error: str
    oom_killed: bool
    pid: int
    hostname: str
    env: Mapping[str, str]
    command: tuple[str, ...]
    network_mode: str
    exposed: tuple[PortKey, ...]
    bindings: tuple[Binding, ...]
    wanted_bindings: tuple[Binding, ...]
    endpoints: tuple[Endpoint, ...]
    links: tuple[tuple[str, str], ...]
    restart_count: int = 0
    health: str = ""
    started_at: str = ""
    shares_pids: bool = False

    @property
    def running(self) -> bool:
        """Whether its processes run: not created, paused, restarting, exited or dead."""
        return self.status == "running"

    @property
    def joined(self) -> str:
        """The container whose network namespace it shares (``network_mode: container:ID``); empty where it has its own."""
        kind, _, other = self.network_mode.partition(":")
        return other if kind == "container" else ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address, IPv4 first, in the order of the networks."""
        v4 = [e.ip for e in self.endpoints if e.ip]
        return (*v4, *(e.ip6 for e in self.endpoints if e.ip6))

    def endpoint(self, network: str) -> Endpoint | None:
        """The endpoint on a network, by the network's name or id."""
        return next((e for e in self.endpoints if network in (e.network, e.network_id)), None)


class NetworkFacts(Struct, frozen=True, kw_only=True):
    """A network, as ``inspect`` shows it."""

    id: str
    name: str
    driver: str
    scope: str
    internal: bool
    ipv6: bool
    subnets: tuple[str, ...]
    gateways: tuple[str, ...]
    options: Mapping[str, str]
    labels: Mapping[str, str]
    containers: tuple[str, ...]

    @property
    def icc(self) -> bool:
        """Whether containers on it may talk to each other: ``com.docker.network.bridge.enable_icc``."""
        return self.options.get("com.docker.network.bridge.enable_icc", "true").lower() != "false"


class ImageFacts(Struct, frozen=True):
    """An image, as ``inspect`` shows it; a listing leaves ``comment``, ``command`` and ``exposed`` out.

    ``parent`` is the id of the image that it was made of, where the engine knows; ``created`` seconds since 1970, in a listing.
    """

    id: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    command: tuple[str, ...]
    exposed: tuple[PortKey, ...]
    comment: str = ""
    parent: str = ""
    created: int = 0


class Execution(Struct, frozen=True):
    """How a command in a container ended, named as ``subprocess.CompletedProcess`` names it."""

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class Counters(Struct, frozen=True):
    """Traffic of an interface since it came up."""

    rx_packets: int = 0
    rx_bytes: int = 0
    rx_errors: int = 0
    rx_dropped: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0
    tx_errors: int = 0
    tx_dropped: int = 0


class Interface(Struct, frozen=True):
    """A network interface, as ``ifconfig`` shows it."""

    name: str
    mac: str
    mtu: int
    is_up: bool
    ipv4: str = ""
    ipv6: tuple[str, ...] = ()
    counters: Counters = field(default_factory=Counters)

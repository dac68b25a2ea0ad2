"""What a test asks for, after it was checked."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class PortKey(Struct, frozen=True, order=True):
    """A port of a container as Docker writes it: ``80/tcp``."""

    number: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


class Publish(Struct, frozen=True):
    """A wish to bind a container's port to the host.

    Attributes:
        port: the container's port.
        address: the host's address to bind to.
        host: the host port as the API takes it: empty for any free one, ``8080``, or a range ``8080-8090``.
    """

    port: PortKey
    address: str = "127.0.0.1"
    host: str = ""


class Attachment(Struct, frozen=True):
    """A network that a container joins at its creation.

    Attributes:
        network: the engine's name of the network.
        aliases: names for DNS on this network.
        links: (source container, alias) pairs of endpoint links: DNS names that this container alone sees.
        ip: a static address, IPv4 or IPv6; empty for one that the engine chooses.
    """

    network: str
    aliases: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    ip: str = ""


class ContainerPlan(Struct, frozen=True, kw_only=True):
    """Everything that the engine is told when a container is created.

    ``command`` is the whole argv, whatever the image's entrypoint; the image decides where it is None.
    """

    image: str
    name: str
    labels: Mapping[str, str]
    command: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    expose: tuple[PortKey, ...] = ()
    publish: tuple[Publish, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    network_mode: str | None = None
    hostname: str | None = None
    dns: tuple[str, ...] = ()
    extra_hosts: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    read_only: bool = False
    interactive: bool = False
    tty: bool = False
    stdin_once: bool = True
    keep_logs: bool = True
    user: str | None = None


class NetworkPlan(Struct, frozen=True, kw_only=True):
    """Everything that the engine is told when a network is created."""

    name: str
    labels: Mapping[str, str]
    driver: str = "bridge"
    internal: bool = False
    ipv6: bool = False
    subnets: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    attachable: bool = False


class Bound(Struct, frozen=True):
    """What a command in a container may write, in bytes, and how long it may take, in seconds."""

    size: int
    seconds: float


#: Of a test's own commands: an hour is longer than any test.
COMMAND = Bound(size=16 << 20, seconds=3600.0)

"""The engine and its default bridge, as a test sees them."""

from __future__ import annotations

from ..actions import agents
from ..actions.capabilities import ASK, DOCKER_TCP_FIRST, can, major
from ..actions.sidecars import HOST
from ..agent import namespace
from ..errors import CapabilityError
from ..model.facts import Counters, Interface, NetworkFacts
from ..text import one_line, redact
from .once import Once


def tcp_first(version: str) -> bool:
    """Whether ``_PORT`` of a link is the lowest TCP port (28.0 on) or the lowest number of any protocol."""
    return major(version) >= DOCKER_TCP_FIRST


class Engine(Once):
    """The engine that the tests run on."""

    @property
    def url(self) -> str:
        """Where it is, without credentials."""
        return redact(self.services.engine.url)

    @property
    def kind(self) -> str:
        """``docker`` or ``podman``."""
        return self.services.version.kind

    @property
    def version(self) -> str:
        """As the engine says it: ``20.10.24``."""
        return self.services.version.version

    @property
    def api_version(self) -> str:
        """The newest version of the API that it speaks."""
        return self.services.version.api_version

    def can(self, capability: str) -> bool:
        """Whether it has one capability; asked once a run. Raises ``SpecError`` for a word that is none."""
        return can(self.services, capability)

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, in the words of ``docs/engines.md``; asked once a run, which may start two containers."""
        return frozenset(name for name in ASK if self.can(name))

    def __repr__(self) -> str:
        return one_line(f"<Engine {self.kind} {self.version} at {self.url}>")


class Bridge(Once):
    """The bridge of the default network, as the tutorial's ``ifconfig docker0`` shows it."""

    def _network(self) -> NetworkFacts:
        return self.services.engine.network(self.services.default_network)

    @property
    def name(self) -> str:
        """The name of the interface: ``docker0``."""
        usual = "podman0" if self.services.version.kind == "podman" else "docker0"
        return self._network().options.get("com.docker.network.bridge.name", usual)

    @property
    def subnet(self) -> str:
        """The IPv4 subnet: ``172.17.0.0/16``."""
        return next((s for s in self._network().subnets if ":" not in s), "")

    @property
    def gateway(self) -> str:
        """The bridge's own address: where containers see the host."""
        return next((g for g in self._network().gateways if ":" not in g), "")

    @property
    def icc(self) -> bool:
        """Whether containers on it may talk to each other without a link."""
        return self._network().icc

    @property
    def mtu(self) -> int:
        """Bytes of the largest packet."""
        return self.interface().mtu

    @property
    def mac(self) -> str:
        """The hardware address."""
        return self.interface().mac

    @property
    def ipv4(self) -> str:
        """Address and mask: ``172.17.0.1/16``."""
        return self.interface().ipv4

    @property
    def ipv6(self) -> tuple[str, ...]:
        """Every IPv6 address with its prefix; the link-local one appears once a container is there."""
        return self.interface().ipv6

    @property
    def is_up(self) -> bool:
        """Whether the interface is up (the flag UP of ``ifconfig``; RUNNING needs a container on it)."""
        return self.interface().is_up

    def counters(self) -> Counters:
        """Packets, bytes, errors and drops since the interface came up."""
        return self.interface().counters

    def interface(self) -> Interface:
        """All of it, read now: here, or by a sidecar on the engine's host. Raises ``CapabilityError``."""
        name = self.name
        seen = namespace.interface(name) if self.services.same_host else self._far(name)
        if not seen:
            raise CapabilityError(
                f"the bridge {name} can't be read",
                checked="/sys/class/net "
                + ("here" if self.services.same_host else "on the engine's host, by a sidecar"),
                remedy="see `docker network inspect bridge`",
            )
        return Interface(
            name=name,
            mac=str(seen["mac"]),
            mtu=int(str(seen["mtu"])),
            is_up=bool(seen["up"]),
            ipv4=str(seen["ipv4"]),
            ipv6=tuple(seen["ipv6"]),  # type: ignore[arg-type]
            counters=Counters(**seen["counters"]),  # type: ignore[arg-type]
        )

    def _far(self, name: str) -> dict[str, object]:
        channel = self.services.agents.channel(HOST)
        found = agents.look(channel, "interfaces")["interfaces"]
        return next((i for i in found if i["name"] == name), {})

    def __repr__(self) -> str:
        return one_line(f"<Bridge {self.name} {self.subnet}>")

"""Containers and their ports: what is asked, and who asks."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from ..errors import DockconnError, NoAddress, NotOurs, SpecError
from ..logic import ports
from ..logic.given import ip, shown
from ..logic.names import hostname
from ..logic.wiring import Where, bound_targets, port_targets, scheme
from ..model.facts import Binding, ContainerFacts
from ..model.probe import Target
from ..model.spec import PortKey
from ..text import is_printable
from .image import Image
from .machine import Machine, NetworkRef, network_name

if TYPE_CHECKING:
    import requests

EVERYWHERE = Where()


class Port(Struct, frozen=True):
    """A port of a container, by the container's own addresses or as it is bound to the host.

    Addresses and host ports are read anew for each probe; where the owner has stopped, its last ones are asked.
    Compares by owner, number, protocol and narrowing.

    Attributes:
        owner: the container whose port it is.
        key: the port in the container.
        bound: whether it is asked as it is bound to the host.
        where: what ``on`` and ``named`` narrowed.
    """

    owner: Container
    key: PortKey
    bound: bool = False
    where: Where = EVERYWHERE

    @property
    def protocol(self) -> str:
        """``tcp``, ``udp`` or ``sctp``."""
        return self.key.protocol

    @property
    def number(self) -> int:
        """The port that is asked: the container's, or the host's where it is bound."""
        return self._first().port if self.bound else self.key.number

    @property
    def host(self) -> str:
        """The address, or the name, that the host asks first."""
        return self._first().host

    @property
    def url(self) -> str:
        """As a URL: ``http://172.17.0.3:80/``; ``tcp://`` where the owner may not speak HTTP."""
        return str(self._first())

    def _first(self) -> Target:
        return self.targets_from(None)[0]

    def on(self, network: NetworkRef | str) -> Port:
        """Narrowed to the address on one network (a ``Network`` or its name), or to one IP address.

        Raises ``SpecError`` for what is none of these.
        """
        if self.bound and (isinstance(network, NetworkRef) or not _is_address(network)):
            raise SpecError(
                f"on({shown(network)}): a bound port is on addresses of the host, and on no network",
                checked=f"{self}: {', '.join(str(b.address) for b in self.owner.facts().bindings if b.port == self.key) or 'nothing is bound'}",
                remedy=f"pick one of the addresses, or ask {self.owner.name}.port({self.key.number}) on the network",
            )
        if isinstance(network, NetworkRef):
            return replace(self, where=replace(self.where, network=network.id))
        named = network_name(network)
        address = ports.address(named, "on", "an address") if ":" in named else ip(named)
        if address:
            return replace(self, where=replace(self.where, address=address))
        return replace(self, where=replace(self.where, network=self.owner.network_called(named)))

    def named(self, name: str) -> Port:
        """By this name in place of the address; the owner is still known. Raises ``SpecError`` for what is no name."""
        return replace(self, where=replace(self.where, name=hostname(name, "name")))

    def get(self, path: str = "/", **kwargs: Any) -> requests.Response:
        """The page, asked from the test process as one would open it in a browser.

        Args:
            path: of the URL.
            kwargs: for ``requests.get``; ``timeout`` is 5 s unless given. Proxies of the environment are not used. It is
                read to its end within a minute more, and 16 MiB at the most, unless ``stream`` is given.

        Raises:
            SpecError: a path that is none.
            DockconnError: it is longer.
            requests.RequestException: as ``requests.get``.
        """
        wanted = _page(path)
        from ..actions import page  # noqa: PLC0415 - requests takes 0.1 s that only this pays

        target = self._first()
        host = f"[{target.host}]" if ":" in target.host else target.host
        secure = target.scheme == "https" or self.key.number == 443
        return page.get(f"{'https' if secure else 'http'}://{host}:{target.port}{wanted}", **kwargs)

    def __str__(self) -> str:
        how = f"bound port {self.key}" if self.bound else f"port {self.key}"
        return f"{how} of {self.owner.name}" + (
            f" ({'by the name ' if self.where.name else 'on '}{self.narrowed})" if self.narrowed else ""
        )

    def __repr__(self) -> str:
        return f"<Port {self}>"

    @property
    def narrowed(self) -> str:
        """The name, address or network that ``on`` and ``named`` narrowed it to, as tests call it; else empty."""
        where = self.where
        return where.name or where.address or self.owner.services.names.get(where.network, where.network)

    @property
    def scheme(self) -> str:
        """How it is asked: ``http``, ``tcp`` or ``udp``."""
        return scheme(self.key, speaks=self.owner.speaks)

    def targets_from(self, source: ContainerFacts | None) -> list[Target]:
        """Every way in which a source (None: the host) can ask for it. Raises ``DockconnError`` where there is none."""
        return self.owner.targets_of(self, source)


def _is_address(value: object) -> bool:
    return isinstance(value, str) and (":" in value or bool(ip(value)))


def _page(path: object) -> str:
    """The path of a URL. Raises ``SpecError``."""
    if isinstance(path, str) and path.startswith("/") and is_printable(path) and len(path.splitlines()) == 1:
        return path
    raise SpecError(
        f"path={shown(path)} is not the path of a URL",
        checked="it begins with a slash, and has no control characters in it",
        remedy='write get("/page")',
    )


class Container(Machine):
    """A container that can be probed and probed from.

    One that was adopted is never stopped, changed or removed: those calls raise ``NotOurs``.
    """

    def port(self, number: int | str, protocol: str = "tcp") -> Port:
        """A port by the container's own addresses. Raises ``SpecError`` for a number that is no port."""
        return Port(self, ports.with_protocol(number, protocol))

    def bound_port(self, number: int | str, protocol: str = "tcp") -> Port:
        """A port as it is bound to the host. Raises ``DockconnError`` where nothing is bound."""
        port = Port(self, ports.with_protocol(number, protocol), bound=True)
        self._bindings(port.key)
        return port

    def only_port(self) -> Port:
        """Its only exposed port. Raises ``SpecError`` with a list where there are several, or none."""
        exposed = self.facts().exposed
        if len(exposed) == 1:
            return Port(self, exposed[0])
        raise SpecError(
            f"{self.name} exposes {len(exposed)} ports, so it is no destination by itself",
            checked=f"exposed: {', '.join(map(str, exposed)) or 'nothing'}",
            remedy=f"name one: {self.name}.port({exposed[0].number if exposed else 80})",
        )

    def _bindings(self, key: PortKey) -> list[Binding]:
        facts = self.last_facts()
        bindings = [b for b in facts.bindings if b.port == key and b.host_port]
        if not bindings:
            bound = ", ".join(f"{b.port} at {b.address}:{b.host_port}" for b in facts.bindings) or "nothing is bound"
            raise DockconnError(
                f"{self.name} has no bound port {key}",
                checked=f"{self.name} is {facts.status}; {bound}",
                remedy=f"make it with bind={{{key.number if key.protocol == 'tcp' else repr(str(key))}: None}}",
            )
        return bindings

    def targets_of(self, port: Port, source: ContainerFacts | None) -> list[Target]:
        """Every way in which a source (None: the host) can ask for a port. Raises ``DockconnError`` where there is none."""
        facts = self.last_facts()
        by_host = source is None and (port.bound or facts.network_mode == "host")
        far = self.services.far_host if by_host else ""
        if port.bound:
            bindings = self._bindings(port.key)
            found = bound_targets(facts, bindings, port.key, port.where, source, speaks=self.speaks, far=far)
        else:
            found = port_targets(facts, port.key, port.where, source, speaks=self.speaks, far=far)
        if not found:
            raise NoAddress(
                f"{self.name} has no address to ask {port} by",
                checked=f"{facts.status}, network mode {facts.network_mode}; networks: "
                + (", ".join(f"{e.network} {e.ip or e.ip6 or 'without address'}" for e in facts.endpoints) or "none"),
                remedy="connect it to a network, or ask by another network, address or name",
            )
        return found

    def targets_from(self, source: ContainerFacts | None) -> list[Target]:
        """Every way to ask for its only exposed port. Raises ``SpecError`` where it has none, or several."""
        return self.targets_of(self.only_port(), source)

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:  # noqa: ARG002
        """Run a command in it, without a shell.

        Returns:
            ``returncode``, ``stdout`` and ``stderr`` as text.

        Raises:
            subprocess.CalledProcessError: ``check`` is true and the command ended with another code than 0.
        """
        raise self._refused("run a command in")

    def stop(self) -> None:
        """Stop it: SIGTERM, SIGKILL after 5 s."""
        raise self._refused("stop")

    def start(self) -> None:
        """Start it again; returns when it answers."""
        raise self._refused("start")

    def restart(self) -> None:
        """Stop, then start."""
        raise self._refused("restart")

    def commit(self, tag: str) -> Image:  # noqa: ARG002
        """Make an image of it."""
        raise self._refused("commit")

    def must_be_ours(self, what: str) -> None:
        """Raises ``NotOurs`` for a container that was adopted."""
        if not self.ours:
            raise self._refused(what)

    def _refused(self, what: str) -> NotOurs:
        return NotOurs(
            f"refused to {what} {self.name}: it was adopted, and what others made is never changed",
            checked=f"container {self._id[:12]}",
            remedy="do it with the tool that made it",
        )

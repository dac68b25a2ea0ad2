"""The host as a destination: a server in the test process that containers can reach."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from types import TracebackType

from ..actions.callback import Callback
from ..actions.calls import Call, Calls
from ..actions.services import Services
from ..errors import CapabilityError, DockconnError, NoAddress
from ..logic import ports
from ..model.facts import ContainerFacts
from ..model.probe import LISTENER, Target
from .source import Source, check_source, check_timeout


class HostListener:
    """Listens in the test process, where containers call it: on the gateway address of their networks, and on 127.0.0.1.

    A destination as a port is. It closes at the end of a ``with`` block, or with the session.

    Attributes:
        number: the port.
        protocol: ``tcp`` or ``udp``.
    """

    name = "the host"

    def __init__(self, services: Services, number: int | str | None, protocol: str) -> None:
        key = ports.with_protocol(number if number is not None else 1, protocol)
        if key.protocol not in ("tcp", "udp"):
            raise CapabilityError(
                f"the host listens on tcp and udp, not on {key.protocol}",
                checked="what Python speaks",
                remedy="leave it out",
            )
        if not services.same_host or services.in_container:
            raise CapabilityError(
                "containers can't call back to this process: the engine runs on another host, in a virtual machine or "
                "rootless (capability 'host-callback')",
                checked="no bridge of the engine is an interface of this machine",
                remedy="run the server in a container: lab.server()",
            )
        self._services = services
        self._calls = Calls()
        self._owner, token = f"{LISTENER}{secrets.token_hex(8)}", secrets.token_hex(8)
        self.protocol = key.protocol
        wanted = key.number if number is not None else 0
        self._callback = Callback(wanted, self.protocol, (self._owner, token), self._calls.add)
        self.number = self._callback.number
        try:
            self._open(services.gateways(services.default_network))  # where host-gateway leads
        except BaseException:
            self._callback.close()
            raise
        services.speakers[self._owner], services.names[self._owner] = token, self.name

    @property
    def calls(self) -> tuple[Call, ...]:
        """Who called so far, probes included: the last 256, or 8 MiB of what they said."""
        return self._calls.last()

    @property
    def count(self) -> int:
        """How many calls there were so far, probes included."""
        return self._calls.count

    def wait_for_call(self, within: float = 5.0) -> Call:
        """The first call, waited for at most ``within`` seconds. Raises ``DockconnError`` where none comes."""
        call = self._calls.first(check_timeout(within, "within"))
        if call is not None:
            return call
        raise DockconnError(
            f"nobody called {self} within {within:g} s",
            checked="the connections that came in",
            remedy="see assert_reachable(container, listener): it says whether and why the way is closed",
        )

    def targets_from(self, source: ContainerFacts | None) -> list[Target]:
        """The host's addresses as a source sees them: the gateways of its networks; 127.0.0.1 from the host."""
        addresses = self._open(self._seen_by(source))
        kind = "udp" if self.protocol == "udp" else "http"
        made = [Target(kind, a, self.number, owner=self._owner, via="address", inner=self.number) for a in addresses]
        why = f"{self._services.name_of(source.id) if source else self.name} is on no network that the host is on too"
        return made or [Target(kind, "", 0, via="address", why=why)]

    def _open(self, addresses: Iterable[str]) -> list[str]:
        """Listen on those of them that are this machine's."""
        there = [address for address in dict.fromkeys(addresses) if self._services.is_local(address)]
        for address in there:
            self._callback.on(address)
        return there

    def url_from(self, source: Source) -> str:
        """The URL by which a source reaches it, for a program in it: ``http://172.18.0.1:4242/``.

        Raises ``NoAddress`` for a container that is on no network of the host's, ``SpecError`` for what is no source.
        """
        check_source(source)
        first = self.targets_from(source.source_facts())[0]
        if not first.host:
            raise NoAddress(first.why, checked=f"the networks of {source.name}", remedy="connect it to a network")
        return str(first)

    def _seen_by(self, source: ContainerFacts | None) -> list[str]:
        if source is None or source.network_mode == "host":
            return ["127.0.0.1"]
        gateways = [e.gateway for e in source.endpoints] + [e.gateway6 for e in source.endpoints]
        return [*gateways, *self._bridges(source)]

    def _bridges(self, source: ContainerFacts) -> list[str]:
        """The host's address on the source's networks, also where containers are given no gateway (internal networks).

        One that is on no network asks for the default bridge's, in vain.
        """
        networks = [e.network_id for e in source.endpoints if e.network_id and (e.ip or e.ip6)]
        bridges = networks or [self._services.default_network]
        return [g for network in bridges for g in self._services.gateways(network)]

    @property
    def label(self) -> str:
        """As a column of a matrix: ``host:4242``."""
        return f"host:{self.number}" + ("/udp" if self.protocol == "udp" else "")

    def close(self) -> None:
        """Listen no more."""
        self._callback.close()

    def __enter__(self) -> HostListener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __str__(self) -> str:
        return f"port {self.number}/{self.protocol} of the host"

    def __repr__(self) -> str:
        return f"<HostListener {self}>"

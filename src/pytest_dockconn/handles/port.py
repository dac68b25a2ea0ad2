"""A destination that follows its owner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import SpecError
from ..logic import ports
from ..logic.names import hostname
from ..logic.wiring import Where, scheme
from ..model.probe import Target
from ..model.spec import PortKey

if TYPE_CHECKING:
    import requests

    from .container import Container
    from .network import Network

EVERYWHERE = Where()


@dataclass(frozen=True, slots=True)
class Port:
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
        return self.owner.targets_of(self, None)[0]

    def on(self, network: Network | str) -> Port:
        """Narrowed to the address on one network (a ``Network`` or its name), or to one IP address."""
        if not isinstance(network, str):
            return replace(self, where=replace(self.where, network=network.id))
        try:
            return replace(self, where=replace(self.where, address=ports.address(network)))
        except SpecError:
            return replace(self, where=replace(self.where, network=network))

    def named(self, name: str) -> Port:
        """By this name in place of the address; the owner is still known. Raises ``SpecError`` for what is no name."""
        return replace(self, where=replace(self.where, name=hostname(name, "name")))

    def get(self, path: str = "/", **kwargs: Any) -> requests.Response:
        """The page, asked from the test process as one would open it in a browser.

        Args:
            path: of the URL.
            kwargs: for ``requests.get``; ``timeout`` is 5 s unless given. Proxies of the environment are not used.
        """
        import requests as library  # noqa: PLC0415 - 0.1 s that only this pays

        target = self._first()
        host = f"[{target.host}]" if ":" in target.host else target.host
        with library.Session() as session:
            session.trust_env = False
            secure = target.scheme == "https" or self.key.number == 443
            kwargs.setdefault("timeout", 5.0)
            return session.get(f"{'https' if secure else 'http'}://{host}:{target.port}{path}", **kwargs)

    def __str__(self) -> str:
        how = f"bound port {self.key}" if self.bound else f"port {self.key}"
        narrowed = self.where.name or self.where.address or self.where.network
        return f"{how} of {self.owner.name}" + (
            f" ({'by the name ' if self.where.name else 'on '}{narrowed})" if narrowed else ""
        )

    def __repr__(self) -> str:
        return f"<Port {self}>"

    @property
    def scheme(self) -> str:
        """How it is asked: ``http``, ``tcp`` or ``udp``."""
        return scheme(self.key, speaks=self.owner.speaks)

"""A network."""

from __future__ import annotations

from collections.abc import Iterable

from ..actions.services import Services
from ..errors import EngineError, SpecError
from ..logic.given import kind, shown
from ..logic.ports import address
from ..logic.specs import check_aliases
from ..model.facts import NetworkFacts
from ..model.spec import Attachment
from .container import Container
from .machine import NetworkRef


class Network(NetworkRef):
    """A network of the engine. Compares by id."""

    def __init__(self, services: Services, facts: NetworkFacts, name: str) -> None:
        self._services = services
        self._facts = facts
        self.name = name
        services.names[facts.id] = name

    @property
    def id(self) -> str:
        """The full id."""
        return self._facts.id

    @property
    def engine_name(self) -> str:
        """What the engine calls it."""
        return self._facts.name

    @property
    def subnets(self) -> tuple[str, ...]:
        """Its subnets, as ``172.18.0.0/16``."""
        return self._facts.subnets

    @property
    def gateway(self) -> str:
        """Its first gateway; empty where it has none."""
        return next(iter(self._facts.gateways), "")

    def connect(self, container: Container, aliases: Iterable[str] = (), ip: str | None = None) -> None:
        """Join a container to it; refused for an adopted one.

        Its own name is known there, as where it was created on it; ``aliases`` are more names, ``ip`` is a static address.

        Raises:
            NotOurs: what others made is never changed.
            SpecError: what is no container; a name or an address that is none.
        """
        one = _container(container)
        one.must_be_ours("connect")
        names = (*check_aliases(aliases, user_network=True), one.name)
        static = address(ip, "ip", "an address") if ip is not None else ""
        wanted = Attachment(self.engine_name, aliases=names, ip=static)
        self._services.make_room([wanted])
        self._services.engine.connect(self.id, one.id, wanted)
        self._services.facts.forget(one.id)
        self._services.renew_partitions(one.id)

    def disconnect(self, container: Container) -> None:
        """Take a container off it; refused for an adopted one. Raises ``NotOurs``, ``SpecError``."""
        one = _container(container)
        one.must_be_ours("disconnect")
        self._services.leave(self.id, one.id)

    def discard(self) -> None:
        """Remove it; containers of this run that live longer and are still on it are taken off first."""
        try:
            self._services.engine.remove_network(self.id)
        except EngineError:
            if not self._clear():
                raise
            self._services.engine.remove_network(self.id)
        if self._services.reuse is not None:
            self._services.reuse.end(self.id)

    def _clear(self) -> bool:
        """Whether any container of this run was on it."""
        known = self._services.known
        there = [
            one for one in self._services.engine.network(self.id).containers if getattr(known.get(one), "ours", False)
        ]
        for container in there:
            self._services.leave(self.id, container)
        return bool(there)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Network {self.name} {self.id[:12]}>"


def _container(one: object) -> Container:
    if not isinstance(one, Container):
        raise SpecError(
            f"{shown(one)} is no container that a network could take",
            checked=kind(one),
            remedy="pass what dockconn.server() or dockconn.client() returned",
        )
    return one

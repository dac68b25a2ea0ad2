"""A network."""

from __future__ import annotations

from collections.abc import Iterable

from ..actions.services import Services
from ..errors import EngineError
from ..logic.names import hostname
from ..logic.ports import address
from ..model.facts import NetworkFacts
from ..model.spec import Attachment
from .container import Container


class Network:
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
            SpecError: a name or an address that is none.
        """
        container.must_be_ours("connect")
        names = (*(hostname(alias) for alias in aliases), container.name)
        wanted = Attachment(self.engine_name, aliases=names, ip=address(ip) if ip is not None else "")
        self._services.make_room([wanted])
        self._services.engine.connect(self.id, container.id, wanted)
        self._services.facts.forget(container.id)

    def disconnect(self, container: Container) -> None:
        """Take a container off it; refused for an adopted one."""
        container.must_be_ours("disconnect")
        self._services.engine.disconnect(self.id, container.id)
        self._services.facts.forget(container.id)

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
            self._services.engine.disconnect(self.id, container)
            self._services.facts.forget(container)
        return bool(there)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Network {self.name} {self.id[:12]}>"

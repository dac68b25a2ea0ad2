"""What a session works with: the engine and everything that is built on it once."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..agent.namespace import interfaces, own_container
from ..engine.address import SCHEMES
from ..engine.port import Engine
from ..errors import EngineError, NotFound
from ..logic import bases
from ..logic.called import names_of
from ..logic.names import is_of_run
from ..model.asked import Asked
from ..model.facts import ContainerFacts, InfoFacts, VersionFacts
from ..model.settings import Settings
from ..model.spec import Attachment
from . import locks
from .agents import Channel, LocalChannel, look
from .base import Say
from .cleanup import Remover
from .doubt import Doubt
from .facts import Facts
from .guardian import Guardian
from .images import Images
from .inuse import InUse
from .passages import Passages
from .place import elsewhere, far_host
from .sidecars import HOST, Agents
from .turns import Turns

if TYPE_CHECKING:
    from ..logic.partition import Partition
    from .reuse import Reuse
    from .room import Room

LOOPBACK = "127.0.0.1"


class Services:
    """Everything that handles share. Made once a session; safe to use from several threads."""

    def __init__(self, engine: Engine, settings: Settings, say: Say) -> None:
        self.engine = engine
        self.settings = settings
        self.run = secrets.token_hex(4)
        self.facts = Facts(engine)
        self.in_use = InUse(lambda: self.mark)
        self.images = Images(
            engine, settings, bases.parse(settings.base), self.run, say, use=self.in_use.begin, begin=self.begin
        )
        self.doubt = Doubt()
        self.agents = Agents(engine, self.facts, self.images, self.run, self.doubt)
        self.remover = Remover()
        self.turns = Turns(lambda: self.mark)
        self.passages = Passages()
        self.names: dict[str, str] = {}
        #: the containers that say who they are, in a header or a datagram, and the token that each was told
        self.speakers: dict[str, str] = {}
        #: of containers that were taken off networks, the names that they had there and may have lost
        self.former_names: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        #: the containers that tests hold, by id; objects of the floor above
        self.known: dict[str, object] = {}
        #: what is cut off from what at the moment
        self.partitions: list[Partition] = []
        #: what cuts a container (its id) off again that was started, or has joined a network, since then
        self.renewals: list[Callable[[str], None]] = []
        #: every question that an assertion asked, and the test that runs now
        self.asked: list[Asked] = []
        self.test = ""
        #: what the engine was found to be able to do, and who finds out now (``capabilities.can``)
        self.abilities: dict[str, bool] = {}
        self.trying = threading.RLock()
        self._info: InfoFacts | None = None
        self._telling = threading.Lock()
        self._local: dict[str, bool] = {}
        self._looked_again = False
        self._here = LocalChannel()
        self.guardian = Guardian(engine.url, self.run)
        self.reuse = self._reuse()
        self._lock = threading.Lock()
        self._room: Room | None = None

    def _reuse(self) -> Reuse | None:
        if not self.settings.reuse:
            return None
        from .reuse import Reuse  # noqa: PLC0415 - only where it was asked for

        return Reuse(self.engine, self.run, self.guardian, self.settings.project, self.settings.lease)

    def begin(self) -> None:
        """Before the first thing is made: listen to the engine's events, and have somebody clean up if this process dies."""
        self.facts.watch()
        if self._is_shared():
            self.guardian.start()

    def _is_shared(self) -> bool:
        return urlsplit(self.engine.url).scheme in SCHEMES  # an engine of the tests lives in this process alone

    def keeps(self, thing: str) -> bool:
        """Whether it outlives this run."""
        return self.reuse is not None and self.reuse.keeps(thing)

    @property
    def room(self) -> Room:
        """What removes things that are kept for a later run where they stand in the way."""
        with self._lock:
            if self._room is None:
                from .kept import Kept  # noqa: PLC0415 - hardly ever needed
                from .room import Room  # noqa: PLC0415

                kept = self.reuse.kept if self.reuse is not None else Kept(self.engine)
                self._room = Room(kept, self.facts, self.names, lambda one: self.keeps(one) or one in self.known)
            return self._room

    def make_room(self, wanted: Iterable[Attachment], hostname: str | None = None) -> list[Attachment]:
        """See to it that names and addresses are free; which of the networks were there before this run.

        There an earlier one may have left somebody, but for names on the default network: it has no DNS.
        """
        there = [one for one in wanted if not is_of_run(one.network, self.run)]
        shared = [one for one in there if one.ip or one.network != self.default_network]
        if shared:
            self.room.on_networks(shared, hostname)
        return shared

    @property
    def removed(self) -> tuple[str, ...]:
        """What that has removed, with the reasons."""
        return tuple(self._room.removed) if self._room is not None else ()

    @cached_property
    def version(self) -> VersionFacts:
        """Who answers."""
        return self.engine.version()

    @property
    def info(self) -> InfoFacts:
        """What the engine says of itself; asked once, also where two want it at a time: docker 20.10 takes 20 ms for it."""
        with self._telling:
            if self._info is None:
                self._info = self.engine.info()
            return self._info

    @property
    def known_info(self) -> InfoFacts | None:
        """The same, if somebody has asked already: without a question."""
        return self._info

    @cached_property
    def mark(self) -> str:
        """By what all processes of this machine know the engine; empty where no other can be on it."""
        return locks.mark(self.engine, self.info) if self._is_shared() else ""

    @cached_property
    def default_network(self) -> str:
        """The network that a container joins when none is named: ``bridge``, on podman ``podman``."""
        return "podman" if self.version.kind == "podman" else "bridge"

    def is_local(self, address: str) -> bool:
        """Whether this process's network namespace has this address: found by binding to it, not by guessing."""
        if not _is_address(address):
            return False
        with self._lock:
            # what is not there may come: podman makes a network's bridge with the first container on it
            if not self._local.get(address):
                self._local[address] = _can_bind(address)
            return self._local[address]

    def host_has(self, address: str) -> bool:
        """Whether an address is one of the engine's host. Raises ``DockconnError`` where nobody can look."""
        if self.same_host and not self.in_container:
            return self.is_local(address)
        return address in self.host_addresses()

    def host_addresses(self) -> tuple[str, ...]:
        """Every address of the engine's host, IPv4 first, loopback too. Raises ``DockconnError`` where nobody can look."""
        here = self.same_host and not self.in_container
        seen: Any = interfaces() if here else look(self.agents.channel(HOST), "interfaces")["interfaces"]
        found = [str(a).partition("/")[0] for one in seen for a in (one["ipv4"], *one["ipv6"]) if a]
        return tuple(sorted(dict.fromkeys(found), key=lambda address: ":" in address))

    @cached_property
    def same_host(self) -> bool:
        """Whether the engine's containers hang on bridges of this process's own network namespace."""
        if not any(self.is_local(gateway) for gateway in self.gateways(self.default_network)):
            return False
        # another engine's bridge may have the same address: one in a virtual machine has another name, too
        return not elsewhere(self.engine.url) and self.info.name in ("", socket.gethostname())

    @property
    def far_host(self) -> str:
        """The engine's host as this process calls it, where that is another machine: what is bound there to every address is asked by it."""
        return "" if self.same_host or self.in_container else far_host(self.engine.url)

    @property
    def has_loopback(self) -> bool:
        """Whether the host's 127.0.0.1, as this process asks it, is certainly the one that the engine binds ports to.

        A rootless engine of this machine binds them here, though its bridges are in a namespace of its own. A virtual machine
        (Docker Desktop, Colima) passes most of them on, which proves nothing of one that is silent.
        """
        if self.same_host or self.in_container:
            return True
        return self.info.rootless and self.info.name == socket.gethostname() and not far_host(self.engine.url)

    @property
    def may_have_loopback(self) -> bool:
        """Whether a port that is bound to 127.0.0.1 there may be reached here at all."""
        return self.has_loopback or not (far_host(self.engine.url) or elsewhere(self.engine.url))

    def bridge_is_there(self) -> None:
        """Look once more, now that a container runs, where podman had no bridge before."""
        if self.version.kind == "podman" and not self._looked_again:
            self._looked_again = True
            vars(self).pop("same_host", None)

    def gateways(self, network: str) -> tuple[str, ...]:
        """The host's own addresses on a network."""
        return self.engine.network(network).gateways

    def near(self, facts: ContainerFacts) -> tuple[Channel, str]:
        """The cheapest way to ask a container whether it answers: from this process, else from its own namespace."""
        for endpoint in facts.endpoints:
            if endpoint.ip and self.same_host and self.is_local(endpoint.gateway):
                return self._here, endpoint.ip
        return self.agents.channel(facts.id), next(iter(facts.addresses), LOOPBACK)

    def host_channel(self) -> Channel:
        """The host as a source: this process, or a sidecar on the engine's host where this process is elsewhere on it."""
        if self.in_container:
            return self.agents.channel(HOST)
        return self._here

    @cached_property
    def in_container(self) -> bool:
        """Whether this process runs in a container of this very engine."""
        own = own_container()
        if not own:
            return False
        try:
            self.engine.inspect(own)
        except NotFound:
            return False
        return True

    def take_back(self, container: str) -> None:
        """Remove what nobody wants any more, beside what matters more; one that stays all the same is the helper's."""
        self.doubt.undo(partial(self.engine.remove, container))

    def renew_partitions(self, container: str) -> None:
        """Of a container that was started, or has joined a network. Raises ``CapabilityError``."""
        for renew in tuple(self.renewals):
            renew(container)

    def leave(self, network: str, container: str) -> None:
        """Take a container off a network; the names that it had there stay known to be its own."""
        with contextlib.suppress(NotFound):  # the engine has words of its own for that
            facts = self.facts.get(container)
            self.former_names[container] |= names_of(facts, (), self.names.get(container, ""))
        self.engine.disconnect(network, container)
        self.facts.forget(container)

    def let_go(self, container: str, held: object) -> bool:
        """The tests hold this object of a container no longer; whether they hold none of it any more."""
        if self.known.get(container) is not held:
            return container not in self.known
        del self.known[container]
        self.names.pop(container, None)
        return True

    def known_containers(self) -> tuple[object, ...]:
        """Every container that the tests hold."""
        return tuple(self.known.values())

    def name_of(self, container: str) -> str:
        """What the tests call a container; the engine's name, or the short id, of one that they did not make."""
        if container in self.names:
            return self.names[container]
        try:
            return self.engine.inspect(container).name
        except EngineError:
            return container[:12]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _can_bind(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True

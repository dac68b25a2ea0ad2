"""The facade: what fixtures yield and the command line uses."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from . import labels
from .actions.containers import side_by_side
from .actions.images import CLIENT, SERVER
from .actions.services import Services
from .errors import NotFound, SpecError
from .handles.adopting import identified, own_name
from .handles.container import Container
from .handles.engine import Bridge, Engine
from .handles.holdings import Holdings
from .handles.host import Host
from .handles.image import Image
from .handles.making import make, make_network
from .handles.network import Network
from .handles.own import Client, Own, Server
from .handles.planning import Links, Networks, Wish
from .handles.source import Destination, Source
from .logic import stack
from .logic.given import kind, shown, text
from .logic.names import checked, on_engine
from .logic.networks import planned
from .model.spec import NetworkPlan

if TYPE_CHECKING:
    from .handles.matrix import Matrix

T = TypeVar("T")

#: What is named beside containers.
NETWORK = "network"


class Lab:
    """Makes containers and networks, and removes them when it closes.

    Args:
        services: of the session.
        mark: sets the names of this lab apart from those of others on the engine; empty for the session's own.
        keep: with ``--dockconn-reuse``, what it makes outlives the run.
    """

    def __init__(self, services: Services, mark: str = "", *, keep: bool = False) -> None:
        self._services = services
        self._keep = keep and services.reuse is not None
        self._mark = mark
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._networks: set[str] = set()
        self._containers: set[str] = set()
        self._holdings = Holdings(services)
        self.host = Host(services)
        self.engine = Engine(services)
        self.bridge = Bridge(services)

    @property
    def containers(self) -> list[Own]:
        """What it has made and not yet removed."""
        return list(self._holdings.containers)

    def _taken(self, role: str) -> set[str]:
        """The names of its kind: to the engine a network and a container may have the same."""
        return self._networks if role == NETWORK else self._containers

    def _name(self, role: str, name: str | None) -> str:
        taken = self._taken(role)
        with self._lock:
            if name is None:
                self._counts[role] = self._counts.get(role, 0) + 1
                while f"{role}{self._counts[role]}" in taken:
                    self._counts[role] += 1
                name = f"{role}{self._counts[role]}"
            elif checked(name) in taken:
                raise SpecError(
                    f"the name {name!r} is taken in this lab",
                    checked=f"the names of its {'networks' if role == NETWORK else 'containers'}: {', '.join(sorted(taken))}",
                    remedy="choose another, or leave it out",
                )
            taken.add(name)
            return name

    def server(
        self,
        *,
        expose: Any = (80,),
        bind: Mapping[Any, Any] | None = None,
        networks: Networks | None = None,
        aliases: Iterable[str] = (),
        env: Mapping[str, str] | None = None,
        image: Image | str | None = None,
        command: Iterable[str] | None = None,
        name: str | None = None,
        links: Links = (),
        hostname: str | None = None,
        network_mode: str | None = None,
        dns: Iterable[str] = (),
        extra_hosts: Mapping[str, str] | None = None,
    ) -> Server:
        """A server that answers HTTP on every TCP port of ``expose`` and ``bind``, and echoes on every UDP port.

        Args:
            expose: ports: ``80``, ``"53/udp"``, ``"3000-3003"``; ``()`` listens on nothing unless something is bound. With a
                command or an image of the caller's own also ``"9/sctp"``, which is not waited for.
            bind: container port to host port: ``{80: None}`` any free port of 127.0.0.1, ``{80: 8080}``,
                ``{80: ("0.0.0.0", 8080)}``, a range ``"25232-25234"``, or a list of these.
            networks: to join at its creation; the default network if none is named. A mapping gives static addresses:
                ``{network: "192.0.2.5"}``, and None for one that the engine chooses.
            aliases: DNS names on those networks.
            env: variables.
            image: of the caller's own, or a committed one; pulled where it is not there.
            command: the whole argv; with it, or with an image of the caller's own, it waits only until the ports listen.
            name: for messages and DNS; on the engine it is prefixed.
            links: as for ``client``.
            hostname: the container's own.
            network_mode: ``"host"`` or ``"none"``.
            dns: addresses of name servers.
            extra_hosts: lines for its /etc/hosts.

        Returns:
            The server, when it answers on its ports.

        Raises:
            SpecError: something that can't be; nothing was created.
            PortInUse: a host port is taken; nothing is left behind.
            StartFailed: it ended, or never answered; with exit code and last log lines.
        """
        made = self._make(
            Wish(
                role=SERVER, name=self._name(SERVER, name), expose=expose, bind=bind, networks=networks, aliases=aliases, env=env,
                image=image, command=command, links=links, hostname=hostname, network_mode=network_mode, dns=dns,
                extra_hosts=extra_hosts,
            )
        )  # fmt: skip
        assert isinstance(made, Server)
        return made

    def client(
        self,
        *,
        links: Links = (),
        networks: Networks | None = None,
        aliases: Iterable[str] = (),
        env: Mapping[str, str] | None = None,
        image: Image | str | None = None,
        command: Iterable[str] | None = None,
        name: str | None = None,
        expose: Any = (),
        bind: Mapping[Any, Any] | None = None,
        hostname: str | None = None,
        network_mode: str | None = None,
        dns: Iterable[str] = (),
        extra_hosts: Mapping[str, str] | None = None,
    ) -> Client:
        """A client to ask from.

        Args:
            links: servers, or a mapping of alias to server; on the default network a link as ``docker run --link`` makes
                it, on networks of one's own a DNS name that this client alone sees (there also names of containers to come).
            networks: and all others as for ``server``.

        Raises:
            SpecError: something that can't be; nothing was created.
            CapabilityError: links, on an engine that refuses them.
        """
        made = self._make(
            Wish(
                role=CLIENT, name=self._name(CLIENT, name), links=links, networks=networks, aliases=aliases, env=env, image=image,
                command=command, expose=expose, bind=bind, hostname=hostname, network_mode=network_mode, dns=dns,
                extra_hosts=extra_hosts,
            )
        )  # fmt: skip
        assert isinstance(made, Client)
        return made

    def _make(self, wish: Wish) -> Own:
        with self._making(wish.role, wish.name):
            made = make(self._services, self._mark, wish, keep=self._keep)
            self._holdings.add(made)
        return made

    def finds_things(self) -> bool:
        """Whether an earlier run may have left what this lab is about to be asked for."""
        return self._keep and self._services.reuse is not None and bool(self._services.reuse.offers())

    @contextlib.contextmanager
    def _making(self, role: str, name: str) -> Iterator[None]:
        """A name that nothing was made for is free again; the next one without a name gets the first that is free."""
        try:
            self._holdings.check()
            self._services.begin()
            with self._services.doubt.about():
                yield
        except BaseException:
            with self._lock:
                self._taken(role).discard(name)
                self._counts[role] = 0
            raise

    def network(
        self,
        name: str | None = None,
        *,
        internal: bool = False,
        ipv6: bool = False,
        subnet: str | None = None,
        icc: bool = True,
        driver: str = "bridge",
        options: Mapping[str, str] | None = None,
    ) -> Network:
        """A network of one's own.

        Args:
            name: for messages; on the engine it is prefixed.
            internal: no way out.
            ipv6: both families.
            subnet: such as ``"192.0.2.0/24"``; else the engine chooses (for IPv6, where it can't, a free unique local one).
            icc: whether its containers may talk to each other.
            driver: of the engine.
            options: of the driver, such as ``{"com.docker.network.driver.mtu": "1234"}``.

        Raises:
            SpecError: a subnet that is none, or that another network has a part of; nothing was created.
            DockconnError: the engine has no addresses left.
        """
        called = self._name(NETWORK, name)
        on = on_engine(self._services.run, self._mark, called)
        marks = labels.made(self._services.run, on, NETWORK)
        with self._making(NETWORK, called):
            plan: NetworkPlan = planned(
                on, marks, internal=internal, ipv6=ipv6, subnet=subnet, icc=icc, driver=driver, options=options
            )
            network = make_network(self._services, self._mark, plan, called, keep=self._keep)
            self._holdings.add(network)
        return network

    def adopt(self, container: object, *, name: str | None = None) -> Container:
        """A container that someone else runs: it can be probed and probed from, and is never changed.

        Args:
            container: an id, a name, a docker-py container, or a testcontainers container.
            name: for messages and matrices; what the engine calls it if None.

        Raises:
            SpecError: it is none of these, or the engine has no such container.
        """
        wanted, known_as = identified(container), own_name(name)
        self._holdings.check()
        self._services.begin()
        try:
            facts = self._services.engine.inspect(wanted)
        except NotFound as error:
            raise SpecError(
                f"there is no container {shown(wanted)} to adopt",
                checked=f"the containers of the engine at {self.engine.url}",
                remedy="see `docker ps -a`; a container of another engine can't be adopted",
            ) from error
        adopted = Container(self._services, facts, known_as)
        self._holdings.adopt(adopted)
        return adopted

    def compose(self, project: str) -> dict[str, Container]:
        """Every running container of a compose project, adopted, by the name of its service; replicas are ``web-1``, ``web-2``.

        Raises:
            SpecError: no container of such a project runs, or two would have one name.
        """
        text(project, "project", "write the name of a compose project")
        there = self._services.engine.containers(stack.PROJECT, running=True)
        mine = [(str(c["id"]), _marks(c)) for c in there if _marks(c).get(stack.PROJECT) == project]
        services = stack.by_service(mine)
        if not services:
            projects = sorted({str(_marks(c).get(stack.PROJECT)) for c in there})
            raise SpecError(
                f"no container of a compose project {shown(project)} runs",
                checked=f"running projects: {', '.join(projects) or 'none'}",
                remedy=f"start it: docker compose -p {project} up -d",
            )
        return {name: self.adopt(one, name=name or None) for name, one in services.items()}

    def matrix(
        self, sources: Iterable[Source], destinations: Iterable[Destination] | None = None, *, timeout: float = 1.0
    ) -> Matrix:
        """Ask every pair, concurrently.

        Args:
            sources: containers, and the host if wanted.
            destinations: ports, containers with one exposed port, URLs; if None every port that the containers among
                the sources expose, or listen on for others; then none is asked by itself.
            timeout: seconds to the first line of an answer, for each probe.

        Raises:
            SpecError: what can't ask, or can't be asked.
        """
        from .handles.matrix import ask_matrix  # noqa: PLC0415 - few runs ask for one

        return ask_matrix(self._services, sources, destinations, timeout)

    def side_by_side(self, *make: Callable[[], T]) -> list[T]:
        """Make several at once, each by a call without arguments; returns what they return, in their order.

        Starting a container is mostly waiting for the engine, so four take little longer than one. Those without a name
        of their own are numbered in the order in which they happen to come.

        Raises:
            SpecError: something that can't be called; nothing was.
            DockconnError: the first one of theirs, after all have ended; what was made stays with the lab.
        """
        for one in make:
            if not callable(one):
                raise SpecError(
                    f"{shown(one)} can't be called",
                    checked=kind(one),
                    remedy="write side_by_side(dockconn.server, lambda: dockconn.client(name='me'))",
                )
        return list(side_by_side(*make))

    @contextlib.contextmanager
    def partition(
        self,
        a: Container | Network,
        b: Container | Network,
        *,
        one_way: bool = False,
        how: str = "drop",
        allow_adopted: bool = False,
    ) -> Iterator[None]:
        """Inside neither reaches the other, all else does; healed on the way out, also after an exception.

        Packet filter rules in the containers' own network namespaces, for IPv4 and IPv6, addresses and bound ports; live
        connections are cut too.

        Args:
            a: a container, or a network: then the other is cut off from all of its subnets.
            b: likewise; one of the two is a container.
            one_way: only what ``a`` begins is cut; ``b`` still reaches ``a``.
            how: ``drop`` (it times out) or ``reject`` (it is refused).
            allow_adopted: whether rules may be set for a container that someone else runs.

        Raises:
            SpecError: what can't be cut.
            NotOurs: an adopted container, without ``allow_adopted``.
            CapabilityError: the engine's kernel has no packet filter, or both share the host's network.
        """
        from .handles.partition import partitioned  # noqa: PLC0415 - few runs cut anything

        with partitioned(self._services, a, b, one_way=one_way, how=how, allow_adopted=allow_adopted):
            yield

    def close(self) -> None:
        """Remove what was made, side by side and in the background; ``Services.remover`` can be waited for."""
        self.host.close()
        self._holdings.close()


def _marks(entry: Mapping[str, object]) -> Mapping[str, str]:
    marks = entry["labels"]
    assert isinstance(marks, dict)
    return marks

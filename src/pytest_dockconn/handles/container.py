"""Containers, as a test sees them: sources, destinations, and machines to run commands in."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import replace

from .. import labels
from ..actions import agents
from ..actions.containers import await_answers, last_lines, raise_if_ended
from ..actions.services import Services
from ..actions.sidecars import runs_agent
from ..errors import DockconnError, NotFound, NotOurs, SpecError
from ..logic import links, ports
from ..logic.text import printable
from ..logic.wiring import bound_targets, port_targets
from ..model.facts import Binding, ContainerFacts
from ..model.probe import Target
from ..model.spec import PortKey
from .image import Image
from .network import Network
from .port import Port
from .source import Source

#: Seconds between SIGTERM and SIGKILL.
STOP_TIME = 5


class Container(Source):
    """A container that can be probed and probed from.

    One that was adopted is never stopped, changed or removed: those calls raise ``NotOurs``.
    """

    ours = False

    def __init__(self, services: Services, facts: ContainerFacts, name: str | None = None) -> None:
        self.services = services
        self.name = name or facts.name
        self._id = facts.id
        self._last = facts
        services.names[facts.id] = self.name
        services.known[facts.id] = self

    @property
    def id(self) -> str:
        """The full id."""
        return self._id

    @property
    def engine_name(self) -> str:
        """What the engine calls it."""
        return self.facts().name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Container) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self._id[:12]}>"

    # As a source

    @property
    def source_id(self) -> str | None:
        """Its id."""
        return self._id

    def source_facts(self) -> ContainerFacts | None:
        """What it is like now."""
        return self.facts()

    # As a destination

    @property
    def speaks(self) -> bool:
        """Whether its answers say that they are its own."""
        return self._id in self.services.speakers

    def facts(self) -> ContainerFacts:
        """What it is like now; what it was like last, with status ``removed``, where it is gone."""
        try:
            facts = self.services.facts.get(self._id)
        except NotFound:
            return _gone(self._last)
        if facts.endpoints and any(e.ip or e.ip6 for e in facts.endpoints):
            self._last = facts
        return facts

    def last_facts(self) -> ContainerFacts:
        """What it is like now, with its last addresses where it has none: a stranger may have taken them over."""
        facts = self.facts()
        if facts.addresses or facts.running:
            return facts
        return replace(facts, endpoints=self._last.endpoints, bindings=self._last.bindings)

    def port(self, number: int | str, protocol: str = "tcp") -> Port:
        """A port by the container's own addresses. Raises ``SpecError`` for a number that is no port."""
        return Port(self, _key(number, protocol))

    def bound_port(self, number: int | str, protocol: str = "tcp") -> Port:
        """A port as it is bound to the host. Raises ``DockconnError`` where nothing is bound."""
        port = Port(self, _key(number, protocol), bound=True)
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
        if port.bound:
            found = bound_targets(facts, self._bindings(port.key), port.key, port.where, source, speaks=self.speaks)
        else:
            found = port_targets(facts, port.key, port.where, source, speaks=self.speaks)
        if not found:
            raise DockconnError(
                f"{self.name} has no address to ask {port} by",
                checked=f"{facts.status}, network mode {facts.network_mode}; networks: "
                + (", ".join(f"{e.network} {e.ip or e.ip6 or 'without address'}" for e in facts.endpoints) or "none"),
                remedy="connect it to a network, or ask by another network, address or name",
            )
        return found

    # As a machine

    @property
    def ip(self) -> str:
        """The IPv4 address on its first network; empty where it has none."""
        return next((e.ip for e in self.last_facts().endpoints if e.ip), "")

    @property
    def ip6(self) -> str:
        """The IPv6 address on the first network that gave it one; empty where none did."""
        return next((e.ip6 for e in self.last_facts().endpoints if e.ip6), "")

    def ip_on(self, network: Network | str) -> str:
        """The address on a network, IPv4 if it has one. Raises ``DockconnError`` where it is not on it."""
        named = network if isinstance(network, str) else network.id
        endpoint = self.facts().endpoint(named)
        if endpoint is None:
            on = ", ".join(e.network for e in self.facts().endpoints)
            raise DockconnError(
                f"{self.name} is not on network {network}",
                checked=f"it is on: {on or 'none'}",
                remedy="connect it first",
            )
        return endpoint.ip or endpoint.ip6

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its main process was started with, those of links included."""
        facts = self.facts()
        if not runs_agent(facts):
            return self._environment_inside(facts)
        return dict(agents.look(self.services.agents.channel(self._id), "environ")["environ"])

    def _environment_inside(self, facts: ContainerFacts) -> dict[str, str]:
        return dict(facts.env)

    @property
    def hosts(self) -> dict[str, tuple[str, ...]]:
        """Its /etc/hosts: name to addresses."""
        return links.hosts(str(agents.look(self.services.agents.channel(self._id), "hosts")["hosts"]))

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:  # noqa: ARG002
        """Run a command in it, without a shell.

        Returns:
            ``returncode``, ``stdout`` and ``stderr`` as text.

        Raises:
            subprocess.CalledProcessError: ``check`` is true and the command ended with another code than 0.
        """
        raise self._refused("run a command in")

    def logs(self) -> str:
        """Its output so far: untrusted, as it is."""
        return self.services.engine.logs(self._id)

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

    def _refused(self, what: str) -> NotOurs:
        return NotOurs(
            f"refused to {what} {self.name}: it was adopted, and what others made is never changed",
            checked=f"container {self._id[:12]}",
            remedy="do it with the tool that made it",
        )

    def last_lines(self, count: int = 20) -> str:
        """The end of its output, fit to be shown."""
        return last_lines(self.services.engine, self._id, count)


class Own(Container):
    """A container that this run made."""

    ours = True

    def __init__(
        self,
        services: Services,
        facts: ContainerFacts,
        name: str,
        *,
        ports_awaited: tuple[PortKey, ...] = (),
        speaks: bool = False,
    ) -> None:
        super().__init__(services, facts, name)
        self._awaited = ports_awaited
        self.images: list[str] = []
        if speaks:
            services.speakers.add(facts.id)

    def _environment_inside(self, facts: ContainerFacts) -> dict[str, str]:
        done = self.services.engine.execute(self._id, ["cat", "/proc/1/environ"])
        if done.returncode:
            return super()._environment_inside(facts)
        pairs = (pair.partition("=") for pair in done.stdout.split("\0") if pair)
        return {name: value for name, _, value in pairs}

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in it, without a shell. Raises ``CalledProcessError`` as ``subprocess.run`` does."""
        if not argv or not all(isinstance(word, str) for word in argv):
            raise SpecError(
                f"run{argv!r}: every word of a command is a string", remedy='write run("curl", "-s", "http://server3/")'
            )
        done = self.services.engine.execute(self._id, argv)
        if check and done.returncode:
            raise CommandFailed(done.returncode, list(argv), done.stdout, done.stderr)
        return subprocess.CompletedProcess(list(argv), done.returncode, done.stdout, done.stderr)

    def stop(self) -> None:
        """Stop it: SIGTERM, SIGKILL after 5 s. Its addresses and free host ports may be others when it starts again."""
        facts = self.facts()  # remembers the last addresses
        if facts.running and runs_agent(facts):
            # process 1 ignores SIGTERM until it has a handler: in the agent's first 50 ms a stop would take all of 5 s
            with contextlib.suppress(DockconnError):
                agents.look(self.services.agents.channel(self._id), "container")
        try:
            self.services.engine.stop(self._id, STOP_TIME)
        finally:
            self.services.facts.forget(self._id)
        self.services.agents.release(self._id)

    def start(self) -> None:
        """Start it again; returns when it answers as it did at first. Raises ``StartFailed``, ``PortInUse``."""
        self.services.engine.start(self._id)
        self.services.facts.forget(self._id)
        await_answers(self.services, self.facts(), self._awaited, speaks=self.speaks)
        if not self._awaited:
            raise_if_ended(self.services.engine, self._id)

    def restart(self) -> None:
        """Stop, then start."""
        self.stop()
        self.start()

    def commit(self, tag: str) -> Image:
        """Make an image of it, as ``docker commit`` does; it is removed with the lab. Raises ``SpecError`` for a bad tag."""
        repository, _, version = tag.partition(":")
        if not repository or repository != repository.lower() or any(c.isspace() for c in tag):
            raise SpecError(f"{tag!r} is not an image's name", remedy="write client_img or client_img:1")
        name = f"{repository}:{version or 'latest'}"
        self.services.remover.join()  # an earlier test's image of that name may be about to go
        there = self.services.engine.image(name)
        if there is not None and there.labels.get(labels.ROLE) != "commit":
            raise SpecError(
                f"image {name} is there already and was not made here, so it is not replaced",
                checked=f"the images of the engine at {self.services.engine.url}",
                remedy="choose another tag, or remove it first",
            )
        facts = self.facts()
        # A container inherits the labels of its image: these bear the image's name, so nothing started of it looks ours.
        marks = labels.made(self.services.run, name, "commit")
        marks[labels.SPEAKS] = facts.labels.get(labels.SPEAKS, "")
        made = self.services.engine.commit(self._id, repository, version or "latest", marks)
        self.images.append(name)
        return Image(made, name)

    def discard(self) -> None:
        """Remove it and its sidecar."""
        self.services.agents.release(self._id)
        self.services.engine.remove(self._id)
        self.services.facts.forget(self._id)
        self.services.known.pop(self._id, None)


class Server(Own):
    """A container that answers: HTTP on every TCP port, an echo on every UDP port; or what the caller's image does."""


class Client(Own):
    """A container to ask from; its main process is the agent, so that a probe costs no exec."""


class CommandFailed(subprocess.CalledProcessError):
    """A command in a container that failed, with the end of what it wrote."""

    def __str__(self) -> str:
        said = printable((self.stderr or "") + (self.stdout or "")).strip()[-1000:]
        return f"{super().__str__()}\n{said}" if said else super().__str__()


def _key(number: int | str, protocol: str) -> PortKey:
    if isinstance(number, str):
        return ports.one(number)
    return ports.one((number, protocol))


def _gone(facts: ContainerFacts) -> ContainerFacts:
    return replace(facts, status="removed", pid=0)

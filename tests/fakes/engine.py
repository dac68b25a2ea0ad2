"""An engine in memory. Its containers answer for real, on addresses of 127.0.0.0/8; see ``wire`` and ``process``."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import queue
import re
import secrets
import shlex
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import IO, TypeVar

from msgspec.structs import replace

from pytest_dockconn.engine.port import Stream
from pytest_dockconn.engine.refusal import gone, refusal, timed_out, too_long, too_much
from pytest_dockconn.engine.translate import in_order
from pytest_dockconn.errors import EngineError
from pytest_dockconn.labels import committed_by
from pytest_dockconn.logic.links import Link, variables
from pytest_dockconn.model.facts import (
    Binding,
    ContainerFacts,
    Endpoint,
    Execution,
    ImageFacts,
    InfoFacts,
    NetworkFacts,
    VersionFacts,
)
from pytest_dockconn.model.spec import COMMAND, Attachment, Bound, ContainerPlan, NetworkPlan, PortKey, Publish

from . import process
from .process import AgentStream, Done, Surroundings
from .wire import Sockets, Subnet

T = TypeVar("T")

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BASE = "ubuntu:24.04"
#: What the engine says it speaks, by the first number of its version.
API = {"20": "1.41", "29": "1.52", "4": "1.41"}


@dataclass(slots=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        error: what is raised.
        call: the name of the call that fails; any if empty.
        skip: so many of these calls go well first.
        times: so often it fails; None: for ever.
        where: a part of the container's name, so that only calls about it fail.
    """

    error: Callable[[], Exception]
    call: str = ""
    skip: int = 0
    times: int | None = None
    where: str = ""


@dataclass(slots=True)
class _Network:
    facts: NetworkFacts
    subnet: Subnet
    configured: bool = False


@dataclass(slots=True)
class _Place:
    attachment: Attachment
    wanted: str | None = None
    ip: str = ""


@dataclass(slots=True)
class _Container:
    id: str
    plan: ContainerPlan
    image: ImageFacts
    exposed: tuple[PortKey, ...]
    places: dict[str, _Place]
    created: int = field(default_factory=lambda: int(time.time()))
    status: str = "created"
    code: int = 0
    error: str = ""
    pid: int = 0
    started: str = ""
    log: list[str] = field(default_factory=list)
    bindings: tuple[Binding, ...] = ()
    sockets: Sockets | None = None
    streams: list[AgentStream] = field(default_factory=list)

    @property
    def argv(self) -> tuple[str, ...]:
        return self.plan.command if self.plan.command is not None else self.image.command

    @property
    def running(self) -> bool:
        return self.status == "running"


class FakeEngine:
    """Satisfies ``pytest_dockconn.engine.port.Engine``.

    Args:
        kind: ``docker`` or ``podman``.
        version: decides what links do: with variables up to 28, without from 29; podman refuses them.
        url: what it says where it is.
        journal: a file that gets a line for everything that is made or removed, for those who can't look inside.
        remote: whether its addresses look as if they were another machine's.
    """

    def __init__(
        self,
        kind: str = "docker",
        version: str = "20.10.24",
        *,
        url: str = "fake://here",
        journal: Path | None = None,
        remote: bool = False,
    ) -> None:
        self.kind = kind
        self.number = version
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        #: containers with this in their name end at once, with this code and these logs
        self.short_lives: dict[str, tuple[int, str]] = {}
        #: what the next builds say, and how they fail
        self.build_fails: tuple[Sequence[str], str] | None = None
        self.closed = False
        self.id = secrets.token_hex(8)
        self._url = url
        self._journal = journal
        self._remote = remote
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._pids = itertools.count(100001)
        self._containers: dict[str, _Container] = {}
        self._networks: dict[str, _Network] = {}
        self._images: dict[str, ImageFacts] = {}
        #: of images, what a Dockerfile's CMD goes behind
        self._entrypoints: dict[str, tuple[str, ...]] = {}
        #: how those were made that a build came to
        self._made_by: dict[str, str] = {}
        self._listeners: list[queue.SimpleQueue[Mapping[str, object] | None]] = []
        self.default = "podman" if kind == "podman" else "bridge"
        self._add_network(
            NetworkPlan(name=self.default, labels={}, options={"com.docker.network.bridge.name": "docker0"})
        )
        base = hashlib.sha256(BASE.encode()).hexdigest()
        self._add_image(ImageFacts(f"sha256:{base}", (BASE,), {}, ("sh",), ()))

    # For tests

    @property
    def names(self) -> list[str]:
        """The names of all containers."""
        return sorted(c.plan.name for c in self._containers.values())

    @property
    def made_networks(self) -> list[str]:
        """The names of the networks that were made."""
        return sorted(n.facts.name for n in self._networks.values() if n.facts.name != self.default)

    @property
    def tags(self) -> list[str]:
        """The tags of all images."""
        return sorted(tag for image in self._images.values() for tag in image.tags)

    def plan(self, part: str) -> ContainerPlan:
        """What the one container with this in its name was made of."""
        (found,) = [c.plan for c in self._containers.values() if part in c.plan.name]
        return found

    def tag(self, image: str, name: str) -> None:
        """Another tag for an image, as ``docker tag`` does it."""
        found = self._find_image(image)
        assert found is not None
        self._add_image(replace(found, tags=(*found.tags, name)))

    def kill(self, container: str, code: int = 137) -> None:
        """A container dies by itself."""
        with self._lock:
            self._end(self._container(container), code)

    def die(self, call: str = "") -> None:
        """From now on nobody answers."""
        self.faults.append(Fault(lambda: gone(self._url, "asking", "Connection refused"), call))

    def hang(self, call: str = "") -> None:
        """From now on every call takes until its time limit, which no test waits for."""
        self.faults.append(Fault(lambda: timed_out(self._url, "asking", 20.0), call))

    def _enter(self, call: str, about: str = "") -> None:
        with self._lock:
            self.calls.append(f"{call} {about}".strip())
            for fault in self.faults:
                if fault.call not in ("", call) or fault.where not in self._name(about) or fault.times == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times = None if fault.times is None else fault.times - 1
                raise fault.error()

    def _name(self, about: str) -> str:
        return self._containers[about].plan.name if about in self._containers else about

    def _note(self, line: str) -> None:
        if self._journal is not None:
            with self._journal.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    # Who it is

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    def version(self) -> VersionFacts:
        """Who answers."""
        self._enter("version")
        api = API.get(self.number.partition(".")[0], "1.47")
        return VersionFacts(self._url, self.kind, self.number, api, "1.24", "linux", "amd64")

    def info(self) -> InfoFacts:
        """What the engine says of itself."""
        self._enter("info")
        return InfoFacts(
            "elsewhere" if self._remote else socket.gethostname(),
            "In Memory",
            rootless=False,
            security=(),
            cgroup_version="2",
            id=self.id,
        )

    # Containers

    def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id."""
        self._enter("create", plan.name)
        doing = f"creating container {plan.name}"
        with self._lock:
            image = self._find_image(plan.image)
            if image is None:
                raise refusal(404, f"No such image: {plan.image}", doing)
            holder = next((c for c in self._containers.values() if c.plan.name == plan.name), None)
            if holder is not None:
                words = f'Conflict. The container name "/{plan.name}" is already in use by container "{holder.id}".'
                raise refusal(409, words, doing)
            if plan.command is None and not image.command:
                raise refusal(400, "No command specified", doing)
            if plan.links and self.kind == "podman":
                raise refusal(400, "bad parameter: link is not supported", doing)
            for source, _ in plan.links:
                self._container(source, doing)
            made = _Container(secrets.token_hex(32), plan, image, _exposed(plan, image), self._places(plan, doing))
            self._containers[made.id] = made
        self._note(f"made {plan.name}")
        self._emit("container", "create", made.id)
        return made.id

    def _places(self, plan: ContainerPlan, doing: str) -> dict[str, _Place]:
        if plan.network_mode in ("none", "host") or (plan.network_mode or "").startswith("container:"):
            return {}
        wishes = plan.attachments or (Attachment(self.default),)
        return {self._network(w.network, doing).facts.id: _Place(w, w.ip or None) for w in wishes}

    def start(self, container: str) -> None:
        """Start it. Raises ``PortInUse`` where a host port is taken."""
        self._enter("start", container)
        doing = f"starting container {container[:12]}"
        with self._lock:
            one = self._container(container, doing)
            if one.running:
                return
            self._check_mode(one, doing)
            try:
                self._begin(one)
            except ValueError as error:
                self._leave(one)
                raise refusal(403, str(error), doing) from error
            try:
                done = self._main(one, doing)
            except BaseException:
                self._leave(one)
                raise
            for stream in one.streams:
                stream.begin()
            if done is not None:
                one.log += [done.out, done.err]
                self._end(one, done.code)

    def _check_mode(self, one: _Container, doing: str) -> None:
        mode = one.plan.network_mode or ""
        if mode.startswith("container:") and not self._container(mode.partition(":")[2], doing).running:
            raise refusal(409, "cannot join network of a non running container", doing)
        for source, _ in one.plan.links:
            if not self._container(source, doing).running:
                raise refusal(500, f"Cannot link to a non running container: /{source}", doing)

    def _begin(self, one: _Container) -> None:
        for network, place in one.places.items():
            place.ip = self._networks[network].subnet.take(place.wanted)
            self._emit("network", "connect", one.id)
        one.sockets = Sockets(one.id, one.log.append, next((w[6:] for w in one.argv if w.startswith("token=")), ""))
        one.pid = next(self._pids)
        one.started = datetime.now(timezone.utc).isoformat()
        one.status, one.code, one.error = "running", 0, ""
        self._emit("container", "start", one.id)

    def _main(self, one: _Container, doing: str) -> Done | None:
        """Run the main process: the way it ended, or None where it runs on."""
        short = next((life for part, life in self.short_lives.items() if part in one.plan.name), None)
        if short is not None:
            return Done(short[0], short[1])
        name, *words = one.argv
        listens: tuple[PortKey, ...] = ()
        if name == "dockconn-serve":
            listens = tuple(_key(word) for word in words if not word.startswith("token="))
        elif name not in ("dockconn-agent", "sleep"):
            done = process.run(one.argv, self._environ(one), self._hosts(one))
            if done is None:
                one.error = f'exec: "{name}": executable file not found in $PATH: unknown'
                one.code = 127
                raise refusal(400, f"OCI runtime create failed: {one.error}", doing)
            return done
        self._listen(one, listens)
        self._publish(one, listens, doing)
        return None

    def _listen(self, one: _Container, ports: Sequence[PortKey]) -> None:
        assert one.sockets is not None
        for address in self._addresses(one) or ("127.0.0.1",):
            for port in ports:
                (one.sockets.http if port.protocol == "tcp" else one.sockets.echo)(address, port.number)

    def _publish(self, one: _Container, listens: Sequence[PortKey], doing: str) -> None:
        # as seen on docker 20.10: what is not exposed is not published either
        wishes = [wish for wish in one.plan.publish if wish.port in (*one.plan.expose, *one.image.exposed)]
        bound = [self._bind(one, wish, wish.port in listens, doing) for wish in wishes]
        one.bindings = tuple(sorted(bound, key=lambda b: (b.port, ":" in b.address, b.address, b.host_port)))

    def _bind(self, one: _Container, wish: Publish, listens: bool, doing: str) -> Binding:
        assert one.sockets is not None
        first, _, last = (wish.host or "0").partition("-")
        inside = (next(iter(self._addresses(one)), "127.0.0.1"), wish.port.number)
        for number in range(int(first), int(last or first) + 1):
            with contextlib.suppress(OSError):
                if wish.port.protocol == "tcp":
                    got = one.sockets.forward(wish.address, number, inside)
                else:
                    got = (one.sockets.echo if listens else one.sockets.swallow)(wish.address, number)
                return Binding(wish.port, wish.address, got)
        words = f"Bind for {wish.address}:{first} failed: port is already allocated"
        if last:
            words = f"all ports are allocated: {wish.address}:{first}-{last}"
        one.error = f"driver failed programming external connectivity on endpoint {one.plan.name}: {words}"
        raise refusal(500, one.error, doing)

    def stop(self, container: str, timeout: int) -> None:  # noqa: ARG002 - nothing here needs to be asked twice
        """Stop it."""
        self._enter("stop", container)
        with self._lock:
            one = self._container(container, f"stopping container {container[:12]}")
            if one.running:
                self._end(one, 137 if one.argv[0] == "sleep" else 0)
                self._emit("container", "stop", one.id)

    def _end(self, one: _Container, code: int) -> None:
        self._leave(one)
        one.status, one.code = "exited", code
        self._emit("container", "die", one.id)
        self._changed.notify_all()

    def _leave(self, one: _Container) -> None:
        """Give back what a container has while it runs."""
        if one.sockets is not None:
            one.sockets.close()
        for network, place in one.places.items():
            self._networks[network].subnet.give_back(place.ip)
            place.ip = ""
            self._emit("network", "disconnect", one.id)
        for stream in one.streams:
            stream.close()
        one.streams, one.sockets, one.bindings, one.pid, one.status = [], None, (), 0, "created"

    def remove(self, container: str) -> None:
        """Kill and remove it; no error where it is gone already."""
        self._enter("remove", container)
        with self._lock:
            try:
                one = self._container(container)
            except EngineError:
                return
            if one.running:
                self._end(one, 137)
            del self._containers[one.id]
            self._changed.notify_all()
        self._note(f"removed {one.plan.name}")
        self._emit("container", "destroy", one.id)

    def wait(self, container: str, timeout: float) -> int | None:
        """The exit code once it is not running any more; None after ``timeout`` seconds."""
        self._enter("wait", container)
        with self._lock:
            one = self._container(container, f"waiting for container {container[:12]}")
            return one.code if self._changed.wait_for(lambda: not one.running, timeout) else None

    def inspect(self, container: str) -> ContainerFacts:
        """What it is like now."""
        self._enter("inspect", container)
        with self._lock:
            one = self._container(container, f"inspecting container {container[:64]}")
            plan = one.plan
            return ContainerFacts(
                id=one.id,
                name=plan.name,
                image=plan.image,
                image_id=one.image.id,
                labels={**one.image.labels, **plan.labels},
                status=one.status,
                exit_code=one.code,
                error=one.error,
                oom_killed=False,
                pid=one.pid,
                hostname=plan.hostname or one.id[:12],
                env={"PATH": PATH, **plan.env},
                command=one.argv,
                network_mode=self._mode(plan),
                exposed=one.exposed,
                bindings=one.bindings,
                wanted_bindings=tuple(
                    Binding(p.port, p.address, int(p.host) if p.host.isdigit() else 0) for p in plan.publish
                ),
                endpoints=self._endpoints(one),
                links=plan.links,
                started_at=one.started,
            )

    def _mode(self, plan: ContainerPlan) -> str:
        """As seen on docker 20.10; podman names no network there."""
        first = plan.attachments[0].network if plan.attachments else "default"
        return plan.network_mode or ("bridge" if self.kind == "podman" else first)

    def _endpoints(self, one: _Container) -> tuple[Endpoint, ...]:
        found = []
        for network, place in one.places.items():
            facts = self._networks[network].facts
            gateway = next(iter(facts.gateways), "") if place.ip else ""
            aliases = (*place.attachment.aliases, one.id[:12]) if facts.name != self.default else ()
            links = place.attachment.links
            found.append(Endpoint(facts.name, network, place.ip, "", gateway, "", "02:42:7f:00:00:01", aliases, links))
        return in_order(found, self._mode(one.plan), {**one.image.labels, **one.plan.labels})

    def containers(self, label: str | None = None, *, running: bool = False) -> tuple[Mapping[str, object], ...]:
        """Containers, also stopped ones."""
        self._enter("containers")
        with self._lock:
            return tuple(
                {
                    "id": one.id,
                    "name": one.plan.name,
                    "labels": {**one.image.labels, **one.plan.labels},
                    "status": one.status,
                    "networks": {e.network: tuple(filter(None, (e.ip, e.ip6))) for e in self._endpoints(one)},
                    "image": one.image.id,
                    "command": " ".join(one.argv),
                    "created": one.created,
                    "network_mode": one.plan.network_mode or "default",
                    "ports": [(b.address, b.host_port, b.port.protocol) for b in one.bindings],
                }
                for one in self._containers.values()
                if _has({**one.image.labels, **one.plan.labels}, label) and (one.running or not running)
            )

    def logs(self, container: str, tail: int | None = None) -> str:
        """Its output so far."""
        self._enter("logs", container)
        doing = f"reading the logs of container {container[:12]}"
        with self._lock:
            one = self._container(container, doing)
            if not one.plan.keep_logs:
                raise refusal(501, "configured logging driver does not support reading", doing)
            lines = "".join(one.log).splitlines(keepends=True)
        return "".join(lines if tail is None else lines[-tail:])

    def execute(self, container: str, argv: Sequence[str], bound: Bound = COMMAND) -> Execution:
        """Run a command of a tiny set in it."""
        self._enter("execute", container)
        doing = f"running {' '.join(argv)[:80]!r} in container {container[:12]}"
        with self._lock:
            one = self._container(container, doing)
            if not one.running:
                raise refusal(409, f"Container {one.id} is not running", doing)
            done = process.run(argv, self._environ(one), self._hosts(one))
        if argv[0] == "sleep" and float(argv[1]) > bound.seconds:
            raise too_long(doing, bound)
        if bound is not None and done is not None and len(done.out + done.err) > bound.size:
            raise too_much(doing, bound)
        if done is None:
            words = f'OCI runtime exec failed: exec: "{argv[0]}": executable file not found in $PATH: unknown\r\n'
            done = Done(126, words)
        return Execution(tuple(argv), done.code, done.out, done.err)

    def attach(self, container: str) -> Stream:
        """Its standard streams; only the agent says something there."""
        self._enter("attach", container)
        with self._lock:
            one = self._container(container, f"attaching to container {container[:12]}")
            stream = AgentStream(lambda: self._surroundings(one), running=one.running, hears=one.plan.interactive)
            one.streams.append(stream)
        return stream

    def commit(self, container: str, repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of it and return the image's id."""
        self._enter("commit", container)
        with self._lock:
            one = self._container(container, f"committing container {container[:12]}")
            merged = {**one.image.labels, **one.plan.labels, **labels}
            name, comment = f"{repository}:{tag}", committed_by(labels)
            now = int(time.time())
            made = ImageFacts(_image_id(), (name,), merged, one.argv, one.exposed, comment, one.image.id, now)
            return self._add_image(made)

    # What a container sees

    def _namespace(self, one: _Container) -> _Container:
        mode = one.plan.network_mode or ""
        return self._container(mode.partition(":")[2]) if mode.startswith("container:") else one

    def _addresses(self, one: _Container) -> tuple[str, ...]:
        return tuple(e.ip for e in self._endpoints(self._namespace(one)) if e.ip)

    def _surroundings(self, one: _Container) -> Surroundings:
        with self._lock:
            whose = self._namespace(one)
            hosts = self._hosts(whose)
            own = None if whose.plan.network_mode == "host" else self._addresses(one)
            return Surroundings(one.id, own, self._environ(one), hosts, lambda name: self._resolve(whose, name))

    def _environ(self, one: _Container) -> dict[str, str]:
        found = {"PATH": PATH, "HOSTNAME": one.plan.hostname or one.id[:12]}
        if self.kind == "docker" and int(self.number.partition(".")[0]) < 29:
            for source, alias in one.plan.links:
                with contextlib.suppress(EngineError):
                    found |= self._link(one, self._container(source), alias)
        return {**found, **one.plan.env, "HOME": "/root"}

    def _link(self, one: _Container, source: _Container, alias: str) -> dict[str, str]:
        at = next((e.ip for e in self._endpoints(source) if e.network == self.default), "")
        tcp_first = int(self.number.partition(".")[0]) >= 28
        env = {"PATH": PATH, **source.plan.env}
        return variables(Link(one.plan.name, alias, at, source.exposed, env, tcp_first))

    def _hosts(self, one: _Container) -> str:
        lines = ["127.0.0.1\tlocalhost"]
        for source, alias in one.plan.links:
            with contextlib.suppress(EngineError):
                seen = self._container(source)
                lines += [f"{ip}\t{alias} {seen.id[:12]} {seen.plan.name}" for ip in self._addresses(seen)]
        lines += [f"{name_of}\t{name}" for name, name_of in one.plan.extra_hosts.items()]
        lines += [f"{ip}\t{one.plan.hostname or one.id[:12]}" for ip in self._addresses(one)]
        return "\n".join(lines) + "\n"

    def _resolve(self, one: _Container, name: str) -> str | None:
        """An address as it is; a name of /etc/hosts; a name of DNS on the networks that both are on."""
        with contextlib.suppress(ValueError):
            return str(ip_address(name))
        with self._lock:
            for line in self._hosts(one).splitlines():
                address, *names = line.split()
                if name in names:
                    return address
            for network, place in one.places.items():
                wanted = {source for source, alias in place.attachment.links if alias == name}
                for other in self._containers.values():
                    there = other.places.get(network)
                    called = {*there.attachment.aliases, other.plan.name, other.id[:12]} if there else set()
                    if there and there.ip and network != self._default_id and (name in called or wanted & called):
                        return there.ip
        return None

    # Images

    def image(self, name: str) -> ImageFacts | None:
        """An image that is there, or None."""
        self._enter("image", name)
        return self._find_image(name)

    def _find_image(self, name: str) -> ImageFacts | None:
        with self._lock:
            tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
            for image in self._images.values():
                digits = image.id.removeprefix("sha256:")
                if tagged in image.tags or name == image.id or (len(name) >= 12 and digits.startswith(name)):
                    return image
        return None

    def _add_image(self, image: ImageFacts) -> str:
        with self._lock:
            for other in list(self._images.values()):
                left = tuple(tag for tag in other.tags if tag not in image.tags)
                self._images[other.id] = replace(other, tags=left)
            self._images[image.id] = image
        return image.id

    def images(self, label: str, *, untagged: bool = False) -> tuple[ImageFacts, ...]:
        """The images that carry a label, the latest first."""
        self._enter("images")
        with self._lock:
            below = {one.parent for one in self._images.values()}
            found = [one for one in reversed(self._images.values()) if _has(one.labels, label)]
            return tuple(one for one in found if (not untagged if one.tags else one.id not in below))

    def history(self, image: str) -> tuple[str, ...]:
        """What made each layer of an image, the last first."""
        self._enter("history", image)
        with self._lock:
            one = self._find_image(image)
            if one is None:
                raise refusal(404, f"No such image: {image}", f"asking for the history of image {image}")
            above = [self._made_by.get(one.id, "")]
            return (*above, *self.history(one.parent)) if one.parent else tuple(above)

    def pull(self, name: str) -> None:
        """There is no registry."""
        self._enter("pull", name)
        words = f"pull access denied for {name}, repository does not exist or may require 'docker login'"
        raise refusal(404, words, f"pulling image {name}")

    def import_image(self, tar: IO[bytes], repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root file system's tar and return its id."""
        self._enter("import_image", f"{repository}:{tag}")
        tar.read()
        comment, now = committed_by(labels), int(time.time())
        return self._add_image(
            ImageFacts(_image_id(), (f"{repository}:{tag}",), dict(labels), (), (), comment, "", now)
        )

    def build(self, context: IO[bytes], dockerfile: str, tag: str, args: Mapping[str, str]) -> Iterator[str]:
        """Build an image: the Dockerfile's lines are its steps; ENTRYPOINT and CMD are what containers of it run."""
        self._enter("build", tag)
        with tarfile.open(fileobj=context) as tar:
            file = tar.extractfile(dockerfile)
            assert file is not None
            text = file.read().decode().replace("\\\n", " ")
        steps = [line for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
        made = self._find_image(args["BASE"])
        if made is None:
            raise refusal(404, f"pull access denied for {args['BASE']}", f"building image {tag}")
        for number, step in enumerate(steps, 1):
            yield f"Step {number}/{len(steps)} : {step}"
            if step.startswith("RUN") and self.build_fails is not None:
                lines, error = self.build_fails
                yield from lines
                raise EngineError(error)
            if not step.startswith(("ARG", "FROM")):
                made = self._step(made, step)
            yield f" ---> {made.id.removeprefix('sha256:')[:12]}"
        self._add_image(replace(made, tags=(tag,)))
        yield f"Successfully built {made.id.removeprefix('sha256:')[:12]}"
        yield f"Successfully tagged {tag}"

    def _step(self, below: ImageFacts, step: str) -> ImageFacts:
        """The image that a step comes to."""
        word, rest = step.split(maxsplit=1)
        pairs = dict(pair.split("=", 1) for pair in shlex.split(rest.replace(r"\$", "$"))) if word == "LABEL" else {}
        entrypoint, argv = self._entrypoints.get(below.id, ()), below.command
        if word == "ENTRYPOINT":
            entrypoint = argv = tuple(json.loads(rest))
        elif word == "CMD":
            argv = (*entrypoint, *json.loads(rest))
        made = ImageFacts(
            _image_id(), (), {**below.labels, **pairs}, argv, below.exposed, "", below.id, int(time.time())
        )
        self._entrypoints[made.id] = entrypoint
        self._made_by[self._add_image(made)] = f"/bin/sh -c #(nop)  {step}"
        return made

    def remove_image(self, name: str) -> None:
        """Remove an image, or a tag of it; no error where it is gone already."""
        self._enter("remove_image", name)
        doing = f"removing image {name}"
        with self._lock:
            found = self._find_image(name)
            if found is None:
                return
            tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
            by_tag = tagged in found.tags
            left = tuple(tag for tag in found.tags if by_tag and tag != tagged)
            has_children = any(one.parent == found.id for one in self._images.values())
            if not left and any(one.image.id == found.id for one in self._containers.values()):
                raise refusal(409, f"conflict: unable to remove {name}, a container uses it", doing)
            if not by_tag and (len(found.tags) > 1 or has_children):
                why = "image has dependent child images" if has_children else "referenced in multiple repositories"
                raise refusal(409, f"conflict: unable to delete {name} - {why}", doing)
            if left or has_children:
                self._images[found.id] = replace(found, tags=left)
                return
            del self._images[found.id]

    # Networks

    def create_network(self, plan: NetworkPlan) -> str:
        """Create a network and return its id."""
        self._enter("create_network", plan.name)
        with self._lock:
            if any(n.facts.name == plan.name for n in self._networks.values()):
                words = f"network with name {plan.name} already exists"
                raise refusal(409, words, f"creating network {plan.name}")
            made = self._add_network(plan)
        self._note(f"made {plan.name}")
        return made

    def _add_network(self, plan: NetworkPlan) -> str:
        four = [wished for wished in plan.subnets if ":" not in wished]
        subnet = Subnet(next(iter(four), None))
        facts = NetworkFacts(
            id=secrets.token_hex(32),
            name=plan.name,
            driver=plan.driver,
            scope="local",
            internal=plan.internal,
            ipv6=plan.ipv6,
            subnets=(*(() if four else (str(subnet.network),)), *plan.subnets),
            gateways=("203.0.113.1" if self._remote else subnet.gateway,),
            options=dict(plan.options),
            labels=dict(plan.labels),
            containers=(),
        )
        self._networks[facts.id] = _Network(facts, subnet, configured=bool(four))
        return facts.id

    @property
    def _default_id(self) -> str:
        return next(i for i, n in self._networks.items() if n.facts.name == self.default)

    def remove_network(self, network: str) -> None:
        """Remove a network; no error where it is gone already."""
        self._enter("remove_network", network)
        doing = f"removing network {network}"
        with self._lock:
            try:
                found = self._network(network, doing)
            except EngineError:
                return
            if self._on(found.facts.id):
                words = f"error while removing network: network {found.facts.name} has active endpoints"
                raise refusal(403, words, doing)
            del self._networks[found.facts.id]
            found.subnet.close()
        self._note(f"removed {found.facts.name}")

    def network(self, network: str) -> NetworkFacts:
        """A network by name or id."""
        self._enter("network", network)
        with self._lock:
            facts = self._network(network, f"inspecting network {network}").facts
            return replace(facts, containers=self._on(facts.id))

    def networks(self, label: str | None = None) -> tuple[NetworkFacts, ...]:
        """Networks, all or those with a label."""
        self._enter("networks")
        with self._lock:
            return tuple(n.facts for n in self._networks.values() if _has(n.facts.labels, label))

    def connect(self, network: str, container: str, attachment: Attachment) -> None:
        """Join a container to a network."""
        self._enter("connect", container)
        doing = f"connecting container {container[:12]} to network {network}"
        with self._lock:
            joined, one = self._network(network, doing), self._container(container, doing)
            if joined.facts.id in one.places:
                words = f"endpoint with name {one.plan.name} already exists in network {joined.facts.name}"
                raise refusal(403, words, doing)
            if attachment.ip and not joined.configured:
                words = "user specified IP address is supported only when connecting to networks with user configured"
                raise refusal(400, f"{words} subnets", doing)
            place = one.places[joined.facts.id] = _Place(attachment, attachment.ip or None)
            if one.running:
                self._join(one, joined, place, doing)
        self._emit("network", "connect", one.id)

    def _join(self, one: _Container, joined: _Network, place: _Place, doing: str) -> None:
        try:
            place.ip = joined.subnet.take(place.wanted)
        except ValueError as error:
            del one.places[joined.facts.id]
            raise refusal(403, str(error), doing) from error
        assert one.sockets is not None
        for word in one.argv[1:] if one.argv[0] == "dockconn-serve" else ():
            if word.startswith("token="):
                continue
            port = _key(word)
            (one.sockets.http if port.protocol == "tcp" else one.sockets.echo)(place.ip, port.number)

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network; what listens there goes on, but at no address that anybody is told."""
        self._enter("disconnect", container)
        doing = f"disconnecting container {container[:12]} from network {network}"
        with self._lock:
            left, one = self._network(network, doing), self._container(container, doing)
            place = one.places.pop(left.facts.id, None)
            if place is None:
                words = f"container {one.id} is not connected to network {left.facts.name}"
                raise refusal(403, words, doing)
        self._emit("network", "disconnect", one.id)

    # The rest

    def events(self) -> Iterator[Mapping[str, object]]:
        """What happens from now on; podman's stream stays empty."""
        self._enter("events")
        mine: queue.SimpleQueue[Mapping[str, object] | None] = queue.SimpleQueue()
        with self._lock:
            if self.closed:
                return
            self._listeners.append(mine)
        while (event := mine.get()) is not None:
            yield event

    def _emit(self, kind: str, action: str, container: str) -> None:
        if self.kind == "podman":
            return
        for listener in self._listeners:
            listener.put({"type": kind, "action": action, "id": container})

    def close(self) -> None:
        """Let go of who listens to events; containers go on, as on a real engine."""
        with self._lock:
            self.closed = True
            for listener in self._listeners:
                listener.put(None)

    def shut_down(self) -> None:
        """End every container and give all addresses back: for the end of a test, whatever it left."""
        self.close()
        with self._lock:
            for one in list(self._containers.values()):
                if one.running:
                    self._end(one, 137)
            for network in self._networks.values():
                network.subnet.close()

    def _container(self, name: str, doing: str = "looking") -> _Container:
        for one in self._containers.values():
            if name.removeprefix("/") in (one.id, one.plan.name) or (len(name) >= 12 and one.id.startswith(name)):
                return one
        raise refusal(404, f"No such container: {name}", doing)

    def _network(self, name: str, doing: str) -> _Network:
        for one in self._networks.values():
            if name in (one.facts.id, one.facts.name) or (len(name) >= 12 and one.facts.id.startswith(name)):
                return one
        raise refusal(404, f"network {name} not found", doing)

    def _on(self, network: str) -> tuple[str, ...]:
        return tuple(c.id for c in self._containers.values() if c.running and network in c.places)


def _has(labels: Mapping[str, str], wanted: str | None) -> bool:
    """Whether a filter, ``name`` or ``name=value``, holds."""
    if wanted is None:
        return True
    name, equals, value = wanted.partition("=")
    return name in labels and (not equals or labels[name] == value)


def _key(text: str) -> PortKey:
    number, _, protocol = text.partition("/")
    return PortKey(int(number), protocol or "tcp")


def _exposed(plan: ContainerPlan, image: ImageFacts) -> tuple[PortKey, ...]:
    return tuple(sorted({*plan.expose, *image.exposed}))


def _image_id() -> str:
    return f"sha256:{secrets.token_hex(32)}"

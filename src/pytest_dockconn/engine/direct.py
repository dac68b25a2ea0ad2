"""Docker on a unix socket, asked with the standard library's HTTP: what nearly every run needs, without docker-py.

docker-py takes 0.1 s to import, more than all else that a run with ``--dockconn-reuse`` does. What is long, or seldom (builds,
pulls, logs, commands), goes through it all the same, and so does everything with podman, TLS, ssh and Windows.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from ..errors import EngineError, EngineUnavailable, NotFound
from ..model.facts import ContainerFacts, Execution, ImageFacts, InfoFacts, NetworkFacts, VersionFacts
from ..model.spec import Attachment, ContainerPlan, NetworkPlan
from . import bodies, translate
from .attach import SocketStream
from .patience import Limit
from .refusal import gone, refusal
from .unix_http import REFUSED, Connections, Lines

if TYPE_CHECKING:
    from .docker_sdk import DockerEngine

#: Seconds that nothing may happen on the engine before its events are asked for anew.
QUIET = 900.0
#: What a broken connection, or one that another thread closes, raises.
BROKEN = (OSError, http.client.HTTPException)


NO_ENGINE = "it answers, but not as an engine does"
NOT_MODIFIED, NOT_FOUND = 304, 404


class DirectEngine:
    """``Engine`` over a unix socket.

    Args:
        url: ``unix:///var/run/docker.sock``.
        timeout: seconds for each call.

    Raises:
        EngineUnavailable: nobody answers, or what answers is no engine.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._limit = Limit(url, timeout)
        parts = urlsplit(url)
        self._connections = Connections(parts.netloc + parts.path, timeout)
        self._stream: Lines | None = None
        self._lock = threading.Lock()
        self._slow: DockerEngine | None = None
        self._base = ""
        self._version = self._asked_version()
        self._base = f"/v{self._version.api_version}"

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    def _asked_version(self) -> VersionFacts:
        doing = "asking for its version"
        try:
            said = self._ask(doing, "GET", "/version")
        except EngineUnavailable:
            raise
        except EngineError as error:
            raise EngineUnavailable(error.cause) from error
        if not isinstance(said, dict) or "ApiVersion" not in said:
            raise EngineUnavailable(f"{doing}: {NO_ENGINE}")
        return translate.version(self._url, said)

    @property
    def _docker_py(self) -> DockerEngine:
        """For what is long, or seldom."""
        with self._lock:
            if self._slow is None:
                from .docker_sdk import DockerEngine  # noqa: PLC0415 - it takes 0.1 s

                self._slow = DockerEngine(self._url, self._limit.seconds, self._limit)
            return self._slow

    @contextlib.contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        self._limit.check()
        try:
            yield
        except TimeoutError as error:
            raise self._limit.exceeded(doing) from error
        except BROKEN as error:
            raise gone(self._url, doing, _words(error)) from error

    def _ask(
        self,
        doing: str,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """What the engine says; None where that is nothing."""
        sent = None if body is None else msgspec.json.encode(body)
        with self._errors(doing):
            status, data = self._connections.ask(method, self._target(path, query or {}), sent, timeout)
        return _said(doing, status, data)

    def _target(self, path: str, query: Mapping[str, object]) -> str:
        return f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")

    def version(self) -> VersionFacts:
        """Who answers."""
        return self._version

    def info(self) -> InfoFacts:
        """What the engine says of itself."""
        return translate.info(self._ask("asking for its info", "GET", "/info"))

    def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id."""
        body = bodies.container(plan, self._version.kind)
        made = self._ask(
            f"creating container {plan.name}", "POST", "/containers/create", body, query={"name": plan.name}
        )
        container = str(made["Id"])
        for attachment in plan.attachments[1:]:
            # a container that is created but not started can join more, and has all of them from its first moment
            try:
                self._join(f"creating container {plan.name}", attachment.network, container, attachment)
            except BaseException:
                self.remove(container)
                raise
        return container

    def _join(self, doing: str, network: str, container: str, attachment: Attachment) -> None:
        body = {"Container": container, "EndpointConfig": bodies.endpoint(attachment)}
        self._ask(doing, "POST", f"/networks/{_bare(network)}/connect", body)

    def start(self, container: str) -> None:
        """Start it. Raises ``PortInUse`` where a host port is taken."""
        self._ask(f"starting container {container[:12]}", "POST", f"/containers/{_bare(container)}/start")

    def stop(self, container: str, timeout: int) -> None:
        """Stop it, with SIGKILL after ``timeout`` seconds."""
        self._ask(
            f"stopping container {container[:12]}", "POST", f"/containers/{_bare(container)}/stop",
            timeout=self._limit.seconds + timeout, query={"t": timeout},
        )  # fmt: skip

    def remove(self, container: str) -> None:
        """Kill and remove it with its anonymous volumes; no error where it is gone already."""
        try:
            self._ask(
                f"removing container {container[:12]}",
                "DELETE",
                f"/containers/{_bare(container)}",
                query={"v": "true", "force": "true"},
            )
        except NotFound:
            pass
        except EngineError as error:
            if "already in progress" not in error.cause:
                raise

    def wait(self, container: str, timeout: float) -> int | None:
        """The exit code once it is not running any more; None after ``timeout`` seconds."""
        doing = f"waiting for container {container[:12]}"
        with self._errors(doing):
            try:
                target = self._target(f"/containers/{_bare(container)}/wait", {})
                status, data = self._connections.ask("POST", target, None, timeout)
            except TimeoutError:
                return None
        return int(_said(doing, status, data)["StatusCode"])

    def inspect(self, container: str) -> ContainerFacts:
        """What it is like now."""
        doing = f"inspecting container {container[:64]}"
        return translate.container(self._ask(doing, "GET", f"/containers/{_bare(container)}/json"))

    def containers(self, label: str | None = None, *, running: bool = False) -> tuple[Mapping[str, object], ...]:
        """Containers, also stopped ones, as ``id``, ``name``, ``labels``, ``status``."""
        every = {} if running else {"all": "1"}
        found = self._ask("listing containers", "GET", "/containers/json", query={**every, **_with_label(label)})
        return tuple(translate.listed(one) for one in found)

    def logs(self, container: str, tail: int | None = None) -> str:
        """Its output so far, the last ``tail`` lines of it."""
        return self._docker_py.logs(container, tail)

    def execute(self, container: str, argv: Sequence[str]) -> Execution:
        """Run a command in it."""
        return self._docker_py.execute(container, argv)

    def attach(self, container: str) -> SocketStream:
        """Its standard streams."""
        doing = f"attaching to container {container[:12]}"
        wish = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        with self._errors(doing):
            status, found = self._connections.upgraded(self._target(f"/containers/{_bare(container)}/attach", wish))
        if isinstance(found, bytes):
            _said(doing, status, found)
        return SocketStream(found)

    def commit(self, container: str, repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of it and return the image's id."""
        return self._docker_py.commit(container, repository, tag, labels)

    def image(self, name: str) -> ImageFacts | None:
        """An image that is there, or None."""
        try:
            return translate.image(self._ask(f"looking for image {name}", "GET", f"/images/{_bare(name)}/json"))
        except NotFound:
            return None

    def images(self, label: str) -> tuple[ImageFacts, ...]:
        """The images that carry a label."""
        return tuple(
            translate.image(i) for i in self._ask("listing images", "GET", "/images/json", query=_with_label(label))
        )

    def pull(self, name: str) -> None:
        """Fetch an image from its registry."""
        self._docker_py.pull(name)

    def import_image(self, tar: IO[bytes], repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root file system's tar and return its id."""
        return self._docker_py.import_image(tar, repository, tag, labels)

    def build(
        self, context: IO[bytes], dockerfile: str, tag: str, args: Mapping[str, str], labels: Mapping[str, str]
    ) -> Iterator[str]:
        """Build an image; yields the lines of output as they come."""
        return self._docker_py.build(context, dockerfile, tag, args, labels)

    def remove_image(self, name: str) -> None:
        """Remove an image or a tag of it; no error where it is gone already."""
        with contextlib.suppress(NotFound):
            self._ask(f"removing image {name}", "DELETE", f"/images/{_bare(name)}")

    def create_network(self, plan: NetworkPlan) -> str:
        """Create a network and return its id."""
        made = self._ask(f"creating network {plan.name}", "POST", "/networks/create", bodies.network(plan))
        return str(made["Id"])

    def remove_network(self, network: str) -> None:
        """Remove a network; no error where it is gone already."""
        with contextlib.suppress(NotFound):
            self._ask(f"removing network {network}", "DELETE", f"/networks/{_bare(network)}")

    def network(self, network: str) -> NetworkFacts:
        """A network by name or id."""
        return translate.network(self._ask(f"inspecting network {network}", "GET", f"/networks/{_bare(network)}"))

    def networks(self, label: str | None = None) -> tuple[NetworkFacts, ...]:
        """Networks, all or those with a label."""
        found = self._ask("listing networks", "GET", "/networks", query=_with_label(label))
        return tuple(translate.network(one) for one in found)

    def connect(self, network: str, container: str, attachment: Attachment) -> None:
        """Join a container to a network."""
        self._join(f"connecting container {container[:12]} to network {network}", network, container, attachment)

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network."""
        doing = f"disconnecting container {container[:12]} from network {network}"
        self._ask(doing, "POST", f"/networks/{_bare(network)}/disconnect", {"Container": container})

    def events(self) -> Iterator[Mapping[str, object]]:
        """What happens from now on."""
        wish = {"filters": _json({"type": {"container": True, "network": True}})}
        with contextlib.suppress(*BROKEN, ValueError, AttributeError):  # closed from another thread
            stream = self._stream = self._connections.lines(self._target("/events", wish), QUIET)
            try:
                yield from (translate.event(msgspec.json.decode(line)) for line in stream if line.strip())
            finally:
                stream.end()

    def close(self) -> None:
        """Let go of the connections."""
        if self._stream is not None:
            self._stream.close()
        self._connections.close()
        if self._slow is not None:
            self._slow.close()


def _bare(name: str) -> str:
    """A name or an id as a part of a path; those of images have slashes."""
    return quote(name, safe="/:")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _with_label(label: str | None) -> dict[str, object]:
    return {"filters": _json({"label": [label]})} if label else {}


def _said(doing: str, status: int, data: bytes) -> Any:
    """The JSON of an answer. Raises ``EngineError`` and its kin where the engine refuses, or is none."""
    if status >= REFUSED:
        raise refusal(status, _message(data), doing)
    if status > NOT_MODIFIED or 300 <= status < NOT_MODIFIED:  # to another path: a name of dots, or none at all
        raise refusal(NOT_FOUND, "there can be no such name", doing)
    try:
        return msgspec.json.decode(data) if data else None
    except msgspec.DecodeError as error:
        raise EngineUnavailable(f"{doing}: {NO_ENGINE}", checked=str(error)) from error


def _message(data: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError, TypeError, KeyError):
        return str(msgspec.json.decode(data)["message"])
    return data.decode("utf-8", "replace")


def _words(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip()

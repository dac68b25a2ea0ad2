"""Docker on a unix socket, asked with the standard library's HTTP: what nearly every run needs, without docker-py.

docker-py takes 0.1 s to import, more than all else that a run with ``--dockconn-reuse`` does. What is long, or seldom (builds,
pulls, commands), goes through it all the same, and so does everything with podman, TLS, ssh and Windows.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from ..errors import EngineError, EngineUnavailable, NotFound
from ..model.facts import ContainerFacts, Execution, ImageFacts, InfoFacts, NetworkFacts, VersionFacts
from ..model.spec import COMMAND, Attachment, Bound, ContainerPlan, NetworkPlan
from ..text import redact
from . import bodies, translate
from .address import socket_path
from .attach import LOGS, SocketStream, bounded, payloads
from .patience import BUSY, Limit
from .refusal import gone, refusal
from .unix_http import REFUSED, Connections, Lines
from .whole import or_nothing

if TYPE_CHECKING:
    from .docker_sdk import DockerEngine

#: What a broken connection, or one that another thread closes, raises.
BROKEN = (OSError, http.client.HTTPException)
NOT_MODIFIED, NOT_FOUND = 304, 404
ATTACH = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}


class DirectEngine:
    """``Engine`` over a unix socket.

    Args:
        url: ``unix:///var/run/docker.sock``.
        timeout: seconds for each call.
        busy: how many times as long a call may take of an engine that answers others meanwhile.

    Raises:
        EngineUnavailable: nobody answers, or what answers is no engine.
    """

    def __init__(self, url: str, timeout: float, busy: int = BUSY) -> None:
        self._url = url
        self._limit = Limit(url, timeout, busy)
        self._connections = Connections(socket_path(url), timeout)
        self._stream: Lines | None = None
        self._lock = threading.Lock()
        self._slow: DockerEngine | None = None
        self._base = ""
        try:
            self._version = self._asked_version()
        except BaseException:
            self._connections.close()
            raise
        self._base = f"/v{self._version.api_version}"

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    def _asked_version(self) -> VersionFacts:
        doing = "asking for its version"
        try:
            said = self._ask(doing, "GET", "/version", wanted=dict)
        except EngineUnavailable:
            raise
        except EngineError as error:
            raise EngineUnavailable(error.cause) from error
        if "ApiVersion" not in said:
            raise self._no_engine(doing, f"it said {said!r:.200}")
        return translate.version(self._url, said)

    @property
    def _docker_py(self) -> DockerEngine:
        """For what is long, or seldom."""
        with self._lock:
            if self._slow is None:
                self._slow = _docker_engine()(self._url, self._limit.seconds, limit=self._limit)
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

    def _no_engine(self, doing: str, checked: str) -> EngineUnavailable:
        return EngineUnavailable(
            f"{doing}: what listens at {redact(self._url)} answers, but not as an engine does",
            checked=checked,
            remedy="see whether it is one: `docker version`; or pass --dockconn-engine URL",
        )

    def _ask(self, doing: str, method: str, path: str, body: object = None, *, wanted: type, **more: Any) -> Any:
        """What the engine says: JSON of the type that is wanted. Raises ``EngineError`` and its kin."""
        return self._json(doing, self._answer(doing, method, path, body, **more), wanted)

    def _answer(
        self,
        doing: str,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        timeout: float | None = None,
        most: int | None = None,
    ) -> bytes:
        """What the engine says, as it came, up to a byte more than ``most``. Raises ``EngineError`` and its kin."""
        # not msgspec's: it has no JSON for a variable whose bytes are no UTF-8
        sent = None if body is None else json.dumps(body).encode()
        with self._errors(doing):
            still = self._still_answers(doing, timeout or 0) if self._waits else None
            target = self._target(doing, path, query or {})
            status, data = self._connections.ask(method, target, sent, timeout, still, most=most)
        return self._checked(doing, status, data)

    @property
    def _waits(self) -> bool:
        """Whether an engine that is only busy is waited for; one that has not said who it is may be no engine."""
        return bool(self._base) and self._limit.longest > self._limit.seconds

    def _still_answers(self, doing: str, more: float) -> Callable[[], None]:
        """To be called in a long silence: an easy question, which an engine answers that is only busy."""
        end = time.monotonic() + self._limit.longest + more

        def ask() -> None:
            if time.monotonic() >= end:
                raise self._limit.too_busy(doing)
            status, _ = self._connections.ask("GET", f"{self._base}/_ping", timeout=self._limit.easy)
            if status >= REFUSED:  # a proxy in front of it
                raise gone(self._url, doing, f"asked whether it is there, it said HTTP status {status}")

        return ask

    def _target(self, doing: str, path: str, query: Mapping[str, object]) -> str:
        if {"", ".", ".."} & set(path.split("/")[1:]):  # it would lead to another question
            raise refusal(NOT_FOUND, "there can be no such name", doing)
        return f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")

    def _checked(self, doing: str, status: int, data: bytes) -> bytes:
        if status >= REFUSED:
            raise refusal(status, _message(data), doing)
        if 300 <= status != NOT_MODIFIED:
            raise self._no_engine(doing, f"it answered with HTTP status {status}")
        return data

    def _json(self, doing: str, data: bytes, wanted: type) -> Any:
        try:
            said = msgspec.json.decode(data)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise self._no_engine(doing, str(error)) from error
        if not isinstance(said, wanted):
            raise self._no_engine(doing, f"it said {said!r:.200}")
        return said

    def version(self) -> VersionFacts:
        """Who answers."""
        return self._version

    def info(self) -> InfoFacts:
        """What the engine says of itself."""
        return translate.info(self._ask("asking for its info", "GET", "/info", wanted=dict))

    def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id."""
        doing, body = f"creating container {plan.name}", bodies.container(plan, self._version.kind)
        made = self._ask(doing, "POST", "/containers/create", body, query={"name": plan.name}, wanted=dict)
        container = str(made["Id"])
        with or_nothing(plan.name, partial(self.remove, container)):
            # a container that is created but not started can join more, and has all of them from its first moment
            for attachment in plan.attachments[1:]:
                self._join(doing, attachment.network, container, attachment)
        return container

    def _join(self, doing: str, network: str, container: str, attachment: Attachment) -> None:
        body = bodies.joining(container, attachment)
        self._answer(doing, "POST", f"/networks/{_quoted(network)}/connect", body)

    def start(self, container: str) -> None:
        """Start it. Raises ``PortInUse`` where a host port is taken."""
        self._answer(f"starting container {container[:12]}", "POST", f"{_place(container)}/start")

    def stop(self, container: str, timeout: int) -> None:
        """Stop it, with SIGKILL after ``timeout`` seconds."""
        doing, limit = f"stopping container {container[:12]}", self._limit.seconds + timeout
        self._answer(doing, "POST", f"{_place(container)}/stop", query={"t": timeout}, timeout=limit)

    def remove(self, container: str) -> None:
        """Kill and remove it with its anonymous volumes; no error where it is gone already."""
        doing, query = f"removing container {container[:12]}", {"v": "true", "force": "true"}
        try:
            self._answer(doing, "DELETE", _place(container), query=query)
        except NotFound:
            pass
        except EngineError as error:
            if "already in progress" not in error.cause:
                raise

    def wait(self, container: str, timeout: float) -> int | None:
        """The exit code once it is not running any more; None after ``timeout`` seconds."""
        doing = f"waiting for container {container[:12]}"
        target = self._target(doing, f"{_place(container)}/wait", {})
        with self._errors(doing):
            try:
                # to a socket a limit of 0 means not to wait for what is there, either
                status, data = self._connections.ask("POST", target, None, max(timeout, 0.001))
            except TimeoutError:
                return None
        return int(self._json(doing, self._checked(doing, status, data), dict)["StatusCode"])

    def inspect(self, container: str) -> ContainerFacts:
        """What it is like now."""
        return translate.container(self._inspected(f"inspecting container {container[:64]}", container))

    def _inspected(self, doing: str, container: str) -> dict[str, Any]:
        said = self._ask(doing, "GET", f"{_place(container)}/json", wanted=dict)
        assert isinstance(said, dict)
        return said

    def containers(self, label: str | None = None, *, running: bool = False) -> tuple[Mapping[str, object], ...]:
        """Containers, also stopped ones, as ``id``, ``name``, ``labels``, ``status``."""
        query = _with_label(label) if running else {"all": 1, **_with_label(label)}
        found = self._ask("listing containers", "GET", "/containers/json", query=query, wanted=list)
        return tuple(translate.listed(one) for one in found)

    def logs(self, container: str, tail: int | None = None) -> str:
        """Its output so far, the last ``tail`` lines of it. Raises ``EngineError`` where that is longer than 16 MiB."""
        doing = f"reading the logs of container {container[:12]}"
        framed = not (self._inspected(doing, container).get("Config") or {}).get("Tty")
        query = {"stdout": 1, "stderr": 1, "tail": "all" if tail is None else tail}
        data = bounded([self._answer(doing, "GET", f"{_place(container)}/logs", query=query, most=LOGS)], doing)
        return (payloads(data) if framed else data).decode("utf-8", "replace")

    def execute(self, container: str, argv: Sequence[str], bound: Bound = COMMAND) -> Execution:
        """Run a command in it. Raises ``EngineError`` where it exceeds a bound."""
        return self._docker_py.execute(container, argv, bound)

    def attach(self, container: str) -> SocketStream:
        """Its standard streams."""
        doing = f"attaching to container {container[:12]}"
        target = self._target(doing, f"{_place(container)}/attach", ATTACH)
        with self._errors(doing):
            status, found = self._connections.upgraded(target)
        if isinstance(found, bytes):
            self._checked(doing, status, found)
            raise self._no_engine(doing, f"it answered with HTTP status {status}, and no stream")
        return SocketStream(found)

    def commit(self, container: str, repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of it and return the image's id."""
        return self._docker_py.commit(container, repository, tag, labels)

    def image(self, name: str) -> ImageFacts | None:
        """An image that is there, or None."""
        doing = f"looking for image {name}"
        try:
            return translate.image(self._ask(doing, "GET", f"/images/{_quoted(name)}/json", wanted=dict))
        except NotFound:
            return None

    def images(self, label: str, *, untagged: bool = False) -> tuple[ImageFacts, ...]:
        """The images that carry a label."""
        query = _with_label(label, **({"dangling": ["true"]} if untagged else {}))
        found = self._ask("listing images", "GET", "/images/json", query=query, wanted=list)
        return tuple(translate.image(one) for one in found)

    def history(self, image: str) -> tuple[str, ...]:
        """What made each layer of an image."""
        doing = f"asking for the history of image {image}"
        return translate.history(self._ask(doing, "GET", f"/images/{_quoted(image)}/history", wanted=list))

    def pull(self, name: str) -> None:
        """Fetch an image from its registry."""
        self._docker_py.pull(name)

    def import_image(self, tar: IO[bytes], repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root file system's tar and return its id."""
        return self._docker_py.import_image(tar, repository, tag, labels)

    def build(self, context: IO[bytes], dockerfile: str, tag: str, args: Mapping[str, str]) -> Iterator[str]:
        """Build an image; yields the lines of output as they come."""
        return self._docker_py.build(context, dockerfile, tag, args)

    def remove_image(self, name: str) -> None:
        """Remove an image or a tag of it; no error where it is gone already."""
        with contextlib.suppress(NotFound):
            # else docker removes what it was made of along with it, where that has no tag: an image of the user's, too
            self._answer(f"removing image {name}", "DELETE", f"/images/{_quoted(name)}", query={"noprune": "true"})

    def create_network(self, plan: NetworkPlan) -> str:
        """Create a network and return its id."""
        doing = f"creating network {plan.name}"
        return str(self._ask(doing, "POST", "/networks/create", bodies.network(plan), wanted=dict)["Id"])

    def remove_network(self, network: str) -> None:
        """Remove a network; no error where it is gone already."""
        with contextlib.suppress(NotFound):
            self._answer(f"removing network {network}", "DELETE", f"/networks/{_quoted(network)}")

    def network(self, network: str) -> NetworkFacts:
        """A network by name or id."""
        doing = f"inspecting network {network}"
        return translate.network(self._ask(doing, "GET", f"/networks/{_quoted(network)}", wanted=dict))

    def networks(self, label: str | None = None) -> tuple[NetworkFacts, ...]:
        """Networks, all or those with a label."""
        found = self._ask("listing networks", "GET", "/networks", query=_with_label(label), wanted=list)
        return tuple(translate.network(one) for one in found)

    def connect(self, network: str, container: str, attachment: Attachment) -> None:
        """Join a container to a network."""
        self._join(f"connecting container {container[:12]} to network {network}", network, container, attachment)

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network."""
        doing = f"disconnecting container {container[:12]} from network {network}"
        self._answer(doing, "POST", f"/networks/{_quoted(network)}/disconnect", {"Container": container})

    def events(self) -> Iterator[Mapping[str, object]]:
        """What happens from now on."""
        wish = {"filters": json.dumps({"type": {"container": True, "network": True}})}
        # what is closed from another thread, and lines that are no events
        with contextlib.suppress(*BROKEN, msgspec.DecodeError, ValueError, AttributeError, RecursionError):
            stream = self._stream = self._connections.lines(self._target("", "/events", wish))
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


def _docker_engine() -> type[DockerEngine]:
    """Raises ``EngineUnavailable`` where docker-py can't be loaded, or not without a warning that the tests made an error."""
    try:
        from .docker_sdk import DockerEngine  # noqa: PLC0415 - it takes 0.1 s
    except Exception as error:
        raise EngineUnavailable(
            f"docker-py can't be loaded: {type(error).__name__}: {error}",
            checked="import docker, under the warning filters of the tests",
            remedy="see that `python -W error -c 'import docker'` works, or write `import docker` in conftest.py",
        ) from error
    return DockerEngine


def _quoted(name: str) -> str:
    """A name or an id as a part of a path; those of images have slashes. What is no text for HTTP leads nowhere."""
    try:
        return quote(name, safe="/:")
    except UnicodeEncodeError:
        return ".."


def _place(container: str) -> str:
    """``/name`` is how docker itself writes a container's name."""
    return f"/containers/{_quoted(container.removeprefix('/'))}"


def _with_label(label: str | None, **more: list[str]) -> dict[str, object]:
    return {"filters": json.dumps({"label": [label], **more})} if label else {}


def _message(data: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError, ValueError, RecursionError, TypeError, KeyError):
        return str(msgspec.json.decode(data)["message"])
    return data.decode("utf-8", "replace")


def _words(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip()

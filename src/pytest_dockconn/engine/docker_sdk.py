"""The engine through docker-py. The only file that imports ``docker``; its errors end here."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import IO, Any, TypeVar

import docker
import requests
import urllib3
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import APIError, DockerException
from msgspec.structs import replace

from ..errors import EngineError, EngineUnavailable, NotFound
from ..labels import committed_by
from ..model.facts import ContainerFacts, Execution, ImageFacts, InfoFacts, NetworkFacts, VersionFacts
from ..model.spec import COMMAND, Attachment, Bound, ContainerPlan, NetworkPlan
from ..text import redact
from . import bodies, translate
from .attach import SocketStream, bounded, collected, payloads
from .patience import BUSY, Limit, patiently
from .refusal import gone, refusal
from .whole import or_nothing

T = TypeVar("T")

#: Seconds that a build, a pull, an import or a command in a container may be silent.
LONG = 900.0
#: Connections kept open: waits and matrices use many at once.
POOL = 64
#: The oldest version of the API that docker-py speaks; that of a client that only asks for the engine's own.
OLDEST = str(docker.constants.MINIMUM_DOCKER_API_VERSION)


def current_context(name: str | None = None) -> tuple[str, str] | None:
    """Name and URL of docker's context; None for the default one, which means "the usual socket".

    Args:
        name: what DOCKER_CONTEXT says; if None the one that is set by ``docker context use``.

    Raises:
        EngineUnavailable: it can't be read, or there is none of that name.
    """
    wanted = name or get_current_context_name()
    if not wanted or wanted == "default":  # the command takes an empty name for it, too
        return None
    try:
        context = ContextAPI.get_context(wanted)
    except DockerException as error:
        raise EngineUnavailable(
            f"docker's current context can't be read: {error}",
            remedy="see `docker context ls`, or pass --dockconn-engine",
        ) from error
    if context is None:
        raise EngineUnavailable(
            f"there is no docker context {wanted!r}",
            checked="DOCKER_CONTEXT" if name else "currentContext in docker's config.json",
            remedy="see `docker context ls`, or pass --dockconn-engine",
        )
    if not context.Host:
        return None
    return str(context.Name), str(context.Host)


def connect(url: str, timeout: float, busy: int = BUSY) -> DockerEngine:
    """Open the engine at ``url``; the arguments are those of ``DockerEngine``. Raises ``EngineUnavailable``."""
    return DockerEngine(url, timeout, busy)


class DockerEngine:
    """``Engine`` over docker-py's low-level client: the high-level one can't expose a port without publishing it.

    Args:
        url: where it is.
        timeout: seconds for each call.
        busy: how many times as long a call may take of an engine that answers others meanwhile.
        limit: shared with others that ask the same engine.

    Raises:
        EngineUnavailable: nobody answers.
    """

    def __init__(self, url: str, timeout: float, busy: int = BUSY, limit: Limit | None = None) -> None:
        self._url = url
        self._limit = limit or Limit(url, timeout, busy)
        self._stream: Any = None
        self._network_ids: dict[str, str] = {}
        with self._errors("asking for its version"):
            # "auto" would ask for the version once more, and so would each further client: 4 ms every time
            with contextlib.closing(self._client(timeout, OLDEST)) as asking:
                self._version = translate.version(url, asking.version(api_version=False))
            self._api = self._client(timeout)
            self._patient = self._client(self._limit.longest)
            self._easy = self._client(self._limit.easy)

    def _client(self, timeout: float, version: str = "") -> Any:
        tls = self._tls()
        return docker.APIClient(
            base_url=self._url,
            version=version or self._version.api_version,
            timeout=timeout,
            tls=tls,
            max_pool_size=POOL,
            use_ssh_client=self._url.startswith("ssh://"),
        )

    def _tls(self) -> Any:
        """TLS as the docker command finds it: of the context with this URL, or by DOCKER_CERT_PATH."""
        if not self._url.startswith(("tcp://", "https://")):
            return False
        with contextlib.suppress(DockerException):
            for context in ContextAPI.contexts():
                if context.Host == self._url and context.TLSConfig is not None:
                    return context.TLSConfig
        return docker.utils.kwargs_from_env().get("tls", False)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    @contextlib.contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        self._limit.check()
        try:
            yield
        except APIError as error:
            status = error.response.status_code if error.response is not None else 0
            # not from it: its words are all in ours, and a traceback would show them as they are
            raise refusal(status, str(error.explanation or error), doing) from None
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise self._limit.exceeded(doing) from error
        except UnicodeEncodeError as error:  # what is no text for HTTP is nobody's name
            raise refusal(404, "there can be no such name", doing) from error
        # docker-py reads streams past requests, so what breaks one comes as urllib3 says it
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise gone(self._url, doing, _innermost(error)) from error
        except DockerException as error:
            if "read timeout" in str(error).lower() or "timed out" in str(error).lower():
                raise self._limit.exceeded(doing) from error
            raise EngineUnavailable(f"{doing}: {redact(self._url)}: {_innermost(error)}") from None

    @contextlib.contextmanager
    def _long(self, doing: str) -> Iterator[Any]:
        """A client of its own for work that may be silent for long."""
        with self._errors(doing):
            client = self._client(LONG)
            try:
                yield client
            finally:
                client.close()

    def _patiently(self, call: Callable[[], T]) -> T:
        """The result of long work; an engine that hangs meanwhile shows within half a minute, not after all of ``LONG``."""
        return patiently(call, lambda: self._ping(self._api, "waiting for what takes long"))

    def _worked(self, doing: str, call: Callable[[Any], T]) -> T:
        """The result of what the engine may be too busy for, for a while: then it answers easy questions all the same."""

        def work() -> T:
            try:
                return call(self._patient)
            except requests.exceptions.Timeout as error:
                raise self._limit.too_busy(doing) from error

        with self._errors(
            doing
        ):  # as without docker-py: silent for as long as a call may be, and then for an easy question
            return patiently(work, lambda: self._ping(self._easy, doing), self._limit.seconds)

    def _ping(self, api: Any, doing: str) -> None:
        try:
            api.ping()
        except APIError as error:  # a proxy in front of it: what it was asked for may be done all the same
            status = error.response.status_code if error.response is not None else 0
            raise gone(self._url, doing, f"asked whether it is there, it said HTTP status {status}") from None

    def version(self) -> VersionFacts:
        """Who answers."""
        return self._version

    def info(self) -> InfoFacts:
        """What the engine says of itself."""
        return translate.info(self._worked("asking for its info", lambda api: api.info()))

    def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id."""
        doing, body = f"creating container {plan.name}", bodies.container(plan, self._version.kind)
        created = str(self._worked(doing, lambda api: api.create_container_from_config(body, plan.name))["Id"])
        with or_nothing(plan.name, partial(self.remove, created)):
            # Before API 1.44 create takes one network only; a container that is created but not started can join more, and
            # then has all of them from its first moment.
            for attachment in plan.attachments[1:]:
                self._join(doing, attachment.network, created, attachment)
        return created

    def _join(self, doing: str, network: str, container: str, attachment: Attachment) -> None:
        with self._errors(doing):  # of a name that is none
            url = self._api._url("/networks/{0}/connect", network)  # noqa: SLF001
        self._told(doing, url, bodies.joining(container, attachment))

    def _told(self, doing: str, url: str, body: Mapping[str, Any]) -> requests.Response:
        """By docker-py's session, not by its arguments for it: so every engine is sent the same."""

        def told(api: Any) -> requests.Response:
            response: requests.Response = api._post_json(url, data=dict(body))  # noqa: SLF001
            api._raise_for_status(response)  # noqa: SLF001
            return response

        return self._worked(doing, told)

    def start(self, container: str) -> None:
        """Start it. Raises ``PortInUse`` where a host port is taken."""
        self._worked(f"starting container {container[:12]}", lambda api: api.start(container))

    def stop(self, container: str, timeout: int) -> None:
        """Stop it, with SIGKILL after ``timeout`` seconds."""
        self._worked(f"stopping container {container[:12]}", lambda api: api.stop(container, timeout=timeout))

    def remove(self, container: str) -> None:
        """Kill and remove it with its anonymous volumes; no error where it is gone already."""

        def removed(api: Any) -> None:
            try:
                api.remove_container(container, force=True, v=True)
            except APIError as error:
                if "already in progress" not in str(error.explanation):
                    raise

        with contextlib.suppress(NotFound):
            self._worked(f"removing container {container[:12]}", removed)

    def wait(self, container: str, timeout: float) -> int | None:
        """The exit code once it is not running any more; None after ``timeout`` seconds."""
        if self._version.kind == "podman":
            return self._polled(container, timeout)
        with self._errors(f"waiting for container {container[:12]}"):
            try:
                return int(self._api.wait(container, timeout=timeout)["StatusCode"])
            except requests.exceptions.Timeout:
                return None
            except requests.exceptions.ConnectionError as error:  # what breaks while the answer is read
                if any(isinstance(why, urllib3.exceptions.ReadTimeoutError) for why in error.args):
                    return None
                raise

    def _polled(self, container: str, timeout: float) -> int | None:
        """Podman (seen on 4.3.1) never answers a wait for a container that has ended before, nor always for another."""
        from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415 - podman alone

        going_on = retry_if_result(lambda facts: facts.status in ("running", "paused", "restarting"))
        again = Retrying(retry=going_on, wait=wait_fixed(0.02), stop=stop_after_delay(timeout))
        try:
            facts: ContainerFacts = again(self.inspect, container)
        except RetryError:
            return None
        return facts.exit_code

    def inspect(self, container: str) -> ContainerFacts:
        """What it is like now."""
        doing = f"inspecting container {container[:64]}"
        facts = translate.container(self._worked(doing, lambda api: api.inspect_container(container)))
        return facts if self._version.kind == "docker" else self._with_network_ids(facts)

    def _with_network_ids(self, facts: ContainerFacts) -> ContainerFacts:
        """Podman (seen on 4.3.1) tells the names of a container's networks where their ids should be."""
        if any(e.network not in self._network_ids for e in facts.endpoints):
            self._network_ids = {network.name: network.id for network in self.networks()}
        found = (replace(e, network_id=self._network_ids.get(e.network, e.network_id)) for e in facts.endpoints)
        return replace(facts, endpoints=tuple(found))

    def containers(self, label: str | None = None, *, running: bool = False) -> tuple[Mapping[str, object], ...]:
        """Containers, also stopped ones, as ``id``, ``name``, ``labels``, ``status``."""
        wish = {"label": [label]} if label else None
        found = self._worked("listing containers", lambda api: api.containers(all=not running, filters=wish))
        return tuple(translate.listed(one) for one in found)

    def logs(self, container: str, tail: int | None = None) -> str:
        """Its output so far, the last ``tail`` lines of it. Raises ``EngineError`` where that is longer than 16 MiB."""
        doing = f"reading the logs of container {container[:12]}"
        query = {"stdout": 1, "stderr": 1, "tail": "all" if tail is None else tail}
        framed = not self._worked(doing, lambda api: api._check_is_tty(container))  # noqa: SLF001

        def read(api: Any) -> bytes:
            # docker-py's own call reads all of it; or, of a terminal, byte by byte
            url = api._url("/containers/{0}/logs", container)  # noqa: SLF001
            with api._get(url, params=query, stream=True) as response:  # noqa: SLF001
                api._raise_for_status(response)  # noqa: SLF001
                return bounded(response.iter_content(1 << 16), doing)

        data = self._worked(doing, read)
        return (payloads(data) if framed else data).decode("utf-8", "replace")

    def execute(self, container: str, argv: Sequence[str], bound: Bound = COMMAND) -> Execution:
        """Run a command in it. Raises ``EngineError`` where it exceeds a bound."""
        doing = f"running {' '.join(argv)[:80]!r} in container {container[:12]}"
        made = self._worked(doing, lambda api: api.exec_create(container, list(argv)))["Id"]
        with self._long(doing) as api:
            stdout, stderr = self._patiently(
                lambda: collected(SocketStream(api.exec_start(made, socket=True)), bound, doing)
            )
        code = self._worked(doing, lambda api: api.exec_inspect(made))["ExitCode"]
        return Execution(tuple(argv), int(code or 0), _text(stdout), _text(stderr))

    def attach(self, container: str) -> SocketStream:
        """Its standard streams."""
        with self._errors(f"attaching to container {container[:12]}"):
            wish = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            # docker-py gives this call, alone of all, no time limit
            sock = self._patiently(lambda: self._api.attach_socket(container, params=wish))
        return SocketStream(sock)

    def commit(self, container: str, repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of it and return the image's id."""
        with self._long(f"committing container {container[:12]}") as api:
            conf = {"Labels": dict(labels)}
            # unlike labels, a comment is not inherited by what others make of the image
            comment = committed_by(labels)
            made = str(self._patiently(lambda: api.commit(container, repository, tag, comment, conf=conf))["Id"])
        return made if ":" in made else f"sha256:{made}"  # podman 4.3.1 leaves the algorithm out

    def image(self, name: str) -> ImageFacts | None:
        """An image that is there, or None."""
        try:
            return translate.image(self._worked(f"looking for image {name}", lambda api: api.inspect_image(name)))
        except NotFound:
            return None

    def images(self, label: str, *, untagged: bool = False) -> tuple[ImageFacts, ...]:
        """The images that carry a label."""
        wish = {"label": [label], **({"dangling": ["true"]} if untagged else {})}
        found = self._worked("listing images", lambda api: api.images(filters=wish))
        return tuple(translate.image(one) for one in found)

    def history(self, image: str) -> tuple[str, ...]:
        """What made each layer of an image."""
        doing = f"asking for the history of image {image}"
        return translate.history(self._worked(doing, lambda api: api.history(image)))

    def pull(self, name: str) -> None:
        """Fetch an image from its registry."""
        repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
        with self._long(f"pulling image {name}") as api:
            # read to its end: a stream that is left half-read keeps its socket open
            lines = self._patiently(lambda: list(api.pull(repository, tag=tag, stream=True, decode=True)))
        errors = [line["error"] for line in lines if "error" in line]
        if errors:
            raise EngineError(f"pulling image {name}: {errors[0]}")

    def import_image(self, tar: IO[bytes], repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root file system's tar and return its id."""
        changes = [f"LABEL {json.dumps(name)}={json.dumps(value)}" for name, value in labels.items()]
        name = f"{repository}:{tag}"
        # podman 4.3.1 takes no tag but one in the name
        called = {"repo": name} if self._version.kind == "podman" else {"repo": repository, "tag": tag}
        with self._long(f"importing image {name}") as api:
            # import_image_from_data would read all of it into memory and can't set changes
            response = self._patiently(
                lambda: api._post(  # noqa: SLF001
                    api._url("/images/create"),  # noqa: SLF001
                    data=tar,
                    params={"fromSrc": "-", **called, "changes": changes, "message": committed_by(labels)},
                    headers={"Content-Type": "application/tar"},
                )
            )
            said = api._result(response)  # noqa: SLF001
        facts = self.image(name)
        if facts is None:
            raise EngineError(f"importing image {name}: {said.strip()[-500:]}")
        return facts.id

    def build(self, context: IO[bytes], dockerfile: str, tag: str, args: Mapping[str, str]) -> Iterator[str]:
        """Build an image; yields the lines of output as they come."""
        with self._long(f"building image {tag}") as api:
            said = self._patiently(
                lambda: api.build(
                    fileobj=context,
                    custom_context=True,
                    dockerfile=dockerfile,
                    tag=tag,
                    buildargs=dict(args),
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
            )
            error = ""
            while (line := self._patiently(lambda: next(said, None))) is not None:
                error = error or str(line.get("error") or "").strip()
                yield from str(line.get("stream") or "").splitlines()
        if error:
            raise EngineError(error)

    def remove_image(self, name: str) -> None:
        """Remove an image or a tag of it; no error where it is gone already."""
        with contextlib.suppress(NotFound):
            # else docker removes what it was made of along with it, where that has no tag: an image of the user's, too
            self._worked(f"removing image {name}", lambda api: api.remove_image(name, noprune=True))

    def create_network(self, plan: NetworkPlan) -> str:
        """Create a network and return its id."""
        doing, url = f"creating network {plan.name}", self._api._url("/networks/create")  # noqa: SLF001
        return str(self._told(doing, url, bodies.network(plan)).json()["Id"])

    def remove_network(self, network: str) -> None:
        """Remove a network; no error where it is gone already."""
        with contextlib.suppress(NotFound):
            self._worked(f"removing network {network}", lambda api: api.remove_network(network))
        self._network_ids = {}

    def network(self, network: str) -> NetworkFacts:
        """A network by name or id."""
        found = self._worked(f"inspecting network {network}", lambda api: api.inspect_network(network))
        return translate.network(found, self._version.kind)

    def networks(self, label: str | None = None) -> tuple[NetworkFacts, ...]:
        """Networks, all or those with a label."""
        wish = {"label": [label]} if label else None
        found = self._worked("listing networks", lambda api: api.networks(filters=wish))
        return tuple(translate.network(n, self._version.kind) for n in found)

    def connect(self, network: str, container: str, attachment: Attachment) -> None:
        """Join a container to a network."""
        self._join(f"connecting container {container[:12]} to network {network}", network, container, attachment)

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network."""
        doing = f"disconnecting container {container[:12]} from network {network}"
        self._worked(doing, lambda api: api.disconnect_container_from_network(container, network))

    def events(self) -> Iterator[Mapping[str, object]]:
        """What happens from now on. Podman's stream stays empty (seen on 4.3.1)."""
        broken = (requests.exceptions.RequestException, DockerException, OSError, ValueError, AttributeError)
        api = self._client(LONG)
        try:
            with contextlib.suppress(*broken):  # of a connection that is closed from another thread
                self._stream = api.events(filters={"type": ["container", "network"]}, decode=True)
                yield from map(translate.event, self._stream)
        finally:
            api.close()

    def close(self) -> None:
        """Let go of the connections."""
        if self._stream is not None:
            with contextlib.suppress(OSError, DockerException, AttributeError):
                self._stream.close()
        self._api.close()
        self._patient.close()
        self._easy.close()


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


def _innermost(error: BaseException) -> str:
    """The words at the bottom of a chain of wrapped errors: "Connection refused", not five class names."""
    seen: BaseException = error
    while True:
        inner = seen.__cause__ or seen.__context__
        if inner is None and seen.args and isinstance(seen.args[-1], BaseException):
            inner = seen.args[-1]
        if inner is None or inner is seen:
            break
        seen = inner
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror
    return str(seen) or type(seen).__name__

"""What the plugin needs of an engine. The real one and the fake one of the tests satisfy it, held by contract tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Protocol

from ..model.facts import ContainerFacts, Execution, ImageFacts, InfoFacts, NetworkFacts, VersionFacts
from ..model.spec import COMMAND, Attachment, Bound, ContainerPlan, NetworkPlan


class Stream(Protocol):
    """A container's stdin, stdout and stderr, attached."""

    def write(self, line: bytes) -> None:
        """Send bytes to stdin."""

    def read(self) -> tuple[str, bytes]:
        """Wait for output: ``("stdout" or "stderr", bytes)``; empty bytes once the container is gone."""

    def close(self) -> None:
        """Let go; the container goes on."""


class Engine(Protocol):
    """A container engine. Every call raises ``EngineError`` or one of its kin, and nothing else, when it fails.

    Calls may be made from several threads at once. Ids and names may be used alike.
    """

    @property
    def url(self) -> str:
        """Where it is."""

    def version(self) -> VersionFacts:
        """Who answers."""

    def info(self) -> InfoFacts:
        """What the engine says of itself."""

    def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id."""

    def start(self, container: str) -> None:
        """Start it. Raises ``PortInUse`` where a host port is taken."""

    def stop(self, container: str, timeout: int) -> None:
        """Stop it, with SIGKILL after ``timeout`` seconds."""

    def remove(self, container: str) -> None:
        """Kill and remove it with its anonymous volumes; no error where it is gone already."""

    def wait(self, container: str, timeout: float) -> int | None:
        """The exit code once it is not running any more; None after ``timeout`` seconds."""

    def inspect(self, container: str) -> ContainerFacts:
        """What it is like now."""

    def containers(self, label: str | None = None, *, running: bool = False) -> tuple[Mapping[str, object], ...]:
        """Containers, also stopped ones, as ``id``, ``name``, ``labels``, ``status``, ``image`` (its id), ``command``, ``created``,
        ``network_mode`` (as ``inspect`` shows it; podman's is not true);
        ``networks``: their addresses on each, by its name; ``ports``: (address, number, protocol) of the host.
        """

    def logs(self, container: str, tail: int | None = None) -> str:
        """Its output so far, the last ``tail`` lines of it. Raises ``EngineError`` where that is longer than 16 MiB."""

    def execute(self, container: str, argv: Sequence[str], bound: Bound = COMMAND) -> Execution:
        """Run a command in it. Raises ``EngineError`` where it exceeds a bound; it goes on in the container then."""

    def attach(self, container: str) -> Stream:
        """Its standard streams."""

    def commit(self, container: str, repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of it and return the image's id."""

    def image(self, name: str) -> ImageFacts | None:
        """An image that is there, or None."""

    def images(self, label: str, *, untagged: bool = False) -> tuple[ImageFacts, ...]:
        """The images that carry a label, the latest first; ``untagged``: those without a tag that no other is made of."""

    def history(self, image: str) -> tuple[str, ...]:
        """What made each layer of an image, the last first, as the engine writes it."""

    def pull(self, name: str) -> None:
        """Fetch an image from its registry."""

    def import_image(self, tar: IO[bytes], repository: str, tag: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root file system's tar and return its id."""

    def build(self, context: IO[bytes], dockerfile: str, tag: str, args: Mapping[str, str]) -> Iterator[str]:
        """Build an image; yields the lines of output as they come. Raises ``EngineError`` when a step fails."""

    def remove_image(self, name: str) -> None:
        """Remove an image, by its only tag or its id, or one of its tags; no error where it is gone already.

        Only the tag goes where another image is made of it. What it was made of stays, also without a tag.
        """

    def create_network(self, plan: NetworkPlan) -> str:
        """Create a network and return its id."""

    def remove_network(self, network: str) -> None:
        """Remove a network; no error where it is gone already."""

    def network(self, network: str) -> NetworkFacts:
        """A network by name or id."""

    def networks(self, label: str | None = None) -> tuple[NetworkFacts, ...]:
        """Networks, all or those with a label."""

    def connect(self, network: str, container: str, attachment: Attachment) -> None:
        """Join a container to a network."""

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network."""

    def events(self) -> Iterator[Mapping[str, object]]:
        """What happens from now on, as ``type``, ``action``, ``id`` (of a container; for a network, of the one that joins)."""

    def close(self) -> None:
        """Let go of the connections."""


#: Opens an engine at a URL; ``timeout`` in seconds for each call.
Opener = Callable[[str, float], Engine]

"""What containers are like now, without asking twice: the engine's events say when an answer is out of date.

An ``inspect`` costs 1 to 2 ms, three times a probe. Events lag 0.2 to 2 ms (measured on 20.10), so what the plugin itself
does is forgotten at once, and for what others do the answer is as old as an ``inspect`` that was under way at that time.
Where events stop to come without an end (a connection that something on the way has dropped, an engine that drops what a
frozen process does not fetch) an answer is a second old at the most.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping

from msgspec.structs import replace

from .. import labels
from ..engine.port import Engine
from ..errors import EngineError, NotFound
from ..model.facts import ContainerFacts

#: Seconds.
OLDEST = 1.0


class Facts:
    """The facts of containers. Caches only while events are seen to arrive (podman 4.3.1 sends none)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        #: with the time at which the engine was asked
        self._known: dict[str, tuple[ContainerFacts, float]] = {}
        self._ages: dict[str, int] = {}
        #: which containers others have joined, likewise; and how many events there were
        self._joined: tuple[frozenset[str], float] | None = None
        self._count = 0
        self._lock = threading.Lock()
        self._flowing = False
        self._started = False

    def _watch(self) -> None:
        try:
            with contextlib.suppress(EngineError):
                for event in self._engine.events():
                    self._flowing = True
                    self.forget(str(event["id"]))
        finally:  # whatever ended it: what is known grows old now
            with self._lock:
                self._flowing = False
                self._known.clear()
                self._joined = None

    def watch(self) -> None:
        """Begin to listen, once."""
        with self._lock:
            if self._started:
                return
            self._started = True
        with contextlib.suppress(RuntimeError):  # no more threads: then each question goes to the engine
            threading.Thread(target=self._watch, name="dockconn-events", daemon=True).start()

    def forget(self, container: str) -> None:
        """The next question goes to the engine."""
        with self._lock:
            self._ages[container] = self._ages.get(container, 0) + 1
            self._known.pop(container, None)
            self._joined = None
            self._count += 1

    @property
    def cheap(self) -> bool:
        """Whether a question is answered from what is known, as a rule."""
        return self._flowing

    def get(self, container: str) -> ContainerFacts:
        """A container by its full id. Raises ``NotFound``."""
        asked = time.monotonic()
        with self._lock:
            found, since = self._known.get(container, (None, 0.0))
            age = self._ages.get(container, 0)
        if found is not None and self._flowing and asked - since < OLDEST:
            return found
        facts = self._engine.inspect(container)
        host = facts.joined
        if host:
            return self._in_the_namespace_of(facts, host)
        with self._lock:
            # an event that came while the engine was asked makes the answer doubtful
            if self._flowing and self._ages.get(container, 0) == age:
                self._known[container] = (facts, asked)
        return facts

    def fresh(self, container: str) -> ContainerFacts:
        """The same, as the engine says now. Raises ``NotFound``."""
        self.forget(container)
        return self.get(container)

    def _in_the_namespace_of(self, facts: ContainerFacts, host: str) -> ContainerFacts:
        """With the other's addresses: the engine shows none for ``network_mode: container:ID``. Not cached, as it follows two."""
        try:
            there = self._engine.inspect(host)
        except NotFound:
            return facts
        return replace(facts, endpoints=there.endpoints, bindings=there.bindings)

    def is_joined(self, facts: ContainerFacts) -> bool:
        """Whether another that runs shares its network namespace; our own sidecars, which serve nobody, do not count."""
        names = {facts.id, facts.name}
        return any(one in names or facts.id.startswith(one) for one in self._hosts())

    def _hosts(self) -> frozenset[str]:
        """Those whose namespaces others have joined, as these name them."""
        asked = time.monotonic()
        with self._lock:
            (found, since), count = self._joined or (None, 0.0), self._count
        if found is not None and self._flowing and asked - since < OLDEST:
            return found
        there = self._engine.containers(running=True)
        hosts = frozenset(host for one in there if not _is_sidecar(one) and (host := self._host_of(one)))
        with self._lock:
            if self._flowing and self._count == count:
                self._joined = (hosts, asked)
        return hosts

    def _host_of(self, entry: Mapping[str, object]) -> str:
        """Whose namespace it has joined. Podman lists every mode as ``host`` (seen on 4.3.1); who has no address may have joined."""
        kind, _, host = str(entry["network_mode"]).partition(":")
        networks = entry["networks"]
        assert isinstance(networks, Mapping)
        if self._engine.version().kind == "docker" or any(networks.values()):
            return host if kind == "container" else ""
        with contextlib.suppress(NotFound):
            return self._engine.inspect(str(entry["id"])).joined
        return ""


def _is_sidecar(entry: Mapping[str, object]) -> bool:
    marks = entry["labels"]
    assert isinstance(marks, Mapping)
    return marks.get(labels.ROLE) == "sidecar"

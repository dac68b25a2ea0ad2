"""The engine itself: who it is, and what it tells of."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping

import pytest

from pytest_dockconn.engine.find import CALL_TIMEOUT
from pytest_dockconn.engine.port import Engine
from pytest_dockconn.model.spec import Attachment
from tests.contract.bench import Bench
from tests.fakes.engine import FakeEngine


def test_who_it_is(bench: Bench) -> None:
    version = bench.engine.version()
    assert version.kind in ("docker", "podman")
    assert version.version[0].isdigit()
    assert version.api_version
    assert version.url == bench.engine.url
    assert version.os == "linux"
    assert bench.engine.info().name


@pytest.fixture
def other(bench: Bench) -> Iterator[Engine]:
    """A second connection to the same engine, which the test may close."""
    if isinstance(bench.engine, FakeEngine):
        yield bench.engine
        return
    engine = type(bench.engine)(bench.engine.url, CALL_TIMEOUT)  # type: ignore[call-arg]
    yield engine
    engine.close()


class Listener:
    """What one thread hears of an engine's events."""

    def __init__(self, engine: Engine) -> None:
        self._heard: queue.SimpleQueue[Mapping[str, object] | None] = queue.SimpleQueue()
        self._events = engine.events()
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self) -> None:
        for event in self._events:
            self._heard.put(event)
        self._heard.put(None)

    def hears(self, timeout: float) -> bool:
        try:
            return self._heard.get(timeout=timeout) is not None
        except queue.Empty:
            return False

    def until(self, container: str, action: str) -> list[tuple[object, object]]:
        """Type and action of all events about a container, up to and with this one."""
        found: list[tuple[object, object]] = []
        while not found or found[-1][1] != action:
            event = self._heard.get(timeout=10)
            assert event is not None
            if event["id"] == container:
                found.append((event["type"], event["action"]))
        return found


def test_events(bench: Bench, other: Engine) -> None:
    listener = Listener(other)
    while not listener.hears(0.05):  # it listens from some moment on
        bench.engine.remove(bench.create())
    network, one = bench.network(), bench.create()
    bench.engine.start(one)
    bench.engine.connect(network, one, Attachment(network))
    bench.engine.disconnect(network, one)
    bench.engine.stop(one, 0)
    bench.engine.remove(one)
    seen = listener.until(one, "destroy")
    container = [action for kind, action in seen if kind == "container"]
    wanted = ["create", "start", "die", "stop", "destroy"]
    # "die" comes before "stop" on 20.10 and after it on 26 and 28
    found = [action for action in container if action in wanted]
    assert [found[0], found[1], *sorted(found[2:4]), *found[4:]] == wanted
    assert [action for kind, action in seen if kind == "network"][:3] == ["connect", "connect", "disconnect"]
    other.close()
    listener.thread.join(10)
    assert not listener.thread.is_alive()

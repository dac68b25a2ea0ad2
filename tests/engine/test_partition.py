"""Two that must not talk for a while: what is cut, what is not, and that nothing of it is left."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from pytest_dockconn import Container, Lab, ReachabilityError, Verdict, assert_reachable, assert_unreachable
from pytest_dockconn.actions import prune
from pytest_dockconn.errors import CapabilityError, EngineError, NotOurs, SpecError
from pytest_dockconn.model.facts import ContainerFacts
from pytest_dockconn.model.leftover import Leftover
from pytest_dockconn.model.spec import ContainerPlan

WAYS = [("drop", Verdict.TIMED_OUT), ("reject", Verdict.REFUSED)]


def rules(lab: Lab, container: Container) -> str:
    """Everything that filters packets in a container's namespace, as a sidecar with NET_ADMIN sees it."""
    services = lab._services
    name = f"dockconn-{services.run}-rules"
    plan = ContainerPlan(
        image=services.images.get("client").id, name=name, labels={}, command=("sh", "-c", "nft list ruleset 2>/dev/null"),
        network_mode=f"container:{container.id}", capabilities=("NET_ADMIN",),
    )  # fmt: skip
    made = services.engine.create(plan)
    try:
        services.engine.start(made)
        assert services.engine.wait(made, 10) == 0
        return re.sub(r"packets \d+ bytes \d+", "", services.engine.logs(made))
    finally:
        services.engine.remove(made)


def sidecars(lab: Lab) -> set[str]:
    marks = [c["labels"] for c in lab._services.engine.containers(f"dockconn={lab._services.run}")]
    return {m["dockconn.name"] for m in marks if isinstance(m, dict) and m["dockconn.role"] == "partition"}


@pytest.mark.parametrize(("how", "verdict"), WAYS, ids=[w[0] for w in WAYS])
def test_neither_reaches_the_other_and_all_else_does(dockconn: Lab, how: str, verdict: Verdict) -> None:
    web, db, third = dockconn.server(name="web"), dockconn.server(name="db", expose=(80, "53/udp")), dockconn.server()

    with dockconn.partition(web, db, how=how):
        assert_unreachable(web, db.port(80), because=verdict, timeout=0.3)
        assert_unreachable(web, db.port(53, "udp"), because=verdict, timeout=0.3)
        assert_unreachable(db, web.port(80), because=verdict, timeout=0.3)
        for source, destination in (
            (web, third),
            (third, web),
            (third, db.port(80)),
            (db, third),
            (dockconn.host, web),
        ):
            assert_reachable(source, destination)

    assert_reachable(web, db.port(80))
    assert_reachable(web, db.port(53, "udp"))
    assert_reachable(db, web.port(80))


@pytest.mark.parametrize("how", ["drop", "reject"])
def test_a_failure_inside_names_the_partition(dockconn: Lab, how: str) -> None:
    web, db, third = dockconn.server(name="web"), dockconn.server(name="db"), dockconn.server(expose=())

    with dockconn.partition(web, db, how=how):
        with pytest.raises(ReachabilityError) as failure:
            assert_reachable(web, db.port(80), within=0, timeout=0.3)
        with pytest.raises(ReachabilityError) as other:
            assert_reachable(web, third.port(80), within=0, timeout=0.3)

    assert "the test cut them off from each other: partition(web, db) is in force" in str(failure.value).splitlines()[0]
    assert "partition" not in str(other.value)


@pytest.mark.parametrize("how", ["drop", "reject"])
def test_one_way(dockconn: Lab, how: str) -> None:
    web, db = dockconn.server(name="web"), dockconn.server(name="db")

    with dockconn.partition(web, db, one_way=True, how=how):
        assert_unreachable(web, db.port(80), timeout=0.3)
        assert_reachable(db, web.port(80))

    assert_reachable(web, db.port(80))


def test_a_bound_port_is_no_way_around(dockconn: Lab) -> None:
    web, db = dockconn.server(name="web"), dockconn.server(name="db", bind={80: ("0.0.0.0", None)})
    assert_reachable(web, db.bound_port(80))

    with dockconn.partition(web, db):
        assert_unreachable(web, db.bound_port(80), timeout=0.3)
        assert_reachable(dockconn.host, db.bound_port(80))

    assert_reachable(web, db.bound_port(80))


def test_a_whole_network(dockconn: Lab) -> None:
    front, back = dockconn.network("front"), dockconn.network("back")
    web = dockconn.server(name="web", networks=[front, back])
    one, two = dockconn.server(networks=[front]), dockconn.server(networks=[back])

    with dockconn.partition(web, front):
        assert_unreachable(web, one.port(80), timeout=0.3)
        assert_unreachable(one, web.port(80).on(front), timeout=0.3)
        assert_reachable(web, two.port(80))
        assert_reachable(two, web.port(80).on(back))

    assert_reachable(web, one.port(80))


def test_both_families(dockconn: Lab) -> None:
    network = dockconn.network(ipv6=True)
    web, db = dockconn.server(networks=[network]), dockconn.server(networks=[network])
    assert_reachable(web, db.port(80).on(db.ip6))

    with dockconn.partition(web, db):
        for address in (db.ip, db.ip6):
            assert_unreachable(web, db.port(80).on(address), because=Verdict.TIMED_OUT, timeout=0.3)

    assert_reachable(web, db.port(80).on(db.ip6))


HELD = (
    "import socket,sys; s=socket.create_connection(({ip!r},8000)); s.sendall(b'one'); print(s.recv(9), flush=True);"
    " s.settimeout(60); sys.stdin.read(1); s.sendall(b'two'); s.settimeout(0.5)\n"
    "try: print(s.recv(9) or 'closed', flush=True)\n"
    "except OSError as e: print(type(e).__name__, flush=True)"
)
ECHO = (
    "import socketserver\n"
    "class H(socketserver.BaseRequestHandler):\n"
    " def handle(self):\n"
    "  while 1:\n"
    "   d=self.request.recv(9)\n"
    "   if not d: return\n"
    "   self.request.sendall(d)\n"
    "socketserver.ThreadingTCPServer(('',8000),H).serve_forever()"
)


@pytest.mark.parametrize(("how", "seen"), [("drop", "TimeoutError"), ("reject", "ConnectionResetError")])
def test_a_live_connection_is_cut_too(dockconn: Lab, how: str, seen: str) -> None:
    """Opened before the partition, and held; by an exec with a stdin, so that the test says when it goes on."""
    server = dockconn.server(command=["python3", "-c", ECHO], expose=(8000,))
    client = dockconn.client()
    holder = subprocess.Popen(
        ["docker", "-H", dockconn.engine.url, "exec", "-i", client.id, "python3", "-c", HELD.format(ip=server.ip)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "b'one'\n"
        with dockconn.partition(client, server, how=how):
            said, _ = holder.communicate("x", timeout=20)
            assert said.strip() in (seen, "BrokenPipeError")


def test_healed_exactly_also_after_an_exception(dockconn: Lab) -> None:
    network = dockconn.network()
    web, db = dockconn.server(networks=[network]), dockconn.server(networks=[network])
    before = [(rules(dockconn, one), one.facts().endpoints) for one in (web, db)]

    class Boom(Exception):
        pass

    with pytest.raises(Boom), dockconn.partition(web, db):  # noqa: PT012
        assert "dockconn_" in rules(dockconn, web)
        raise Boom

    assert [(rules(dockconn, one), one.facts().endpoints) for one in (web, db)] == before
    assert sidecars(dockconn) == set()


def test_two_at_once_heal_apart(dockconn: Lab) -> None:
    web, one, two = dockconn.server(), dockconn.server(), dockconn.server()

    with dockconn.partition(web, one):
        with dockconn.partition(web, two):
            assert_unreachable(web, two.port(80), timeout=0.3)
        assert_reachable(web, two)
        assert_unreachable(web, one.port(80), timeout=0.3)


def test_a_container_that_ends_meanwhile(dockconn: Lab) -> None:
    web, db = dockconn.server(), dockconn.server()

    with dockconn.partition(web, db):
        db.stop()
        web.restart()

    db.start()
    assert_reachable(web, db.port(80))
    assert sidecars(dockconn) == set()


def test_adopted_ones_are_left_alone_unless_allowed(dockconn: Lab) -> None:
    web = dockconn.server()
    theirs = dockconn.adopt(dockconn.server().id)
    before = rules(dockconn, theirs)

    with pytest.raises(NotOurs, match=r"refused to cut off .*: it was adopted"), dockconn.partition(web, theirs):
        raise AssertionError("it was cut")
    with dockconn.partition(web, theirs, allow_adopted=True):
        assert_unreachable(web, theirs.port(80), timeout=0.3)
        assert rules(dockconn, theirs) == before  # ours alone bears the rules
    other = dockconn.adopt(dockconn.server().id)
    with dockconn.partition(other, theirs, allow_adopted=True):
        assert_unreachable(other, theirs.port(80), timeout=0.3)
    assert rules(dockconn, theirs) == before


@pytest.mark.parametrize("ends", [KeyboardInterrupt, None], ids=["Ctrl-C", "not in time"])
def test_a_cut_that_nobody_knows_of_is_healed_at_once(
    dockconn: Lab, monkeypatch: pytest.MonkeyPatch, ends: type[BaseException] | None
) -> None:
    """Its rules are set, and then Ctrl-C comes while its sidecar is waited for; or that does not end in time."""
    theirs = dockconn.adopt(dockconn.server().id)
    other = dockconn.adopt(dockconn.client().id)
    before = rules(dockconn, theirs)
    engine = dockconn._services.engine
    wait = engine.wait

    def interrupted(container: str, timeout: float) -> int | None:
        monkeypatch.setattr(engine, "wait", wait)
        assert wait(container, timeout) == 0  # the rules are set
        if ends is not None:
            raise ends
        return None

    monkeypatch.setattr(engine, "wait", interrupted)
    with (
        pytest.raises(ends or CapabilityError),
        dockconn.partition(theirs, other, allow_adopted=True),
    ):
        raise AssertionError("it was cut")

    assert rules(dockconn, theirs) == before
    assert sidecars(dockconn) == set()
    assert dockconn._services.doubt.there is (ends is not None)
    dockconn._services.doubt.there = False  # of the run of these tests


def test_what_can_not_be_healed_is_left_to_the_helper(dockconn: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its witness stays, and by it the helper heals when the run is over."""
    web, client = dockconn.server(), dockconn.client()
    engine, doubt = dockconn._services.engine, dockconn._services.doubt

    def fails(container: str) -> ContainerFacts:
        raise EngineError("it does not want to")

    with pytest.raises(EngineError, match="does not want to"), dockconn.partition(web, client):
        monkeypatch.setattr(engine, "inspect", fails)
    monkeypatch.undo()

    there = [one for one in engine.containers("dockconn.partition") if str(one["name"]) in sidecars(dockconn)]
    assert len(there) == 2  # in the namespaces of both
    assert doubt.there
    doubt.there = False
    assert prune.remove(engine, [Leftover("partition", str(c["id"]), str(c["name"]), "", "") for c in there]) == []
    assert_reachable(client, web)


def test_a_dead_runs_partition_is_healed_by_the_sweep(dockconn: Lab) -> None:
    """As after kill -9: nobody leaves the block, and the witness tells the next run."""
    web, db = dockconn.server(), dockconn.server()
    theirs = dockconn.adopt(web.id)
    before = rules(dockconn, theirs)
    entered = contextlib.ExitStack()
    entered.enter_context(dockconn.partition(theirs, dockconn.adopt(db.id), allow_adopted=True))
    assert rules(dockconn, theirs) != before
    engine = dockconn._services.engine

    (one,) = engine.containers(f"dockconn.partition={web.id}")
    left = Leftover("partition", str(one["id"]), str(one["name"]), "", "")
    assert prune.remove(engine, [left]) == []

    assert rules(dockconn, theirs) == before
    entered.close()  # nothing is left to heal in that one, and no error says so


BAD: list[tuple[str, Callable[[Lab], Any], type[Exception], str]] = [
    (
        "itself",
        lambda lab: (lab.server(name="web"),) * 2,
        SpecError,
        r"partition\(web, web\): one container and another",
    ),
    ("two networks", lambda lab: (lab.network(), lab.network()), SpecError, "both are networks|one container"),
    ("a url", lambda lab: (lab.server(), "http://web/"), SpecError, "can't be cut off"),
    (
        "host mode, both",
        lambda lab: (lab.client(network_mode="host"), lab.client(network_mode="host")),
        CapabilityError,
        "shares the host's network",
    ),
    ("no address", lambda lab: (lab.server(), lab.client(network_mode="none")), SpecError, "has no address"),
]


@pytest.mark.parametrize(("parties", "error", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_can_not_be_cut(dockconn: Lab, parties: Callable[[Lab], Any], error: type[Exception], words: str) -> None:
    a, b = parties(dockconn)

    with pytest.raises(error, match=words), dockconn.partition(a, b):
        raise AssertionError("it was cut")
    assert sidecars(dockconn) == set()


def test_a_way_that_is_none(dockconn: Lab) -> None:
    with (
        pytest.raises(SpecError, match="how='slow' is no way to cut"),
        dockconn.partition(dockconn.server(), dockconn.server(), how="slow"),
    ):
        raise AssertionError("it was cut")

"""Two that must not talk for a while: what is cut, what is not, and that nothing of it is left."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_dockconn import Container, Lab, ReachabilityError, Verdict, assert_reachable, assert_unreachable, labels
from pytest_dockconn.actions import prune
from pytest_dockconn.actions.services import Services
from pytest_dockconn.errors import CapabilityError, EngineError, NotOurs, SpecError
from pytest_dockconn.fixtures import session_of
from pytest_dockconn.model.facts import ContainerFacts
from pytest_dockconn.model.leftover import Leftover
from pytest_dockconn.model.spec import ContainerPlan
from tests.engine import scenes
from tests.engine.helpers import soon
from tests.shared import Stage

WAYS = [("drop", Verdict.TIMED_OUT), ("reject", Verdict.REFUSED)]


Look = Callable[[Container], str]


@pytest.fixture
def rules(dockconn: Lab) -> Iterator[Look]:
    """Everything that filters packets in a container's namespace, as a sidecar with NET_ADMIN sees it."""
    engine, sidecars = dockconn._services.engine, dict[Container, str]()

    def look(container: Container) -> str:
        if container not in sidecars:
            sidecars[container] = looking(dockconn._services, container)
        done = engine.execute(sidecars[container], ["nft", "list", "ruleset"])
        assert done.returncode == 0, done
        return re.sub(r"packets \d+ bytes \d+", "", done.stdout)

    yield look
    for sidecar in sidecars.values():
        engine.remove(sidecar)


def looking(services: Services, container: Container) -> str:
    name = f"dockconn-{services.run}-rules-{container.id[:12]}"
    plan = ContainerPlan(
        image=services.images.get("client").id, name=name, labels=labels.made(services.run, name, "test"),
        command=("sleep", "600"), network_mode=f"container:{container.id}", capabilities=("NET_ADMIN",),
    )  # fmt: skip
    made = services.engine.create(plan)
    services.engine.start(made)
    return made


class Trio:
    """Three on one network of both families; ``db`` is bound to the host's addresses, ``web`` and ``third`` are not."""

    def __init__(self, lab: Lab) -> None:
        on = [lab.network(ipv6=True)]
        self.lab = lab
        self.web, self.db, self.third = lab.side_by_side(
            lambda: lab.server(name="web", networks=on),
            lambda: lab.server(name="db", networks=on, expose=(80, "53/udp"), bind={80: ("0.0.0.0", None)}),
            lambda: lab.server(name="third", networks=on),
        )
        self._facts = self._seen()

    def _seen(self) -> list[ContainerFacts]:
        return [one.facts() for one in (self.web, self.db, self.third)]

    def is_well(self) -> bool:
        """As it was made: nobody is cut off from anybody, by either family."""
        everybody = (self.web, self.db, self.third)
        asked = [one.port(80).on(address) for one in everybody for address in (one.ip, one.ip6)]
        return self._seen() == self._facts and all(all(one.probe_many(asked)) for one in everybody)


@pytest.fixture(scope="module")
def trios() -> list[Trio]:
    """The one that is well, if there is one."""
    return []


@pytest.fixture
def trio(request: pytest.FixtureRequest, trios: list[Trio]) -> Iterator[Trio]:
    """A test has to leave it as it was; where it has not, it is no good for the next one."""
    if not trios:
        trios.append(Trio(session_of(request.config).new_lab()))
    yield trios[0]
    if not trios[0].is_well():
        trios.clear()


def sidecars(lab: Lab) -> set[str]:
    marks = [c["labels"] for c in lab._services.engine.containers(f"dockconn={lab._services.run}")]
    return {m["dockconn.name"] for m in marks if isinstance(m, dict) and m["dockconn.role"] == "partition"}


@pytest.mark.parametrize(("how", "verdict"), WAYS, ids=[w[0] for w in WAYS])
def test_neither_reaches_the_other_and_all_else_does(dockconn: Lab, trio: Trio, how: str, verdict: Verdict) -> None:
    web, db, third = trio.web, trio.db, trio.third

    with dockconn.partition(web, db, how=how):
        assert_unreachable(web, db.port(80), because=verdict, timeout=soon(verdict))
        assert_unreachable(web, db.port(53, "udp"), because=verdict, timeout=soon(verdict))
        assert_unreachable(db, web.port(80), because=verdict, timeout=soon(verdict))
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
def test_a_failure_inside_names_the_partition(dockconn: Lab, trio: Trio, how: str) -> None:
    with dockconn.partition(trio.web, trio.db, how=how):
        with pytest.raises(ReachabilityError) as failure:
            assert_reachable(trio.web, trio.db.port(80), within=0, timeout=0.3)
        with pytest.raises(ReachabilityError) as other:
            assert_reachable(trio.web, trio.third.port(81), within=0, timeout=0.3)

    assert "the test cut them off from each other: partition(web, db) is in force" in str(failure.value).splitlines()[0]
    assert "partition" not in str(other.value)


@pytest.mark.parametrize("how", ["drop", "reject"])
def test_one_way(dockconn: Lab, trio: Trio, how: str) -> None:
    with dockconn.partition(trio.web, trio.db, one_way=True, how=how):
        assert_unreachable(trio.web, trio.db.port(80), timeout=0.3)
        assert_reachable(trio.db, trio.web.port(80))

    assert_reachable(trio.web, trio.db.port(80))


def test_a_bound_port_is_no_way_around(dockconn: Lab, trio: Trio) -> None:
    web, db = trio.web, trio.db
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


def test_both_families(dockconn: Lab, trio: Trio) -> None:
    web, db = trio.web, trio.db
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


def test_a_live_connection_is_cut_too(dockconn: Lab) -> None:
    """Opened before the partition, and held; by an exec with a stdin, so that the test says when it goes on."""
    server = dockconn.server(command=["python3", "-c", ECHO], expose=(8000,))
    client = dockconn.client()
    for how, seen in (("drop", "TimeoutError"), ("reject", "ConnectionResetError")):
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


def test_healed_exactly_also_after_an_exception(dockconn: Lab, trio: Trio, rules: Look) -> None:
    before = [(rules(one), one.facts().endpoints) for one in (trio.web, trio.db)]

    class Boom(Exception):
        pass

    with pytest.raises(Boom), dockconn.partition(trio.web, trio.db):  # noqa: PT012
        assert "dockconn_" in rules(trio.web)
        raise Boom

    assert [(rules(one), one.facts().endpoints) for one in (trio.web, trio.db)] == before
    assert sidecars(dockconn) == set()


def test_two_at_once_heal_apart(dockconn: Lab, trio: Trio) -> None:
    web, one, two = trio.web, trio.db, trio.third

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


def test_adopted_ones_are_left_alone_unless_allowed(dockconn: Lab, trio: Trio, rules: Look) -> None:
    network = trio.web.facts().endpoints[0].network
    made = dockconn.side_by_side(*[lambda: dockconn.server(networks=[network])] * 2)
    theirs, other = (dockconn.adopt(one.id) for one in made)
    web, before = trio.web, rules(theirs)

    with pytest.raises(NotOurs, match=r"refused to cut off .*: it was adopted"), dockconn.partition(web, theirs):
        raise AssertionError("it was cut")
    with dockconn.partition(web, theirs, allow_adopted=True):
        assert_unreachable(web, theirs.port(80), timeout=0.3)
        assert rules(theirs) == before  # ours alone bears the rules
    with dockconn.partition(other, theirs, allow_adopted=True):
        assert_unreachable(other, theirs.port(80), timeout=0.3)
    assert rules(theirs) == before


@pytest.mark.parametrize("ends", [KeyboardInterrupt, None], ids=["Ctrl-C", "not in time"])
def test_a_cut_that_nobody_knows_of_is_healed_at_once(
    dockconn: Lab, rules: Look, monkeypatch: pytest.MonkeyPatch, ends: type[BaseException] | None
) -> None:
    """Its rules are set, and then Ctrl-C comes while its sidecar is waited for; or that does not end in time."""
    theirs = dockconn.adopt(dockconn.server().id)
    other = dockconn.adopt(dockconn.client().id)
    before = rules(theirs)
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

    assert rules(theirs) == before
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


def test_a_dead_runs_partition_is_healed_by_the_sweep(dockconn: Lab, rules: Look) -> None:
    """As after kill -9: nobody leaves the block, and the witness tells the next run."""
    theirs, others = (dockconn.adopt(one.id) for one in dockconn.side_by_side(*[dockconn.server] * 2))
    before = rules(theirs)
    entered = contextlib.ExitStack()
    entered.enter_context(dockconn.partition(theirs, others, allow_adopted=True))
    assert rules(theirs) != before
    engine = dockconn._services.engine

    (one,) = engine.containers(f"dockconn.partition={theirs.id}")
    left = Leftover("partition", str(one["id"]), str(one["name"]), "", "")
    assert prune.remove(engine, [left]) == []

    assert rules(theirs) == before
    entered.close()  # nothing is left to heal in that one, and no error says so


BAD: list[tuple[str, Callable[[Stage, Trio], Any], type[Exception], str]] = [
    (
        "itself",
        lambda _, trio: (trio.web, trio.web),
        SpecError,
        r"partition\(web, web\): one container and another",
    ),
    (
        "two networks",
        lambda stage, _: (stage.lab.network(), stage.lab.network()),
        SpecError,
        "both are networks|one container",
    ),
    ("a url", lambda _, trio: (trio.web, "http://web/"), SpecError, "can't be cut off"),
    (
        "host mode, both",
        lambda stage, _: (stage.once(scenes.on_the_hosts_network), stage.lab.client(network_mode="host")),
        CapabilityError,
        "shares the host's network",
    ),
    ("no address", lambda stage, trio: (trio.web, stage.once(scenes.without_network)), SpecError, "has no address"),
]


@pytest.mark.parametrize(("parties", "error", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_can_not_be_cut(
    stage: Stage, trio: Trio, parties: Callable[[Stage, Trio], Any], error: type[Exception], words: str
) -> None:
    a, b = parties(stage, trio)

    with pytest.raises(error, match=words), stage.lab.partition(a, b):
        raise AssertionError("it was cut")
    assert sidecars(stage.lab) == set()


def test_a_way_that_is_none(dockconn: Lab, trio: Trio) -> None:
    with (
        pytest.raises(SpecError, match="how='slow' is no way to cut"),
        dockconn.partition(trio.web, trio.db, how="slow"),
    ):
        raise AssertionError("it was cut")


def test_it_holds_for_what_is_started_anew_and_for_networks_that_are_joined(dockconn: Lab) -> None:
    one, other = dockconn.network(), dockconn.network()
    web, db = dockconn.side_by_side(
        lambda: dockconn.server(name="web", networks=[one]), lambda: dockconn.server(name="db", networks=[one])
    )

    with dockconn.partition(web, db):
        web.restart()
        db.restart()
        other.connect(web)
        other.connect(db)
        for asks, asked in ((web, db), (db, web)):
            for network in (one, other):
                port = asked.port(80).on(network)
                assert_unreachable(asks, port, because=Verdict.TIMED_OUT, timeout=0.3)

    for network in (one, other):
        assert_reachable(web, db.port(80).on(network))
    assert sidecars(dockconn) == set()

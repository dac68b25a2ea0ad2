"""docker-py behind the port, and the way without it: engines that hang, that die, and podman's own ways."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tenacity
from tests.unit.engine.canned import Server, serving

from pytest_dockconn.engine import docker_sdk, patience
from pytest_dockconn.engine.direct import DirectEngine
from pytest_dockconn.engine.docker_sdk import DockerEngine
from pytest_dockconn.engine.port import Engine, Opener
from pytest_dockconn.errors import EngineError, EngineTimeout, EngineUnavailable, LeftBehind, NotFound
from pytest_dockconn.model.spec import Attachment, ContainerPlan, NetworkPlan, PortKey, Publish

#: Seconds: for engines that hang, and for others, which a busy machine must not make look so.
SOON, TIMEOUT = 0.3, 20.0


@contextlib.contextmanager
def running(
    path: Path, kind: str, made_by: Opener = DockerEngine, timeout: float = TIMEOUT
) -> Iterator[tuple[Server, Engine]]:
    opened = tenacity.Retrying(  # asking for the version takes longer than SOON where the machine is busy
        retry=tenacity.retry_if_exception_type(EngineTimeout), stop=tenacity.stop_after_delay(20), reraise=True
    )
    with serving(path, kind) as server, contextlib.closing(opened(made_by, f"unix://{path}", timeout)) as engine:
        try:
            yield server, engine
        finally:
            server.over.set()  # to close an engine waits for answers that are under way


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The easy questions follow fast on each other."""
    monkeypatch.setattr(docker_sdk, "patiently", lambda call, easy, pace=0.05: patience.patiently(call, easy, pace))


@pytest.fixture(params=[DockerEngine, DirectEngine])
def docker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Engine]]:
    with running(tmp_path / "d.sock", "docker", request.param) as pair:
        yield pair


@pytest.fixture(params=[DockerEngine, DirectEngine])
def hasty(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Server, Engine]]:
    monkeypatch.setattr(patience, "EASY", SOON)
    with running(tmp_path / "h.sock", "docker", request.param, SOON) as pair:
        yield pair


@pytest.fixture(params=[DockerEngine, DirectEngine])
def patient(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Engine]]:
    """A short limit for calls, and the whole one for easy questions."""
    with running(tmp_path / "q.sock", "docker", partial(request.param, busy=3), SOON) as pair:
        yield pair


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[tuple[Server, Engine]]:
    with running(tmp_path / "p.sock", "podman") as pair:
        yield pair


ID = "0123456789abcdef" * 4

CALLS: dict[str, Callable[[Engine], object]] = {
    "create": lambda e: e.create(ContainerPlan(image="i", name="dockconn-1", labels={})),
    "start": lambda e: e.start(ID),
    "remove": lambda e: e.remove(ID),
    "inspect": lambda e: e.inspect(ID),
    "containers": lambda e: e.containers(),
    "logs": lambda e: e.logs(ID),
    "execute": lambda e: e.execute(ID, ["true"]),
    "attach": lambda e: e.attach(ID),
    "image": lambda e: e.image("i"),
    "network": lambda e: e.network("n"),
}


@pytest.mark.parametrize("call", CALLS)
def test_an_engine_that_hangs_is_given_up_in_time(hasty: tuple[Server, Engine], call: str) -> None:
    server, engine = hasty
    server.hangs.set()
    begun = time.monotonic()

    with pytest.raises(EngineTimeout, match=r"the engine at unix://\S+ did not answer within 0.3 s") as caught:
        CALLS[call](engine)

    assert time.monotonic() - begun < 5
    assert "dockconn prune" in caught.value.remedy


@pytest.mark.parametrize("made_by", [DockerEngine, DirectEngine])
def test_no_engine_hangs_before_a_calls_limit_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by: Opener
) -> None:
    """Also one that answers nothing at all for a while, as where the whole machine stands still."""
    monkeypatch.setattr(patience, "EASY", 0.05)
    with running(tmp_path / "d.sock", "docker", made_by) as (server, engine):
        server.answers[f"/containers/{ID}/start"] = (200, {})
        server.busy = {f"/containers/{ID}/start": 2.5 * SOON, "/_ping": 2.5 * SOON}
        engine.start(ID)


BUSY: dict[str, tuple[str, int, Callable[[Engine], object]]] = {
    "create": ("/containers/create", 201, CALLS["create"]),
    "start": (f"/containers/{ID}/start", 200, CALLS["start"]),
    "stop": (f"/containers/{ID}/stop", 200, lambda e: e.stop(ID, 0)),
    "remove": (f"/containers/{ID}", 200, CALLS["remove"]),
    "inspect": (f"/containers/{ID}/json", 200, CALLS["inspect"]),
    "make a network": ("/networks/create", 201, lambda e: e.create_network(NetworkPlan(name="n", labels={}))),
    "remove a network": ("/networks/n", 200, lambda e: e.remove_network("n")),
    "connect": ("/networks/n/connect", 200, lambda e: e.connect("n", ID, Attachment("n"))),
    "disconnect": ("/networks/n/disconnect", 200, lambda e: e.disconnect("n", ID)),
    "remove an image": ("/images/i", 200, lambda e: e.remove_image("i")),
    "info": ("/info", 200, lambda e: e.info()),
    "containers": ("/containers/json", 200, CALLS["containers"]),
    "logs": (f"/containers/{ID}/logs", 200, CALLS["logs"]),
    "create an exec": (f"/containers/{ID}/exec", 201, CALLS["execute"]),
    "inspect an exec": (f"/exec/{ID}/json", 200, CALLS["execute"]),
    "image": ("/images/i/json", 200, CALLS["image"]),
    "images": ("/images/json", 200, lambda e: e.images("l")),
    "history": ("/images/i/history", 200, lambda e: e.history("i")),
    "network": ("/networks/n", 200, CALLS["network"]),
    "networks": ("/networks", 200, lambda e: e.networks()),
}
#: What has a list for an answer.
LISTS = {"containers", "images", "history", "networks"}


@pytest.mark.parametrize("made_by", [DockerEngine, DirectEngine])
def test_an_engine_that_is_only_busy_is_waited_for(tmp_path: Path, made_by: Any) -> None:
    """Longer than a call's limit: it answers other questions meanwhile."""
    with running(tmp_path / "d.sock", "docker", partial(made_by, busy=100), SOON) as (server, engine):
        for name, (path, status, _) in BUSY.items():
            one = {"Id": ID, "State": {"Status": "running"}, "Config": {"Tty": True}, "Name": "n", "ExitCode": 0}
            server.answers[path] = (status, [] if name in LISTS else one)
            server.busy[path] = 2.5 * SOON
        server.broken.add(f"/exec/{ID}/start")  # a stream that ends

        with ThreadPoolExecutor(len(BUSY)) as pool:
            ends = {name: pool.submit(call, engine) for name, (_, _, call) in BUSY.items()}

    assert {name: end.exception() for name, end in ends.items()} == dict.fromkeys(BUSY)
    assert len(server.asked("/_ping")) >= len(BUSY)


@pytest.mark.parametrize("call", ["start", "create"])
def test_it_is_not_waited_for_without_an_end(patient: tuple[Server, Engine], call: str) -> None:
    server, engine = patient
    server.silent.add(BUSY[call][0])
    server.answers["/networks"] = (200, [])
    with pytest.raises(EngineTimeout, match=r"the engine at unix://\S+ was busy with it for more than 0.9 s"):
        CALLS[call](engine)
    assert server.asked("/_ping")
    engine.networks()  # others are asked as before


@pytest.mark.parametrize("call", ["start", "create"])
def test_a_proxy_that_answers_for_an_engine_is_none(patient: tuple[Server, Engine], call: str) -> None:
    server, engine = patient
    server.silent.add(BUSY[call][0])
    server.answers["/_ping"] = (502, {"message": "Bad Gateway"})
    with pytest.raises(
        EngineUnavailable, match=r"lost the engine at unix://\S+: asked whether it is there, it said .*502"
    ):
        CALLS[call](engine)


@pytest.mark.parametrize("made_by", [DockerEngine, DirectEngine])
def test_one_that_tidies_up_waits_for_no_busy_engine(tmp_path: Path, made_by: Any) -> None:
    """The helper's own time is short: it looks again, instead."""
    with running(tmp_path / "d.sock", "docker", partial(made_by, busy=1), SOON) as (server, engine):
        server.silent.add(f"/containers/{ID}")
        with pytest.raises(EngineTimeout, match=r"did not answer within 0.3 s") as caught:
            engine.remove(ID)
        assert "it answered other questions" not in str(caught.value)
        heard = len(server.heard)
        with pytest.raises(EngineTimeout, match="removing container"):  # the first one's words: it counts for all
            engine.inspect(ID)
        assert len(server.heard) == heard
        assert made_by is DockerEngine or not server.asked("/_ping")


def test_one_time_limit_is_enough(hasty: tuple[Server, Engine]) -> None:
    server, engine = hasty
    server.hangs.set()
    with pytest.raises(EngineTimeout):
        engine.inspect(ID)
    heard = len(server.heard)

    with pytest.raises(EngineTimeout, match="inspecting container"):  # the first one's words
        engine.remove(ID)

    assert len(server.heard) == heard


def test_a_command_that_hangs_with_its_engine(hasty: tuple[Server, Engine]) -> None:
    """It may run for long, so its own time limit is a quarter of an hour: an easy question shows that nobody is there."""
    server, engine = hasty
    server.answers[f"/containers/{ID}/exec"] = (201, {"Id": "e1"})
    server.silent |= {"/exec/e1/start", "/_ping"}

    with pytest.raises(EngineTimeout, match=r"running 'sleep 1' in container 0123456789ab: the engine at"):
        engine.execute(ID, ["sleep", "1"])


@pytest.mark.parametrize("call", CALLS)
def test_an_engine_that_dies_is_called_lost(docker: tuple[Server, Engine], call: str) -> None:
    server, engine = docker
    server.dead.set()

    with pytest.raises(EngineUnavailable, match=r"lost the engine at unix://") as caught:
        CALLS[call](engine)

    assert not isinstance(caught.value, EngineTimeout)
    assert "Traceback" not in str(caught.value)
    assert caught.value.remedy


def test_an_engine_that_dies_amid_a_stream(docker: tuple[Server, Engine]) -> None:
    """As builds and pulls are: docker-py lets through what urllib3 says of it."""
    server, engine = docker
    server.broken.add("/images/create")

    with pytest.raises(EngineUnavailable, match=r"pulling image nginx:1: lost the engine at unix://"):
        engine.pull("nginx:1")


def test_what_the_engine_says_reaches_no_terminal_by_a_traceback(docker: tuple[Server, Engine]) -> None:
    """pytest shows the errors that an error came of, where a test raises one of its own."""
    server, engine = docker
    server.answers[f"/containers/{ID}/exec"] = (500, {"message": "\x1b[2J tcp://me:s3cret@box:1"})
    with pytest.raises(EngineError) as caught:
        engine.execute(ID, ["true"])
    shown = "".join(traceback.format_exception(caught.value))
    assert "\\x1b[2J tcp://***@box:1" in shown
    assert "\x1b" not in shown
    assert "s3cret" not in shown


def test_podmans_networks_of_a_container_have_their_ids(podman: tuple[Server, Engine]) -> None:
    """It tells the name where the id should be (seen on 4.3.1); its default network it lists as ``bridge``."""
    server, engine = podman
    networks = {"podman": {"NetworkID": "podman", "IPAddress": "10.88.0.2"}, "front": {"NetworkID": "front"}}
    server.answers[f"/containers/{ID}/json"] = (
        200,
        {"Id": ID, "State": {"Status": "running"}, "NetworkSettings": {"Networks": networks}},
    )
    server.answers["/networks"] = (200, [{"Name": "bridge", "Id": "id-default"}, {"Name": "front", "Id": "id-front"}])

    facts = engine.inspect(ID)

    assert [(e.network, e.network_id) for e in facts.endpoints] == [("podman", "id-default"), ("front", "id-front")]
    assert [network.name for network in engine.networks()] == ["podman", "front"]


def test_podman_is_asked_again_and_again_for_an_end(podman: tuple[Server, Engine]) -> None:
    """Its own wait never answers for a container that has ended already (seen on 4.3.1)."""
    server, engine = podman
    place = f"/containers/{ID}/json"
    server.answers[place] = (200, {"Id": ID, "State": {"Status": "running"}})
    assert engine.wait(ID, 0.1) is None
    server.answers[place] = (200, {"Id": ID, "State": {"Status": "exited", "ExitCode": 3}})
    assert engine.wait(ID, 0.1) == 3
    server.answers[place] = (404, {"message": f"no such container {ID}"})
    with pytest.raises(NotFound):
        engine.wait(ID, 0.1)


@pytest.mark.parametrize("made_by", [DockerEngine, DirectEngine])
def test_a_wait_ends_in_time_and_tells_where_the_engine_is_lost(tmp_path: Path, made_by: Any) -> None:
    """What breaks is no "not yet": of a sidecar's end it would be told that it did not end in time."""
    with running(tmp_path / "d.sock", "docker", made_by, SOON) as (server, engine):
        server.silent.add(f"/containers/{ID}/wait")
        assert engine.wait(ID, 0.05) is None
        server.silent.clear()
        server.broken.add(f"/containers/{ID}/wait")
        with pytest.raises(EngineUnavailable):
            engine.wait(ID, 5.0)
        server.dead.set()
        with pytest.raises(EngineUnavailable):
            engine.wait(ID, 5.0)


@pytest.mark.parametrize(
    ("made_by", "kind", "address"),
    [(DockerEngine, "docker", "0.0.0.0"), (DirectEngine, "docker", "0.0.0.0"), (DockerEngine, "podman", "")],
)
def test_any_address_as_the_engine_wants_it(tmp_path: Path, made_by: Opener, kind: str, address: str) -> None:
    """Podman 4.3.1 would make a rule for packets to 0.0.0.0 itself."""
    with running(tmp_path / "d.sock", kind, made_by) as (server, engine):
        server.answers["/containers/create"] = (201, {"Id": ID})
        publish = (Publish(PortKey(80), "0.0.0.0", "8080"),)
        engine.create(ContainerPlan(image="i", name="dockconn-1", labels={}, publish=publish))

    (asked,) = (body for _, path, body in server.heard if path == "/containers/create")
    assert asked["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": address, "HostPort": "8080"}]}


def test_what_is_no_text_is_nobodys_name(docker: tuple[Server, Engine]) -> None:
    _, engine = docker
    with pytest.raises(NotFound, match="there can be no such name"):
        engine.inspect("\udcff")
    with pytest.raises(NotFound):
        engine.network("\udcff")
    assert engine.image("\udcff") is None


@pytest.mark.parametrize(
    ("removal", "raised", "words"),
    [
        ((204, None), EngineError, "creating container n: no such address"),
        ((404, {"message": "gone"}), EngineError, "creating container n: no such address"),
        ((500, {"message": "busy"}), LeftBehind, r"creating container n: no such address; and .* n .*: .*busy"),
    ],
    ids=["it is removed", "it is gone", "it stays"],
)
def test_a_container_that_gets_only_some_of_its_networks(
    docker: tuple[Server, Engine], removal: tuple[int, object], raised: type[EngineError], words: str
) -> None:
    """Where it stays, that is told by an error of its own: nobody holds it, so the helper has to look."""
    server, engine = docker
    server.answers["/containers/create"] = (201, {"Id": ID})
    server.answers["/networks/b/connect"] = (400, {"message": "no such address"})
    server.answers[f"/containers/{ID}"] = removal
    plan = ContainerPlan(image="i", name="n", labels={}, attachments=(Attachment("a"), Attachment("b")))

    with pytest.raises(EngineError, match=words) as caught:
        engine.create(plan)

    assert type(caught.value) is raised
    assert server.asked(f"/containers/{ID}") == ["DELETE"]


def test_ctrl_c_while_it_gets_them_stays_what_it_is(
    docker: tuple[Server, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    server, engine = docker
    monkeypatch.setattr(engine, "_join", interrupted)
    server.answers["/containers/create"] = (201, {"Id": ID})
    server.answers[f"/containers/{ID}"] = (500, {"message": "busy"})
    with pytest.raises(KeyboardInterrupt):
        engine.create(ContainerPlan(image="i", name="n", labels={}, attachments=(Attachment("a"), Attachment("b"))))

"""Containers of others, whatever they are made of: probed, probed from, and left exactly as they were."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from pytest_dockconn import (
    Client,
    Container,
    Engine,
    Image,
    Lab,
    ReachabilityError,
    Server,
    Verdict,
    assert_linked,
    assert_reachable,
    assert_unreachable,
)
from pytest_dockconn.actions import variables
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine import find
from pytest_dockconn.errors import NotOurs, SpecError
from pytest_dockconn.logic import stack
from tests.conformance.others import IDLE, Others, web
from tests.engine import scenes, scratch
from tests.engine.helpers import free_port, needs, take_address
from tests.shared import Stage
from tests.waiting import until

READ_ONLY = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}


@pytest.fixture(scope="module")
def api(dockconn_engine: Engine) -> Iterator[Any]:
    """docker-py, as somebody else uses it."""
    with contextlib.closing(docker.APIClient(base_url=dockconn_engine.url, version="auto")) as client:
        yield client


@pytest.fixture
def others(api: Any, dockconn: Lab, dockconn_client_image: Image) -> Iterator[Others]:
    made = Others(api, dockconn, dockconn_client_image.id)
    yield made
    made.close()


@pytest.fixture(scope="module")
def from_scratch(api: Any) -> Iterator[str]:
    """An image of one static binary: no shell, no libraries, no /etc, no user but root."""
    if os.uname().machine != "x86_64":
        pytest.skip("the binary is one for x86_64")
    name = f"dockconn-scratch-{secrets.token_hex(4)}"
    api.import_image_from_data(scratch.image().getvalue(), repository=name, tag="1")
    yield f"{name}:1"
    api.remove_image(f"{name}:1")


@dataclass
class Theirs:
    """A container of somebody else's, and the port that it listens on."""

    container: Container
    number: int


Make = Callable[[Others, str], Theirs]


def plain(others: Others, _: str) -> Theirs:
    return Theirs(others.run(web(8080)), 8080)


def of_one_binary(others: Others, image: str) -> Theirs:
    return Theirs(others.run(["/server"], image=image, host=READ_ONLY), scratch.PORT)


def not_root(others: Others, _: str) -> Theirs:
    return Theirs(others.run(web(8080), user="12345:54321", host=READ_ONLY), 8080)


def on_the_hosts_network(others: Others, _: str) -> Theirs:
    number = free_port()
    return Theirs(others.run(web(number), host={"network_mode": "host"}), number)


def in_anothers_namespace(others: Others, _: str) -> Theirs:
    first = others.run()
    return Theirs(others.run(web(8080), host={"network_mode": f"container:{first.id}"}), 8080)


def on_two_networks(others: Others, _: str) -> Theirs:
    made = others.create(web(8080))
    others.api.connect_container_to_network(made, others.network())
    others.api.start(made)
    return Theirs(others._lab.adopt(made), 8080)


MADE: list[tuple[str, Make]] = [
    ("plain", plain),
    ("one static binary", of_one_binary),
    ("not root, read-only", not_root),
    ("on the host's network", on_the_hosts_network),
    ("in another's namespace", in_anothers_namespace),
    ("on two networks", on_two_networks),
]


def running(api: Any, container: Container) -> list[tuple[str, str]]:
    """Process ids and commands, once it is one of its own: a start returns before runc has become it."""

    def found() -> list[tuple[str, str]]:
        rows = [(str(row[1]), str(row[-1])) for row in api.top(container.id)["Processes"]]
        return [] if any(command.startswith("runc ") for _, command in rows) else rows

    seen: list[tuple[str, str]] = until(found, 20)
    return seen


@pytest.mark.parametrize("make", [m[1] for m in MADE], ids=[m[0] for m in MADE])
def test_asks_and_is_asked_and_nothing_of_it_changes(
    others: Others, from_scratch: str, make: Make, dockconn_client: Client, dockconn_exposed_server: Server
) -> None:
    theirs = make(others, from_scratch)
    container, port = theirs.container, theirs.container.port(theirs.number)
    before = others.api.inspect_container(container.id)
    processes = running(others.api, container)

    for source in (dockconn_client, container):
        assert assert_reachable(source, port).answered_by == container.id
    assert assert_reachable(container, dockconn_exposed_server.port(80)).answered_by == dockconn_exposed_server.id
    assert container.probe(dockconn_exposed_server.port(81)).verdict is Verdict.REFUSED
    assert dockconn_client.probe(container.port(theirs.number + 1)).verdict is Verdict.REFUSED
    with pytest.raises(ReachabilityError, match="nothing listens on"):
        assert_reachable(dockconn_client, container.port(theirs.number + 1), within=0)
    read = (container.ip, container.ip6, container.environment, container.hosts, container.logs(), container.facts())
    assert read
    assert "localhost" in container.hosts

    assert others.api.inspect_container(container.id) == before
    assert running(others.api, container) == processes
    assert before["ExecIDs"] is None


@needs("isolation")
def test_apart_from_its_networks(
    others: Others, dockconn: Lab, dockconn_client: Client, dockconn_exposed_server: Server
) -> None:
    """One that somebody keeps apart on a network of its own."""
    network = others.network()
    made = others.create(web(8080), networking_config={network: None}, host={"network_mode": network})
    others.api.start(made)
    theirs, client, server = dockconn.adopt(made, name="theirs"), dockconn_client, dockconn_exposed_server
    before = others.api.inspect_container(made)
    assert_reachable(theirs, theirs.port(8080))

    assert_unreachable(client, theirs.port(8080), because=Verdict.TIMED_OUT, timeout=0.3)
    assert_unreachable(theirs, server.port(80), because=Verdict.TIMED_OUT, timeout=0.3)

    assert others.api.inspect_container(made) == before


def test_without_a_network(others: Others, dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    theirs = others.run(web(8080), host={"network_mode": "none"})
    before = others.api.inspect_container(theirs.id)

    assert_reachable(theirs, "tcp://127.0.0.1:8080")
    assert_unreachable(theirs, dockconn_exposed_server.port(80), because=Verdict.NO_ROUTE)
    seen = dockconn_client.probe(theirs.port(8080))
    assert (seen.verdict, seen.target.host) == (Verdict.INCONCLUSIVE, "")
    with pytest.raises(ReachabilityError, match=r"has no address to ask port 8080/tcp"):
        assert_reachable(dockconn_client, theirs.port(8080), within=0)

    assert others.api.inspect_container(theirs.id) == before


@needs("host-network")
def test_on_the_hosts_network_a_stranger_is_told_apart(others: Others, dockconn: Lab, dockconn_client: Client) -> None:
    """Every process of the host has its sockets there: that one answers on a port is no proof that it is this one."""
    theirs = others.run(IDLE, host={"network_mode": "host"})
    strangers_port = free_port()
    others.run(web(strangers_port), host={"network_mode": "host"})

    for source in (dockconn_client, dockconn.host):
        assert_reachable(source, f"tcp://{dockconn.bridge.gateway}:{strangers_port}")
        seen = source.probe(theirs.port(strangers_port))
        assert seen.verdict is Verdict.WRONG_SERVER
        assert "which shares the host's network" in seen.detail


def test_a_neighbour_in_its_namespace_is_told_apart(others: Others, dockconn_client: Client) -> None:
    """Both have the same sockets: that the neighbour has taken its port is no answer of its own."""
    theirs = others.run(IDLE)
    others.run(web(8080), host={"network_mode": f"container:{theirs.id}"})

    assert_reachable(dockconn_client, f"tcp://{theirs.ip}:8080")
    seen = dockconn_client.probe(theirs.port(8080))

    assert seen.verdict in (
        Verdict.WRONG_SERVER,
        Verdict.INCONCLUSIVE,
    )  # who may not read the host's processes can't tell
    assert "which shares a network namespace" in seen.detail.replace("it shares", "which shares")


@needs("links")
@pytest.mark.parametrize("where", ["seen", "hidden"])
def test_one_that_docker_has_linked(
    others: Others, dockconn: Lab, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its variables as this process sees them, if it may; nothing is run in it."""
    db = dockconn.server(name="db", env={"PASSWORD": "geheim"})
    theirs = others.run(web(8080), host={"links": {db.engine_name: "db"}}, environment={"A": "1"})
    before = others.api.inspect_container(theirs.id)
    if where == "hidden":
        monkeypatch.setattr(variables, "PROC", tmp_path)

    seen = theirs.environment
    assert seen["A"] == "1"
    if where == "seen":
        assert seen["HOSTNAME"] == theirs.id[:12]
        if dockconn.engine.can("link-env"):
            assert (seen["DB_NAME"], seen["DB_ENV_PASSWORD"]) == (f"/{theirs.engine_name}/db", "geheim")
        assert_linked(theirs, db)
    elif dockconn.engine.can("link-env"):
        with pytest.raises(ReachabilityError, match=r"can't be seen from here .* so the link's are inconclusive"):
            assert_linked(theirs, db)
    assert others.api.inspect_container(theirs.id) == before


# What happens to them while they are adopted


def test_restarts(others: Others, dockconn: Lab, dockconn_client: Client) -> None:
    theirs = others.run(web(8080))
    for source in (dockconn_client, theirs):
        assert_reachable(source, theirs.port(8080))
    first = theirs.ip
    others.api.stop(theirs.id, timeout=0)
    take_address(dockconn, first)
    others.api.start(theirs.id)

    for source in (dockconn_client, theirs):
        assert assert_reachable(source, theirs.port(8080)).address == theirs.ip
    assert theirs.ip != first


def test_comes_back_by_itself(others: Others, dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    """As it does that without being asked, its process, and so its network, is another from one probe to the next."""
    theirs = others.run(web(8080), host={"restart_policy": {"Name": "always"}})
    assert_reachable(theirs, dockconn_exposed_server.port(80))

    os.kill(theirs.facts().pid, 9)

    assert_reachable(dockconn_client, theirs.port(8080))
    assert_reachable(theirs, dockconn_exposed_server.port(80))
    assert others.api.inspect_container(theirs.id)["RestartCount"] == 1


def test_dies(others: Others, dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    theirs = others.run(["sh", "-c", "echo out of luck; exec python3 -m http.server 8080"])
    for source in (dockconn_client, theirs):
        assert_reachable(source, theirs.port(8080))

    others.api.kill(theirs.id)

    with pytest.raises(ReachabilityError, match="is not running: it exited with exit code 137") as caught:
        assert_reachable(dockconn_client, theirs.port(8080), within=0, timeout=0.2)
    assert "out of luck" in str(caught.value)
    with pytest.raises(ReachabilityError, match=r"inconclusive: .* is exited"):
        assert_unreachable(dockconn_client, theirs.port(8080), timeout=0.2)
    seen = theirs.probe(dockconn_exposed_server.port(80))
    assert (seen.verdict, seen.answered_by) == (Verdict.INCONCLUSIVE, "")
    assert "can't be asked from: it is exited" in seen.detail

    others.remove(theirs.id)

    with pytest.raises(ReachabilityError, match="was removed"):
        assert_reachable(dockconn_client, theirs.port(8080), within=0, timeout=0.2)
    with pytest.raises(ReachabilityError, match="inconclusive"):
        assert_unreachable(theirs, dockconn_exposed_server.port(80), timeout=0.2)


# How they are named


def test_names(others: Others, dockconn: Lab, dockconn_engine: Engine) -> None:
    theirs = others.run()
    name = theirs.engine_name
    with contextlib.closing(docker.DockerClient(base_url=dockconn_engine.url)) as client:
        for given in (theirs.id, theirs.id[:12], name, f" {name} ", client.containers.get(name), theirs):
            adopted = dockconn.adopt(given)
            assert (adopted.id, adopted.name, adopted) == (theirs.id, name, theirs)
    assert dockconn.adopt(name, name="db").name == "db"


class NotStarted:
    """As a container of testcontainers that was not started."""

    @staticmethod
    def get_wrapped_container() -> None:
        return None


WRONG: list[tuple[str, object, str]] = [
    ("a name that nobody has", "dockconn-nobody", "there is no container 'dockconn-nobody' to adopt"),
    ("nothing", "", "'' is not a container that can be adopted"),
    ("none", None, "None is not a container that can be adopted"),
    ("a number", 7, "7 is not a container that can be adopted"),
    ("one that was not started", NotStarted(), "is not a container that can be adopted"),
]


@pytest.mark.parametrize(("given", "words"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_can_not_be_adopted(dockconn: Lab, given: object, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        dockconn.adopt(given)


@pytest.mark.filterwarnings("default")  # what testcontainers warns of is not ours
def test_one_of_testcontainers(
    stage: Stage, dockconn_engine: Engine, dockconn_client_image: Image, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", dockconn_engine.url)
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)  # its image would come from a registry
    made = DockerContainer(dockconn_client_image.id).with_command(web(8080))
    with contextlib.closing(made.get_docker_client().client), made as started:
        before = api.inspect_container(started.get_wrapped_container().id)
        theirs, ours = stage.lab.adopt(started, name="theirs"), stage.once(scenes.plain)

        assert theirs.id == before["Id"]
        assert assert_reachable(ours.client, theirs.port(8080)).answered_by == theirs.id
        assert_reachable(theirs, ours.server.port(80))
        assert api.inspect_container(theirs.id) == before


def test_they_are_never_changed(others: Others) -> None:
    theirs = others.run(web(8080))
    before = others.api.inspect_container(theirs.id)

    for act in (theirs.stop, theirs.start, theirs.restart, lambda: theirs.run("true"), lambda: theirs.commit("x")):
        with pytest.raises(NotOurs, match="it was adopted, and what others made is never changed"):
            act()

    assert others.api.inspect_container(theirs.id) == before


def test_they_outlive_the_lab(others: Others, dockconn: Lab, dockconn_exposed_server: Server) -> None:
    theirs = others.run(web(8080))
    before = others.api.inspect_container(theirs.id)
    lab = Lab(dockconn._services, "brief")
    assert_reachable(lab.adopt(theirs.id), dockconn_exposed_server.port(80))

    lab.close()
    dockconn._services.remover.join()

    assert others.api.inspect_container(theirs.id) == before


def test_a_client_of_another_run_is_not_spoken_to(dockconn: Lab, dockconn_exposed_server: Server) -> None:
    """Its agent has a master; another one would get his answers, and he the other's. So it gets a sidecar, as all others do."""
    theirs, port = dockconn.client(env={"A": "1"}), dockconn_exposed_server.port(80)
    services = Services(find.find(dockconn.engine.url), dockconn._services.settings, lambda _: None)
    with contextlib.ExitStack() as undo:
        undo.callback(services.guardian.dismiss)
        undo.callback(services.engine.close)
        undo.callback(services.remover.close)
        undo.callback(lambda: services.remover.submit(services.agents.releases()))
        adopted = Lab(services).adopt(theirs.id)

        assert_reachable(adopted, f"http://{dockconn_exposed_server.ip}/")
        assert_reachable(theirs, port)
        assert adopted.environment["A"] == theirs.environment["A"] == "1"
        assert services.agents._seats[theirs.id].sidecar
        assert not dockconn._services.agents._seats[theirs.id].sidecar


# Docker Compose

COMPOSE = """
version: "3.7"
services:
  web:
    image: ${DOCKCONN_TEST_IMAGE}
    networks: [front]
  api:
    image: ${DOCKCONN_TEST_IMAGE}
    command: [dockconn-serve, 8000/tcp]
    expose: ["8000"]
    networks: [front, back]
  db:
    image: ${DOCKCONN_TEST_IMAGE}
    command: [dockconn-serve, 5432/tcp]
    expose: ["5432"]
    networks: [back]
networks:
  front:
  back:
    internal: true
"""


def compose() -> list[str]:
    """The command, of Debian's package or as docker's plugin. In CI it has to be there."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = shutil.which("docker") and subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    )
    if plugin and plugin.returncode == 0:
        return ["docker", "compose"]
    if os.environ.get("DOCKCONN_CI"):
        pytest.fail("Docker Compose is not installed, and in CI it has to be: see tools/engine")
    pytest.skip("Docker Compose is not installed: tools/engine up installs Debian's package")


@pytest.fixture(scope="module")
def project(
    dockconn_engine: Engine, dockconn_server_image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A stack that Docker Compose runs; two containers of its service ``web``."""
    file: Path = tmp_path_factory.mktemp("compose") / "compose.yaml"
    file.write_text(COMPOSE, encoding="utf-8")
    name = f"dockconn{secrets.token_hex(4)}"
    argv = [*compose(), "-p", name, "-f", str(file)]
    around = {**os.environ, "DOCKER_HOST": dockconn_engine.url, "DOCKCONN_TEST_IMAGE": dockconn_server_image.tag}

    def run(*words: str) -> None:
        done = subprocess.run([*argv, *words], env=around, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run("up", "-d", "--scale", "web=2")
        yield name
    finally:
        run("down", "-t", "0")


def test_a_stack_of_compose(dockconn: Lab, dockconn_client: Client, project: str, api: Any) -> None:
    services = dockconn.compose(project)
    before = {c.id: api.inspect_container(c.id) for c in services.values()}

    assert list(services) == ["api", "db", "web-1", "web-2"]
    assert [c.name for c in services.values()] == list(services)
    one, other, app, db = (services[name] for name in ("web-1", "web-2", "api", "db"))
    assert_reachable(one, app.port(8000))
    assert_reachable(one, other.port(80))
    assert_reachable(app, "tcp://db:5432")
    assert assert_reachable(app, db.port(5432).named("db")).answered_by == db.id
    assert_unreachable(one, db.port(5432), because=Verdict.TIMED_OUT, timeout=0.3)
    assert_unreachable(dockconn_client, app.port(8000), because=Verdict.TIMED_OUT, timeout=0.3)

    assert {c.id: api.inspect_container(c.id) for c in services.values()} == before
    assert {data["ExecIDs"] for data in before.values()} == {None}


@pytest.fixture
def labelled(api: Any, dockconn_client_image: Image) -> Iterator[Callable[..., str]]:
    """Makes containers with compose's labels, in states that are hard to get by compose itself."""
    made: list[str] = []

    def make(project: str, service: str, number: str = "1", one_off: str = "False", *, start: bool = True) -> str:
        marks = {stack.PROJECT: project, stack.SERVICE: service, stack.NUMBER: number, stack.ONE_OFF: one_off}
        made.append(str(api.create_container(dockconn_client_image.id, IDLE, labels=marks)["Id"]))
        if start:
            api.start(made[-1])
        return made[-1]

    yield make
    for container in made:
        api.remove_container(container, force=True)


def test_a_stack_is_what_runs_for_good(dockconn: Lab, labelled: Callable[..., str]) -> None:
    mine = f"mine{secrets.token_hex(4)}"
    web = labelled(mine, "web", "3")
    labelled(mine, "web", "2", start=False)
    labelled(mine, "migrate", one_off="True")
    labelled(f"{mine}2", "web")

    assert {name: c.id for name, c in dockconn.compose(mine).items()} == {"web": web}


def test_a_stack_that_does_not_run(dockconn: Lab, labelled: Callable[..., str]) -> None:
    mine = f"mine{secrets.token_hex(4)}"
    labelled(mine, "web", start=False)
    labelled(f"{mine}2", "web")

    with pytest.raises(SpecError, match=f"no container of a compose project '{mine}' runs") as caught:
        dockconn.compose(mine)
    assert f"{mine}2" in caught.value.checked

    labelled(mine, "migrate", one_off="True")
    with pytest.raises(SpecError, match="runs"):
        dockconn.compose(mine)

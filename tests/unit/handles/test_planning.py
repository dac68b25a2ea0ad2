"""What is checked before the engine is asked, and what only the engine knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.engine import FakeEngine, Fault
from tests.samples import refused

from pytest_dockconn import Lab
from pytest_dockconn.actions import containers
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine.refusal import refusal
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.model.spec import PortKey


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.shut_down()


@pytest.fixture
def lab(engine: FakeEngine) -> Lab:
    return Lab(Services(engine, Settings(), lambda _: None), "p")


def test_what_only_the_engine_finds_wrong_with_a_name(engine: FakeEngine, lab: Lab) -> None:
    words = "invalid reference format: repository name must be lowercase"
    engine.faults.append(Fault(lambda: refusal(400, words, "looking for image UPPER/x"), "image", times=1))

    with refused("image 'UPPER/x' is not on the engine and can't be pulled") as caught:
        lab.server(image="UPPER/x")

    assert words in caught.value.checked
    assert engine.names == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"hostname": "x" * 65}, {"dns": ["ns1"]}, {"extra_hosts": {"db": "x"}}, {"command": ["a\0"]}, {"image": 5},
        {"expose": ["9/sctp"]}, {"expose": [80, "9/sctp"]}, {"bind": {"9/sctp": None}},
    ],
    ids=str,
)  # fmt: skip
def test_nobody_builds_an_image_for_what_is_refused(engine: FakeEngine, lab: Lab, wrong: dict[str, object]) -> None:
    with refused():
        lab.server(**wrong)  # type: ignore[arg-type] # on purpose
    assert not {"build", "pull", "create"} & {call.partition(" ")[0] for call in engine.calls}


def test_names_of_one_letter(engine: FakeEngine, lab: Lab) -> None:
    network = lab.network("n")
    server, client = lab.server(name="a", networks=[network]), lab.client(name="b", networks=[network])

    assert client.probe(server.port(80).named("a")).answered_by == server.id
    assert engine.names == [server.engine_name, client.engine_name]
    assert all(name.endswith(("-p-a", "-p-b")) for name in engine.names)


def test_a_network_and_a_container_of_one_name(engine: FakeEngine, lab: Lab) -> None:
    network = lab.network("api")
    server = lab.server(name="api", networks=[network])
    client = lab.client(networks=[network])

    assert engine.names == sorted([server.engine_name, client.engine_name])
    assert server.engine_name == network.engine_name
    assert client.probe("http://api/").answered_by == server.id
    assert server.port(80).on("api").host == server.ip == server.ip_on("api")
    with refused("the name 'api' is taken in this lab"):
        lab.network("api")
    with refused("the name 'api' is taken in this lab"):
        lab.client(name="api")
    assert lab.network().name == "network1"


def test_what_could_not_be_made_gives_back_the_name_of_its_kind_alone(lab: Lab) -> None:
    lab.server(name="api")
    for _ in range(2):
        with refused("subnet="):
            lab.network("api", subnet="nonsense")
    lab.network("api")
    with refused("the name 'api' is taken in this lab"):
        lab.server(name="api")


def test_what_no_server_of_ours_answers(engine: FakeEngine, lab: Lab) -> None:
    image = lab.server().commit("mine:1")
    before = engine.names

    for wish in ({}, {"image": image}):
        with refused("no server of ours answers on 9899/sctp"):
            lab.server(expose=(80, "9899/sctp"), **wish)  # type: ignore[arg-type]
    assert engine.names == before


def test_what_a_server_of_the_callers_own_may_answer(lab: Lab) -> None:
    """Nobody can see whether it does, so it is not waited for, neither at first nor later."""
    server = lab.server(expose=("9899/sctp",), command=["sleep", "60"])
    assert server.facts().exposed == (PortKey(9899, "sctp"),)

    server.restart()
    assert server.facts().running


def test_a_client_is_not_waited_for_on_ports_that_its_agent_does_not_open(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it exposes is told to those that are linked to it."""
    monkeypatch.setattr(containers, "PATIENCE", 0.5)
    client = lab.client(expose=(80,), bind={81: None})

    assert [str(port) for port in client.facts().exposed] == ["80/tcp", "81/tcp"]

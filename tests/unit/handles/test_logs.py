"""What a container wrote; nothing of one whose output nobody keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.fakes.engine import Fault
from tests.unit import labs

from pytest_dockconn import Client, Container, Lab
from pytest_dockconn.errors import EngineError
from pytest_dockconn.model.spec import ContainerPlan


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


def wrote(lab: Lab, container: Container) -> str:
    """What is read of it, once it has written a line."""
    labs.engine_of(lab)._containers[container.id].log.append("a line\n")
    return container.logs()


def own_command(lab: Lab) -> Client:
    return lab.client(command=["sleep", "60"])


def own_image(lab: Lab) -> Client:
    lab.client(name="first").commit("mine:1")
    return lab.client(image="mine:1", command=["sleep", "60"])


@pytest.mark.parametrize("make", [own_command, own_image, lambda lab: lab.server()], ids=["command", "image", "server"])
def test_what_the_callers_own_wrote(lab: Lab, make: Callable[[Lab], Container]) -> None:
    assert wrote(lab, make(lab)).endswith("a line\n")


def test_an_agent_has_written_nothing(lab: Lab) -> None:
    assert wrote(lab, lab.client()) == ""


def test_others_whose_output_is_not_kept(lab: Lab) -> None:
    engine, image = labs.engine_of(lab), lab.client().facts().image
    plan = ContainerPlan(image=image, name="theirs", labels={}, command=("sleep", "60"), keep_logs=False)
    theirs = engine.create(plan)
    engine.start(theirs)

    assert wrote(lab, lab.adopt(theirs)) == ""

    engine.remove(theirs)


def test_another_refusal_is_no_empty_output(lab: Lab) -> None:
    server = lab.server()
    labs.engine_of(lab).faults.append(Fault(lambda: EngineError("boom"), "logs", times=1))

    with pytest.raises(EngineError, match="boom"):
        server.logs()

"""Where a container's variables are read: outside, inside, or from what was asked for at its creation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.samples import container

from pytest_dockconn.actions import variables
from pytest_dockconn.errors import Conflict, EngineError, NotFound
from pytest_dockconn.model.facts import Execution

ID, OTHER = "ab" * 32, "cd" * 32
DOCKER, SYSTEMD, PODMAN = (
    f"0::/docker/{ID}\n",
    f"0::/system.slice/docker-{ID}.scope\n",
    f"12:pids:/machine.slice/libpod-{ID}.scope/container\n0::/\n",
)
CREATED = {"A": "created"}
FIRST, OWN = variables.FIRST, variables.OWN


class Engine:
    """As much of one as is asked here: what ``cat`` says of a file, or an error."""

    def __init__(self, says: Mapping[str, str] | Exception) -> None:
        self._says = says
        self.asked: list[str] = []

    def execute(self, _: str, argv: list[str], __: object) -> Execution:
        self.asked.append(argv[1])
        if isinstance(self._says, Exception):
            raise self._says
        found = self._says.get(argv[1])
        return Execution(tuple(argv), int(found is None), found or "", "")


def read(
    says: Mapping[str, str] | Exception, *, ours: bool = True, **facts: Any
) -> tuple[dict[str, str] | None, list[str]]:
    """The variables, and the files that were read inside."""
    engine: Any = Engine(says)
    return variables.started_with(engine, container(id=ID, env=CREATED, **facts), ours=ours), engine.asked


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc; the container's process is number 7."""
    monkeypatch.setattr(variables, "PROC", tmp_path)
    (tmp_path / "7").mkdir()
    return tmp_path / "7"


@pytest.mark.parametrize("cgroup", [DOCKER, SYSTEMD, PODMAN], ids=["docker", "systemd", "podman"])
def test_from_outside_nothing_runs_in_it(processes: Path, cgroup: str) -> None:
    (processes / "cgroup").write_text(cgroup)
    (processes / "environ").write_bytes(b"A=seen\0DB_NAME=/web/db\0")
    assert read({}) == ({"A": "seen", "DB_NAME": "/web/db"}, [])


def test_bytes_that_are_no_text(processes: Path) -> None:
    (processes / "cgroup").write_text(DOCKER)
    (processes / "environ").write_bytes(b"A=\xff\0")
    assert read({}) == ({"A": "\ufffd"}, [])


@pytest.mark.parametrize(
    ("cgroup", "environ"),
    [
        pytest.param(f"0::/docker/{OTHER}\n", b"A=wrong\0", id="a process of another container"),
        pytest.param("0::/user.slice\n", b"A=wrong\0", id="a process of the host"),
        pytest.param(f"0::/docker/{ID}/docker/{OTHER}\n", b"A=wrong\0", id="of a container inside of it"),
        pytest.param(f"0::/docker/{ID}{'0' * 64}\n", b"A=wrong\0", id="of a longer id"),
        pytest.param(DOCKER, None, id="it may not be read"),
        pytest.param(DOCKER, b"", id="it is about to end"),
        pytest.param(DOCKER, b"_LIBCONTAINER_INITPIPE=3\0", id="it has not begun yet"),
        pytest.param(None, b"A=wrong\0", id="nobody knows whose it is"),
    ],
)
def test_else_by_cat(processes: Path, cgroup: str | None, environ: bytes | None) -> None:
    for name, data in (("cgroup", cgroup.encode() if cgroup else None), ("environ", environ)):
        if data is not None:
            (processes / name).write_bytes(data)
    assert read({FIRST: "A=told\0"}) == ({"A": "told"}, [FIRST])


@pytest.mark.parametrize("pid", [0, 8], ids=["it does not run", "another machine's number"])
def test_a_process_that_is_not_here(processes: Path, pid: int) -> None:
    assert read({FIRST: "A=told\0"}, pid=pid) == ({"A": "told"}, [FIRST])


@pytest.mark.parametrize("first", [None, "", "daemon off;\0\0"], ids=["not to be read", "none", "a title over them"])
def test_what_another_process_in_it_is_given(processes: Path, first: str | None) -> None:
    says = {OWN: "A=given\0DB_NAME=/web/db\0"} | ({FIRST: first} if first is not None else {})
    assert read(says) == ({"A": "given", "DB_NAME": "/web/db"}, [FIRST, OWN])


def test_number_1_may_be_anothers(processes: Path) -> None:
    """In the host's namespace of process ids it is the host's."""
    assert read({FIRST: "A=the host's\0", OWN: "A=given\0"}, shares_pids=True) == ({"A": "given"}, [OWN])


@pytest.mark.parametrize(
    "says", [{}, Conflict("Container is not running")], ids=["no cat", "it does not run, or is paused"]
)
def test_they_are_not_seen(processes: Path, says: Mapping[str, str] | Exception) -> None:
    assert read(says)[0] is None


def test_nothing_is_run_in_what_others_made(processes: Path) -> None:
    assert read({FIRST: "A=told\0"}, ours=False) == (None, [])


@pytest.mark.parametrize(
    "error", [NotFound("no such container"), EngineError("it has not ended")], ids=["gone", "slow"]
)
def test_what_is_told_as_it_is(processes: Path, error: EngineError) -> None:
    with pytest.raises(EngineError) as caught:
        read(error)
    assert caught.value is error


def test_this_very_process() -> None:
    """The real /proc: it can be read, and this is no container of that id."""
    assert read({FIRST: "A=told\0"}, pid=os.getpid()) == ({"A": "told"}, [FIRST])

"""A server returns when it answers; one that can't says why at once, and leaves nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pytest_dockconn import Lab
from pytest_dockconn.errors import StartFailed
from tests.shared import there

DYING: list[tuple[str, list[str], str, str]] = [
    ("ends at once", ["sh", "-c", "echo no config found >&2; exit 3"], "ended with exit code 3", "no config found"),
    ("ends after a while", ["sh", "-c", "echo working; sleep 0.3; exit 4"], "ended with exit code 4", "working"),
    ("killed", ["sh", "-c", "echo bye; kill -9 $$; sleep 0.1; exit 9"], "ended with exit code", "bye"),
    ("colours", ["sh", "-c", "printf '\\033[31mred\\033[0m'; exit 5"], "ended with exit code 5", "\\x1b[31mred"),
]


@pytest.mark.parametrize(("command", "cause", "output"), [d[1:] for d in DYING], ids=[d[0] for d in DYING])
def test_dies_before_it_answers(dockconn: Lab, command: list[str], cause: str, output: str) -> None:
    before = there(dockconn)
    begun = time.monotonic()

    with pytest.raises(StartFailed) as caught:
        dockconn.server(command=command)

    assert cause in caught.value.cause.splitlines()[0]
    assert output in caught.value.cause
    assert caught.value.remedy
    assert time.monotonic() - begun < 30  # far from the 60 s that a silent one gets
    assert there(dockconn) == before


def test_the_name_of_one_that_died_is_free_again(dockconn: Lab) -> None:
    with pytest.raises(StartFailed):
        dockconn.server(command=["false"])

    assert dockconn.server(command=["sleep", "60"], expose=()).name == "server1"


def test_command_that_does_not_exist(dockconn: Lab) -> None:
    before = there(dockconn)

    with pytest.raises(Exception, match="no-such-program") as caught:
        dockconn.server(command=["no-such-program"])

    assert type(caught.value).__module__ == "pytest_dockconn.errors"
    assert there(dockconn) == before


def test_silent_server_is_given_up_with_what_it_does(dockconn: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_dockconn.actions.containers.await_answers.__kwdefaults__", {"within": 0.5})
    before = there(dockconn)

    with pytest.raises(
        StartFailed, match=r"runs but does not answer on all of its ports within 0.5 s: nothing listens"
    ):
        dockconn.server(expose=(80,), command=["sleep", "60"])

    assert there(dockconn) == before


def test_own_command_waits_until_it_listens(dockconn: Lab) -> None:
    server = dockconn.server(expose=(8000,), command=["python3", "-m", "http.server", "8000", "--bind", "127.0.0.1"])

    assert any(row["port"] == 8000 for row in _listeners(server))


def _listeners(server: Any) -> list[dict[str, Any]]:
    from pytest_dockconn.actions import agents

    return [dict(row) for row in agents.listeners(server.services.agents.channel(server.id))]

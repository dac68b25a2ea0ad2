"""What a container wrote last, which is where it says why."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import container

from pytest_dockconn.actions import containers
from pytest_dockconn.errors import DockconnError, EngineError, StartFailed
from pytest_dockconn.handles.own import CommandFailed

LONG = "".join(f"line {at} {'x' * 2000}\n" for at in range(19)) + "FATAL: the reason\n"


class Engine:
    """As much of one as is asked here."""

    def __init__(self, output: str | DockconnError, **facts: Any) -> None:
        self._output = output
        self._facts = container(**facts)

    def logs(self, _: str, tail: int) -> str:
        if isinstance(self._output, DockconnError):
            raise self._output
        return "".join(self._output.splitlines(keepends=True)[-tail:])

    def inspect(self, _: str) -> Any:
        return self._facts


def last_lines(output: str | DockconnError, *arguments: int) -> str:
    return containers.last_lines(Engine(output), "it", *arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("a\nb\nc\n", "    b\n    c"),
        ("a", "    a"),
        ("", "    (it wrote nothing)"),
        ("\x1b[2J\r\nb", "    \\x1b[2J\n    b"),
        (EngineError("configured logging driver does not support reading"), "    (its output is not kept)"),
        (EngineError("cannot read logs: this container is not logging output"), "    (its output is not kept)"),
        (EngineError("boom"), "    (its logs can't be read: boom)"),
    ],
    ids=["lines", "no line's end", "nothing", "escapes", "not kept", "not kept, podman", "refused"],
)
def test_the_last_lines(output: str | DockconnError, shown: str) -> None:
    assert last_lines(output, 2) == shown


@pytest.mark.parametrize("limit", [20000, 1500, 100])
@pytest.mark.parametrize("before", ["", "\x1b" * 30000, "\x1b[2J\n" * 30000], ids=["lines", "one line", "escapes"])
def test_the_reason_is_at_the_end(limit: int, before: str) -> None:
    shown = last_lines(before + LONG, 20, limit)
    assert shown.endswith("\n    FATAL: the reason")
    assert len(shown) < limit + 20 * len("    ")


def test_one_that_did_not_start_says_why() -> None:
    engine: Any = Engine(
        LONG, status="exited", exit_code=3, command=("dockconn-serve", "token=0123456789abcdef", "80/tcp")
    )
    with pytest.raises(StartFailed, match="FATAL: the reason") as caught:
        containers.raise_if_ended(engine, "it")
    assert "command 'dockconn-serve token=*** 80/tcp'" in caught.value.checked


@pytest.fixture(params=["stdout", "stderr"])
def failed(request: pytest.FixtureRequest) -> CommandFailed:
    said = {"stdout": "x" * 30000, "stderr": "", request.param: "x" * 30000 + "\n\x1b[2JFATAL: the reason\n"}
    return CommandFailed(3, ["curl", "http://me:s3cret@web/"], said["stdout"], said["stderr"])


def test_a_command_that_failed_says_why(failed: CommandFailed) -> None:
    first, *_, last = str(failed).splitlines()
    assert first == "Command '['curl', 'http://***@web/']' returned non-zero exit status 3."
    assert last == "    \\x1b[2JFATAL: the reason"
    assert len(str(failed)) < 1200


def test_a_command_that_said_nothing() -> None:
    assert str(CommandFailed(1, ["false"], "", "")) == "Command '['false']' returned non-zero exit status 1."

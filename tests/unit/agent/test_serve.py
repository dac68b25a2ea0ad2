"""Requests in, answers out."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest
from tests.unit.agent import servers
from tests.unit.few_threads import few_threads
from tests.waiting import until

import pytest_dockconn.agent
from pytest_dockconn.agent import __main__ as entry
from pytest_dockconn.agent import serve

AGENT = Path(pytest_dockconn.agent.__file__).parent


def target(port: int, **more: Any) -> dict[str, Any]:
    return {"scheme": "tcp", "host": "127.0.0.1", "port": port, "timeout": 5.0, "linger": 0.01, **more}


class Served:
    """``serve`` between two pipes."""

    def __init__(self, into: IO[str], out: IO[str]) -> None:
        self._into = into
        self._replies: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(out,), daemon=True).start()

    def _read(self, out: IO[str]) -> None:
        with out:
            for line in filter(str.strip, out):
                self._replies.put(line)

    def asks(self, line: str) -> None:
        self._into.write(line + "\n")

    def reply(self) -> Any:
        return json.loads(self._replies.get(timeout=5))


@contextlib.contextmanager
def served() -> Iterator[Served]:
    there, back = os.pipe(), os.pipe()
    out = os.fdopen(back[0], "r")
    with os.fdopen(there[0], "r") as requests, os.fdopen(back[1], "w") as replies:
        server = threading.Thread(target=serve.serve, args=(requests, replies), daemon=True)
        server.start()
        with os.fdopen(there[1], "w", buffering=1) as into:
            yield Served(into, out)
        server.join(5)
        assert not server.is_alive()


def test_a_request_and_its_answer() -> None:
    with servers.nobody() as port, served() as agent:
        agent.asks(json.dumps({"id": 7, "op": "probe", "targets": [target(port)]}))
        reply = agent.reply()
    assert reply["id"] == 7
    assert [one["verdict"] for one in reply["results"]] == ["refused"]


def test_requests_run_side_by_side() -> None:
    """The first one waits for an answer that comes only once the second one was answered."""
    with servers.tcp(servers.is_silent) as silent, servers.nobody() as port, served() as agent:
        agent.asks(json.dumps({"id": 1, "op": "probe", "targets": [target(silent, scheme="http", timeout=0.5)]}))
        agent.asks(json.dumps({"id": 2, "op": "probe", "targets": [target(port)]}))
        assert [agent.reply()["id"] for _ in range(2)] == [2, 1]


@pytest.mark.parametrize("junk", ["", "hello", "{", '{"id": 1', "\x00", "[]", "7", "null", '"text"'], ids=repr)
def test_what_is_no_request_is_passed_over(junk: str) -> None:
    with served() as agent:
        agent.asks(junk)
        agent.asks(json.dumps({"id": 1, "op": "look", "names": ["container"]}))
        reply = agent.reply()
    assert (reply["id"], set(reply["seen"])) == (1, {"container"})


def test_probes_of_one_request_run_at_once_and_come_back_in_order() -> None:
    with servers.tcp(servers.is_silent) as silent, servers.nobody() as port:
        slow, fast = target(silent, scheme="http", timeout=0.3), target(port)
        seen = serve.probes([slow, fast, slow, fast, slow])
        assert [one["verdict"] for one in seen] == ["timed-out", "refused", "timed-out", "refused", "timed-out"]
        assert serve.probes([]) == []


def test_more_targets_than_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "WIDTH", 2)
    monkeypatch.setattr(serve, "probe", lambda one: {"port": one["port"]})
    assert [one["port"] for one in serve.probes([target(port) for port in range(1, 10)])] == list(range(1, 10))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        pytest.param({"op": "fly"}, "unknown request 'fly'", id="unknown"),
        pytest.param({}, "unknown request None", id="nothing"),
        pytest.param({"op": "probe"}, "KeyError", id="no targets"),
        pytest.param({"op": "probe", "targets": 7}, "TypeError", id="targets that are none"),
        pytest.param({"op": "look", "names": ["secrets"]}, "KeyError", id="an unknown thing to look at"),
        pytest.param({"op": "watch", "targets": [], "hold": "x"}, "ValueError", id="no number"),
    ],
)
def test_whatever_breaks_there_is_an_answer(request_: dict[str, Any], words: str) -> None:
    assert words in str(serve.handle(request_)["error"])


def test_everything_that_can_be_looked_at_goes_through_json() -> None:
    seen = serve.handle({"op": "look", "names": list(serve.LOOK)})
    assert set(json.loads(json.dumps(seen))["seen"]) == set(serve.LOOK)


def test_the_other_requests() -> None:
    with servers.nobody() as port:
        reply: Any = serve.handle({"op": "watch", "targets": [target(port)], "hold": 0})
    ((seen,),) = reply["seen"]
    assert (seen["verdict"], seen["attempts"]) == ("refused", 1)
    assert serve.handle({"op": "release", "keys": ["x"]}) == {}
    assert serve.handle({"op": "selftest", "nonce": "n0nce"}) == {"selftest": {"ok": True, "detail": ""}}


def test_one_target_that_is_none_does_not_ruin_the_others() -> None:
    with servers.nobody() as port:
        reply: Any = serve.handle({"op": "probe", "targets": [target(port), {"scheme": "tcp"}, target(port)]})
    assert [one["verdict"] for one in reply["results"]] == ["refused", "inconclusive", "refused"]
    assert "KeyError" in reply["results"][1]["detail"]


@pytest.mark.parametrize("left", [0, 1, 6])
def test_all_are_asked_also_where_there_are_no_more_threads(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    few_threads(monkeypatch, left)
    monkeypatch.setattr(serve, "probe", lambda one: {"verdict": "refused", "port": one["port"]})
    assert [one["port"] for one in serve.probes([target(port) for port in range(1, 100)])] == list(range(1, 100))


def test_requests_are_answered_also_where_there_are_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as agent:
        few_threads(monkeypatch, 0)
        for number in (1, 2):
            agent.asks(json.dumps({"id": number, "op": "look", "names": ["container"]}))
            assert agent.reply()["id"] == number


def written(out: io.StringIO, lines: int) -> bool:
    return out.getvalue().count("\n") == lines


def test_the_number_is_the_end_of_a_reply_whatever_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By it alone a reply is known among what others write into the same stream."""
    answers: Any = iter([{"id": "another", "seen": 1}, {"seen": object()}])
    monkeypatch.setattr(serve, "handle", lambda _: next(answers))
    out = io.StringIO()
    for at, number in enumerate(("0a", "0b"), 1):
        serve.serve([json.dumps({"id": number})], out)
        assert until(partial(written, out, 2 * at), 5)
    first, second = (line for line in out.getvalue().splitlines() if line)
    assert first.endswith('"id": "0a"}')
    assert second.endswith('"id": "0b"}')
    assert "not JSON serializable" in json.loads(second)["error"]


def test_long_texts_of_many_answers_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """One server that answers 256 KiB to each of 100 questions must not make the line too long for the others."""
    monkeypatch.setattr(serve, "probe", lambda one: {"verdict": "reachable", "text": "\0" * one["port"]})
    room = serve.TEXTS // 20
    assert [len(one["text"]) for one in serve.probes([target(room)] * 20)] == [room] * 20  # type: ignore[arg-type]
    cut = serve.probes([*[target(room + 1)] * 19, target(room + 20)])
    assert [len(one["text"]) for one in cut] == [room] * 20  # type: ignore[arg-type]
    assert len(json.dumps(cut)) < 16 << 20


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The agent as a container runs it: without this package, and without anything that is installed."""
    shutil.copytree(AGENT, tmp_path / "agent", ignore=shutil.ignore_patterns("__pycache__"))
    with subprocess.Popen(
        [sys.executable, "-S", "-m", "agent", "serve"], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield process
        process.kill()


def test_the_agent_as_a_process_answers_and_ends_at_a_signal(alone: subprocess.Popen[str]) -> None:
    assert alone.stdin
    assert alone.stdout
    alone.stdin.write('{"id": 1, "op": "selftest", "nonce": "n0nce"}\n')
    alone.stdin.flush()
    assert alone.stdout.readline() == "\n"  # ends what anybody else has written there
    assert json.loads(alone.stdout.readline()) == {"id": 1, "selftest": {"ok": True, "detail": ""}}
    alone.stdin.close()  # nobody asks any more, but the container belongs to the lab
    with pytest.raises(subprocess.TimeoutExpired):
        alone.wait(0.1)
    alone.send_signal(signal.SIGTERM)
    assert alone.wait(5) == 0


@pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "x"]], ids=repr)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert entry.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("file", sorted(AGENT.glob("*.py")), ids=lambda file: file.name)
def test_it_is_python_3_7(file: Path) -> None:
    """The grammar of 3.7; annotations are not evaluated."""
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 7))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert file.name == "__init__.py" or imports

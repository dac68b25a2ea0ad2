"""The first engine that answers, or why none does: against real unix sockets."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.unit.engine import canned

from pytest_dockconn.engine import address, find
from pytest_dockconn.engine.find import _context as context
from pytest_dockconn.engine.patience import BUSY
from pytest_dockconn.errors import EngineUnavailable, SpecError

Behaviour = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(path: Path, behaviour: Behaviour | None = None) -> Iterator[None]:
    """A unix socket; without a behaviour nobody accepts."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        if behaviour is None:
            yield
            return
        thread = threading.Thread(target=_accept, args=(listener, behaviour), daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _accept(listener: socket.socket, behaviour: Behaviour) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            behaviour(connection)


def answers(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK")


def hangs_up(connection: socket.socket) -> None:
    connection.recv(4096)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "d.sock"


@pytest.fixture(autouse=True)
def _no_engine_of_this_machine(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Nothing outside of the test is asked."""
    monkeypatch.setattr(find, "FIRST_TIMEOUT", 0.1)
    monkeypatch.setattr(find, "_context", lambda: None)
    monkeypatch.setattr(address, "usual_sockets", lambda *_: (f"unix://{path}", f"unix://{path}.podman"))


def test_no_such_file(path: Path) -> None:
    assert find.obstacle(f"unix://{path}") == "no such file"


def test_nobody_listens(path: Path) -> None:
    with listening(path):
        pass
    assert path.exists()
    assert find.obstacle(f"unix://{path}") == "connection refused"


def test_a_plain_file(path: Path) -> None:
    path.write_text("")
    assert find.obstacle(f"unix://{path}") == "connection refused"


def test_a_folder_in_place_of_a_socket(tmp_path: Path) -> None:
    assert find.obstacle(f"unix://{tmp_path}") == "connection refused"


def test_a_silent_listener(path: Path) -> None:
    begun = time.monotonic()
    with listening(path):
        assert find.obstacle(f"unix://{path}") == "it took the connection and did not answer within 0.1 s"
    assert 0.1 <= time.monotonic() - begun < 2


def test_a_listener_that_hangs_up(path: Path) -> None:
    with listening(path, hangs_up):
        assert find.obstacle(f"unix://{path}") == "it closed the connection without an answer"


def test_a_listener_that_answers(path: Path) -> None:
    with listening(path, answers):
        assert find.obstacle(f"unix://{path}") == ""


class Forbidden(socket.socket):
    """As the kernel answers who is not of the socket's group: root can't provoke it."""

    def connect(self, _address: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")


def test_no_permission(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(path):
        monkeypatch.setattr(socket, "socket", Forbidden)
        assert find.obstacle(f"unix://{path}") == f"no permission for user {os.getuid()}"


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    assert "too long" in find.obstacle(f"unix://{tmp_path}/{'x' * 120}")


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:1", "ssh://me@box", "npipe:////./pipe/docker_engine"])
def test_only_unix_sockets_are_looked_at_without_the_library(url: str) -> None:
    assert find.obstacle(url) == ""


def failure(option: str | None, environ: dict[str, str]) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        find.find(option, environ)
    return caught.value


@pytest.mark.parametrize(
    ("option", "variable", "origin"),
    [(True, False, "--dockconn-engine"), (False, True, "DOCKER_HOST"), (True, True, "--dockconn-engine")],
    ids=["option", "variable", "both"],
)
def test_what_was_named_does_not_answer(path: Path, option: bool, variable: bool, origin: str) -> None:
    url = f"unix://{path}"
    error = failure(url if option else None, {"DOCKER_HOST": url} if variable else {})
    assert error.cause == f"cannot reach the engine at {url} (no such file), named by {origin}"
    assert error.checked == f"{url}: no such file"
    assert "systemctl start docker" in error.remedy
    assert "--dockconn-engine" in error.remedy


def test_nothing_was_named_and_nothing_is_there(path: Path) -> None:
    error = failure(None, {})
    assert error.cause == "cannot find a container engine: none of the usual sockets is there"
    assert error.checked == (
        f"DOCKER_HOST (not set), docker's current context (default); unix://{path}: no such file; "
        f"unix://{path}.podman: no such file"
    )


def test_the_one_that_is_there_but_does_not_answer_is_named(path: Path) -> None:
    with listening(path.with_name("d.sock.podman"), hangs_up):
        error = failure(None, {})
    assert error.cause.startswith(f"cannot reach the engine at unix://{path}.podman (it closed the connection")
    assert f"unix://{path}: no such file" in error.checked


def test_the_remedy_for_a_lack_of_permission(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Forbidden)
    error = failure(None, {"DOCKER_HOST": f"unix://{path}"})
    assert "no permission" in error.cause
    assert "usermod -aG docker" in error.remedy


def test_no_message_shows_a_password() -> None:
    tried = [(address.Candidate("tcp://me:secret@box:1", "DOCKER_HOST", certain=True), "connection refused")]
    assert "secret" not in str(find.unavailable(tried, {}))
    unnamed = [(address.Candidate("unix:///x", "usual socket", certain=False), "no such file")]
    assert "secret" not in str(find.unavailable(unnamed, {"DOCKER_HOST": "me:secret@box"}))


@pytest.mark.parametrize(
    "password", ["s3cret", "s3/cret", "s3#cret", "s3?cret", "s3@cret", "s3:cret", ":s3cret", "1/s3cret", "1 s3cret"]
)
@pytest.mark.parametrize("scheme", ["tcp", "http", "https", "ssh", "ftp", "npipe+x"])
@pytest.mark.parametrize("place", ["option", "DOCKER_HOST", "context"])
def test_no_password_is_shown_by_whoever_looks_for_an_engine(
    monkeypatch: pytest.MonkeyPatch, scheme: str, password: str, place: str
) -> None:
    """As it goes: docker-py takes no such URL, and says so with the whole of it."""
    url = f"{scheme}://me:{password}@127.0.0.1:1"
    if place == "context":
        monkeypatch.setattr(find, "_context", lambda: ("there", url))
    with pytest.raises((EngineUnavailable, SpecError)) as caught:
        find.find(url if place == "option" else None, {"DOCKER_HOST": url} if place == "DOCKER_HOST" else {})
    assert "***@127.0.0.1:1" in caught.value.cause
    assert "cret" not in str(caught.value)
    assert "cret" not in repr(caught.value)
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize("url", ["me:s3cret@127.0.0.1:1", "me:s3/cret@127.0.0.1:1", "me:s3://cret@127.0.0.1:1"])
def test_no_password_is_shown_of_what_is_no_url(url: str) -> None:
    with pytest.raises(SpecError) as caught:
        find.find(None, {"DOCKER_HOST": url})
    assert "cret" not in str(caught.value)


def test_words_of_docker_py_about_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """However they come about."""
    monkeypatch.setattr(find, "_bad_place", lambda _: "")
    error = failure("tcp://me:s3cret@127.0.0.1:1", {})
    assert "cret" not in str(error)


@pytest.mark.parametrize("option", ["docker", "", "tcp://[::1:1"])
def test_an_option_that_is_no_url(option: str) -> None:
    with pytest.raises(SpecError, match="is not the URL of an engine"):
        find.find(option, {})


class Opened:
    """In place of an engine."""

    def __init__(self, url: str, timeout: float, busy: int = 0) -> None:
        self.url, self.timeout, self.busy = url, timeout, busy


def test_the_first_that_answers_is_opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "_docker", Opened)
    with listening(path.with_name("d.sock.podman"), answers):
        found: Any = find.find(None, {})
        hurried: Any = find.find(None, {}, 5.0)
    assert (found.url, found.timeout, found.busy) == (f"unix://{path}.podman", find.CALL_TIMEOUT, BUSY)
    assert (hurried.timeout, hurried.busy) == (5.0, 1)


def test_one_that_answers_but_can_not_be_opened_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(url: str, timeout: float, busy: int) -> NoReturn:
        raise EngineUnavailable("asking for its version: lost the engine at unix:///x: client is too old")

    monkeypatch.setattr(find, "_docker", refuses)
    with listening(path, answers):
        error = failure(f"unix://{path}", {})
    assert error.cause == f"cannot reach the engine at unix://{path} (client is too old), named by --dockconn-engine"


@pytest.mark.parametrize(("kind", "name"), [("docker", "DirectEngine"), ("podman", "DockerEngine")])
def test_docker_py_is_for_podman(path: Path, kind: str, name: str) -> None:
    with canned.serving(path, kind), contextlib.closing(find.find(f"unix://{path}", {})) as engine:
        assert type(engine).__name__ == name
        assert engine.version().kind == kind


def test_docker_on_a_unix_socket_is_found_without_docker_py(path: Path, tmp_path: Path) -> None:
    """Nor is docker's current context looked up with it where the settings name none."""
    code = (
        "import sys; from pytest_dockconn.engine import find; find._context(); engine = find.find(sys.argv[1]); engine.info(); "
        "print(sorted({'docker', 'requests', 'urllib3'} & set(sys.modules)))"
    )
    with canned.serving(path, "docker") as server:
        server.answers["/info"] = (200, {"Name": "x"})
        environ = {**os.environ, "HOME": str(tmp_path), "DOCKER_CONFIG": "", "DOCKER_CONTEXT": ""}
        argv = [sys.executable, "-c", code, f"unix://{path}"]
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("files", "environ", "named"),
    [
        ({}, {}, False),
        ({".docker/config.json": "{}"}, {}, False),
        ({".docker/config.json": '{"currentContext": "there"}'}, {}, True),
        ({".dockercfg": '{"currentContext": "there"}'}, {}, True),
        ({".docker/config.json": "{}", ".dockercfg": '{"currentContext": "there"}'}, {}, False),
        ({"elsewhere/config.json": '{"currentContext": "there"}'}, {"DOCKER_CONFIG": "elsewhere"}, True),
        ({"elsewhere/config.json": "{}", ".docker/config.json": '{"currentContext": "x"}'}, {"DOCKER_CONFIG": "elsewhere"}, False),
        ({}, {"DOCKER_CONTEXT": "there"}, True),
        ({".docker/config.json": "{}"}, {"DOCKER_CONTEXT": "there"}, True),
        ({".docker/config.json/x": ""}, {}, True),  # a folder: whoever knows more says what is wrong
    ],
)  # fmt: skip
def test_whether_a_context_is_named(
    tmp_path: Path, files: dict[str, str], environ: dict[str, str], named: bool
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    if "DOCKER_CONFIG" in environ:
        environ = {"DOCKER_CONFIG": str(tmp_path / environ["DOCKER_CONFIG"])}
    assert find.names_a_context(environ, tmp_path) is named


def test_a_folder_that_may_not_be_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As HOME is in a container whose user is another."""

    def refuses(self: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refuses)
    assert not find.names_a_context({}, tmp_path)


@pytest.mark.parametrize(
    ("variable", "configured", "found"),
    [
        ("", "there", ("there", "tcp://127.0.0.1:9")),
        ("there", "", ("there", "tcp://127.0.0.1:9")),
        ("there", "gone", ("there", "tcp://127.0.0.1:9")),
        ("default", "there", None),
        ("", "default", None),
        ("", "", None),
        ("", None, None),
    ],
)
def test_the_current_context(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    configured: str | None,
    found: tuple[str, str] | None,
) -> None:
    docker_config(tmp_path, monkeypatch, variable, configured)
    assert context() == found


@pytest.mark.parametrize(("variable", "configured"), [("gone", ""), ("", "gone")])
def test_a_context_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, configured: str
) -> None:
    """Else another engine would be taken in silence."""
    docker_config(tmp_path, monkeypatch, variable, configured)
    with pytest.raises(EngineUnavailable, match="there is no docker context 'gone'") as caught:
        context()
    assert ("DOCKER_CONTEXT" if variable else "currentContext") in caught.value.checked


def docker_config(folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, configured: str | None) -> None:
    """Docker's settings, with one context, ``there``."""
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.setenv("DOCKER_CONTEXT", variable)
    (folder / "config.json").write_text(json.dumps({} if configured is None else {"currentContext": configured}))
    meta = folder / "contexts/meta" / hashlib.sha256(b"there").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    endpoints = {"docker": {"Host": "tcp://127.0.0.1:9", "SkipTLSVerify": False}}
    meta.write_text(json.dumps({"Name": "there", "Metadata": {}, "Endpoints": endpoints}))


def test_schemes_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(find.OPENERS, "fake", Opened)
    found: Any = find.find("fake://x", {})
    assert found.url == "fake://x"

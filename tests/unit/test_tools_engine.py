"""``tools/engine``, as far as it goes without an engine: nothing is started, installed or ended here."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "tools/engine"

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it starts engines on Linux only"),
    # As another user it would ask sudo, which is not for a unit test.
    pytest.mark.skipif(os.getuid() != 0, reason="what it does without asking anybody, it does as root"),
]


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[Path]:
    """A socket where something answers every request as an engine answers ``/version``."""
    path = tmp_path / "d.sock"
    body = json.dumps({"Version": "1.2.3", "Components": [{"Name": "Engine"}]}).encode()
    answer = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                client.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def run(state: Path, *arguments: str, host: str = "unix:///dockconn/no/such.sock") -> subprocess.CompletedProcess[str]:
    """The script, with a state folder of its own and an engine that is named: it never looks for one to start."""
    environment = {
        **os.environ,
        "DOCKER_HOST": host,
        "DOCKCONN_ENGINE_STATE": str(state),
        "DOCKCONN_ENGINE_DATA": str(state / "data"),
        "DOCKCONN_ENGINE_INSTALL": "no",
    }
    return subprocess.run(
        [SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_up_uses_an_engine_that_answers(tmp_path: Path, engine_socket: Path) -> None:
    done = run(tmp_path / "state", "up", host=f"unix://{engine_socket}")
    assert done.returncode == 0, done.stderr
    assert f"using Docker 1.2.3 at unix://{engine_socket} (named by DOCKER_HOST)" in done.stderr
    assert not (tmp_path / "state/engine").exists()


def test_up_starts_nothing_in_place_of_an_engine_that_was_named(tmp_path: Path) -> None:
    done = run(tmp_path, "up")
    assert done.returncode == 1
    cause, checked, remedy = done.stderr.splitlines()
    assert "named by DOCKER_HOST, does not answer" in cause
    assert "no such file" in checked
    assert "remedy" in remedy


def test_up_says_that_a_url_is_none(tmp_path: Path) -> None:
    done = run(tmp_path, "up", host="nonsense")
    assert done.returncode == 1
    assert "not the URL of an engine" in done.stderr


def test_status_tells_by_its_exit_status(tmp_path: Path, engine_socket: Path) -> None:
    assert run(tmp_path, "status").returncode == 1
    assert run(tmp_path, "status", host=f"unix://{engine_socket}").returncode == 0


def test_down_without_up_ends_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "down")
    assert done.returncode == 0
    assert "nothing to end" in done.stderr


# A process id is used again; and a record may be torn. Not among these: -1 and 0, which kill(2) takes for everybody and
# for the process group; they were tried by hand, in a PID namespace.
@pytest.mark.parametrize("record", ["dockerd {pid} 5", "dockerd {pid}", "dockerd", "torn", ""])
def test_down_harms_no_process_but_the_one_it_recorded(tmp_path: Path, record: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        (tmp_path / "engine").write_text(record.format(pid=bystander.pid) + "\n", encoding="utf-8")
        done = run(tmp_path, "down")
        assert bystander.poll() is None
        bystander.kill()
    assert done.returncode == 0
    assert "nothing to end" in done.stderr
    assert not (tmp_path / "engine").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", "UPPER", "-x", "a" * 32])
def test_private_takes_only_names_that_are_safe_in_a_path(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "private", "up", name)
    assert done.returncode == 1
    assert "cannot be the name of a private engine" in done.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("bogus",), ("up", "now"), ("down", "--hard"), ("private",), ("private", "sideways")]
)
def test_wrong_usage_shows_the_right_one(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: tools/engine up")


def test_private_data_are_removed_from_where_they_were_begun(tmp_path: Path) -> None:
    """Whoever ends it need not know the environment of who began it: the tests keep theirs in memory."""
    folder, data = tmp_path / "private/some", tmp_path / "memory/private/some"
    for made in (folder, data):
        made.mkdir(parents=True)
    (folder / "store").write_text(f"{data}\n")

    done = run(tmp_path, "private", "down", "some")

    assert done.returncode == 0, done.stderr
    assert not data.exists()
    assert not folder.exists()

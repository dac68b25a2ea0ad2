"""Who may build on an engine: one at a time of all processes of this machine; and nothing in /tmp can be used against that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

from pytest_dockconn.actions import building, locks
from pytest_dockconn.actions.building import alone, unless_others_build
from pytest_dockconn.errors import BuildFailed
from pytest_dockconn.model.facts import InfoFacts, VersionFacts

NOBODY = 65534


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of /tmp."""
    made = tmp_path / "tmp"
    made.mkdir()
    made.chmod(0o1777)
    monkeypatch.setattr(locks, "FOLDER", made)
    return made


class Told:
    """An engine that says who it is, and nothing more."""

    def __init__(self, number: str, root: str, url: str, kind: str) -> None:
        self.url = url
        self._info = InfoFacts("box", "Debian", False, (), "2", id=number, root=root)
        self._version = VersionFacts(url, kind, "20.10.24", "1.41", "1.24", "linux", "amd64")

    def info(self) -> InfoFacts:
        return self._info

    def version(self) -> VersionFacts:
        return self._version


def engine(
    number: str = "ABCD:EF",
    *,
    root: str = "/var/lib/docker",
    url: str = "unix:///run/docker.sock",
    kind: str = "docker",
) -> Any:
    return Told(number, root, url, kind)


def is_free(one: Any) -> bool:
    with unless_others_build(one) as free:
        return free


def lock(one: Any) -> Path:
    return building._path(one)


@pytest.mark.parametrize(
    ("other", "free"),
    [
        pytest.param(engine(), False, id="the same"),
        pytest.param(engine(url="unix:///var/run/docker.sock"), False, id="the same, by another URL"),
        pytest.param(engine("GHIJ:KL"), True, id="another"),
        pytest.param(engine(root="/elsewhere"), True, id="another that has the same id, because it is of this machine"),
    ],
)
def test_one_at_a_time_on_an_engine(other: Any, free: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with alone(engine(), "client", print):
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        assert is_free(other) is free
    assert is_free(other)


def test_podman_draws_its_id(folder: Path) -> None:
    assert lock(engine("one", kind="podman")) == lock(engine("other", kind="podman"))


def test_nothing_is_left_of_it(folder: Path) -> None:
    with alone(engine(), "client", print):
        assert list(folder.iterdir()) == [lock(engine())]
    assert is_free(engine())
    assert list(folder.iterdir()) == []


def test_others_wait_and_say_so() -> None:
    said: list[str] = []
    done: list[str] = []

    def other() -> None:
        with alone(engine(), "client", said.append):
            done.append("other")

    waiting = threading.Thread(target=other)
    with alone(engine(), "client", print):
        waiting.start()
        assert until(lambda: said, 10)
        done.append("one")
    waiting.join(10)
    assert done == ["one", "other"]
    assert "waiting for another process that builds on this engine" in said[0]


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "PATIENCE", 0.2)
    words = "client: another process has been building on this engine"
    with alone(engine(), "client", print), pytest.raises(BuildFailed, match=words) as caught:
        alone(engine(), "client", print).__enter__()
    assert str(lock(engine())) in caught.value.checked


HOLD = """
import os, sys
from pathlib import Path
from pytest_dockconn.actions import building, locks
os.setuid(int(sys.argv[2]))
fd = building._take(Path(sys.argv[1]))
print(fd is not None, flush=True)
sys.stdin.read()
if fd is not None:
    building._let_go(Path(sys.argv[1]), fd)
"""


def holder(path: Path, user: int) -> tuple[subprocess.Popen[str], str]:
    """Another process that tries to have the lock, and says whether it does."""
    command = [sys.executable, "-c", HOLD, str(path), str(user)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_whoever_is_killed_lets_go() -> None:
    process, said = holder(lock(engine()), os.getuid())
    assert said == "True"
    assert not is_free(engine())
    process.kill()
    process.communicate()
    assert is_free(engine())


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be two users")
def test_users_of_one_machine_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    old = os.umask(0o077)
    shared = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own are for this user alone
    shared.chmod(0o1777)
    monkeypatch.setattr(locks, "FOLDER", shared)
    try:
        with alone(engine(), "client", print):
            process, said = holder(lock(engine()), NOBODY)
            process.communicate()
            assert said == "False"
        process, said = holder(lock(engine()), NOBODY)
        assert said == "True"
        assert not is_free(engine())
        process.communicate()
        assert is_free(engine())
    finally:
        os.umask(old)
        shutil.rmtree(shared)


def _link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def _pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path, _: Path) -> None:
    path.mkdir()


def _another_name(path: Path, other: Path) -> None:
    path.hardlink_to(other)


@pytest.mark.parametrize("trap", [_link, _pipe, _folder, _another_name])
def test_what_is_no_lock_is_left_alone(trap: object, tmp_path: Path) -> None:
    """Somebody put it there: it is not followed, not written to, not waited for; then nobody knows who else builds."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    assert callable(trap)
    trap(lock(engine()), precious)

    with alone(engine(), "client", print):
        assert not is_free(engine())

    assert precious.read_text() == "precious"
    assert lock(engine()).lstat()


def test_no_place_for_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "FOLDER", tmp_path / "nowhere")
    with alone(engine(), "client", print):
        assert not is_free(engine())


def test_a_lock_that_its_last_holder_removed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the lock."""
    path = lock(engine())
    path.touch()
    locked = locks.locked

    def late(fd: int) -> bool:
        path.unlink()
        return locked(fd)

    with monkeypatch.context() as patch:
        patch.setattr(locks, "locked", late)
        assert building._take(path) is None
    assert is_free(engine())

"""Private engines of the tests: where their data are, and the end of those whose run was killed. Nothing is started here."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance import private

LITTLE = "MemTotal:       16000000 kB\nMemAvailable:     100000 kB\n"
PLENTY = "MemTotal:       16000000 kB\nMemAvailable:   15000000 kB\n"


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text(PLENTY)
    return path


@pytest.fixture(autouse=True)
def _nobody_names_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKCONN_ENGINE_DATA", raising=False)
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name != "meminfo")
    monkeypatch.setattr(private, "ROOM", 1)


def test_in_memory_where_there_is_room(tmp_path: Path, meminfo: Path) -> None:
    assert private.why_on_disk(tmp_path, meminfo) == ""


def test_on_disk_where_somebody_says_where(tmp_path: Path, meminfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKCONN_ENGINE_DATA", "/data")
    assert private.why_on_disk(tmp_path, meminfo) == "DOCKCONN_ENGINE_DATA names where"


def test_on_disk_where_there_is_no_such_file_system(tmp_path: Path, meminfo: Path) -> None:
    assert "is no file system of its own" in private.why_on_disk(meminfo, meminfo)


def test_on_disk_where_it_is_full(tmp_path: Path, meminfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "ROOM", 1 << 60)
    assert "MiB free, and" in private.why_on_disk(tmp_path, meminfo)


def test_on_disk_where_memory_is_short(tmp_path: Path, meminfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo.write_text(LITTLE)
    monkeypatch.setattr(private, "ROOM", 1 << 27)
    assert private.why_on_disk(tmp_path, meminfo) == "97 MiB of memory are free, and 256 are wanted"


def test_what_a_killed_run_left_is_ended_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(private, "STATE", tmp_path)
    monkeypatch.setattr(private, "_down", ended.append)
    (tmp_path / "private-tests-1.held").touch()
    (tmp_path / "private-tests-2.lock").touch()

    with private._held("tests-3"):
        private.sweep()
    private.sweep()

    assert ended == ["tests-1"]
    assert [path.name for path in tmp_path.iterdir()] == ["private-tests-2.lock"]

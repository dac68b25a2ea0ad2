"""The base of the images: which one is taken, and what can't be one."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import signal
import subprocess
import tarfile
import threading
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest
from tests.samples import refused
from tests.waiting import until

from pytest_dockconn.actions import base
from pytest_dockconn.errors import BuildFailed, EngineError
from pytest_dockconn.labels import NAME
from pytest_dockconn.logic.bases import DEFAULT_IMAGE, Base


class Engine:
    """Images that are there, and those that can be pulled."""

    url = "fake://"

    def __init__(self, *there: str, pullable: tuple[str, ...] = ()) -> None:
        self.there = set(there)
        self.pullable = pullable
        self.imported: list[tuple[str, bytes]] = []
        self.names: list[str] = []
        self.pulled: list[str] = []
        self.refuses = ""

    def image(self, name: str) -> object:
        return name if name in self.there else None

    def pull(self, name: str) -> None:
        self.pulled.append(name)
        if name not in self.pullable:
            raise EngineError(f"pulling image {name}: registry out of reach")
        self.there.add(name)

    def import_image(self, tar: IO[bytes], repository: str, tag: str, labels: dict[str, str]) -> str:
        if self.refuses:
            raise EngineError(self.refuses)
        self.names.append(labels[NAME])
        self.imported.append((f"{repository}:{tag}", tar.read()))
        self.there.add(f"{repository}:{tag}")
        return "sha256:1"


def find(engine: Any, wanted: Base) -> tuple[str, list[str]]:
    said: list[str] = []
    return base.find(engine, wanted, {"dockconn": "x"}, said.append), said


@pytest.fixture(autouse=True)
def _a_debian_with_mmdebstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "host_suite", lambda: "bookworm")
    monkeypatch.setattr(base, "_tool", lambda: "/usr/bin/mmdebstrap")


def packed(*names: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return whole.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("base.tar", packed("./etc"), id="plain"),
        pytest.param("base.tar.gz", gzip.compress(packed("./etc")), id="gzip"),
        pytest.param("base.tar.xz", lzma.compress(packed("./etc")), id="xz"),
        pytest.param("base.tar.bz2", bz2.compress(packed("./etc")), id="bzip2"),
        pytest.param("base", packed("./etc"), id="by content, not by name"),
        pytest.param("base.tar.zst", b"\x28\xb5\x2f\xfd whatever", id="zstd, which only the engine may read"),
    ],
)
def test_a_tar(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    base.check_tar(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "is not a tar", id="empty file"),
        pytest.param(packed(), "is not a tar", id="empty tar"),
        pytest.param(b"#!/bin/sh\nexit 0\n" * 100, "is not a tar", id="a script"),
        pytest.param(b"BZh9" + b"\xff" * 600, "is not a tar", id="broken bzip2"),
        pytest.param(gzip.compress(b"hello"), "is not a tar", id="gzip of something else"),
        pytest.param(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 600, "is not a tar", id="broken gzip"),
        pytest.param(lzma.compress(packed("./etc"))[:40], "is not a tar", id="xz, cut"),
    ],
)
def test_no_tar(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "base.tar"
    path.write_bytes(data)
    with refused("--dockconn-base", words):
        base.check_tar(path)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("none.tar", "no such file", id="missing"),
        pytest.param("/", "no such file", id="a folder"),
        pytest.param("~nosuchuser/x.tar", "home directory", id="nobody's home"),
        pytest.param("/" + "x" * 300 + ".tar", "File name too long", id="too long a name"),
        pytest.param("/\udcff.tar", "no such file", id="bytes that are no text"),
        pytest.param("/a\0.tar", "", id="NUL"),
    ],
)
def test_no_path(path: str, words: str) -> None:
    with refused("--dockconn-base", words):
        base.tar_of(Base("tar", path))


def test_a_path_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "base.tar").write_bytes(packed("./etc"))
    assert base.tar_of(Base("tar", "~/base.tar")) == tmp_path / "base.tar"


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, partial(lzma.compress, preset=0), bz2.compress], ids=["plain", "gz", "xz", "bz2"]
)
def test_a_header_without_end_is_not_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """What tarfile takes for the attributes of a first entry may be as long as anybody likes, and compresses to nothing."""
    entry = tarfile.TarInfo("attributes")
    entry.type, entry.size = tarfile.XHDTYPE, 1 << 23
    path = tmp_path / "base.tar"
    path.write_bytes(pack(entry.tobuf() + bytes(entry.size)))

    tracemalloc.start()
    try:
        base.check_tar(path)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_a_folder_is_no_tar(tmp_path: Path) -> None:
    with refused("--dockconn-base"):
        base.check_tar(tmp_path)


def test_an_image_that_is_there() -> None:
    engine = Engine("debian:12")
    assert find(engine, Base("image", "debian:12")) == ("debian:12", [])
    assert engine.pulled == []


def test_an_image_that_can_be_pulled() -> None:
    assert find(Engine(pullable=("debian:12",)), Base("image", "debian:12")) == ("debian:12", ["pulling debian:12"])


def test_an_image_that_can_not_be_had() -> None:
    with refused("'debian:12' is not on the engine and can't be pulled"):
        find(Engine(), Base("image", "debian:12"))


def test_a_tar_is_imported_once_for_its_content(tmp_path: Path) -> None:
    path, engine = tmp_path / "base.tar", Engine()
    path.write_bytes(packed("./etc"))
    name, said = find(engine, Base("tar", str(path)))
    assert name.startswith("dockconn-base:tar-")
    assert engine.imported == [(name, packed("./etc"))]
    assert engine.names == [name]  # without its name among its labels it is not ours to remove
    assert f"importing {path}" in said
    assert find(engine, Base("tar", str(path)))[0] == name
    assert len(engine.imported) == 1
    path.write_bytes(packed("./etc", "./usr"))
    assert find(engine, Base("tar", str(path)))[0] != name


def test_an_engine_that_does_not_take_it(tmp_path: Path) -> None:
    path, engine = tmp_path / "base.tar", Engine()
    path.write_bytes(packed("./etc"))
    engine.refuses = "no space left on device"
    with pytest.raises(BuildFailed, match="was not taken by the engine") as caught:
        find(engine, Base("tar", str(path)))
    assert "no space left" in caught.value.checked
    assert caught.value.remedy


AUTO = Base("auto", DEFAULT_IMAGE)


@pytest.mark.parametrize(
    ("there", "pullable", "name", "pulled"),
    [
        pytest.param([DEFAULT_IMAGE, "dockconn-base:bookworm"], [], DEFAULT_IMAGE, [], id="the image is there"),
        pytest.param(["dockconn-base:bookworm"], [DEFAULT_IMAGE], "dockconn-base:bookworm", [], id="an earlier base"),
        pytest.param([], [DEFAULT_IMAGE], DEFAULT_IMAGE, [DEFAULT_IMAGE], id="pulled"),
    ],
)
def test_auto(there: list[str], pullable: list[str], name: str, pulled: list[str]) -> None:
    engine = Engine(*there, pullable=tuple(pullable))
    assert find(engine, AUTO)[0] == name
    assert engine.pulled == pulled


def test_auto_without_a_registry_makes_a_base(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(argv)
        Path(argv[-1]).write_bytes(packed("./etc"))
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(base, "_done", run)
    engine = Engine()
    name, said = find(engine, AUTO)
    assert name == "dockconn-base:bookworm"
    assert engine.imported == [("dockconn-base:bookworm", packed("./etc"))]
    assert "--variant=minbase" in commands[0]
    assert "bookworm" in commands[0]
    assert not Path(commands[0][-1]).exists()
    assert any("can't be pulled here" in line for line in said)


@pytest.mark.parametrize(("suite", "tool"), [(None, "/usr/bin/mmdebstrap"), ("bookworm", None)])
def test_auto_where_nothing_can_be_had(monkeypatch: pytest.MonkeyPatch, suite: str | None, tool: str | None) -> None:
    monkeypatch.setattr(base, "host_suite", lambda: suite)
    monkeypatch.setattr(base, "_tool", lambda: tool)
    with refused(f"{DEFAULT_IMAGE!r} is not on the engine and can't be pulled"):
        find(Engine(), AUTO)


def test_a_bootstrap_without_a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_tool", lambda: None)
    with pytest.raises(BuildFailed, match="neither mmdebstrap nor debootstrap") as caught:
        find(Engine(), Base("bootstrap", "bookworm"))
    assert "apt-get install mmdebstrap" in caught.value.remedy


def test_a_bootstrap_that_is_there_already() -> None:
    assert find(Engine("dockconn-base:trixie"), Base("bootstrap", "trixie")) == ("dockconn-base:trixie", [])


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("E: The repository 'x' does not have a Release file.", "no such suite"),
        ("E: 404 Not Found", "no such suite"),
        ("E: cannot guess the archive", "no such suite"),
        ("E: unable to mount", "can't be made"),
    ],
    ids=["release file", "404", "guess", "anything else"],
)
def test_a_bootstrap_that_fails(monkeypatch: pytest.MonkeyPatch, said: str, kind: str) -> None:
    monkeypatch.setattr(base, "_done", lambda argv, **_: subprocess.CompletedProcess(argv, 1, "", said))
    with pytest.raises((BuildFailed, ValueError), match=kind) as caught:
        find(Engine(), Base("bootstrap", "nosuch"))
    assert said in str(caught.value)
    assert "remedy" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            subprocess.TimeoutExpired(["mmdebstrap", "x"], 1200, b"I: got 3 of 99\n", b"W: slow"),
            "not done after 1200 s",
        ),
        (subprocess.TimeoutExpired(["mmdebstrap", "x"], 1200), "not done after 1200 s"),
        (OSError(28, "No space left on device", "/tmp/x"), "No space left on device"),
        (FileNotFoundError(2, "No usable temporary directory found"), "No usable temporary directory"),
    ],
    ids=["too slow", "and silent", "full", "no folder"],
)
def test_a_bootstrap_that_can_not_end(monkeypatch: pytest.MonkeyPatch, error: Exception, says: str) -> None:
    """Of these too: else each test would try it again, and wait."""

    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(base, "_done", run)
    with pytest.raises(BuildFailed, match=says) as caught:
        find(Engine(), Base("bootstrap", "bookworm"))
    assert "--dockconn-base IMAGE" in caught.value.remedy
    if isinstance(error, subprocess.TimeoutExpired) and error.stdout:
        assert "    I: got 3 of 99\n    W: slow" in caught.value.cause


def test_a_suite_that_debootstrap_does_not_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bookworm").touch()
    monkeypatch.setattr(base, "Path", lambda name: tmp_path if "scripts" in name else Path(name))
    base.check_suite("/usr/sbin/debootstrap", "bookworm")
    base.check_suite("/usr/bin/mmdebstrap", "nosuch")
    with refused("bootstrap:nosuch: no such suite"):
        base.check_suite("/usr/sbin/debootstrap", "nosuch")


def test_what_is_waited_for_no_longer_is_ended() -> None:
    """It writes into a folder that goes with this process."""
    ends: list[int] = []
    thread = threading.Thread(target=lambda: ends.append(base._done(["sleep", "60"]).returncode))
    thread.start()
    assert until(lambda: base._tools, 10)

    base.give_up()

    thread.join(10)
    assert ends == [-signal.SIGTERM]
    assert base._tools == set()


def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "BOOTSTRAP_TIME", 0.2)
    with pytest.raises(subprocess.TimeoutExpired):
        base._done(["sleep", "60"])
    assert base._tools == set()

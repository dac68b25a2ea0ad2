"""An engine with daemon options that the ordinary one does not have: a private one, in a network namespace of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docker

from pytest_dockconn import Image
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine.find import find
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.session import Session

TOOL = Path(__file__).parents[2] / "tools" / "engine"
#: Where that keeps what it knows.
STATE = Path(os.environ.get("DOCKCONN_ENGINE_STATE") or "/run/dockconn-engine")

#: All of them at once, as no two are about the same thing. Before 27 IPv6 rules are an experiment, and asked for.
#: The addresses (RFC 2544) are none that the ordinary engine gives out: the plugin tells by a bridge's address, which
#: this process's namespace either has or has not, whether containers hang on bridges of its own.
OPTIONS = (
    "--icc=false",
    "--userland-proxy=false",
    "--ipv6",
    "--fixed-cidr-v6=fd00:d0c::/64",
    "--experimental",
    "--ip6tables",
    "--bip=198.19.77.1/24",
    "--default-address-pool=base=198.18.0.0/16,size=24",
)


def why_not() -> str:
    """Why no private engine can be started here; empty if one can."""
    if sys.platform != "linux":
        return "a private engine needs Linux"
    if os.geteuid():
        return "a private engine needs root"
    missing = [program for program in ("dockerd", "nsenter", "unshare") if not _which(program)]
    return f"a private engine needs {', '.join(missing)}" if missing else ""


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


#: A file system in memory: on it an engine has an eighth less to do for a container.
MEMORY = Path("/dev/shm")
#: Bytes that have to be free there, and twice as many of all memory: the tests' images and containers take 1 GiB at the most.
ROOM = 2 << 30


def why_on_disk(memory: Path = MEMORY, meminfo: Path = Path("/proc/meminfo")) -> str:
    """Why a private engine keeps its data where ``tools/engine`` does; empty if it keeps them in memory."""
    if os.environ.get("DOCKCONN_ENGINE_DATA"):
        return "DOCKCONN_ENGINE_DATA names where"
    if not memory.is_mount():
        return f"{memory} is no file system of its own"
    free = shutil.disk_usage(memory).free
    if free < ROOM:
        return f"{memory} has {free >> 20} MiB free, and {ROOM >> 20} are wanted"
    available = next(int(line.split()[1]) << 10 for line in meminfo.read_text().splitlines() if "MemAvailable" in line)
    return "" if available >= 2 * ROOM else f"{available >> 20} MiB of memory are free, and {2 * ROOM >> 20} are wanted"


@contextlib.contextmanager
def engine(options: Sequence[str] = OPTIONS, name: str = "") -> Iterator[str]:
    """A private engine, by its URL; it ends, and all that it held goes, however the tests went."""
    name = name or f"conformance-{os.getpid()}"  # two runs at once, and the workers of one, have an engine each
    with _held(name):
        try:
            yield _up(name, options)
        finally:
            _down(name)


@contextlib.contextmanager
def _held(name: str) -> Iterator[None]:
    """Says that somebody uses that engine: the kernel lets go of the lock however a process ends."""
    STATE.mkdir(parents=True, exist_ok=True)
    path = STATE / f"private-{name}.held"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def sweep() -> None:
    """End the private engines of tests that were killed: they would keep their memory."""
    for path in STATE.glob("private-*.held"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _down(path.stem.removeprefix("private-"))
            path.unlink()


def _down(name: str) -> None:
    subprocess.run([TOOL, "private", "down", name], check=True, stderr=subprocess.DEVNULL)


def _up(name: str, options: Sequence[str]) -> str:
    command = [str(TOOL), "private", "up", name, "--", *options]
    if not why_on_disk():
        around = {**os.environ, "DOCKCONN_ENGINE_DATA": str(MEMORY / "dockconn-engine")}
        done = subprocess.run(command, env=around, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def copy(source: Any, target_url: str, images: Sequence[Image]) -> None:
    """Copy images from one engine to another, each layer once: ``docker save A B | docker load``."""
    with contextlib.closing(docker.APIClient(base_url=target_url, version="auto", timeout=300)) as target:
        # get_image of docker-py takes a single one, and layers that two share would go twice
        answer = source._get(source._url("/images/get"), params={"names": [i.tag for i in images]}, stream=True)
        said = list(target.load_image(source._stream_raw_result(answer, 1 << 20, decode=False)))
    assert not [line for line in said if "error" in line], said


@contextlib.contextmanager
def session(source: Any, client: Image, server: Image) -> Iterator[Session]:
    """A session on a private engine that has the two images of the run."""
    with engine() as url:
        copy(source, url, [client, server])
        opened = Session(Services(find(url), Settings(client_image=client.tag, server_image=server.tag), print))
        try:
            yield opened
        finally:
            opened.start_closing()
            assert opened.close() == []

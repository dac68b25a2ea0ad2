"""Who holds a host port? Containers by asking the engine, processes by reading /proc where the engine's host is ours."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import labels
from ..agent import namespace
from ..engine.port import Engine
from ..errors import NotFound, PortInUse
from ..logic.room import overlap
from ..model.spec import Publish
from ..text import one_line

#: Seconds to look for a socket among the open files of all processes: one may have millions.
SEARCH = 5.0


def check_free(engine: Engine, wishes: Iterable[Publish], *, same_host: bool) -> None:
    """Raises ``PortInUse`` for a wished-for host port that is taken. A race is left to the engine's own refusal."""
    fixed = [wish for wish in wishes if wish.host.isdigit()]
    if not fixed:
        return
    containers = engine.containers(running=True)
    for wish in fixed:
        holder = _container(engine, containers, wish) or (_process(wish) if same_host else "")
        if holder:
            raise in_use(wish, holder)


def in_use(wish: Publish, holder: str) -> PortInUse:
    """The error for a host port that is taken."""
    kind = wish.port.protocol
    return PortInUse(
        f"port {wish.host}/{kind} of {wish.address} on the host is in use: {holder or 'its holder is not known'}",
        checked="the engine's containers and, where they can be read, the sockets of the host",
        remedy=f"end the holder, or bind another port; {{{wish.port.number}: None}} takes any free one",
    )


def holder_of(engine: Engine, wish: Publish, *, same_host: bool) -> str:
    """Who holds the port, in words; empty where that is not known."""
    return _container(engine, engine.containers(running=True), wish) or (_process(wish) if same_host else "")


def _container(engine: Engine, containers: Iterable[object], wish: Publish) -> str:
    for entry in containers:
        assert isinstance(entry, dict)
        for address, port, protocol in entry["ports"]:
            same = port == int(wish.host) and protocol == wish.port.protocol and overlap(address, wish.address)
            if same and _runs(engine, str(entry["id"])):
                return f"container {entry['name']} ({str(entry['id'])[:12]}) has it{_kept(entry)}"
    return ""


def _kept(entry: Mapping[str, Any]) -> str:
    """What is said of one that is kept for a later run."""
    if labels.REUSE not in entry["labels"]:
        return ""
    from .leases import Leases  # noqa: PLC0415 - seldom

    user = Leases().user(entry["labels"].get(labels.RUN, ""), str(entry["id"]))
    return f", and {user} uses it" if user else ", kept for a later run (`dockconn prune` removes it)"


def _runs(engine: Engine, container: str) -> bool:
    """Whether it does run: 26.1 lists one as running, with its ports, when its stop has returned already."""
    try:
        return engine.inspect(container).status not in ("created", "exited", "dead")
    except NotFound:
        return False


def _process(wish: Publish) -> str:
    if wish.port.protocol not in ("tcp", "udp") or _can_bind(wish):  # /proc shows no sctp: the engine will say
        return ""
    inodes = {
        int(str(row["inode"]))
        for row in namespace.listeners({"protocol": wish.port.protocol, "ports": [wish.host]})
        if overlap(str(row["local"]), wish.address)
    }
    return _owner_of(inodes) or "a process of the host has it"


def _can_bind(wish: Publish) -> bool:
    family = socket.AF_INET6 if ":" in wish.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if wish.port.protocol == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as sock:
            if kind is socket.SOCK_STREAM:
                # what is in TIME_WAIT only is free for the engine too
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((wish.address, int(wish.host)))
    except PermissionError:
        return True  # below 1024 and not root: the engine is
    except OSError:
        return False
    return True


def _open_files(process: Path) -> Iterator[str]:
    """What a process has open, read as it is needed. Raises ``OSError`` where that can't be read at all.

    A file may be closed while this looks; of this very process one always is: the one by which the list is read.
    """
    with os.scandir(process / "fd") as files:  # iterdir would make a list of all first
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                yield os.readlink(file.path)  # noqa: PTH115 - millions of Paths would take long


def _process_with(marks: Collection[str]) -> Path | None:
    """A process that has one of these open; None where none is seen to, in time."""
    end = time.monotonic() + SEARCH
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for file in _open_files(process):
                if file in marks:
                    return process
                if time.monotonic() > end:
                    return None
    return None


def is_of_container(inode: int, container: str) -> bool | None:
    """Whether the process that has a socket runs in a container (its full id); None where that can't be read from here.

    A control group's path holds the id, with every driver of docker and podman.
    """
    process = _process_with({f"socket:[{inode}]"})
    if process is not None:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            return container in (process / "cgroup").read_text(encoding="utf-8", errors="replace")
    return None


def _owner_of(inodes: set[int]) -> str:
    marks = {f"socket:[{inode}]" for inode in inodes if inode}
    process = _process_with(marks) if marks else None
    if process is not None:
        with contextlib.suppress(OSError):
            name = (process / "comm").read_text(encoding="utf-8", errors="replace")  # it may call itself anything
            return f"process {process.name} ({one_line(name)}) of the host has it"
    return ""

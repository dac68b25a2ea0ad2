"""Who holds a host port? Containers by asking the engine, processes by reading /proc where the engine's host is ours."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from .. import labels
from ..agent import namespace
from ..engine.port import Engine
from ..engine.refusal import port_in_words
from ..errors import NotFound, PortInUse
from ..logic.room import overlap
from ..model.spec import Publish
from ..text import one_line

#: Seconds to look for a socket among the open files of all processes: one may have millions.
SEARCH = 5.0
#: Ports of a range whose holders are named.
NAMED = 4


def check_free(engine: Engine, wishes: Iterable[Publish], *, same_host: bool) -> None:
    """Raises ``PortInUse`` for a wished-for host port that is taken.

    A race is left to the engine's own refusal, and so is a range: any free port of it will do.
    """
    fixed = [wish for wish in wishes if wish.host.isdigit()]
    if not fixed:
        return
    seen = _Seen(engine, same_host=same_host)
    for wish in fixed:
        holder = seen.holder(wish)
        if holder:
            raise in_use(wish, holder)


def refused(engine: Engine, wishes: Iterable[Publish], error: PortInUse, *, same_host: bool) -> PortInUse:
    """The engine's refusal, with who has the port, or those of the range; as it is where nobody can tell which it is about."""
    seen = _Seen(engine, same_host=same_host)
    about = [wish for wish in wishes if wish.host and _speaks_of(error.cause, wish)]
    if not about:  # moby has no more to say of a range than that all its ports are allocated
        ranges = [wish for wish in wishes if "-" in wish.host]
        about = [wish for wish in ranges if len(ranges) == 1 or all(map(seen.has, _each(wish)))]
    if not about:
        return PortInUse(
            error.cause, checked="what the engine said", remedy="bind another port; None takes any free one"
        )
    return in_use(about[0], seen.holder(about[0]))


def _speaks_of(words: str, wish: Publish) -> bool:
    """Whether the engine's words are about this port, or one of this range."""
    if wish.host.isdigit():
        return re.search(rf"(:|port ){wish.host}\b", words) is not None
    named = port_in_words(words)
    return named is not None and named[1] in _numbers(wish)


def _numbers(wish: Publish) -> range:
    first, _, last = wish.host.partition("-")
    return range(int(first), int(last or first) + 1)


def _each(wish: Publish) -> Iterator[Publish]:
    """A wish for each port of a range."""
    return (replace(wish, host=str(number)) for number in _numbers(wish))


def in_use(wish: Publish, holder: str) -> PortInUse:
    """The error for a host port that is taken, or a range of which each is."""
    where = f"{wish.host}/{wish.port.protocol} of {wish.address} on the host"
    cause = f"port {where} is in use: {holder or 'its holder is not known'}"
    if "-" in wish.host:
        cause = f"ports {where} are all in use: {holder or 'their holders are not known'}"
    return PortInUse(
        cause,
        checked="the engine's containers and, where they can be read, the sockets of the host",
        remedy=f"end the holder, or bind another port; {{{wish.port.number}: None}} takes any free one",
    )


def holder_of(engine: Engine, wish: Publish, *, same_host: bool) -> str:
    """Who holds the port, in words; empty where that is not known."""
    return _Seen(engine, same_host=same_host).holder(wish)


class _Seen:
    """Who has host ports: the containers by one listing, the processes as they are asked for."""

    def __init__(self, engine: Engine, *, same_host: bool) -> None:
        self._runs = cache(partial(_runs, engine))  # one container may have all of a long range
        self._same_host = same_host
        self._containers: Sequence[Mapping[str, Any]] = engine.containers(running=True)

    def holder(self, wish: Publish) -> str:
        """In words; empty where that is not known. Of a long range those of the first few ports, which are often the same."""
        if wish.host.isdigit():
            return self._container(wish) or (_process(wish) if self._same_host else "")
        found = [(one.host, self.holder(one)) for one in islice(_each(wish), NAMED)]
        if not any(holder for _, holder in found):
            return ""
        more = len(_numbers(wish)) - len(found)
        words = "; ".join(f"{host}: {holder or 'its holder is not known'}" for host, holder in found)
        return words + (f"; and {more} more" if more else "")

    def has(self, wish: Publish) -> bool:
        """Whether anybody has that one port."""
        return bool(self._container(wish)) or (self._same_host and _is_taken(wish))

    def _container(self, wish: Publish) -> str:
        for entry in self._containers:
            for address, port, protocol in entry["ports"]:
                same = port == int(wish.host) and protocol == wish.port.protocol and overlap(address, wish.address)
                if same and self._runs(str(entry["id"])):
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
    if not _is_taken(wish):
        return ""
    inodes = {
        int(str(row["inode"]))
        for row in namespace.listeners({"protocol": wish.port.protocol, "ports": [wish.host]})
        if overlap(str(row["local"]), wish.address)
    }
    return _owner_of(inodes) or "a process of the host has it"


def _is_taken(wish: Publish) -> bool:
    """By a process; /proc shows no sctp: the engine will say."""
    return wish.port.protocol in ("tcp", "udp") and not _can_bind(wish)


def _can_bind(wish: Publish) -> bool:
    family = socket.AF_INET6 if ":" in wish.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if wish.port.protocol == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as sock:
            if kind is socket.SOCK_STREAM:
                # what is in TIME_WAIT only is free for the engine too
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((wish.address, int(wish.host)))
    except OSError as error:
        # anything else (below 1024 and not root, an address that is not the host's) is for the engine to say
        return error.errno != errno.EADDRINUSE
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

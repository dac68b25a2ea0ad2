"""The labels on everything that is made, and what counts as ours."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

#: Of the plugin; ``pyproject.toml`` says the same. What another one made is not used again.
VERSION = "0.1.0"

RUN = "dockconn"
NAME = "dockconn.name"
ROLE = "dockconn.role"
PID = "dockconn.owner.pid"
STARTED = "dockconn.owner.started"
HOST = "dockconn.owner.host"
BOOT = "dockconn.owner.boot"
MACHINE = "dockconn.owner.machine"
#: The namespace of process ids that the owner's is one of: in a container a number means another process.
PIDNS = "dockconn.owner.pidns"
#: Seconds since 1970: when it was made, and until when those who can't see its owner leave it alone.
CREATED = "dockconn.created"
LEASE = "dockconn.lease"
HASH = "dockconn.hash"
#: On what may serve a later run (``--dockconn-reuse``): the hash of what it was made from, and whose place it takes.
REUSE = "dockconn.reuse"
PLACE = "dockconn.reuse.place"
PROJECT = "dockconn.reuse.project"
#: The user whose leases say until when.
UID = "dockconn.reuse.uid"
#: On an image: it holds the agent, or Apache with the identity header. Containers inherit it, and images committed of them.
SPEAKS = "dockconn.speaks"

#: On a container: what the engine calls the network that it was created on, which podman does not tell.
FIRST = "dockconn.network"

#: On every step of a build of ours, and its containers; the same for all runs, because the engine's cache compares labels. Only
#: the last step says that it is the last, so what others make of it does not look like a step.
BUILD = "dockconn.build"
UNFINISHED, FINISHED = "unfinished", "finished"

#: On a sidecar that has set rules: in which container, and their table. A later run heals by it what a dead one left.
PARTITION = "dockconn.partition"
TABLE = "dockconn.partition.table"

#: Seconds that a thing may be old before others than its owner's machine take it for left behind.
LEASE_TIME = 24 * 3600

#: Every name on the engine begins with this, so that a user's own ``server1`` never collides.
PREFIX = "dockconn-"


def process_started(pid: int) -> str | None:
    """When a process of this machine started, as a word; empty where there is none, None where that can't be told.

    A process id is used again; together with its start time it is not. On Linux field 22 of /proc/PID/stat, in clock ticks
    since boot; elsewhere what ``ps`` says, to the second. One that has ended and that nobody has waited for is none.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _told_by_ps(pid) if not Path("/proc/self/stat").exists() else _unseen(pid)
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _unseen(pid: int) -> str | None:
    """Of a process that /proc does not show: with ``hidepid`` it shows nobody those of other users."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except (OSError, OverflowError):
        pass
    return None


def _told_by_ps(pid: int) -> str | None:
    """Where there is no /proc, as on macOS."""
    import subprocess  # noqa: PLC0415 - hardly ever needed

    try:
        asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})  # noqa: S603
    except OSError:
        return None
    state, _, started = done.stdout.strip().partition(" ")
    return "" if state[:1] in ("Z", "") else " ".join(started.split())


def boot_id() -> str:
    """The id of this boot of the machine; empty where the kernel does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _told_by_sysctl() if sys.platform == "darwin" else ""


@lru_cache(maxsize=1)
def _told_by_sysctl() -> str:
    """macOS's id of this boot, another one on each machine."""
    import subprocess  # noqa: PLC0415 - macOS alone

    try:
        asked = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    except OSError:
        return ""


def machine_id() -> str:
    """What tells this installation from others of the same name; empty where nothing does."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            return Path(path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
    return ""


def uid() -> str:
    """The user of this process; empty where there are none."""
    return str(os.getuid()) if hasattr(os, "getuid") else ""


def pid_namespace() -> str:
    """The namespace of process ids that this process is in; empty where there are none."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


@lru_cache(maxsize=2)
def _owner(pid: int) -> dict[str, str]:
    return {
        PID: str(pid), STARTED: process_started(pid) or "", HOST: socket.gethostname(), BOOT: boot_id(),
        MACHINE: machine_id(), PIDNS: pid_namespace(),
    }  # fmt: skip


def owner() -> dict[str, str]:
    """The labels that say which process made a thing. Cached for a process; a fork has its own."""
    return dict(_owner(os.getpid()))


def made(run: str, name: str, role: str, *, owned_by: int | None = None) -> dict[str, str]:
    """All labels of a thing of this run; its owner is this process where no other is named."""
    now = int(time.time())
    marks = owner() if owned_by is None else dict(_owner(owned_by))
    return {RUN: run, NAME: name, ROLE: role, CREATED: str(now), LEASE: str(now + LEASE_TIME), **marks}


def owner_of(marks: Mapping[str, str]) -> str:
    """Whose a thing is, in words."""
    return f"process {marks.get(PID, '?')} of {marks.get(HOST, '?')}"


def committed_by(marks: Mapping[str, str]) -> str:
    """The comment of an image that a run commits, or imports: it tells the image itself from what others make of it."""
    return f"{RUN} {marks.get(RUN, '')}"


def is_ours(labels: Mapping[str, str], name: str) -> bool:
    """Whether a thing of this name was made by a run.

    A container inherits the labels of its image, and a committed image those of its container; so a label proves
    nothing unless the thing also bears the name that the labels speak of.
    """
    return bool(labels.get(RUN)) and labels.get(NAME) == name and name.startswith(PREFIX)

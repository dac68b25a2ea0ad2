"""Does the engine run on this machine, in this network? Two engines may both have a docker0 at 172.17.0.1."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

from ..logic.wiring import is_loopback

#: pid, uid, gid of the process at the other end of a unix socket: ``struct ucred`` of Linux.
_CREDENTIALS = "3i"


def elsewhere(url: str) -> bool:
    """Whether whoever serves the engine's socket is certainly in another network namespace than this process.

    False says nothing: the process can't be looked at (that may need root), or it forwards to a virtual machine.
    """
    theirs = _namespace(_server_of(url))
    return bool(theirs) and theirs != _namespace(os.getpid())


def far_host(url: str) -> str:
    """The other machine that an engine's URL names; empty for a socket and for loopback, behind which a tunnel may be."""
    parts = urlsplit(url)
    host = (parts.hostname or "") if parts.scheme in ("tcp", "http", "https", "ssh") else ""
    return "" if host == "localhost" or is_loopback(host) else host


def _server_of(url: str) -> int:
    """The process that listens at a unix socket; 0 where that is not known."""
    parts = urlsplit(url)
    if parts.scheme != "unix" or not hasattr(socket, "SO_PEERCRED"):
        return 0
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(1.0)
        sock.connect(parts.netloc + parts.path)
        told = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(_CREDENTIALS))
        return int(struct.unpack(_CREDENTIALS, told)[0])
    return 0


def _namespace(pid: int) -> str:
    if not pid:
        return ""
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""

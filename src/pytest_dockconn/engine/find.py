"""Opens the first engine that answers, or says of every place why not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import EngineUnavailable
from ..text import redact
from .address import Candidate, candidates, socket_path
from .patience import BUSY
from .port import Engine, Opener
from .unix_http import connected

#: Seconds for each call. An engine that answers at all does so in milliseconds; a start under heavy load takes seconds.
CALL_TIMEOUT = 20.0
#: Seconds for the first question, to an engine that may hang.
FIRST_TIMEOUT = 10.0


def _context() -> tuple[str, str] | None:
    if not names_a_context(os.environ, Path.home()):
        return None
    from .docker_sdk import current_context  # noqa: PLC0415 - docker-py takes 0.1 s to import

    return current_context(os.environ.get("DOCKER_CONTEXT") or None)


def names_a_context(environ: Mapping[str, str], home: Path) -> bool:
    """Whether docker's settings may name a context other than the default one."""
    folders = [Path(environ["DOCKER_CONFIG"])] if environ.get("DOCKER_CONFIG") else []
    for path in (*(folder / "config.json" for folder in folders), home / ".docker/config.json", home / ".dockercfg"):
        if _is_there(path):
            return _contains(path, b"currentContext") or bool(environ.get("DOCKER_CONTEXT"))
    return bool(environ.get("DOCKER_CONTEXT"))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder above may not be searched: as in a container whose user is not the one that HOME is of
        return False


def _contains(path: Path, word: bytes) -> bool:
    try:
        return word in path.read_bytes()
    except OSError:
        return True  # let who knows more say what is wrong with it


def _docker(url: str, timeout: float, busy: int) -> Engine:
    if url.startswith("unix://"):
        from .direct import DirectEngine  # noqa: PLC0415 - nothing of either is loaded where the tests' fake engine is

        engine = DirectEngine(url, timeout, busy)
        if engine.version().kind == "docker":
            return engine
        engine.close()
    from .docker_sdk import connect  # noqa: PLC0415 - docker-py takes 0.1 s to import

    return connect(url, timeout, busy)


#: Why a URL is not even tried.
NOT_TAKEN = "a URL with a password in it is not taken"

#: How each scheme is opened; tests add theirs.
OPENERS: dict[str, Opener] = {}


def find(option: str | None, environ: Mapping[str, str] | None = None, timeout: float | None = None) -> Engine:
    """The engine to work with. Raises ``EngineUnavailable`` with every place that was looked at.

    ``timeout``: seconds for each call, also of an engine that is only busy; else it is waited for while it answers others.
    """
    limit, busy = (CALL_TIMEOUT, BUSY) if timeout is None else (timeout, 1)
    scheme = (option or "").partition("://")[0]
    if option is not None and scheme in OPENERS:
        return OPENERS[scheme](option, limit)
    surroundings = os.environ if environ is None else environ
    places = candidates(option, surroundings, Path.home(), _context)
    tried: list[tuple[Candidate, str]] = []
    for place in places:
        reason = obstacle(place.url)
        if not reason:
            try:
                return _docker(place.url, limit, busy)
            except EngineUnavailable as error:
                reason = error.cause.rpartition(": ")[2]
        tried.append((place, reason))
    raise unavailable(tried, surroundings)


def obstacle(url: str) -> str:
    """Why nothing can answer there, as far as it can be told without a library in between; empty if something may."""
    scheme = urlsplit(url).scheme
    if scheme != "unix":
        return "" if scheme == "npipe" else _bad_place(url)
    try:
        with connected(socket_path(url), FIRST_TIMEOUT) as sock:
            sock.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return "" if sock.recv(16) else "it closed the connection without an answer"
    except FileNotFoundError:
        return "no such file"
    except PermissionError:
        return f"no permission for user {os.getuid()}"
    except TimeoutError:
        return f"it took the connection and did not answer within {FIRST_TIMEOUT:g} s"
    except OSError as error:  # ENOTSOCK never comes of connect: a plain file refuses the connection
        return (error.strerror or str(error)).lower()


def _bad_place(url: str) -> str:
    """Why docker-py would not take the URL. It would die of a port that is none, and show a password in its own words."""
    user = url.partition("://")[2].rpartition("@")[0]
    if any(c in user for c in ":/?#"):
        return NOT_TAKEN
    try:
        return "" if urlsplit(url).port != 0 else "port 0 is outside of 1 to 65535"
    except ValueError:  # its words have a part of the URL in them
        return "its port is no number from 1 to 65535"


def unavailable(tried: list[tuple[Candidate, str]], environ: Mapping[str, str]) -> EngineUnavailable:
    """The one message for "no engine": the first line names a place that was asked for, or says that none was."""
    named = next(((place, reason) for place, reason in tried if place.certain), None)
    refused = next(((place, reason) for place, reason in tried if reason != "no such file"), None)
    if named or refused:
        place, reason = named or refused  # type: ignore[misc] # one of them is there
        cause = f"cannot reach the engine at {redact(place.url)} ({reason}), named by {place.origin}"
    else:
        cause = "cannot find a container engine: none of the usual sockets is there"
    skipped = (
        ""
        if named
        else f"DOCKER_HOST ({redact(environ.get('DOCKER_HOST') or 'not set')}), docker's current context (default); "
    )
    checked = skipped + "; ".join(f"{redact(place.url)}: {reason}" for place, reason in tried)
    return EngineUnavailable(cause, checked=checked, remedy=_remedy([reason for _, reason in tried]))


def _remedy(reasons: list[str]) -> str:
    if NOT_TAKEN in reasons:
        return "leave it out: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH prove who asks on tcp, a key does on ssh"
    if any("permission" in reason for reason in reasons):
        return (
            "join the group that owns the socket (`sudo usermod -aG docker $USER`, then log in again), or run as root"
        )
    if any("65535" in reason for reason in reasons):
        return "correct the port in the URL, as in tcp://host:2376"
    return "start it (`sudo systemctl start docker`, or `podman system service`), or pass --dockconn-engine URL"

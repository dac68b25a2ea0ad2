"""Where is the engine? The option, ``DOCKER_HOST``, docker's current context, the usual sockets; in this order."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from ..errors import SpecError
from ..logic.given import shown
from ..text import is_printable, redact

SCHEMES = ("unix", "tcp", "http", "https", "ssh", "npipe")


class Candidate(Struct, frozen=True):
    """A place where an engine may be.

    Attributes:
        url: its URL.
        origin: who named it, for messages.
        certain: named on purpose, so that nothing else is tried when it does not answer.
    """

    url: str
    origin: str
    certain: bool


def check(url: str, origin: str) -> str:
    """The URL, if it can be one of an engine. Raises ``SpecError``."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        place = parts.path if parts.scheme in ("unix", "npipe") else parts.netloc
        if parts.scheme in SCHEMES and place and is_printable(url) and not {"\n", "\t"} & set(url):
            return url
    raise SpecError(
        f"{shown(redact(url))} is not the URL of an engine",
        checked=f"{origin}; known schemes: {', '.join(SCHEMES)}",
        remedy="write unix:///var/run/docker.sock, tcp://HOST:2375 or ssh://USER@HOST",
    )


def socket_path(url: str) -> str:
    """Where a ``unix://`` URL leads; ``unix://run/x.sock`` is taken for absolute, as docker-py takes it."""
    return "/" + url.partition("://")[2].strip("/")


def usual_sockets(environ: Mapping[str, str], home: Path) -> tuple[str, ...]:
    """The sockets of docker, rootless docker, Docker Desktop, Colima, Rancher Desktop, OrbStack and podman."""
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return tuple(
        f"unix://{path}"
        for path in (
            Path("/var/run/docker.sock"),
            runtime / "docker.sock",
            home / ".docker/run/docker.sock",
            home / ".docker/desktop/docker.sock",
            home / ".colima/default/docker.sock",
            home / ".rd/docker.sock",
            home / ".orbstack/run/docker.sock",
            Path("/run/podman/podman.sock"),
            runtime / "podman/podman.sock",
        )
    )


def candidates(
    option: str | None,
    environ: Mapping[str, str],
    home: Path,
    context: Callable[[], tuple[str, str] | None],
) -> tuple[Candidate, ...]:
    """The places to try, in order. Raises ``SpecError`` for a URL that is none."""
    if option is not None:
        return (Candidate(check(option, "--dockconn-engine"), "--dockconn-engine", certain=True),)
    if environ.get("DOCKER_HOST"):
        return (Candidate(check(environ["DOCKER_HOST"], "DOCKER_HOST"), "DOCKER_HOST", certain=True),)
    named = context()
    if named is not None:
        origin = f"docker context {named[0]!r}"
        return (Candidate(check(named[1], origin), origin, certain=True),)
    return tuple(Candidate(url, "usual socket", certain=False) for url in usual_sockets(environ, home))

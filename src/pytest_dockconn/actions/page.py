"""A page, asked from this process as one would open it in a browser: what answers may be an enemy, so it is bounded."""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from typing import Any, NoReturn

import requests
from requests.adapters import HTTPAdapter

from ..engine.patience import patiently
from ..errors import DockconnError

#: Seconds that a server may be silent, where the caller does not say; and on top of that, to the end of the page.
SILENCE = 5.0
WHOLE = 60.0
#: Bytes of a page at the most, and of what is read of it at once: a packed piece may be a thousand times as long.
MOST = 16 << 20
PIECE = 16 << 10


def get(url: str, **kwargs: Any) -> requests.Response:
    """The page; whoever passes ``stream`` reads it himself, without bounds.

    Args:
        url: of the page.
        kwargs: for ``requests.get``; ``timeout`` is 5 s unless given. Proxies of the environment are not used.

    Raises:
        DockconnError: it is too long.
        requests.exceptions.RequestException: as ``requests.get``; ``ReadTimeout`` also where it does not come to an end.
    """
    kwargs.setdefault("timeout", SILENCE)
    seconds = _patience(kwargs["timeout"])
    if "stream" in kwargs:
        return _asked(url, HTTPAdapter(), kwargs)
    bounded = _Bounded()
    if seconds is None:
        return _asked(url, bounded, kwargs)

    def give_up() -> NoReturn:
        bounded.opened.end()
        raise requests.exceptions.ReadTimeout(f"{url} did not come to an end within {seconds:g} s")

    return patiently(lambda: _asked(url, bounded, kwargs), give_up, seconds)


def _patience(timeout: object) -> float | None:
    """Seconds to the end of a page, for somebody who waits so long for each piece of it; None for ever."""
    silence = timeout[-1] if isinstance(timeout, tuple) else timeout
    return None if silence is None else WHOLE + (silence if isinstance(silence, (int, float)) else SILENCE)


def _asked(url: str, adapter: HTTPAdapter, kwargs: dict[str, Any]) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        try:
            return session.get(url, **kwargs)
        except ValueError as error:
            if isinstance(error, requests.exceptions.RequestException):
                raise
            # of where an answer redirects to, which may be anything
            raise requests.exceptions.InvalidURL(f"{url} leads to what is no URL: {error}") from error


class _Opened:
    """The connections of one question. Not kept alive by this: what is not needed any more is closed as ever."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()

    def add(self, sock: socket.socket) -> None:
        """One more."""
        with self._lock:
            self._sockets.add(sock)
        if self.over.is_set():
            self.end()

    def end(self) -> None:
        """End what is under way, and what is begun from now on: who reads a head that has no end looks at nothing else."""
        self.over.set()
        with self._lock:
            found = list(self._sockets)
        for sock in found:
            with contextlib.suppress(OSError):
                # TLS's own would have the thread that reads go on in the clear
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def seen_by(self, pool: Any) -> Any:
        """A class of pools whose connections are known here."""

        def connect(connection: Any) -> None:
            pool.ConnectionCls.connect(connection)
            self.add(connection.sock)

        made = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"connect": connect})
        return type(pool.__name__, (pool,), {"ConnectionCls": made})


class _Bounded(HTTPAdapter):
    """Reads every answer itself, also those that redirect, of which requests would read all."""

    def __init__(self) -> None:
        self.opened = _Opened()
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As ever, but every connection that is made is known here."""
        super().init_poolmanager(*args, **kwargs)
        pools = self.poolmanager.pool_classes_by_scheme
        self.poolmanager.pool_classes_by_scheme = {name: self.opened.seen_by(pool) for name, pool in pools.items()}

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Ask, and read the answer."""
        response = super().send(*args, **kwargs)
        try:
            response._content = self._read(response)  # noqa: SLF001 - there is no other way to give it to it
        except BaseException:
            response.close()
            raise
        return response

    def _read(self, response: requests.Response) -> bytes:
        pieces, size = [], 0
        for piece in response.iter_content(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST or self.opened.over.is_set():
                raise DockconnError(
                    f"the page at {response.url} is longer than {MOST >> 20} MiB",
                    checked="what came of it so far",
                    remedy="pass stream=True, and read as much of it as the test needs",
                )
        return b"".join(pieces)

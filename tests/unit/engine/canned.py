"""A few lines of HTTP on a unix socket, in place of an engine: answers that are set beforehand."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSIONS = {
    "docker": {"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"},
    "podman": {
        "Version": "4.3.1", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64",
        "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}],
    },
}  # fmt: skip


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An engine of canned answers: path (without the version) to status and JSON.

    Attributes:
        answers: what is said.
        heard: method, path and body of every question.
        hangs: while set, nobody is answered.
        dead: while set, connections are closed without an answer.
        silent: paths that are never answered.
        busy: paths that are answered after so many seconds.
        broken: paths whose answer ends in its midst.
        connections: how many there were.
        close_after: if there is one, the next answer is its connection's last, and then it is set.
    """

    daemon_threads = True
    request_queue_size = 64  # Linux refuses at once (EAGAIN) where the queue of a unix socket is full

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(str(path), Handler)
        self.answers: dict[str, tuple[int, Any]] = {"/version": (200, VERSIONS[kind]), "/_ping": (200, "OK")}
        self.heard: list[tuple[str, str, Any]] = []
        self.silent: set[str] = set()
        self.busy: dict[str, float] = {}
        self.broken: set[str] = set()
        self.hangs = threading.Event()
        self.dead = threading.Event()
        self.over = threading.Event()
        self.connections = 0
        self.close_after: threading.Event | None = None

    def asked(self, path: str) -> list[str]:
        """The methods of the questions at a path."""
        return [method for method, there, _ in self.heard if there == path]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.connection.close()
        if self.close_connection and self.server.close_after is not None:
            self.server.close_after.set()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = "/" + self.path.split("/", 2)[2].partition("?")[0] if self.path.startswith("/v1.") else self.path
        self.server.heard.append((self.command, path, json.loads(body or b"null")))
        if self.server.dead.is_set():
            self.close_connection = True
            return
        if self.server.hangs.is_set() or path in self.server.silent:
            self.server.over.wait(30)
            self.close_connection = True
            return
        if path in self.server.busy:
            self.server.over.wait(self.server.busy[path])
        if path in self.server.broken:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{}\r\n\r\n")
            self.close_connection = True
            return
        last = self.server.close_after is not None  # before the answer: whoever has it may set this for the next one
        status, answer = self.server.answers.get(path, (404, {"message": f"no such thing: {path}"}))
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.close_connection = last
        self.wfile.write(data)

    do_POST = do_DELETE = do_GET  # noqa: N815


@contextmanager
def serving(path: Path, kind: str) -> Iterator[Server]:
    """One that answers at a path."""
    with Server(path, kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join(5)

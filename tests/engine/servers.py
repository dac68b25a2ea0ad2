"""What servers of others do: options of ``lab.server``."""

from __future__ import annotations

from typing import Any


def on(port: int, then: str, *, opening: str = "", backlog: int = 16) -> dict[str, Any]:
    """A server that can't say who it is: for each connection ``c`` it does ``then``. Options of ``lab.server``."""
    code = (
        f"import os, signal, socket\nsignal.signal(15, lambda *_: os._exit(0))\n{opening}\ns = socket.create_server(('', {port}), backlog={backlog})\n"
        f"while 1:\n c = s.accept()[0]\n {then}"
    )
    return {"expose": (port,), "command": ["python3", "-c", code]}


def web(port: int, *headers: str) -> dict[str, Any]:
    """It answers 200 to whatever comes, as a proxy that likes everything does too."""
    answer = "\r\n".join(("HTTP/1.0 200 OK", *headers, "Content-Length: 2", "", "ok"))
    return on(port, f"c.recv(9999); c.sendall({answer!r}.encode()); c.close()")


def datagrams(port: int, then: str) -> dict[str, Any]:
    """A UDP server of others: for each datagram ``d`` of a peer ``p`` it does ``then``."""
    code = f"import os, signal, socket\nsignal.signal(15, lambda *_: os._exit(0))\ns = socket.socket(2, 2); s.bind(('', {port}))\nwhile 1:\n d, p = s.recvfrom(9999)\n {then}"
    return {"expose": (f"{port}/udp",), "command": ["python3", "-c", code]}


def both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What each of two does, in one container."""
    shell = ["sh", "-c", 'python3 -c "$0" & exec python3 -c "$1"', one["command"][-1], other["command"][-1]]
    return {"expose": (*one["expose"], *other["expose"]), "command": shell}


#: Listens, and never takes a connection out of its queue.
DEAF: dict[str, Any] = {
    "command": ["python3", "-c", "import socket, signal; s = socket.create_server(('', 80), backlog=0); signal.pause()"]
}
ECHO = datagrams(53, "s.sendto(d, p)")
SINK = datagrams(53, "pass")
#: For three tenths of each second.
SELDOM = datagrams(53, "os.times().elapsed % 1 < 0.3 and s.sendto(d, p)")
SILENT = on(80, "kept.append(c)", opening="kept = []")
CLOSES = on(80, "c.close()")
MAIL = on(80, "c.sendall(b'220 mail ready\\r\\n'); c.recv(999); c.close()")
#: Longer than anybody here waits: at a limit of its own it would answer some of the time.
SLOW = on(
    80, "c.recv(999); time.sleep(3); c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nhere'); c.close()", opening="import time"
)
#: TLS without a certificate: enough for a client that does not speak it.
TLS = on(
    443,
    "try: t.wrap_socket(c, server_side=True)\n except OSError: c.close()",
    opening="import ssl; t = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",
)
LOOPBACK: dict[str, Any] = {
    "expose": (8000,),
    "command": ["python3", "-m", "http.server", "8000", "--bind", "127.0.0.1"],
}
#: Up for a fifth of a second, then away for half of one.
FLICKERS_CODE = """
import socket, time
while 1:
    s = socket.create_server(("", 80)); s.settimeout(0.05); end = time.time() + 0.2
    while time.time() < end:
        try: c = s.accept()[0]; c.recv(999); c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nhere"); c.close()
        except OSError: pass
    s.close(); time.sleep(0.5)
"""
FLICKERS: dict[str, Any] = {"command": ["python3", "-c", FLICKERS_CODE]}

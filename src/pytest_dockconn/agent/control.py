"""The control of the source: can a probe from here succeed at all?"""

from __future__ import annotations

import socket
import threading

from . import verdict
from .echo import answer
from .probe import probe


def selftest(nonce: str) -> dict[str, object]:
    """Probe a TCP and a UDP listener of our own on loopback, with the code that asks others.

    Returns:
        ``ok``, and ``detail`` where it is not.
    """
    for scheme in ("tcp", "udp"):
        try:
            detail = _round(scheme, nonce)
        except OSError as error:
            detail = str(verdict.from_error(error, "opening a listener of our own").detail)
        if detail:
            return {"ok": False, "detail": "{}: {}".format(scheme, detail)}
    return {"ok": True, "detail": ""}


def _round(scheme: str, nonce: str) -> str:
    kind = socket.SOCK_STREAM if scheme == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(1.0)
        sock.bind(("127.0.0.1", 0))
        if scheme == "tcp":
            sock.listen(1)
        helper = threading.Thread(target=_greet if scheme == "tcp" else _echo, args=(sock, nonce), daemon=True)
        helper.start()
        port = sock.getsockname()[1]
        result = probe(
            {"scheme": scheme, "host": "127.0.0.1", "port": port, "timeout": 1.0, "nonce": nonce, "linger": 1.0}
        )
        helper.join(1.0)
    if result["verdict"] == verdict.REACHABLE and nonce in str(result.get("text", "")):
        return ""
    return "{}: {}".format(result["verdict"], result["detail"])


def _greet(sock: socket.socket, nonce: str) -> None:
    connection, _ = sock.accept()
    with connection:
        connection.sendall(nonce.encode("ascii"))


def _echo(sock: socket.socket, nonce: str) -> None:
    data, peer = sock.recvfrom(4096)
    sock.sendto(answer(data, nonce), peer)

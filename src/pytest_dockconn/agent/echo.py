"""The UDP half of a server: everything comes back as it went out; a probe's nonce with who answered, and its proof."""

from __future__ import annotations

import selectors
import socket

from .identity import proof
from .probe import WHO


def listen(ports: list[int]) -> selectors.BaseSelector:
    """Open a socket for every port, IPv4 and IPv6 in one where there is IPv6."""
    selector = selectors.DefaultSelector()
    for port in ports:
        selector.register(_bound(port), selectors.EVENT_READ)
    return selector


def _bound(port: int) -> socket.socket:
    try:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", port))
    except OSError:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("0.0.0.0", port))
    return sock


def serve(selector: selectors.BaseSelector, identity: str, token: str = "") -> None:
    """Answer for ever."""
    while True:
        for key, _ in selector.select():
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            try:
                data, peer = sock.recvfrom(65536)
                sock.sendto(answer(data, identity, token), peer)
            except OSError:
                continue  # an ICMP error of an earlier datagram, or a peer that is gone


def answer(data: bytes, identity: str, token: str = "") -> bytes:
    """What goes back for ``data``."""
    if not data.startswith(WHO):
        return data
    shown = " " + proof(token, data[len(WHO) :].decode("ascii", "replace")) if token else ""
    return data + b" " + (identity + shown).encode("ascii")

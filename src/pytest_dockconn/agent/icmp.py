"""An echo request, without privileges: a datagram socket of ICMP, which Linux gives to the groups of ping_group_range."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from . import verdict
from .http import Deadline

#: Types of the echo request and of its reply.
TYPES: dict[int, tuple[int, int]] = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}


def ping(found: tuple[int, str], nonce: bytes, deadline: Deadline, result: dict[str, object]) -> None:
    """Send one echo request, and wait for the reply that bears its nonce."""
    family, address = found
    result.update(address=address, doing="waiting for an echo reply from {}".format(address))
    with _socket(family) as sock:
        sock.settimeout(deadline.left())
        sock.connect((address, 0))
        result["source"] = [sock.getsockname()[0], 0]
        with contextlib.suppress(PermissionError):  # as in probe: of a packet filter
            sock.send(_request(family, nonce))
        while True:
            sock.settimeout(deadline.left())
            if _is_reply(family, sock.recv(2048), nonce):
                break
    result.update(verdict=verdict.REACHABLE, detail="an echo reply came back")


def _socket(family: int) -> socket.socket:
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    try:
        return socket.socket(family, socket.SOCK_DGRAM, protocol)
    except PermissionError:
        if os.geteuid():
            raise verdict.ProbeFailed(
                verdict.INCONCLUSIVE,
                "no permission to ping: group {} is not in net.ipv4.ping_group_range".format(os.getgid()),
            ) from None
    try:
        return socket.socket(family, socket.SOCK_RAW, protocol)  # the host's root, outside of that range
    except OSError as error:
        raise verdict.from_error(error, "opening a socket for ICMP") from error


def _request(family: int, nonce: bytes) -> bytes:
    kind = TYPES[family][0]
    head = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, 1)
    # the kernel fills in identifier and checksum of a datagram socket; a raw one of IPv4 wants its checksum
    return struct.pack("!BBHHH", kind, 0, _checksum(head + nonce), os.getpid() & 0xFFFF, 1) + nonce


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack("!{}H".format(len(padded) // 2), padded))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _is_reply(family: int, packet: bytes, nonce: bytes) -> bool:
    kind = TYPES[family][1]
    # a raw socket of IPv4 shows the IP header too
    return any(len(packet) > at and packet[at] == kind and packet[at + 8 :] == nonce for at in (0, 20))

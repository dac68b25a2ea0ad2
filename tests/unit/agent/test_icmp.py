"""An echo request, on loopback; as root, and as those whom the kernel lets."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dockconn.agent import icmp, probe, verdict
from pytest_dockconn.agent.http import Deadline

FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
NONCE = b"0123456789abcdef"


def may_ping() -> bool:
    """As root by a raw socket; else where the group is in the range."""
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ping_group_range").read_text(encoding="ascii").split())
    except OSError:
        return False
    return os.geteuid() == 0 or low <= os.getgid() <= high


needs_leave = pytest.mark.skipif(not may_ping(), reason="this user may not ping")
needs_six = pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")


def ping(host: str, timeout: float = 2.0) -> dict[str, Any]:
    return probe.probe({"scheme": "icmp", "host": host, "port": 0, "timeout": timeout, "nonce": NONCE.decode()})


@needs_leave
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", pytest.param("::1", marks=needs_six)])
def test_loopback_echoes(host: str) -> None:
    seen = ping(host)
    assert (seen["verdict"], seen["detail"]) == (verdict.REACHABLE, "an echo reply came back")
    assert seen["address"] in ("127.0.0.1", "::1")
    assert seen["source"] == [seen["address"], 0]


@needs_leave
@pytest.mark.parametrize(("family", "address"), [FAMILIES[0], pytest.param(*FAMILIES[1], marks=needs_six)])
def test_by_a_raw_socket(monkeypatch: pytest.MonkeyPatch, family: int, address: str) -> None:
    """The host's root, outside of the range; it sees everybody's packets, its own request too."""
    if os.geteuid():
        pytest.skip("raw sockets are root's")
    made = socket.socket

    def refusing(family: int, kind: int, protocol: int) -> socket.socket:
        if kind == socket.SOCK_DGRAM:
            raise PermissionError(13, "no")
        return made(family, kind, protocol)

    monkeypatch.setattr(socket, "socket", refusing)
    result: dict[str, object] = {}
    icmp.ping((family, address), NONCE, Deadline(2.0), result)
    assert result["verdict"] == verdict.REACHABLE


@pytest.mark.parametrize(
    ("user", "error", "expected", "words"),
    [
        (1000, PermissionError(13, "no"), verdict.INCONCLUSIVE, "is not in net.ipv4.ping_group_range"),
        (0, PermissionError(1, "no"), verdict.INCONCLUSIVE, "EPERM"),
        (1000, OSError(97, "no family"), verdict.NO_ROUTE, "EAFNOSUPPORT"),
        (1000, OSError(24, "too many"), verdict.INCONCLUSIVE, "EMFILE"),
    ],
)
def test_no_socket(monkeypatch: pytest.MonkeyPatch, user: int, error: OSError, expected: str, words: str) -> None:
    def refusing(*_: object) -> socket.socket:
        raise error

    monkeypatch.setattr(socket, "socket", refusing)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    seen = ping("127.0.0.1")
    assert seen["verdict"] == expected
    assert words in seen["detail"]


@needs_leave
def test_nobody_echoes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(icmp, "_is_reply", lambda *_: False)
    seen = ping("127.0.0.1", timeout=0.05)
    assert (seen["verdict"], seen["detail"]) == (
        verdict.TIMED_OUT, "no answer while waiting for an echo reply from 127.0.0.1",
    )  # fmt: skip


@given(st.binary(max_size=70))
def test_the_checksum(nonce: bytes) -> None:
    """RFC 1071: the sum over all of it, checksum included, is all ones."""
    packet = icmp._request(socket.AF_INET, nonce)
    padded = packet + b"\0" * (len(packet) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


@pytest.mark.parametrize(
    ("family", "packet", "is_one"),
    [
        pytest.param(socket.AF_INET, b"\0" + bytes(7) + NONCE, True, id="a reply"),
        pytest.param(socket.AF_INET, b"\x45" + bytes(19) + b"\0" + bytes(7) + NONCE, True, id="with its IP header"),
        pytest.param(socket.AF_INET, b"\x08" + bytes(7) + NONCE, False, id="the request"),
        pytest.param(socket.AF_INET, b"\0" + bytes(7) + NONCE[::-1], False, id="of another"),
        pytest.param(socket.AF_INET, b"\x03" + bytes(7) + NONCE, False, id="an error"),
        pytest.param(socket.AF_INET6, b"\x81" + bytes(7) + NONCE, True, id="a reply of IPv6"),
        pytest.param(socket.AF_INET6, b"\x80" + bytes(7) + NONCE, False, id="the request of IPv6"),
        pytest.param(socket.AF_INET, b"", False, id="nothing"),
    ],
)
def test_what_is_a_reply(family: int, packet: bytes, is_one: bool) -> None:
    assert icmp._is_reply(family, packet, NONCE) is is_one

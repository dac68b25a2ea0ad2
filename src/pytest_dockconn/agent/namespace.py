"""What can be read of the network namespace that this runs in: sockets, addresses, routes, names. Linux only."""

from __future__ import annotations

import itertools
import os
import re
import socket
import struct
from collections.abc import Callable, Iterator, Mapping

#: As in include/net/tcp_states.h of Linux.
STATES = {1: "established", 2: "syn-sent", 3: "syn-recv", 4: "fin-wait1", 5: "fin-wait2", 6: "time-wait", 7: "close",
          8: "close-wait", 9: "last-ack", 10: "listen", 11: "closing"}  # fmt: skip

PROTOCOLS = ("tcp", "udp")

#: Sockets that are told at the most; as JSON each takes 200 bytes.
ROWS = 5000

#: Routes that are told at the most.
LINES = 1000

_ID = re.compile(r"containers/([0-9a-f]{64})/")


def read(path: str, limit: int = 65536) -> str:
    """The beginning of a file as text; empty where it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def lines(path: str) -> Iterator[str]:
    """The lines of a file of /proc, read as they are needed: whoever has 100,000 sockets has as many lines."""
    try:
        with open(path, "rb") as file:
            for line in file:
                yield line.decode("utf-8", "replace").rstrip("\n")
    except OSError:
        return


def own_container() -> str:
    """The full id of the container that this runs in, from where docker or podman mounted ``/etc/hostname`` from."""
    for line in lines("/proc/self/mountinfo"):
        fields = line.split(" ")
        found = _ID.search(fields[3]) if len(fields) > 4 and fields[4] == "/etc/hostname" else None
        if found:
            return found.group(1)
    return ""


def _address(text: str) -> tuple[str, int]:
    """``0100007F:0050`` of /proc/net/tcp as ``("127.0.0.1", 80)``: 32-bit words in the host's byte order."""
    raw, _, port = text.partition(":")
    words = [int(raw[at : at + 8], 16) for at in range(0, len(raw), 8)]
    packed = b"".join(struct.pack("=I", word) for word in words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)


def _row(protocol: str, fields: list[str]) -> dict[str, object]:
    local, port = _address(fields[1])
    peer, peer_port = _address(fields[2])
    return {
        "protocol": protocol, "local": local, "port": port, "peer": peer, "peer_port": peer_port,
        "state": _state(fields), "inode": int(fields[9]), "queue": int(fields[4].partition(":")[2], 16),
    }  # fmt: skip


def _state(fields: list[str]) -> str:
    return STATES.get(int(fields[3], 16), fields[3])


def _rows(only: Mapping[str, object], wanted: Callable[[str, list[str]], bool]) -> list[dict[str, object]]:
    """The wanted sockets, ``ROWS`` and one more at the most; whether one is wanted is seen before it is translated."""
    ports = {":{:04X}".format(int(port)) for port in only.get("ports") or ()}  # type: ignore[attr-defined]
    peer = ":{:04X}".format(int(str(only["peer_port"]))) if only.get("peer_port") else ""
    found = (
        _row(protocol, fields)
        for protocol in PROTOCOLS
        if only.get("protocol") in (None, protocol)
        for version in ("", "6")
        for line in itertools.islice(lines("/proc/net/{}{}".format(protocol, version)), 1, None)
        for fields in (line.split(),)
        if len(fields) >= 10
        if (not ports or fields[1][-5:] in ports) and fields[2].endswith(peer) and wanted(protocol, fields)
    )
    return list(itertools.islice(found, ROWS + 1))


def sockets(only: Mapping[str, object]) -> list[dict[str, object]]:
    """The TCP and UDP sockets of the namespace, also other processes'. One more than ``ROWS`` means that there are more.

    ``only`` narrows them: ``protocol``, ``ports`` (several, of their own), ``peer_port``.
    """
    return _rows(only, lambda *_: True)


def listeners(only: Mapping[str, object]) -> list[dict[str, object]]:
    """The sockets that wait for others, narrowed likewise: TCP that listens, UDP without a peer."""
    return _rows(only, lambda protocol, fields: _state(fields) == ("close" if protocol == "udp" else "listen"))


def interfaces() -> list[dict[str, object]]:
    """Interfaces: name, MAC, whether up, MTU, counters."""
    found = [interface(name) for name in sorted(_counters())]
    return [one for one in found if one]


def interface(name: str) -> dict[str, object]:
    """One interface as ``ifconfig`` shows it; empty where there is none of that name.

    By ioctls and /proc, which follow the network namespace; /sys shows the one that it was mounted in, so under
    ``nsenter --net`` it is another's docker0 that would be read there.
    """
    flags = _ask(name, 0x8913)  # SIOCGIFFLAGS
    if not flags:
        return {}
    address, mtu = _ask(name, 0x8927), _ask(name, 0x8921)  # SIOCGIFHWADDR, SIOCGIFMTU
    return {
        "name": name, "mac": ":".join("{:02x}".format(byte) for byte in address[2:8]),
        "mtu": struct.unpack_from("=i", mtu)[0] if mtu else 0, "up": bool(flags[0] & 1),
        "ipv4": _ipv4(name), "ipv6": _ipv6(name), "counters": _counters().get(name, {}),
    }  # fmt: skip


def _counters() -> dict[str, dict[str, int]]:
    """Of every interface, from /proc/net/dev: eight columns for what came in, then eight for what went out."""
    found = {}
    for line in itertools.islice(lines("/proc/net/dev"), 2, None):
        name, _, numbers = line.rpartition(":")
        columns = [int(number) for number in numbers.split()]
        found[name.strip()] = {
            direction + "_" + what: columns[first + at]
            for direction, first in (("rx", 0), ("tx", 8))
            for at, what in enumerate(("bytes", "packets", "errors", "dropped"))
        }
    return found


def _ask(name: str, question: int) -> bytes:
    """The kernel's answer about an interface, by one of the ioctls that ``ifconfig`` uses; empty where there is none."""
    try:
        import fcntl
    except ImportError:  # not Linux: the host side of a Desktop engine
        return b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            return fcntl.ioctl(sock.fileno(), question, struct.pack("256s", name.encode()[:15]))[16:40]
        except OSError:
            return b""


def _ipv4(name: str) -> str:
    """The IPv4 address with its mask as a prefix length."""
    address, mask = _ask(name, 0x8915)[4:8], _ask(name, 0x891B)[4:8]  # SIOCGIFADDR, SIOCGIFNETMASK
    if not address or not mask:
        return ""
    return "{}/{}".format(socket.inet_ntoa(address), bin(int.from_bytes(mask, "big")).count("1"))


def _ipv6(name: str) -> list[str]:
    found = []
    for line in lines("/proc/net/if_inet6"):
        fields = line.split()
        if len(fields) == 6 and fields[5] == name:
            found.append(
                "{}/{}".format(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[0])), int(fields[2], 16))
            )
    return sorted(found)


def routes() -> list[str]:
    """The IPv4 and IPv6 routes, a line each, as a person would write them."""
    found = []
    for line in itertools.islice(lines("/proc/net/route"), 1, LINES):
        name, target, gateway, flags, _, _, _, mask = line.split()[:8]
        if int(flags, 16) & 1:
            found.append(_route(_v4(target), bin(int(mask, 16)).count("1"), _v4(gateway), name))
    for line in itertools.islice(lines("/proc/net/ipv6_route"), LINES):
        target, prefix, _, _, gateway, _, _, _, flags, name = line.split()[:10]
        if int(flags, 16) & 1 and name != "lo":
            found.append(_route(_v6(target), int(prefix, 16), _v6(gateway), name))
    return found


def _v4(text: str) -> str:
    return socket.inet_ntoa(struct.pack("=I", int(text, 16)))


def _v6(text: str) -> str:
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(text))


def _route(target: str, prefix: int, gateway: str, name: str) -> str:
    where = "default" if prefix == 0 else "{}/{}".format(target, prefix)
    via = "" if gateway in ("0.0.0.0", "::") else " via {}".format(gateway)
    return "{}{} dev {}".format(where, via, name)


def environ() -> dict[str, str]:
    """The variables that this process was started with."""
    return dict(os.environ)

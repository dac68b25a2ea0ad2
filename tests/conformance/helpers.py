"""Set-ups and probes that several tables share."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import pytest

from pytest_dockconn import Client, Host, Lab, ProbeResult, Server, Verdict
from tests.engine.helpers import free_port

#: Seconds for a probe that nobody will answer; long enough for the controls of a proof, which somebody does answer.
SHORT = 0.5

#: A name server of its own makes "no such name" quick. On the default network the resolver finds nobody there, and says so.
OWN_NAME_SERVER = ("127.0.0.1",)

#: Answers every question with NXDOMAIN. It is bound before the first process ends, so nobody has to wait for it.
NXDOMAIN = """
import os, socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
if os.fork():
    os._exit(0)
for stream in (0, 1, 2):
    os.close(stream)
while True:
    asked, who = server.recvfrom(512)
    end = asked.index(0, 12) + 5
    server.sendto(asked[:2] + bytes((0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0)) + asked[12:end], who)
"""


def asker(lab: Lab, **options: object) -> Client:
    """A client on user networks that hears at once that a name does not exist.

    An engine forwards names that it does not know, and up to 26 says nothing where the name server can't be reached: 10 s.
    """
    client = lab.client(dns=OWN_NAME_SERVER, **options)  # type: ignore[arg-type]
    client.run("python3", "-c", NXDOMAIN)
    return client


def verdict(result: ProbeResult) -> Verdict:
    """Of a probe."""
    return result.verdict


def by_name(client: Client, server: Server, name: str) -> Verdict:
    """What comes of asking a server by a name."""
    return client.probe(server.port(80).named(name), timeout=2.0).verdict


def returned(seen: object) -> object:
    """Probe of rows whose set-up saw it all."""
    return seen


def tcp(source: Client | Host, address: str, number: int) -> Verdict:
    """A connection alone."""
    host = f"[{address}]" if ":" in address else address
    return source.probe(f"tcp://{host}:{number}").verdict


def words(text: str, table: dict[str, str]) -> str:
    """With words in place of what differs from run to run."""
    for value, word in table.items():
        text = text.replace(value, word)
    return text


Call = Callable[[], object]


def free_range(length: int) -> int:
    """The first of so many ports in a row that are free now, for both protocols, on every address."""
    for _ in range(100):
        first = free_port()
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for number in range(first, first + length):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("0.0.0.0", number))
            return first
    raise AssertionError(f"no {length} free ports in a row")


def need_ipv6() -> None:
    """Skip, with the reason, on a machine without IPv6 loopback."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")

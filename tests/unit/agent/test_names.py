"""``dns://``: the addresses of a name, by the resolver of wherever the agent runs."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from pytest_dockconn.agent import probe, verdict

Answer = list[tuple[int, int, int, str, tuple[Any, ...]]]


def ask(name: str, timeout: float = 2.0) -> dict[str, Any]:
    return probe.probe({"scheme": "dns", "host": name, "port": 0, "timeout": timeout})


def entry(address: str) -> tuple[int, int, int, str, tuple[Any, ...]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (address, 0))


@pytest.mark.parametrize(
    ("found", "addresses"),
    [
        pytest.param(["10.0.0.2"], ["10.0.0.2"], id="one"),
        pytest.param(["fd00::2", "10.0.0.2"], ["10.0.0.2", "fd00::2"], id="IPv4 first"),
        pytest.param(["fd00::2"], ["fd00::2"], id="IPv6 alone"),
        pytest.param(["10.0.0.3", "10.0.0.2", "10.0.0.3"], ["10.0.0.3", "10.0.0.2"], id="each once, in their order"),
    ],
)
def test_addresses(monkeypatch: pytest.MonkeyPatch, found: list[str], addresses: list[str]) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [entry(address) for address in found])
    seen = ask("web")
    assert (seen["verdict"], seen["addresses"], seen["address"]) == (verdict.REACHABLE, addresses, addresses[0])
    assert seen["detail"] == f"web is {', '.join(addresses)}"
    assert seen["text"] == "\n".join(addresses)


@pytest.mark.parametrize("address", ["192.0.2.7", "fd00::7"])
def test_an_address_asks_nobody(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.delattr(socket, "getaddrinfo")
    assert ask(address)["addresses"] == [address]


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), verdict.NAME_NOT_FOUND, "'web' is not known"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), verdict.NAME_NOT_FOUND, "EAI_AGAIN"),
        (socket.gaierror(socket.EAI_FAIL, "no luck"), verdict.INCONCLUSIVE, "no luck for 'web'"),
        (UnicodeError("label too long"), verdict.NAME_NOT_FOUND, "is not known"),
    ],
)
def test_no_address(monkeypatch: pytest.MonkeyPatch, error: Exception, expected: str, words: str) -> None:
    def failing(*_: object, **__: object) -> Answer:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", failing)
    seen = ask("web")
    assert seen["verdict"] == expected
    assert seen["detail"].startswith("name resolution: ")
    assert words in seen["detail"]


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hanging(*_: object, **__: object) -> Answer:
        over.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    seen = ask("web", timeout=0.05)
    over.set()
    assert seen["verdict"] == verdict.TIMED_OUT
    assert seen["detail"] == "name resolution: no answer for 'web' within 0.05 s"

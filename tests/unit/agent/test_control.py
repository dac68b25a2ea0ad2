"""The control of the source."""

from __future__ import annotations

import errno
import socket
from typing import Any, NoReturn

import pytest

from pytest_dockconn.agent import control, verdict
from pytest_dockconn.agent.probe import probe


def test_it_works_here() -> None:
    assert control.selftest("n0nce") == {"ok": True, "detail": ""}


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_a_probe_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    real = probe

    def broken(target: dict[str, Any]) -> dict[str, object]:
        seen = real(target)
        return {**seen, "verdict": verdict.TIMED_OUT, "detail": "dropped"} if target["scheme"] == scheme else seen

    monkeypatch.setattr(control, "probe", broken)
    assert control.selftest("n0nce") == {"ok": False, "detail": f"{scheme}: timed-out: dropped"}


def test_an_answer_of_somebody_else_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    real = probe
    monkeypatch.setattr(control, "probe", lambda target: {**real(target), "text": "It works"})
    assert control.selftest("n0nce")["ok"] is False


def test_no_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*_: object) -> NoReturn:
        raise OSError(errno.EADDRNOTAVAIL, "no lo")

    monkeypatch.setattr(socket, "socket", no_socket)
    said = control.selftest("n0nce")
    assert said["ok"] is False
    assert "opening a listener of our own" in str(said["detail"])

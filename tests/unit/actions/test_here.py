"""Whether an engine is on this very machine: what it left there before a restart is dead then."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.engine import FakeEngine

from pytest_dockconn.actions import here as rooms


@pytest.mark.parametrize(
    ("url", "name", "bridge", "local"),
    [
        pytest.param("unix:///run/docker.sock", "elsewhere", "docker0", True, id="its bridge is here"),
        pytest.param(
            "unix:///run/user/1000/docker.sock", socket.gethostname(), "eth0", True, id="rootless, by its name"
        ),
        pytest.param("unix:///home/me/.colima/docker.sock", "colima", "eth0", False, id="in a virtual machine"),
        pytest.param("tcp://127.0.0.1:2375", socket.gethostname(), "docker0", False, id="a tunnel may lead anywhere"),
    ],
)
def test_is_it_here(monkeypatch: pytest.MonkeyPatch, url: str, name: str, bridge: str, local: bool) -> None:
    engine: Any = FakeEngine()
    info = replace(engine.info(), name=name)
    monkeypatch.setattr(engine, "_url", url)
    monkeypatch.setattr(engine, "info", lambda: info)
    monkeypatch.setattr(rooms, "interfaces", lambda: [{"name": "lo"}, {"name": bridge}])
    try:
        assert rooms.here(engine).local is local
    finally:
        engine.shut_down()

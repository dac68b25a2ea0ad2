"""Where the engine is on another machine, or may be: this one's loopback proves nothing of what is bound there."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit import labs

from pytest_dockconn import Lab, ReachabilityError, Verdict, assert_matrix, assert_unreachable
from pytest_dockconn.actions import place
from pytest_dockconn.actions import services as rooms
from pytest_dockconn.actions.services import Services
from pytest_dockconn.assertions import unreachable
from pytest_dockconn.handles import pairs
from pytest_dockconn.handles.container import Port
from pytest_dockconn.model.probe import ProbeResult, Target

Where = Callable[[Services, pytest.MonkeyPatch], None]


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


def away(services: Services, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(vars(services), "same_host", False)


def far(services: Services, patch: pytest.MonkeyPatch) -> None:
    away(services, patch)
    patch.setattr(type(services.engine), "url", property(lambda _: "tcp://docker:2376"))


def tunnel(services: Services, patch: pytest.MonkeyPatch) -> None:
    away(services, patch)
    patch.setattr(type(services.engine), "url", property(lambda _: "tcp://127.0.0.1:2375"))


def other_namespace(services: Services, patch: pytest.MonkeyPatch) -> None:
    away(services, patch)
    patch.setattr(rooms, "elsewhere", lambda _: True)


def rootless(services: Services, patch: pytest.MonkeyPatch) -> None:
    other_namespace(services, patch)
    patch.setattr(services, "_info", replace(services.info, rootless=True, name=socket.gethostname()))


def rootless_elsewhere(services: Services, patch: pytest.MonkeyPatch) -> None:
    other_namespace(services, patch)
    patch.setattr(services, "_info", replace(services.info, rootless=True, name="box"))


def in_a_container(services: Services, patch: pytest.MonkeyPatch) -> None:
    away(services, patch)
    patch.setitem(vars(services), "in_container", True)


def near(services: Services, patch: pytest.MonkeyPatch) -> None:
    """As it is."""


PLACES = [
    pytest.param(near, True, True, id="this machine"),
    pytest.param(rootless, True, True, id="rootless on this machine"),
    pytest.param(in_a_container, True, True, id="from a container of the engine"),
    pytest.param(away, False, True, id="a virtual machine, which may pass it on"),
    pytest.param(tunnel, False, True, id="a tunnel, or a virtual machine"),
    pytest.param(rootless_elsewhere, False, False, id="rootless elsewhere"),
    pytest.param(other_namespace, False, False, id="another network namespace"),
    pytest.param(far, False, False, id="another machine"),
]


@pytest.mark.parametrize(("where", "proves", "may"), PLACES)
def test_silence_of_loopback(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, where: Where, *, proves: bool, may: bool
) -> None:
    server = lab.server(bind={80: None})
    where(lab._services, monkeypatch)

    def refused(_services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
        return [ProbeResult(verdict=Verdict.REFUSED, target=target, address="127.0.0.1") for target in targets]

    monkeypatch.setattr(unreachable, "watch", refused)
    monkeypatch.setattr(pairs, "ask", refused)
    port, named = server.bound_port(80), server.bound_port(80).named("localhost")
    assert proof(lab, port) == proof(lab, named) == proves
    assert by_matrix(lab, port) == proves
    assert lab.engine.can("bound-ports") is may


def proof(lab: Lab, port: Port) -> bool:
    return not failure(lambda: assert_unreachable(lab.host, port))


def by_matrix(lab: Lab, port: Port) -> bool:
    matrix = lab.matrix([lab.host], [port])
    (destination,) = matrix.destinations
    return not failure(lambda: assert_matrix(matrix, {(lab.host, destination): "no"}))


def failure(ask: Callable[[], object]) -> str:
    """The message; empty where it passes. What is not proved for another reason is no answer here."""
    try:
        ask()
    except ReachabilityError as error:
        message = str(error)
    else:
        return ""
    assert "inconclusive" in message
    assert re.search(r"127\.0\.0\.1(, which)? is this machine's own", message)
    return message


def test_what_is_bound_to_every_address_is_asked_by_the_engines_host(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    server = lab.server(bind={80: ("0.0.0.0", None)})
    assert server.bound_port(80).host == "127.0.0.1"
    far(lab._services, monkeypatch)

    assert server.bound_port(80).host == "docker"
    assert server.bound_port(80).on("127.0.0.1").host == "127.0.0.1"
    client = lab.client()
    assert [t.host for t in server.bound_port(80).targets_from(client.facts())] == [client.facts().endpoints[0].gateway]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("tcp://docker:2375", "docker"),
        ("ssh://me@box", "box"),
        ("tcp://[fd00::9]:2376", "fd00::9"),
        ("https://192.0.2.9:2376", "192.0.2.9"),
        ("tcp://localhost:2375", ""),
        ("tcp://127.0.0.1:2375", ""),
        ("tcp://[::1]:2375", ""),
        ("unix:///var/run/docker.sock", ""),
        ("npipe:////./pipe/docker_engine", ""),
    ],
)
def test_the_machine_that_a_url_names(url: str, host: str) -> None:
    assert place.far_host(url) == host

"""What the engine refused, by its status and words: those of Docker 20.10 to 29 and of podman."""

from __future__ import annotations

import pytest

from pytest_dockconn.engine import refusal
from pytest_dockconn.errors import Conflict, EngineError, EngineTimeout, EngineUnavailable, NotFound, PortInUse

DRIVER = "driver failed programming external connectivity on endpoint server1 (0a1b): "


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        pytest.param(
            500, DRIVER + "Bind for 0.0.0.0:8080 failed: port is already allocated", PortInUse, id="container"
        ),
        pytest.param(
            500,
            DRIVER + "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use",
            PortInUse,
            id="process, up to 26",
        ),
        pytest.param(
            500, DRIVER + "failed to bind port 0.0.0.0:8080/tcp: bind: address already in use", PortInUse, id="27"
        ),
        pytest.param(
            500,
            DRIVER + "failed to bind host port 0.0.0.0:8080/tcp: address already in use",
            PortInUse,
            id="28 and 29",
        ),
        pytest.param(500, DRIVER + "all ports are allocated", PortInUse, id="a range used up"),
        pytest.param(500, "rootlessport listen tcp 0.0.0.0:8080: bind: address already in use", PortInUse, id="podman"),
        pytest.param(
            500, DRIVER + "BIND FOR 0.0.0.0:8080 FAILED: PORT IS ALREADY ALLOCATED", PortInUse, id="in capitals"
        ),
        pytest.param(403, "Address already in use", EngineError, id="a static address of a network, which is no port"),
        pytest.param(502, "<html>Bad Gateway", EngineUnavailable, id="a proxy that has lost the engine"),
        pytest.param(504, "Gateway Time-out", EngineUnavailable, id="a proxy that has given up waiting"),
        pytest.param(503, "This node is not a swarm manager.", EngineError, id="no swarm"),
        pytest.param(404, "No such container: x", NotFound, id="not found"),
        pytest.param(409, 'Conflict. The container name "/x" is already in use', Conflict, id="name taken"),
        pytest.param(400, "link is not supported", EngineError, id="podman: link"),
        pytest.param(
            500,
            "cannot listen on the TCP port: listen tcp4 127.0.0.1:80: bind: address in use",
            PortInUse,
            id="podman 4",
        ),
        pytest.param(
            500, "unable to find network with name or ID x: network not found", NotFound, id="podman: network"
        ),
        pytest.param(500, "container x does not exist in database: no such container", NotFound, id="podman: gone"),
        pytest.param(500, 'the container name "x" is in use: that name is already in use', Conflict, id="podman: name"),
        pytest.param(500, "boom", EngineError, id="anything else"),
        pytest.param(0, "", EngineError, id="no answer at all"),
    ],
)
def test_the_kind_of_error(status: int, words: str, kind: type[Exception]) -> None:
    error = refusal.refusal(status, words, "starting container x")
    assert type(error) is kind
    assert error.cause.startswith("starting container x: ")
    assert words.strip() in error.cause


def test_the_status_is_told_where_nothing_else_is_known() -> None:
    assert "500" in refusal.refusal(500, "boom", "starting").checked


@pytest.mark.parametrize(
    ("words", "place"),
    [
        pytest.param("Bind for 0.0.0.0:8080 failed: port is already allocated", ("0.0.0.0", 8080), id="container"),
        pytest.param("listen tcp4 127.0.0.1:80: bind: address already in use", ("127.0.0.1", 80), id="process"),
        pytest.param("listen tcp6 [::1]:8080: bind: address already in use", ("::1", 8080), id="IPv6"),
        pytest.param("failed to bind host port 0.0.0.0:8080/tcp: address already in use", ("0.0.0.0", 8080), id="29"),
        pytest.param("Bind for :::8080 failed: port is already allocated", ("::", 8080), id="any of IPv6, by moby"),
        pytest.param("all ports are allocated", None, id="none"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_port_that_the_words_speak_of(words: str, place: tuple[str, int] | None) -> None:
    assert refusal.port_in_words(words) == place


def test_timed_out() -> None:
    error = refusal.timed_out("tcp://me:secret@box:2375", "listing containers", 20.0)
    assert type(error) is EngineTimeout
    assert error.cause == "listing containers: the engine at tcp://***@box:2375 did not answer within 20 s"
    assert "dockconn prune" in error.remedy


def test_gone() -> None:
    error = refusal.gone("tcp://me:secret@box:2375", "listing containers", "Connection refused")
    assert type(error) is EngineUnavailable
    assert error.cause == "listing containers: lost the engine at tcp://***@box:2375: Connection refused"
    assert "dockconn prune" in error.remedy

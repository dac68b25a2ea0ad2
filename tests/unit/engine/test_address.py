"""Where is the engine? The order of the places, and URLs that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.samples import refused

from pytest_dockconn.engine.address import SCHEMES, Candidate, candidates, check, socket_path, usual_sockets

HOME = Path("/home/me")


def no_context() -> tuple[str, str] | None:
    return None


def never() -> tuple[str, str] | None:
    raise AssertionError("the context is not asked where the engine was named")


@pytest.mark.parametrize(
    "url",
    [
        "unix:///var/run/docker.sock",
        "tcp://127.0.0.1:2375",
        "tcp://[::1]:2375",
        "http://box:2375",
        "https://box:2376",
        "ssh://me@box",
        "npipe:////./pipe/docker_engine",
    ],
)
def test_a_url(url: str) -> None:
    assert check(url, "DOCKER_HOST") == url


@pytest.mark.parametrize(
    "url", ["", "/var/run/docker.sock", "unix://", "tcp://", "box:2375", "ftp://box", "tcp:///x", "tcp://[::1:2375"]
)
def test_no_url(url: str) -> None:
    with refused(repr(url), "is not the URL of an engine"):
        check(url, "DOCKER_HOST")


def test_the_message_names_who_said_it_and_what_is_known_but_no_password() -> None:
    with pytest.raises(ValueError, match="URL of an engine") as caught:
        check("ftp://me:secret@box", "DOCKER_HOST")
    assert "DOCKER_HOST" in str(caught.value)
    assert all(scheme in str(caught.value) for scheme in SCHEMES)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("unix:///var/run/docker.sock", "/var/run/docker.sock"),
        ("unix:///var/run/docker.sock/", "/var/run/docker.sock"),
        ("unix://var/run/docker.sock", "/var/run/docker.sock"),  # as docker-py takes it
        ("unix:///with%20percent", "/with%20percent"),
    ],
)
def test_where_a_socket_is(url: str, path: str) -> None:
    assert socket_path(url) == path


def test_the_option_comes_first() -> None:
    found = candidates("tcp://box:1", {"DOCKER_HOST": "tcp://other:1"}, HOME, never)
    assert found == (Candidate("tcp://box:1", "--dockconn-engine", certain=True),)


def test_then_docker_host() -> None:
    found = candidates(None, {"DOCKER_HOST": "tcp://other:1"}, HOME, never)
    assert found == (Candidate("tcp://other:1", "DOCKER_HOST", certain=True),)


def test_then_the_context() -> None:
    found = candidates(None, {"DOCKER_HOST": ""}, HOME, lambda: ("colima", "unix:///c.sock"))
    assert found == (Candidate("unix:///c.sock", "docker context 'colima'", certain=True),)


def test_then_the_usual_sockets_none_of_them_certain() -> None:
    found = candidates(None, {}, HOME, no_context)
    assert [c.url for c in found] == list(usual_sockets({}, HOME))
    assert found[0].url == "unix:///var/run/docker.sock"
    assert {c.certain for c in found} == {False}


@pytest.mark.parametrize(
    ("option", "environ", "context"),
    [
        pytest.param("", {}, None, id="an empty option is an option"),
        pytest.param("box", {}, None, id="option"),
        pytest.param(None, {"DOCKER_HOST": "box"}, None, id="DOCKER_HOST"),
        pytest.param(None, {}, ("c", "box"), id="context"),
    ],
)
def test_what_was_named_and_is_no_url(
    option: str | None, environ: dict[str, str], context: tuple[str, str] | None
) -> None:
    with refused("is not the URL of an engine"):
        candidates(option, environ, HOME, lambda: context)


def test_usual_sockets() -> None:
    found = usual_sockets({"XDG_RUNTIME_DIR": "/run/user/7"}, HOME)
    for url in (
        "unix:///var/run/docker.sock",
        "unix:///run/user/7/docker.sock",
        "unix:///home/me/.docker/desktop/docker.sock",
        "unix:///home/me/.colima/default/docker.sock",
        "unix:///home/me/.rd/docker.sock",
        "unix:///home/me/.orbstack/run/docker.sock",
        "unix:///run/podman/podman.sock",
        "unix:///run/user/7/podman/podman.sock",
    ):
        assert url in found
    assert len(set(found)) == len(found)

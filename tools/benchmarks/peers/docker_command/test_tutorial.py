"""The tutorial's three connections with the docker command.

One ``docker run`` and one ``docker rm`` a container, as the other peers do it; tuned, one ``docker rm`` for all of them,
which removes side by side.
"""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

LABEL = os.environ["BENCH_LABEL"]
CLIENT = os.environ["BENCH_CLIENT_IMAGE"]
SERVER = os.environ["BENCH_SERVER_IMAGE"]
TUNED = "BENCH_TUNED" in os.environ
ADDRESS = "{{.NetworkSettings.Networks.bridge.IPAddress}}"


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def page(url: str, within: float = 10.0) -> str:
    """The page, once it answers."""
    end = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def address(container: str) -> str:
    return docker("inspect", "--format", ADDRESS, container)


class Containers:
    def __init__(self) -> None:
        self.made: list[str] = []

    def run(self, *arguments: str) -> str:
        self.made.append(docker("run", "--detach", "--label", LABEL, *arguments))
        return self.made[-1]

    def client(self, *options: str) -> str:
        return self.run(*options, CLIENT, "sleep", "infinity")

    def server(self, *options: str) -> str:
        return self.run(*options, SERVER)


@pytest.fixture(scope="session")
def containers() -> Iterator[Containers]:
    containers = Containers()
    yield containers
    at_once = [containers.made] if TUNED else [[one] for one in reversed(containers.made)]
    for some in at_once:
        docker("rm", "--force", "--volumes", *some)


def test_exposed_port(containers: Containers) -> None:
    server = containers.server("--expose", "80")
    client = containers.client()
    url = f"http://{address(server)}/"
    page(url)
    docker("exec", client, "curl", "--silent", "--fail", url)


def test_bound_port(containers: Containers) -> None:
    server = containers.server("--publish", "127.0.0.1::80")
    assert "It works" in page(f"http://{docker('port', server, '80')}/")


def test_link(containers: Containers) -> None:
    server = containers.server("--expose", "80")
    client = containers.client("--link", f"{server}:server3")
    there = address(server)
    page(f"http://{there}/")
    seen = docker("exec", client, "sh", "-c", "cat /etc/hosts; env; curl --silent --fail http://server3/")
    assert f"{there}\tserver3" in seen
    assert f"SERVER3_PORT_80_TCP_ADDR={there}" in seen
    assert "It works" in seen

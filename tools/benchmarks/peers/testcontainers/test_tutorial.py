"""The tutorial's three connections with testcontainers-python.

Its ``with_exposed_ports`` publishes, so a port that is exposed only is left out: containers reach it all the same. The wait
strategies that come with it ask published ports; ``Answers`` is one of the caller's own, as its documentation shows. They
ask once a second; tuned, every 5 ms.
"""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

LABEL = os.environ["BENCH_LABEL"]
CLIENT = os.environ["BENCH_CLIENT_IMAGE"]
#: Seconds between two looks; None for what it comes with.
PACE = 0.005 if "BENCH_TUNED" in os.environ else None
SERVER = os.environ["BENCH_SERVER_IMAGE"]


def address(container: WaitStrategyTarget) -> str:
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    return str(wrapped.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"])


class Answers(WaitStrategy):
    """Waits until port 80 of the container's own address answers HTTP."""

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        url = f"http://{address(container)}/"
        end = time.monotonic() + 10
        while True:
            try:
                urllib.request.urlopen(url, timeout=1).close()
                return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > end:
                    raise
                time.sleep(self._poll_interval)


def made(image: str) -> DockerContainer:
    return DockerContainer(image).with_kwargs(labels={LABEL: ""})


def paced(strategy: WaitStrategy) -> WaitStrategy:
    return strategy if PACE is None else strategy.with_poll_interval(PACE)


@pytest.fixture(scope="session")
def client() -> Iterator[DockerContainer]:
    with made(CLIENT).with_command(["sleep", "infinity"]) as container:
        yield container


@pytest.fixture(scope="session")
def exposed_server() -> Iterator[DockerContainer]:
    with made(SERVER).waiting_for(paced(Answers())) as container:
        yield container


@pytest.fixture(scope="session")
def bound_server() -> Iterator[DockerContainer]:
    answers = paced(HttpWaitStrategy(80))
    with made(SERVER).with_exposed_ports(80).waiting_for(answers) as container:
        yield container


@pytest.fixture(scope="session")
def linked_server() -> Iterator[DockerContainer]:
    with made(SERVER).waiting_for(paced(Answers())) as container:
        yield container


@pytest.fixture(scope="session")
def linked_client(linked_server: DockerContainer) -> Iterator[DockerContainer]:
    link = {linked_server.get_container_id(): "server3"}
    with made(CLIENT).with_command(["sleep", "infinity"]).with_kwargs(labels={LABEL: ""}, links=link) as container:
        yield container


def test_exposed_port(client: DockerContainer, exposed_server: DockerContainer) -> None:
    done = client.exec(["curl", "--silent", "--fail", f"http://{address(exposed_server)}/"])
    assert done.exit_code == 0


def test_bound_port(bound_server: DockerContainer) -> None:
    url = f"http://{bound_server.get_container_host_ip()}:{bound_server.get_exposed_port(80)}/"
    with urllib.request.urlopen(url, timeout=1) as answer:
        assert b"It works" in answer.read()


def test_link(linked_client: DockerContainer, linked_server: DockerContainer) -> None:
    done = linked_client.exec(["sh", "-c", "cat /etc/hosts; curl --silent --fail http://server3/"])
    seen = done.output.decode()
    assert f"{address(linked_server)}\tserver3" in seen
    assert "It works" in seen

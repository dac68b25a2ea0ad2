"""In a stack that Docker Compose runs, who may talk to whom? These and nobody else, and nothing of the stack is changed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_dockconn import Container, Engine, Image, Lab, assert_policy, assert_reachable

FILE = Path(__file__).with_name("compose.yaml")
PROJECT = f"dockconn-example-{os.getpid()}"


@pytest.fixture(scope="module")
def stack(
    dockconn_module: Lab, dockconn_engine: Engine, dockconn_server_image: Image
) -> Iterator[dict[str, Container]]:
    """Starts the stack, as you would by hand; one that runs already needs the middle line alone."""
    command = next((c for c in (["docker-compose"], ["docker", "compose"]) if is_there(c)), None)
    if command is None:
        pytest.skip("Docker Compose is not installed")
    environment = {**os.environ, "DOCKER_HOST": dockconn_engine.url, "SERVER_IMAGE": dockconn_server_image.tag}
    compose = [*command, "-p", PROJECT, "-f", str(FILE)]
    subprocess.run([*compose, "up", "-d"], env=environment, check=True)
    yield dockconn_module.compose(PROJECT)  # by the names of the services
    subprocess.run([*compose, "down", "-t", "0"], env=environment, check=True)


def is_there(command: list[str]) -> bool:
    return bool(shutil.which(command[0])) and subprocess.run([*command, "version"], check=False).returncode == 0


def test_a_service_reaches_another_by_name(stack: dict[str, Container]) -> None:
    assert assert_reachable(stack["web"], stack["api"].port(80).named("api")).answered_by == stack["api"].id


@pytest.mark.dockconn(requires=["isolation"])
def test_these_and_nobody_else(stack: dict[str, Container]) -> None:
    for service in stack.values():  # the policy is asked once, so wait for what is still starting
        assert_reachable(service, service.port(80))
    both_ways = [("web", "api:80"), ("api", "web:80"), ("api", "db:80"), ("db", "api:80")]

    assert_policy(stack.values(), allow=both_ways, timeout=0.5)

"""What several tables need."""

from __future__ import annotations

import functools
import random
import socket
import subprocess
from typing import Any

import docker
import pytest

from pytest_dockconn import Container, Lab, Verdict
from pytest_dockconn.actions import agents


@functools.cache
def docker_py(url: str) -> Any:
    """An engine by docker-py: for what the plugin itself never does."""
    return docker.APIClient(base_url=url, version="auto")


def needs(*capabilities: str) -> pytest.MarkDecorator:
    """The mark of a test that needs these of the engine."""
    return pytest.mark.dockconn(requires=list(capabilities))


def soon(verdict: Verdict) -> float:
    """Seconds to ask for: silence does not get longer by waiting, but a refusal takes its time on a busy machine."""
    return 0.3 if verdict is Verdict.TIMED_OUT else 2.0


def has_default_route(container: Container) -> bool:
    """Whether packets for elsewhere leave it: on an internal network they do on 20.10, and are dropped further on."""
    routes = agents.look(container.channel(), "routes")["routes"]
    return any(route.startswith("default ") for route in routes)


def subnet(prefix: int = 24) -> str:
    """A subnet that nobody has, drawn, so that runs rarely meet."""
    return f"10.{random.randrange(150, 200)}.{random.randrange(256)}.0/{prefix}"


def free_port() -> int:
    """A port that is free now, outside of the range that engines and kernels give out; drawn, so that runs rarely meet."""
    for _ in range(1000):
        number = random.randint(20000, 30000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            try:
                sock.bind(("0.0.0.0", number))
            except OSError:
                continue
            return number
    raise AssertionError("no free port")


def host_address() -> str:
    """An address of this machine that is not loopback; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        return str(sock.getsockname()[0])


def take_address(lab: Lab, address: str, **options: object) -> Container:
    """A container that has an address that came free: the engine gives out the lowest free one, so a few may be needed.

    Podman gives out ever higher ones, and takes a wish on its default network, which docker does not.
    """
    if lab.engine.kind == "podman":
        return lab.server(networks={lab._services.default_network: address}, **options)  # type: ignore[arg-type]
    for _ in range(16):
        container = lab.server(**options)  # type: ignore[arg-type]
        if container.ip == address:
            return container
    raise AssertionError(f"nobody got {address}")


def rule(container: Container, *argv: str) -> None:
    """A rule of iptables in the network namespace of a container of this test; it goes with it."""
    enter = ["nsenter", f"--net=/proc/{container.facts().pid}/ns/net", "iptables"]
    subprocess.run([*enter, *argv], check=True, capture_output=True)

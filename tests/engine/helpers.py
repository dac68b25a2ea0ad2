"""What several tables need."""

from __future__ import annotations

import random
import socket

from pytest_dockconn import Container, Lab


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
    """A container that has an address that came free: the engine gives out the lowest free one, so a few may be needed."""
    for _ in range(16):
        container = lab.server(**options)  # type: ignore[arg-type]
        if container.ip == address:
            return container
    raise AssertionError(f"nobody got {address}")

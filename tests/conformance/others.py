"""Somebody else's containers and networks: made by docker-py, as the lab has no options for them, and adopted."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from typing import Any

import docker
import pytest
from docker.errors import APIError

from pytest_dockconn import Container, Lab, labels

#: Ends at once when it is told to: process 1 has no default action for SIGTERM.
IDLE = ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"]


def web(number: int, address: str = "0.0.0.0") -> list[str]:
    """A command that answers HTTP on one port and says nothing of who it is."""
    return ["python3", "-m", "http.server", "--bind", address, str(number)]


class Others:
    """Makes things of others, and removes them at the end; what a killed run leaves behind, ``dockconn prune`` finds."""

    def __init__(self, api: Any, lab: Lab, image: str) -> None:
        self.api = api
        self._lab = lab
        self._image = image
        self._containers: list[str] = []
        self._networks: list[str] = []

    @staticmethod
    def name(word: str = "other") -> str:
        """A name that nobody else has."""
        return f"{labels.PREFIX}conformance-{secrets.token_hex(4)}-{word}"

    def create(self, command: list[str] | None = None, name: str = "", host: Any = None, **options: Any) -> str:
        """Create a container of the client's image and return its id; ``host`` and the rest are docker-py's options."""
        called = name or self.name()
        made = self.api.create_container(
            options.pop("image", self._image),
            command or IDLE,
            name=called,
            labels=labels.made("conformance", called, "other"),
            host_config=self.api.create_host_config(**(host or {})),
            **options,
        )
        self._containers.append(str(made["Id"]))
        return self._containers[-1]

    def run(self, command: list[str] | None = None, name: str = "", host: Any = None, **options: Any) -> Container:
        """Create and start a container, adopted."""
        made = self.create(command, name, host, **options)
        self.api.start(made)
        return self._lab.adopt(made)

    def network(self, name: str = "", **options: Any) -> str:
        """Create a network and return its id."""
        called = name or self.name()
        marks = labels.made("conformance", called, "network")
        self._networks.append(str(self.api.create_network(called, labels=marks, **options)["Id"]))
        return self._networks[-1]

    def remove(self, container: str) -> None:
        """Remove a container now; no error where it is gone."""
        with contextlib.suppress(docker.errors.NotFound):
            self.api.remove_container(container, force=True, v=True)

    def close(self) -> None:
        """Remove what was made."""
        for container in reversed(self._containers):
            self.remove(container)
        for network in self._networks:
            with contextlib.suppress(docker.errors.NotFound):
                self.api.remove_network(network)


def engine_says(call: Callable[[], object]) -> str:
    """Probe: the engine's own words to a call that it must refuse."""
    with pytest.raises(APIError) as caught:
        call()
    return str(caught.value.explanation)

"""An engine to be tried, and the making of things on it that are surely removed."""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_dockconn import labels
from pytest_dockconn.engine.port import Engine
from pytest_dockconn.logic.names import on_engine
from pytest_dockconn.logic.privileges import SERVER
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan


@dataclass
class Bench:
    """An engine, the two images on it, and what was made here.

    Attributes:
        engine: that is tried.
        client: id of the image that holds the agent.
        server: id of the image that answers.
        subnet: that a network of one's own may have there; its last number is free for static addresses.
    """

    engine: Engine
    client: str
    server: str
    subnet: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _made: list[str] = field(default_factory=list)
    _networks: list[str] = field(default_factory=list)
    _images: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What everything made here carries, as a filter."""
        return f"{labels.RUN}={self.run}"

    def name(self) -> str:
        """A name that nobody else has."""
        return on_engine(self.run, "contract", str(next(self._numbers)))

    def plan(self, *command: str, **wishes: Any) -> ContainerPlan:
        """A plan for a container of the client's image; it sleeps if nothing else is said."""
        name = wishes.pop("name", None) or self.name()
        marks = labels.made(self.run, name, "contract")
        argv = command or ("sleep", "60")
        return ContainerPlan(**{"image": self.client, "name": name, "labels": marks, "command": argv, **wishes})

    def create(self, *command: str, **wishes: Any) -> str:
        """A container that is created; its id."""
        made = self.engine.create(self.plan(*command, **wishes))
        self._made.append(made)
        return made

    def start(self, *command: str, **wishes: Any) -> str:
        """A container that was started; its id."""
        made = self.create(*command, **wishes)
        self.engine.start(made)
        return made

    def serve(self, *ports: str, **wishes: Any) -> str:
        """A server that was started; its id. It may not answer yet."""
        return self.start("dockconn-serve", *ports, image=self.server, capabilities=SERVER, **wishes)

    def network(self, **wishes: Any) -> str:
        """A network; its id."""
        name = wishes.pop("name", None) or self.name()
        plan = NetworkPlan(name=name, labels=labels.made(self.run, name, "contract"), **wishes)
        made = self.engine.create_network(plan)
        self._networks.append(made)
        return made

    def image(self, tag: str) -> str:
        """The name of an image that a test is about to make."""
        name = f"dockconn-contract-{self.run}:{tag}"
        self._images.append(name)
        return name

    def clean(self) -> None:
        """Remove everything; what can't be removed is said after all else was."""
        with contextlib.ExitStack() as stack:
            for image in self._images:
                stack.callback(self.engine.remove_image, image)
            for network in self._networks:
                stack.callback(self.engine.remove_network, network)
            for container in self._made:
                stack.callback(self.engine.remove, container)

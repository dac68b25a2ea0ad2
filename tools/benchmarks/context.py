"""What all jobs share: the session on the engine, docker-py's bare client, and how many rounds."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from pytest_dockconn import labels
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine.find import find
from pytest_dockconn.lab import Lab
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.session import Session

#: On every container that this process has made without the plugin, so that those are found and removed, and no others.
LABEL = f"dockconn-bench.{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Context:
    """A benchmark under way.

    Attributes:
        rounds: of the jobs that take seconds; quicker ones take a multiple.
        session: ours, on the engine.
        api: docker-py's low-level client: the bare API.
        folder: an empty one, to run other processes in.
    """

    rounds: int
    session: Session
    api: Any
    folder: Path

    @property
    def lab(self) -> Lab:
        """Makes containers that live until the end."""
        return self.session.lab

    def image(self, role: str) -> str:
        """The tag of an image: the same for the plugin and its peers."""
        return next(iter(self.session.services.images.get(role).tags))

    def docker(self, *arguments: str) -> str:
        """The output of the docker command."""
        done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def left(self, pid: int) -> list[str]:
        """The containers that peers have made, or the plugin in a process that has ended, and that are still there."""
        return [*self._labelled(LABEL), *self._labelled(f"{labels.PID}={pid}")]

    def _labelled(self, label: str) -> list[str]:
        return [str(c["Id"]) for c in self.api.containers(all=True, filters={"label": label})]

    def remove_bench(self) -> None:
        """Remove what a peer that failed left behind."""
        for container in self._labelled(LABEL):
            self.api.remove_container(container, force=True, v=True)


@contextmanager
def opened(rounds: int, engine: str | None) -> Iterator[Context]:
    """A session on the engine with both images there; everything that it made is removed at the end."""
    session = Session(Services(find(engine), Settings(engine=engine), print))
    try:
        for role in ("client", "server"):
            session.services.images.get(role)
        with tempfile.TemporaryDirectory(prefix="dockconn-bench-") as folder:
            api = docker.APIClient(base_url=session.services.engine.url, version="auto", timeout=60)
            context = Context(rounds, session, api, Path(folder))
            try:
                yield context
            finally:
                context.remove_bench()
                api.close()
    finally:
        session.start_closing()
        for line in session.close():
            print(f"left on the engine: {line}")

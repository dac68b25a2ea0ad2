"""What all jobs share: the session on the engine, docker-py's bare client, and how many rounds."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine.find import find
from pytest_dockconn.lab import Lab, Session
from pytest_dockconn.model.settings import Settings

#: On every container that is made without the plugin, so that those are found and removed.
LABEL = "dockconn-bench"


@dataclass(frozen=True, slots=True)
class Context:
    """A benchmark under way.

    Attributes:
        rounds: of the jobs that take seconds; quicker ones take a multiple.
        session: ours, on the engine.
        api: docker-py's low-level client, as the plugin uses it.
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

    def left(self) -> list[str]:
        """The containers of peers, and of other runs of the plugin, that are still on the engine."""
        ours = {str(one.id) for one in self.lab.containers}
        found = [c for label in (LABEL, "dockconn") for c in self.api.containers(all=True, filters={"label": label})]
        return [str(c["Id"]) for c in found if c["Id"] not in ours]

    def remove_bench(self) -> None:
        """Remove what a peer that failed left behind."""
        for container in self.api.containers(all=True, filters={"label": LABEL}):
            self.api.remove_container(container["Id"], force=True, v=True)


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

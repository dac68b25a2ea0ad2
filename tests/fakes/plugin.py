"""For inner sessions of pytest: ``--dockconn-engine fake://KIND/VERSION?journal=PATH&images=PATH`` opens an engine in memory.

Given as ``-p tests.fakes.plugin`` to another process, or as an object to a session in this one.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, urlsplit

import pytest

from pytest_dockconn.engine import find
from pytest_dockconn.engine.port import Engine
from pytest_dockconn.model.facts import ImageFacts
from pytest_dockconn.model.spec import ContainerPlan

from .engine import FakeEngine

SCHEME = "fake"

#: The engines that were opened by sessions of this process, the latest last.
opened: list[InnerEngine] = []


def latest() -> InnerEngine:
    """The engine of the inner session that runs now: its tests break it by this."""
    return opened[-1]


class InnerEngine(FakeEngine):
    """An engine that can be waited for, and that shares its images with other processes.

    Args:
        images: a file; what one process builds is there for all, as on one engine.
    """

    def __init__(self, kind: str, version: str, *, url: str, journal: Path | None, images: Path | None) -> None:
        self._shared = images
        self._born: set[str] = set()
        self._births = threading.Condition()
        super().__init__(kind, version, url=url, journal=journal)
        self.id = str(images or self.id)

    def awaited(self, *parts: str, seconds: float = 10.0) -> bool:
        """Whether containers with these in their names are created within some seconds."""
        with self._births:
            return self._births.wait_for(lambda: all(any(p in n for n in self._born) for p in parts), seconds)

    def emptied(self, seconds: float = 10.0) -> bool:
        """Whether the last container goes within some seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._containers, seconds)

    def create(self, plan: ContainerPlan) -> str:
        """Create a container and return its id."""
        made = super().create(plan)
        with self._births:
            self._born.add(plan.name)
            self._births.notify_all()
        return made

    def image(self, name: str) -> ImageFacts | None:
        """An image that is there, or None."""
        if self._shared is not None and self._shared.exists():
            for image in pickle.loads(self._shared.read_bytes()):
                if image.id not in self._images:
                    self._add_image(image)
        return super().image(name)

    def build(self, context: IO[bytes], dockerfile: str, tag: str, args: Mapping[str, str]) -> Iterator[str]:
        """Build an image."""
        yield from super().build(context, dockerfile, tag, args)
        self._note(f"built {tag}")
        if self._shared is not None:
            whole = self._shared.with_suffix(".new")
            whole.write_bytes(pickle.dumps(list(self._images.values())))
            whole.replace(self._shared)  # at once: others may be reading


def _open(url: str, _timeout: float) -> Engine:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    engine = InnerEngine(
        parts.hostname or "docker",
        parts.path.strip("/") or "20.10.24",
        url=f"{SCHEME}://{parts.netloc}",
        journal=Path(query["journal"]) if "journal" in query else None,
        images=Path(query["images"]) if "images" in query else None,
    )
    opened.append(engine)
    return engine


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Before the plugin looks for its engine."""
    find.OPENERS[SCHEME] = _open


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """After the plugin has removed everything: sockets of what it left would outlive the session."""
    find.OPENERS.pop(SCHEME, None)
    for engine in opened:
        engine.shut_down()

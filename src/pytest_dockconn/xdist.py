"""With pytest-xdist: the workers' questions come together at the controller, as plain data. Imports nothing of xdist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pytest
from msgspec.structs import asdict

from .model.asked import Asked
from .model.reused import Reused
from .options import REUSE
from .run import Run

#: In a worker's output.
ASKED = "dockconn_asked"
REUSED = "dockconn_reused"
LEFT = "dockconn_left"


class Node(Protocol):
    """A worker, as the controller sees it once it has ended; one that crashed has no output."""

    workeroutput: Mapping[str, Any]
    workerinput: dict[str, Any]


class Worker:
    """Registered in a worker: hands over what its tests asked."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self._config = config
        self._run = run

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """The last moment before xdist sends the output; a worker has no terminal to say later what it could not remove."""
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined] # of xdist
        output[ASKED] = [asdict(asked) for asked in self._run.asked]
        output[REUSED] = [list(names) for names in self._run.reused()]
        output[LEFT] = self._run.close()


class Controller:
    """Registered where xdist is: takes over what the workers' tests asked."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Node) -> None:
        """A worker has ended."""
        output = getattr(node, "workeroutput", {})
        self._run.asked.extend(Asked(**one) for one in output.get(ASKED, ()))
        self._run.worker_left.extend(output.get(LEFT, ()))
        if REUSED in output:
            self._run.worker_reuse.append(Reused(*(tuple(names) for names in output[REUSED])))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Node) -> None:
        """A worker is about to begin: it cannot see what was given on the command line itself."""
        node.workerinput[REUSE] = self._run.settings.reuse

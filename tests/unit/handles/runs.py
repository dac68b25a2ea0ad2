"""Runs with ``--dockconn-reuse``, one after the other on one engine in memory, in this very process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.engine import FakeEngine

from pytest_dockconn.actions import leases
from pytest_dockconn.actions.services import Services
from pytest_dockconn.lab import Lab
from pytest_dockconn.model.reused import Reused
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.session import Session


class Helper:
    """In place of the helper process: this one lives long enough."""

    pid = os.getpid()

    def start(self) -> None:
        """It has."""

    dismiss = keep = abandon = start


class Runs:
    """An engine, and the runs on it."""

    def __init__(self, folder: Path) -> None:
        self.engine = FakeEngine()
        self.leases = leases.Leases(folder)

    def session(self, *, reuse: bool = True, project: str = "/project") -> Session:
        """A run that has begun."""
        self.engine.closed = False
        services = Services(self.engine, Settings(reuse=reuse, project=project), lambda _: None)
        helper: Any = Helper()
        services.guardian = helper
        if services.reuse is not None:
            services.reuse._guardian = helper
        return Session(services)

    @contextlib.contextmanager
    def run(self, *, reuse: bool = True, project: str = "/project") -> Iterator[Lab]:
        """The session's lab of a run."""
        session = self.session(reuse=reuse, project=project)
        try:
            yield session.lab
        finally:
            session.start_closing()
            assert session.close() == []

    @property
    def there(self) -> list[str]:
        """What is on the engine, by the names that tests know."""
        return sorted(name.rpartition("-")[2] for name in (*self.engine.names, *self.engine.made_networks))


def outcome(lab: Lab) -> Reused:
    """What came of it so far."""
    services = lab._services
    assert services.reuse is not None
    return services.reuse.outcome()._replace(removed=services.removed)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Nothing is kept yet."""
    monkeypatch.setattr(leases, "_folder", lambda: tmp_path / "leases")
    made = Runs(tmp_path / "leases")
    yield made
    made.engine.shut_down()

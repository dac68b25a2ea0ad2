"""A stage for every row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from pytest_dockconn import Engine, Image, Lab
from pytest_dockconn.fixtures import session_of
from pytest_dockconn.session import Session
from tests.conformance import private
from tests.conformance.others import Others
from tests.conformance.rows import Stage
from tests.shared import Shared


@pytest.fixture(scope="session")
def api(dockconn_engine: Engine) -> Iterator[Any]:
    """docker-py on the engine of the run, for what somebody else would do."""
    with contextlib.closing(docker.APIClient(base_url=dockconn_engine.url, version="auto")) as client:
        yield client


@pytest.fixture
def others(api: Any, dockconn: Lab, dockconn_client_image: Image) -> Iterator[Others]:
    made = Others(api, dockconn, dockconn_client_image.id)
    yield made
    made.close()


@pytest.fixture
def stage(dockconn: Lab, others: Others, shared: Shared) -> Iterator[Stage]:
    with contextlib.ExitStack() as undo:
        yield Stage(dockconn, undo, shared, others)


@pytest.fixture(scope="session")
def private_session(
    request: pytest.FixtureRequest, api: Any, dockconn_client_image: Image, dockconn_server_image: Image
) -> Iterator[Session]:
    """An engine with daemon options of its own, started by the first row that needs it."""
    reason = private.why_not()
    if reason:
        (pytest.fail if session_of(request.config).settings.strict else pytest.skip)(reason)
    with private.session(api, dockconn_client_image, dockconn_server_image) as session:
        yield session


@pytest.fixture(scope="session")
def private_api(private_session: Session) -> Iterator[Any]:
    with contextlib.closing(docker.APIClient(base_url=private_session.lab.engine.url, version="auto")) as client:
        yield client


@pytest.fixture(scope="session")
def private_shared(private_session: Session) -> Shared:
    return Shared(private_session.new_lab)


@pytest.fixture
def private_stage(private_session: Session, private_api: Any, private_shared: Shared) -> Iterator[Stage]:
    """As ``stage``, on the private engine."""
    lab = private_session.new_lab()
    others = Others(private_api, lab, private_session.services.images.get("client").id)
    with contextlib.ExitStack() as undo:
        undo.callback(private_session.close_lab, lab)
        undo.callback(others.close)
        yield Stage(lab, undo, private_shared, others)

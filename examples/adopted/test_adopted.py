"""Who answers in a container that something else runs? It is adopted: asked, and asked from, and never changed."""

from collections.abc import Iterator
from typing import Any

import docker
import pytest

from pytest_dockconn import Client, Engine, Image, Lab, assert_reachable, assert_unreachable


@pytest.fixture
def theirs(dockconn_engine: Engine, dockconn_client_image: Image) -> Iterator[Any]:
    """Docker's own library runs it here; testcontainers, a script or you may have done it."""
    api = docker.DockerClient(base_url=dockconn_engine.url)
    container = api.containers.run(dockconn_client_image.tag, ["python3", "-m", "http.server", "8000"], detach=True)
    yield container
    container.remove(force=True)
    api.close()


def test_its_port(dockconn: Lab, dockconn_client: Client, theirs: Any) -> None:
    app = dockconn.adopt(theirs)  # or its id, or its name

    answer = assert_reachable(dockconn_client, app.port(8000))  # until its process takes the connection
    assert answer.answered_by == app.id

    assert dockconn_client.probe(f"http://{app.ip}:8000/").status == 200  # a page; of a URL whoever answers counts


@pytest.mark.dockconn(requires=["isolation"])
def test_from_it(dockconn: Lab, theirs: Any) -> None:
    app, db = dockconn.adopt(theirs), dockconn.server(networks=[dockconn.network()])

    assert_unreachable(app, db.port(80), timeout=0.5)

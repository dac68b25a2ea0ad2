"""What is looked up, where containers come and go meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.samples import container, endpoint, result

from pytest_dockconn.actions import evidence
from pytest_dockconn.errors import NotFound
from pytest_dockconn.model.facts import ContainerFacts


def inspect(name: str) -> ContainerFacts:
    """Of two that were listed, one is gone by now: somebody else's, as on every engine that is in use."""
    if name == "gone":
        raise NotFound("no such container: gone")
    return container("server2", endpoints=(endpoint(ip="172.17.0.2"),))


def test_one_that_goes_meanwhile_hides_nobody_else() -> None:
    engine = SimpleNamespace(containers=lambda **_: [{"id": "gone"}, {"id": "server2"}], inspect=inspect)
    services: Any = SimpleNamespace(engine=engine, name_of=lambda _: "server2")

    found = evidence._holder(services, container(status="exited"), result())

    assert found == "server2 has the address 172.17.0.2 now"

"""Links, each beside others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit import labs

from pytest_dockconn import Lab, assert_linked


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


def test_neighbours_whose_variables_begin_like_ones_own(lab: Lab) -> None:
    """``DB_ENV_PORT`` is of ``db-env``, and no variable PORT that ``db`` has copied."""
    servers = {alias: lab.server(env={"NAME": "shop"}) for alias in ("db", "db-env", "db-port", "db-port-80-tcp")}
    client = lab.client(links=servers)

    for alias, server in servers.items():
        assert_linked(client, server, alias)

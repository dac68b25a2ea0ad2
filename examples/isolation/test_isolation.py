"""Is the database closed to the front network? Proved: it answers from inside its own network, and still nothing gets through."""

import pytest

from pytest_dockconn import Lab, Verdict, assert_reachable, assert_unreachable


@pytest.mark.dockconn(requires=["isolation"])
def test_only_the_api_reaches_the_database(dockconn: Lab) -> None:
    front, back = dockconn.network("front"), dockconn.network("back", internal=True)
    web, db = dockconn.client(name="web", networks=[front]), dockconn.server(name="db", networks=[back])
    api = dockconn.client(name="api", networks=[front, back])

    assert_reachable(api, db.port(80))
    assert_unreachable(web, db.port(80), because=Verdict.TIMED_OUT, timeout=0.5)


@pytest.mark.dockconn(requires=["icc"])
def test_neighbours_on_a_network_without_icc(dockconn: Lab) -> None:
    network = dockconn.network(icc=False)
    one, other = dockconn.server(networks=[network]), dockconn.server(networks=[network])

    assert_unreachable(one, other.port(80), hold=0.5, timeout=0.5)  # and stays so for half a second

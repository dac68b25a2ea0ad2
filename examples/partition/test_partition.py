"""What does my stack do when two of its parts lose sight of each other? Cut them off, look, and let them meet again."""

import pytest

from pytest_dockconn import Lab, Verdict, assert_reachable, assert_unreachable


@pytest.mark.dockconn(requires=["partition", "container-addresses"])
def test_the_database_is_cut_off_for_a_while(dockconn: Lab) -> None:
    network = dockconn.network()
    api, db = dockconn.server(networks=[network], name="api"), dockconn.server(networks=[network], name="db")

    with dockconn.partition(api, db):
        assert_unreachable(api, db.port(80), because=Verdict.TIMED_OUT)
        assert_reachable(dockconn.host, api.port(80))  # all else goes on

    assert_reachable(api, db.port(80))

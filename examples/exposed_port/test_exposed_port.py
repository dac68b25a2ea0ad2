"""Can one container reach another's port by its address? As in the tutorial: `docker run --expose=80`, then `curl ADDRESS`."""

from pytest_dockconn import Client, Server, assert_reachable


def test_client_reaches_the_exposed_port(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    answer = assert_reachable(dockconn_client, dockconn_exposed_server.port(80))

    assert "It works" in answer.text
    assert answer.answered_by == dockconn_exposed_server.id  # that server, and no other

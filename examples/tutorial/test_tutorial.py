"""Does a container reach another by its address, the host a bound port, and a client a linked server by name?"""

from pytest_dockconn import assert_linked, assert_reachable


def test_exposed_port(dockconn_client, dockconn_exposed_server):
    assert_reachable(dockconn_client, dockconn_exposed_server.port(80))


def test_bound_port(dockconn_host, dockconn_bound_server):
    answer = assert_reachable(dockconn_host, dockconn_bound_server.bound_port(80))
    assert "It works" in answer.text


def test_link(dockconn_linked_client, dockconn_linked_server):
    assert_linked(dockconn_linked_client, dockconn_linked_server, alias="server3")
    assert_reachable(dockconn_linked_client, "http://server3/")

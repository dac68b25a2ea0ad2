"""The tutorial's three connections with this plugin: the example of its documentation."""

from __future__ import annotations

from pytest_dockconn import Client, Host, Server, assert_linked, assert_reachable


def test_exposed_port(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    assert_reachable(dockconn_client, dockconn_exposed_server.port(80))


def test_bound_port(dockconn_host: Host, dockconn_bound_server: Server) -> None:
    answer = assert_reachable(dockconn_host, dockconn_bound_server.bound_port(80))
    assert "It works" in answer.text


def test_link(dockconn_linked_client: Client, dockconn_linked_server: Server) -> None:
    assert_linked(dockconn_linked_client, dockconn_linked_server, alias="server3")
    assert_reachable(dockconn_linked_client, "http://server3/")

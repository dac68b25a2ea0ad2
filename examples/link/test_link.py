"""Does a link lead to its server, by name? As in the tutorial: `docker run --link server3`, then `curl server3`."""

from pytest_dockconn import Client, Lab, Server, Verdict, assert_linked, assert_reachable


def test_link(dockconn_linked_client: Client, dockconn_linked_server: Server) -> None:
    assert_linked(dockconn_linked_client, dockconn_linked_server, alias="server3")

    assert_reachable(dockconn_linked_client, "http://server3/")
    assert dockconn_linked_client.hosts["server3"] == (dockconn_linked_server.ip,)


def test_without_a_link_there_is_no_name(dockconn: Lab, dockconn_linked_server: Server) -> None:
    stranger = dockconn.client(dns=["127.0.0.1"])

    probe = stranger.probe(dockconn_linked_server.port(80).named("server3"))

    assert probe.verdict is Verdict.NAME_NOT_FOUND

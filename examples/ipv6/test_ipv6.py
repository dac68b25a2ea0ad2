"""Does it work by IPv6 as well? A network of both families; the subnet is a free one where the engine can't choose any."""

from pytest_dockconn import Lab, assert_reachable


def test_both_families(dockconn: Lab) -> None:
    network = dockconn.network(ipv6=True)
    server, client = dockconn.server(name="web", networks=[network]), dockconn.client(networks=[network])

    for address in (server.ip, server.ip6):
        answer = assert_reachable(client, server.port(80).on(address))
        assert (answer.address, answer.answered_by) == (address, server.id)

    assert_reachable(client, f"http://[{server.ip6}]/")
    assert_reachable(client, f"icmp://[{server.ip6}]")
    assert client.probe("dns://web").addresses == (server.ip, server.ip6)

"""What all containers share, whoever made them and whatever is in them: output, addresses, command, variables."""

from __future__ import annotations

from pytest_dockconn import Client, Lab
from tests.waiting import until


def test_the_output_of_a_client(dockconn: Lab, dockconn_client: Client) -> None:
    talks = dockconn.client(command=["sh", "-c", "echo out; echo err >&2; exec sleep 600"])

    assert until(lambda: sorted(talks.logs().splitlines()) == ["err", "out"], 20), talks.logs()
    assert dockconn_client.probe(talks.port(80)).detail  # an agent that was asked something
    assert dockconn_client.logs() == ""


def test_the_first_network_is_the_first_that_was_named(dockconn: Lab) -> None:
    zeta, alpha = dockconn.network("zeta", ipv6=True), dockconn.network("alpha", ipv6=True)
    server = dockconn.server(networks=[zeta, alpha])

    for one in (server, dockconn.adopt(server.id)):
        there = one.facts().endpoint(zeta.id)
        assert there is not None
        assert (one.ip, one.ip6, one.port(80).host) == (there.ip, there.ip6, there.ip)
    zeta.disconnect(server)
    assert server.ip == server.port(80).host == server.ip_on(alpha)
    zeta.connect(server)
    assert server.ip == server.port(80).host == server.ip_on(zeta)

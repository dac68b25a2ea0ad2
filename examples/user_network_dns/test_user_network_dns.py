"""On a network of one's own, by which names is a container known? By its own, its aliases and its short id."""

import pytest

from pytest_dockconn import Lab, assert_reachable


@pytest.mark.parametrize("name", ["web", "shop", "short id"])
def test_names_on_a_network(dockconn: Lab, name: str) -> None:
    network = dockconn.network()
    web = dockconn.server(name="web", networks=[network], aliases=["shop"])
    client = dockconn.client(networks=[network])

    asked = web.id[:12] if name == "short id" else name

    assert client.probe(f"dns://{asked}").address == web.ip  # what the client's own resolver says
    assert assert_reachable(client, f"http://{asked}/").answered_by == web.id


def test_a_name_leads_to_the_address_on_the_network_that_is_shared(dockconn: Lab) -> None:
    front, back = dockconn.network("front"), dockconn.network("back")
    api = dockconn.server(name="api", networks=[front, back])

    for network in (front, back):
        assert dockconn.client(networks=[network]).probe("dns://api").address == api.ip_on(network)

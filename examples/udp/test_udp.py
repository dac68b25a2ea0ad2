"""Does a datagram come through, and is it this server that answers? Servers echo on UDP ports, and say who they are."""

from pytest_dockconn import Lab, Verdict, assert_reachable, assert_unreachable


def test_a_datagram_comes_back(dockconn: Lab) -> None:
    server, client = dockconn.server(expose=("53/udp",)), dockconn.client()

    assert assert_reachable(client, server.port(53, "udp")).answered_by == server.id
    assert client.probe(f"udp://{server.ip}:54").verdict is Verdict.REFUSED  # nobody listens there: ICMP says so


def test_from_the_host_by_a_bound_port(dockconn: Lab) -> None:
    server = dockconn.server(bind={"53/udp": None})

    assert_reachable(dockconn.host, server.bound_port(53, "udp"))


def test_silence_is_proved_too(dockconn: Lab) -> None:
    server = dockconn.server(expose=("53/udp",), networks=[dockconn.network()])

    assert_unreachable(dockconn.client(), server.port(53, "udp"), because=Verdict.TIMED_OUT, timeout=0.5)

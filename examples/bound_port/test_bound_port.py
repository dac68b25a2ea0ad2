"""Can the host reach a container's port? As in the tutorial: `docker run -p 8080:80`, then a browser on the host."""

from pytest_dockconn import Host, Lab, Server, Verdict, assert_reachable, assert_unreachable


def test_host_reaches_the_bound_port(dockconn_host: Host, dockconn_bound_server: Server) -> None:
    port = dockconn_bound_server.bound_port(80)  # a free port of 127.0.0.1

    assert "It works" in assert_reachable(dockconn_host, port).text
    assert port.get("/").status_code == 200  # the page, as a browser would get it


def test_bound_to_loopback_is_closed_to_containers(dockconn: Lab, dockconn_bound_server: Server) -> None:
    client = dockconn.client()

    assert_unreachable(client, dockconn_bound_server.bound_port(80), because=Verdict.REFUSED)

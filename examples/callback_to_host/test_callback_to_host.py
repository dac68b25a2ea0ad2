"""Can a container call back to the tests, as a webhook does? The test process listens where that container sees the host."""

import pytest

from pytest_dockconn import Lab, assert_reachable

pytestmark = pytest.mark.dockconn(requires=["host-callback"])


def test_a_program_in_a_container_calls_back(dockconn: Lab) -> None:
    client = dockconn.client(networks=[dockconn.network()])

    with dockconn.host.listen() as listener:
        client.run("curl", "-s", "-d", "order=7", listener.url_from(client))  # your program, told this URL
        call = listener.wait_for_call()

    assert call.address == client.ip
    assert call.data.startswith(b"POST / HTTP/1.1")
    assert call.data.endswith(b"order=7")


def test_by_the_name_that_docker_gives_the_host(dockconn: Lab) -> None:
    client = dockconn.client(extra_hosts={"host.docker.internal": "host-gateway"})

    with dockconn.host.listen() as listener:
        assert_reachable(client, listener)
        assert_reachable(client, f"http://host.docker.internal:{listener.number}/")

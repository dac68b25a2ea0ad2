"""Of several networks the first that was named is the container's first, whatever their names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit import labs
from tests.unit.handles.runs import Runs, runs

from pytest_dockconn import Container, Lab, Network

__all__ = ["runs"]


@pytest.fixture(params=[("docker", "20.10.24"), ("podman", "4.3.1")], ids=["docker", "podman"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with labs.opened(*request.param) as made:
        yield made


def is_first(container: Container, network: Network) -> bool:
    """Whether it is there that a container is asked, where nothing else is said."""
    address, port = container.ip_on(network), container.port(80)
    return (container.ip, port.host, port.url) == (address, address, f"{port.scheme}://{address}:80/".removesuffix("/"))


@pytest.mark.parametrize("names", [("alpha", "zeta"), ("zeta", "alpha"), ("net", "bridge")], ids=str)
def test_the_first_that_was_named(lab: Lab, names: tuple[str, str]) -> None:
    first, second = map(lab.network, names)
    client = lab.client(networks=[first, second])
    assert is_first(client, first)

    first.disconnect(client)
    assert is_first(client, second)
    first.connect(client)
    assert is_first(client, first)


def test_before_the_default_network(lab: Lab) -> None:
    front, default = lab.network("zeta"), lab._services.default_network
    assert lab.client(networks=[front, default]).ip.rpartition(".")[0] == front.gateway.rpartition(".")[0]
    assert lab.client(networks=[default, front]).ip.rpartition(".")[0] == lab.bridge.gateway.rpartition(".")[0]


def test_one_that_is_used_again(runs: Runs) -> None:
    for _ in range(2):
        with runs.run() as lab:
            zeta, alpha = lab.network("zeta"), lab.network("alpha")
            client = lab.client(networks=[zeta, alpha])
            assert is_first(client, zeta)
            assert client.facts().labels["dockconn.network"] == zeta.engine_name
    assert len(runs.there) == 3

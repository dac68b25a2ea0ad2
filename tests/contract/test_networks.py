"""Networks, and who is on them."""

from __future__ import annotations

import ipaddress

import pytest

from pytest_dockconn import labels
from pytest_dockconn.errors import Conflict, EngineError, NotFound
from pytest_dockconn.model.spec import Attachment
from tests.contract.bench import Bench

ICC = "com.docker.network.bridge.enable_icc"


def test_the_default_network(bench: Bench) -> None:
    facts = bench.engine.network("bridge")
    assert (facts.name, facts.driver, facts.internal) == ("bridge", "bridge", False)
    assert facts.icc
    (subnet, *_) = facts.subnets
    one = bench.start()
    endpoint = bench.engine.inspect(one).endpoint("bridge")
    assert endpoint is not None
    assert endpoint.network_id == facts.id
    assert ipaddress.ip_address(endpoint.ip) in ipaddress.ip_network(subnet)
    assert ipaddress.ip_address(endpoint.gateway) in ipaddress.ip_network(subnet)
    assert one in bench.engine.network("bridge").containers


def test_a_life(bench: Bench) -> None:
    made = bench.network(internal=True, options={ICC: "false"})
    facts = bench.engine.network(made)
    assert facts.id == made
    assert bench.engine.network(facts.name) == facts
    assert facts.internal
    assert not facts.icc
    assert facts.subnets
    assert facts.labels[labels.RUN] == bench.run
    assert facts.containers == ()
    bench.engine.remove_network(made)
    bench.engine.remove_network(made)
    with pytest.raises(NotFound):
        bench.engine.network(made)


def test_a_name_can_be_had_once(bench: Bench) -> None:
    name = bench.engine.network(bench.network()).name
    with pytest.raises(Conflict, match="already exists"):
        bench.network(name=name)


def test_networks_by_label(bench: Bench) -> None:
    one, two = bench.network(), bench.network()
    assert {n.id for n in bench.engine.networks(bench.label)} == {one, two}
    assert {one, two} <= {n.id for n in bench.engine.networks(labels.RUN)}
    assert {one, two} < {n.id for n in bench.engine.networks()}
    assert bench.engine.networks(f"{labels.RUN}=nobody") == ()


def test_joining_at_creation(bench: Bench) -> None:
    one, two = bench.network(), bench.network()
    names = [bench.engine.network(n).name for n in (two, one)]  # not by the alphabet
    links = (("later", "db"),)
    made = bench.start(attachments=tuple(Attachment(n, aliases=(f"a{at}",), links=links) for at, n in enumerate(names)))
    facts = bench.engine.inspect(made)
    (entry,) = bench.engine.containers(bench.label)
    assert entry["networks"] == {e.network: (e.ip,) for e in facts.endpoints}
    assert {e.network for e in facts.endpoints} == set(names)
    assert len(facts.addresses) == 2
    for at, name in enumerate(names):
        endpoint = facts.endpoint(name)
        assert endpoint is not None
        assert f"a{at}" in endpoint.aliases
        assert endpoint.links == links
    assert facts.network_mode == names[0]
    assert [e.network for e in facts.endpoints] == names
    assert bench.engine.network(one).containers == (made,)


def test_joining_and_leaving(bench: Bench) -> None:
    network, one = bench.network(), bench.start()
    bench.engine.connect(network, one, Attachment(network, aliases=("db",)))
    endpoint = bench.engine.inspect(one).endpoint(network)
    assert endpoint is not None
    assert endpoint.ip
    assert "db" in endpoint.aliases
    with pytest.raises(EngineError, match="already exists"):
        bench.engine.connect(network, one, Attachment(network))
    bench.engine.disconnect(network, one)
    assert bench.engine.inspect(one).endpoint(network) is None
    with pytest.raises(EngineError, match="not connected"):
        bench.engine.disconnect(network, one)
    assert bench.engine.inspect(one).endpoint("bridge") is not None


def test_a_static_address(bench: Bench) -> None:
    network = bench.network(subnets=(bench.subnet,))
    assert bench.engine.network(network).subnets == (bench.subnet,)
    wanted = str(ipaddress.ip_network(bench.subnet)[77])
    one, two = bench.start(), bench.start()
    bench.engine.connect(network, one, Attachment(network, ip=wanted))
    endpoint = bench.engine.inspect(one).endpoint(network)
    assert endpoint is not None
    assert endpoint.ip == wanted
    with pytest.raises(EngineError, match="Address already in use"):
        bench.engine.connect(network, two, Attachment(network, ip=wanted))
    assert bench.engine.inspect(two).endpoint(network) is None


def test_a_static_address_needs_a_subnet_of_ones_own(bench: Bench) -> None:
    network, one = bench.network(), bench.start()
    with pytest.raises(EngineError, match="user configured"):
        bench.engine.connect(network, one, Attachment(network, ip=str(ipaddress.ip_network(bench.subnet)[9])))


def test_a_network_in_use_stays(bench: Bench) -> None:
    network, one = bench.network(), bench.start()
    bench.engine.connect(network, one, Attachment(network))
    with pytest.raises(EngineError, match="active endpoints"):
        bench.engine.remove_network(network)
    bench.engine.disconnect(network, one)
    bench.engine.remove_network(network)


def test_a_stopped_container_leaves_and_comes_back(bench: Bench) -> None:
    network, one = bench.network(), bench.start()
    bench.engine.connect(network, one, Attachment(network, aliases=("db",)))
    bench.engine.stop(one, 0)
    assert bench.engine.network(network).containers == ()
    bench.engine.start(one)
    endpoint = bench.engine.inspect(one).endpoint(network)
    assert endpoint is not None
    assert endpoint.ip
    assert "db" in endpoint.aliases


def test_without_a_network(bench: Bench) -> None:
    facts = bench.engine.inspect(bench.start(network_mode="none"))
    assert facts.addresses == ()
    assert facts.network_mode == "none"

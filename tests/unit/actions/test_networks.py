"""Networks that an engine can't make as they are wished for; on the engine in memory."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest
from tests.fakes.engine import FakeEngine, Fault

from pytest_dockconn.actions.networks import create
from pytest_dockconn.errors import DockconnError, EngineError, SpecError
from pytest_dockconn.model.spec import NetworkPlan

NO_POOL6 = "could not find an available, non-overlapping IPv6 address pool among the defaults to assign to the network"
USED_UP = [
    "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    "all predefined address pools have been fully subnetted",
]


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.shut_down()


def says(words: str, times: int | None = None) -> Fault:
    return Fault(lambda: EngineError(f"creating network x: {words}"), "create_network", times=times)


def plan(**wishes: object) -> NetworkPlan:
    return NetworkPlan(**{"name": "x", "labels": {}, **wishes})  # type: ignore[arg-type]


def test_a_free_subnet_of_ipv6_where_the_engine_has_none(engine: FakeEngine) -> None:
    engine.faults.append(says(NO_POOL6, times=1))
    _, subnet = create(engine, plan(ipv6=True)).subnets
    assert ipaddress.ip_network(subnet).subnet_of(ipaddress.ip_network("fd00::/8"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        pytest.param({"ipv6": True}, "Pool overlaps with other one", id="another reason"),
        pytest.param({}, NO_POOL6, id="IPv6 was not asked for"),
        pytest.param({"ipv6": True, "subnets": ("fd00:7::/64",)}, NO_POOL6, id="a subnet was named"),
    ],
)
def test_it_is_drawn_only_where_that_helps(engine: FakeEngine, wishes: dict[str, object], words: str) -> None:
    engine.faults.append(says(words))
    with pytest.raises(EngineError, match=words):
        create(engine, plan(**wishes))
    assert sum(call.startswith("create_network") for call in engine.calls) == 1
    assert engine.made_networks == []


@pytest.mark.parametrize("words", USED_UP)
@pytest.mark.parametrize("before", [[], [NO_POOL6]], ids=["at once", "at the second try"])
def test_no_addresses_are_left(engine: FakeEngine, words: str, before: list[str]) -> None:
    create(engine, plan(name="empty"))
    engine.faults += [says(one, times=1) for one in before]
    engine.faults.append(says(words))
    with pytest.raises(
        DockconnError, match="network x: the engine has no addresses left for another network"
    ) as caught:
        create(engine, plan(ipv6=bool(before)))
    assert "it has 2 networks, 2 of them without a running container" in caught.value.checked
    assert words in caught.value.checked
    for remedy in ("dockconn prune", "subnet=", "default-address-pools"):
        assert remedy in caught.value.remedy


@pytest.mark.parametrize("wished", ["127.99.0.0/24", "127.99.0.128/25", "127.0.0.0/8"])
def test_a_subnet_that_another_has_is_not_even_asked_for(engine: FakeEngine, wished: str) -> None:
    create(engine, plan(name="front", subnets=("127.99.0.0/24",)))
    with pytest.raises(SpecError, match=r"overlaps with network '(front|bridge)'"):
        create(engine, plan(subnets=(wished,)))
    assert engine.made_networks == ["front"]

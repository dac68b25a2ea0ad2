"""``network()`` as a plan, and subnets that are free."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.samples import network, refused

from pytest_dockconn import labels
from pytest_dockconn.errors import SpecError
from pytest_dockconn.logic.networks import ICC, check_overlap, free_ula, is_used_up, planned, wants_subnet6

PLAIN: dict[str, Any] = {
    "internal": False, "ipv6": False, "subnet": None, "icc": True, "driver": "bridge", "options": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "planned_so"),
    [
        pytest.param({}, {"driver": "bridge", "internal": False, "ipv6": False, "subnets": ()}, id="plain"),
        pytest.param({"internal": True}, {"internal": True}, id="internal"),
        pytest.param({"ipv6": True}, {"ipv6": True}, id="ipv6"),
        pytest.param({"subnet": "192.0.2.0/24"}, {"subnets": ("192.0.2.0/24",)}, id="subnet"),
        pytest.param({"subnet": "fd00:1::/64", "ipv6": True}, {"subnets": ("fd00:1::/64",)}, id="subnet of IPv6"),
        pytest.param({}, {"options": {}, "attachable": False}, id="icc on, which is the engine's default"),
        pytest.param({"icc": False}, {"options": {ICC: "false"}}, id="icc off"),
        pytest.param(
            {"icc": False, "options": {"com.docker.network.driver.mtu": "1234"}},
            {"options": {"com.docker.network.driver.mtu": "1234", ICC: "false"}},
            id="icc off, and options",
        ),
        pytest.param({"driver": "overlay"}, {"driver": "overlay", "attachable": True}, id="overlay"),
    ],
)
def test_a_plan(asked: dict[str, Any], planned_so: dict[str, Any]) -> None:
    plan = planned("dockconn-x", {"dockconn": "x"}, **{**PLAIN, **asked})
    assert (plan.name, plan.labels) == ("dockconn-x", {"dockconn": "x"})
    assert {name: getattr(plan, name) for name in planned_so} == planned_so


def test_the_options_of_the_caller_stay_as_they_are() -> None:
    options: dict[str, str] = {}
    planned("dockconn-x", {}, **{**PLAIN, "icc": False, "options": options})
    assert options == {}


@pytest.mark.parametrize(
    "subnet", ["", "192.0.2.1/24", "192.0.2.0/33", "front", "192.0.2.0-192.0.2.9", "192.0.2.5", "fe80::%eth0/64"]
)
def test_a_subnet_that_is_none(subnet: str) -> None:
    with refused(f"subnet={subnet!r}"):
        planned("dockconn-x", {}, **{**PLAIN, "subnet": subnet})


FRONT = network("front", subnets=("10.1.0.0/16", "fd00:1::/64"))
ODD = network("odd", subnets=("172.28.0.1/16", "fd00:2::1/64"))
BACK = network("back", subnets=("192.0.2.0/25",))


@pytest.mark.parametrize(
    ("wished", "words"),
    [
        pytest.param(
            "10.1.0.0/16", ("'10.1.0.0/16' overlaps with network 'front', which has 10.1.0.0/16",), id="the same"
        ),
        pytest.param("10.1.2.0/24", ("overlaps with network 'front', which has 10.1.0.0/16",), id="a part of it"),
        pytest.param("10.0.0.0/8", ("overlaps with network 'front'",), id="around it"),
        pytest.param("192.0.2.0/24", ("overlaps with network 'back', which has 192.0.2.0/25",), id="of another"),
        pytest.param(
            "172.28.5.0/24", ("overlaps with network 'odd', which has 172.28.0.1/16",), id="of one with host bits"
        ),
        pytest.param("fd00:1::/80", ("overlaps with network 'front', which has fd00:1::/64",), id="IPv6"),
    ],
)
def test_a_subnet_that_another_has(wished: str, words: tuple[str, ...]) -> None:
    with refused(*words):
        check_overlap([wished], [network("none", subnets=()), FRONT, BACK, ODD])


@pytest.mark.parametrize(("marks", "said"), [({}, False), ({labels.REUSE: "hash"}, True)], ids=["in use", "kept"])
def test_what_is_kept_for_a_later_run_can_be_pruned(marks: dict[str, str], said: bool) -> None:
    with pytest.raises(SpecError) as caught:
        check_overlap(["10.1.0.0/24"], [network("old", subnets=("10.1.0.0/16",), labels=marks)])
    assert ("`dockconn prune` removes it" in str(caught.value)) == said


@pytest.mark.parametrize("wished", ["10.2.0.0/16", "192.0.2.128/25", "fd00:2::/64", "0.0.0.0/32", "::a01:0/112"])
def test_a_subnet_that_is_free(wished: str) -> None:
    check_overlap([wished], [FRONT, BACK])
    check_overlap([], [FRONT])


@given(st.integers(0, 2**40 - 1))
def test_a_unique_local_subnet(number: int) -> None:
    subnet = ipaddress.ip_network(free_ula([], [number]))
    assert subnet.subnet_of(ipaddress.ip_network("fd00::/8"))  # type: ignore[arg-type]
    assert subnet.prefixlen == 64
    assert int(subnet.network_address) >> 80 & 2**40 - 1 == number


def test_a_unique_local_subnet_that_another_has_is_drawn_again() -> None:
    taken = [network("six", subnets=("10.1.0.0/16", free_ula([], [1]))), network("wide", subnets=("fd00:0:2::1/48",))]
    assert free_ula(taken, itertools.count(1)) == free_ula([], [3])


USED_UP = [
    "creating network x: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    "creating network x: all predefined address pools have been fully subnetted",
]
NO_POOL6 = [
    "creating network x: could not find an available, non-overlapping IPv6 address pool among the defaults to assign to the network",
    "creating network x: no IPv6 address pool",
]
OTHERS = [
    "creating network x: Pool overlaps with other one on this address space",
    "creating network x: network with name x already exists",
    "",
]


@pytest.mark.parametrize("words", [*USED_UP, *NO_POOL6, *OTHERS])
def test_the_engines_words(words: str) -> None:
    assert (is_used_up(words), wants_subnet6(words)) == (words in USED_UP, words in NO_POOL6)

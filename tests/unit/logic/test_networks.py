"""``network()`` as a plan."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.samples import refused

from pytest_dockconn.logic.networks import ICC, planned

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


@pytest.mark.parametrize("subnet", ["", "192.0.2.1/24", "192.0.2.0/33", "front", "192.0.2.0-192.0.2.9"])
def test_a_subnet_that_is_none(subnet: str) -> None:
    with refused(f"subnet={subnet!r}"):
        planned("dockconn-x", {}, **{**PLAIN, "subnet": subnet})

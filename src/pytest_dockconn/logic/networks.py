"""What ``network()`` was asked for, as a plan. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ..errors import SpecError
from ..model.spec import NetworkPlan

ICC = "com.docker.network.bridge.enable_icc"


def planned(
    name: str,
    labels: Mapping[str, str],
    *,
    internal: bool,
    ipv6: bool,
    subnet: str | None,
    icc: bool,
    driver: str,
    options: Mapping[str, str] | None,
) -> NetworkPlan:
    """The plan. Raises ``SpecError`` for a subnet that is none."""
    wanted = dict(options or {})
    if not icc:
        wanted[ICC] = "false"
    return NetworkPlan(
        name=name,
        labels=labels,
        driver=driver,
        internal=internal,
        ipv6=ipv6,
        subnets=(_subnet(subnet),) if subnet is not None else (),
        options=wanted,
        attachable=driver == "overlay",
    )


def _subnet(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise SpecError(f"subnet={text!r}: {error}", remedy='write a network such as "192.0.2.0/24"') from None

"""Both ends of a failed question, as sections."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import container, endpoint

from pytest_dockconn.model.evidence import End, Listener
from pytest_dockconn.model.facts import Binding
from pytest_dockconn.model.spec import PortKey
from pytest_dockconn.report import ends


def text(**told: Any) -> list[str]:
    ((title, body),) = ends.sections([End(name="web", **told)])
    assert title == "dockconn: web"
    return body.splitlines()


def test_what_is_not_known_is_left_out() -> None:
    assert text() == []


def test_a_container() -> None:
    facts = container(
        "web", id="0123456789abcdef", status="running", health="healthy", bindings=(Binding(PortKey(80), "127.0.0.1", 81),),
        endpoints=(endpoint("front", "10.0.0.2", ip6="fd00::2", aliases=("db", "store")), endpoint("back", "", gateway="")),
    )  # fmt: skip
    told = text(
        facts=facts,
        interfaces=("eth0: 10.0.0.2/24",),
        routes=(),
        listeners=(Listener("tcp", "::", 80), Listener("tcp", "0.0.0.0", 80)),
        hosts="127.0.0.1\tlocalhost\n\n",
        resolver="nameserver 127.0.0.11",
        last_lines="  ready",
    )
    assert told == [
        "state:", "  running, healthy, web (0123456789ab) of image",
        "networks:", "  front: 10.0.0.2, fd00::2, gateway 172.17.0.1, aliases db, store", "  back: no address, gateway none",
        "  80/tcp is bound to 127.0.0.1:81",
        "addresses:", "  eth0: 10.0.0.2/24",
        "routes:", "  nothing",
        "listening sockets:", *(f"  {one}" for one in sorted(map(str, (Listener("tcp", "::", 80), Listener("tcp", "0.0.0.0", 80))))),
        "/etc/hosts:", "  127.0.0.1\tlocalhost",
        "/etc/resolv.conf:", "  nameserver 127.0.0.11",
        "last output:", "  ready",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"status": "exited", "exit_code": 3}, "  exited, exit code 3, web (id-of-web) of image"),
        ({"status": "restarting", "exit_code": 1}, "  restarting, exit code 1, web (id-of-web) of image"),
        ({"status": "paused"}, "  paused, web (id-of-web) of image"),
        ({"endpoints": (), "network_mode": "none"}, "  none (network mode none)"),
    ],
)
def test_states(changes: dict[str, Any], line: str) -> None:
    assert line in text(facts=container("web", **changes))


def test_of_very_many_some_are_shown() -> None:
    told = text(listeners=tuple(Listener("tcp", "0.0.0.0", number) for number in range(1, 101)))
    assert len(told) == 1 + ends.MOST + 1
    assert told[-1] == "  ... and 60 more"


def test_what_a_container_writes_can_not_change_the_terminal() -> None:
    assert "\x1b" not in "\n".join(text(last_lines="\x1b[31mred", hosts="\u202e"))

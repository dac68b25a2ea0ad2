"""What ``server()`` and ``client()`` were asked for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import container, endpoint, refused
from tests.unit.odd import HUGE

from pytest_dockconn.logic import specs
from pytest_dockconn.model.spec import PortKey


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        pytest.param(None, {}, id="nothing"),
        pytest.param({"A": "1"}, {"A": "1"}, id="text"),
        pytest.param({"A": 1, "B": 0.5}, {"A": "1", "B": "0.5"}, id="numbers"),
        pytest.param({"A": ""}, {"A": ""}, id="empty"),
        pytest.param({"A": "x=y\nz"}, {"A": "x=y\nz"}, id="anything in the value"),
    ],
)
def test_environment(written: Any, taken: dict[str, str]) -> None:
    assert specs.environment(written) == taken


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param(["A=1"], "a mapping", id="a list"),
        pytest.param("A=1", "a mapping", id="text"),
        pytest.param({"": "1"}, "is not the name of a variable", id="no name"),
        pytest.param({"A=B": "1"}, "is not the name of a variable", id="= in the name"),
        pytest.param({"A\0": "1"}, "is not the name of a variable", id="NUL in the name"),
        pytest.param({1: "1"}, "is not the name of a variable", id="a number as name"),
        pytest.param({"A": None}, "the value of 'A' is a NoneType", id="None"),
        pytest.param({"A": ["1"]}, "the value of 'A' is a list", id="a list as value"),
        pytest.param({"A": "1\x002"}, "the value of 'A'", id="NUL in the value"),
        pytest.param({"A": HUGE}, "the value of 'A' is a int", id="more digits than Python writes"),
        pytest.param(HUGE, "a mapping", id="the same in its place"),
    ],
)
def test_environment_refuses(written: Any, words: str) -> None:
    with refused(words):
        specs.environment(written)


def test_command() -> None:
    assert specs.command(None) is None
    assert specs.command(["sleep", "60"]) == ("sleep", "60")
    assert specs.command(word for word in ("sh", "-c", "")) == ("sh", "-c", "")


@pytest.mark.parametrize(
    "written", ["sleep 60", 7, [], ["sleep", 60], [None], ["a\0b"], ["sh", "\0"], [""], b"sh", {"sh": "-c"}], ids=repr
)
def test_command_refuses(written: Any) -> None:
    with refused("command="):
        specs.command(written)


ALONE = {"networks": False, "links": False, "aliases": False, "ports": False}


@pytest.mark.parametrize("mode", [None, "host", "none"])
def test_network_mode(mode: str | None) -> None:
    assert specs.network_mode(mode, **ALONE) == mode


def test_no_network_mode_goes_with_everything() -> None:
    assert specs.network_mode(None, networks=True, links=True, aliases=True, ports=True) is None


@pytest.mark.parametrize("mode", ["", "bridge", "container:x", 7, "HOST"], ids=repr)
def test_an_unknown_network_mode(mode: Any) -> None:
    with refused("network_mode=", "is not known"):
        specs.network_mode(mode, **ALONE)


@pytest.mark.parametrize("mode", ["host", "none"])
@pytest.mark.parametrize(
    ("asked", "word"), [("networks", "networks"), ("links", "links"), ("aliases", "aliases"), ("ports", "bind")]
)
def test_what_does_not_go_with_a_network_mode(mode: str, asked: str, word: str) -> None:
    with refused(f"{word} does not go with network_mode={mode!r}"):
        specs.network_mode(mode, **{**ALONE, asked: True})


def test_aliases() -> None:
    assert specs.check_aliases((), user_network=False) == ()
    assert specs.check_aliases(["db", "db.internal"], user_network=True) == ("db", "db.internal")


@pytest.mark.parametrize(
    ("written", "user_network", "words"),
    [
        pytest.param(["db"], False, "the default network has no DNS", id="on the default network"),
        pytest.param("db", True, "a list of names", id="text"),
        pytest.param(7, True, "a list of names", id="a number"),
        pytest.param(["a b"], True, "is not an alias", id="no name"),
        pytest.param({"db": "x"}, True, "a list of names", id="a mapping"),
    ],
)
def test_aliases_refuse(written: Any, user_network: bool, words: str) -> None:
    with refused(words):
        specs.check_aliases(written, user_network=user_network)


@pytest.mark.parametrize(
    ("written", "taken"),
    [((), ()), ("192.0.2.53", ("192.0.2.53",)), (["192.0.2.53", "fd00::53"], ("192.0.2.53", "fd00::53"))],
    ids=["nothing", "one", "several"],
)
def test_dns(written: Any, taken: tuple[str, ...]) -> None:
    assert specs.dns(written) == taken


@pytest.mark.parametrize(
    "written", ["ns1", ["192.0.2.53", ""], [None], None, 7.5, b"", ["fe80::1%\n6.6.6.6"], {"192.0.2.53": 1}], ids=repr
)
def test_dns_refuses(written: Any) -> None:
    with refused("dns"):
        specs.dns(written)


def test_extra_hosts() -> None:
    assert specs.extra_hosts(None) == {}
    table = {"db": "192.0.2.7", "host": "host-gateway", "six": "fd00::7"}
    assert specs.extra_hosts(table) == table


@pytest.mark.parametrize(
    "written",
    [
        "db:192.0.2.7",
        ["db:192.0.2.7"],
        {"a b": "192.0.2.7"},
        {"db": "db2"},
        {"db": None},
        {"db": "fe80::1%\n6.6.6.6 evil"},
        {5: "::1"},
    ],
    ids=repr,
)
def test_extra_hosts_refuse(written: Any) -> None:
    with refused():
        specs.extra_hosts(written)


def test_one_alias_twice() -> None:
    specs.no_alias_twice([("server1", "one"), ("server2", "two")])
    with refused("the alias 'db' is used twice"):
        specs.no_alias_twice([("server1", "db"), ("server2", "db")])


def test_a_source_of_a_link() -> None:
    specs.check_link_source(container(), "server1", "bridge")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"status": "exited", "exit_code": 3}, "server1 is not running", id="stopped"),
        pytest.param({"status": "paused"}, "server1 is not running", id="paused"),
        pytest.param({"endpoints": (endpoint("front"),)}, "not on the default network 'bridge'", id="elsewhere"),
        pytest.param({"endpoints": (), "network_mode": "none"}, "not on the default network", id="on no network"),
    ],
)
def test_what_can_not_be_the_source_of_a_link(changes: dict[str, Any], words: str) -> None:
    with refused("links: server1", words):
        specs.check_link_source(container(**changes), "server1", "bridge")


def test_a_server_listens_on_what_is_exposed_and_bound_each_once() -> None:
    tcp80, tcp81, udp53 = PortKey(80), PortKey(81), PortKey(53, "udp")
    assert specs.all_ports([tcp80, udp53], [tcp81, tcp80]) == (tcp80, udp53, tcp81)
    assert specs.all_ports((), ()) == ()


def test_what_our_server_answers_on() -> None:
    web, dns, other = PortKey(80), PortKey(53, "udp"), PortKey(9, "sctp")
    specs.check_answered((web, dns))
    with refused("no server of ours answers on 9/sctp, 10/sctp"):
        specs.check_answered((web, other, PortKey(10, "sctp")))
    assert specs.awaited((web, other, dns)) == (web, dns)

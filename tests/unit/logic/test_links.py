"""What a link promises, variable by variable.

The tables with ``docker`` and ``db`` are those of moby's own ``daemon/links/links_test.go``. 28.0 (moby#49300) sorts TCP first, and
counts two or more consecutive ports of one protocol as a run; before, three or more of any protocol were one.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.samples import container, endpoint

from pytest_dockconn.logic import links
from pytest_dockconn.model.spec import PortKey

IP = "172.17.0.2"
BOTH_WAYS = pytest.mark.parametrize("tcp_first", [True, False], ids=["28 on", "before 28"])


def keys(*written: str) -> tuple[PortKey, ...]:
    return tuple(PortKey(int(number), kind) for number, _, kind in (one.partition("/") for one in written))


def variables(*ports: str, tcp_first: bool, alias: str = "docker", env: dict[str, str] | None = None) -> dict[str, str]:
    return links.variables(
        links.Link(recipient="db", alias=alias, ip=IP, ports=keys(*ports), env=env or {}, tcp_first=tcp_first)
    )


def port(number: int, kind: str = "tcp", alias: str = "DOCKER") -> dict[str, str]:
    """The four variables that every exposed port has."""
    return {
        f"{alias}_PORT_{number}_{kind.upper()}": f"{kind}://172.17.0.2:{number}",
        f"{alias}_PORT_{number}_{kind.upper()}_ADDR": "172.17.0.2",
        f"{alias}_PORT_{number}_{kind.upper()}_PORT": f"{number}",
        f"{alias}_PORT_{number}_{kind.upper()}_PROTO": kind,
    }


@BOTH_WAYS
def test_one_port(tcp_first: bool) -> None:
    assert variables("6379/tcp", tcp_first=tcp_first, alias="docker-1") == {
        "DOCKER_1_NAME": "/db/docker-1",
        "DOCKER_1_PORT": "tcp://172.17.0.2:6379",
        "DOCKER_1_PORT_6379_TCP": "tcp://172.17.0.2:6379",
        "DOCKER_1_PORT_6379_TCP_ADDR": "172.17.0.2",
        "DOCKER_1_PORT_6379_TCP_PORT": "6379",
        "DOCKER_1_PORT_6379_TCP_PROTO": "tcp",
    }


@BOTH_WAYS
def test_nothing_exposed(tcp_first: bool) -> None:
    assert variables(tcp_first=tcp_first, env={"PASSWORD": "gordon"}) == {
        "DOCKER_NAME": "/db/docker",
        "DOCKER_ENV_PASSWORD": "gordon",
    }


@BOTH_WAYS
def test_variables_of_the_source_but_for_home_and_path(tcp_first: bool) -> None:
    env = {"PASSWORD": "gordon", "HOME": "/root", "PATH": "/bin", "HOMEPAGE": "", "path": "lower"}
    assert variables(tcp_first=tcp_first, env=env) == {
        "DOCKER_NAME": "/db/docker",
        "DOCKER_ENV_PASSWORD": "gordon",
        "DOCKER_ENV_HOMEPAGE": "",
        "DOCKER_ENV_path": "lower",
    }


@BOTH_WAYS
def test_three_consecutive_ports(tcp_first: bool) -> None:
    assert variables("6380/tcp", "6379/tcp", "6381/tcp", tcp_first=tcp_first) == {
        "DOCKER_NAME": "/db/docker",
        "DOCKER_PORT": "tcp://172.17.0.2:6379",
        "DOCKER_PORT_6379_TCP_START": "tcp://172.17.0.2:6379",
        "DOCKER_PORT_6379_TCP_PORT_START": "6379",
        "DOCKER_PORT_6379_TCP_END": "tcp://172.17.0.2:6381",
        "DOCKER_PORT_6379_TCP_PORT_END": "6381",
        **port(6379),
        **port(6380),
        **port(6381),
    }


def test_several_of_two_protocols_from_28_on() -> None:
    assert variables("6300/udp", "6379/tcp", "6380/tcp", "6381/tcp", "6382/udp", tcp_first=True) == {
        "DOCKER_NAME": "/db/docker",
        "DOCKER_PORT": "tcp://172.17.0.2:6379",
        "DOCKER_PORT_6379_TCP_START": "tcp://172.17.0.2:6379",
        "DOCKER_PORT_6379_TCP_PORT_START": "6379",
        "DOCKER_PORT_6379_TCP_END": "tcp://172.17.0.2:6381",
        "DOCKER_PORT_6379_TCP_PORT_END": "6381",
        **port(6300, "udp"),
        **port(6379),
        **port(6380),
        **port(6381),
        **port(6382, "udp"),
    }


def test_several_of_two_protocols_before_28() -> None:
    assert variables("6300/udp", "6379/tcp", "6380/tcp", "6381/tcp", "6382/udp", tcp_first=False) == {
        "DOCKER_NAME": "/db/docker",
        "DOCKER_PORT": "udp://172.17.0.2:6300",
        "DOCKER_PORT_6379_TCP_START": "tcp://172.17.0.2:6379",
        "DOCKER_PORT_6379_TCP_PORT_START": "6379",
        "DOCKER_PORT_6379_UDP_END": "udp://172.17.0.2:6382",
        "DOCKER_PORT_6379_UDP_PORT_END": "6382",
        **port(6300, "udp"),
        **port(6379),
        **port(6380),
        **port(6381),
        **port(6382, "udp"),
    }


def run(first: int, last: int, kind: str = "tcp") -> dict[str, str]:
    return {
        f"DOCKER_PORT_{first}_{kind.upper()}_START": f"{kind}://172.17.0.2:{first}",
        f"DOCKER_PORT_{first}_{kind.upper()}_PORT_START": f"{first}",
        f"DOCKER_PORT_{first}_{kind.upper()}_END": f"{kind}://172.17.0.2:{last}",
        f"DOCKER_PORT_{first}_{kind.upper()}_PORT_END": f"{last}",
    }


@pytest.mark.parametrize(
    ("ports", "tcp_first", "runs"),
    [
        pytest.param(["80/tcp", "443/tcp"], True, {}, id="28: apart"),
        pytest.param(["80/tcp", "443/tcp"], False, {}, id="before: apart"),
        pytest.param(["80/tcp", "81/tcp"], True, run(80, 81), id="28: two are a run"),
        pytest.param(["80/tcp", "81/tcp"], False, {}, id="before: two are none"),
        pytest.param(["80/tcp", "81/udp", "82/tcp"], True, {}, id="28: another protocol between"),
        pytest.param(["53/udp", "54/udp", "55/udp"], True, run(53, 55, "udp"), id="28: udp"),
        pytest.param(
            ["1/tcp", "2/tcp", "3/tcp", "7/tcp", "8/tcp", "9/tcp"], False, run(1, 3) | run(7, 9), id="before: two runs"
        ),
        pytest.param(
            ["1/tcp", "2/tcp", "3/tcp", "7/tcp", "8/tcp", "9/tcp"], True, run(1, 3) | run(7, 9), id="28: two runs"
        ),
    ],
)
def test_runs(ports: list[str], tcp_first: bool, runs: dict[str, str]) -> None:
    found = variables(*ports, tcp_first=tcp_first)
    assert {n: v for n, v in found.items() if "START" in n or "END" in n} == runs


@pytest.mark.parametrize(
    ("ports", "tcp_first", "first"),
    [
        pytest.param(["6300/udp", "6379/tcp"], True, "tcp://172.17.0.2:6379", id="28: the lowest TCP port"),
        pytest.param(["6300/udp", "6379/tcp"], False, "udp://172.17.0.2:6300", id="before: the lowest"),
        pytest.param(["53/udp", "53/tcp"], True, "tcp://172.17.0.2:53", id="28: a tie"),
        pytest.param(["53/udp", "53/tcp"], False, "tcp://172.17.0.2:53", id="before: a tie"),
        pytest.param(["443/tcp", "80/tcp"], True, "tcp://172.17.0.2:80", id="28: by number, not as text"),
        pytest.param(["90/tcp", "100/tcp"], False, "tcp://172.17.0.2:90", id="before: by number, not as text"),
        pytest.param(["53/udp", "54/udp"], True, "udp://172.17.0.2:53", id="28: no TCP"),
    ],
)
def test_the_port_of_a_link(ports: list[str], tcp_first: bool, first: str) -> None:
    assert variables(*ports, tcp_first=tcp_first)["DOCKER_PORT"] == first
    assert variables(*reversed(ports), tcp_first=tcp_first)["DOCKER_PORT"] == first


def test_the_order_of_28() -> None:
    shuffled = keys("6379/tcp", "6376/udp", "6380/tcp", "6376/sctp", "6381/tcp", "6381/udp", "6375/udp", "6375/sctp")
    assert links.in_order(shuffled, tcp_first=True) == list(
        keys("6379/tcp", "6380/tcp", "6381/tcp", "6375/sctp", "6376/sctp", "6375/udp", "6376/udp", "6381/udp")
    )


@pytest.mark.parametrize(
    ("alias", "prefix"), [("server3", "SERVER3"), ("docker-1", "DOCKER_1"), ("my_db", "MY_DB"), ("db.x", "DB.X")]
)
def test_the_prefix(alias: str, prefix: str) -> None:
    assert links.prefix(alias) == prefix


EXPECTED = {"DB_NAME": "/c/db", "DB_PORT": "tcp://172.17.0.2:80", "DB_ENV_A": "1"}


@pytest.mark.parametrize(
    ("seen", "lines"),
    [
        pytest.param(EXPECTED, [], id="exact"),
        pytest.param({**EXPECTED, "PATH": "/bin", "WEB_PORT": "x", "DBX_PORT": "y"}, [], id="others do not matter"),
        pytest.param({k: v for k, v in EXPECTED.items() if k != "DB_PORT"}, ["DB_PORT is missing"], id="missing"),
        pytest.param(
            {**EXPECTED, "DB_PORT": "tcp://172.17.0.9:80"},
            ["DB_PORT is 'tcp://172.17.0.9:80', expected 'tcp://172.17.0.2:80'"],
            id="stale",
        ),
        pytest.param({**EXPECTED, "DB_ENV_B": "s3cret"}, ["DB_ENV_B=*** was not expected"], id="too many"),
        pytest.param(
            {**EXPECTED, "DB_ENV_A": "s3cret"},
            ["DB_ENV_A is ***, expected another"],
            id="no secret of a server is shown",
        ),
        pytest.param(
            {**EXPECTED, "DB_PORT_81_TCP": "tcp://172.17.0.2:81"}, ["DB_PORT_81_TCP="], id="a port that is no more"
        ),
        pytest.param(
            {}, ["DB_ENV_A is missing (expected ***)", "DB_NAME is missing", "DB_PORT is missing"], id="nothing"
        ),
        pytest.param({**EXPECTED, "DB_NAMESPACE": "x", "DB_PORTAL": "y"}, [], id="names that only begin like them"),
    ],
)
def test_differences(seen: dict[str, str], lines: list[str]) -> None:
    found = links.differences(EXPECTED, seen, "db")
    assert len(found) == len(lines)
    for line, begins in zip(found, lines, strict=True):
        assert line.startswith(begins)


@pytest.mark.parametrize(
    ("others", "seen", "lines"),
    [
        pytest.param(["db"], {"DB_ENV_B": "x"}, ["DB_ENV_B=*** was not expected"], id="no other"),
        pytest.param(["db-env"], {"DB_ENV_NAME": "/c/db-env", "DB_ENV_PORT_80_TCP": "x"}, [], id="db-env"),
        pytest.param(["db_port"], {"DB_PORT_NAME": "/c/db_port", "DB_PORT_ENV_C": "x"}, [], id="db_port"),
        pytest.param(["db-env"], {"DB_ENV_B": "x"}, ["DB_ENV_B=*** was not expected"], id="none that it would set"),
        pytest.param(["db-env-x"], {"DB_ENV_X_PORT": "x"}, [], id="more in between"),
        pytest.param(["dbx"], {"DB_ENV_B": "x"}, ["DB_ENV_B=*** was not expected"], id="one that only begins like it"),
        pytest.param(["db-env"], {"DB_ENV_A": "2"}, ["DB_ENV_A is ***, expected another"], id="its own are compared"),
        pytest.param(["db-port", "web"], {"DB_PORT": "y"}, ["DB_PORT is 'y', expected 'tcp:"], id="its own port, too"),
    ],
)
def test_what_another_link_sets_is_not_held_against_one(
    others: list[str], seen: dict[str, str], lines: list[str]
) -> None:
    found = links.differences(EXPECTED, {**EXPECTED, **seen}, "db", others)
    assert len(found) == len(lines)
    for line, begins in zip(found, lines, strict=True):
        assert line.startswith(begins)


def test_a_name_that_both_of_two_links_set_is_not_held_against_the_shorter() -> None:
    """The engine leaves one of the two: the server's own NAME, or the link's."""
    both = {**EXPECTED, "DB_ENV_NAME": "of the server"}
    assert links.differences(both, {**both, "DB_ENV_NAME": "/c/db-env"}, "db", ["db", "db-env"]) == []
    told = ["DB_ENV_NAME is ***, expected another"]
    assert links.differences(both, {**both, "DB_ENV_NAME": "/c/db-env"}, "db", ["db"]) == told


@pytest.mark.parametrize(
    ("written", "alias", "linked"),
    [
        pytest.param(("server1", "db"), "db", True, id="by the name"),
        pytest.param(("SERVER1", "db"), "db", True, id="DNS knows no capitals"),
        pytest.param(("web", "db"), "db", True, id="by an alias that all know"),
        pytest.param(("id-of-server", "db"), "db", True, id="by the short id"),
        pytest.param(("server1.front", "db"), "db", True, id="by the name and the network"),
        pytest.param(("server1", ""), "server1", True, id="docker run --link server1"),
        pytest.param(("server1", ""), "db", False, id="another name"),
        pytest.param(("server1", "db"), "server1", False, id="the alias hides the name"),
        pytest.param(("server2", "db"), "db", False, id="another server"),
        pytest.param(("server1.back", "db"), "db", False, id="another network"),
    ],
)
def test_a_link_of_a_network(written: tuple[str, str], alias: str, linked: bool) -> None:
    ours = container("client1", endpoints=(endpoint(), endpoint("front", links=(written,))))
    theirs = container("server1", endpoints=(endpoint("front", aliases=("web",)),))
    assert links.on_a_network(ours, theirs, alias) is linked
    assert not links.on_a_network(ours, replace(theirs, endpoints=(endpoint("back", aliases=("web",)),)), alias)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("127.0.0.1\tlocalhost\n", {"localhost": ("127.0.0.1",)}, id="one"),
        pytest.param(
            "172.17.0.2\tserver3 0123456789ab dockconn-x-server3\n",
            {"server3": ("172.17.0.2",), "0123456789ab": ("172.17.0.2",), "dockconn-x-server3": ("172.17.0.2",)},
            id="as a link writes it",
        ),
        pytest.param("172.17.0.2 db\nfd00::2 db\n", {"db": ("172.17.0.2", "fd00::2")}, id="both families"),
        pytest.param("172.17.0.2 db\n172.17.0.2 db\n", {"db": ("172.17.0.2",)}, id="one line twice"),
        pytest.param("# a comment\n\n172.17.0.2 db # here\n", {"db": ("172.17.0.2",)}, id="comments"),
        pytest.param("172.17.0.2\n", {}, id="an address without a name"),
    ],
)
def test_hosts(text: str, table: dict[str, Any]) -> None:
    assert links.hosts(text) == table

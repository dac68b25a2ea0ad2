"""A matrix: who is asked by whom, and how its cells are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.samples import refused
from tests.unit import labs

from pytest_dockconn import Lab, ReachabilityError, Server, Verdict, assert_matrix, assert_policy


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


@pytest.fixture
def web(lab: Lab) -> Server:
    return lab.server(name="web")


@pytest.fixture
def api(lab: Lab) -> Server:
    return lab.server(name="api")


def test_every_pair_of_what_is_named(lab: Lab, web: Server, api: Server) -> None:
    """That of a container with itself, too: it may well not reach its own address."""
    matrix = lab.matrix([web, api], [web.port(80), api.port(80)])

    assert matrix[web, web.port(80)].answered_by == web.id
    assert matrix["api", api.port(80)].answered_by == api.id
    assert [line.split() for line in str(matrix).splitlines()] == [
        ["web:80", "api:80"], ["web", "yes", "yes"], ["api", "yes", "yes"],
    ]  # fmt: skip
    assert len(matrix) == 4
    assert_matrix(matrix, str(matrix))


OTHERS: dict[Any, Any] = {("web", "api:80"): True, ("api", "web:80"): True}


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(OTHERS, id="left out"),
        pytest.param({**OTHERS, ("web", "web:80"): "-"}, id="itself"),
        pytest.param({**OTHERS, ("web", "web:80"): "*"}, id="nobody cares"),
        pytest.param({**OTHERS, ("web", "web:80"): True}, id="as it is"),
        pytest.param("web:80 api:80\nweb - yes\napi yes -", id="a table"),
        pytest.param("web:80 api:80\nweb yes yes\napi yes -", id="a table that names one"),
    ],
)
def test_nobody_has_to_expect_something_of_a_container_with_itself(
    lab: Lab, web: Server, api: Server, expected: Any
) -> None:
    assert_matrix(lab.matrix([web, api], [web.port(80), api.port(80)]), expected)


@pytest.mark.parametrize("named", [False, Verdict.REFUSED, "timed-out"])
def test_but_what_is_expected_of_it_is_compared(lab: Lab, web: Server, api: Server, named: Any) -> None:
    matrix = lab.matrix([web, api], [web.port(80), api.port(80)])

    with pytest.raises(ReachabilityError, match="1 of 3 cells are not as expected: web -> web:80 is reachable"):
        assert_matrix(matrix, {**OTHERS, ("web", "web:80"): named})


def test_that_it_does_not_reach_itself_has_to_be_proved(lab: Lab, web: Server) -> None:
    """Nothing listens there: that says nothing of the way."""
    matrix = lab.matrix([web], [web.port(81)])

    assert str(matrix).split() == ["web:81", "web", "refused?"]
    with pytest.raises(ReachabilityError, match="web -> web:81 is refused, but inconclusive: web does not answer at"):
        assert_matrix(matrix, {("web", "web:81"): "no"})


def test_one_that_has_stopped_can_not_ask_itself(lab: Lab, web: Server) -> None:
    web.stop()
    matrix = lab.matrix([web], [web.port(80)])

    assert matrix[web, web.port(80)].verdict is Verdict.INCONCLUSIVE
    with pytest.raises(ReachabilityError, match="web -> web:80 is inconclusive, expected no"):
        assert_matrix(matrix, {(web, web): "no"})


def test_nobody_asks_himself_where_nothing_is_named(lab: Lab, web: Server, api: Server) -> None:
    """Nor in a policy, which is about others."""
    assert set(lab.matrix([web, api])) == set(OTHERS)
    assert set(assert_policy([web, api], allow=list(OTHERS))) == set(OTHERS)
    with refused("mistakes who is asked: web -> web:80"):
        assert_matrix(lab.matrix([web, api]), {**OTHERS, ("web", "web:80"): True})


# What a destination is called


def test_a_bare_name_is_its_owners_only_destination(lab: Lab, web: Server, api: Server) -> None:
    listener = lab.host.listen()
    matrix = lab.matrix([api, lab.host], [web, listener, "dns://api"])

    assert matrix["api", "web"] is matrix[api, web] is matrix["api", "web:80"]
    assert matrix["api", "host"] is matrix["api", "the host"] is matrix[api, listener]
    rest: dict[Any, Any] = {
        ("host", listener): "*",
        ("api", listener): "*",
        ("host", "dns://api"): "*",
        ("api", "dns://api"): "*",
    }
    assert_matrix(matrix, {("api", "web"): True, (lab.host, "web"): "yes", **rest})
    with pytest.raises(ReachabilityError, match="api -> web:80 is reachable, expected no"):
        assert_matrix(matrix, {("api", "web"): False, ("host", "web"): "yes", **rest})


def test_as_a_column_too(lab: Lab, web: Server, api: Server) -> None:
    matrix = lab.matrix([web, api], [web, api])

    assert_matrix(matrix, "from  web  api:80\nweb   -    yes\napi   yes  yes")
    with pytest.raises(ReachabilityError, match="api -> web:80 is reachable, expected no"):
        assert_matrix(matrix, "web  api\nweb  -  yes\napi  no  yes")
    with refused("names what was not asked: api -> nobody:80"):
        assert_matrix(matrix, "web  nobody:80\napi  yes  yes")


def test_a_bare_name_of_several_is_none(lab: Lab, api: Server) -> None:
    shop = lab.server(name="shop", expose=(80, "53/udp"))
    matrix = lab.matrix([api], [shop.port(80), shop.port(53, "udp")])

    with refused("shop is 2 destinations of the matrix: shop:80, shop:53/udp"):
        _ = matrix["api", "shop"]
    with refused("shop is 2 destinations of the matrix"):
        assert_matrix(matrix, {("api", "shop"): True})
    with refused("shop is 2 destinations of the matrix"):
        assert_matrix(matrix, "shop\napi yes")
    with refused("api -> api was not asked"):
        _ = matrix["api", "api"]


def test_what_is_said_twice_must_be_the_same(lab: Lab, web: Server, api: Server) -> None:
    matrix = lab.matrix([api], [web])

    assert_matrix(matrix, {("api", "web"): True, (api, web): True})
    with refused("has both yes and no for api -> web:80"):
        assert_matrix(matrix, {("api", "web"): True, (api, web): False})
    with refused("has both yes and no for api -> web:80"):
        assert_matrix(matrix, "web web:80\napi yes no")

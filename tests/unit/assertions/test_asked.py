"""What assertions remember of what they asked."""

from __future__ import annotations

import pytest
from tests.unit.labs import opened

from pytest_dockconn import ReachabilityError, assert_linked, assert_matrix, assert_policy, assert_reachable
from pytest_dockconn.handles.source import Destination, Source
from pytest_dockconn.model.asked import Asked


def seen(asked: list[Asked]) -> list[tuple[str, str, str, str, bool]]:
    return [(one.question, one.source, one.destination, one.verdict, one.passed) for one in asked]


def test_the_address_and_how_often() -> None:
    with opened() as lab:
        web = lab.server()
        assert_reachable(lab.client(), web.port(80))
        with pytest.raises(ReachabilityError):
            assert_reachable(lab.client(), web.port(81), within=0.05)
        first, last = lab._services.asked

        assert (first.address, first.attempts) == (web.ip, 1)
        assert (last.address, last.attempts > 1, last.passed) == (web.ip, True, False)


def test_every_cell_of_a_matrix_that_somebody_cares_about() -> None:
    with opened() as lab:
        web, one, other = lab.server(name="web"), lab.client(name="one"), lab.client(name="other")
        matrix = lab.matrix([one, other], [web.port(80), web.port(81)])
        expected: dict[tuple[Source | str, Destination], bool | str] = {
            ("one", "web:80"): True,
            ("one", "web:81"): True,
            ("other", "web:80"): "*",
            ("other", "web:81"): "*",
        }
        with pytest.raises(ReachabilityError):
            assert_matrix(matrix, expected)

        assert seen(lab._services.asked) == [
            ("matrix", "one", "web:80", "reachable", True),
            ("matrix", "one", "web:81", "refused", False),
        ]
        assert {one.address for one in lab._services.asked} == {web.ip}


def test_a_policy_is_told_from_a_matrix() -> None:
    with opened() as lab:
        web, one = lab.server(name="web"), lab.client(name="one")
        assert_policy([web, one], allow=[(one, web)])

        assert seen(lab._services.asked) == [("policy", "one", "web:80", "reachable", True)]


@pytest.mark.parametrize("linked", [True, False])
def test_a_link(linked: bool) -> None:
    with opened() as lab:
        web = lab.server(name="web")
        client = lab.client(name="one", links=[web] if linked else [])
        if linked:
            assert_linked(client, web)
        else:
            with pytest.raises(ReachabilityError):
                assert_linked(client, web)

        assert seen(lab._services.asked)[-1] == ("linked", "one", "web", "", linked)

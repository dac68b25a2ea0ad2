"""A compose project's containers by the names of its services."""

from __future__ import annotations

import pytest
from tests.samples import refused

from pytest_dockconn.logic.stack import NUMBER, ONE_OFF, SERVICE, by_service


def one(service: str, number: int = 1, one_off: str = "False") -> tuple[str, dict[str, str]]:
    return f"id-{service}-{number}", {SERVICE: service, NUMBER: str(number), ONE_OFF: one_off}


@pytest.mark.parametrize(
    ("containers", "named"),
    [
        pytest.param([], {}, id="nobody"),
        pytest.param([one("web"), one("db")], {"db": "id-db-1", "web": "id-web-1"}, id="one each, sorted"),
        pytest.param([one("web", 2), one("web", 1)], {"web-1": "id-web-1", "web-2": "id-web-2"}, id="replicas"),
        pytest.param([one("web", 3)], {"web": "id-web-3"}, id="the one that is left of several"),
        pytest.param([one("web"), one("web", 9, "True")], {"web": "id-web-1"}, id="a one-off is not the service"),
        pytest.param([one("migrate", 1, "True")], {}, id="one-offs alone"),
        pytest.param([("id", {SERVICE: "web"})], {"web": "id"}, id="without a number"),
        pytest.param([one("web", 10), one("web", 9)], {"web-10": "id-web-10", "web-9": "id-web-9"}, id="ten and more"),
    ],
)
def test_names(containers: list[tuple[str, dict[str, str]]], named: dict[str, str]) -> None:
    assert by_service(containers) == named
    assert list(by_service(containers)) == sorted(named)


def test_a_service_that_is_called_as_a_replica() -> None:
    with refused("two containers of the project would be called 'web-1'"):
        by_service([one("web", 1), one("web", 2), one("web-1")])

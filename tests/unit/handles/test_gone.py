"""A container that somebody else took away is named by whoever needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.unit import labs

from pytest_dockconn import Lab, Server
from pytest_dockconn.errors import NotFound

USES: dict[str, Callable[[Server], object]] = {
    "run a command in": lambda server: server.run("true"),
    "stop": lambda server: server.stop(),
    "start": lambda server: server.start(),
    "commit": lambda server: server.commit("chaos:1"),
    "read the logs of": lambda server: server.logs(),
    "read the variables of": lambda server: server.environment,
    "read /etc/hosts of": lambda server: server.hosts,
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


@pytest.mark.parametrize("what", USES)
def test_who_is_gone_is_named(lab: Lab, what: str) -> None:
    server = lab.server()
    lab._services.engine.remove(server.id)

    with pytest.raises(NotFound) as caught:
        USES[what](server)

    cause, checked, remedy = str(caught.value).splitlines()
    assert cause == f"can't {what} server1 ({server.id[:12]}): it is not there any more"
    assert "o such container" in checked
    assert "docker events" in remedy


def test_what_else_is_not_found_is_told_as_it_is(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    server = lab.server()

    def refused(*_: object) -> None:
        raise NotFound("no such exec instance")

    monkeypatch.setattr(lab._services.engine, "execute", refused)
    with pytest.raises(NotFound, match=r"^no such exec instance$"):
        server.run("true")

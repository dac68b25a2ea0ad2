"""Names that Docker takes."""

from __future__ import annotations

import pytest
from tests.unit.samples import refused

from pytest_dockconn.logic import names


@pytest.mark.parametrize("name", ["server1", "a1", "A.b_c-d", "0ab", "x" * 200])
def test_a_name_is_taken(name: str) -> None:
    assert names.checked(name) == name


@pytest.mark.parametrize(
    "name", ["", "a", "-ab", "_ab", ".ab", "a b", "a/b", "server1\n", "sërver", None, 7, b"server1"], ids=repr
)
def test_a_name_is_refused(name: object) -> None:
    with refused("is not a name that Docker takes"):
        names.checked(name)


@pytest.mark.parametrize("name", ["db", "a", "_a", "docker-1", "my_db", "db.internal", "x" * 253])
def test_an_alias_is_taken(name: str) -> None:
    assert names.hostname(name) == name


@pytest.mark.parametrize("name", ["", "-db", "db-", ".db", "db.", "a b", "a\tb", "a\n", "x" * 254, None, 7], ids=repr)
def test_an_alias_is_refused(name: object) -> None:
    with refused("is not an alias"):
        names.hostname(name)


def test_the_message_says_what_the_name_is_for() -> None:
    with refused("'a b' is not a hostname"):
        names.hostname("a b", "hostname")
    with refused("'' is not a container name"):
        names.checked("", "container name")


@pytest.mark.parametrize(
    ("lab", "name", "called"),
    [("", "server1", "dockconn-ab12-server1"), ("3", "server1", "dockconn-ab12-3-server1")],
    ids=["session", "test"],
)
def test_what_the_engine_calls_it(lab: str, name: str, called: str) -> None:
    assert names.on_engine("ab12", lab, name) == called
    assert names.checked(called) == called

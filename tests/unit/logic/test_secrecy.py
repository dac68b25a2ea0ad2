"""What of the environment is a secret."""

from __future__ import annotations

import time

import pytest

from pytest_dockconn.logic.secrecy import hidden, secrets


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("DB_PASSWORD", "hunter22", ("hunter22",)),
        ("PGPASSWORD", "hunter22", ("hunter22",)),
        ("github_token", "hunter22", ("hunter22",)),
        ("AWS_SECRET_ACCESS_KEY", "hunter22", ("hunter22",)),
        ("MY_API_KEY", "hunter22", ("hunter22",)),
        ("HOME", "/home/me", ()),
        ("KEYBOARD", "qwerty-de", ()),
        ("DB_PASSWORD", "root", ()),
        ("HTTP_PROXY", "http://me:hunter22@proxy:3128", ("hunter22",)),
        ("HTTP_PROXY", "http://me:hunter%2022@proxy:3128", ("hunter%2022", "hunter 22")),
        ("HTTP_PROXY", "http://me:hun@ter/22@proxy:3128", ("hun@ter/22",)),
        ("INDEX", "https://a/,https://me:hunter22@b", ("hunter22",)),
        ("INDEX", "https://0123456789abcdef@b", ("0123456789abcdef",)),
        ("DOCKER_HOST", "ssh://deployer@box", ()),
        ("DOCKER_HOST", "unix:///home/me:longer@work/x.sock", ()),
    ],
)
def test_variables(name: str, value: str, found: tuple[str, ...]) -> None:
    assert secrets({name: value}) == found


def test_of_urls_too_and_the_longest_first() -> None:
    found = secrets({"A_TOKEN": "hunter", "B_TOKEN": "hunter22"}, ["tcp://me:hunter2@box"])
    assert found == ("hunter22", "hunter2", "hunter")
    assert hidden("hunter22 hunter2 hunter", found) == "*** *** ***"


def test_long_variables_take_no_time() -> None:
    begun = time.process_time()
    secrets({"A": "a" * 200_000, "B": "://" * 30_000, "C": "://a:b@" * 20_000})
    assert time.process_time() - begun < 2

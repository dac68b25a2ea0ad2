"""The table at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import result, target

from pytest_dockconn.model.asked import Asked
from pytest_dockconn.model.probe import ProbeResult, Verdict
from pytest_dockconn.report import summary


@pytest.mark.parametrize(
    ("probed", "words"),
    [
        pytest.param(result(), "172.17.0.2 port 80, its own address", id="an address"),
        pytest.param(
            result(target=target("fd00::2"), address="fd00::2"), "[fd00::2] port 80, its own address", id="IPv6"
        ),
        pytest.param(result(target=target("web", via="name")), "web = 172.17.0.2 port 80, by name", id="a name"),
        pytest.param(
            result(target=target("web", via="name"), address=""), "web port 80, by name", id="an unknown name"
        ),
        pytest.param(
            result(target=target("127.0.0.1", 8080, via="bound port"), address="127.0.0.1"),
            "127.0.0.1 port 8080, the bound port",
            id="a bound port",
        ),
        pytest.param(result(target=target("web", via="url")), "web = 172.17.0.2 port 80, by name", id="a URL's name"),
        pytest.param(result(target=target(via="url")), "172.17.0.2 port 80, as the URL says", id="a URL"),
        pytest.param(
            result(target=target("web", 0, via="url", scheme="dns")), "web = 172.17.0.2 (dns), by name", id="no port"
        ),
        pytest.param(result(target=target("", 0), address=""), "no address", id="no address"),
    ],
)
def test_a_way(probed: ProbeResult, words: str) -> None:
    assert summary.way(probed) == words


def asked(**changes: Any) -> Asked:
    told: dict[str, Any] = {
        "test": "test_x", "question": "reachable", "source": "web", "destination": "port 80/tcp of api", "way": "there",
        "verdict": "reachable", "elapsed": 0.004, "passed": True,
    }  # fmt: skip
    return Asked(**{**told, **changes})


def test_nothing_was_asked() -> None:
    assert summary.lines([]) == []


def test_lines() -> None:
    many = [
        asked(),
        asked(elapsed=0.001, test="test_y"),
        asked(question="unreachable", verdict="timed-out", elapsed=1.5),
        asked(question="unreachable", passed=False),
        asked(passed=False, verdict=str(Verdict.REFUSED), source="the host"),
    ]
    assert summary.lines(many) == [
        "web       -> port 80/tcp of api  there  reachable             1.0 ms  x2",
        "web       -x port 80/tcp of api  there  timed-out, proved  1500.0 ms",
        "web       -x port 80/tcp of api  there  reachable             4.0 ms  FAILED",
        "the host  -> port 80/tcp of api  there  refused               4.0 ms  FAILED",
    ]


@pytest.mark.parametrize("question", ["matrix", "policy", "linked"])
def test_what_has_a_table_of_its_own_is_not_in_it(question: str) -> None:
    assert summary.lines([asked(question=question)]) == []
    assert len(summary.lines([asked(question=question), asked()])) == 1


def test_untrusted_names_stay_on_their_line() -> None:
    (line,) = summary.lines([asked(source="a\nb", destination="c\x1b[2J", way="d\re")])
    assert "\n" not in line
    assert "\x1b" not in line

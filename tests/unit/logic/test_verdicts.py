"""What a probe's answer means."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import OWNER, result, target

from pytest_dockconn.agent.identity import proof
from pytest_dockconn.logic import verdicts
from pytest_dockconn.model.probe import NEGATIVE, Connection, ProbeResult, Verdict

PATH = Connection("172.17.0.9", 40000, "172.17.0.2", 80)

OTHER = "b" * 64


def answered(**changes: Any) -> ProbeResult:
    return result(Verdict.REACHABLE, **{"path": PATH, **changes})


def row(**changes: Any) -> dict[str, Any]:
    told = {
        "protocol": "tcp", "local": "172.17.0.2", "port": 80, "peer": "172.17.0.9", "peer_port": 40000,
        "state": "established", "inode": 7, "queue": 0,
    }  # fmt: skip
    return {**told, **changes}


LOST = result(Verdict.TIMED_OUT)
SLOW = result(Verdict.TIMED_OUT, path=PATH)
ECHO = result(Verdict.TIMED_OUT, path=PATH, target=target(scheme="udp"))
NAMELESS = result(Verdict.TIMED_OUT, detail="name resolution: no answer for 'web' within 1 s")


@pytest.mark.parametrize(
    ("results", "lost"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param([LOST], True, id="a connection that nobody took"),
        pytest.param([ECHO], True, id="a datagram, of which nobody knows"),
        pytest.param([SLOW], False, id="a connection that was taken"),
        pytest.param([NAMELESS], False, id="a name server is silent"),
        pytest.param([result(Verdict.REFUSED)], False, id="refused"),
        pytest.param([result(Verdict.INCONCLUSIVE)], False, id="not asked"),
        pytest.param([result(Verdict.REFUSED), LOST], True, id="one of two"),
        pytest.param([SLOW, LOST], False, id="the other is slow"),
        pytest.param([answered()], False, id="answered"),
    ],
)
def test_what_gets_lost(results: list[ProbeResult], *, lost: bool) -> None:
    assert verdicts.are_lost(results) is lost


def test_an_agents_answer_as_a_result() -> None:
    seen = {
        "verdict": "reachable", "address": "172.17.0.2", "port": 80, "source": ["172.17.0.9", 40000], "elapsed": 0.0005,
        "status": 302, "text": "It works", "answered_by": OWNER, "detail": "HTTP 302", "location": "/there",
    }  # fmt: skip
    assert verdicts.result(target(), {**seen, "proof": proof("t", "n")}, {OWNER: "t"}, "n") == ProbeResult(
        verdict=Verdict.REACHABLE, target=target(), address="172.17.0.2", elapsed=0.0005, status=302, text="It works",
        answered_by=OWNER, detail="HTTP 302", path=PATH, location="/there",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "claims", "said", "known", "words"),
    [
        pytest.param({OWNER: "t"}, OWNER, proof("t", "n"), True, "", id="its proof"),
        pytest.param({OWNER: "t"}, OWNER, proof("t", "0"), False, "does not know that server's token", id="a replay"),
        pytest.param({OWNER: "t"}, OWNER, "t", False, "does not know that server's token", id="the token itself"),
        pytest.param({OWNER: "t"}, OWNER, "", False, "does not know that server's token", id="no proof"),
        pytest.param({}, OWNER, "", False, "was told no token", id="to be an owner that was told none"),
        pytest.param({OWNER: ""}, OWNER, proof("", "n"), False, "does not know that", id="of no token"),
        pytest.param({OWNER: "t"}, OTHER, "", True, "", id="to be somebody who is not known"),
        pytest.param({OTHER: "t"}, OTHER, "", False, "does not know that server's token", id="to be another of ours"),
        pytest.param({OTHER: "t"}, OTHER, proof("t", "n"), True, "", id="another's proof"),
    ],
)
def test_an_identity_without_its_proof_is_none(
    tokens: dict[str, str], claims: str, said: str, known: bool, words: str
) -> None:
    seen = {"verdict": "reachable", "answered_by": claims, "proof": said, "detail": "HTTP 200"}

    found = verdicts.result(target(), seen, tokens, "n")

    assert found.answered_by == (claims if known else "")
    assert ("claims to be" in found.detail) is not known
    assert words in found.detail


@pytest.mark.parametrize(
    "seen",
    [
        {}, {"verdict": "perhaps"}, {"verdict": None}, {"verdict": "refused", "elapsed": "x"}, {"verdict": "refused", "status": "x"},
        {"verdict": "refused", "source": [1]}, {"verdict": "refused", "source": 7}, {"verdict": "refused", "source": ["a", "b"]},
        {"verdict": "refused", "addresses": 7}, {"verdict": "refused", "attempts": [1]}, {"verdict": []}, {"verdict": "refused", "elapsed": [1]},
        {"verdict": "refused", "attempts": float("inf")},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_can_not_be_read_is_inconclusive(seen: dict[str, Any]) -> None:
    found = verdicts.result(target(), seen, {}, "n")
    assert (found.verdict, found.target) == (Verdict.INCONCLUSIVE, target())
    assert found.detail.startswith("the agent's answer can't be read: ")


@pytest.mark.parametrize(
    "claim",
    ["\x1b]0;owned\x07", "\x1b" * 64, "abc", "server1", "A" * 64, "5" * 63, "5" * 65, "5" * 64 + "\n", "host-1", "host-" + "g" * 16, "..", "²" * 64],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_id_is_no_claim(claim: str) -> None:
    """It would be looked up on the engine, and shown."""
    found = verdicts.result(target(), {"verdict": "reachable", "answered_by": claim, "detail": "HTTP 200"}, {}, "n")
    assert (found.answered_by, found.detail) == ("", "HTTP 200")


@pytest.mark.parametrize("claim", ["5" * 64, "0123456789abcdef" * 4, "host-0123456789abcdef"])
def test_an_id_is_a_claim(claim: str) -> None:
    assert verdicts.result(target(), {"verdict": "reachable", "answered_by": claim}, {}, "n").answered_by == claim


def test_an_agents_shortest_answer() -> None:
    found = verdicts.result(target(), {"verdict": "name-not-found"}, {}, "n")
    assert found == ProbeResult(verdict=Verdict.NAME_NOT_FOUND, target=target())
    assert not found


@pytest.mark.parametrize("verdict", Verdict, ids=str)
def test_every_word(verdict: Verdict) -> None:
    found = verdicts.result(target(), {"verdict": verdict.value}, {}, "n")
    assert found.verdict is verdict
    assert bool(found) is (verdict is Verdict.REACHABLE)


def test_what_can_prove_isolation() -> None:
    assert set(Verdict) - NEGATIVE == {Verdict.REACHABLE, Verdict.WRONG_SERVER, Verdict.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("probed", "owners"),
    [
        pytest.param(answered(answered_by=OWNER), True, id="the owner"),
        pytest.param(answered(answered_by=OTHER), False, id="another"),
        pytest.param(answered(), False, id="nobody in particular"),
        pytest.param(answered(answered_by=OTHER, target=target(owner="")), True, id="any may"),
        pytest.param(result(Verdict.REFUSED, answered_by=OWNER), False, id="no answer"),
    ],
)
def test_whose_answer_it_is(probed: ProbeResult, owners: bool) -> None:
    assert verdicts.is_owners(probed) is owners


def test_who_answered() -> None:
    said = verdicts.said_who(answered(answered_by=OTHER), "server2")
    assert (said.verdict, said.detail, said.answered_by) == (Verdict.WRONG_SERVER, "server2 answered", OTHER)


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("172.17.0.2", "172.17.0.2"),
        ("::ffff:172.17.0.2", "172.17.0.2"),
        ("fe80::1%eth0", "fe80::1"),
        ("FD00:0:0::2", "fd00::2"),
        ("no address", "no address"),
    ],
)
def test_plain(address: str, plain: str) -> None:
    assert verdicts.plain(address) == plain


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([row()], True, id="the other end"),
        pytest.param([row(peer="::ffff:172.17.0.9")], True, id="on a dual-stack socket"),
        pytest.param([row(peer_port=40001)], False, id="of another connection"),
        pytest.param([row(peer="172.17.0.8")], False, id="of another source"),
        pytest.param([row(port=81)], False, id="on another port"),
        pytest.param([row(peer="0.0.0.0", peer_port=0, state="listen")], False, id="a listener"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_the_other_end(rows: list[dict[str, Any]], found: bool) -> None:
    assert verdicts.found_in(rows, answered()) == (rows[0] if found else None)


def test_the_other_end_of_a_host_port_is_the_containers() -> None:
    probed = answered(target=target(port=32768, inner=80))
    assert verdicts.found_in([row(port=32768), row(port=80)], probed) == row(port=80)


def test_no_connection_has_no_other_end() -> None:
    assert verdicts.found_in([row()], answered(path=None)) is None


@pytest.mark.parametrize(
    ("before", "after", "fresh"),
    [
        pytest.param([], [row()], [row()], id="a new one"),
        pytest.param([row()], [row()], [], id="an old one"),
        pytest.param([row(peer_port=1)], [row(peer_port=1), row()], [row()], id="one more"),
        pytest.param([], [row(state="listen")], [], id="a listener"),
        pytest.param([], [row(port=81)], [], id="another port"),
        pytest.param([], [row(protocol="udp")], [], id="udp"),
        pytest.param([row(port=81)], [row()], [row()], id="old on another port"),
    ],
)
def test_new_connections(before: list[Any], after: list[Any], fresh: list[Any]) -> None:
    assert verdicts.new_connections(before, after, 80) == fresh


@pytest.mark.parametrize(
    ("seen", "own"),
    [
        pytest.param(row(peer="172.17.0.1"), False, id="of docker's proxy"),
        pytest.param(row(peer="::ffff:172.17.0.1", local="::ffff:172.17.0.2"), False, id="on a dual-stack socket"),
        pytest.param(row(peer="127.0.0.1", local="127.0.0.1"), True, id="a healthcheck over loopback"),
        pytest.param(row(peer="172.17.0.2"), True, id="a healthcheck over its own address"),
        pytest.param(row(peer="172.18.0.2"), True, id="from another address of its own"),
        pytest.param(
            row(peer="172.19.0.1", local="172.19.0.3"), False, id="at one that the engine does not tell: an overlay's"
        ),
        pytest.param(row(peer="172.19.0.3", local="172.19.0.3"), True, id="a healthcheck over that one"),
        pytest.param(row(peer="::1", local="::1"), True, id="a healthcheck over loopback, IPv6"),
    ],
)
def test_a_connection_of_the_owners_own_did_not_come_through_a_bound_port(seen: dict[str, Any], own: bool) -> None:
    assert verdicts.from_outside([seen], ["172.17.0.2", "172.18.0.2"]) == ([] if own else [seen])


OVER = row(state="time-wait", inode=0, peer_port=40001)


@pytest.mark.parametrize(
    ("rows", "over", "found"),
    [
        pytest.param([OVER, row()], False, [row()], id="rather one that is held"),
        pytest.param([OVER, row(state="fin-wait2")], True, [row(state="fin-wait2")], id="or closed on one side"),
        pytest.param([OVER], False, [], id="over, but the probe still waits"),
        pytest.param([OVER], True, [OVER], id="over, as the answer is"),
        pytest.param([], True, [], id="none"),
    ],
)
def test_a_connection_that_the_probe_holds_is_not_over(rows: list[Any], over: bool, found: list[Any]) -> None:
    assert verdicts.held(rows, over=over) == found


@pytest.mark.parametrize(
    ("found", "verdict", "answered_by", "words"),
    [
        pytest.param(row(), Verdict.REACHABLE, OWNER, "", id="taken by the owner"),
        pytest.param(row(state="time-wait", inode=0), Verdict.REACHABLE, OWNER, "", id="taken and closed"),
        pytest.param(row(inode=0), Verdict.TIMED_OUT, "", "accept queue", id="in the accept queue"),
        pytest.param(None, Verdict.WRONG_SERVER, "", "not in the network namespace of server1", id="not there"),
    ],
)
def test_proof_by_socket(found: Any, verdict: Verdict, answered_by: str, words: str) -> None:
    proven = verdicts.proven(answered(), found, "server1")
    assert (proven.verdict, proven.answered_by) == (verdict, answered_by)
    assert words in proven.detail


@pytest.mark.parametrize(
    ("state", "text", "verdict"),
    [
        ("established", "", Verdict.REACHABLE),
        ("close-wait", "", Verdict.REACHABLE),
        ("fin-wait2", "", Verdict.RESET),
        ("time-wait", "", Verdict.RESET),
        ("fin-wait2", "220 mail ready", Verdict.REACHABLE),
    ],
)
def test_a_connection_that_the_owner_has_given_up(state: str, text: str, verdict: Verdict) -> None:
    """Through a proxy that is slow to tell, it looks open still."""
    seen = answered(target=target(scheme="tcp"), text=text)
    assert verdicts.proven(seen, row(state=state), "server1").verdict is verdict


def test_an_answer_of_somebody_while_the_owner_is_gone() -> None:
    seen = verdicts.not_by(answered(), "server1", "exited")
    assert (seen.verdict, seen.answered_by) == (Verdict.WRONG_SERVER, "")
    assert "it was not server1, which is exited" in seen.detail


@pytest.mark.parametrize(
    ("rows", "via", "found"),
    [
        pytest.param([row(local="172.17.0.2")], "address", 0, id="at the address"),
        pytest.param([row(local="0.0.0.0")], "address", 0, id="at all of them"),
        pytest.param([row(local="::")], "address", 0, id="at all of both families"),
        pytest.param([row(local="::ffff:172.17.0.2")], "address", 0, id="IPv4 on a dual-stack socket"),
        pytest.param([row(local="0.0.0.0"), row(local="172.17.0.2")], "address", 1, id="rather at the address"),
        pytest.param([row(local="127.0.0.1")], "address", None, id="on loopback only"),
        pytest.param([row(local="127.0.0.1")], "bound port", 0, id="behind a bound port anywhere"),
        pytest.param([], "address", None, id="nowhere"),
    ],
)
def test_the_socket_that_takes_datagrams(rows: list[dict[str, Any]], via: str, found: int | None) -> None:
    seen = verdicts.hears(rows, answered(target=target(scheme="udp", via=via)))
    assert seen == (None if found is None else rows[found])


@pytest.mark.parametrize(("told", "verdict"), [(True, Verdict.WRONG_SERVER), (False, Verdict.INCONCLUSIVE)])
def test_in_the_hosts_namespace_a_socket_alone_proves_nothing(told: bool, verdict: Verdict) -> None:
    seen = verdicts.not_apart(answered(answered_by=OWNER), "server1", told=told)
    assert (seen.verdict, seen.answered_by) == (verdict, "")
    assert "shares the host's network" in seen.detail
    shared = verdicts.not_apart(answered(answered_by=OWNER), "server1", told=told, host=False)
    assert (shared.verdict, shared.answered_by) == (verdict, "")
    assert "shares a network namespace with other containers" in shared.detail

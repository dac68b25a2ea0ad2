"""Is it proved?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import container, endpoint, result, target

from pytest_dockconn.logic import proof
from pytest_dockconn.model.facts import ContainerFacts
from pytest_dockconn.model.probe import Connection, ProbeResult, Target, Verdict

YES, NO = result(Verdict.REACHABLE), result(Verdict.REFUSED, detail="connection refused")


def controls(**changes: Any) -> proof.Controls:
    told = {"source_works": True, "source_detail": "", "owner": container(), "inside": (YES,)}
    return proof.Controls(**{**told, **changes})


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        pytest.param({}, [], id="everything is there"),
        pytest.param({"inside": (YES, YES)}, [], id="at two addresses"),
        pytest.param({"source_works": False, "source_detail": "no socket"}, ["can't probe at all"], id="source"),
        pytest.param({"owner": container(status="paused")}, ["server1 is paused"], id="paused"),
        pytest.param({"owner": container(status="exited"), "inside": ()}, ["server1 is exited"], id="exited"),
        pytest.param({"inside": (NO,)}, ["does not answer at http://172.17.0.2:80/"], id="does not answer inside"),
        pytest.param({"inside": (YES, NO)}, ["does not answer at"], id="does not answer at one of two"),
        pytest.param({"inside": ()}, ["has no address"], id="nothing to ask inside"),
        pytest.param({"inside": (result(Verdict.WRONG_SERVER),)}, ["does not answer at"], id="another inside"),
        pytest.param({"inside": (result(Verdict.INCONCLUSIVE),)}, ["does not answer at"], id="not made inside"),
        pytest.param(
            {"source_works": False, "owner": container(status="exited")},
            ["can't probe at all", "server1 is exited"],
            id="both",
        ),
    ],
)
def test_what_is_missing(changes: dict[str, Any], lacks: list[str]) -> None:
    found = proof.missing(controls(**changes), "before", "server1", "client1")
    assert len(found) == len(lacks)
    for line, words in zip(found, lacks, strict=True):
        assert words in line
        assert "(before)" in line


@pytest.mark.parametrize("verdict", Verdict, ids=str)
def test_doubts(verdict: Verdict) -> None:
    doubtful = verdict in (Verdict.WRONG_SERVER, Verdict.INCONCLUSIVE)
    found = proof.doubts([result(Verdict.TIMED_OUT), result(verdict, detail="so it was")])
    assert bool(found) is doubtful
    assert not doubtful or ("so it was" in found[0] and str(verdict) in found[0])


@pytest.mark.parametrize(
    ("seen", "answer"),
    [([], None), ([NO], None), ([NO, YES], YES), ([result(Verdict.WRONG_SERVER)], None)],
    ids=["nothing", "no", "one of two", "a wrong server is no answer of the owner"],
)
def test_reached(seen: list[ProbeResult], answer: ProbeResult | None) -> None:
    assert proof.reached(seen) is answer


@pytest.mark.parametrize(
    ("because", "others"),
    [
        (None, []),
        ([Verdict.REFUSED], []),
        ([Verdict.TIMED_OUT], [NO]),
        ([Verdict.TIMED_OUT, Verdict.REFUSED], []),
    ],
    ids=["any reason", "this one", "another", "one of several"],
)
def test_other_reasons(because: list[Verdict] | None, others: list[ProbeResult]) -> None:
    assert proof.other_reasons([NO], because) == others


FRONT, BACK = endpoint("front", "172.18.0.2", ip6="fd00:18::2"), endpoint("back", "172.19.0.2")
OWNER = container(endpoints=(FRONT, BACK))
ON_HOST = container(network_mode="host", endpoints=())
CLIENT = container("client1")


@pytest.mark.parametrize(
    ("asked", "owner", "addresses"),
    [
        pytest.param(target("172.19.0.2"), OWNER, ("172.19.0.2",), id="the address in question"),
        pytest.param(target("172.19.0.9"), OWNER, (), id="not its address"),
        pytest.param(
            target("127.0.0.1", via="bound port"),
            OWNER,
            ("172.18.0.2", "172.19.0.2"),
            id="a bound port: all of its family",
        ),
        pytest.param(target("::1", via="bound port"), OWNER, ("fd00:18::2",), id="a bound port of IPv6"),
        pytest.param(
            target("::1", via="bound port"),
            container(endpoints=(BACK,)),
            ("172.19.0.2",),
            id="a bound port of IPv6, by a proxy to IPv4",
        ),
        pytest.param(target("db", via="name"), OWNER, ("172.18.0.2", "172.19.0.2", "fd00:18::2"), id="a name: all"),
        pytest.param(target("172.17.0.1"), ON_HOST, ("172.17.0.1",), id="in host mode"),
    ],
)
def test_where_the_owner_must_answer_inside(asked: Target, owner: ContainerFacts, addresses: tuple[str, ...]) -> None:
    assert proof.asked_inside(asked, owner) == addresses


@pytest.mark.parametrize(
    ("asked", "source", "words"),
    [
        pytest.param(target("172.18.0.2"), CLIENT, "", id="its address"),
        pytest.param(target("172.18.0.3"), CLIENT, "172.18.0.3 is not an address of server1", id="another address"),
        pytest.param(target("127.0.0.1", via="bound port"), None, "", id="loopback from the host"),
        pytest.param(
            target("127.0.0.1", via="bound port"), CLIENT, "is that container itself", id="loopback from a container"
        ),
        pytest.param(target("127.0.0.1", via="bound port"), ON_HOST, "", id="loopback from host mode"),
        pytest.param(target("172.17.0.1", via="bound port"), CLIENT, "", id="the gateway from a container"),
    ],
)
def test_what_leads_elsewhere(asked: Target, source: ContainerFacts | None, words: str) -> None:
    found = proof.beside(asked, OWNER, source)
    assert words in found
    assert bool(found) is bool(words)


def test_an_address_that_is_not_known_yet_leads_nowhere_else() -> None:
    assert proof.beside(target("", why="it has none"), OWNER, CLIENT) == ""


@pytest.mark.parametrize(
    ("verdict", "detail", "doubtful"),
    [
        (Verdict.NAME_NOT_FOUND, "name resolution: 'db' is not known", False),
        (Verdict.NAME_NOT_FOUND, "name resolution: temporary failure for 'db' (EAI_AGAIN)", True),
        (Verdict.TIMED_OUT, "name resolution: no answer for 'db' within 1 s", True),
        (Verdict.TIMED_OUT, "no answer while connecting to 172.17.0.2 port 80", False),
    ],
    ids=["no", "neither yes nor no", "silence", "silence of the server"],
)
def test_a_name_of_which_nobody_said_no(verdict: Verdict, detail: str, doubtful: bool) -> None:
    found = proof.doubts([result(verdict, detail=detail, target=target("db", via="name"))], container())
    assert found == ([f"no name server said whether there is a 'db': {verdict}, {detail}"] if doubtful else [])


PATH = Connection("172.17.0.9", 40000, "172.17.0.2", 80)


@pytest.mark.parametrize(
    ("seen", "doubtful"),
    [
        pytest.param(result(Verdict.TIMED_OUT, path=PATH), True, id="taken by the owner"),
        pytest.param(result(Verdict.TIMED_OUT), False, id="not taken"),
        pytest.param(result(Verdict.RESET, path=PATH), False, id="taken and closed"),
        pytest.param(result(Verdict.TIMED_OUT, path=PATH, address="172.17.0.7"), False, id="taken by another"),
        pytest.param(
            result(Verdict.TIMED_OUT, path=PATH, target=target(scheme="udp")), False, id="a datagram is sent blindly"
        ),
        pytest.param(result(Verdict.TIMED_OUT, path=PATH, target=target(via="bound port")), False, id="by a proxy"),
    ],
)
def test_a_connection_that_was_taken_is_no_isolation(seen: ProbeResult, doubtful: bool) -> None:
    assert bool(proof.doubts([seen], container())) is doubtful


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param(container(), container(), "", id="nothing"),
        pytest.param(container(), container(pid=8), "server1 was started again", id="another process"),
        pytest.param(
            container(started_at="2026-01-01T00:00:00Z"), container(started_at="2026-01-01T00:00:01Z"),
            "server1 was started again", id="the same process id, started later",
        ),
        pytest.param(container(), container(pid=0, status="exited"), "", id="gone, which is said elsewhere"),
        pytest.param(None, None, "", id="the host"),
        pytest.param(container(), None, "", id="not looked up"),
    ],
)  # fmt: skip
def test_what_happened_meanwhile(before: ContainerFacts | None, after: ContainerFacts | None, words: str) -> None:
    """Between the controls, where nothing may be known of it: it was down when it was asked, and is well again."""
    found = proof.changed(before, after, "server1")
    assert len(found) == bool(words)
    assert words in "".join(found)


@pytest.mark.parametrize(
    ("now", "more"),
    [
        pytest.param([target()], [], id="the same"),
        pytest.param([], [], id="none, which is said elsewhere"),
        pytest.param([target(), target("172.18.0.2")], ["http://172.18.0.2:80/"], id="another network"),
        pytest.param(
            [target("127.0.0.1", 32769, via="bound port")], ["http://127.0.0.1:32769/"], id="another host port"
        ),
        pytest.param([target("")], [], id="no address"),
    ],
)
def test_ways_that_were_not_asked(now: list[Target], more: list[str]) -> None:
    found = proof.unasked([target()], now)
    assert [line.partition(" ")[0] for line in found] == more

"""Does a name lead to the owner?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import CLIENT, container, endpoint, result, target

from pytest_dockconn.logic import called
from pytest_dockconn.model.facts import ContainerFacts
from pytest_dockconn.model.probe import ProbeResult, Verdict

ON_HOST = container("server1", network_mode="host", endpoints=(endpoint("host", "", gateway=""),))
BESIDE = container("sidecar", network_mode="container:id-of-server1")


def seen(at: str, verdict: Verdict = Verdict.REFUSED, **changes: Any) -> ProbeResult:
    return result(verdict, address=at, target=target("web", **{"via": "name", **changes}))


@pytest.mark.parametrize(
    ("one", "owner", "source", "words"),
    [
        pytest.param(seen("172.17.0.2"), container(), CLIENT, "", id="its address"),
        pytest.param(seen("172.17.0.7"), container(), CLIENT, "which is not an address of web1", id="another's"),
        pytest.param(seen("172.17.0.7"), container(), None, "which is not an address of web1", id="from the host"),
        pytest.param(seen("172.17.0.7", via="address"), container(), CLIENT, "", id="no name was asked"),
        pytest.param(seen("172.17.0.7", Verdict.WRONG_SERVER), container(), CLIENT, "", id="doubtful as it is"),
        pytest.param(seen("", Verdict.NAME_NOT_FOUND), container(), CLIENT, "", id="led nowhere"),
        pytest.param(seen("127.0.0.1"), container(), CLIENT, "that container itself, not web1", id="loopback"),
        pytest.param(seen("127.0.0.1"), container(), container(), "", id="loopback of its own"),
        pytest.param(seen("127.0.0.1"), container(), BESIDE, "", id="loopback that both have"),
        pytest.param(seen("127.0.0.1"), container(), None, "which is not an address", id="loopback of the host"),
        pytest.param(
            seen("127.0.0.1"), ON_HOST, CLIENT, "that container itself, not web1", id="loopback, in host mode"
        ),
        pytest.param(seen("127.0.0.1"), ON_HOST, None, "", id="loopback of the host, in host mode"),
        pytest.param(seen("172.17.0.1"), ON_HOST, CLIENT, "", id="in host mode"),
        pytest.param(seen("::1", via="bound port"), container(), CLIENT, "itself, not the host", id="bound, loopback"),
        pytest.param(seen("127.0.0.1", via="bound port"), container(), None, "", id="bound, from the host"),
        pytest.param(
            seen("192.0.2.1", via="bound port"), container(), CLIENT, "", id="bound: whose it is says the host"
        ),
    ],
)
def test_where_a_name_led(one: ProbeResult, owner: ContainerFacts, source: ContainerFacts | None, words: str) -> None:
    found = called.misled([one, one], owner, source, "web1")
    assert len(found) == bool(words)
    assert words in "".join(found)


def test_every_name_that_anybody_may_know_it_by() -> None:
    owner = container("run-server1", id="ab" * 32, hostname="Own", endpoints=(endpoint("front", aliases=("db",)),))
    others = [
        container("client1", links=(("run-server1", "old"), ("run-other", "others"))),
        container("client2", endpoints=(endpoint("front", links=(("run-server1", "new"),)),)),
    ]
    names = called.names_of(owner, others, "server1")
    assert {"run-server1", "server1", "ab" * 32, "ab" * 6, "own", "db", "old", "new", "db.front"} <= names
    assert not {"others", "", "client1"} & names


@pytest.mark.parametrize(
    ("verdict", "detail", "lines"),
    [
        (Verdict.NAME_NOT_FOUND, "name resolution: 'web' is not known", 1),
        (Verdict.NAME_NOT_FOUND, "name resolution: temporary failure for 'web' (EAI_AGAIN)", 0),
        (Verdict.REFUSED, "connection refused", 0),
    ],
    ids=["no", "neither yes nor no", "it is known"],
)
def test_a_name_of_nobody(verdict: Verdict, detail: str, lines: int) -> None:
    one = result(verdict, detail=detail, target=target("Web", via="name"))
    assert len(called.unknown([one, one], {"db"}, "server1")) == lines
    assert called.unknown([one], {"web"}, "server1") == []

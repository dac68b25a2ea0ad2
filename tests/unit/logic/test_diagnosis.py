"""Why did it not answer? From evidence to cause, one row for every cause."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import pytest
from tests.samples import CLIENT, container, endpoint, evidence, network, result, target

from pytest_dockconn.logic.diagnosis import answers, listening, names, rules, states, ways
from pytest_dockconn.logic.diagnosis.rules import diagnose
from pytest_dockconn.logic.networks import ICC
from pytest_dockconn.model.evidence import Drop, Evidence, Listener
from pytest_dockconn.model.facts import Binding
from pytest_dockconn.model.probe import Verdict
from pytest_dockconn.model.spec import PortKey

HTTP = Listener("tcp", "0.0.0.0", 80)
BY_NAME = target("web", via="name")
LISTENS = (HTTP,)
DROP = Drop("the host", "-A DOCKER-USER -p tcp -j DROP", 3)
MODULES = (states, names, listening, ways, answers)
SILENT = "name resolution: no answer for 'web' within 1 s"


def by_name(verdict: Verdict, detail: str = "as it was seen", address: str = "", **changes: Any) -> Evidence:
    return evidence(result=result(verdict, detail=detail, target=BY_NAME, address=address), **changes)


def here(*listeners: Listener, **changes: Any) -> Evidence:
    return evidence(Verdict.REFUSED, listeners=listeners, **changes)


CASES = [
    pytest.param(evidence(Verdict.INCONCLUSIVE, "the probe could not be made: no engine"), "not-asked", id="not asked"),
    pytest.param(evidence(owner=container(status="exited", exit_code=3), last_lines="boom"), "not-running", id="ended"),
    pytest.param(evidence(owner=container(status="exited", exit_code=3)), "not-running", id="ended, wrote nothing"),
    pytest.param(evidence(owner=container(status="exited", oom_killed=True)), "not-running", id="out of memory"),
    pytest.param(evidence(owner=container(status="dead", error="no disk")), "not-running", id="dead"),
    pytest.param(evidence(owner=container(status="created")), "not-running", id="never started"),
    pytest.param(evidence(owner=container(status="created", error="port taken")), "not-running", id="start failed"),
    pytest.param(evidence(owner=container(status="paused"), listeners=LISTENS), "paused", id="paused"),
    pytest.param(evidence(owner=container(status="restarting", restart_count=4)), "restarting", id="restarting"),
    pytest.param(evidence(owner=container(status="removed")), "removed", id="removed"),
    pytest.param(evidence(owner=container(status="removed", endpoints=())), "removed", id="removed, no address"),
    pytest.param(
        evidence(Verdict.WRONG_SERVER, answered_name="server2", listeners=LISTENS), "wrong-server", id="wrong server"
    ),
    pytest.param(
        evidence(Verdict.WRONG_SERVER, owner=container(status="exited"), holder="server2 has the address now"),
        "wrong-server",
        id="wrong server, where the owner has stopped",
    ),
    pytest.param(
        by_name(Verdict.WRONG_SERVER, address="172.17.0.8", hosts={"web": ("172.17.0.8",)}, answered_name="server2"),
        "wrong-server",
        id="wrong server by a stale name",
    ),
    pytest.param(by_name(Verdict.NAME_NOT_FOUND), "no-dns", id="a name on the default network"),
    pytest.param(
        by_name(
            Verdict.NAME_NOT_FOUND,
            source=container("client1", endpoints=(endpoint("front"),)),
            owner=container(endpoints=(endpoint("back", aliases=("web",)),)),
        ),
        "alias-elsewhere",
        id="a name of another network",
    ),
    pytest.param(
        by_name(Verdict.NAME_NOT_FOUND, source=container("client1", endpoints=(endpoint("front"),)), hosts={}),
        "name-unknown",
        id="a name that nobody has",
    ),
    pytest.param(
        by_name(Verdict.NAME_NOT_FOUND, source=None, owner=None, source_name="the host"),
        "name-unknown",
        id="a name that the host does not know",
    ),
    pytest.param(by_name(Verdict.TIMED_OUT, SILENT), "no-dns", id="a silent resolver on the default network"),
    pytest.param(
        by_name(Verdict.TIMED_OUT, SILENT, source=container("client1", endpoints=(endpoint("front"),))),
        "resolver",
        id="a silent resolver",
    ),
    pytest.param(
        evidence(
            result=result(Verdict.INCONCLUSIVE, target=target("", why="server1 has no address to ask port 80 by"))
        ),
        "no-address",
        id="no address",
    ),
    pytest.param(here(), "not-listening", id="listens on nothing"),
    pytest.param(here(Listener("tcp", "0.0.0.0", 8080)), "not-listening", id="listens on another port"),
    pytest.param(here(Listener("udp", "0.0.0.0", 80)), "not-listening", id="listens by another protocol"),
    pytest.param(here(Listener("tcp", "127.0.0.1", 80)), "loopback-only", id="on 127.0.0.1"),
    pytest.param(
        here(Listener("tcp", "127.0.0.1", 80), Listener("tcp", "::1", 80)), "loopback-only", id="on both loopbacks"
    ),
    pytest.param(
        here(HTTP, result=result(Verdict.REFUSED, address="fd00::2", target=target("fd00::2"))),
        "one-family",
        id="on IPv4, asked by IPv6",
    ),
    pytest.param(here(Listener("tcp", "fd00::2", 80)), "one-family", id="on IPv6, asked by IPv4"),
    pytest.param(
        here(Listener("tcp", "::", 80), answers_inside=False), "one-family", id="on :: for IPv6 only, asked by IPv4"
    ),
    pytest.param(
        evidence(
            Verdict.REFUSED,
            bound=True,
            listeners=LISTENS,
            owner=container(bindings=(Binding(PortKey(80), "127.0.0.1", 8080),)),
            result=result(Verdict.REFUSED, target=target("172.17.0.1", 8080, via="bound port")),
        ),
        "other-address",
        id="bound to another address",
    ),
    pytest.param(
        evidence(source=None, source_name="the host", same_host=False, listeners=LISTENS), "far-host", id="far host"
    ),
    pytest.param(
        evidence(
            Verdict.REFUSED,
            source=None,
            source_name="the host",
            same_host=False,
            has_loopback=False,
            bound=True,
            listeners=LISTENS,
            owner=container(bindings=(Binding(PortKey(80), "127.0.0.1", 8080),)),
            result=result(Verdict.REFUSED, target=target("127.0.0.1", 8080, via="bound port")),
        ),
        "far-loopback",
        id="loopback of a far host",
    ),
    pytest.param(
        evidence(owner=container(endpoints=(endpoint("back"),)), listeners=LISTENS),
        "no-shared-network",
        id="no shared network",
    ),
    pytest.param(evidence(listeners=LISTENS, networks=(network(options={ICC: "false"}),)), "icc-off", id="icc off"),
    pytest.param(
        evidence(
            owner=None,
            owner_name="",
            port=None,
            source=container("client1", endpoints=(endpoint("inner"),)),
            networks=(network("inner", internal=True),),
        ),
        "internal",
        id="internal network",
    ),
    pytest.param(
        evidence(detail="no answer while waiting for the first line: the connection was accepted", listeners=LISTENS),
        "silent",
        id="accepts in silence",
    ),
    pytest.param(evidence(detail="it waits in the accept queue", listeners=LISTENS), "silent", id="full accept queue"),
    pytest.param(evidence(Verdict.RESET, listeners=LISTENS), "closes", id="closes"),
    pytest.param(
        evidence(Verdict.INCONCLUSIVE, "the answer is not HTTP", listeners=LISTENS), "unreadable", id="not HTTP"
    ),
    pytest.param(
        evidence(Verdict.INCONCLUSIVE, "TLS: WRONG_VERSION_NUMBER", listeners=LISTENS), "tls", id="no TLS there"
    ),
    pytest.param(
        evidence(owner=container(endpoints=(endpoint(ip="172.17.0.5"),)), listeners=LISTENS),
        "not-its-address",
        id="an address that is not its own",
    ),
    pytest.param(
        evidence(port=PortKey(53, "udp"), listeners=(Listener("udp", "::", 53),), answers_inside=False),
        "swallows",
        id="swallows datagrams",
    ),
    pytest.param(here(owner=container(health="starting")), "starting", id="its health check has not passed"),
    pytest.param(here(age=0.5), "starting", id="started a moment ago"),
    pytest.param(
        by_name(Verdict.TIMED_OUT, hosts={"web": ("172.17.0.8",)}, listeners=LISTENS), "stale-hosts", id="stale hosts"
    ),
    pytest.param(
        evidence(Verdict.REFUSED, owner=None, owner_name="", port=None, source=None, unpublished=("server1",)),
        "not-published",
        id="exposed, not published",
    ),
    pytest.param(evidence(listeners=LISTENS, answers_inside=True, drops=(DROP,)), "firewall", id="a rule that counted"),
    pytest.param(
        evidence(Verdict.REFUSED, listeners=LISTENS, answers_inside=True, drops=(DROP,)), "firewall", id="a reject"
    ),
    pytest.param(
        evidence(listeners=LISTENS, answers_inside=True, unread="no root"), "firewall-suspected", id="a firewall"
    ),
    pytest.param(
        evidence(Verdict.REFUSED, listeners=LISTENS, answers_inside=True, drops=()),
        "firewall-suspected",
        id="a firewall that rejects",
    ),
    pytest.param(
        evidence(listeners=LISTENS, answers_inside=True, drops=(DROP,), partition="partition(web, db)"),
        "partition",
        id="cut off by the test",
    ),
    pytest.param(
        evidence(Verdict.REFUSED, listeners=(), partition="partition(web, db)"),
        "not-listening",
        id="cut off, and nothing listens",
    ),
    pytest.param(
        evidence(Verdict.REFUSED, owner=container(restart_count=3), age=0.2, listeners=()),
        "restarting",
        id="between two restarts it runs",
    ),
    pytest.param(
        evidence(Verdict.REFUSED, owner=container(restart_count=3), age=0.2),
        "restarting",
        id="between two restarts it runs, and ended before its sockets were read",
    ),
    pytest.param(
        evidence(Verdict.REFUSED, owner=container(restart_count=3), age=60.0, listeners=()),
        "not-listening",
        id="was restarted long ago",
    ),
    pytest.param(evidence(listeners=LISTENS), "unknown", id="nobody asked inside"),
    pytest.param(evidence(listeners=LISTENS, answers_inside=False), "unknown", id="does not answer inside either"),
    pytest.param(evidence(Verdict.NO_ROUTE, owner=None, owner_name="", port=None), "unknown", id="a URL"),
]


@pytest.mark.parametrize(("seen", "code"), CASES)
def test_a_cause(seen: Evidence, code: str) -> None:
    why = diagnose(seen)
    assert why.code == code
    assert why.cause.strip()
    assert "\n" not in why.cause
    assert [line for line in why.evidence if line.strip()]
    assert why.remedy.strip()


def test_every_cause_has_a_row() -> None:
    written = {"unknown"}  # the default of ``Why.code``
    for call in (node for module in MODULES for node in ast.walk(ast.parse(inspect.getsource(module)))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Why":
            codes = [*call.args[3:], *(k.value for k in call.keywords if k.arg == "code")]
            written |= {ast.literal_eval(code) for code in codes}
    assert written == {param.values[1] for param in CASES}


def test_every_rule_is_asked() -> None:
    named = {
        f for module in MODULES for f in vars(module).values()
        if inspect.isfunction(f) and str(inspect.signature(f)).startswith("(e: 'Evidence') -> 'Why | None'")
    }  # fmt: skip
    assert named == set(rules.RULES)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(
            evidence(owner=container(status="exited", exit_code=3), last_lines="boom"),
            ["server1 is not running", "exited with exit code 3", "boom", "server1.start()"],
            id="exit code and last output",
        ),
        pytest.param(evidence(owner=container(status="exited", oom_killed=True)), ["out of memory"], id="memory"),
        pytest.param(evidence(owner=container(status="paused")), ["docker unpause server1"], id="paused"),
        pytest.param(
            evidence(owner=container(status="restarting", exit_code=1, restart_count=4)), ["4 times"], id="restarts"
        ),
        pytest.param(
            by_name(Verdict.WRONG_SERVER, address="172.17.0.8", hosts={"web": ("172.17.0.8",)}, answered_name="s2"),
            ["s2 answered at http://web", "it is stale"],
            id="a stale name",
        ),
        pytest.param(
            here(Listener("tcp", "0.0.0.0", 8080)), ["nothing listens on 80/tcp", "tcp 0.0.0.0:8080"], id="what listens"
        ),
        pytest.param(here(), ["nothing at all"], id="nothing listens"),
        pytest.param(
            evidence(listeners=LISTENS, networks=(network(options={ICC: "false"}),), source=CLIENT),
            ["links of client1: none", "enable_icc=false on bridge"],
            id="icc",
        ),
        pytest.param(
            evidence(owner=container(endpoints=(endpoint("back", "172.19.0.2"),)), listeners=LISTENS),
            ["client1 is on bridge (172.17.0.9)", "server1 is on back (172.19.0.2)"],
            id="networks of both",
        ),
        pytest.param(
            evidence(listeners=LISTENS, answers_inside=True, drops=(DROP,)),
            [
                "a firewall rule of the host drops it: -A DOCKER-USER",
                "counted 3 more packets",
                "from inside its own network",
            ],
            id="a rule",
        ),
        pytest.param(
            evidence(Verdict.REFUSED, listeners=LISTENS, answers_inside=True, drops=(DROP,)),
            ["rejects it"],
            id="reject",
        ),
        pytest.param(
            evidence(listeners=LISTENS, answers_inside=True, unread="rules can't be read: that needs root"),
            ["as by a firewall", "that needs root"],
            id="a firewall",
        ),
        pytest.param(
            evidence(
                Verdict.WRONG_SERVER, owner=container(status="exited"), holder="server2 has the address 1.2.3.4 now"
            ),
            ["server2 answered at 172.17.0.2, not server1", "server2 has the address 1.2.3.4 now"],
            id="who has the address",
        ),
        pytest.param(
            evidence(
                owner=container(endpoints=(endpoint(ip="172.17.0.5"),)), holder="server2 has the address 172.17.0.2 now"
            ),
            ["172.17.0.2 is not an address of server1, which is at 172.17.0.5; server2 has the address 172.17.0.2 now"],
            id="another has the address",
        ),
        pytest.param(
            evidence(Verdict.INCONCLUSIVE, "TLS: WRONG_VERSION_NUMBER"),
            ["does not speak TLS", "ask by http://"],
            id="no TLS",
        ),
        pytest.param(
            evidence(Verdict.INCONCLUSIVE, "TLS: self-signed certificate"),
            ["the TLS handshake failed: self-signed certificate", "verify=False"],
            id="a certificate that nobody vouches for",
        ),
        pytest.param(here(age=0.52), ["it was started 0.5 s ago", "nothing listens on 80/tcp yet"], id="age"),
        pytest.param(
            by_name(Verdict.TIMED_OUT, hosts={"web": ("172.17.0.8",)}),
            ["says 172.17.0.8 for 'web'", "server1 is at 172.17.0.2"],
            id="both addresses of a stale name",
        ),
    ],
)
def test_what_is_shown(seen: Evidence, words: list[str]) -> None:
    why = diagnose(seen)
    shown = "\n".join((why.cause, *why.evidence, why.remedy))
    for word in words:
        assert word in shown


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        pytest.param(
            here(Listener("tcp", "127.0.0.1", 80), HTTP), "unknown", id="on loopback and on all: not loopback only"
        ),
        pytest.param(here(Listener("tcp", "::", 80)), "unknown", id="on :: takes IPv4 too"),
        pytest.param(here(age=60.0), "not-listening", id="it had time enough"),
        pytest.param(
            here(Listener("tcp", "0.0.0.0", 8080), age=0.5), "not-listening", id="young, but listens elsewhere"
        ),
        pytest.param(here(owner=container(health="unhealthy")), "not-listening", id="unhealthy is not starting"),
        pytest.param(
            by_name(Verdict.TIMED_OUT, hosts={"web": ("172.17.0.2",)}, listeners=LISTENS), "unknown", id="not stale"
        ),
        pytest.param(
            by_name(
                Verdict.TIMED_OUT, hosts={"web": ("172.17.0.8",)}, listeners=LISTENS, owner=container(endpoints=())
            ),
            "no-shared-network",
            id="an owner without address has no stale name",
        ),
        pytest.param(here(HTTP, Listener("tcp", "::", 80)), "unknown", id="on both families"),
        pytest.param(
            evidence(bound=True, listeners=LISTENS, owner=container(bindings=(Binding(PortKey(80), "0.0.0.0", 8080),))),
            "unknown",
            id="bound to any address is bound to this one",
        ),
        pytest.param(
            evidence(source=CLIENT, owner=container(endpoints=(endpoint("b"),)), bound=True, listeners=LISTENS),
            "unknown",
            id="a bound port needs no shared network",
        ),
        pytest.param(
            evidence(source=container("c", network_mode="host", endpoints=()), listeners=LISTENS),
            "unknown",
            id="host mode needs no shared network",
        ),
        pytest.param(
            evidence(
                listeners=LISTENS,
                source=container("c", endpoints=(endpoint(), endpoint("front"))),
                owner=container(endpoints=(endpoint(), endpoint("front"))),
                networks=(network(options={ICC: "false"}), network("front")),
            ),
            "unknown",
            id="icc off on one of two shared networks",
        ),
        pytest.param(evidence(source=None, same_host=True, listeners=LISTENS), "unknown", id="the host is near"),
        pytest.param(evidence(source=None, same_host=False, bound=True), "unknown", id="a bound port of a far host"),
    ],
)
def test_what_is_not_the_cause(seen: Evidence, code: str) -> None:
    assert diagnose(seen).code == code

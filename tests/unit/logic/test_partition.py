"""A cut as rules."""

from __future__ import annotations

import pytest
from tests.samples import container, refused

from pytest_dockconn.logic.partition import Cut, Doorway, Partition, Party, check, doorways, ruleset, why_not
from pytest_dockconn.model.facts import Binding
from pytest_dockconn.model.spec import PortKey

BOTH = Cut(("172.17.0.3", "fd00::3"))


def chain(text: str, name: str) -> list[str]:
    body = text.partition(f"chain {name} {{")[2].partition("}")[0]
    return [line.strip() for line in body.splitlines() if line.strip()]


def test_both_ways_cut_every_packet_of_both_families() -> None:
    text = ruleset("dockconn_x", BOTH)
    assert text.startswith("table inet dockconn_x {")
    assert chain(text, "out")[2:] == ["ip daddr 172.17.0.3 counter drop", "ip6 daddr fd00::3 counter drop"]
    assert chain(text, "into")[2:] == ["ip saddr 172.17.0.3 counter drop", "ip6 saddr fd00::3 counter drop"]


def test_loopback_is_left_alone() -> None:
    text = ruleset("x", BOTH)
    assert chain(text, "out")[1] == "oifname lo accept"
    assert chain(text, "into")[1] == "iifname lo accept"


@pytest.mark.parametrize(
    ("out", "into", "begun", "answers"),
    [
        pytest.param(True, False, "ct direction original ", "ct direction reply ", id="what it begins"),
        pytest.param(False, True, "ct direction reply ", "ct direction original ", id="what the other begins"),
    ],
)
def test_one_way_goes_by_who_began(out: bool, into: bool, begun: str, answers: str) -> None:
    text = ruleset("x", Cut(("172.17.0.3",), out=out, into=into))
    assert chain(text, "out")[2:] == [f"ip daddr 172.17.0.3 {begun}counter drop"]
    assert chain(text, "into")[2:] == [f"ip saddr 172.17.0.3 {answers}counter drop"]


def test_a_refusal_resets_tcp_and_answers_all_else() -> None:
    assert chain(ruleset("x", Cut(("172.17.0.3",), how="reject")), "out")[2:] == [
        "ip daddr 172.17.0.3 meta l4proto tcp counter reject with tcp reset",
        "ip daddr 172.17.0.3 counter reject with icmpx type port-unreachable",
    ]


def test_doorways_are_cut_only_on_the_way_out() -> None:
    doors = (Doorway("172.17.0.1", "tcp", 8080), Doorway("172.17.0.1", "udp", 53))
    text = ruleset("x", Cut((), doors))
    assert chain(text, "out")[2:] == [
        "ip daddr 172.17.0.1 tcp dport 8080 counter drop",
        "ip daddr 172.17.0.1 udp dport 53 counter drop",
    ]
    assert chain(text, "into")[2:] == []
    assert "dport" not in ruleset("x", Cut((), doors, out=False))
    rejects = chain(ruleset("x", Cut((), doors, how="reject")), "out")[2:]
    assert rejects[0].endswith("dport 8080 counter reject with tcp reset")
    assert rejects[1].endswith("dport 53 counter reject with icmpx type port-unreachable")


def test_a_binding_to_every_address_has_a_door_at_each() -> None:
    host = ("127.0.0.1", "172.17.0.1", "fe80::1")
    bindings = (
        Binding(PortKey(80), "0.0.0.0", 8080),
        Binding(PortKey(80), "::", 8081),
        Binding(PortKey(81), "127.0.0.1", 8082),
        Binding(PortKey(9, "sctp"), "127.0.0.1", 9),
    )
    assert doorways(bindings, host) == (
        Doorway("127.0.0.1", "tcp", 8080),
        Doorway("172.17.0.1", "tcp", 8080),
        Doorway("fe80::1", "tcp", 8081),
        Doorway("127.0.0.1", "tcp", 8082),
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"status": "exited"}, "it is exited"),
        ({"network_mode": "host"}, "the host's network"),
        ({"network_mode": "container:abc"}, "network of container abc"),
    ],
    ids=["fine", "ended", "host mode", "joined"],
)
def test_whose_rules_can_be_set(changes: dict[str, str], words: str) -> None:
    found = why_not(container(**changes))
    assert words in found
    assert bool(found) is bool(words)


def test_how() -> None:
    assert [check(how) for how in ("drop", "reject")] == ["drop", "reject"]
    with refused("how='slow'"):
        check("slow")


WEB, DB = container(id="1" * 64, name="web"), container(id="2" * 64, name="db")
ONE, TWO = Party("web", container=WEB.id), Party("db", container=DB.id)
NETWORK = Party("bridge", network=DB.endpoints[0].network_id)


@pytest.mark.parametrize(
    ("partition", "there", "back", "words"),
    [
        pytest.param(Partition(ONE, TWO), True, True, "partition(web, db)", id="both ways"),
        pytest.param(Partition(ONE, TWO, one_way=True), True, False, "partition(web, db, one_way=True)", id="one way"),
        pytest.param(Partition(ONE, NETWORK), True, True, "partition(web, bridge)", id="a whole network"),
        pytest.param(Partition(ONE, Party("x", container="3" * 64)), False, False, "partition(web, x)", id="others"),
        pytest.param(
            Partition(ONE, Party("back", network="4" * 64)), False, False, "partition(web, back)", id="elsewhere"
        ),
    ],
)
def test_whom_a_partition_parts(partition: Partition, there: bool, back: bool, words: str) -> None:
    assert (partition.parts(WEB, DB), partition.parts(DB, WEB), str(partition)) == (there, back, words)

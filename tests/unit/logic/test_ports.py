"""Ports as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import refused
from tests.unit.odd import HUGE

from pytest_dockconn.logic import ports
from pytest_dockconn.model.spec import PortKey, Publish

TCP80, TCP81, UDP53 = PortKey(80), PortKey(81), PortKey(53, "udp")


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        pytest.param(80, [TCP80], id="a number"),
        pytest.param("80", [TCP80], id="text"),
        pytest.param(" 80 ", [TCP80], id="text with blanks"),
        pytest.param("53/udp", [UDP53], id="with a protocol"),
        pytest.param("53/UDP", [UDP53], id="with a protocol in capitals"),
        pytest.param("132/sctp", [PortKey(132, "sctp")], id="sctp"),
        pytest.param((53, "udp"), [UDP53], id="a tuple"),
        pytest.param(("53", "udp"), [UDP53], id="a tuple of text"),
        pytest.param(UDP53, [UDP53], id="a key"),
        pytest.param("80-82", [TCP80, TCP81, PortKey(82)], id="a range"),
        pytest.param("80-80", [TCP80], id="a range of one"),
        pytest.param("53-54/udp", [UDP53, PortKey(54, "udp")], id="a range with a protocol"),
        pytest.param(1, [PortKey(1)], id="the lowest"),
        pytest.param(65535, [PortKey(65535)], id="the highest"),
    ],
)
def test_a_port_or_a_range(written: Any, keys: list[PortKey]) -> None:
    assert ports.many(written) == tuple(keys)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param(0, "0 is outside of 1 to 65535", id="zero"),
        pytest.param(65536, "65536 is outside", id="too high"),
        pytest.param(80000, "80000 is outside", id="FACTS: 80000"),
        pytest.param(-80, "-80 is outside of 1 to 65535", id="negative"),
        pytest.param("http", "'http' is no number", id="a name"),
        pytest.param("", "'' is not a port", id="empty"),
        pytest.param("/tcp", "'/tcp' is not a port", id="a protocol alone"),
        pytest.param("80/", "protocol '' is none of tcp, udp, sctp", id="no protocol behind the slash"),
        pytest.param("80/http", "protocol 'http' is none of", id="an unknown protocol"),
        pytest.param("9090-9089", "ends at 9089, before it begins at 9090", id="FACTS: a range backwards"),
        pytest.param("9090-", "range has two ends", id="FACTS: no end"),
        pytest.param("-9090", "range has two ends", id="FACTS: no beginning"),
        pytest.param("80-82-84", "is no number", id="two dashes"),
        pytest.param("٨٠", "is no number", id="digits of another script"),
        pytest.param("8 0", "is no number", id="a blank inside"),
        pytest.param(True, "a bool is no port", id="a bool"),
        pytest.param(80.0, "a float is no port", id="a float"),
        pytest.param(None, "a NoneType is no port", id="None"),
        pytest.param(b"80", "a bytes is no port", id="bytes"),
        pytest.param((80,), "a tuple has a number and a protocol", id="a tuple of one"),
        pytest.param((80, "tcp", 1), "a tuple has a number and a protocol", id="a tuple of three"),
        pytest.param(PortKey(0), "outside of 1 to 65535", id="a key out of range"),
        pytest.param(PortKey(80, "icmp"), "protocol 'icmp'", id="a key of an unknown protocol"),
        pytest.param("9" * 5000, "is outside of 1 to 65535", id="more digits than Python reads"),
        pytest.param(HUGE, "<int> is outside of 1 to 65535", id="more digits than Python writes"),
        pytest.param((80, HUGE), "protocol <int> is none of", id="a number as protocol"),
        pytest.param((HUGE, "tcp"), "is outside of 1 to 65535", id="the same in a tuple"),
        pytest.param(((80,), "tcp"), "a tuple is no port", id="a tuple in a tuple"),
        pytest.param((None, "tcp"), "a NoneType is no port", id="None in a tuple"),
    ],
)
def test_what_is_no_port_is_refused(written: Any, words: str) -> None:
    with refused(words):
        ports.many(written)


def test_one_port_is_one() -> None:
    assert ports.one("53/udp") == UDP53
    with refused("is a range"):
        ports.one("80-81")


@pytest.mark.parametrize(
    ("number", "protocol", "key"),
    [
        pytest.param(53, "udp", UDP53, id="beside it"),
        pytest.param("53", "udp", UDP53, id="beside a number as text"),
        pytest.param("53/udp", "tcp", UDP53, id="in it, where none is named beside it"),
        pytest.param("53/udp", "UDP", UDP53, id="both"),
        pytest.param(UDP53, "tcp", UDP53, id="a key"),
        pytest.param("80/tcp", "tcp", TCP80, id="tcp"),
    ],
)
def test_a_port_and_its_protocol(number: Any, protocol: Any, key: PortKey) -> None:
    assert ports.with_protocol(number, protocol) == key


@pytest.mark.parametrize(
    ("number", "protocol", "words"),
    [
        pytest.param("80/tcp", "udp", "'80/tcp' is not a port of udp", id="two of them"),
        pytest.param("53/udp", "xyz", "protocol 'xyz'", id="one that is none"),
        pytest.param("53/udp", None, "protocol None", id="None"),
        pytest.param("80-81", "udp", "is a range", id="a range"),
        pytest.param(None, "tcp", "a NoneType is no port", id="no port"),
    ],
)
def test_a_port_of_two_protocols(number: Any, protocol: Any, words: str) -> None:
    with refused(words):
        ports.with_protocol(number, protocol)


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        pytest.param((), (), id="nothing"),
        pytest.param(80, (TCP80,), id="one, without a tuple"),
        pytest.param("80-81", (TCP80, TCP81), id="a range, without a tuple"),
        pytest.param(UDP53, (UDP53,), id="a key, without a tuple"),
        pytest.param([80, "53/udp"], (TCP80, UDP53), id="in the order that was written"),
        pytest.param((80, "80/tcp", "80-81"), (TCP80, TCP81), id="each once"),
        pytest.param((port for port in (80, 81)), (TCP80, TCP81), id="a generator"),
    ],
)
def test_expose(written: Any, keys: tuple[PortKey, ...]) -> None:
    assert ports.exposed(written) == keys


@pytest.mark.parametrize("written", [None, 8.5, True, [True], [None], ["web"], b"80", {80: 8080}])
def test_expose_refuses(written: Any) -> None:
    with refused("expose"):
        ports.exposed(written)


def published(key: PortKey, address: str, host: str = "") -> Publish:
    return Publish(key, address, host)


@pytest.mark.parametrize(
    ("written", "wishes"),
    [
        pytest.param(None, [], id="nothing"),
        pytest.param({}, [], id="an empty mapping"),
        pytest.param({80: None}, [(TCP80, "127.0.0.1", "")], id="any free port of 127.0.0.1"),
        pytest.param({80: 8080}, [(TCP80, "127.0.0.1", "8080")], id="a port of 127.0.0.1"),
        pytest.param({80: "8080"}, [(TCP80, "127.0.0.1", "8080")], id="a port as text"),
        pytest.param({80: ("0.0.0.0", 8080)}, [(TCP80, "0.0.0.0", "8080")], id="open to the network"),
        pytest.param({80: ("127.0.1.2", None)}, [(TCP80, "127.0.1.2", "")], id="any free port of an address"),
        pytest.param({80: ("::1", 8080)}, [(TCP80, "::1", "8080")], id="IPv6"),
        pytest.param({80: ("[::1]", 8080)}, [(TCP80, "::1", "8080")], id="IPv6 in brackets"),
        pytest.param({"53/udp": 5353}, [(UDP53, "127.0.0.1", "5353")], id="udp"),
        pytest.param({(53, "udp"): None}, [(UDP53, "127.0.0.1", "")], id="a tuple as key"),
        pytest.param({80: "25232-25234"}, [(TCP80, "127.0.0.1", "25232-25234")], id="any of a range"),
        pytest.param(
            {80: [8080, ("0.0.0.0", 8081)]},
            [(TCP80, "127.0.0.1", "8080"), (TCP80, "0.0.0.0", "8081")],
            id="two for one",
        ),
        pytest.param(
            {"80-81": "9800-9801"}, [(TCP80, "127.0.0.1", "9800"), (TCP81, "127.0.0.1", "9801")], id="one to one"
        ),
        pytest.param({"80-81": None}, [(TCP80, "127.0.0.1", ""), (TCP81, "127.0.0.1", "")], id="a range, any free"),
        pytest.param(
            {"80-81": ("0.0.0.0", "9800-9801")},
            [(TCP80, "0.0.0.0", "9800"), (TCP81, "0.0.0.0", "9801")],
            id="one to one on an address",
        ),
    ],
)
def test_bind(written: Any, wishes: list[tuple[PortKey, str, str]]) -> None:
    assert ports.published(written) == tuple(published(*wish) for wish in wishes)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param(80, "a mapping", id="a number"),
        pytest.param([(80, 8080)], "a mapping", id="pairs"),
        pytest.param({"web": 80}, "port of bind", id="the key is no port"),
        pytest.param({80: 0}, "outside of 1 to 65535", id="host port 0"),
        pytest.param({80: 65536}, "outside of 1 to 65535", id="host port too high"),
        pytest.param({80: True}, "a bool is no port", id="a bool"),
        pytest.param({80: 8080.0}, "a float is no port", id="a float"),
        pytest.param({80: []}, "nothing to bind 80/tcp to", id="an empty list"),
        pytest.param({80: ("127.0.0.1",)}, "is no (address, port)", id="an address alone"),
        pytest.param({80: ("localhost", 8080)}, "'localhost' is not an address", id="a name"),
        pytest.param({80: ("127.0.0.256", 8080)}, "is not an address", id="no address"),
        pytest.param({80: ("", 8080)}, "is not an address", id="an empty address"),
        pytest.param({80: "9090-9089"}, "before it begins", id="FACTS: 9090-9089:80"),
        pytest.param({80: "9090-"}, "two ends", id="FACTS: 9090-:80"),
        pytest.param({80: "-9090"}, "two ends", id="FACTS: -9090:80"),
        pytest.param({"80-82": "9800-9801"}, "3 container ports and 2 host ports", id="ranges of unequal length"),
        pytest.param({"80-82": 9800}, "3 container ports and 1 host ports", id="one host port for three"),
        pytest.param({80: HUGE}, "outside of 1 to 65535", id="a host port without end"),
        pytest.param({80: ("fe80::1%\x1b[2J", 8080)}, "is not an address", id="a zone"),
    ],
)
def test_bind_refuses(written: Any, words: str) -> None:
    with refused(words):
        ports.published(written)

"""URLs as destinations."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.samples import refused

from pytest_dockconn.errors import SpecError
from pytest_dockconn.logic.destinations import parse
from pytest_dockconn.model.probe import Target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        pytest.param("http://server3/", Target("http", "server3", 80), id="the usual port"),
        pytest.param("http://server3", Target("http", "server3", 80), id="without a path"),
        pytest.param("https://server3", Target("https", "server3", 443), id="the usual port of https"),
        pytest.param("http://server3:8080/a/b?c=d#e", Target("http", "server3", 8080, "/a/b?c=d"), id="path and query"),
        pytest.param("http://server3?c=d", Target("http", "server3", 80, "/?c=d"), id="a query without a path"),
        pytest.param("HTTP://Server3/Page", Target("http", "server3", 80, "/Page"), id="capitals"),
        pytest.param("http://172.17.0.2:80/", Target("http", "172.17.0.2", 80), id="IPv4"),
        pytest.param("http://[fd00::2]:8080/", Target("http", "fd00::2", 8080), id="IPv6"),
        pytest.param("tcp://db:5432", Target("tcp", "db", 5432), id="tcp"),
        pytest.param("udp://dns:53", Target("udp", "dns", 53), id="udp"),
        pytest.param("tcp://[fd00::2]:80", Target("tcp", "fd00::2", 80), id="tcp by IPv6"),
        pytest.param("http://[::1]/", Target("http", "::1", 80), id="IPv6 loopback"),
        pytest.param("http://[FD00:0:0::2]/", Target("http", "fd00::2", 80), id="IPv6 as engines write it"),
        pytest.param("tcp://[fd00:0000::00a2]:80", Target("tcp", "fd00::a2", 80), id="zeros that nobody writes"),
        pytest.param("icmp://[0:0:0:0:0:0:0:1]", Target("icmp", "::1", 0), id="IPv6 loopback at length"),
        pytest.param("http://[fe80::1%eth0]/", Target("http", "fe80::1%eth0", 80), id="IPv6 with a zone"),
        pytest.param("dns://web", Target("dns", "web", 0), id="dns"),
        pytest.param("dns://web/", Target("dns", "web", 0), id="dns with a slash"),
        pytest.param("icmp://web", Target("icmp", "web", 0), id="icmp"),
        pytest.param("icmp://172.17.0.1", Target("icmp", "172.17.0.1", 0), id="icmp of an address"),
        pytest.param("icmp://[fd00::1]", Target("icmp", "fd00::1", 0), id="icmp by IPv6"),
    ],
)
def test_a_url(url: str, target: Target) -> None:
    assert parse(url) == target
    assert target.via == "url"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("", "it has no scheme", id="empty"),
        pytest.param("server3", "it has no scheme", id="a name"),
        pytest.param("server3:80", "it has no scheme", id="a name and a port"),
        pytest.param("ftp://server3", "unknown scheme 'ftp'", id="unknown"),
        pytest.param("://server3", "unknown scheme ''", id="empty scheme"),
        pytest.param("http://", "it has no host", id="no host"),
        pytest.param("http:///page", "it has no host", id="a path alone"),
        pytest.param("http://:80/", "it has no host", id="a port alone"),
        pytest.param("http://server3:0/", "port 0", id="port 0"),
        pytest.param("http://server3:65536/", "ort", id="port too high"),
        pytest.param("http://server3:web/", "ort", id="port is no number"),
        pytest.param("http://[fd00::2/", "IPv6", id="no closing bracket"),
        pytest.param("tcp://db", "tcp needs a port", id="tcp without a port"),
        pytest.param("udp://dns", "udp needs a port", id="udp without a port"),
        pytest.param("dns://", "it has no host", id="dns without a name"),
        pytest.param("dns://web:53", "dns takes a host alone", id="dns with a port"),
        pytest.param("dns://web/page", "dns takes a host alone", id="dns with a path"),
        pytest.param("icmp://web:1", "icmp takes a host alone", id="icmp with a port"),
        pytest.param("icmp://web?size=9", "icmp takes a host alone", id="icmp with a query"),
        pytest.param("http://fd00::2:80/", "an IPv6 address goes into brackets", id="IPv6 without brackets"),
        pytest.param("icmp://fd00::2", "an IPv6 address goes into brackets", id="icmp without brackets"),
        pytest.param("http://server 3/", "white space", id="a blank in the host"),
        pytest.param("http://server3/a b", "white space", id="a blank in the path"),
        pytest.param("http://server3/\r\nX: y", "white space", id="a line end"),
        pytest.param("http://server3/\x00", "control", id="a control character"),
        pytest.param("http://server3/\x7f", "control", id="another"),
        pytest.param("http://\udcff/", "control", id="what is no text"),
        pytest.param("http://server3/\u202e", "control", id="what turns the rest around"),
        pytest.param("http://user:secret@server3/", "users and passwords", id="credentials"),
    ],
)
def test_what_is_no_destination(url: str, words: str) -> None:
    with refused("is not a destination", words):
        parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@server3/",
        "ftp://user:secret@server3/",
        "http://user:secret@server3:99999/",
        "http://user:secret@:80/",
        "tcp://user:secret@db",
        "http://user:secret@server3/a b",
        "http://user:s3/secret@server3/",
        "http://user:s3#secret@server3/",
        "http://user:s3?secret@server3/",
        "http://user:s3[secret@server3/",
        "http://user:s3\uff03secret@server3/",
        "user:secret@server3",
        "user:s3/secret@server3",
    ],
)
def test_no_message_shows_a_password(url: str) -> None:
    """Neither of the URL nor of the library's words about it, which stand in a traceback."""
    with pytest.raises(ValueError, match="is not a destination") as caught:
        parse(url)
    shown = "".join(traceback.format_exception(caught.value)).replace(repr(url), "")
    assert "secret" not in shown
    assert "s3" not in shown


@given(st.sampled_from(["http", "https", "tcp", "udp"]), st.ip_addresses(), st.integers(1, 65535))
def test_what_a_target_is_shown_as_is_the_same_target(scheme: str, address: object, port: int) -> None:
    host = f"[{address}]" if ":" in str(address) else str(address)
    target = parse(f"{scheme}://{host}:{port}")
    assert (target.scheme, target.host, target.port) == (scheme, str(address), port)
    assert parse(str(target)) == target


@given(st.text(max_size=40).map("http://{}".format) | st.text(alphabet="htp:/[]%@?#1x", max_size=30))
@example("http://[::1]:80:80/")
@example("http://[v1.x]/")
def test_whatever_is_written_is_read_or_refused(url: str) -> None:
    try:
        target = parse(url)
    except SpecError:
        return
    assert target.host
    assert 0 <= target.port < 65536

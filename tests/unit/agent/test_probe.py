"""One probe, against real servers on loopback."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from typing import Any, NoReturn

import pytest
from tests.unit.agent import servers

from pytest_dockconn.agent import echo, held, http, probe, resolve, verdict

#: A probe that has an answer coming; far more than it takes.
ENOUGH = 5.0
#: A probe that has none coming.
SHORT = 0.15
#: No probe may take this much longer than it was given, however busy the machine.
SLACK = 1.0


def ask(port: int, scheme: str = "http", timeout: float = ENOUGH, **more: Any) -> dict[str, Any]:
    return probe.probe({"scheme": scheme, "host": "127.0.0.1", "port": port, "timeout": timeout, **more})


PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Dockconn-Container: abc\r\n\r\nIt works"
OK = b"HTTP/1.1 200 OK\r\n"


def test_a_page() -> None:
    with servers.tcp(servers.says(PAGE)) as port:
        seen = ask(port)
    assert seen["verdict"] == verdict.REACHABLE
    assert (seen["status"], seen["text"], seen["answered_by"], seen["detail"]) == (200, "It works", "abc", "HTTP 200")
    assert (seen["address"], seen["port"], seen["source"][0]) == ("127.0.0.1", port, "127.0.0.1")
    assert 0 < seen["elapsed"] < ENOUGH
    assert "doing" not in seen


@pytest.mark.parametrize(
    ("pieces", "status", "text"),
    [
        pytest.param([PAGE], 200, "It works", id="by length"),
        pytest.param([b"HTTP/1.0 200 OK\r\n\r\nIt ", b"works"], 200, "It works", id="to the end of the connection"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nIt \r\n", b"5;x=y\r\nworks\r\n0\r\n\r\n"],
            200,
            "It works",
            id="in chunks",
        ),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nIt works"], 200, "", id="chunks that are none"
        ),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nIt works"], 200, "It works", id="cut short"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nIt works"], 200, "It works", id="no length"),
        pytest.param([OK + b"Content-Length: \xb2\r\n\r\nIt works"], 200, "It works", id="a digit that is none"),
        pytest.param([OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nIt works"], 200, "It works", id="too long"),
        pytest.param([OK + b"Content-Length: -1\r\n\r\nIt works"], 200, "It works", id="a negative length"),
        pytest.param([OK + b"Content-Length: 1_0\r\n\r\nIt works"], 200, "It works", id="as Python writes numbers"),
        pytest.param([OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nIt works"], 200, "", id="a negative chunk"),
        pytest.param(
            [OK + b"Transfer-Encoding: chunked\r\n\r\n0x8\r\nIt works"], 200, "", id="a chunk as Python writes"
        ),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nIt works"], 200, "It", id="no more than its length"
        ),
        pytest.param([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], 404, "", id="an error page answers too"),
        pytest.param([b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n"], 503, "", id="no reason"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe"], 200, "\ufffd\ufffd", id="no UTF-8"),
        pytest.param([PAGE[:4], PAGE[4:30], PAGE[30:]], 200, "It works", id="in pieces"),
    ],
)
def test_answers(pieces: list[bytes], status: int, text: str) -> None:
    with servers.tcp(servers.says(*pieces)) as port:
        seen = ask(port)
    assert (seen["verdict"], seen["status"], seen["text"]) == (verdict.REACHABLE, status, text)


def test_a_redirect_is_not_followed_but_told() -> None:
    with servers.tcp(
        servers.says(b"HTTP/1.1 302 Found\r\nLocation: http://there/\r\nContent-Length: 0\r\n\r\n")
    ) as port:
        seen = ask(port)
    assert (seen["status"], seen["location"]) == (302, "http://there/")


@pytest.mark.parametrize(
    ("more", "line", "host"),
    [
        pytest.param({}, "GET / HTTP/1.1", "127.0.0.1:{}", id="the address"),
        pytest.param({"path": "/a?b=c"}, "GET /a?b=c HTTP/1.1", "127.0.0.1:{}", id="path and query"),
        pytest.param({"name": "web"}, "GET / HTTP/1.1", "web:{}", id="a name in place of the address"),
        pytest.param({"name": "fd00::2"}, "GET / HTTP/1.1", "[fd00::2]:{}", id="IPv6"),
        pytest.param({"nonce": "n0nce"}, "GET / HTTP/1.1", "127.0.0.1:{}", id="a nonce"),
    ],
)
def test_the_request(more: dict[str, Any], line: str, host: str) -> None:
    got: list[bytes] = []

    def note(connection: socket.socket, over: threading.Event) -> None:
        got.append(connection.recv(65536))
        connection.sendall(PAGE)

    with servers.tcp(note) as port:
        ask(port, **more)
    lines = got[0].decode().split("\r\n")
    assert lines[0] == line
    assert f"Host: {host.format(port)}" in lines
    assert "Connection: close" in lines
    assert [one for one in lines if one.lower().startswith("x-dockconn")] == ["x-dockconn-nonce: n0nce"] * (
        "nonce" in more
    )


def test_proxy_variables_do_not_divert_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with servers.tcp(servers.says(PAGE)) as port:
        assert ask(port)["verdict"] == verdict.REACHABLE


@pytest.mark.parametrize(
    ("behaviour", "scheme", "expected", "words"),
    [
        pytest.param(servers.closes, "http", verdict.RESET, "", id="http: closed at once"),
        pytest.param(servers.closes, "tcp", verdict.RESET, "closed without an answer", id="tcp: closed at once"),
        pytest.param(servers.resets, "http", verdict.RESET, "ECONNRESET", id="http: reset"),
        pytest.param(servers.says(), "http", verdict.RESET, "closed without an answer", id="http: read, then closed"),
        pytest.param(
            servers.greets(b"SSH-2.0-OpenSSH_9\r\n"),
            "http",
            verdict.INCONCLUSIVE,
            "SSH-2.0",
            id="http: another protocol",
        ),
        pytest.param(servers.is_silent, "http", verdict.TIMED_OUT, "the connection was accepted", id="http: silent"),
        pytest.param(servers.is_silent, "tcp", verdict.REACHABLE, "waits for the client", id="tcp: waits"),
        pytest.param(servers.greets(b"220 hello\r\n"), "tcp", verdict.REACHABLE, "connected", id="tcp: a banner"),
        pytest.param(
            servers.says(b"+OK hello\r\n"), "http", verdict.INCONCLUSIVE, "not HTTP: it begins with b'+OK", id="no HTTP"
        ),
        pytest.param(servers.says(b"HTTP/1.1\r\n\r\n"), "http", verdict.INCONCLUSIVE, "not HTTP", id="no status"),
        pytest.param(servers.says(b"HTTP/1.1 abc\r\n\r\n"), "http", verdict.INCONCLUSIVE, "not HTTP", id="no number"),
        pytest.param(
            servers.says(b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n"),
            "http",
            verdict.INCONCLUSIVE,
            "not HTTP",
            id="endless",
        ),
        pytest.param(
            servers.says(b"HTTP/1.1 2000 OK\r\n\r\n"), "http", verdict.INCONCLUSIVE, "not HTTP", id="four digits"
        ),
    ],
)
def test_verdicts(behaviour: servers.Behaviour, scheme: str, expected: str, words: str) -> None:
    with servers.tcp(behaviour) as port:
        seen = ask(port, scheme, timeout=SHORT if expected == verdict.TIMED_OUT else ENOUGH)
    assert seen["verdict"] == expected
    assert words in seen["detail"]
    assert seen["address"] == "127.0.0.1"


def test_a_banner_is_shown() -> None:
    with servers.tcp(servers.greets(b"220 hello\r\n")) as port:
        assert ask(port, "tcp")["text"] == "220 hello\r\n"


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_refused(scheme: str) -> None:
    with servers.nobody() as port:
        seen = ask(port, scheme)
    assert seen["verdict"] == verdict.REFUSED
    assert f"(ECONNREFUSED) while connecting to 127.0.0.1 port {port}" in seen["detail"]


@pytest.mark.skipif(not hasattr(socket, "SO_BINDTODEVICE"), reason="other kernels refuse where the queue is full")
@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_packets_are_dropped(scheme: str) -> None:
    with servers.full() as port:
        seen = ask(port, scheme, timeout=SHORT)
    assert seen["verdict"] == verdict.TIMED_OUT
    assert f"while connecting to 127.0.0.1 port {port}" in seen["detail"]
    assert SHORT <= seen["elapsed"] < SHORT + SLACK


def test_a_byte_now_and_then_does_not_prolong_it() -> None:
    with servers.tcp(servers.drips(PAGE, 0.05)) as port:
        seen = ask(port, timeout=0.3)
    assert seen["verdict"] == verdict.TIMED_OUT
    assert seen["elapsed"] < 0.3 + SLACK


def test_a_body_that_drips_is_as_long_as_it_came_in_time() -> None:
    head, _, body = PAGE.partition(b"\r\n\r\n")

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(head + b"\r\n\r\n" + body[:2])
        over.wait(5)

    with servers.tcp(behave) as port:
        seen = ask(port, timeout=0.3)
    assert (seen["verdict"], seen["status"], seen["text"]) == (verdict.REACHABLE, 200, "It")
    assert seen["elapsed"] < 0.3 + SLACK


def test_a_first_line_in_time_is_an_answer_also_when_the_headers_drip() -> None:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nServer: x")
        over.wait(5)

    with servers.tcp(behave) as port:
        seen = ask(port, timeout=0.3)
    assert (seen["verdict"], seen["status"], seen["answered_by"]) == (verdict.REACHABLE, 200, "")
    assert seen["elapsed"] < 0.3 + SLACK


def test_headers_without_end() -> None:
    """The first line is the answer; no more of the rest is kept than of a body."""
    with servers.tcp(servers.floods(b"HTTP/1.1 200 OK\r\n", b"X-Flood: " + b"x" * 8000 + b"\r\n")) as port:
        seen = ask(port)
    assert (seen["verdict"], seen["status"]) == (verdict.REACHABLE, 200)
    assert len(seen["text"]) <= http.MAX_BODY
    assert seen["elapsed"] < ENOUGH


def test_a_first_line_without_end() -> None:
    with servers.tcp(servers.floods(b"HTTP/1.1 200 ", b"x" * 8000)) as port:
        seen = ask(port)
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert len(seen["detail"]) < 300
    assert seen["elapsed"] < ENOUGH


def test_a_body_without_end() -> None:
    with servers.tcp(servers.floods(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 8000)) as port:
        seen = ask(port)
    assert (seen["verdict"], len(seen["text"])) == (verdict.REACHABLE, http.MAX_BODY)


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        pytest.param(b"", b"100\r\n" + b"x" * 256 + b"\r\n", id="without end"),
        pytest.param(b"ffffffffff\r\n", b"x" * 8000, id="one that is too large"),
        pytest.param(b"", b"1" * 8000, id="a size without end"),
    ],
)
def test_chunks_without_end(begin: bytes, more: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with servers.tcp(servers.floods(head + begin, more)) as port:
        seen = ask(port)
    assert seen["verdict"] == verdict.REACHABLE
    assert len(seen["text"]) <= http.MAX_BODY
    assert seen["elapsed"] < ENOUGH


def test_udp_with_identity() -> None:
    with servers.udp(lambda data: echo.answer(data, "abc")) as port:
        seen = ask(port, "udp", nonce="n0nce")
    assert (seen["verdict"], seen["answered_by"], seen["text"]) == (verdict.REACHABLE, "abc", "dockconn? n0nce abc")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda data: data, id="echoes"),
        pytest.param(lambda _: b"something else", id="says something else"),
        pytest.param(lambda _: b"dockconn? another abc", id="the answer to another question"),
        pytest.param(lambda data: b"x" + data + b" abc", id="the echo is not at the beginning"),
        pytest.param(lambda data: data + b"x abc", id="the answer to a question that only begins so"),
        pytest.param(lambda _: b"", id="says nothing, in a datagram"),
    ],
)
def test_udp_without_identity(answer: Any) -> None:
    with servers.udp(answer) as port:
        seen = ask(port, "udp", nonce="n0nce")
    assert (seen["verdict"], seen["answered_by"]) == (verdict.REACHABLE, "")


@pytest.mark.parametrize("scheme", ["http", "udp"])
def test_a_proof_is_passed_on_and_long_words_are_cut(scheme: str) -> None:
    shown, more = b"p" * 40, b"x" * 5000
    page = (
        OK
        + b"X-Dockconn-Container: "
        + b"a" * 64
        + more
        + b"\r\nX-Dockconn-Proof: "
        + shown
        + b"\r\nLocation: "
        + more
        + b"\r\n\r\n"
    )
    with servers.tcp(servers.says(page)) as tcp, servers.udp(lambda data: data + b" abc " + shown + more) as udp:
        seen = ask(tcp if scheme == "http" else udp, scheme, nonce="n0nce")
    assert seen["verdict"] == verdict.REACHABLE
    assert seen["proof"].startswith(shown.decode())
    assert len(seen["answered_by"]) <= probe.WORD
    assert len(seen["proof"]) <= probe.WORD
    assert len(seen.get("location", "")) <= probe.LINE


def test_udp_silence() -> None:
    with servers.udp(lambda _: None) as port:
        seen = ask(port, "udp", timeout=SHORT)
    assert seen["verdict"] == verdict.TIMED_OUT
    assert "waiting for a datagram" in seen["detail"]


def test_udp_refused() -> None:
    with servers.nobody(socket.SOCK_DGRAM) as port:
        assert ask(port, "udp")["verdict"] == verdict.REFUSED


@pytest.mark.parametrize("scheme", ["sctp", "", "ftp"])
def test_a_scheme_that_it_does_not_speak_is_no_answer(scheme: str) -> None:
    with servers.tcp(servers.says(PAGE)) as port:
        assert ask(port, scheme)["verdict"] == verdict.INCONCLUSIVE


def test_https_with_who_does_not_speak_it() -> None:
    with servers.tcp(servers.says(b"HTTP/1.0 400 Bad Request\r\n\r\n")) as port:
        seen = ask(port, "https", verify=False)
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert "TLS" in seen["detail"]


def test_https_with_who_closes() -> None:
    with servers.tcp(servers.says()) as port:
        seen = ask(port, "https", verify=False)
    assert seen["verdict"] == verdict.RESET


def _resolver(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def getaddrinfo(name: str, *_: object, **__: object) -> Any:
        if isinstance(answer, OSError):
            raise answer
        return [(family, socket.SOCK_STREAM, 6, "", (address, 0)) for family, address in answer]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("number", "expected", "words"),
    [
        (socket.EAI_NONAME, verdict.NAME_NOT_FOUND, "'web' is not known"),
        (socket.EAI_NODATA, verdict.NAME_NOT_FOUND, "'web' is not known"),
        (socket.EAI_AGAIN, verdict.NAME_NOT_FOUND, "temporary failure for 'web'"),
        (socket.EAI_FAIL, verdict.INCONCLUSIVE, "for 'web'"),
    ],
    ids=["no such name", "no address", "servfail", "broken resolver"],
)
def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch, number: int, expected: str, words: str) -> None:
    _resolver(monkeypatch, socket.gaierror(number, "as the resolver says it"))
    seen = probe.probe({"scheme": "http", "host": "web", "port": 80, "timeout": ENOUGH})
    assert seen["verdict"] == expected
    assert seen["detail"].startswith("name resolution: ")  # type: ignore[attr-defined]
    assert words in str(seen["detail"])
    assert seen["address"] == ""


@pytest.mark.parametrize("name", ["x" * 64 + ".example", "a..b"])
def test_a_name_that_can_not_be_one(name: str) -> None:
    seen = probe.probe({"scheme": "http", "host": name, "port": 80, "timeout": ENOUGH})
    assert seen["verdict"] == verdict.NAME_NOT_FOUND


def test_a_resolver_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def waits(*_: object, **__: object) -> NoReturn:
        over.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "at last")

    monkeypatch.setattr(socket, "getaddrinfo", waits)
    seen = probe.probe({"scheme": "tcp", "host": "web", "port": 80, "timeout": SHORT})
    over.set()
    assert seen["verdict"] == verdict.TIMED_OUT
    assert "name resolution" in str(seen["detail"])


def test_names_lead_to_ipv4_first_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    six, four = (socket.AF_INET6, "fd00::2"), (socket.AF_INET, "172.17.0.2")
    _resolver(monkeypatch, [six, four, six, four])
    assert resolve.resolve("web", 1.0) == [four, six]


@pytest.mark.parametrize(
    ("address", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6), ("fe80::1%eth0", socket.AF_INET6)]
)
def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch, address: str, family: int) -> None:
    _resolver(monkeypatch, OSError("not to be asked"))
    assert resolve.resolve(address, 1.0) == [(family, address)]


def test_of_several_addresses_the_first_that_takes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.tcp(servers.says(PAGE)) as port:
        _resolver(monkeypatch, [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")])
        seen = probe.probe({"scheme": "http", "host": "web", "port": port, "timeout": ENOUGH})
    assert (seen["verdict"], seen["address"]) == (verdict.REACHABLE, "127.0.0.1")


FIRST, SECOND = "127.0.0.1", "127.0.0.2"


@pytest.mark.parametrize(
    ("first", "scheme", "share"),
    [
        pytest.param(servers.closes, "tcp", ENOUGH, id="it closes"),
        pytest.param(servers.closes, "http", ENOUGH, id="it closes, HTTP"),
        pytest.param(servers.resets, "http", ENOUGH, id="it resets"),
        pytest.param(servers.is_silent, "http", SHORT, id="it says nothing"),
    ],
)
def test_of_several_addresses_one_that_takes_the_connection_does_not_hide_the_next(
    monkeypatch: pytest.MonkeyPatch, first: servers.Behaviour, scheme: str, share: float
) -> None:
    """Two containers have the same alias, and the owner, who is well, is not the first."""
    given, turn = iter([share, ENOUGH]), probe.Turn  # for the first, for the second, whatever the machine's speed
    monkeypatch.setattr(probe, "Turn", lambda *_: turn(time := next(given), time, time))
    _resolver(monkeypatch, [(socket.AF_INET, FIRST), (socket.AF_INET, SECOND)])
    with servers.tcp(first) as port, socket.create_server((SECOND, port)) as there, contextlib.ExitStack() as undo:
        undo.callback(answering(there, socket.SOCK_STREAM))
        seen = probe.probe({"scheme": scheme, "host": "web", "port": port, "timeout": ENOUGH, "linger": ENOUGH})
    assert (seen["verdict"], seen["address"]) == (verdict.REACHABLE, SECOND)


@pytest.mark.parametrize("scheme", ["http", "udp"])
def test_each_of_several_addresses_has_all_of_the_time_for_its_answer(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """By its address the server would answer in time; that its name has another address must not make silence of it."""
    late = 0.75 * ENOUGH / 4

    def slow(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        if not over.wait(late):
            connection.sendall(PAGE)

    def echoes(data: bytes) -> bytes:
        threading.Event().wait(late)
        return data

    _resolver(monkeypatch, [(socket.AF_INET, FIRST), (socket.AF_INET, SECOND)])
    with servers.tcp(slow) if scheme == "http" else servers.udp(echoes) as port:
        seen = probe.probe({"scheme": scheme, "host": "web", "port": port, "timeout": ENOUGH / 4})
    assert (seen["verdict"], seen["address"]) == (verdict.REACHABLE, FIRST)


def test_a_slow_resolver_is_no_gap_in_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first name server that is dead takes its time, which is none in which the probe did not run."""
    monkeypatch.setattr(probe, "LATE", 0.3)

    def slow(*_: object) -> list[tuple[int, str]]:
        threading.Event().wait(0.6)
        return [(socket.AF_INET, FIRST)]

    monkeypatch.setattr(resolve, "resolve", slow)
    with servers.tcp(servers.is_silent) as port:
        seen = probe.probe({"scheme": "http", "host": "web", "port": port, "timeout": 1.0})
    assert seen["verdict"] == verdict.TIMED_OUT, seen


@pytest.mark.parametrize("scheme", ["udp", "http"])
def test_an_address_that_is_not_asked_any_more_leaves_it_open(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """The container was paused while the first was asked."""
    passed, now = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + passed[0])
    _resolver(monkeypatch, [(socket.AF_INET, FIRST), (socket.AF_INET, SECOND)])

    def pauses(*_: object) -> NoReturn:
        passed[0] += 1 + probe.MORE
        raise OSError(errno.ECONNREFUSED, "no")

    monkeypatch.setattr(probe, "_udp" if scheme == "udp" else "_over", pauses)
    seen = probe.probe({"scheme": scheme, "host": "web", "port": 1, "timeout": 0.5})
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert f"{SECOND} could not be asked any more" in str(seen["detail"])


@pytest.mark.parametrize(("more", "expected"), [(0.0, verdict.INCONCLUSIVE), (ENOUGH, verdict.TIMED_OUT)])
def test_silence_of_an_address_that_had_too_little_time_says_nothing(
    monkeypatch: pytest.MonkeyPatch, more: float, expected: str
) -> None:
    monkeypatch.setattr(probe, "MORE", more)
    _resolver(monkeypatch, [(socket.AF_INET, FIRST), (socket.AF_INET, FIRST)])
    with servers.udp(lambda _: None) as port:
        seen = probe.probe({"scheme": "udp", "host": "web", "port": port, "timeout": SHORT, "nonce": "n"})
    assert seen["verdict"] == expected, seen
    assert ("left too little time" in str(seen["detail"])) is (expected == verdict.INCONCLUSIVE)


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_addresses_the_one_that_took_the_connection_is_told(
    monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    """With both its ends, also where another was asked after it."""
    _resolver(monkeypatch, [(socket.AF_INET, FIRST), (socket.AF_INET, SECOND)][::order])
    with servers.tcp(servers.closes) as port:
        seen = probe.probe({"scheme": "http", "host": "web", "port": port, "timeout": ENOUGH})
    assert (seen["verdict"], seen["address"]) == (verdict.RESET, FIRST)
    assert "source" in seen


def test_nothing_is_held_of_a_connection_without_an_answer() -> None:
    with servers.tcp(servers.closes) as port:
        ask(port, hold="key4")
    assert "key4" not in held._HELD


def test_of_several_addresses_none_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.nobody() as port:
        _resolver(monkeypatch, [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")])
        seen = probe.probe({"scheme": "http", "host": "web", "port": port, "timeout": ENOUGH})
    assert (seen["verdict"], seen["address"]) == (verdict.REFUSED, "127.0.0.2")


def test_a_held_connection_stays_open_until_it_is_released() -> None:
    ended = threading.Event()

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(PAGE)
        connection.settimeout(5)
        with contextlib.suppress(OSError):
            if not connection.recv(1):
                ended.set()

    with servers.tcp(behave) as port:
        seen = ask(port, hold="key1")
        assert seen["verdict"] == verdict.REACHABLE
        assert held._HELD["key1"][0].getpeername() == ("127.0.0.1", port)
        assert not ended.is_set()
        held.release(["key1", "key2"])
        assert ended.wait(5)
    assert "key1" not in held._HELD


def test_nothing_is_held_of_a_connection_that_did_not_come_about() -> None:
    with servers.nobody() as port:
        ask(port, hold="key3")
    assert "key3" not in held._HELD


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, verdict.REFUSED),
        (errno.ETIMEDOUT, verdict.TIMED_OUT),
        (errno.EHOSTUNREACH, verdict.NO_ROUTE),
        (errno.ENETUNREACH, verdict.NO_ROUTE),
        (errno.ECONNRESET, verdict.RESET),
        (errno.EPIPE, verdict.RESET),
        (errno.EMFILE, verdict.INCONCLUSIVE),
        (errno.EACCES, verdict.INCONCLUSIVE),
        (errno.EPERM, verdict.INCONCLUSIVE),
        (errno.ENOBUFS, verdict.INCONCLUSIVE),
        (0, verdict.INCONCLUSIVE),
    ],
    ids=lambda value: errno.errorcode.get(value, "none") if isinstance(value, int) else str(value),
)
def test_what_an_errno_means(number: int, expected: str) -> None:
    failure = verdict.from_error(OSError(number, "words") if number else OSError("words"), "connecting")
    assert failure.verdict == expected
    assert "while connecting" in failure.detail


def test_what_the_kernel_says_of_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unrouted(socket.socket):
        def connect(self, _address: object) -> NoReturn:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Unrouted)
    seen = probe.probe({"scheme": "http", "host": "192.0.2.1", "port": 80, "timeout": SHORT})
    assert seen["verdict"] == verdict.NO_ROUTE
    assert seen["detail"] == "network is unreachable (ENETUNREACH) while connecting to 192.0.2.1 port 80"


def test_no_more_descriptors_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", none_left)
    seen = probe.probe({"scheme": "http", "host": "192.0.2.1", "port": 80, "timeout": SHORT})
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert "opening a socket" in str(seen["detail"])


def broken(*_: object, **__: object) -> NoReturn:
    raise KeyError("what nobody has thought of \x1b[2J" + "x" * 999)


@pytest.mark.parametrize("place", ["get", "Deadline"])
def test_whatever_breaks_is_inconclusive(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """An exception would end the thread that asks, and with it the question: nothing is said then, or of all targets."""
    monkeypatch.setattr(*((http, "get") if place == "get" else (probe, "Deadline")), broken)
    with servers.tcp(servers.says(PAGE)) as port:
        seen = ask(port)
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert "the probe broke while " in seen["detail"]
    assert "KeyError" in seen["detail"]
    assert "\x1b" not in seen["detail"]
    assert len(seen["detail"]) < 400
    assert seen["elapsed"] >= 0


@pytest.mark.parametrize(
    "odd", [{"scheme": "http"}, {"port": 99999}, {"port": "x"}, {"timeout": "x"}, {"timeout": None}, {"host": "a\0b"},
            {"host": "\udcff"}, {"path": "/\udcff"}, {"nonce": "\u00e9", "scheme": "udp"}], ids=str
)  # fmt: skip
def test_a_target_that_is_none_is_inconclusive(odd: dict[str, Any]) -> None:
    whole = {} if odd == {"scheme": "http"} else {"scheme": "http", "host": "127.0.0.1", "port": 9, "timeout": SHORT}
    with servers.tcp(servers.says(PAGE)) as port:
        seen = probe.probe({**whole, **({"port": port} if "path" in odd else {}), **odd})
    assert seen["verdict"] == verdict.INCONCLUSIVE


def test_a_resolver_that_breaks_is_not_one_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", broken)
    seen = probe.probe({"scheme": "tcp", "host": "web", "port": 80, "timeout": ENOUGH})
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert "'web' can't be asked for: KeyError" in str(seen["detail"])


@pytest.mark.parametrize(("took", "expected"), [(1.0, verdict.TIMED_OUT), (5.0, verdict.INCONCLUSIVE)])
def test_silence_counts_only_while_the_probe_runs(monkeypatch: pytest.MonkeyPatch, took: float, expected: str) -> None:
    """Its container was paused meanwhile, and what came then is not seen in time."""
    clock = iter([100.0, 100.0 + took])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    with servers.tcp(servers.is_silent) as port:
        seen = ask(port, timeout=SHORT)
    assert seen["verdict"] == expected
    assert ("did not run all the while" in seen["detail"]) is (expected == verdict.INCONCLUSIVE)


@pytest.mark.parametrize("scheme", ["http", "tcp", "udp"])
def test_an_address_that_swallows_everything_does_not_hide_the_next(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """IPv4 is closed and IPv6 is open, or the other way round: by the name it can be reached."""
    _resolver(monkeypatch, [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")])
    with contextlib.ExitStack() as undo:
        closed = undo.enter_context(servers.full() if scheme != "udp" else servers.udp(lambda _: None))
        kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
        there = undo.enter_context(socket.socket(socket.AF_INET, kind))
        there.bind(("127.0.0.2", closed))
        undo.callback(answering(there, kind))
        seen = probe.probe({"scheme": scheme, "host": "web", "port": closed, "timeout": 0.6, "linger": 0.01})
    assert (seen["verdict"], seen["address"]) == (verdict.REACHABLE, "127.0.0.2")
    assert 0.25 < float(str(seen["elapsed"])) < 0.6 + SLACK


def answering(sock: socket.socket, kind: int) -> Any:
    """One answer, in a thread; returns what waits for its end."""

    def answer() -> None:
        if kind == socket.SOCK_DGRAM:
            data, peer = sock.recvfrom(999)
            sock.sendto(data, peer)
            return
        connection, _ = sock.accept()
        with connection:
            connection.settimeout(5)
            connection.sendall(PAGE)
            connection.recv(999)

    if kind == socket.SOCK_STREAM:
        sock.listen()
    sock.settimeout(5)
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return lambda: thread.join(5)


def test_of_several_addresses_one_that_leaves_it_open_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one's "refused" would be the proof of something that nobody has seen."""

    class Out(socket.socket):
        def connect(self, address: Any) -> None:
            if address[0] == "127.0.0.2":
                raise OSError(errno.ENOBUFS, "No buffer space available")
            super().connect(address)

    with servers.nobody() as port:
        _resolver(monkeypatch, [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")])
        monkeypatch.setattr(socket, "socket", Out)
        seen = probe.probe({"scheme": "http", "host": "web", "port": port, "timeout": ENOUGH})
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert "ENOBUFS" in str(seen["detail"])


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_addresses_silence_tells_more_than_a_refusal(monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    with servers.full() as closed:
        _resolver(monkeypatch, [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")][::order])
        seen = probe.probe({"scheme": "http", "host": "web", "port": closed, "timeout": 2 * SHORT})
    assert seen["verdict"] == verdict.TIMED_OUT
    assert "127.0.0.1" in str(seen["detail"])


@pytest.mark.parametrize(
    ("datagrams", "expected"),
    [
        pytest.param(0, verdict.INCONCLUSIVE, id="no port"),
        pytest.param(errno.EAGAIN, verdict.INCONCLUSIVE, id="no port, for datagrams neither"),
        pytest.param(errno.EADDRNOTAVAIL, verdict.NO_ROUTE, id="no address"),
    ],
)
def test_no_free_port_is_not_no_route(monkeypatch: pytest.MonkeyPatch, datagrams: int, expected: str) -> None:
    """The kernel says EADDRNOTAVAIL of both: all local ports are taken, or there is no address of that family to ask from."""

    class Exhausted(socket.socket):
        def connect(self, _address: object) -> None:
            if self.type == socket.SOCK_STREAM:
                raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
            if datagrams:
                raise OSError(datagrams, "as the kernel says it")

    monkeypatch.setattr(socket, "socket", Exhausted)
    seen = probe.probe({"scheme": "tcp", "host": "192.0.2.1", "port": 80, "timeout": ENOUGH})
    assert seen["verdict"] == expected
    assert "EADDRNOTAVAIL" in str(seen["detail"])


def test_what_nobody_releases_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked may have given up, and then says nothing more."""
    with servers.tcp(servers.says(PAGE)) as port:
        monkeypatch.setattr(held, "LONGEST", -1.0)
        ask(port, hold="old")
        old = held._HELD["old"][0]
        monkeypatch.setattr(held, "LONGEST", 60.0)
        ask(port, hold="new")
        assert old.fileno() == -1
        assert set(held._HELD) == {"new"}
        held.release(["new"])

"""Set-ups that are built to fool whoever asks who can talk to whom, each with the truth: data for a test and a comparison.

``tests/engine/test_liars.py`` holds the plugin to it; ``make liars`` puts the same questions to what people use instead.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest

from pytest_dockconn import (
    Client,
    Container,
    Lab,
    Network,
    Port,
    ProbeResult,
    ReachabilityError,
    Server,
    Verdict,
    assert_reachable,
    assert_unreachable,
)
from pytest_dockconn.actions.containers import side_by_side
from tests.engine.helpers import docker_py, rule, take_address

T = TypeVar("T")
Undo = contextlib.ExitStack
#: A source and a destination.
Question = tuple[Any, Any]
SetUp = Callable[[Lab, Undo], Question]

REACHABLE, UNREACHABLE, INCONCLUSIVE = "reachable", "unreachable", "inconclusive"


class Truth(enum.Enum):
    """What is so, whoever asks."""

    ANSWERS = "that server answers"
    SILENT = "that server does not answer"
    ISOLATED = "isolated: it answers, but not to this source"
    OPEN = "it can be reached"
    UNKNOWN = "nothing can be concluded"


#: The answers that are right. ``inconclusive`` fools nobody, and nothing but the plugin says it.
RIGHT: dict[Truth, frozenset[str]] = {
    Truth.ANSWERS: frozenset({REACHABLE}),
    Truth.SILENT: frozenset({UNREACHABLE}),
    Truth.ISOLATED: frozenset({UNREACHABLE}),
    Truth.OPEN: frozenset({REACHABLE, INCONCLUSIVE}),
    Truth.UNKNOWN: frozenset({INCONCLUSIVE}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Liar:
    """A set-up, the question, the truth, and what the plugin has to say.

    Attributes:
        name: what the trick is.
        set_up: builds it, and returns who asks whom.
        question: ``reachable`` or ``unreachable``: what the test that asks would like to hear.
        truth: what is so.
        verdict: of the probe.
        word: what the assertion comes to: it passes (the word is the question) or fails.
        first: on the first line of the message, where it fails.
        shows: elsewhere in the message.
        status: of the HTTP answer, where it passes.
        scheme: by which others ask, where it is another than ours.
        hold: seconds, of ``assert_unreachable``.
        timeout: seconds, of each probe.
        alone: whether it changes the environment of the process, so that no other may run beside it.
    """

    name: str
    set_up: SetUp
    question: str
    truth: Truth
    verdict: Verdict
    word: str
    first: str = ""
    shows: tuple[str, ...] = ()
    status: int | None = None
    scheme: str = ""
    hold: float = 0.0
    timeout: float = 0.3
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What an assertion came to: its word, its message where it failed, and what it returned where it passed."""

    word: str
    text: str = ""
    result: ProbeResult | None = None


def ask(liar: Liar, source: Any, destination: Any) -> Said:
    """The plugin's own answer."""
    try:
        if liar.question == REACHABLE:
            return Said(REACHABLE, result=assert_reachable(source, destination, within=0.1, timeout=liar.timeout))
        result = assert_unreachable(source, destination, hold=liar.hold, timeout=liar.timeout)
        return Said(UNREACHABLE, result=result)
    except ReachabilityError as error:
        text = str(error)
    if liar.question == REACHABLE:
        return Said(UNREACHABLE, text)
    return Said(INCONCLUSIVE if text.startswith(INCONCLUSIVE) else REACHABLE, text)


#: Seconds in which an engine tells of a network that it was just about to make.
LAG = 0.3


def undisturbed(liar: Liar, lab: Lab, question: Callable[[], T]) -> tuple[T, bool]:
    """What comes of a question, and whether the truth of the set-up held all the while.

    While it creates a network, docker (seen on 20.10.24) takes its isolation rules out and puts them in again, and for
    that moment other networks are not isolated: of 3121 plain connections between two networks 108 were answered while
    somebody created networks side by side, and none of 3278 while nobody did. So a set-up of isolation is none then.
    """
    if liar.truth is not Truth.ISOLATED:
        return question(), True
    begun = time.time()
    answer = question()
    api = docker_py(lab.engine.url)
    made = {"type": "network", "event": "create"}
    events = api.events(since=f"{begun:.6f}", until=f"{time.time() + LAG:.6f}", filters=made, decode=True)
    return answer, not list(events)


# What servers do


def on(port: int, then: str, *, opening: str = "", backlog: int = 16) -> dict[str, Any]:
    """A server that can't say who it is: for each connection ``c`` it does ``then``. Options of ``lab.server``."""
    code = (
        f"import os, signal, socket\nsignal.signal(15, lambda *_: os._exit(0))\n{opening}\ns = socket.create_server(('', {port}), backlog={backlog})\n"
        f"while 1:\n c = s.accept()[0]\n {then}"
    )
    return {"expose": (port,), "command": ["python3", "-c", code]}


def web(port: int, *headers: str) -> dict[str, Any]:
    """It answers 200 to whatever comes, as a proxy that likes everything does too."""
    answer = "\r\n".join(("HTTP/1.0 200 OK", *headers, "Content-Length: 2", "", "ok"))
    return on(port, f"c.recv(9999); c.sendall({answer!r}.encode()); c.close()")


def datagrams(port: int, then: str) -> dict[str, Any]:
    """A UDP server of others: for each datagram ``d`` of a peer ``p`` it does ``then``."""
    code = f"import os, signal, socket\nsignal.signal(15, lambda *_: os._exit(0))\ns = socket.socket(2, 2); s.bind(('', {port}))\nwhile 1:\n d, p = s.recvfrom(9999)\n {then}"
    return {"expose": (f"{port}/udp",), "command": ["python3", "-c", code]}


#: Listens, and never takes a connection out of its queue.
DEAF: dict[str, Any] = {
    "command": ["python3", "-c", "import socket, signal; s = socket.create_server(('', 80), backlog=0); signal.pause()"]
}
ECHO = datagrams(53, "s.sendto(d, p)")
SINK = datagrams(53, "pass")
SILENT = on(80, "kept.append(c)", opening="kept = []")
CLOSES = on(80, "c.close()")
MAIL = on(80, "c.sendall(b'220 mail ready\\r\\n'); c.recv(999); c.close()")
#: Longer than anybody here waits: at a limit of its own it would answer some of the time.
SLOW = on(
    80, "c.recv(999); time.sleep(3); c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nhere'); c.close()", opening="import time"
)
#: TLS without a certificate: enough for a client that does not speak it.
TLS = on(
    443,
    "try: t.wrap_socket(c, server_side=True)\n except OSError: c.close()",
    opening="import ssl; t = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",
)
LOOPBACK: dict[str, Any] = {
    "expose": (8000,),
    "command": ["python3", "-m", "http.server", "8000", "--bind", "127.0.0.1"],
}
#: Up for a fifth of a second, then away for half of one.
FLICKERS_CODE = """
import socket, time
while 1:
    s = socket.create_server(("", 80)); s.settimeout(0.05); end = time.time() + 0.2
    while time.time() < end:
        try: c = s.accept()[0]; c.recv(999); c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nhere"); c.close()
        except OSError: pass
    s.close(); time.sleep(0.5)
"""
FLICKERS: dict[str, Any] = {"command": ["python3", "-c", FLICKERS_CODE]}


# How they are arranged


def pair(lab: Lab, server: dict[str, Any] | None = None, client: dict[str, Any] | None = None) -> tuple[Client, Server]:
    """A client and a server, made side by side."""
    made_server, made_client = side_by_side(lambda: lab.server(**(server or {})), lambda: lab.client(**(client or {})))
    return made_client, made_server


def together(lab: Lab, server: dict[str, Any] | None = None) -> tuple[Client, Server, Network]:
    """Both on a network of their own, where nobody else takes addresses."""
    network = lab.network()
    return *pair(lab, {"networks": [network], **(server or {})}, {"networks": [network]}), network


def replaced(lab: Lab, server: dict[str, Any] | None = None, stranger: dict[str, Any] | None = None) -> Server:
    """A server that has stopped, and whose address a stranger has taken."""
    network = lab.network()
    gone = lab.server(networks=[network], **(server or {}))
    gone.stop()
    take_address(lab, gone.ip, networks=[network], **(server if stranger is None else stranger) or {})
    return gone


def pause(container: Container) -> None:
    docker_py(container.services.engine.url).pause(container.id)
    container.services.facts.forget(container.id)


def nobody(container: Container) -> str:
    """An address of the container's network that nobody has."""
    return f"{'.'.join(container.ip.split('.')[:2])}.200.200"


def proxied(undo: Undo, url: str) -> None:
    """The environment of the test process names a proxy for everything."""
    patch = undo.enter_context(pytest.MonkeyPatch.context())
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        patch.setenv(name, url)
    for name in ("no_proxy", "NO_PROXY"):
        patch.delenv(name, raising=False)


def variables(url: str) -> dict[str, str]:
    return {"http_proxy": url, "ALL_PROXY": url}


# Is it reachable?


def address_taken(lab: Lab, undo: Undo) -> Question:
    return lab.host, replaced(lab).port(80)


def address_taken_by_an_equal(lab: Lab, undo: Undo) -> Question:
    return lab.host, replaced(lab, web(80)).port(80)


def address_taken_udp(lab: Lab, undo: Undo) -> Question:
    return lab.host, replaced(lab, {"expose": ("53/udp",)}).port(53, "udp")


def address_taken_udp_by_an_equal(lab: Lab, undo: Undo) -> Question:
    return lab.host, replaced(lab, ECHO).port(53, "udp")


def forged(lab: Lab, undo: Undo) -> Question:
    network = lab.network()
    server = lab.server(networks=[network])
    server.stop()
    stranger = web(80, f"X-Dockconn-Container: {server.id}")
    take_address(lab, server.ip, networks=[network], **stranger)
    return lab.host, server.port(80)


def _stopped_with_a_bound_port(lab: Lab, **options: Any) -> Port:
    server = lab.server(bind={80: None}, **options)
    port = server.bound_port(80)
    server.stop()
    return port


def host_port_of_another(lab: Lab, undo: Undo) -> Question:
    port = _stopped_with_a_bound_port(lab)
    lab.server(bind={80: port.number})
    return lab.host, port


def host_port_of_an_equal(lab: Lab, undo: Undo) -> Question:
    port = _stopped_with_a_bound_port(lab, **web(80))
    lab.server(bind={80: port.number}, **web(80))
    return lab.host, port


def host_port_of_a_process(lab: Lab, undo: Undo) -> Question:
    port = _stopped_with_a_bound_port(lab)
    server = ThreadingHTTPServer(("127.0.0.1", port.number), _Page)
    undo.callback(server.server_close)
    undo.callback(server.shutdown)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return lab.host, port


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of its base
        """Nothing: it would go to stderr."""


def proxy_without_a_listener(lab: Lab, undo: Undo) -> Question:
    """The listener ends, the container goes on, and so does the userland proxy."""
    command = ["sh", "-c", "python3 -m http.server 8000 & echo $! > /tmp/pid; exec sleep 600"]
    server = lab.server(expose=(), bind={8000: None}, command=command)
    server.run(
        "sh",
        "-c",
        "kill $(cat /tmp/pid); while kill -0 $(cat /tmp/pid) && ! grep -q Z /proc/$(cat /tmp/pid)/stat; do :; done",
    )
    return lab.host, server.bound_port(8000)


def proxy_before_loopback(lab: Lab, undo: Undo) -> Question:
    return lab.host, lab.server(bind={8000: None}, **LOOPBACK).bound_port(8000)


def never_accepts(lab: Lab, undo: Undo) -> Question:
    return lab.host, lab.server(**DEAF).port(80)


def bound(lab: Lab, options: dict[str, Any]) -> Question:
    """By the bound port, so that everybody can ask."""
    port = lab.server(bind={80: None}, **{**options, "expose": ()}).bound_port(80)
    return lab.host, f"http://127.0.0.1:{port.number}/"


def never_answers(lab: Lab, undo: Undo) -> Question:
    return bound(lab, SILENT)


def closes_when_bound(lab: Lab, undo: Undo) -> Question:
    return lab.host, lab.server(bind={80: None}, **CLOSES).bound_port(80)


def speaks_mail(lab: Lab, undo: Undo) -> Question:
    return bound(lab, MAIL)


def paused_when_bound(lab: Lab, undo: Undo) -> Question:
    server = lab.server(bind={80: None})
    pause(server)
    return lab.host, server.bound_port(80)


def fixed_name_of_a_stranger(lab: Lab, undo: Undo) -> Question:
    server, stranger = side_by_side(lab.server, lambda: lab.server(name="stranger"))
    return lab.client(extra_hosts={"web": stranger.ip}), server.port(80).named("web")


def alias_of_a_stranger(lab: Lab, undo: Undo) -> Question:
    network = lab.network()
    lab.server(networks=[network], aliases=["db"], name="stranger")
    client, server = pair(lab, {"networks": [network]}, {"networks": [network]})
    return client, server.port(80).named("db")


def link_to_one_that_is_gone(lab: Lab, undo: Undo) -> Question:
    """Links are of the default network, where others may be quicker to take the address: then once more."""
    for _ in range(5):
        server = lab.server()
        client = lab.client(links={"db": server})
        server.discard()
        if server.ip in {lab.server().ip for _ in range(3)}:
            return client, server.port(80).named("db")
    raise AssertionError(f"nobody got {server.ip}")


def localhost(lab: Lab, undo: Undo) -> Question:
    """In a container it is the container."""
    asks = {"command": ["python3", "-m", "http.server", "80"], "expose": (80,)}
    client, server = pair(lab, None, asks)
    return client, server.port(80).named("localhost")


def redirects(lab: Lab, elsewhere: str) -> Server:
    """A server of ours that sends everybody elsewhere."""
    server = lab.server()
    lines = f"LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so\nRedirect 302 / {elsewhere}\n"
    server.run("sh", "-c", 'printf %s "$0" >> /etc/apache2/dockconn.conf && kill -USR1 1', lines)
    while lab.host.probe(server.port(80)).status != 302:
        pass  # Apache reads its configuration again in a few milliseconds
    return server


def redirect_to_a_stranger(lab: Lab, undo: Undo) -> Question:
    return lab.host, redirects(lab, f"http://{lab.server().ip}/").port(80)


def redirect_to_nowhere(lab: Lab, undo: Undo) -> Question:
    return lab.host, redirects(lab, "http://127.0.0.1:9/").port(80)


def second_address_open(lab: Lab, undo: Undo) -> Question:
    front, back = lab.network("front"), lab.network("back")
    client, server = pair(lab, {"networks": [front, back]}, {"networks": [back]})
    first = server.facts().endpoints[0].network
    if first == back.engine_name:  # the engine has its own order
        back.disconnect(client)
        front.connect(client)
    return client, server.port(80)


def _and_a_proxy(lab: Lab) -> tuple[Server, Server]:
    """On a network of their own, so that nobody else is given the server's address."""
    own = [lab.network()]
    server, proxy = side_by_side(
        lambda: lab.server(networks=own), lambda: lab.server(networks=own, name="proxy", **web(3128))
    )
    return server, proxy


def proxy_of_the_test_process(lab: Lab, undo: Undo) -> Question:
    """It says yes to everything, as the error page of a captive portal does."""
    server, proxy = _and_a_proxy(lab)
    server.stop()
    proxied(undo, f"http://{proxy.ip}:3128")
    return lab.host, server.port(80)


def proxy_of_the_client(lab: Lab, undo: Undo) -> Question:
    server, proxy = _and_a_proxy(lab)
    network = server.facts().endpoints[0].network
    client = lab.client(networks=[network], env=variables(f"http://{proxy.ip}:3128"))
    server.stop()
    return client, server.port(80)


def plain_to_tls(lab: Lab, undo: Undo) -> Question:
    return lab.host, f"http://{lab.server(**TLS).ip}:443/"


def tls_to_silence(lab: Lab, undo: Undo) -> Question:
    return lab.host, f"https://{lab.server(**SILENT).ip}:80/"


def tls_to_plain(lab: Lab, undo: Undo) -> Question:
    return lab.host, f"https://{lab.server().ip}:80/"


def diverted(lab: Lab, options: dict[str, Any]) -> Question:
    """The client's own network leads the connection to a stranger; the server itself is well."""
    client, server = pair(lab, options)
    stranger = lab.server(**options)
    to = ["-j", "DNAT", "--to-destination", f"{stranger.ip}:80"]
    rule(client, "-t", "nat", "-A", "OUTPUT", "-d", server.ip, "-p", "tcp", "--dport", "80", *to)
    return client, server.port(80)


def diverted_http(lab: Lab, undo: Undo) -> Question:
    return diverted(lab, {})


def diverted_tcp(lab: Lab, undo: Undo) -> Question:
    return diverted(lab, web(80))


def sink(lab: Lab, undo: Undo) -> Question:
    return lab.host, lab.server(**SINK).port(53, "udp")


# Is it unreachable?


def stopped(lab: Lab, undo: Undo) -> Question:
    server = lab.server(networks=[lab.network()])  # of its own, so that nobody else is given the address
    server.stop()
    return lab.host, server.port(80)


def paused(lab: Lab, undo: Undo) -> Question:
    server = lab.server()
    pause(server)
    return lab.host, server.port(80)


def stopped_and_replaced(lab: Lab, undo: Undo) -> Question:
    return address_taken(lab, undo)


def nothing_listens(lab: Lab, undo: Undo) -> Question:
    return lab.host, lab.server().port(81)


def loopback_only(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab, LOOPBACK)
    return client, server.port(8000)


def still_starting(lab: Lab, undo: Undo) -> Question:
    command = ["sh", "-c", "sleep 5; exec python3 -m http.server 80"]
    client, server = pair(lab, {"expose": (), "command": command})
    return client, server.port(80)


def queue_is_full(lab: Lab, undo: Undo) -> Question:
    """More connections wait than the queue takes: the kernel drops what comes then."""
    server = lab.server(**DEAF)
    for _ in range(3):
        waits = undo.enter_context(socket.socket())
        waits.setblocking(False)
        waits.connect_ex((server.ip, 80))
    return lab.host, server.port(80)


def closes(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab, CLOSES)
    return client, server.port(80)


def address_of_nobody(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab)
    return client, server.port(80).on(nobody(server))


def url_of_nobody(lab: Lab, undo: Undo) -> Question:
    client = lab.client()
    return client, f"http://{nobody(client)}/"


def source_stopped(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab)
    client.stop()
    return client, server.port(80)


def source_without_curl(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab)
    client.run("sh", "-c", "rm -f $(command -v curl nc)")
    return client, server.port(80)


def dead_proxy_of_the_client(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab, None, {"env": variables("http://127.0.0.1:9")})
    return client, server.port(80)


def dead_proxy_of_the_test_process(lab: Lab, undo: Undo) -> Question:
    server = lab.server()
    proxied(undo, "http://127.0.0.1:9")
    return lab.host, server.port(80)


def flickers(lab: Lab, undo: Undo) -> Question:
    return lab.host, lab.server(**FLICKERS).port(80)


def isolation_ends(lab: Lab, undo: Undo) -> Question:
    one, other = lab.network(), lab.network()
    client, server = pair(lab, {"networks": [one]}, {"networks": [other]})
    timer = threading.Timer(0.5, lambda: one.connect(client))
    timer.start()
    undo.callback(timer.join)
    return client, server.port(80)


def only_ipv4_closed(lab: Lab, undo: Undo) -> Question:
    network = lab.network(ipv6=True)
    client, server = pair(lab, {"networks": [network]}, {"networks": [network]})
    rule(server, "-A", "INPUT", "-s", client.ip, "-j", "DROP")
    return client, server.port(80)


def resolver_dead(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab, None, {"dns": ["127.0.0.1"]})
    return client, server.port(80).named("db.example.test")


def loopback_of_the_source(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab, {"bind": {80: None}})
    return client, server.bound_port(80).on("127.0.0.1")


def slow(lab: Lab, undo: Undo) -> Question:
    server = lab.server(**SLOW)
    return lab.host, f"http://{server.ip}/"


def datagrams_to_nobody(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab)
    return client, server.port(53, "udp")


def off_its_network(lab: Lab, undo: Undo) -> Question:
    client, server, network = together(lab)
    network.disconnect(server)
    return client, server.port(80)


# Truly isolated


def _closed_to(lab: Lab, *target: str) -> Question:
    client, server = pair(lab)
    rule(server, "-A", "INPUT", "-s", client.ip, "-p", "tcp", "--dport", "80", "-j", *target)
    return client, server.port(80)


def dropped(lab: Lab, undo: Undo) -> Question:
    return _closed_to(lab, "DROP")


def rejected(lab: Lab, undo: Undo) -> Question:
    return _closed_to(lab, "REJECT", "--reject-with", "tcp-reset")


def no_icc(lab: Lab, undo: Undo) -> Question:
    network = lab.network(icc=False)
    client, server = pair(lab, {"networks": [network]}, {"networks": [network]})
    return client, server.port(80)


def two_networks(lab: Lab, undo: Undo) -> Question:
    one, other = lab.network(), lab.network()
    client, server = pair(lab, {"networks": [one]}, {"networks": [other]})
    return client, server.port(80)


def closed_address(lab: Lab, undo: Undo) -> Question:
    front, back = lab.network("front"), lab.network("back")
    client, server = pair(lab, {"networks": [front, back]}, {"networks": [back]})
    return client, server.port(80).on(front)


# Sound ones


def well_bound(lab: Lab, undo: Undo) -> Question:
    return lab.host, lab.server(bind={80: None}).bound_port(80)


def well_exposed(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab)
    return client, server.port(80)


def well_udp(lab: Lab, undo: Undo) -> Question:
    client, server = pair(lab, {"expose": ("53/udp",)})
    return client, server.port(53, "udp")


def plainly_stopped(lab: Lab, undo: Undo) -> Question:
    return lab.host, _stopped_with_a_bound_port(lab)


# The table


def lie(name: str, set_up: SetUp, verdict: Verdict, first: str, *shows: str, **more: Any) -> Liar:
    """It looks reachable, and that server does not answer."""
    return Liar(
        name=name, set_up=set_up, question=REACHABLE, truth=Truth.SILENT, verdict=verdict, word=UNREACHABLE,
        first=first, shows=shows, **more,
    )  # fmt: skip


def honest(name: str, set_up: SetUp, **more: Any) -> Liar:
    """That server does answer, though it may not look so."""
    return Liar(
        name=name, set_up=set_up, question=REACHABLE, truth=Truth.ANSWERS, verdict=Verdict.REACHABLE, word=REACHABLE, **more
    )  # fmt: skip


def unproved(name: str, set_up: SetUp, verdict: Verdict, first: str, *shows: str, **more: Any) -> Liar:
    """It looks isolated, and nothing is known."""
    told = {"truth": Truth.UNKNOWN, **more}
    return Liar(
        name=name, set_up=set_up, question=UNREACHABLE, verdict=verdict, word=INCONCLUSIVE, first=first, shows=shows, **told
    )  # fmt: skip


def open_(name: str, set_up: SetUp, *shows: str, **more: Any) -> Liar:
    """It looks isolated, and is open."""
    return Liar(
        name=name, set_up=set_up, question=UNREACHABLE, truth=Truth.OPEN, verdict=Verdict.REACHABLE, word=REACHABLE,
        first=" can reach ", shows=shows, **more,
    )  # fmt: skip


def isolated(name: str, set_up: SetUp, verdict: Verdict, **more: Any) -> Liar:
    """It is what it looks."""
    return Liar(
        name=name, set_up=set_up, question=UNREACHABLE, truth=Truth.ISOLATED, verdict=verdict, word=UNREACHABLE, **more
    )  # fmt: skip


#: Nothing is wrong with these: who is wrong about them is used wrongly.
CONTROLS: tuple[Liar, ...] = (
    honest("a healthy server's bound port", well_bound, status=200),
    honest("a healthy server's own port, from a client", well_exposed, status=200),
    honest("a healthy UDP server, from a client", well_udp),
    lie("the bound port of a stopped server", plainly_stopped, Verdict.REFUSED, "server1 is not running"),
)

LIARS: tuple[Liar, ...] = (
    lie("another container took the address of a stopped server", address_taken, Verdict.WRONG_SERVER,
        "server2 answered at ", "server1 is exited"),
    lie("the same, of servers that can't say who they are", address_taken_by_an_equal, Verdict.WRONG_SERVER,
        "server2 answered at ", "server1 is exited", scheme="http"),
    lie("the same, UDP", address_taken_udp, Verdict.WRONG_SERVER, "server2 answered at ", "server1 is exited"),
    lie("the same, UDP, of servers that can't say who they are", address_taken_udp_by_an_equal, Verdict.WRONG_SERVER,
        "server2 answered at ", "server1 is exited"),
    lie("a stranger at the old address says that it is the server", forged, Verdict.WRONG_SERVER,
        "server2 answered at ", "does not know that server's token"),
    lie("another container has the host port of a stopped server", host_port_of_another, Verdict.WRONG_SERVER,
        "server2 answered at 127.0.0.1", "server1 is exited"),
    lie("the same, of servers that can't say who they are", host_port_of_an_equal, Verdict.WRONG_SERVER,
        " answered at 127.0.0.1", "server1 is exited", scheme="http"),
    lie("a process of the host has it", host_port_of_a_process, Verdict.WRONG_SERVER,
        "of the host answered at 127.0.0.1, not server1", "server1 is exited"),
    lie("the userland proxy accepts, and nothing listens behind it", proxy_without_a_listener, Verdict.RESET,
        "nothing listens on 8000/tcp", "accepted and then closed", scheme="http"),
    lie("the userland proxy accepts, and the server listens on its 127.0.0.1 only", proxy_before_loopback, Verdict.RESET,
        "server1 listens on 127.0.0.1 only", "accepted and then closed", scheme="http"),
    lie("the kernel takes connections, the process never does", never_accepts, Verdict.TIMED_OUT,
        "server1 takes connections but does not answer", "accept queue", scheme="http"),
    lie("it accepts, and never answers", never_answers, Verdict.TIMED_OUT, "server1 takes connections but does not answer",
        "the connection was accepted"),
    lie("it accepts, and closes at once", closes_when_bound, Verdict.RESET,
        "server1 takes connections and closes them", scheme="http"),
    lie("it speaks SMTP on the HTTP port", speaks_mail, Verdict.INCONCLUSIVE,
        "the answer can't be read as what was asked for", "220 mail ready"),
    lie("it is paused", paused_when_bound, Verdict.TIMED_OUT, "server1 is paused", "docker unpause"),
    lie("a fixed name (extra_hosts) leads to a stranger", fixed_name_of_a_stranger, Verdict.WRONG_SERVER,
        "stranger answered at http://web, not server1", "it is stale"),
    lie("the alias belongs to another container", alias_of_a_stranger, Verdict.WRONG_SERVER,
        "stranger answered at http://db, not server1"),
    lie("a link's name outlives its server, and a stranger has the address", link_to_one_that_is_gone, Verdict.WRONG_SERVER,
        " answered at ", " is removed, at "),
    lie("localhost, asked in a container that has a server of its own", localhost, Verdict.WRONG_SERVER,
        "answered at http://localhost, not server1"),
    honest("it redirects to a stranger", redirect_to_a_stranger, status=302),
    honest("it redirects to where nobody is", redirect_to_nowhere, status=302),
    honest("its first address is closed to the source, the second is open", second_address_open, status=200),
    lie("a proxy of the test process's environment says yes, the server has stopped", proxy_of_the_test_process,
        Verdict.TIMED_OUT, "server1 is not running", alone=True),
    lie("a proxy of the client's environment says yes, the server has stopped", proxy_of_the_client, Verdict.TIMED_OUT,
        "server1 is not running"),
    lie("HTTP to a port that wants TLS", plain_to_tls, Verdict.RESET, "server1 takes connections and closes them", "it may want TLS"),
    lie("https to a port that never answers", tls_to_silence, Verdict.TIMED_OUT, "server1 takes connections but does not answer",
        "TLS handshake"),
    lie("https to a port without TLS", tls_to_plain, Verdict.INCONCLUSIVE, "the TLS handshake failed", "http://"),
    lie("a DNAT rule of the client leads to a stranger", diverted_http, Verdict.WRONG_SERVER,
        "server2 answered at "),
    lie("the same, of servers that can't say who they are", diverted_tcp, Verdict.WRONG_SERVER,
        "not server1", "not in the network namespace of server1", scheme="http"),
    lie("a UDP socket swallows datagrams", sink, Verdict.TIMED_OUT, "server1 takes datagrams on 53/udp but does not answer"),
    lie("a firewall rule of the server drops this client's packets", dropped, Verdict.TIMED_OUT,
        "a firewall rule of server1 drops it: -A INPUT -s ", "more packets while it was asked again"),
    lie("a firewall rule of the server rejects them", rejected, Verdict.REFUSED,
        "a firewall rule of server1 rejects it: -A INPUT -s ", "more packets while it was asked again"),
    unproved("the server has stopped", stopped, Verdict.TIMED_OUT, "server1 is exited"),
    unproved("the server is paused", paused, Verdict.TIMED_OUT, "server1 is paused"),
    unproved("a stranger has the address of a stopped server", stopped_and_replaced, Verdict.WRONG_SERVER, "server1 is exited",
        "wrong-server, server2 answered"),
    unproved("nothing listens", nothing_listens, Verdict.REFUSED, "server1 does not answer at http://", "nothing listens on 81/tcp"),
    unproved("it listens on 127.0.0.1 only", loopback_only, Verdict.REFUSED, "server1 does not answer at tcp://",
        "server1 listens on 127.0.0.1 only"),
    unproved("it is still starting", still_starting, Verdict.REFUSED, "server1 does not answer at http://|server1 does not answer at tcp://",
        "server1 is still starting"),
    unproved("its accept queue is full", queue_is_full, Verdict.TIMED_OUT, "server1 does not answer at tcp://"),
    unproved("it closes at once", closes, Verdict.RESET, "server1 does not answer at tcp://", "takes connections and closes them"),
    unproved("a mistyped address, of nobody", address_of_nobody, Verdict.TIMED_OUT, "is not an address of server1"),
    unproved("a mistyped URL, of nobody", url_of_nobody, Verdict.TIMED_OUT, "is not the address of a container that is known here"),
    unproved("the source has stopped", source_stopped, Verdict.INCONCLUSIVE, "client1 can't probe at all"),
    unproved("the source's resolver is dead", resolver_dead, Verdict.NAME_NOT_FOUND, "no name server"),
    unproved("the host's 127.0.0.1, asked in a container", loopback_of_the_source, Verdict.REFUSED,
        "asked from a container is that container itself"),
    unproved("nobody listens for the datagrams", datagrams_to_nobody, Verdict.REFUSED, "server1 does not answer at udp://"),
    unproved("the server was taken off its network", off_its_network, Verdict.INCONCLUSIVE, "no address"),
    unproved("it answers, but after the time limit", slow, Verdict.TIMED_OUT, "server1 does not answer at http://",
        "packets do get through", truth=Truth.OPEN),
    open_("the source has no curl and no nc", source_without_curl),
    open_("the client's environment names a dead proxy", dead_proxy_of_the_client),
    open_("the test process's environment names a dead proxy", dead_proxy_of_the_test_process, alone=True),
    open_("it is up for a part of each second", flickers, hold=1.0),
    open_("the isolation ends while one looks", isolation_ends, hold=20.0),
    open_("the first address is closed, the second open", second_address_open),
    open_("IPv4 is closed, IPv6 is open", only_ipv4_closed),
    isolated("a firewall rule of the server drops this client's packets", dropped, Verdict.TIMED_OUT),
    isolated("a firewall rule of the server rejects them", rejected, Verdict.REFUSED),
    isolated("a network without inter-container communication", no_icc, Verdict.TIMED_OUT),
    isolated("two networks", two_networks, Verdict.TIMED_OUT),
    isolated("one of two addresses is closed, and that one is asked", closed_address, Verdict.TIMED_OUT),
)  # fmt: skip

"""Set-ups that are built to fool whoever asks who can talk to whom, each with the truth: data for a test and a comparison.

``tests/engine/test_liars.py`` holds the plugin to it; ``make liars`` puts the same questions to what people use instead.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest

from pytest_dockconn import (
    Client,
    Container,
    Lab,
    Port,
    ProbeResult,
    ReachabilityError,
    Server,
    Verdict,
    assert_reachable,
    assert_unreachable,
)
from tests.engine import scenes, servers
from tests.engine.helpers import docker_py, rule, take_address
from tests.shared import Stage
from tests.waiting import until

T = TypeVar("T")
#: A source and a destination.
Question = tuple[Any, Any]
SetUp = Callable[[Stage], Question]

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


# How they are arranged


def from_a_client(stage: Stage, server: dict[str, Any]) -> tuple[Client, Server]:
    """A server with these options, and a client with which nothing is wrong."""
    return stage.once(scenes.plain).client, stage.lab.server(**server)


def of_a_client(stage: Stage, client: dict[str, Any]) -> tuple[Client, Server]:
    """A client with these options, and a server with which nothing is wrong."""
    return stage.lab.client(**client), stage.once(scenes.plain).server


def nobody(container: Container) -> str:
    """An address of the container's network that nobody has."""
    return f"{'.'.join(container.ip.split('.')[:2])}.200.200"


def page(server: Server) -> str:
    """Its bound port, so that everybody can ask."""
    return f"http://127.0.0.1:{server.bound_port(80).number}/"


def proxied(undo: contextlib.ExitStack, url: str) -> None:
    """The environment of the test process names a proxy for everything."""
    patch = undo.enter_context(pytest.MonkeyPatch.context())
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        patch.setenv(name, url)
    for name in ("no_proxy", "NO_PROXY"):
        patch.delenv(name, raising=False)


# Is it reachable?


def address_taken(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.replaced).server.port(80)


def address_taken_by_an_equal(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.replaced_by_an_equal).server.port(80)


def address_taken_udp(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.replaced).server.port(53, "udp")


def address_taken_udp_by_an_equal(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.replaced_by_an_equal).server.port(53, "udp")


def forged(stage: Stage) -> Question:
    network = stage.lab.network()
    server = stage.lab.server(networks=[network])
    server.stop()
    stranger = servers.web(80, f"X-Dockconn-Container: {server.id}")
    take_address(stage.lab, server.ip, networks=[network], **stranger)
    return stage.lab.host, server.port(80)


def heard(server: Server, number: int = 80, *, udp: bool = False) -> bytes:
    """What a server says to anybody who asks: over UDP a datagram, else the lines of its headers about itself."""
    question = (
        b"dockconn? 0011"
        if udp
        else b"GET / HTTP/1.1\r\nHost: x\r\nX-Dockconn-Nonce: 0011\r\nConnection: close\r\n\r\n"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        sock.connect((server.ip, number))
        sock.send(question)
        if udp:
            return sock.recv(9999).removeprefix(question)
        head = b"".join(iter(lambda: sock.recv(9999), b"")).partition(b"\r\n\r\n")[0]
    return b"\r\n".join(line for line in head.split(b"\r\n") if line.lower().startswith(b"x-dockconn"))


def repeats(server: Server) -> dict[str, Any]:
    """A stranger who says of itself all that the server said."""
    return servers.web(80, *heard(server).decode().split("\r\n"))


def repeated(stage: Stage) -> Question:
    network = stage.lab.network()
    server = stage.lab.server(networks=[network])
    stranger = repeats(server)
    server.stop()
    take_address(stage.lab, server.ip, networks=[network], **stranger)
    return stage.lab.host, server.port(80)


def repeated_udp(stage: Stage) -> Question:
    network = stage.lab.network()
    server = stage.lab.server(networks=[network], expose=("53/udp",))
    said = heard(server, 53, udp=True)
    server.stop()
    take_address(stage.lab, server.ip, networks=[network], **servers.datagrams(53, f"s.sendto(d + {said!r}, p)"))
    return stage.lab.host, server.port(53, "udp")


def repeated_when_bound(stage: Stage) -> Question:
    server = stage.lab.server(bind={80: None})
    told = dict(line.split(": ", 1) for line in heard(server).decode().split("\r\n"))
    port = server.bound_port(80)
    server.stop()
    process(stage.undo, port.number, told)
    return stage.lab.host, port


def repeated_while_it_runs(stage: Stage) -> Question:
    """The client's own server, at the client's own localhost: what the engine knows of the server is that it is well."""
    server = stage.lab.server()
    return stage.lab.client(**repeats(server)), server.port(80).named("localhost")


def claimed_udp(stage: Stage) -> Question:
    network = stage.lab.network()
    server = stage.lab.server(networks=[network], **servers.ECHO)
    server.stop()
    claim = f" {server.id}".encode()
    take_address(stage.lab, server.ip, networks=[network], **servers.datagrams(53, f"s.sendto(d + {claim!r}, p)"))
    return stage.lab.host, server.port(53, "udp")


def claimed_url(stage: Stage) -> Question:
    """By a plain URL, so that it is asked what it says of itself."""
    network = stage.lab.network()
    server = stage.lab.server(networks=[network], **servers.web(80))
    server.stop()
    stranger = take_address(
        stage.lab, server.ip, networks=[network], **servers.web(80, f"X-Dockconn-Container: {server.id}")
    )
    del stranger.services.known[stranger.id]  # as if others had made it: else the address is its own
    return stage.lab.host, f"http://{server.ip}/"


def _stopped_with_a_bound_port(lab: Lab, **options: Any) -> Port:
    server = lab.server(bind={80: None}, **options)
    port = server.bound_port(80)
    server.stop()
    return port


def host_port_of_another(stage: Stage) -> Question:
    port = _stopped_with_a_bound_port(stage.lab)
    stage.lab.server(bind={80: port.number})
    return stage.lab.host, port


def host_port_of_an_equal(stage: Stage) -> Question:
    port = _stopped_with_a_bound_port(stage.lab, **servers.web(80))
    stage.lab.server(bind={80: port.number}, **servers.web(80))
    return stage.lab.host, port


def host_port_of_a_process(stage: Stage) -> Question:
    port = _stopped_with_a_bound_port(stage.lab)
    process(stage.undo, port.number, {})
    return stage.lab.host, port


def process(undo: contextlib.ExitStack, number: int, headers: Mapping[str, str]) -> None:
    """A server of the host."""
    server = ThreadingHTTPServer(("127.0.0.1", number), partial(_Page, headers))
    undo.callback(server.server_close)
    undo.callback(server.shutdown)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()


class _Page(BaseHTTPRequestHandler):
    def __init__(self, told: Mapping[str, str], *args: Any) -> None:
        self._told = told
        super().__init__(*args)

    def do_GET(self) -> None:
        self.send_response(200)
        for name, value in {**self._told, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of its base
        """Nothing: it would go to stderr."""


def proxy_without_a_listener(stage: Stage) -> Question:
    """The listener ends, the container goes on, and so does the userland proxy."""
    command = ["sh", "-c", "python3 -m http.server 8000 & echo $! > /tmp/pid; exec sleep 600"]
    server = stage.lab.server(expose=(), bind={8000: None}, command=command)
    server.run(
        "sh",
        "-c",
        "kill $(cat /tmp/pid); while kill -0 $(cat /tmp/pid) && ! grep -q Z /proc/$(cat /tmp/pid)/stat; do :; done",
    )
    return stage.lab.host, server.bound_port(8000)


def proxy_before_loopback(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.loopback).bound_port(8000)


def never_accepts(stage: Stage) -> Question:
    return stage.lab.host, stage.lab.server(**servers.DEAF).port(80)


def never_answers(stage: Stage) -> Question:
    return stage.lab.host, page(stage.once(scenes.silent))


def closes_when_bound(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.closes).bound_port(80)


def speaks_mail(stage: Stage) -> Question:
    return stage.lab.host, page(stage.once(scenes.mail))


def paused_when_bound(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.paused).bound_port(80)


def fixed_name_of_a_stranger(stage: Stage) -> Question:
    stranger = stage.lab.server(name="stranger")
    client, server = of_a_client(stage, {"extra_hosts": {"web": stranger.ip}})
    return client, server.port(80).named("web")


def alias_of_a_stranger(stage: Stage) -> Question:
    """That of ``apart``, on the network of which it is ``db``."""
    on = {"networks": [stage.once(scenes.apart).network]}
    made = scenes.pair(stage.lab, {**on, "name": "asked"}, on)
    return made.client, made.server.port(80).named("db")


def link_to_one_that_is_gone(stage: Stage) -> Question:
    """Links are of the default network, where others may be quicker to take the address: then once more."""
    for _ in range(5):
        server = stage.lab.server()
        client = stage.lab.client(links={"db": server})
        server.discard()
        if any(stage.lab.server().ip == server.ip for _ in range(3)):
            return client, server.port(80).named("db")
    raise AssertionError(f"nobody got {server.ip}")


def localhost(stage: Stage) -> Question:
    """In a container it is the container."""
    client, server = of_a_client(stage, {"command": ["python3", "-m", "http.server", "80"], "expose": (80,)})
    return client, server.port(80).named("localhost")


def redirects(lab: Lab, elsewhere: str) -> Server:
    """A server of ours that sends everybody elsewhere."""
    server = lab.server()
    lines = f"LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so\nRedirect 302 / {elsewhere}\n"
    server.run("sh", "-c", 'printf %s "$0" >> /etc/apache2/dockconn.conf && kill -USR1 1', lines)
    # Apache reads its configuration again in a few milliseconds
    assert until(lambda: lab.host.probe(server.port(80)).status == 302, 10)
    return server


def redirect_to_a_stranger(stage: Stage) -> Question:
    stranger = stage.once(scenes.plain).server
    return stage.lab.host, redirects(stage.lab, f"http://{stranger.ip}/").port(80)


def redirect_to_nowhere(stage: Stage) -> Question:
    return stage.lab.host, redirects(stage.lab, "http://127.0.0.1:9/").port(80)


def second_address_open(stage: Stage) -> Question:
    made = stage.once(scenes.second_address_open)
    return made.client, made.server.port(80)


def proxy_of_the_test_process(stage: Stage) -> Question:
    made = stage.once(scenes.proxied)
    proxied(stage.undo, made.url)
    return stage.lab.host, made.server.port(80)


proxy_of_the_client = scenes.asked(scenes.proxied)


def plain_to_tls(stage: Stage) -> Question:
    return stage.lab.host, f"http://{stage.lab.server(**servers.TLS).ip}:443/"


def tls_to_silence(stage: Stage) -> Question:
    return stage.lab.host, f"https://{stage.once(scenes.silent).ip}:80/"


def tls_to_plain(stage: Stage) -> Question:
    return stage.lab.host, f"https://{stage.once(scenes.plain).server.ip}:80/"


def diverted(stage: Stage, server: Server, stranger: Server) -> Question:
    """The client's own network leads the connection to a stranger; the server itself is well."""
    client = stage.lab.client()
    to = ["-j", "DNAT", "--to-destination", f"{stranger.ip}:80"]
    rule(client, "-t", "nat", "-A", "OUTPUT", "-d", server.ip, "-p", "tcp", "--dport", "80", *to)
    return client, server.port(80)


def diverted_http(stage: Stage) -> Question:
    return diverted(stage, stage.once(scenes.plain).server, stage.lab.server(name="server2"))


def diverted_tcp(stage: Stage) -> Question:
    return diverted(stage, stage.once(scenes.unsaid), stage.lab.server(**servers.web(80)))


def sink(stage: Stage) -> Question:
    return stage.lab.host, stage.lab.server(**servers.SINK).port(53, "udp")


# Is it unreachable?


def stopped(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.stopped).server.port(80)


def paused(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.paused).port(80)


def stopped_and_replaced(stage: Stage) -> Question:
    return address_taken(stage)


def nothing_listens(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.plain).server.port(81)


def loopback_only(stage: Stage) -> Question:
    return stage.once(scenes.plain).client, stage.once(scenes.loopback).port(8000)


def still_starting(stage: Stage) -> Question:
    command = ["sh", "-c", "sleep 5; exec python3 -m http.server 80"]
    client, server = from_a_client(stage, {"expose": (), "command": command})
    return client, server.port(80)


def queue_is_full(stage: Stage) -> Question:
    """More connections wait than the queue takes: the kernel drops what comes then."""
    server = stage.lab.server(**servers.DEAF)
    for _ in range(3):
        waits = stage.undo.enter_context(socket.socket())
        waits.setblocking(False)
        waits.connect_ex((server.ip, 80))
    return stage.lab.host, server.port(80)


def closes(stage: Stage) -> Question:
    return stage.once(scenes.plain).client, stage.once(scenes.closes).port(80)


def address_of_nobody(stage: Stage) -> Question:
    made = stage.once(scenes.plain)
    return made.client, made.server.port(80).on(nobody(made.server))


def url_of_nobody(stage: Stage) -> Question:
    client = stage.once(scenes.plain).client
    return client, f"http://{nobody(client)}/"


def source_stopped(stage: Stage) -> Question:
    client, server = of_a_client(stage, {})
    client.stop()
    return client, server.port(80)


def source_without_curl(stage: Stage) -> Question:
    client, server = of_a_client(stage, {})
    client.run("sh", "-c", "rm -f $(command -v curl nc)")
    return client, server.port(80)


def dead_proxy_of_the_client(stage: Stage) -> Question:
    client, server = of_a_client(stage, {"env": scenes.variables("http://127.0.0.1:9")})
    return client, server.port(80)


def dead_proxy_of_the_test_process(stage: Stage) -> Question:
    server = stage.once(scenes.plain).server
    proxied(stage.undo, "http://127.0.0.1:9")
    return stage.lab.host, server.port(80)


def flickers(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.flickers).port(80)


def isolation_ends(stage: Stage) -> Question:
    made = stage.once(scenes.apart)
    client = stage.lab.client(networks=[stage.lab.network()])
    timer = threading.Timer(0.5, lambda: made.network.connect(client))
    timer.start()
    stage.undo.callback(timer.join)
    return client, made.server.port(80)


def only_ipv4_closed(stage: Stage) -> Question:
    network = stage.lab.network(ipv6=True)
    made = scenes.pair(stage.lab, {"networks": [network]}, {"networks": [network]})
    rule(made.server, "-A", "INPUT", "-s", made.client.ip, "-j", "DROP")
    return made.client, made.server.port(80)


def only_ipv4_closed_by_name(stage: Stage) -> Question:
    """The first address of the name swallows everything, as long as anybody cares to wait."""
    client, port = only_ipv4_closed(stage)
    return client, port.named(port.owner.name)


def isolation_ends_at_the_server(stage: Stage) -> Question:
    """It gets an address on the client's network, beside the one that is asked."""
    one, other = stage.lab.network(), stage.lab.network()
    made = scenes.pair(stage.lab, {"networks": [one]}, {"networks": [other]})
    timer = threading.Timer(0.3, lambda: other.connect(made.server))
    timer.start()
    stage.undo.callback(timer.join)
    return made.client, made.server.port(80)


def resolver_dead(stage: Stage) -> Question:
    return stage.once(scenes.nameless), stage.once(scenes.plain).server.port(80).named("db.example.test")


def loopback_of_the_source(stage: Stage) -> Question:
    return stage.once(scenes.plain).client, stage.once(scenes.bound).bound_port(80).on("127.0.0.1")


def slow(stage: Stage) -> Question:
    server = stage.lab.server(**servers.SLOW)
    return stage.lab.host, f"http://{server.ip}/"


def datagrams_to_nobody(stage: Stage) -> Question:
    made = stage.once(scenes.plain)
    return made.client, made.server.port(54, "udp")


def off_its_network(stage: Stage) -> Question:
    network = stage.lab.network()
    made = scenes.pair(stage.lab, {"networks": [network]}, {"networks": [network]})
    network.disconnect(made.server)
    return made.client, made.server.port(80)


# Truly isolated


dropped, rejected = scenes.asked(scenes.dropped), scenes.asked(scenes.rejected)
no_icc, two_networks = scenes.asked(scenes.icc_off), scenes.asked(scenes.apart)


def closed_address(stage: Stage) -> Question:
    made = stage.once(scenes.second_address_open)
    return made.client, made.server.port(80).on(made.network)


# Sound ones


def well_bound(stage: Stage) -> Question:
    return stage.lab.host, stage.once(scenes.bound).bound_port(80)


well_exposed = scenes.asked(scenes.plain)


def well_udp(stage: Stage) -> Question:
    made = stage.once(scenes.plain)
    return made.client, made.server.port(53, "udp")


def plainly_stopped(stage: Stage) -> Question:
    return stage.lab.host, _stopped_with_a_bound_port(stage.lab)


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
    lie("it says all that it has heard the server say", repeated, Verdict.WRONG_SERVER,
        "server2 answered at ", "does not know that server's token"),
    lie("the same, UDP", repeated_udp, Verdict.WRONG_SERVER, "server2 answered at ", "does not know that server's token"),
    lie("the same, by a process of the host that has the host port", repeated_when_bound, Verdict.WRONG_SERVER,
        "of the host answered at 127.0.0.1, not server1", "does not know that server's token"),
    lie("the same, at the client's localhost, while the server runs", repeated_while_it_runs, Verdict.WRONG_SERVER,
        "answered at http://localhost, not server1", "does not know that server's token"),
    lie("it says that it is a server that can't say who it is, UDP", claimed_udp, Verdict.WRONG_SERVER,
        "server2 answered at ", "server1 is exited"),
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
        "server1 answered at http://db, not asked"),
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
    unproved("a stranger has it, and says that it is that server, which can't say so", claimed_url, Verdict.WRONG_SERVER,
        "server1 is exited", "something answered, and it was not server1"),
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
    open_("the same, by its name", only_ipv4_closed_by_name, hold=1.0, timeout=1.0),
    unproved("the server gets an address on the source's network while one looks", isolation_ends_at_the_server,
        Verdict.TIMED_OUT, "leads to it by now, and was not asked", truth=Truth.OPEN, hold=3.0),
    isolated("a firewall rule of the server drops this client's packets", dropped, Verdict.TIMED_OUT),
    isolated("a firewall rule of the server rejects them", rejected, Verdict.REFUSED),
    isolated("a network without inter-container communication", no_icc, Verdict.TIMED_OUT),
    isolated("two networks", two_networks, Verdict.TIMED_OUT),
    isolated("one of two addresses is closed, and that one is asked", closed_address, Verdict.TIMED_OUT),
)  # fmt: skip

"""What can be asked besides a container's port: names, echoes, datagrams, certificates, IPv6, and the host itself."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dockconn import Client, Lab, ReachabilityError, Server, Verdict, assert_reachable, assert_unreachable
from pytest_dockconn.errors import CapabilityError, DockconnError, NoAddress, PortInUse, SpecError
from pytest_dockconn.handles.source import Source
from tests.conformance.helpers import asker
from tests.engine import scenes
from tests.engine.helpers import needs, rule, subnet
from tests.engine.tls import certificate
from tests.shared import Shared, Stage

Question = tuple[Any, Any]


class Stack:
    """Two networks of both families, a server on one, a client on each, and a stranger to both."""

    def __init__(self, lab: Lab) -> None:
        self.near, self.far = (lab.network(name, ipv6=True) for name in ("near", "far"))
        self.web = lab.server(name="web", networks=[self.near], expose=(80, "53/udp"))
        self.client = asker(lab, networks=[self.near], name="client")
        self.other = asker(lab, networks=[self.far], name="other")
        self.plain = lab.client(name="plain", extra_hosts={"db": "192.0.2.7"}, dns=["192.0.2.53"])
        self.host = lab.host
        for address in (self.web.ip, self.web.ip6):  # an IPv6 address is good a second after it was given
            assert_reachable(self.client, self.web.port(80).on(address))


@pytest.fixture(scope="module")
def stack(dockconn_module: Lab) -> Stack:
    return Stack(dockconn_module)


ANSWERS: list[tuple[str, Callable[[Stack], Question], Callable[[Stack], Any]]] = [
    ("a name", lambda s: (s.client, "dns://web"), lambda s: s.web.ip),
    ("a name of /etc/hosts", lambda s: (s.plain, "dns://db"), lambda _: "192.0.2.7"),
    ("an address is its own", lambda s: (s.client, "dns://[fd00::7]"), lambda _: "fd00::7"),
    ("the host's own resolver", lambda s: (s.host, "dns://localhost"), lambda _: "127.0.0.1"),
    ("an echo", lambda s: (s.client, f"icmp://{s.web.ip}"), lambda s: s.web.ip),
    ("an echo by name", lambda s: (s.client, "icmp://web"), lambda s: s.web.ip),
    ("an echo by IPv6", lambda s: (s.client, f"icmp://[{s.web.ip6}]"), lambda s: s.web.ip6),
    ("an echo of the gateway", lambda s: (s.client, f"icmp://{s.near.gateway}"), lambda s: s.near.gateway),
    ("an echo from a sidecar", lambda s: (s.web, f"icmp://{s.client.ip}"), lambda s: s.client.ip),
    ("an echo from the host", lambda s: (s.host, f"icmp://{s.web.ip}"), lambda s: s.web.ip),
    ("a datagram", lambda s: (s.client, f"udp://{s.web.ip}:53"), lambda s: s.web.ip),
    ("a datagram by IPv6", lambda s: (s.client, f"udp://[{s.web.ip6}]:53"), lambda s: s.web.ip6),
    ("http by IPv6", lambda s: (s.client, f"http://[{s.web.ip6}]/"), lambda s: s.web.ip6),
    ("tcp by IPv6", lambda s: (s.client, f"tcp://[{s.web.ip6}]:80"), lambda s: s.web.ip6),
]


@pytest.mark.parametrize(("ask", "address"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS])
def test_answers(stack: Stack, ask: Callable[[Stack], Question], address: Callable[[Stack], str]) -> None:
    source, destination = ask(stack)

    assert assert_reachable(source, destination).address == address(stack)


def test_a_name_has_all_of_its_addresses(stack: Stack) -> None:
    seen = stack.client.probe("dns://web")

    assert seen.addresses == (stack.web.ip, stack.web.ip6)
    assert seen.detail == f"web is {stack.web.ip}, {stack.web.ip6}"


FAILURES: list[tuple[str, Callable[[Stack], Question], Verdict, str]] = [
    ("unknown name", lambda s: (s.client, "dns://nobody"), Verdict.NAME_NOT_FOUND, "name resolution: 'nobody' is not"),
    ("a name on another network", lambda s: (s.other, "dns://web"), Verdict.NAME_NOT_FOUND, "name resolution"),
    ("dead resolver", lambda s: (s.plain, "dns://web"), Verdict.TIMED_OUT, "name resolution: no answer for 'web'"),
    ("echo by an unknown name", lambda s: (s.client, "icmp://nobody"), Verdict.NAME_NOT_FOUND, "name resolution"),
    ("echo of another network", lambda s: (s.other, f"icmp://{s.web.ip}"), Verdict.TIMED_OUT, "echo reply"),
    ("datagram to nobody", lambda s: (s.client, f"udp://{s.web.ip}:54"), Verdict.REFUSED, "ECONNREFUSED"),
    ("datagram to another network", lambda s: (s.other, f"udp://{s.web.ip}:53"), Verdict.TIMED_OUT, "datagram"),
    ("an address of no route", lambda s: (s.plain, "tcp://[fd00:7::1]:80"), Verdict.NO_ROUTE, ""),
]


@pytest.mark.parametrize(("ask", "verdict", "detail"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES])
def test_failures(stack: Stack, ask: Callable[[Stack], Question], verdict: Verdict, detail: str) -> None:
    source, destination = ask(stack)

    seen = source.probe(destination, timeout=2 if verdict is Verdict.REFUSED else 0.4)

    assert (seen.verdict, bool(seen)) == (verdict, False)
    assert detail in seen.detail


SCHEMES = ["http://{}/", "tcp://{}:80", "udp://{}:53", "icmp://{}"]


@needs("isolation")
@pytest.mark.parametrize("url", SCHEMES)
def test_a_url_of_a_known_container_is_proved_out_of_reach(stack: Stack, url: str) -> None:
    seen = assert_unreachable(stack.other, url.format(stack.web.ip), because=Verdict.TIMED_OUT, timeout=0.3)

    assert seen.target.owner == stack.web.id


@pytest.mark.parametrize("url", SCHEMES)
def test_a_url_that_is_reached_is_not_out_of_reach(stack: Stack, url: str) -> None:
    with pytest.raises(ReachabilityError, match=r"client can reach .* but it must not"):
        assert_unreachable(stack.client, url.format(stack.web.ip), timeout=0.3)


@pytest.mark.parametrize("spelled", [str, str.upper, lambda ip: ipaddress.ip_address(ip).exploded])
def test_of_an_ipv6_address_the_owner_is_known_however_it_is_written(
    stack: Stack, spelled: Callable[[str], str]
) -> None:
    """Nothing listens there: the owner was asked from inside, so somebody knows whose address it is."""
    with pytest.raises(ReachabilityError, match=r"inconclusive: .*web does not answer at tcp://.* asked from inside"):
        assert_unreachable(stack.client, f"tcp://[{spelled(stack.web.ip6)}]:81", timeout=0.3)


@needs("isolation")
@pytest.mark.parametrize("url", SCHEMES)
def test_what_no_way_leads_to_is_explained(stack: Stack, url: str) -> None:
    with pytest.raises(ReachabilityError) as caught:
        assert_reachable(stack.other, url.format(stack.web.ip), within=0, timeout=0.2)

    assert "timed out: other and web share no network" in str(caught.value).splitlines()[0]


def test_an_echo_needs_no_capabilities(stack: Stack) -> None:
    status = stack.client.run("cat", "/proc/1/status").stdout

    assert int(status.partition("CapEff:\t")[2].split()[0], 16) == 0
    assert stack.client.probe(f"icmp://{stack.web.ip}")


# https

TLS = """
import http.server, os, ssl
for name in ("cert", "key"):
    open("/tmp/" + name, "w").write(os.environ[name])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tmp/cert", "/tmp/key")
server = http.server.HTTPServer(("", 443), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def secure(dockconn_module: Lab, stack: Stack) -> Server:
    """Has a certificate that it signed itself, for the name ``secure``."""
    cert, key = certificate("secure")
    return dockconn_module.server(
        name="secure", networks=[stack.near], aliases=["alias"], expose=(443,), env={"cert": cert, "key": key},
        command=["python3", "-c", TLS],
    )  # fmt: skip


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_text(certificate("secure")[0], encoding="ascii")
    return file


def test_https_with_its_authority_or_unverified(stack: Stack, secure: Server, authority: Path) -> None:
    for source, url, verify in (
        (stack.client, "https://secure/", authority),
        (stack.client, "https://secure/", str(authority)),
        (stack.client, "https://secure/", False),
        (stack.client, f"https://{secure.ip}/", False),
        (stack.host, f"https://{secure.ip}/", False),
    ):
        answer = assert_reachable(source, url, verify=verify)
        assert (answer.status, answer.address) == (200, secure.ip)
    assert stack.client.probe("https://secure/", verify=authority)


UNTRUSTED: list[tuple[str, str, bool, str]] = [
    ("by the source's own authorities", "https://secure/", False, "TLS: self"),
    ("another name", "https://alias/", True, "TLS: Hostname mismatch"),
    ("no https", "https://web:80/", True, "TLS: "),
]


@pytest.mark.parametrize(("url", "known", "detail"), [u[1:] for u in UNTRUSTED], ids=[u[0] for u in UNTRUSTED])
def test_https_that_is_not_trusted(
    stack: Stack, secure: Server, authority: Path, url: str, known: bool, detail: str
) -> None:
    """Something answers there, so this proves nothing: neither that it can be reached nor that it can't."""
    verify = authority if known else True
    seen = stack.client.probe(url, verify=verify)

    assert seen.verdict is Verdict.INCONCLUSIVE
    assert seen.detail.startswith(detail)
    with pytest.raises(ReachabilityError, match="inconclusive"):
        assert_unreachable(stack.client, url, timeout=0.3, verify=verify)


@pytest.mark.parametrize("content", [None, "", "no certificate", "é"])
def test_an_authority_that_is_none(stack: Stack, secure: Server, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(SpecError, match="the authorities can't be read"):
        stack.client.probe("https://secure/", verify=file)


# The host


@needs("host-callback")
def test_host_gateway_leads_to_the_host(dockconn: Lab, shared: Shared) -> None:
    listener = dockconn.host.listen()
    client = dockconn.client(networks=[shared.once(scenes.apart).network], extra_hosts={"hg": "host-gateway"})

    assert client.probe("dns://hg").address == dockconn.bridge.gateway
    assert assert_reachable(client, f"http://hg:{listener.number}/").text == "the host answers\n"


def on_a_closed_network(lab: Lab) -> Source:
    return lab.client(networks=[lab.network("closed", subnet=subnet(), internal=True)])


def gateway(_: Lab, client: Any) -> str:
    found: str = client.facts().endpoints[0].gateway
    return found


SOURCES: list[tuple[str, Callable[[Stage], Source], Callable[[Lab, Any], str]]] = [
    ("the default bridge", lambda stage: stage.once(scenes.plain).client, lambda lab, _: lab.bridge.gateway),
    ("a user network", lambda stage: stage.once(scenes.apart).client, gateway),
    (
        "an internal network",
        lambda stage: stage.once(on_a_closed_network),
        lambda _, c: c.ip.rpartition(".")[0] + ".1",
    ),
    ("the host's network", lambda stage: stage.once(scenes.on_the_hosts_network), lambda *_: "127.0.0.1"),
    ("the host", lambda stage: stage.lab.host, lambda *_: "127.0.0.1"),
    ("a server, by its sidecar", lambda stage: stage.once(scenes.plain).server, lambda lab, _: lab.bridge.gateway),
]


@needs("host-callback", "host-network")
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(("who", "address"), [s[1:] for s in SOURCES], ids=[s[0] for s in SOURCES])
def test_the_host_is_called_back(
    stage: Stage, who: Callable[[Stage], Source], address: Callable[[Lab, Any], str], protocol: str
) -> None:
    source, lab = who(stage), stage.lab
    with lab.host.listen(protocol=protocol) as listener:
        answer = assert_reachable(source, listener)
        call = listener.wait_for_call()

        assert answer.address == call.to == address(lab, source)
        assert call.port == (answer.path.source_port if answer.path else None)
        assert call.data
        assert listener.url_from(source).partition("://")[2].startswith(f"{answer.address}:{listener.number}")
    assert source.probe(listener, timeout=2).verdict is Verdict.REFUSED


@needs("host-callback")
def test_a_program_calls_back(dockconn: Lab, shared: Shared) -> None:
    client = shared.once(scenes.apart).client
    listener = dockconn.host.listen()
    assert not listener.calls

    assert client.run("curl", "-s", listener.url_from(client) + "done?with=7").stdout == "the host answers\n"

    call = listener.wait_for_call()
    assert listener.calls == (call,)
    assert call.address == client.ip
    assert call.data.startswith(b"GET /done?with=7 HTTP/1.1\r\n")


@needs("host-callback")
def test_nobody_calls(dockconn: Lab) -> None:
    with pytest.raises(DockconnError, match=r"nobody called port \d+/tcp of the host within 0.01 s"):
        dockconn.host.listen().wait_for_call(within=0.01)


@needs("host-callback")
def test_without_a_network_the_host_is_out_of_reach(dockconn: Lab, shared: Shared) -> None:
    client, listener = shared.once(scenes.without_network), dockconn.host.listen()

    assert_unreachable(client, listener, because=Verdict.NO_ROUTE)


@needs("host-callback")
def test_a_firewall_keeps_a_container_from_the_host(dockconn: Lab) -> None:
    client, listener = dockconn.client(), dockconn.host.listen()
    assert_reachable(client, listener)
    rule(client, "-A", "OUTPUT", "-d", dockconn.bridge.gateway, "-j", "DROP")

    assert_unreachable(client, listener, because=Verdict.TIMED_OUT, timeout=0.3)

    with pytest.raises(ReachabilityError, match="a firewall rule of client1 drops it: -A OUTPUT"):
        assert_reachable(client, listener, within=0, timeout=0.3)
    listener.close()
    with pytest.raises(ReachabilityError, match=r"inconclusive: .* the host does not answer at http://172"):
        assert_unreachable(client, listener, timeout=0.3)


@needs("host-callback")
def test_a_host_that_is_reached_is_not_out_of_reach(dockconn: Lab, dockconn_client: Client) -> None:
    with pytest.raises(ReachabilityError, match=r"client1 can reach port \d+/tcp of the host .* but it must not"):
        assert_unreachable(dockconn_client, dockconn.host.listen(), timeout=0.3)


@needs("host-callback")
def test_somebody_else_on_the_hosts_port(dockconn: Lab, dockconn_client: Client) -> None:
    """A listener that was closed, and a stranger that took its port: the wrong server, not the host's."""
    client, listener = dockconn_client, dockconn.host.listen()
    listener.close()
    page = b"HTTP/1.0 200 OK\r\n\r\nhere"
    with socket.create_server((dockconn.bridge.gateway, listener.number)) as stranger:

        def answer() -> None:
            connection, _ = stranger.accept()
            with connection:
                connection.recv(999)
                connection.sendall(page)

        thread = threading.Thread(target=answer)
        thread.start()
        assert client.probe(listener).verdict is Verdict.WRONG_SERVER
        thread.join()


@needs("host-callback")
def test_a_lab_that_ends_listens_no_more(dockconn: Lab) -> None:
    lab = Lab(dockconn._services, "listens")
    listener = lab.host.listen()
    assert dockconn.host.probe(listener)

    lab.close()

    assert dockconn.host.probe(listener).verdict is Verdict.REFUSED


CALLERS: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("no port", {"port": 70000}, SpecError, "70000"),
    ("port 0", {"port": 0}, SpecError, "0"),
    ("no protocol", {"protocol": "http"}, SpecError, "http"),
    ("sctp", {"protocol": "sctp"}, CapabilityError, "the host listens on tcp and udp, not on sctp"),
]


@pytest.mark.parametrize(("options", "error", "words"), [c[1:] for c in CALLERS], ids=[c[0] for c in CALLERS])
def test_what_the_host_can_not_listen_on(
    dockconn: Lab, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        dockconn.host.listen(**options)


@needs("host-callback")
def test_a_port_of_the_host_that_is_taken(dockconn: Lab) -> None:
    taken = dockconn.host.listen()

    with pytest.raises(PortInUse, match=f"can't listen on 127.0.0.1 port {taken.number}/tcp"):
        dockconn.host.listen(taken.number)
    assert dockconn.host.listen(taken.number, "udp").number == taken.number
    taken.close()
    assert dockconn.host.listen(taken.number).number == taken.number


@needs("host-callback")
def test_a_far_engine_can_not_call_back(dockconn: Lab, shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    listener, client = dockconn.host.listen(), shared.once(scenes.without_network)
    monkeypatch.setattr(dockconn._services, "gateways", lambda _: ())
    with pytest.raises(NoAddress, match="client1 is on no network that the host is on too"):
        listener.url_from(client)

    monkeypatch.setitem(vars(dockconn._services), "same_host", False)

    with pytest.raises(CapabilityError, match=r"containers can't call back to this process: .*'host-callback'"):
        dockconn.host.listen()


def test_host_addresses_are_known(dockconn: Lab) -> None:
    addresses = dockconn._services.host_addresses()

    assert dockconn.bridge.gateway in addresses
    assert "127.0.0.1" in addresses
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        assert sock.getsockname()[0] in addresses

"""Bad input: the cause in one line, what was checked, the remedy; and nothing was made of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_dockconn.actions.containers import await_answers
from tests.conformance.helpers import free_range
from tests.plugin.conftest import Inner


@dataclass(frozen=True)
class Bad:
    """A line of a test, and what it is answered with.

    Attributes:
        code: what is written.
        kind: the error's class; a ``SpecError`` is a ``ValueError`` too.
        words: of the cause.
        before: what is made first, and stays.
        checked: whether the message says what was looked at; false where the cause shows the whole of it.
    """

    code: str
    words: str
    kind: str = "SpecError"
    before: str = "pass"
    checked: bool = True


SERVER = "server = dockconn.server(name='web')"
STOPPED = SERVER + "; server.stop()"
NETWORK = SERVER + "; network = dockconn.network()"

TABLE = [
    # ports
    Bad("dockconn.server(expose=(0,))", "0 is outside of 1 to 65535"),
    Bad("dockconn.server(expose=0)", "0 is outside of 1 to 65535"),
    Bad("dockconn.server(expose=(65536,))", "65536 is outside of 1 to 65535"),
    Bad("dockconn.server(expose=(-1,))", "-1 is outside of 1 to 65535"),
    Bad("dockconn.server(expose=('80/xyz',))", "protocol 'xyz' is none of tcp, udp, sctp"),
    Bad("dockconn.server(expose=('80/sctp',))", "no server of ours answers on 80/sctp"),
    Bad("dockconn.server(expose=('http',))", "'http' is no number"),
    Bad("dockconn.server(expose=('90-80',))", "the range ends at 80, before it begins at 90"),
    Bad("dockconn.server(expose=('80-',))", "a range has two ends"),
    Bad("dockconn.server(expose=(True,))", "a bool is no port"),
    Bad("dockconn.server(expose=None)", "a NoneType is no port"),
    Bad("dockconn.server(bind=80)", "a mapping of container port to host port is wanted"),
    Bad("dockconn.server(bind={0: None})", "0 is outside of 1 to 65535"),
    Bad("dockconn.server(bind={80: 65536})", "65536 is outside of 1 to 65535"),
    Bad("dockconn.server(bind={80: 0})", "0 is outside of 1 to 65535"),
    Bad("dockconn.server(bind={'80/xyz': None})", "protocol 'xyz'"),
    Bad("dockconn.server(bind={80: ('localhost', 8080)})", "'localhost' is not an address of the host"),
    Bad("dockconn.server(bind={80: ('127.0.0.1',)})", "is no (address, port)"),
    Bad("dockconn.server(bind={80: []})", "nothing to bind 80/tcp to"),
    Bad("dockconn.server(bind={'80-82': '9000-9001'})", "3 container ports and 2 host ports"),
    Bad("dockconn.server(bind={80: PORT})", "in use", "PortInUse"),
    Bad("server.port(0)", "0 is outside of 1 to 65535", before=SERVER),
    Bad("server.port('80-82')", "is a range, but one port is wanted", before=SERVER),
    Bad("server.port('53/udp', 'sctp')", "'53/udp' is not a port of sctp", before=SERVER),
    Bad("server.bound_port('80', 'udp')", "web has no bound port 80/udp", "DockconnError", SERVER),
    Bad("server.port(10**5000)", "is outside of 1 to 65535", before=SERVER),
    Bad("dockconn.server(expose=['9' * 5000])", "is outside of 1 to 65535"),
    Bad("dockconn.server(bind={80: 10**5000})", "is outside of 1 to 65535"),
    Bad("dockconn.server(bind={80: ('fe80::1%x', 80)})", "is not an address"),
    Bad("dockconn.host.listen(0)", "0 is outside of 1 to 65535"),
    Bad("dockconn.host.listen().wait_for_call(float('nan'))", "within=nan is not a time"),
    Bad("dockconn.host.listen().url_from(5)", "5 can't ask"),
    Bad("server.bound_port(80)", "web has no bound port 80/tcp", "DockconnError", SERVER),
    # links
    Bad("dockconn.client(links=[server])", "web is not running, so nothing can be linked to it", before=STOPPED),
    Bad("dockconn.client(name='me', links={'me': 'me'})", "me can't be linked to itself"),
    Bad("dockconn.client(links=[server, server])", "the alias 'web' is used twice", before=SERVER),
    Bad("dockconn.client(links=['nobody'])", "there is no container 'nobody'"),
    Bad("dockconn.client(links='web')", "a list of containers is wanted"),
    Bad("dockconn.client(links=[5])", "is not"),
    Bad("dockconn.client(links={'a b': server})", "'a b' is not an alias", before=SERVER),
    # networks
    Bad("dockconn.server(networks=['nowhere'])", "there is no network 'nowhere'"),
    Bad("dockconn.server(networks='nowhere')", "a list of networks is wanted"),
    Bad("dockconn.server(networks=[5])", "5 is not a network"),
    Bad("dockconn.server(aliases=['db'])", "the default network has no DNS"),
    Bad("dockconn.server(network_mode='bridge')", "network_mode='bridge' is not known"),
    Bad("dockconn.server(network_mode='host', bind={80: None})", "bind does not go with network_mode='host'"),
    Bad("dockconn.network(subnet='10.0.0.1/8')", "host bits set"),
    Bad("dockconn.network(subnet='nonsense')", "subnet='nonsense'"),
    Bad("network.connect(5)", "5 is no container that a network could take", before=NETWORK),
    Bad("network.connect(dockconn.host)", "<Host> is no container", before=NETWORK),
    Bad("network.connect(server, aliases='db')", "a list of names is wanted", before=NETWORK),
    Bad("network.connect(server, ip='fe80::1%eth0')", "is not an address", before=NETWORK),
    Bad("network.disconnect(None)", "None is no container", before=NETWORK),
    Bad("server.ip_on(5)", "network=5 is no name", before=SERVER),
    Bad("server.port(80).on(server)", "is no name", before=SERVER),
    Bad("server.port(80).on('')", "network='' is no name", before=SERVER),
    Bad("server.port(80).on('fe80::1%eth0')", "is not an address", before=SERVER),
    # names, and the rest
    Bad("dockconn.server(name='two words')", "'two words' is not a name that Docker takes"),
    Bad("dockconn.server(name='')", "'' is not a name that Docker takes"),
    Bad("dockconn.server(name='-web')", "'-web' is not a name that Docker takes"),
    Bad("dockconn.client(name='naïve')", "'naïve' is not a name that Docker takes"),
    Bad("dockconn.network('_')", "'_' is not a name that Docker takes"),
    Bad("dockconn.server(name='web')", "the name 'web' is taken in this lab", before=SERVER),
    Bad("dockconn.server(hostname='two words')", "'two words' is not"),
    Bad("dockconn.server(env={'a=b': 'c'})", "'a=b' is not the name of a variable"),
    Bad("dockconn.server(env=['a'])", "a mapping of name to value is wanted"),
    Bad("dockconn.server(command='sleep 60')", "a list of words is wanted"),
    Bad("dockconn.server(command=[])", "every word is a string"),
    Bad("dockconn.server(dns=['name'])", "is not an address"),
    Bad("dockconn.server(extra_hosts={'db': 'name'})", "is not an address"),
    Bad("dockconn.server(image='no/such:image')", "image 'no/such:image' is not on the engine and can't be pulled"),
    Bad("dockconn.adopt('nobody')", "there is no container 'nobody' to adopt"),
    Bad("dockconn.adopt(5)", "5 is not a container that can be adopted"),
    Bad(r"dockconn.adopt('\udcff')", "'\\udcff' is not a container that can be adopted"),
    Bad(r"dockconn.adopt(server, name='\x1b[2J')", "name='\\x1b[2J' is no name", before=SERVER),
    Bad("dockconn.adopt(server, name=['x'])", "name=['x'] is no name", before=SERVER),
    Bad(r"dockconn.server(networks=['\udcff'])", "there is no network '\\udcff'"),
    Bad(r"dockconn.server(command=['a\0b'])", "every word is a string"),
    Bad("dockconn.server(env={'A': 10**5000})", "the value of 'A'"),
    Bad(r"dockconn.server(dns=['fe80::1%\n6.6.6.6'])", "is not an address"),
    Bad(r"dockconn.server(extra_hosts={'db': 'fe80::1%\n6.6.6.6 evil'})", "is not an address"),
    Bad("dockconn.side_by_side(5)", "5 can't be called"),
    # a matrix, and a policy
    Bad("dockconn.matrix(5)", "a list of sources is wanted"),
    Bad("dockconn.matrix(None)", "a list of sources is wanted"),
    Bad("dockconn.matrix([dockconn.host], 5)", "a list of ports, containers and URLs is wanted"),
    Bad("dockconn.matrix([dockconn.host], [5])", "5 is not a destination"),
    Bad("dockconn.matrix([dockconn.host], [network])", "is not a destination", before=NETWORK),
    Bad("dockconn.matrix([dockconn.host], [dockconn.host])", "<Host> is not a destination"),
    Bad("assert_policy(5, [])", "a list of containers is wanted"),
    Bad("assert_policy([server], {('web', 'web:80'): False})", "a list of pairs is wanted", before=SERVER),
    Bad("assert_linked(dockconn.host, server)", "<Host> is no container", before=SERVER),
    Bad("assert_linked(server, server.port(80))", "is no container", before=SERVER),
    # destinations
    Bad("dockconn.host.probe('gopher://127.0.0.1/')", "unknown scheme 'gopher'"),
    Bad("dockconn.host.probe('127.0.0.1:80')", "it has no scheme"),
    Bad("dockconn.host.probe('http://')", "it has no host"),
    Bad("dockconn.host.probe('http:///page')", "it has no host"),
    Bad("dockconn.host.probe('tcp://127.0.0.1')", "tcp needs a port"),
    Bad("dockconn.host.probe('http://127.0.0.1:65536/')", "is not a destination"),
    Bad("dockconn.host.probe('http://127.0.0.1:0/')", "port 0 is outside of 1 to 65535"),
    Bad("dockconn.host.probe(5)", "5 is not a destination"),
    Bad("dockconn.host.probe(type(server))", "is not a destination", before=SERVER),
    Bad("dockconn.host.probe_many(5)", "a list of ports and URLs is wanted"),
    Bad(r"dockconn.host.probe_many(['http://\udcff/', 'http://127.0.0.1/'])", "control characters"),
    Bad("dockconn.host.probe('https://127.0.0.1/', verify=5)", "verify=5 is no way to check a certificate"),
    Bad("server.probe(server.port(80), verify='/no/such.pem')", "the authorities can't be read", before=SERVER),
    Bad("dockconn.host.probe('http://127.0.0.1/', timeout=-1)", "timeout=-1 is not a time in seconds"),
    Bad("assert_reachable(dockconn.host, 'gopher://127.0.0.1/')", "unknown scheme 'gopher'"),
    Bad("assert_reachable(dockconn.host, 'http://')", "it has no host"),
    Bad("assert_unreachable(dockconn.host, 'http://')", "it has no host"),
]

SOURCE = """
    import json
    import pytest
    from pathlib import Path
    from pytest_dockconn import DockconnError, assert_linked, assert_policy, assert_reachable, assert_unreachable

    PORT = {port}
    TABLE = json.loads(Path("table.json").read_text())
    JOURNAL = Path("journal.txt")

    def made():
        return [line for line in JOURNAL.read_text().splitlines() if line.startswith("made ")] if JOURNAL.exists() else []

    @pytest.mark.parametrize("number", range(len(TABLE)))
    def test_bad(dockconn, number, request):
        code, before = TABLE[number]
        scope = {{**globals(), "dockconn": dockconn}}
        exec(before, scope)
        first = made()
        try:
            exec(code, scope)
        except Exception as error:
            seen = error
        else:
            pytest.fail(code + " was taken")
        request.config.told[number] = dict(
            kind=type(seen).__name__, ours=isinstance(seen, DockconnError), value=isinstance(seen, ValueError),
            text=str(seen), cause=getattr(seen, "cause", ""), checked=getattr(seen, "checked", ""),
            remedy=getattr(seen, "remedy", ""), made=made()[len(first):],
        )
"""

CONFTEST = """
    import json
    from pathlib import Path

    def pytest_configure(config):
        config.told = {}

    def pytest_unconfigure(config):
        Path("told.json").write_text(json.dumps(config.told))
"""


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 that this process holds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


#: What each row was answered with: one inner session asks for all of them.
_answers: dict[str, dict[str, Any]] = {}
TAKEN = {"kind": "nothing: it was taken"}


@pytest.fixture
def answers(inner: Inner, taken: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the inner session was told, by the code of the row."""
    if not _answers:
        inner.pytester.makeconftest(CONFTEST)
        table = json.dumps([[bad.code, bad.before] for bad in TABLE])
        inner.pytester.path.joinpath("table.json").write_text(table, encoding="utf-8")
        # what is taken by mistake may never answer: nobody waits for that
        monkeypatch.setattr(await_answers, "__kwdefaults__", {"within": 1.0})
        inner.run(SOURCE.format(port=taken))
        told = json.loads(inner.pytester.path.joinpath("told.json").read_text(encoding="utf-8"))
        _answers.update({bad.code: told.get(str(number), TAKEN) for number, bad in enumerate(TABLE)})
        assert inner.left() == []
    return _answers


@pytest.mark.parametrize("bad", TABLE, ids=[bad.code for bad in TABLE])
def test_bad_input(bad: Bad, answers: dict[str, dict[str, Any]]) -> None:
    told = answers[bad.code]
    assert told["kind"] == bad.kind, told
    assert told["ours"]
    assert told["value"] == (bad.kind == "SpecError")
    first, *more = told["text"].splitlines()
    assert first == told["cause"]  # one line
    assert bad.words in first
    assert told["remedy"]
    assert [line.split()[0] for line in more] == (["checked:", "remedy:"] if told["checked"] else ["remedy:"])
    assert told["checked"] or not bad.checked
    assert told["made"] == []


def test_a_port_in_use_names_its_holder(inner: Inner, taken: int) -> None:
    result = inner.run(f"""
        def test_process(dockconn):
            dockconn.server(bind={{80: {taken}}})

        def test_container(dockconn):
            holder = dockconn.server(name="holder", bind={{80: None}})
            dockconn.server(bind={{80: holder.bound_port(80).number}})
    """)

    result.assert_outcomes(failed=2)
    result.stdout.re_match_lines_random(
        [
            rf"FAILED .*test_process - .*PortInUse: port {taken}/tcp of 127.0.0.1 on the host is in use: process \d+ \(.*\)",
            r"FAILED .*test_container - .*PortInUse: port \d+/tcp of 127.0.0.1 on the host is in use: container .*-holder \(",
        ]
    )
    assert inner.made() == ["holder"]
    assert inner.left() == []


def test_a_used_up_range_names_its_holders(inner: Inner) -> None:
    first = free_range(3)
    with socket.create_server(("127.0.0.1", first + 2)):
        result = inner.run(f"""
            def test_range(dockconn):
                for name in ("one", "two"):
                    dockconn.server(name=name, bind={{80: "{first}-{first + 1}"}})
                dockconn.server(bind={{80: "{first}-{first + 2}"}})
        """)

    result.assert_outcomes(failed=1)
    said = (
        rf"PortInUse: ports {first}-{first + 2}/tcp of 127.0.0.1 on the host are all in use: {first}: container .*-one \(.*; "
        rf"{first + 1}: container .*-two \(.*; {first + 2}: process \d+ \("
    )
    result.stdout.re_match_lines_random([f"E +.*{said}"])
    assert inner.left() == []

"""Any input at all: it is taken, or refused by the documented error, and what is refused leaves nothing behind."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.engine import FakeEngine
from tests.unit.samples import is_harmless

from pytest_dockconn import Lab
from pytest_dockconn.actions.base import check_tar
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine import address
from pytest_dockconn.engine.refusal import port_in_words
from pytest_dockconn.errors import DockconnError, SpecError
from pytest_dockconn.logic import bases, capabilities, clock, destinations, firewall, links, matrix, names, ports, specs
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan
from pytest_dockconn.text import one_line, printable, redact

#: Text that is likely to mean something to a parser of ports, addresses, URLs or tables, and any other.
TELLING = st.sampled_from(
    ["80", "0", "65535", "65536", "80/tcp", "80/udp", "80/xyz", "80-90", "90-80", "127.0.0.1", "0.0.0.0", "::1", "fd00::1", "[::1]",
     "http://", "http://[::1", "tcp://a:1", "bootstrap:", "bootstrap:sid", "x" * 300, "../..", "-", "_", ".", "\x00", "\x1b[2J", "é",
     "\udcff", "container:x", "host", "none", "198.51.100.0/24", "198.51.100.0/33", "None", "a b", "=", "|", "host-gateway"]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=40), TELLING)
SCALAR = st.one_of(
    TEXT, st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(), st.binary(max_size=8), st.just(object())
)
ANY = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(TEXT, st.integers(-2, 70000), st.none()), inner, max_size=4),
        st.sets(st.one_of(TEXT, st.integers(0, 70000)), max_size=3),
    ),
    max_leaves=6,
)

#: What takes anything a caller may write.
OF_ANYTHING: dict[str, Callable[[Any], object]] = {
    "port": ports.one,
    "ports": ports.many,
    "expose": ports.exposed,
    "bind": ports.published,
    "address": ports.address,
    "env": specs.environment,
    "command": specs.command,
    "network_mode": lambda it: specs.network_mode(it, networks=False, links=False, aliases=False, ports=False),
    "aliases": lambda it: specs.check_aliases(it, user_network=True),
    "dns": specs.dns,
    "extra_hosts": specs.extra_hosts,
    "name": names.checked,
    "alias": names.hostname,
    "capabilities": capabilities.check,
    "expected cell": matrix.word,
}
#: What takes text.
OF_TEXT: dict[str, Callable[[str], object]] = {
    "base": bases.parse,
    "URL": destinations.parse,
    "table": matrix.parsed,
    "engine": lambda it: address.check(it, "--dockconn-engine"),
}
#: What reads what others wrote, and takes everything.
NEVER_FAILS: dict[str, Callable[[str], object]] = {
    "/etc/hosts": links.hosts,
    "iptables-save": firewall.counters,
    "time": clock.parsed,
    "refusal": port_in_words,
    "redacted": redact,
    "printable": printable,
    "one line": one_line,
}


def check_refusal(error: DockconnError) -> None:
    """One line of cause, and a remedy; no control character of the input comes through."""
    assert error.cause.strip()
    assert is_harmless(error.cause)
    assert error.remedy.strip()


@pytest.mark.parametrize("what", OF_ANYTHING)
@given(value=ANY)
def test_anything_is_taken_or_refused(what: str, value: object) -> None:
    try:
        OF_ANYTHING[what](value)
    except SpecError as error:
        check_refusal(error)


@pytest.mark.parametrize("what", OF_TEXT)
@given(text=TEXT)
def test_text_is_taken_or_refused(what: str, text: str) -> None:
    try:
        OF_TEXT[what](text)
    except (SpecError, DockconnError) as error:
        check_refusal(error)


@pytest.mark.parametrize("what", NEVER_FAILS)
@given(text=TEXT)
def test_what_others_wrote_is_read(what: str, text: str) -> None:
    NEVER_FAILS[what](text)


@given(text=st.text(max_size=200))
def test_untrusted_text_moves_no_cursor(text: str) -> None:
    assert is_harmless(printable(text).replace("\n", "").replace("\t", ""))
    assert is_harmless(one_line(text))


class Made(Exception):
    """The engine was asked to make something."""


class Wary(FakeEngine):
    """Makes nothing, but tells that it was asked to."""

    def create(self, plan: ContainerPlan) -> str:
        raise Made(plan)

    def create_network(self, plan: NetworkPlan) -> str:
        raise Made(plan)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    engine = Wary()
    made = Services(engine, Settings(), lambda _: None)
    made.images.get("server")
    yield made
    engine.shut_down()


SERVER = (
    "expose",
    "bind",
    "networks",
    "aliases",
    "env",
    "image",
    "command",
    "links",
    "hostname",
    "network_mode",
    "dns",
    "extra_hosts",
)
CLIENT = tuple(name for name in SERVER if name not in ("expose", "bind"))
NETWORK = ("internal", "ipv6", "subnet", "icc", "driver", "options")


@pytest.mark.parametrize(("make", "argument"), [
    *(("server", name) for name in (*SERVER, "name")), *(("client", name) for name in (*CLIENT, "name")),
    *(("network", name) for name in (*NETWORK, "name")),
])  # fmt: skip
@given(value=ANY)
def test_whoever_is_refused_is_refused_before_anything_is_made(
    services: Services, make: str, argument: str, value: object
) -> None:
    try:
        getattr(Lab(services, "p"), make)(**{argument: value})
    except DockconnError as error:
        check_refusal(error)
    except Made:
        pass


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
@given(name=st.sampled_from(["../../etc/passwd", "/etc/passwd", "a/../../b", "dev/null", "x"]), target=TEXT)
@settings(max_examples=20)
def test_nothing_of_a_base_is_unpacked_here(kind: bytes, name: str, target: str) -> None:
    """The engine unpacks it, in a root of its own; here its first header is read, whatever it says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "base.tar")
        with tarfile.open(path, "w", errors="surrogateescape") as tar:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target.replace("\x00", "")
            tar.addfile(entry)
        check_tar(path)
        assert [file.name for file in Path(folder).iterdir()] == ["base.tar"]


@given(data=st.binary(max_size=2048))
@settings(max_examples=50)
def test_a_base_that_is_no_tar(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(data)
        file.flush()
        try:
            tarfile.open(fileobj=io.BytesIO(data)).close()
        except tarfile.TarError:
            with pytest.raises(SpecError, match="is not a tar"):
                check_tar(Path(file.name))

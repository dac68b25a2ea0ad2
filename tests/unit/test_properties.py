"""Any input at all: it is taken, or refused by the documented error, and what is refused leaves nothing behind."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.samples import is_harmless
from tests.unit.odd import (
    ANY,
    ELSEWHERE,
    INTERNAL,
    ODD,
    ODD_SHAPES,
    OWNERS,
    TEXT,
    Place,
    Reached,
    Stage,
    Wary,
    places,
    staged,
)

import pytest_dockconn
from pytest_dockconn import Client, Connection, Image, ProbeResult, Verdict, active
from pytest_dockconn.actions.base import ZSTD, check_tar
from pytest_dockconn.engine import address
from pytest_dockconn.engine.find import OPENERS
from pytest_dockconn.engine.refusal import port_in_words
from pytest_dockconn.errors import DockconnError, SpecError
from pytest_dockconn.logic import bases, capabilities, clock, destinations, firewall, links, matrix, names, ports, specs
from pytest_dockconn.options import OPTIONS
from pytest_dockconn.options import settings as settings_of
from pytest_dockconn.text import one_line, printable, redact

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


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as made:
        yield made


def check(stage: Stage, place: Place, value: object) -> None:
    """It is taken, or refused by a documented error before anything is made, asked or opened."""
    before = stage.engine.reached
    try:
        stage.call(place, value)
    except DockconnError as error:
        check_refusal(error)
        assert stage.engine.reached == before
    except Reached:
        pass


@pytest.mark.parametrize("place", places(), ids=str)
def test_an_argument_of_any_kind(stage: Stage, place: Place) -> None:
    for value in ODD:
        check(stage, place, value)


@pytest.mark.parametrize("place", places(), ids=str)
@given(value=st.one_of(ODD_SHAPES, ANY))
@settings(max_examples=10)
def test_an_argument_of_any_shape(stage: Stage, place: Place, value: object) -> None:
    check(stage, place, value)


#: What is data; and a client can do what a server can.
BESIDE = {Connection, Image, ProbeResult, Verdict, Client}


def test_nothing_public_is_left_out() -> None:
    classes = {one for name in pytest_dockconn.__all__ if isinstance(one := getattr(pytest_dockconn, name), type)}
    asked = {base for cls in OWNERS.values() for base in cls.__mro__} | BESIDE
    assert {one for one in classes - asked if not issubclass(one, BaseException)} == set()
    every = {str(place) for place in places()}
    assert {"pytest_dockconn.assert_policy(allow)", "matrix.__getitem__(key)", "lab.side_by_side(make)"} <= every
    assert not every & set(ELSEWHERE)
    assert not {place.call for place in places()} & INTERNAL


class Config:
    """Where one option was given."""

    invocation_params = SimpleNamespace(args=(), dir=Path("/"))
    rootpath = Path("/")

    def __init__(self, **given: str) -> None:
        self.given = {"dockconn_engine": "wary://", **given}
        self.ini: dict[str, str] = {}

    def getoption(self, key: str) -> str | list[str] | None:
        given = self.given.get(key)
        return [given] if key in MANY and given is not None else given

    def getini(self, key: str) -> str | list[str]:
        text = self.ini.get(key, "")
        return [line.strip() for line in text.split("\n") if line.strip()] if key in MANY else text

    def add_cleanup(self, _: object) -> None:
        return


VALUED = [option.key for option in OPTIONS if not option.flag]
MANY = [option.key for option in OPTIONS if option.many]


@pytest.mark.parametrize("option", VALUED)
def test_an_option_of_odd_text(option: str) -> None:
    for text in (text for text in ODD if isinstance(text, str)):
        nothing_is_asked(Config(**{option: text}))


@given(option=st.sampled_from(VALUED), text=TEXT, by_ini=st.booleans())
def test_an_option_of_any_text(option: str, text: str, *, by_ini: bool) -> None:
    config = Config(**{option: text})
    if by_ini:
        assume(text or option != "dockconn_engine")  # it would be any engine that is there
        config.ini = {option: config.given.pop(option)}
    nothing_is_asked(config)


def nothing_is_asked(config: Any) -> None:
    engine = Wary()
    engine.armed = True
    openers: dict[str, Any] = {"wary": lambda *_: engine}
    with mock.patch.object(active, "Progress", mock.Mock()), mock.patch.dict(OPENERS, openers):
        check_option(config)
    engine.shut_down()
    assert engine.reached == 0


def check_option(config: Any) -> None:
    """It is taken, or refused with one message."""
    try:
        active.opened(config, settings_of(config)).close()
    except pytest.UsageError as error:
        first, *more = str(error).splitlines()
        assert is_harmless(first)
        assert first.startswith("dockconn: ")
        assert len(first) < 500
        assert [line.split()[0] for line in more] == ["checked:", "remedy:"]


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
        except (tarfile.TarError, OSError, EOFError):
            assume(not data.startswith(ZSTD))  # which the engine alone reads
            with pytest.raises(SpecError, match="is not a tar"):
                check_tar(Path(file.name))

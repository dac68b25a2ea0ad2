"""Whatever others write: no control character and no secret of it comes through what we raise, return or put into a table."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Sequence
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.samples import container, endpoint, is_harmless, result, target

from pytest_dockconn import errors
from pytest_dockconn.errors import DockconnError, ReachabilityError
from pytest_dockconn.handles.own import CommandFailed
from pytest_dockconn.logic.matrix import Cell
from pytest_dockconn.model.asked import Asked
from pytest_dockconn.model.evidence import End, Listener, Why
from pytest_dockconn.model.leftover import Leftover
from pytest_dockconn.model.probe import Verdict
from pytest_dockconn.model.record import EngineSeen, Failure, Record, Section, Skip
from pytest_dockconn.report import as_html, as_json, as_markdown, ends, leftovers, matrix, messages, summary
from pytest_dockconn.report.fitting import fit
from pytest_dockconn.text import block, ending, one_line, printable, redact

ERRORS = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, DockconnError)]

#: What no one may read.
SECRET = "pa55w0rd"
TOKEN = "5ec2e7705ec2e770"

ANYTHING = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from("\x1b\x07\x00\x9b\r\n\t\u2028\u202e\ud800\U000e0001 :/?#@[]='\""),
    ),
    max_size=40,
)
#: Of a password: anything but what ends a word; and not digits up to a slash, which are a port.
PART = st.text(st.sampled_from("ab1:/?#@%[]\x1b\x07\u202e~\"'"), max_size=6)


@st.composite
def urls(draw: st.DrawFn) -> str:
    """A URL with a password."""
    scheme = draw(st.sampled_from(["tcp", "http", "https", "ssh", "postgresql", "unix"]))
    user = draw(st.sampled_from(["me", "", "me@corp", "1"]))
    return f"{scheme}://{user}:x{draw(PART)}{SECRET}{draw(PART)}@{draw(st.sampled_from(['box', 'box:1', '[::1]:1/x', '']))}"


SECRETS = st.one_of(
    urls(),
    st.sampled_from([
        f"dockconn-serve token={TOKEN} 80/tcp",
        f'-c Header always set X-Dockconn-Token "{TOKEN}"',
        f"X-Dockconn-Token: {TOKEN}",
        f"dockconn? n0nce {'5e' * 32} {TOKEN}",
        f"dockconn? n0nce host-{'5e' * 8} {TOKEN}",
        f"%{{sha1:{TOKEN}:%{{req_novary:X-Dockconn-Nonce}}:{TOKEN}}}",
    ]),
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Text of an enemy, with something in it that it must not show; a little of it or very much."""
    words = draw(st.lists(st.one_of(ANYTHING, SECRETS), max_size=4))
    long = draw(st.sampled_from(["", "x" * 150, "\x1b" * 390, "y " * 2500]))
    return f"{long} {draw(SECRETS)} {' '.join(words)} {draw(ANYTHING)}"


def check(text: str, *, lines: bool = False) -> None:
    """Nothing comes through; ``lines``: there may be several."""
    assert is_harmless(text.replace("\n", "").replace("\t", "") if lines else text), ascii(text)
    assert SECRET not in text
    assert TOKEN not in text


def check_lines(text: str, ours: Sequence[str]) -> None:
    """Every line after the first begins as one of ours, or is indented as those of others are."""
    check(text, lines=True)
    assert all(not line.strip() or line.startswith((*ours, "    ")) for line in text.split("\n")[1:]), ascii(text)


@given(text=texts(), limit=st.sampled_from([0, 5, 100, 200, 400, 20_000]))
def test_text(text: str, limit: int) -> None:
    for shown in (printable(text, limit), block(text, limit), ending(text, limit)):
        check(shown, lines=True)
    check(one_line(text, limit))


@given(url=urls())
def test_a_url_alone(url: str) -> None:
    if not url.startswith("unix://"):
        assert SECRET not in redact(url)
    assert SECRET not in redact(url.partition("://")[2])


@given(cls=st.sampled_from(ERRORS), cause=texts(), checked=texts(), remedy=texts())
@settings(max_examples=50)
def test_errors(cls: type[DockconnError], cause: str, checked: str, remedy: str) -> None:
    error = cls(cause, checked=checked, remedy=remedy)
    for one in (error, pickle.loads(pickle.dumps(error)), cls(error.cause, checked=str(error), remedy=repr(error))):
        check_lines(str(one), ("  checked: ", "  remedy:  "))
        assert [line[:11] for line in str(one).split("\n") if line.startswith("  r")] == ["  remedy:  "]
        for part in (repr(one), one.cause, one.checked, one.remedy, *map(str, one.args)):
            check(part, lines=True)


@given(message=texts(), title=texts(), text=texts())
def test_a_failed_assertion(message: str, title: str, text: str) -> None:
    error = ReachabilityError(message, [(title, text)])
    check(str(error), lines=True)
    check(repr(error))
    ((shown, body),) = error.sections
    check(shown)
    check(body, lines=True)


@given(text=texts(), other=texts())
def test_the_detail_of_a_probe(text: str, other: str) -> None:
    seen = result(detail=text)
    check(seen.detail)
    check(replace(seen, detail=other).detail)
    check(repr(replace(seen, detail=other)))


@given(text=texts(), other=texts())
def test_what_a_failure_says(text: str, other: str) -> None:
    seen, why = result(Verdict.REACHABLE, detail=text, text=other, address="172.17.0.2"), Why(text, (other,), text)
    for said in (
        messages.failure(text, other, seen, why),
        messages.reached(text, other, seen, text),
        messages.inconclusive(text, other, [text, other], seen, why),
        messages.other_reason(text, other, seen, [Verdict.REFUSED], why),
        messages.link(text, other, text, [other], text),
    ):
        check_lines(said, ("  evidence: ", "  remedy:   "))


@given(text=texts(), other=texts())
def test_tables(text: str, other: str) -> None:
    asked = Asked(
        test=text, question="reachable", source=text, destination=other, way=text, verdict="refused", elapsed=0.1,
        passed=False,
    )  # fmt: skip
    left = Leftover("container", text, text, other, other, 5.0)
    pair = (text, other)
    shown = matrix.table([text], [other], {pair: Cell(result(detail=text), (other,))}, {pair: text})
    for line in (*summary.lines([asked]), *leftovers.table([left]), leftovers.swept([left], 1), *shown.split("\n")):
        check(line)
    cell = Cell(result(detail=text), (other,))
    check(matrix.failure({pair: text}, 1, shown, [(pair, cell, Why(text, (other,), text))]), lines=True)


@given(text=texts(), other=texts())
@settings(max_examples=50)
def test_the_run_s_report(text: str, other: str) -> None:
    asked = Asked(
        test=text, question="reachable", source=text, destination=other, way=text, verdict=other, elapsed=0.1, passed=False,
        address=text,
    )  # fmt: skip
    failure = Failure(
        test=text, phase="call", error=text, message=text, evidence=(text, other), checked=text, remedy=other, text=text,
        sections=(Section(text, other),),
    )  # fmt: skip
    engine = EngineSeen(kind=text, version=text, api_version=text, url=text, host_os=other)
    whole = Record(
        plugin="1", started="now", seconds=1.0, exit_status=1, engine=engine, notes=(text,), failures=(failure,),
        skipped=(Skip(text, other, (text,)),), questions=(asked,), left=(text, other),
    )  # fmt: skip
    for rendered in (as_html.rendered, as_markdown.rendered, as_json.rendered):
        check(unescape(rendered(fit(whole))), lines=True)


@given(text=texts(), other=texts())
def test_both_ends(text: str, other: str) -> None:
    facts = container(text, image=other, health=text, endpoints=(endpoint(text, aliases=(other,)),), network_mode=other)
    end = End(
        name=text, facts=facts, interfaces=(text,), routes=(other,), listeners=(Listener(text, other, 80),), hosts=text,
        resolver=other, last_lines=text,
    )  # fmt: skip
    for title, body in ReachabilityError("", ends.sections([end])).sections:
        check(title)
        check(body, lines=True)


@given(text=texts(), other=texts())
def test_a_command_that_failed(text: str, other: str) -> None:
    check(str(CommandFailed(1, ["curl", text], text, other)), lines=True)


def test_a_target_says_no_password_in_its_turn() -> None:
    """A destination's path may have an @ in it, and is shown."""
    assert str(target(via="url", path="/users/@me")) == one_line(str(target(via="url", path="/users/@me")))

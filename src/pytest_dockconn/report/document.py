"""A run's record as a page: what stands where, and in which words. Both formats for people are made from it, and say the same."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ..model.asked import Asked
from ..model.record import Counts, EngineSeen, Failure, Record, Reuse, Section
from .reuse import WORDS

#: pytest's exit statuses, in words.
STATUS = ("ok", "tests failed", "interrupted", "internal error", "usage error", "no tests were run")
QUESTIONS = ("test", "question", "source", "destination", "how", "verdict", "took", "tries", "passed")
#: In a column of a page.
YES, NO = "yes", "FAILED"


class Table(Struct, frozen=True):
    """Rows below a head."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Story(Struct, frozen=True):
    """A failure: whose, what it says, and more for who wants to know."""

    title: str
    text: str
    more: tuple[Section, ...] = ()


class Document(Struct, frozen=True, kw_only=True):
    """A page, from its top on. ``facts`` are pairs of a word and what it is; a list or table that is empty is not shown."""

    title: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    left: tuple[str, ...]
    stories: tuple[Story, ...]
    tables: tuple[Table, ...]


def document(record: Record) -> Document:
    """The page of a record."""
    skipped = tuple((one.test, one.reason, ", ".join(one.lacks)) for one in record.skipped)
    return Document(
        title=f"dockconn: {counted(record.tests)}",
        facts=tuple(_facts(record)),
        notes=record.notes,
        left=record.left,
        stories=tuple(map(_story, record.failures)),
        tables=(
            Table("Skipped", ("test", "reason", "the engine lacks"), skipped),
            Table("Who asked whom", QUESTIONS, tuple(map(_row, record.questions))),
        ),
    )


def counted(tests: Counts) -> str:
    """``3 passed, 1 failed``."""
    counts = [(tests.failed, "failed"), (tests.errors, "errors"), (tests.passed, "passed"), (tests.skipped, "skipped")]
    counts += [(tests.xfailed, "xfailed"), (tests.xpassed, "xpassed")]
    return ", ".join(f"{number} {word}" for number, word in counts if number) or "no tests"


def _facts(record: Record) -> list[tuple[str, str]]:
    status = record.exit_status
    word = f" ({STATUS[status]})" if 0 <= status < len(STATUS) else ""
    facts = [
        ("tests that need the engine", counted(record.tests)),
        ("exit status", f"{status}{word}"),
        ("started", record.started),
        ("took", f"{record.seconds:.1f} s"),
        ("engine", _engine(record.engine)),
        ("bridge", _bridge(record.engine)),
        ("plugin", f"pytest-dockconn {record.plugin}"),
        *_reuse(record.reuse),
    ]
    return [*facts, ("left on the engine", f"{len(record.left)}, see below" if record.left else "nothing")]


def _engine(engine: EngineSeen | None) -> str:
    if engine is None:
        return "it could not be asked"
    host = "".join(f", {part}" for part in (engine.platform, engine.host_os) if part)
    return f"{engine.kind} {engine.version} (API {engine.api_version}) at {engine.url}{host}"


def _bridge(engine: EngineSeen | None) -> str:
    return " ".join(filter(None, (engine.bridge, engine.subnet))) if engine and engine.bridge else "not known"


def _reuse(reuse: Reuse) -> list[tuple[str, str]]:
    came = (reuse.reused, reuse.made, reuse.replaced, reuse.removed)
    return [(word, ", ".join(names)) for word, names in zip(WORDS, came, strict=True) if names]


def _story(failure: Failure) -> Story:
    where = "" if failure.phase == "call" else f" ({failure.phase})"
    return Story(f"{failure.test}{where}", failure.text, failure.sections)


def _row(one: Asked) -> tuple[str, ...]:
    return (
        one.test, one.question, one.source, one.destination, one.way, one.verdict, f"{one.elapsed * 1000:.1f} ms",
        str(one.attempts), YES if one.passed else NO,
    )  # fmt: skip


def failed(row: Sequence[str]) -> bool:
    """Whether a row tells of a question whose assertion did not hold."""
    return len(row) == len(QUESTIONS) and row[-1] == NO

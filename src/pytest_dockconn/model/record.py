"""What a run came to, for its report: what ``--dockconn-report x.json`` writes, field by field. All text in it is fit to be shown."""

from __future__ import annotations

from msgspec import Struct

from .asked import Asked

#: Grows when a field changes its meaning or goes; new fields alone leave it as it is.
SCHEMA = 1


class EngineSeen(Struct, frozen=True, kw_only=True):
    """The engine, as it was when the run began; empty where it did not say.

    Attributes:
        kind: ``docker`` or ``podman``.
        version: as the engine says it.
        api_version: the newest version of the API that it speaks.
        url: where it is, without credentials.
        platform: ``linux/amd64``.
        host_os: what runs on its host: ``Debian GNU/Linux 12``; only where the run had a use for it.
        bridge: the default network's interface.
        subnet: its IPv4 subnet.
    """

    kind: str
    version: str
    api_version: str
    url: str
    platform: str = ""
    host_os: str = ""
    bridge: str = ""
    subnet: str = ""


class Counts(Struct, frozen=True, kw_only=True):
    """Tests that need the engine, in pytest's words; one that passed and then broke in its teardown is in two of them."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0


class Section(Struct, frozen=True):
    """More about a failure: one end of the question, or what a container said."""

    title: str
    text: str


class Failure(Struct, frozen=True, kw_only=True):
    """A test that needs the engine and failed.

    Attributes:
        test: its id.
        phase: ``setup``, ``call`` or ``teardown``.
        error: the type of what was raised.
        message: the first line.
        evidence: what shows it, one after the other.
        checked: what was looked at, of errors that say so.
        remedy: what to do; several in lines.
        text: all of it, as the terminal has it: a matrix's table, too.
        sections: more about both ends, and the output of the test's containers.
    """

    test: str
    phase: str
    error: str
    message: str
    evidence: tuple[str, ...] = ()
    checked: str = ""
    remedy: str = ""
    text: str = ""
    sections: tuple[Section, ...] = ()


class Skip(Struct, frozen=True):
    """A test that needs the engine and was skipped; ``lacks``: the capabilities that the engine does not have, where that is why."""

    test: str
    reason: str
    lacks: tuple[str, ...] = ()


class Reuse(Struct, frozen=True, kw_only=True):
    """What became of things of earlier runs; see ``Reused``."""

    reused: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Record(Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        schema: of this very shape.
        plugin: the version of pytest-dockconn.
        started: when, in UTC, as ISO 8601 has it.
        seconds: until everything was removed.
        exit_status: pytest's.
        engine: None where it could not be asked.
        tests: counts.
        notes: what else is to be known: why the run ended early, what could not be collected.
        failures: in the order in which they came.
        skipped: likewise.
        questions: that assertions asked, likewise; with pytest-xdist one worker after the other.
        reuse: what was used again, made, replaced, removed.
        left: why things are left on the engine; empty where all are gone.
    """

    schema: int = SCHEMA
    plugin: str
    started: str
    seconds: float
    exit_status: int
    engine: EngineSeen | None = None
    tests: Counts = Counts()
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Skip, ...] = ()
    questions: tuple[Asked, ...] = ()
    reuse: Reuse = Reuse()
    left: tuple[str, ...] = ()

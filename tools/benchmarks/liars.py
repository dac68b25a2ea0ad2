"""The command: every set-up of ``tests/engine/liars.py``, afresh for each tool, and a table of who was fooled."""

from __future__ import annotations

import argparse
import contextlib
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from tests.engine.liars import CONTROLS, LIARS, RIGHT, Liar, Truth, ask, undisturbed
from tests.shared import Shared, Stage

from pytest_dockconn import Client, Lab
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine.find import find
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.session import Session

from .rivals import Rival, rivals, versions_in, way

OURS = "pytest-dockconn"
CANNOT = "-"
#: Of a set-up of isolation that others on the engine disturb.
TRIES = 20
PAGE = Path(__file__).parents[2] / "docs" / "liars.md"
#: The client's image with the command that testinfra runs.
DOCKERFILE = """FROM {client}
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends netcat-openbsd \\
 && apt-get clean && rm -rf /var/lib/apt/lists/*
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What each tool said to one set-up; ``-`` where it has no way to ask."""

    liar: Liar
    words: Mapping[str, str]

    def fooled(self, tool: str) -> bool:
        """Whether it said what is not so, or what cannot be known. To say that nothing is known fools nobody."""
        word = self.words[tool]
        return word not in (CANNOT, "inconclusive", *RIGHT[self.liar.truth])


@contextlib.contextmanager
def opened(engine: str | None) -> Iterator[Session]:
    """A session whose client image has netcat; everything that it made is removed at the end."""
    client = Services(find(engine), Settings(engine=engine), print).images.get("client")
    tag = f"dockconn-liars:{client.id.removeprefix('sha256:')[:12]}"
    services = Services(find(engine), Settings(engine=engine, client_image=tag), print)
    if services.engine.image(tag) is None:
        print(f"building {tag}")
        text = DOCKERFILE.format(client=next(iter(client.tags)))
        subprocess.run(
            ["docker", "build", "-q", "-t", tag, "-"], input=text, text=True, check=True, capture_output=True
        )
    session = Session(services)
    try:
        services.images.get("server")
        yield session
    finally:
        session.start_closing()
        for line in session.close():
            print(f"left on the engine: {line}")


def put(session: Session, liar: Liar, standin: Client, tools: Sequence[Rival]) -> Row:
    """One set-up, built afresh for each tool that can ask."""
    with _built(session) as stage:
        question = liar.set_up(stage)
        asked = way(liar, *question, standin.id)
        ours = _held(liar, stage.lab, lambda: ask(liar, *question).word)
    can = [tool for tool in tools if asked is not None and tool.can(asked)]
    words = {tool.name: _theirs(session, liar, standin, tool) if tool in can else CANNOT for tool in tools}
    return Row(liar, {OURS: ours, **words})


def _theirs(session: Session, liar: Liar, standin: Client, tool: Rival) -> str:
    with _built(session) as stage:
        asked = way(liar, *liar.set_up(stage), standin.id)
        assert asked is not None
        return _held(liar, stage.lab, lambda: tool.ask(asked))


def _held(liar: Liar, lab: Lab, question: Callable[[], str]) -> str:
    """The answer, whatever it is, of a time in which the set-up's truth held; ``SystemExit`` where there was none."""
    for _ in range(TRIES):
        answer, held = undisturbed(liar, lab, question)
        if held:
            return answer
    sys.exit(f"{liar.name!r}: networks were created on the engine all the while; run this on an engine that is quiet")


@contextlib.contextmanager
def _built(session: Session) -> Iterator[Stage]:
    """A stage on which nothing is shared with another."""
    labs: list[Lab] = []

    def new_lab() -> Lab:
        labs.append(session.new_lab())
        return labs[-1]

    try:
        with contextlib.ExitStack() as undo:
            yield Stage(new_lab(), undo, Shared(new_lab))
    finally:
        for lab in labs:
            session.close_lab(lab)


def check(rows: Sequence[Row], tools: Sequence[Rival]) -> None:
    """Raises ``SystemExit`` unless every tool is right about sound set-ups, open ones and closed ones.

    One that is used wrongly here says "unreachable" to everything, and so looks as if it were never fooled by a stranger.
    """
    for name in (OURS, *(tool.name for tool in tools)):
        for truth in (Truth.ANSWERS, Truth.SILENT):
            asked = [row for row in rows if row.liar.truth is truth and row.words[name] != CANNOT]
            wrong = [row for row in asked if row.fooled(name)]
            if wrong or not asked:
                told = (
                    f"says {wrong[0].words[name]} of {wrong[0].liar.name!r}"
                    if wrong
                    else f"was not asked: {truth.value}"
                )
                sys.exit(f"the comparison is not sound: {name} {told}")


def summary(rows: Sequence[Row], tools: Sequence[Rival]) -> list[str]:
    """How many fooled whom, as a table."""
    lines = ["| asked with | fooled by | of those that it can ask |", "|---|---|---|"]
    for name, how in [(OURS, "`assert_reachable`, `assert_unreachable`"), *((t.name, t.how) for t in tools)]:
        asked = [row for row in rows if row.words[name] != CANNOT]
        fooled = sum(row.fooled(name) for row in asked)
        lines.append(f"| {name}: {how} | {f'**{fooled}**' if fooled else '0'} | {len(asked)} |")
    return lines


def table(rows: Sequence[Row], tools: Sequence[Rival]) -> list[str]:
    """Every set-up; wrong answers are bold."""
    names = [OURS, *(tool.name for tool in tools)]
    lines = []
    for title, question in (("Is it reachable?", "reachable"), ("Is it unreachable?", "unreachable")):
        lines += [f"## {title}", "", f"| set-up | what is so | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
        for row in rows:
            if row.liar.question == question:
                cells = [f"**{row.words[n]}**" if row.fooled(n) else row.words[n] for n in names]
                lines.append(f"| {row.liar.name} | {row.liar.truth.value} | {' | '.join(cells)} |")
        lines.append("")
    return lines


def page(session: Session, rows: Sequence[Row], tools: Sequence[Rival]) -> str:
    """The whole page of the docs."""
    version = session.services.version
    about = ", ".join(f"{tool.name} {tool.version}" for tool in tools)
    said = f"{len(rows)} set-ups that are built to fool whoever asks who can talk to whom"
    engine = f"{version.kind} {version.version}, Python {platform.python_version()}"
    lines = [
        "# Liars",
        "",
        f"{said}: [tests/engine/liars.py](../tests/engine/liars.py). Each was built afresh for each tool.",
        f"Made by `make liars` on {datetime.now(timezone.utc):%Y-%m-%d}: {engine}, {OURS} {metadata.version(OURS)}, {about}.",
        "",
        "**Bold** is fooled: *reachable* where that server did not answer, or *unreachable* where it can be reached, or where",
        "nothing can be concluded, because the server would not have answered anybody: a test of isolation then passes, and",
        "tests nothing. `-`: the tool has no way to ask this. Tools that run inside the source ask for the host from a container",
        "on the host's network. A set-up of isolation during which anybody created a network was asked again, whatever was said:",
        "docker 20.10.24 takes its isolation rules out for a moment then, and what is isolated can be reached (3 in 100 connections).",
        "A `docker exec` that the engine refuses (a stopped source, a client whose linked server is gone) reads as *unreachable*,",
        "as it does in a test that looks at the exit status. Each cell is one answer: of a server that is up for a part of each",
        "second another may come. testcontainers is told to ask the engine's host (`TESTCONTAINERS_CONNECTION_MODE=docker_host`).",
        "All have 1 s. Before it counts, each tool has to be right about sound set-ups, open and closed.",
        "",
        *summary(rows, tools),
        "",
        *table(rows, tools),
        "What is so:",
        "",
        *(f"- {truth.value}: right is {' or '.join(sorted(RIGHT[truth]))}" for truth in Truth),
    ]
    return "\n".join(lines) + "\n"


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="tools/liars", description="Who is fooled by what, on a real engine.")
    made.add_argument("--only", default="", metavar="TEXT", help="the set-ups with this in their names; writes no page")
    made.add_argument("--jobs", type=int, default=1, metavar="N", help="set-ups side by side, default 1")
    made.add_argument(
        "--page", type=Path, default=PAGE, metavar="PATH", help="where the table goes, default docs/liars.md"
    )
    made.add_argument("--engine", metavar="URL", help="as --dockconn-engine")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Put every set-up to everybody, print who was fooled, write the page; exit status 1 where the plugin was."""
    options = parser().parse_args(arguments)
    chosen = [liar for liar in LIARS if options.only in liar.name]
    begun = time.monotonic()
    with opened(options.engine) as session:
        standin = session.lab.client(network_mode="host", name="standin")
        tools = rivals(versions_in(standin))
        check([put(session, one, standin, tools) for one in CONTROLS], tools)
        rows = _all(session, chosen, standin, tools, options.jobs)
        text = page(session, rows, tools)
    print("\n".join(["", *table(rows, tools), *summary(rows, tools)]))
    if not options.only:
        options.page.write_text(text, encoding="utf-8")
        print(f"\nwritten: {options.page}")
    print(f"{len(rows)} set-ups in {time.monotonic() - begun:.0f} s")
    return int(any(row.fooled(OURS) for row in rows))


def _all(session: Session, liars: Sequence[Liar], standin: Client, tools: Sequence[Rival], jobs: int) -> list[Row]:
    def one(liar: Liar) -> Row:
        row = put(session, liar, standin, tools)
        said = ", ".join(f"{n} {w}{' (FOOLED)' if row.fooled(n) else ''}" for n, w in row.words.items())
        print(f"{liar.question}? {liar.name}: {said}", flush=True)
        return row

    def is_alone(liar: Liar) -> bool:
        return liar.alone or liar.truth is Truth.ISOLATED

    with ThreadPoolExecutor(jobs) as pool:
        found = dict(
            zip(
                [x for x in liars if not is_alone(x)], pool.map(one, [x for x in liars if not is_alone(x)]), strict=True
            )
        )
    found |= {liar: one(liar) for liar in liars if is_alone(liar)}
    return [found[liar] for liar in liars]


if __name__ == "__main__":
    sys.exit(main())

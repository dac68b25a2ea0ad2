"""A run's record for a comment or the summary of a job, in GitHub's Markdown.

What others wrote may not make a link, a picture, a mention or a column. So all of it that is more than plain words stands
as code, in which nobody is mentioned; and what could begin or end anything stands as an entity, which does neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..model.record import Record
from .document import Document, Story, Table, document

#: Characters at the most: GitHub takes 65536 for a comment, and refuses all of a longer one.
LONGEST = 60_000
#: Of the text of one failure, and of each of its sections: one must not take the place of all others.
LONGEST_TEXT = 6_000
_PLAIN = re.compile(r"(?!.*www\.|\d+[.)](?:\s|$))[A-Za-z0-9][A-Za-z0-9 .,()%/+-]*", re.IGNORECASE)
#: An underscore within a word begins nothing, and test's names are full of them.
_SPECIAL = re.compile(r"[&<>|`*\[\]\\~@#$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.", re.IGNORECASE)
_FENCES = re.compile("`{3,}")


def rendered(record: Record) -> str:
    """Markdown, as much of it as fits: the end says what does not."""
    text, left_out = "", 0
    for chunk in _chunks(document(record)):
        fits = len(text) + len(chunk) <= LONGEST
        text, left_out = text + (chunk if fits else ""), left_out + (not fits)
    more = (
        f"\n_{left_out} more parts or rows do not fit in here: see the report in HTML or JSON._\n" if left_out else ""
    )
    return text + more


def _chunks(page: Document) -> Iterable[str]:
    """What may each be left out, and leaves the rest whole."""
    yield f"## {page.title}\n\n{_head(('', ''))}" + "".join(map(_line, page.facts))
    yield from _list("Notes", page.notes)
    yield from _list("Left on the engine", page.left)
    for at, story in enumerate(page.stories):
        yield ("" if at else "\n### Failures\n") + _told(story)
    for table in page.tables:
        yield from _table(table)


def _list(title: str, lines: Sequence[str]) -> Iterable[str]:
    for at, line in enumerate(lines):
        yield ("" if at else f"\n### {title}\n\n") + f"- {cell(line)}\n"


def _told(story: Story) -> str:
    more = "".join(
        f"\n<details><summary>{cell(one.title)}</summary>\n\n{fenced(one.text)}\n</details>\n" for one in story.more
    )
    return f"\n#### {cell(story.title)}\n\n{fenced(story.text)}{more}"


def _table(table: Table) -> Iterable[str]:
    for at, row in enumerate(table.rows):
        yield ("" if at else f"\n### {table.title}\n\n{_head(table.head)}") + _line(row)


def _head(words: Sequence[str]) -> str:
    return _line(words) + "|---" * len(words) + "|\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(cell, cells))} |\n"


def cell(text: str) -> str:
    """Text that stays on its line and in its column, and is nothing but text."""
    line = " ".join(text.split())
    if not line or _PLAIN.fullmatch(line):
        return line
    return f"<code>{_SPECIAL.sub(lambda found: f'&#{ord(found.group())};', line)}</code>"


def fenced(text: str) -> str:
    """Text as a block of code, in a fence that is longer than any in it."""
    text = text.rstrip("\n")
    shown = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "..."
    fence = "`" * max((len(one) + 1 for one in _FENCES.findall(shown)), default=3)
    return f"{fence}text\n{shown}\n{fence}\n"

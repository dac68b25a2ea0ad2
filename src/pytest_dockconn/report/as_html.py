"""A run's record as one page that needs nothing else: no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..model.record import Record
from .document import Story, Table, document, failed

#: Also tells the browser that there is nothing to load or to run, should an escape be missing.
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8886; --shade: #8881; --bad: #c4221f; }}
@media (prefers-color-scheme: dark) {{ :root {{ --bad: #ff8a80; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; background: Canvas; color: CanvasText; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }}
th {{ background: var(--shade); white-space: nowrap; }}
pre {{ background: var(--shade); border-left: 3px solid var(--line); overflow-x: auto; padding: .6rem; white-space: pre-wrap; }}
h3, .failed td {{ color: var(--bad); overflow-wrap: anywhere; }}
</style>
</head>
<body>
"""


def rendered(record: Record) -> str:
    """HTML."""
    page = document(record)
    parts = [
        _HEAD.format(title=escape(page.title)),
        f"<h1>{escape(page.title)}</h1>\n",
        "<table>\n" + "".join(f"<tr><th>{escape(w)}</th><td>{escape(what)}</td></tr>\n" for w, what in page.facts),
        "</table>\n",
        _list("Notes", page.notes),
        _list("Left on the engine", page.left),
        "<h2>Failures</h2>\n" if page.stories else "",
        *map(_told, page.stories),
        *map(_table, page.tables),
        "</body>\n</html>\n",
    ]
    return "".join(parts)


def _list(title: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>\n" for line in lines)
    return f"<h2>{title}</h2>\n<ul>\n{items}</ul>\n" if lines else ""


def _told(story: Story) -> str:
    more = (
        f"<details><summary>{escape(one.title)}</summary>\n<pre>{escape(one.text)}</pre>\n</details>\n"
        for one in story.more
    )
    return f"<h3>{escape(story.title)}</h3>\n<pre>{escape(story.text)}</pre>\n{''.join(more)}"


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    marks = (' class="failed"' if failed(row) else "" for row in table.rows)
    body = "".join(f"<tr{mark}>{_cells(row, 'td')}</tr>\n" for mark, row in zip(marks, table.rows, strict=True))
    return f"<h2>{escape(table.title)}</h2>\n<table>\n<tr>{_cells(table.head, 'th')}</tr>\n{body}</table>\n"


def _cells(row: Iterable[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in row)

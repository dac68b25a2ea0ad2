"""What the documentation says of names is true: each is there, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_dockconn import Verdict
from pytest_dockconn.logic.capabilities import KNOWN
from pytest_dockconn.options import OPTIONS
from pytest_dockconn.selection import FIXTURES

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))


def words_of_table(text: str) -> set[str]:
    """The first cells of a table, where they are in code font."""
    return set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))


def test_every_capability_is_explained() -> None:
    assert words_of_table((ROOT / "docs/engines.md").read_text(encoding="utf-8")) == set(KNOWN)


def test_every_verdict_is_explained() -> None:
    assert words_of_table((ROOT / "docs/verdicts.md").read_text(encoding="utf-8")) == {v.value for v in Verdict}


@pytest.mark.parametrize("page", [ROOT / "README.md", *DOCS], ids=lambda p: p.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda p: p.name)
def test_every_page_is_linked_from_the_readme(page: Path) -> None:
    assert f"docs/{page.name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def everything() -> str:
    return "".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *DOCS])


def test_every_option_is_explained_and_no_other() -> None:
    named = set(re.findall(r"--dockconn[a-z-]*", everything()))
    assert named == {option.name for option in OPTIONS}


def test_every_fixture_is_named() -> None:
    assert [name for name in sorted(FIXTURES) if f"`{name}`" not in everything()] == []


def test_what_the_package_says_is_in_the_docs_is_there() -> None:
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py")]
    pages = {page for text in texts for page in re.findall(r"docs/[a-z_]+\.md", text)}
    assert pages
    assert [page for page in sorted(pages) if not (ROOT / page).exists()] == []


def test_every_command_of_the_readme_is_a_target_of_make() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"^ +make ([a-z-]+)", text, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets

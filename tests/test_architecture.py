"""The house: imports only go down, none goes in a circle, and what does I/O stays where it belongs.

Read from the source, so that lazy imports and those for type checkers alone count as much as any other.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "pytest_dockconn"
SOURCE = Path(__file__).parents[1] / "src" / PACKAGE

#: From the ground up: packages and modules, relative to the package.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "labels", "text"),
    ("model",),
    ("logic",),
    ("report",),
    ("engine",),
    ("actions",),
    ("handles",),
    ("assertions", "lab", "session"),
    (
        "plugin",
        "options",
        "fixtures",
        "run",
        "selection",
        "active",
        "terminal",
        "xdist",
        "cli",
        "reaper",
        "waiter",
        "keeper",
        "reporting",
        "reportfiles",
    ),
    ("",),  # the public names
)
#: Stands alone beside the house; may be imported from this floor up.
AGENT, AGENT_FROM = "agent", 2
#: On one floor, but not of one room.
APART = ({"assertions", "lab"}, {"assertions", "session"})
FORBIDDEN = {
    "logic": {"os", "socket", "subprocess", "requests", "docker"},
    "report": {"os", "socket", "subprocess", "requests", "docker"},
}


@dataclass(frozen=True)
class Import:
    """``module`` names ``target`` in a line; ``target`` is a module of ours, or the full name of another's."""

    module: str
    target: str
    line: int
    ours: bool

    def __str__(self) -> str:
        return f"{self.module or '__init__'}:{self.line} -> {self.target or '__init__'}"


def name_of(file: Path, root: Path) -> str:
    """``logic/ports.py`` as ``logic.ports``; ``logic/__init__.py`` as ``logic``."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read(root: Path) -> dict[str, list[Import]]:
    """The imports of every module."""
    files = {name_of(file, root): file for file in sorted(root.rglob("*.py"))}
    return {module: list(dict.fromkeys(imports(module, file, set(files)))) for module, file in files.items()}


def imports(module: str, file: Path, modules: set[str]) -> Iterator[Import]:
    """Every import of a file, wherever it stands in it."""
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    here = [PACKAGE, *(part for part in package if part)]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield resolved(module, alias.name, node.lineno, modules)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = resolved(module, f"{whole}.{alias.name}", node.lineno, modules)
                yield inner if inner.target in modules and inner.ours else resolved(module, whole, node.lineno, modules)


def resolved(module: str, target: str, line: int, modules: set[str]) -> Import:
    """A name as it is written in full, as a module of ours where it is one."""
    first, _, rest = target.partition(".")
    if first != PACKAGE:
        return Import(module, target, line, ours=False)
    while rest and rest not in modules:
        known = rest.rpartition(".")[0]
        if not known:
            break
        rest = known
    return Import(module, rest, line, ours=True)


HOUSE = read(SOURCE)
ALL = [one for found in HOUSE.values() for one in found]


def room(module: str) -> str:
    """The package, or the module, at the top."""
    return module.partition(".")[0]


def floor(module: str) -> int:
    """Counted from the ground."""
    return next((at for at, rooms in enumerate(FLOORS) if room(module) in rooms), -1)


def wrong_way(found: Iterable[Import]) -> list[str]:
    """The imports that do not go down."""
    return [str(one) for one in found if one.ours and not goes_down(one)]


def goes_down(one: Import) -> bool:
    """To a lower floor; or on one floor within a package, or among single modules that are not kept apart."""
    source, target = room(one.module), room(one.target)
    if source == target and source:
        return True
    if AGENT in (source, target):
        return target == AGENT and floor(one.module) >= AGENT_FROM
    if floor(one.module) != floor(one.target):
        return floor(one.target) < floor(one.module)
    rooms = {source, target}
    return not any(is_package(name) for name in rooms) and rooms not in APART


def is_package(name: str) -> bool:
    return any(module.startswith(f"{name}.") for module in HOUSE)


def circles(house: dict[str, list[Import]]) -> list[list[Import]]:
    """The imports of each group of modules that lead to one another."""
    ways = {module: {one.target for one in found if one.ours} - {module} for module, found in house.items()}
    reach = {module: reachable(ways, module) for module in ways}
    groups = {frozenset(b for b in reach[a] if a in reach[b]) for a in ways if a in reach[a]}
    return [
        [one for module in sorted(group) for one in house[module] if one.ours and one.target in group - {module}]
        for group in sorted(groups, key=sorted)
    ]


def reachable(ways: dict[str, set[str]], module: str) -> set[str]:
    """Every module that an import of this one leads to, in any number of steps."""
    found: set[str] = set()
    left = [module]
    while left:
        fresh = ways.get(left.pop(), set()) - found
        found |= fresh
        left += fresh
    return found


def test_every_module_has_a_floor() -> None:
    homeless = {room(module) for module in HOUSE if floor(module) < 0 and room(module) != AGENT}
    assert not homeless, f"name the floor of {sorted(homeless)} in FLOORS"
    assert not [name for rooms in FLOORS for name in rooms if (name and is_package(name)) and name not in HOUSE]


@pytest.mark.parametrize("top", sorted({room(module) for module in HOUSE}), ids=lambda name: name or "__init__")
def test_imports_only_go_down(top: str) -> None:
    assert wrong_way(one for one in ALL if room(one.module) == top) == []


def test_there_are_no_circles() -> None:
    found = ["\n  ".join(["a circle:", *map(str, ways)]) for ways in circles(HOUSE)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_the_agent_stands_alone_on_the_standard_library() -> None:
    found = [one for one in ALL if room(one.module) == AGENT]
    assert found
    assert [str(one) for one in found if one.ours and room(one.target) != AGENT] == []
    assert [str(o) for o in found if not o.ours and room(o.target) not in sys.stdlib_module_names] == []


def test_docker_stays_behind_one_file() -> None:
    assert {one.module for one in ALL if not one.ours and room(one.target) == "docker"} == {"engine.docker_sdk"}


@pytest.mark.parametrize("top", sorted(FORBIDDEN))
def test_what_decides_does_no_io(top: str) -> None:
    found = [one for one in ALL if room(one.module) == top]
    assert found
    assert [str(one) for one in found if not one.ours and room(one.target) in FORBIDDEN[top]] == []


def test_pytest_is_known_on_the_top_floor_alone_and_not_to_the_command_line() -> None:
    knows = {one.module for one in ALL if not one.ours and room(one.target) in ("pytest", "_pytest")}
    assert {module for module in knows if floor(module) < 7} == set()
    ways = {module: {one.target for one in found if one.ours} for module, found in HOUSE.items()}
    assert ({"cli"} | reachable(ways, "cli")) & knows == set()


def test_no_import_goes_by_the_full_name() -> None:
    """``from pytest_dockconn.x import y`` would be found too, but one way to write it is enough."""
    text = {module: (SOURCE / f"{module.replace('.', '/')}.py") for module in HOUSE}
    written = [m for m, file in text.items() if file.exists() and f"from {PACKAGE}" in file.read_text(encoding="utf-8")]
    assert written == []


# That the tests above can fail: on houses that are built wrong.


def built(root: Path, **files: str) -> dict[str, list[Import]]:
    for name, text in files.items():
        file = root / (name.replace("__", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        (file.parent / "__init__.py").touch()
    return read(root)


@pytest.mark.parametrize(
    "text",
    [
        "from .b import x",
        "from . import b",
        "def f():\n    from .b import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .b import x",
        "try:\n    from ..logic import b\nexcept ImportError:\n    pass",
        f"import {PACKAGE}.logic.b",
        f"from {PACKAGE}.logic.b import x",
    ],
    ids=["plain", "a module", "lazy", "for types", "by the package above", "import", "full name"],
)
def test_a_circle_is_seen(tmp_path: Path, text: str) -> None:
    house = built(tmp_path, logic__a=text, logic__b="from .c import x", logic__c="from .a import x", logic__d="")
    assert [{one.module for one in ways} for ways in circles(house)] == [{"logic.a", "logic.b", "logic.c"}]


def test_a_chain_is_no_circle(tmp_path: Path) -> None:
    assert circles(built(tmp_path, logic__a="from .b import x", logic__b="from . import c", logic__c="import os")) == []


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        pytest.param("logic__ports", "from ..errors import x", False, id="down"),
        pytest.param("logic__ports", "from .names import x", False, id="in the same package"),
        pytest.param("logic__ports", "from ..engine.port import x", True, id="up"),
        pytest.param("logic__ports", "def f():\n    from ..engine import port", True, id="up, lazily"),
        pytest.param("logic__ports", "from ..report.messages import x", True, id="to another package of the floor"),
        pytest.param("model__facts", "from ..agent import http", True, id="the agent from below"),
        pytest.param("actions__asking", "from ..agent import http", False, id="the agent from above"),
        pytest.param("agent__http", "from ..errors import x", True, id="from the agent"),
        pytest.param("lab", "from .assertions import x", True, id="kept apart"),
        pytest.param("plugin", "from .options import x", False, id="modules of one floor"),
        pytest.param("lab", "from . import x", True, id="the public names"),
    ],
)
def test_the_wrong_way_is_seen(tmp_path: Path, module: str, text: str, wrong: bool) -> None:
    others = dict.fromkeys(("errors", "assertions", "options", "logic__names", "engine__port", "report__messages", "agent__http", "model__x"), "")  # fmt: skip
    house = built(tmp_path, **{**others, module: text})
    assert bool(wrong_way(one for found in house.values() for one in found)) is wrong

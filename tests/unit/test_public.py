"""The public names: curated, importable, light."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_dockconn

#: What docs/ and the examples import; more may come, none of these may go.
PROMISED = {
    "Bridge", "Client", "Connection", "Container", "DockconnError", "Engine", "Host", "Image", "Lab", "Network", "Port",
    "ProbeResult", "ReachabilityError", "Server", "Verdict", "assert_linked", "assert_reachable", "assert_unreachable",
}  # fmt: skip

HEAVY = ("docker", "requests", "urllib3", "jinja2", "tenacity", "filelock", "ssl")


def test_the_names_are_curated() -> None:
    assert set(pytest_dockconn.__all__) >= PROMISED
    assert list(pytest_dockconn.__all__) == sorted(pytest_dockconn.__all__)
    assert dir(pytest_dockconn) == sorted(pytest_dockconn.__all__)
    assert set(pytest_dockconn._PLACES) == set(pytest_dockconn.__all__)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(str(pytest_dockconn.__file__)).read_text(encoding="utf-8"))
    seen = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"{place}.{name}" for name, place in pytest_dockconn._PLACES.items()}


@pytest.mark.parametrize("name", pytest_dockconn.__all__)
def test_a_name_can_be_imported_and_is_documented(name: str) -> None:
    found = getattr(pytest_dockconn, name)
    assert found.__name__ == name
    assert inspect.getdoc(found)


def test_star_import() -> None:
    names: dict[str, object] = {}
    exec("from pytest_dockconn import *", names)
    assert set(names) - {"__builtins__"} == set(pytest_dockconn.__all__)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="'pytest_dockconn' has no attribute 'assert_everything'"):
        print(pytest_dockconn.assert_everything)
    with pytest.raises(ImportError):
        exec("from pytest_dockconn import assert_everything")


def loaded(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_imports_nothing_heavy_and_nothing_of_its_own() -> None:
    modules = loaded("import pytest_dockconn")
    assert not modules & {*HEAVY, "pytest"}
    assert {name for name in modules if name.startswith("pytest_dockconn")} == {"pytest_dockconn"}


def test_the_plugin_imports_nothing_heavy() -> None:
    """Everybody who has it installed pays for this at each run of pytest, with ``--dockconn`` or without."""
    modules = loaded("import pytest_dockconn.plugin")
    assert "pytest_dockconn.plugin" in modules
    assert not modules & {*HEAVY[:6]}
    assert not {name for name in modules if name.startswith(("pytest_dockconn.actions", "pytest_dockconn.engine"))}


def test_the_command_line_does_not_need_pytest() -> None:
    modules = loaded("import pytest_dockconn.cli")
    assert not {name for name in modules if name == "pytest" or name.startswith("_pytest")}

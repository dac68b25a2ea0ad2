"""With pytest-xdist, and without it."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

import pytest_dockconn
from tests.plugin.conftest import Inner

SOURCE = """
    import os
    import pytest
    from pytest_dockconn import assert_reachable

    @pytest.mark.parametrize("number", range(6))
    def test_one(dockconn, dockconn_client, dockconn_bound_server, number):
        assert os.environ["PYTEST_XDIST_WORKER"] in ("gw0", "gw1")
        assert_reachable(dockconn_client, dockconn.server().port(80))
        assert dockconn_bound_server.name == "server2"

    @pytest.mark.dockconn(requires=["links"])
    def test_link(dockconn_connection):
        assert_reachable(dockconn_connection.source, dockconn_connection.destination)

    def test_plain():
        pass

    def test_fails(dockconn):
        assert_reachable(dockconn.client(), dockconn.server().port(81), within=0)
"""


#: Both workers see that there is no image before either goes on, so that both would build it.
TOGETHER = """
    import os
    from tests.fakes.plugin import InnerEngine

    look = InnerEngine.image
    seen = []

    def looks(self, name):
        found = look(self, name)
        if found is None and name.startswith("dockconn-client:") and not seen:
            seen.append(name)
            with open({meeting!r}, "r" if os.environ["PYTEST_XDIST_WORKER"] == "gw0" else "w"):
                pass
        return found

    InnerEngine.image = looks
"""


def test_two_workers(inner: Inner) -> None:
    """Both find the images that one of them builds."""
    inner.images = str(inner.pytester.path / "images.pickle")
    meeting = str(inner.pytester.path / "meeting")
    os.mkfifo(meeting)
    inner.pytester.makeconftest(TOGETHER.format(meeting=meeting))
    inner.write(SOURCE)
    result = inner.process("-n", "2", "--dockconn", inner.engine())

    result.assert_outcomes(passed=10, failed=1)
    text = result.stdout.str() + result.stderr.str()
    header = [line for line in result.outlines if line.startswith("dockconn: ")]
    assert len(header) == 1  # the controller's
    assert header[0].startswith("dockconn: docker 20.10.24 (API 1.41) at ")
    for noise in ("building dockconn-", "built dockconn-", "Step ", "INTERNALERROR", "Traceback", "pytest_dockconn/"):
        assert noise not in text
    result.stdout.fnmatch_lines(["*- output of server1 (*", "FAILED *ReachabilityError: client1 cannot reach port 81*"])

    built = inner.said("built")
    assert len(built) == 2
    assert sorted(name.partition(":")[0] for name in built) == ["dockconn-client", "dockconn-server"]
    runs = {name.split("-")[1] for name in inner.said("made")}
    assert len(runs) == 2  # names of two workers never meet
    assert inner.left() == []


def test_a_worker_says_no_progress(inner: Inner) -> None:
    """Its standard output is the channel to the controller."""
    inner.write("""
        def test_one(pytestconfig):
            from pytest_dockconn.terminal import Progress

            assert hasattr(pytestconfig, "workerinput")
            assert Progress(pytestconfig)._out is None
    """)
    inner.process("-n", "1", "--dockconn", inner.engine()).assert_outcomes(passed=1)


def test_options_of_the_ini_file_reach_the_workers(inner: Inner) -> None:
    inner.write("def test_one(dockconn_engine): assert dockconn_engine.version == '27.1.2'")
    engine = inner.engine("docker", "27.1.2").partition("=")[2]
    inner.pytester.makeini(f"[pytest]\ndockconn = true\ndockconn_engine = {engine}\n")

    inner.process("-n", "2").assert_outcomes(passed=1)


def test_without_dockconn(inner: Inner) -> None:
    inner.write(SOURCE)

    result = inner.process("-n", "2", "-rs", inner.engine())
    result.assert_outcomes(passed=1, skipped=10)
    assert "needs --dockconn, and a container engine" in result.stdout.str()


def test_without_xdist(inner: Inner) -> None:
    """Switched off, and none of its modules can be imported either."""
    inner.write(
        """
        import sys

        for name in ("xdist", "xdist.plugin", "execnet"):
            sys.modules[name] = None
        """,
        "hidden.py",
    )
    inner.write("""
        def test_one(dockconn, dockconn_client):
            assert dockconn_client.probe(dockconn.server().port(80))
    """)
    result = inner.bare("-p", "no:xdist", "-p", "hidden", "-p", "tests.fakes.plugin", "--dockconn", inner.engine())

    result.assert_outcomes(passed=1)
    assert inner.left() == []


@pytest.mark.parametrize("stranger", ["xdist", "execnet"])
def test_no_module_of_ours_imports_it(stranger: str) -> None:
    for file in Path(pytest_dockconn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert stranger not in [name.partition(".")[0] for name in names], file


def test_the_controller_merges_what_the_workers_asked(inner: Inner) -> None:
    inner.images = str(inner.pytester.path / "images.pickle")
    inner.write(SOURCE)

    result = inner.process("-n", "2", "-v", "--dockconn", inner.engine())

    table = result.stdout.str().partition("dockconn: who reached whom")[2]
    rows = [line for line in table.splitlines() if " -> " in line]
    counts = [int(line.rpartition(" x")[2]) if " x" in line else 1 for line in rows if line.startswith("client1 ")]
    assert sum(counts) == 6 + 1 + 1  # six times test_one, test_fails, and the exposed one of three connections
    assert sum("FAILED" in line for line in rows) == 1
    assert any(line.startswith("the host ") for line in rows)
    assert any(line.startswith("client3 ") for line in rows)


def test_what_a_worker_could_not_remove_is_said(inner: Inner) -> None:
    """It has no terminal of its own; the controller has."""
    inner.write("""
        from pytest_dockconn.errors import EngineError
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest

        def test_one(dockconn):
            dockconn.network("stays")
            latest().faults.append(Fault(lambda: EngineError("it does not want to go"), "remove_network"))
    """)
    result = inner.process("-n", "1", "--dockconn", inner.engine())

    result.assert_outcomes(passed=1)
    said = [line for line in result.outlines if line.startswith("dockconn: left on the engine: ")]
    assert len(said) == 1
    assert "it does not want to go" in said[0]
    assert "remedy: dockconn prune" in said[0]

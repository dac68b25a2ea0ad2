"""What a failed test shows: the user's own lines, the message, and the output of the test's containers."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Inner

#: Marks of the plugin's own code in a traceback.
OURS = ("pytest_dockconn/", "def _make", "services", "__tracebackhide__")

SOURCE = """
    import pytest
    from pytest_dockconn import assert_linked, assert_reachable, assert_unreachable

    def helper(source, destination):
        assert_reachable(source, destination, within=0)

    def test_reachable(dockconn):
        helper(dockconn.client(), dockconn.server().port(81))

    def test_unreachable(dockconn):
        assert_unreachable(dockconn.client(), dockconn.server().port(80))

    def test_linked(dockconn):
        assert_linked(dockconn.client(), dockconn.server())

    def test_bad_specification(dockconn):
        dockconn.server(expose=(0,))

    def test_no_bound_port(dockconn):
        dockconn.server().bound_port(80)

    def test_chained(dockconn):
        try:
            raise RuntimeError("before it")
        except RuntimeError:
            dockconn.network("-")
"""

FIRST_LINES = {
    "test_reachable": "ReachabilityError: client1 cannot reach port 81/tcp of server1 at *",
    "test_unreachable": "ReachabilityError: client1 can reach port 80/tcp of server1 *",
    "test_linked": "*Error: client1 *server1*",
    "test_bad_specification": "SpecError: 0 is not a port of expose: *",
    "test_no_bound_port": "DockconnError: server1 has no bound port 80/tcp",
    "test_chained": "SpecError: '-' is not a name that Docker takes",
}


def test_no_frame_of_the_plugin_and_the_first_line_in_the_summary(inner: Inner) -> None:
    result = inner.run(SOURCE)

    result.assert_outcomes(failed=len(FIRST_LINES))
    text = result.stdout.str()
    report, _, summary = text.partition("short test summary info")
    for mark in OURS:
        assert mark not in report.partition("FAILURES")[2], mark
    result.stdout.fnmatch_lines_random(
        [f"FAILED test_inner.py::{test} - pytest_dockconn.errors.{line}" for test, line in FIRST_LINES.items()]
    )
    assert ">       dockconn.server(expose=(0,))" in report  # where it happened
    assert ">       helper(dockconn.client(), dockconn.server().port(81))" in report  # and how it got there
    assert ">       assert_reachable(source, destination, within=0)" in report
    assert "  evidence: " in report
    assert "  remedy: " in report
    assert "RuntimeError: before it" not in report  # what the message does not speak of
    assert len(summary.splitlines()) == len(FIRST_LINES) + 2  # one line for each


def test_the_summary_of_ci_has_the_whole_message(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest cuts no message of its summary where ``CI`` is set."""
    monkeypatch.setenv("CI", "true")

    result = inner.run(SOURCE)

    result.assert_outcomes(failed=len(FIRST_LINES))
    _, _, summary = result.stdout.str().partition("short test summary info")
    for test, line in FIRST_LINES.items():
        result.stdout.fnmatch_lines_random([f"FAILED test_inner.py::{test} - pytest_dockconn.errors.{line}"])
    assert summary.count("\n  evidence: ") >= 3
    assert "\n  remedy: " in summary


FIXTURES = """
    import pytest

    @pytest.fixture
    def web(dockconn):
        return dockconn.server(bind={80: 0})

    def test_fixture_of_ones_own(web):
        pass

    def test_fixture_of_the_plugin(dockconn_exposed_server):
        pass
"""


def test_errors_of_fixtures(inner: Inner) -> None:
    inner.pytester.makeconftest("""
        from pytest_dockconn.errors import EngineError
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest

        def pytest_sessionstart():
            latest().faults.append(Fault(lambda: EngineError("no more servers"), "create", where="server1"))
    """)
    result = inner.run(FIXTURES)

    result.assert_outcomes(errors=2)
    report = result.stdout.str().partition("= ERRORS =")[2].partition("short test summary info")[0]
    for mark in (*OURS, "def dockconn_exposed_server"):
        assert mark not in report, mark
    assert ">       return dockconn.server(bind={80: 0})" in report
    result.stdout.fnmatch_lines_random(
        [
            "ERROR test_inner.py::test_fixture_of_ones_own - *SpecError: 0 is not a host port: *",
            "ERROR test_inner.py::test_fixture_of_the_plugin - *EngineError: no more servers",
        ]
    )
    assert inner.left() == []


def test_other_errors_are_shown_as_pytest_does(inner: Inner) -> None:
    result = inner.run("""
        def test_one(dockconn):
            assert dockconn.server().name == "other"

        def test_two():
            raise RuntimeError("of the user's own")
    """)

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["E *AssertionError: assert 'server1' == 'other'", "E *RuntimeError: of the user's own"]
    )


OUTPUT = r"""
    import pytest
    from tests.fakes.plugin import latest

    def says(container, *lines):
        latest()._container(container.id).log[:] = lines

    @pytest.fixture
    def web(dockconn):
        server = dockconn.server()
        says(server, "\x1b[31mall is red\x1b[0m\n", "and \x07loud\r\n", "\u202eturned\n")
        return server

    def test_fails(web):
        raise AssertionError

    def test_passes(web):
        print("it passes")

    def test_of_the_session(dockconn_exposed_server, dockconn_client, dockconn_bound_server):
        says(dockconn_exposed_server, "".join(f"line {n}\n" for n in range(100)))
        says(dockconn_bound_server)
        raise AssertionError

    def test_connection(dockconn_connection):
        says(dockconn_connection.server, f"it went by {dockconn_connection.kind}\n")
        raise AssertionError

    def test_session_lab(dockconn_session):
        says(dockconn_session.server(name="shop"), "open all day\n")
        raise AssertionError

    def test_without_containers():
        raise AssertionError
"""


def sections(result: pytest.RunResult, test: str) -> list[str]:
    """The lines of a test's part of the report, from the first output of a container on."""
    part = result.stdout.str().partition(f"_ {test} _")[2].partition("\n____")[0].partition("\n====")[0]
    lines = part.splitlines()
    at = next((n for n, line in enumerate(lines) if "- output of " in line), len(lines))
    return lines[at:]


def test_output_of_the_containers_of_failed_tests(inner: Inner) -> None:
    result = inner.run(OUTPUT, "-rfP")

    result.assert_outcomes(failed=7, passed=1)
    head, *own = sections(result, "test_fails")
    assert "- output of server1 (" in head
    assert own == ["\\x1b[31mall is red\\x1b[0m", "and \\x07loud", "\\u202eturned"]
    assert "\x1b[31mall" not in result.stdout.str()
    assert "\u202e" not in result.stdout.str()

    head, *own = sections(result, "test_of_the_session")
    assert "- output of server1 (" in head
    assert own == [f"line {number}" for number in range(70, 100)]  # the end of it; and none of who said nothing

    for kind in ("expose", "bind", "link"):
        assert sections(result, f"test_connection[{kind}]")[1:] == [f"it went by {kind}"]
    assert sections(result, "test_session_lab")[1:] == ["open all day"]
    assert sections(result, "test_without_containers") == []
    assert "_ test_passes _" in result.stdout.str()  # -rP shows it, if there is something to show
    assert sections(result, "test_passes") == []
    assert result.stdout.str().count("- output of server1 (") == 3


def test_output_that_can_not_be_read_is_left_out(inner: Inner) -> None:
    result = inner.run("""
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest
        from pytest_dockconn.errors import EngineError

        def test_one(dockconn):
            dockconn.server(name="one")
            dockconn.server(name="two")
            words = " ".join(["can", "not", "read", "them"])
            latest().faults.append(Fault(lambda: EngineError(words), "logs", where="one"))
            raise AssertionError("of the user's own")
    """)

    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "output of two (" in text
    assert "output of one (" not in text
    assert "can not read them" not in text

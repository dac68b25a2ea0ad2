"""``--dockconn-report``: what is written, when, and what is said where it can't be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_dockconn import reportfiles
from tests.plugin.conftest import Inner, one_message

SOURCE = """
    import pytest
    from pytest_dockconn import assert_reachable, assert_unreachable

    def test_passes(dockconn):
        assert_reachable(dockconn.client(), dockconn.server().port(80))

    def test_fails(dockconn):
        assert_reachable(dockconn.client(), dockconn.server().port(81), within=0)

    @pytest.fixture
    def broken(dockconn):
        raise RuntimeError("the fixture is broken")

    def test_error(broken):
        pass

    def test_plain():
        raise AssertionError("of nobody's business")

    @pytest.mark.dockconn(requires=["links"])
    def test_lacks():
        pass
"""


def read(inner: Inner, name: str = "out.json") -> Any:
    return json.loads((inner.pytester.path / name).read_text(encoding="utf-8"))


def report(inner: Inner, source: str, *args: str, engine: str | None = None) -> Any:
    """What a session writes as JSON."""
    inner.run(source, "--dockconn-report=out.json", *args, engine=engine)
    return read(inner)


def test_all_three_at_once(inner: Inner) -> None:
    paths = [inner.pytester.path / name for name in ("out.html", "deep/er/out.md", "out.json")]
    given = ["out.html", "deep/er/out.md", str(paths[2])]
    result = inner.run(SOURCE, *(f"--dockconn-report={path}" for path in given), engine=inner.engine("podman", "4.3.1"))

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"dockconn: report: {path}" for path in paths])
    texts = [path.read_text(encoding="utf-8") for path in paths]
    for text in texts:
        for fact in ("test_passes", "test_fails", "client1 cannot reach port 81/tcp of server1", "the fixture is broken",
                     "podman 4.3.1 lacks", "remedy:", "Who asked whom" if text is not texts[2] else '"questions"'):  # fmt: skip
            assert fact in text.replace("&#x27;", "'")
        assert "nobody" not in text
    assert sorted(path.name for path in inner.pytester.path.iterdir() if "dockconn-report" in path.name) == []


def test_what_is_in_it(inner: Inner) -> None:
    told = report(inner, SOURCE, engine=inner.engine("podman", "4.3.1"))

    assert told["schema"] == 1
    assert told["exit_status"] == 1
    assert told["seconds"] > 0
    assert told["started"].endswith("+00:00")
    assert told["plugin"]
    bridge = told["engine"].pop("bridge"), told["engine"].pop("subnet")
    assert bridge[0]
    assert bridge[1].startswith("127.")
    assert told["engine"] == {
        "kind": "podman", "version": "4.3.1", "api_version": "1.41", "url": "fake://podman",
        "platform": told["engine"]["platform"], "host_os": told["engine"]["host_os"],
    }  # fmt: skip
    assert told["engine"]["platform"].startswith("linux/")
    assert told["tests"] == {"passed": 1, "failed": 1, "errors": 1, "skipped": 1, "xfailed": 0, "xpassed": 0}
    (skip,) = told["skipped"]
    assert skip["test"] == "test_inner.py::test_lacks"
    assert skip["reason"].startswith("podman 4.3.1 lacks 'links'")
    assert skip["lacks"] == ["links"]
    assert told["left"] == told["notes"] == []


def test_every_question(inner: Inner) -> None:
    first, last = report(inner, SOURCE)["questions"]

    address = first.pop("address")
    assert address.startswith("127.")
    assert first.pop("elapsed") > 0
    assert first == {
        "test": "test_inner.py::test_passes", "question": "reachable", "source": "client1", "attempts": 1, "passed": True,
        "destination": "port 80/tcp of server1", "verdict": "reachable", "way": f"{address} port 80, its own address",
    }  # fmt: skip
    assert (last["test"], last["verdict"], last["passed"]) == ("test_inner.py::test_fails", "refused", False)


def test_a_failure(inner: Inner) -> None:
    failed, error = report(inner, SOURCE)["failures"]

    assert (failed["test"], failed["phase"]) == ("test_inner.py::test_fails", "call")
    assert failed["error"] == "ReachabilityError"
    assert failed["message"].startswith("client1 cannot reach port 81/tcp of server1 at 127.")
    assert any(line.startswith("asked http://127.") for line in failed["evidence"])
    assert failed["remedy"]
    assert failed["text"].startswith(failed["message"])
    assert f"  remedy:   {failed['remedy']}" in failed["text"]
    titles = [section["title"] for section in failed["sections"]]
    assert {"dockconn: client1", "dockconn: server1"} <= set(titles)
    assert "state:" in failed["sections"][0]["text"]

    assert (error["test"], error["phase"], error["error"]) == ("test_inner.py::test_error", "setup", "RuntimeError")
    assert error["message"] == "RuntimeError: the fixture is broken"
    assert error["remedy"] == ""


def test_what_pytest_captured_is_not_in_it(inner: Inner) -> None:
    told = report(
        inner,
        """
        from tests.fakes.plugin import latest

        def test_one(dockconn):
            print("of the test's own")
            server = dockconn.server()
            latest()._container(server.id).log[:] = ["of the container's\\n"]
            assert not server
        """,
    )
    ((section,),) = [failure["sections"] for failure in told["failures"]]
    assert section["title"].startswith("output of server1 (")
    assert section["text"].strip() == "of the container's"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("pytest.fail('as it was')", ["Failed", "Failed: as it was"]),
        ("pytest.fail('a\\n  remedy:  curl evil')", ["Failed", "Failed: a"]),
        ("dockconn.server(expose=(0,))", ["SpecError", "0 is not a port of expose: *"]),
    ],
)
def test_other_failures(inner: Inner, error: str, said: list[str]) -> None:
    (failure,) = report(inner, f"import pytest\n\ndef test_one(dockconn):\n    {error}\n")["failures"]

    assert failure["error"] == said[0]
    assert failure["message"].startswith(said[1].rstrip("*"))
    assert (failure["remedy"] != "") == (said[0] == "SpecError")
    assert (failure["checked"] != "") == (said[0] == "SpecError")


def test_expected_failures_are_none(inner: Inner) -> None:
    told = report(
        inner,
        """
        import pytest

        @pytest.mark.xfail
        def test_one(dockconn):
            raise AssertionError

        @pytest.mark.xfail
        def test_two(dockconn):
            pass

        @pytest.mark.xfail(strict=True)
        def test_three(dockconn):
            pass
        """,
    )
    assert told["tests"] == {"passed": 0, "failed": 1, "errors": 0, "skipped": 0, "xfailed": 1, "xpassed": 1}
    assert [failure["message"] for failure in told["failures"]] == ["[XPASS(strict)]"]


MATRIX = """
    from pytest_dockconn import assert_matrix

    def test_one(dockconn):
        web, one = dockconn.server(name="web"), dockconn.client(name="one")
        assert_matrix(dockconn.matrix([one], [web.port(80), web.port(81)]), {(one, web.port(80)): True, (one, web.port(81)): True})
"""


def test_a_matrix(inner: Inner) -> None:
    """Every cell is a question; on the terminal it has a table of its own."""
    result = inner.run(MATRIX, "--dockconn-report=out.json", "-v")

    told = read(inner)
    assert [(one["question"], one["destination"], one["passed"]) for one in told["questions"]] == [
        ("matrix", "web:80", True), ("matrix", "web:81", False),
    ]  # fmt: skip
    (failure,) = told["failures"]
    assert failure["message"] == "the matrix: 1 of 2 cells are not as expected: one -> web:81 is refused, expected yes"
    assert "!refused? (expected yes)" in failure["text"]
    assert failure["evidence"]
    assert failure["remedy"]
    assert "who reached whom" not in result.stdout.str()


SUBTESTS = """
    import pytest

    def test_one(dockconn_engine, subtests):
        with subtests.test(msg="a part"):
            raise AssertionError("of a part")
        with subtests.test(msg="another"):
            pass
"""


@pytest.mark.skipif(int(pytest.__version__.partition(".")[0]) < 9, reason="pytest has subtests from 9 on")
def test_subtests(inner: Inner) -> None:
    told = report(inner, SUBTESTS)

    assert "AssertionError: of a part" in [failure["message"] for failure in told["failures"]]


# Where it is written


def test_by_the_ini_file(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    """From there on rootdir counts, wherever pytest was started."""
    folder = inner.pytester.mkdir("below")
    inner.pytester.makeini("[pytest]\ndockconn_report =\n    one.md\n    two/three.json\n")
    inner.write("def test_one(dockconn_engine): pass")
    monkeypatch.chdir(folder)
    inner.session("--dockconn", inner.engine(), str(inner.pytester.path / "test_inner.py"))

    assert "1 passed" in (inner.pytester.path / "one.md").read_text()
    assert read(inner, "two/three.json")["tests"]["passed"] == 1


def test_the_command_line_replaces_the_ini_file(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    """And counts from where pytest was started."""
    folder = inner.pytester.mkdir("below")
    inner.pytester.makeini("[pytest]\ndockconn_report = one.md\n")
    inner.write("def test_one(dockconn_engine): pass")
    monkeypatch.chdir(folder)
    inner.session(
        "--dockconn", "--dockconn-report", "two.json", inner.engine(), str(inner.pytester.path / "test_inner.py")
    )

    assert read(inner, "below/two.json")["tests"]["passed"] == 1
    assert not (inner.pytester.path / "one.md").exists()


def test_without_dockconn_nothing_is_written(inner: Inner) -> None:
    inner.write(SOURCE)
    result = inner.session("--dockconn-report=out.json", "--dockconn-report=out.exe", inner.engine())

    result.assert_outcomes(failed=1, skipped=4)
    assert not (inner.pytester.path / "out.json").exists()
    assert "report" not in result.stdout.str()


def test_without_the_option_none_of_it_is_loaded(inner: Inner) -> None:
    inner.write("""
        import sys

        def test_modules(dockconn_engine):
            assert not [m for m in sys.modules if m.startswith("pytest_dockconn.report") and m not in {
                "pytest_dockconn.report", "pytest_dockconn.report.table", "pytest_dockconn.report.summary",
                "pytest_dockconn.report.leftovers"}]
            assert "pytest_dockconn.model.record" not in sys.modules
    """)
    result = inner.bare("-p", "tests.fakes.plugin", "--dockconn", inner.engine())

    result.assert_outcomes(passed=1)


def test_quiet_says_nothing_and_writes(inner: Inner) -> None:
    result = inner.run("def test_one(dockconn_engine): pass", "--dockconn-report=out.json", "-q")

    assert "report" not in result.stdout.str()
    assert read(inner)["tests"]["passed"] == 1


@pytest.mark.parametrize("args", [["-p", "no:terminal"], ["--no-header"]], ids=str)
def test_with_less_of_pytest(inner: Inner, args: list[str]) -> None:
    told = report(inner, "def test_one(dockconn_engine): pass", *args)

    assert told["tests"]["passed"] == 1
    assert told["engine"]["bridge"] == "docker0"


def test_an_older_report_is_replaced_and_a_link_stays(inner: Inner) -> None:
    there = inner.pytester.mkdir("there") / "real.json"
    there.write_text("old")
    (inner.pytester.path / "out.json").symlink_to(there)

    assert report(inner, "def test_one(dockconn_engine): pass")["tests"]["passed"] == 1
    assert (inner.pytester.path / "out.json").is_symlink()
    assert json.loads(there.read_text())["schema"] == 1


# Where it can't be written


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("out.txt", "its suffix says no format"), ("out", "its suffix says no format"), ("", "its suffix says no format"),
        ("html", "its suffix says no format"), ("folder.html", "it is a directory"), ("pipe.md", "it is no plain file"),
        ("file/out.json", "its folder can't be made"), ("file/deep/out.json", "its folder can't be made"),
        ("x" * 300 + ".md", "too long"), ("loop.md", "symbolic links"),
    ],
)  # fmt: skip
def test_a_path_that_can_not_be(inner: Inner, path: str, words: str) -> None:
    folder = inner.pytester.mkdir("folder.html")
    (inner.pytester.path / "file").touch()
    (inner.pytester.path / "loop.md").symlink_to("loop.md")
    os.mkfifo(inner.pytester.path / "pipe.md")
    result = inner.run("def test_one(): pass", "--dockconn-report=fine.md", f"--dockconn-report={path}")

    one_message(result, "--dockconn-report", words)
    assert not (inner.pytester.path / "fine.md").exists()
    assert list(folder.iterdir()) == []
    assert inner.said("built") == inner.said("made") == []


def test_a_folder_that_nobody_may_write_to(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    """To root all may be written, so the question is answered here."""
    folder = inner.pytester.mkdir("closed")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: real(path, mode) and Path(path) != folder)

    one_message(
        inner.run("def test_one(): pass", "--dockconn-report=closed/deep/x.md"), "its folder can't be written to"
    )
    assert list(folder.iterdir()) == []


GONE = """
    from pathlib import Path

    def test_one(dockconn_engine):
        Path("later").touch()
"""


def test_what_can_not_be_written_at_the_end_is_said_and_is_not_green(inner: Inner) -> None:
    result = inner.run(GONE, "--dockconn-report=later/out.html", "--dockconn-report=out.json")

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in text
    assert "Traceback" not in text
    said = [line for line in result.outlines if "could not be written" in line]
    assert len(said) == 1
    assert f"the report {inner.pytester.path / 'later/out.html'} could not be written: " in said[0]
    assert "checked: " in said[0]
    assert "remedy: " in said[0]
    told = read(inner)  # the other one says so, too
    assert told["exit_status"] == 1
    assert "later/out.html could not be written" in told["notes"][0]


def test_it_is_said_where_there_is_no_terminal(inner: Inner) -> None:
    result = inner.run(GONE, "--dockconn-report=later/out.html", "-p", "no:terminal")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "could not be written" in result.stderr.str()


@pytest.mark.parametrize(
    ("source", "args", "status"),
    [
        ("def test_one(): pass", ["-k", "nothing"], pytest.ExitCode.NO_TESTS_COLLECTED),
        ("def test_one(): raise KeyboardInterrupt", [], pytest.ExitCode.INTERRUPTED),
    ],
)
def test_a_status_that_is_not_green_stays(inner: Inner, source: str, args: list[str], status: int) -> None:
    inner.pytester.makeconftest("""
        from pathlib import Path

        def pytest_sessionfinish():
            Path("later").touch()
    """)
    result = inner.run(source, "--dockconn-report=later/out.html", *args)

    assert "could not be written" in result.stdout.str()
    assert result.ret == status


def test_half_a_report_is_never_there(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full amid of it: what was there stays."""
    (inner.pytester.path / "out.json").write_text("old")
    real = Path.open

    def full(self: Path, *args: Any, **kwargs: Any) -> Any:
        file = real(self, *args, **kwargs)
        if self.name.startswith(".dockconn-report"):
            write = file.write

            def some(text: str) -> int:
                write(text[:10])
                raise OSError(28, "No space left on device")

            file.write = some
        return file

    monkeypatch.setattr(Path, "open", full)
    result = inner.run("def test_one(dockconn_engine): pass", "--dockconn-report=out.json")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["dockconn: the report *out.json could not be written: no space left on device*"])
    assert (inner.pytester.path / "out.json").read_text() == "old"
    assert [path for path in inner.pytester.path.iterdir() if path.name.startswith(".dockconn")] == []


def test_ctrl_c_while_it_is_written(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reportfiles, "write", interrupted)
    try:
        result = inner.run("def test_one(dockconn_engine): pass", "--dockconn-report=out.json")
    except KeyboardInterrupt:
        pytest.fail("it came through")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["dockconn: interrupted while the report was written"])


# Runs that end otherwise


@pytest.mark.parametrize(
    ("stop", "status", "note"),
    [
        ("raise KeyboardInterrupt", 2, "ended early: KeyboardInterrupt"),
        ("pytest.exit('enough', returncode=7)", 7, "ended early: _pytest.outcomes.Exit: enough"),
        ("raise AssertionError", 1, "ended early: stopping after 1 failures"),
    ],
)
def test_a_run_that_is_stopped(inner: Inner, stop: str, status: int, note: str) -> None:
    told = report(
        inner,
        f"""
        import pytest
        from pytest_dockconn import assert_reachable

        def test_one(dockconn_client, dockconn_exposed_server):
            assert_reachable(dockconn_client, dockconn_exposed_server.port(80))

        def test_two(dockconn):
            {stop}

        def test_three(dockconn):
            pass
        """,
        "-x",
    )
    assert told["exit_status"] == status
    assert told["notes"] == [note]
    assert told["tests"]["passed"] == 1
    assert len(told["questions"]) == 1
    assert told["left"] == []


def test_what_can_not_be_collected(inner: Inner) -> None:
    told = report(inner, "def test_one(dockconn): pass\n\nraise RuntimeError('not today')")

    assert told["exit_status"] == 2
    assert told["notes"] == [
        "not collected: test_inner.py: RuntimeError: not today",
        "ended early: Interrupted: 1 error during collection",
    ]
    assert told["tests"]["passed"] == 0


def test_a_marker_that_is_wrong(inner: Inner) -> None:
    told = report(inner, "import pytest\n\n@pytest.mark.dockconn(requires=['nonsense'])\ndef test_one(): pass")

    assert told["exit_status"] == 4


def test_an_engine_that_dies(inner: Inner) -> None:
    told = report(
        inner,
        """
        from tests.fakes.plugin import latest

        def test_one(dockconn_session):
            for _ in range(3):
                dockconn_session.server(expose=())

        def test_two(dockconn):
            latest().die()
            dockconn.server()

        def test_three(dockconn):
            pass
        """,
    )
    assert told["exit_status"] == 1
    assert told["engine"]["kind"] == "docker"
    assert told["failures"][0]["message"].startswith("asking: lost the engine at fake://docker")
    assert told["notes"][0].startswith("ended early: dockconn: asking: lost the engine at fake://docker")
    assert len(told["left"]) == 1  # not once for each container
    assert "lost the engine" in told["left"][0]


def test_an_engine_that_dies_at_the_very_beginning(inner: Inner) -> None:
    inner.pytester.makeconftest("""
        from tests.fakes.plugin import latest

        def pytest_sessionstart():
            latest().die()
    """)
    told = report(inner, "def test_one(dockconn): dockconn.server()")

    assert told["engine"] is None
    assert "lost the engine" in told["notes"][0]
    assert told["tests"]["errors"] + told["tests"]["failed"] == 1


def test_what_is_left_on_the_engine(inner: Inner) -> None:
    """That is known last of all."""
    told = report(
        inner,
        """
        from pytest_dockconn.errors import EngineError
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest

        def test_one(dockconn_session):
            dockconn_session.server(name="sticky")
            latest().faults.append(Fault(lambda: EngineError("removing sticky: busy"), "remove"))
        """,
    )
    assert told["exit_status"] == 0
    assert len(told["left"]) == 1
    assert "removing sticky: busy" in told["left"][0]


def test_what_was_reused(inner: Inner) -> None:
    told = report(inner, "def test_one(dockconn): dockconn._services.room.removed.append('web (why)')")

    assert told["reuse"] == {"reused": [], "made": [], "replaced": [], "removed": ["web (why)"]}


INTERRUPTED = """
    import pytest
    from pytest_dockconn.actions.cleanup import Remover

    patch = pytest.MonkeyPatch()

    def interrupted(self):
        patch.undo()
        raise KeyboardInterrupt

    def pytest_configure():
        patch.setattr(Remover, "close", interrupted)

    def pytest_unconfigure():
        patch.undo()
"""


def test_ctrl_c_while_things_are_removed(inner: Inner) -> None:
    inner.pytester.makeconftest(INTERRUPTED)
    told = report(inner, "def test_one(dockconn_client): pass")

    assert told["exit_status"] == 2
    assert told["notes"][0].startswith("what may be left is removed by ")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_writes_none(inner: Inner) -> None:
    inner.write("""
        import os

        def test_one(dockconn_engine, pytestconfig):
            child = os.fork()
            if not child:
                pytestconfig.hook.pytest_unconfigure(config=pytestconfig)
                os._exit(os.path.exists("out.json"))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """)
    inner.process("--dockconn", inner.engine(), "-p", "no:xdist", "-W", "ignore", "--dockconn-report=out.json")

    assert read(inner)["tests"]["passed"] == 1


# pytest-xdist


WRITERS = """
    import os
    from pytest_dockconn import reportfiles

    real = reportfiles.write

    def write(path, text):
        with open("writers.txt", "a") as file:
            file.write(os.environ.get("PYTEST_XDIST_WORKER", "controller") + " ")
        real(path, text)

    def check(paths):
        assert not os.environ.get("PYTEST_XDIST_WORKER"), "it may be on a machine where nothing of this is"

    reportfiles.write, reportfiles.check = write, check
"""


def test_workers_come_together(inner: Inner) -> None:
    inner.pytester.makeconftest(WRITERS)
    inner.images = str(inner.pytester.path / "images.pickle")
    inner.pytester.makeini("[pytest]\ndockconn_report = other.md\n")
    inner.write(SOURCE)
    args = ("-n", "2", "--dockconn", inner.engine("podman", "4.3.1"))
    result = inner.process(*args, "--dockconn-report=out.json", "--dockconn-report=out.html")

    assert len([line for line in result.outlines if line.startswith("dockconn: report: ")]) == 2
    assert (inner.pytester.path / "writers.txt").read_text().split() == ["controller", "controller"]
    told = read(inner)
    assert told["tests"] == {"passed": 1, "failed": 1, "errors": 1, "skipped": 1, "xfailed": 0, "xpassed": 0}
    failed = next(one for one in told["failures"] if one["error"] == "ReachabilityError")
    assert failed["message"].startswith("client1 cannot reach port 81/tcp of server1")
    assert failed["remedy"]
    assert {"dockconn: client1", "dockconn: server1"} <= {section["title"] for section in failed["sections"]}
    assert told["skipped"][0]["lacks"] == ["links"]
    assert sorted(one["test"] for one in told["questions"]) == [
        "test_inner.py::test_fails",
        "test_inner.py::test_passes",
    ]
    assert told["exit_status"] == 1
    assert told["engine"]["kind"] == "podman"
    assert not (inner.pytester.path / "other.md").exists()


def test_workers_and_the_ini_file(inner: Inner) -> None:
    inner.pytester.makeini("[pytest]\ndockconn_report = out.json\n")
    inner.write("def test_one(dockconn_engine): raise AssertionError('\\x1b[31m')")
    inner.process("-n", "1", "--dockconn", inner.engine())

    (failure,) = read(inner)["failures"]
    assert failure["message"] == "AssertionError: \\x1b[31m"


def test_a_worker_that_dies(inner: Inner) -> None:
    inner.write("import os\n\ndef test_one(dockconn_engine): os._exit(3)")
    result = inner.process("-n", "1", "--dockconn", inner.engine(), "--dockconn-report=out.json")

    assert "INTERNALERROR" not in result.stdout.str()
    assert any("crashed while running" in note for note in read(inner)["notes"])


# What others write


def test_hostile_text(inner: Inner) -> None:
    evil = "</pre><script>alert(1)</script>|`@team ![](http://evil/x)\\n# big\\x1b[31m\\u202e\\udcff"
    names = ("out.json", "out.md", "out.html")
    inner.run(
        f"""
        import pytest
        from tests.fakes.plugin import latest

        EVIL = "{evil}"

        @pytest.mark.parametrize("x", [0], ids=["<script>|`x"])
        def test_one(dockconn, x):
            server = dockconn.server()
            latest()._container(server.id).log[:] = [EVIL + "\\n"]
            pytest.fail(EVIL)

        def test_two(dockconn):
            pytest.skip(EVIL)

        def test_three(dockconn):
            pytest.exit("\\x1b[31m<script>")
        """,
        *(f"--dockconn-report={name}" for name in names),
    )
    told, markdown, html = ((inner.pytester.path / name).read_text(encoding="utf-8") for name in names)
    for text in (told, markdown, html):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script" not in html
    assert html.count("</pre>") == html.count("<pre>")
    outside = "".join(markdown.split("```")[::2])
    assert "<script" not in outside
    assert "![" not in outside
    assert "@" not in outside
    assert json.loads(told)["tests"]["skipped"] == 1


def test_no_secret_gets_in(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:pr0xy-pa55@proxy:3128")
    monkeypatch.setenv("DOCKER_HOST", "tcp://me:d0cker-pa55@box:2375")
    monkeypatch.setenv("DB_PASSWORD", "db-pa55w0rd")
    monkeypatch.setenv("MY_API_TOKEN", "t0ken-of-mine")
    names = ("out.json", "out.md", "out.html")
    engine = inner.engine().replace("fake://docker", "fake://me:eng1ne-pa55@docker")
    result = inner.run(
        """
        import os
        from tests.fakes.plugin import latest
        from pytest_dockconn import assert_reachable

        NAMES = ("HTTP_PROXY", "DOCKER_HOST", "DB_PASSWORD", "MY_API_TOKEN")

        def test_one(dockconn):
            server = dockconn.server()
            latest()._container(server.id).log[:] = [f"{name}={os.environ[name]}\\n" for name in NAMES]
            assert_reachable(dockconn.client(), server.port(81), within=0)

        def test_two(dockconn):
            latest()
            raise RuntimeError(f"{os.environ['HTTP_PROXY']} " + os.environ["DB_PASSWORD"] + "\\n" + "eng1ne-pa55")
        """,
        *(f"--dockconn-report={name}" for name in names),
        engine=engine,
    )
    result.assert_outcomes(failed=2)
    for name in names:
        text = (inner.pytester.path / name).read_text(encoding="utf-8")
        assert "DB" in text
        for secret in ("pa55", "t0ken-of-mine", "//me"):
            assert secret not in text, (name, secret)
    assert read(inner)["engine"]["url"] == "fake://***@docker"

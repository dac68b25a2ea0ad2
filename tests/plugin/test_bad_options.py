"""Options that are wrong: they end the run before its first test, or the first test that needs them, with one message."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_dockconn.logic.given import shown
from tests.plugin.conftest import Inner, one_message

MMDEBSTRAP = """#!/bin/sh
echo "E: http://deb.example/debian/dists/$2/Release: does not have a Release file"
echo "E: mmdebstrap failed to run"
exit 1
"""


def option(inner: Inner, *args: str) -> pytest.RunResult:
    """A session with an option that is wrong."""
    return inner.run("def test_one(dockconn_client_image): raise AssertionError", *args)


def tar_of_nothing(path: Path) -> Path:
    path.write_bytes(b"this is no tar at all" * 100)
    return path


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("none.tar", "no such file"), ("./none", "no such file"), ("./", "no such file"), ("text.tar", "is not a tar"),
        ("empty.tar", "is not a tar"), ("cut.tar.gz", "is not a tar"), ("bootstrap:", "'' is not the name of a suite"),
        ("bootstrap:No Such", "'No Such' is not the name of a suite"), ("bootstrap:../x", "is not the name of a suite"),
        ("Ubuntu 24", "it is neither an image's name nor a path"), ("~nosuchuser/x.tar", "home directory"),
        ("/" + "x" * 300 + ".tar", "File name too long"),
    ],
)  # fmt: skip
def test_a_base_that_can_not_be(inner: Inner, base: str, words: str) -> None:
    tar_of_nothing(inner.pytester.path / "text.tar")
    (inner.pytester.path / "empty.tar").touch()
    (inner.pytester.path / "cut.tar.gz").write_bytes(b"\x1f\x8b\x08\x00")

    one_message(option(inner, f"--dockconn-base={base}"), "--dockconn-base", words)
    assert inner.said("built") == inner.said("made") == []


@pytest.mark.parametrize("name", ["", "two words", "a/../b", "\udcff"])
@pytest.mark.parametrize("role", ["client", "server"])
def test_what_is_no_image(inner: Inner, role: str, name: str) -> None:
    one_message(
        option(inner, f"--dockconn-{role}-image={name}"), f"--dockconn-{role}-image={shown(name)}", "is not the name of"
    )
    assert inner.said("built") == inner.said("made") == []


@pytest.mark.parametrize("arguments", [
    ["--dockconn-base=no-such:image"], ["--dockconn-client-image=no-such:image"],
    ["--dockconn-base=bootstrap:nosuchsuite"],
], ids=str)  # fmt: skip
def test_what_only_the_engine_or_the_archive_knows(
    inner: Inner, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Found out with the first test that wants an image."""
    tool = inner.pytester.mkdir("bin") / "mmdebstrap"
    tool.write_text(MMDEBSTRAP, encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    result = option(inner, *arguments)

    result.assert_outcomes(errors=1)
    value = arguments[0].partition("=")[2]
    text = result.stdout.str()
    assert value in text.partition("ERROR test_inner.py::test_one - ")[2]
    assert "SpecError" in text
    assert "  checked: " in text
    assert "  remedy: " in text
    assert "Traceback" not in text
    assert "pytest_dockconn/" not in text
    assert inner.said("built") == inner.said("made") == []

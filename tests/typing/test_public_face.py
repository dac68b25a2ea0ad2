"""A type checker understands the public face as ``docs/`` tells it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACE = Path(__file__).with_name("public.py")


def mypy(file: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """As strict as the project's own configuration, and with words for an ignore that is not needed."""
    options = ["--strict", "--warn-unused-ignores", "--no-error-summary", f"--cache-dir={cache}"]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(file)], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def cache(request: pytest.FixtureRequest) -> Path:
    """Kept between runs, apart from the cache of who runs mypy by hand at the same time."""
    return ROOT / ".mypy_cache" / "public"


def test_the_public_face(cache: Path) -> None:
    done = mypy(FACE, cache)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_test_above_can_fail(cache: Path, tmp_path: Path) -> None:
    """A result of another type, and an error that is none."""
    wrong = tmp_path / "wrong.py"
    text = FACE.read_text(encoding="utf-8")
    text = text.replace("assert_type(answer.text, str)", "assert_type(answer.text, bytes)")
    wrong.write_text(text.replace("assert_type(web.ip, str)", "web.ip  # type: ignore[attr-defined]"), encoding="utf-8")
    done = mypy(wrong, cache)
    assert done.returncode == 1
    assert [line.rpartition("[")[2] for line in done.stdout.splitlines()] == ["assert-type]", "unused-ignore]"]


def test_the_marker_for_type_checkers_is_there() -> None:
    assert (ROOT / "src/pytest_dockconn/py.typed").exists()

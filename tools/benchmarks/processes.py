"""Other Python processes: what pytest takes from its start to its exit, with the plugins that are wanted and no others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's variables; only plugins that are named are loaded, so that no peer pays for another."""
    return {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        "TESTCONTAINERS_RYUK_DISABLED": "true",
        **extra,
    }


def run(
    arguments: Sequence[str], folder: Path, extra: Mapping[str, str], codes: Sequence[int] = (0,)
) -> tuple[float, str]:
    """Run this Python with arguments; the seconds from start to exit, and the output. Raises where it failed."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment(extra), capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - begun
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return took, done.stdout


def pytest(
    arguments: Sequence[str], folder: Path, extra: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)
) -> tuple[float, str]:
    """Run pytest in a folder without any configuration of this project."""
    base = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
    return run([*base, *arguments], folder, extra or {}, codes)

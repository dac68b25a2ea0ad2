"""Other Python processes: what pytest takes from its start to its exit, with the plugins that are wanted and no others."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


def environment(folder: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """This process's variables; only plugins that are named are loaded, so that no peer pays for another.

    An installer compiles what it installs, but nobody compiles an editable checkout where PYTHONDONTWRITEBYTECODE is set:
    so all that is imported, the peers' modules too, is compiled in the first round, which does not count.
    """
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPYCACHEPREFIX": str(folder.parent / "compiled"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        "TESTCONTAINERS_RYUK_DISABLED": "true",
        **extra,
    }


@dataclass(frozen=True, slots=True)
class Done:
    """A process that has ended.

    Attributes:
        seconds: from its start to its exit.
        cpu: seconds that it computed, itself and what it started: what others do on the machine hardly shows here.
        pid: that it had.
        output: what it wrote.
    """

    seconds: float
    cpu: float
    pid: int
    output: str


def run(arguments: Sequence[str], folder: Path, extra: Mapping[str, str], code: int = 0) -> Done:
    """Run this Python with arguments. Raises ``RuntimeError`` where it ends with another exit code."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(folder, extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        process.wait()
        took = time.perf_counter() - begun
    if process.returncode != code:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Done(took, cpu, process.pid, output)


def pytest(arguments: Sequence[str], folder: Path, extra: Mapping[str, str] | None = None, code: int = 0) -> Done:
    """Run pytest in a folder without any configuration of this project."""
    base = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
    return run([*base, *arguments], folder, extra or {}, code)

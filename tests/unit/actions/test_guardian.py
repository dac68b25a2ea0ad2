"""The helper's process ends when its work is over."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from pytest_dockconn.actions.guardian import CODE


def test_it_does_not_wait_for_threads_that_an_engine_keeps_waiting(tmp_path: Path) -> None:
    """Those of a pool are joined when Python ends, however long that takes."""
    (tmp_path / "helper.py").write_text(
        textwrap.dedent("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def main():
                ThreadPoolExecutor().submit(threading.Event().wait)
                return 3
        """)
    )

    done = subprocess.run([sys.executable, "-c", CODE, str(tmp_path), "helper"], timeout=30, check=False)

    assert done.returncode == 3

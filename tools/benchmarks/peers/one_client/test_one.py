"""One container, and the moment when the test that wants it begins."""

import os
import time
from pathlib import Path


def test_begins(dockconn_client) -> None:
    assert dockconn_client
    Path(os.environ["BENCH_BEGUN"]).write_text(str(time.monotonic()))

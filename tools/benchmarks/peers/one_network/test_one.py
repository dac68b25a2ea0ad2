"""One network, which an engine makes in an even time, and the moment when it is there."""

import os
import time
from pathlib import Path


def test_begins(dockconn) -> None:
    assert dockconn.network()
    Path(os.environ["BENCH_BEGUN"]).write_text(str(time.monotonic()))

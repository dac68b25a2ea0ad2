"""Whether an engine is on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dockconn.actions import place

SERVE = (
    "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen();"
    " print('listens', flush=True); sys.stdin.read()"
)


def test_the_process_at_the_other_end(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
        sock.listen()
        assert place._server_of(f"unix://{tmp_path}/s") == os.getpid()
        assert not place.elsewhere(f"unix://{tmp_path}/s")


@pytest.mark.parametrize("url", ["unix:///no/such/socket", "tcp://127.0.0.1:2375", "ssh://me@box"])
def test_nobody_to_look_at_says_nothing(url: str) -> None:
    assert place._server_of(url) == 0
    assert not place.elsewhere(url)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, for a network of its own")
def test_a_process_in_another_network(tmp_path: Path) -> None:
    command = ["unshare", "--net", sys.executable, "-c", SERVE, str(tmp_path / "s")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "listens\n"
        assert place.elsewhere(f"unix://{tmp_path}/s")
        server.communicate("")

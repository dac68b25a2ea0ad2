"""An engine with daemon options that the ordinary one does not have: a private one, in a network namespace of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docker

from pytest_dockconn import Image
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine.find import find
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.session import Session

TOOL = Path(__file__).parents[2] / "tools" / "engine"

#: All of them at once, as no two are about the same thing. Before 27 IPv6 rules are an experiment, and asked for.
#: The addresses (RFC 2544) are none that the ordinary engine gives out: the plugin tells by a bridge's address, which
#: this process's namespace either has or has not, whether containers hang on bridges of its own.
OPTIONS = (
    "--icc=false",
    "--userland-proxy=false",
    "--ipv6",
    "--fixed-cidr-v6=fd00:d0c::/64",
    "--experimental",
    "--ip6tables",
    "--bip=198.19.77.1/24",
    "--default-address-pool=base=198.18.0.0/16,size=24",
)


def why_not() -> str:
    """Why no private engine can be started here; empty if one can."""
    if sys.platform != "linux":
        return "a private engine needs Linux"
    if os.geteuid():
        return "a private engine needs root"
    missing = [program for program in ("dockerd", "nsenter", "unshare") if not _which(program)]
    return f"a private engine needs {', '.join(missing)}" if missing else ""


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


@contextlib.contextmanager
def engine(options: Sequence[str] = OPTIONS, name: str = "") -> Iterator[str]:
    """A private engine, by its URL; it ends, and all that it held goes, however the tests went."""
    name = name or f"conformance-{os.getpid()}"  # two runs at once, and the workers of one, have an engine each
    try:
        started = subprocess.run(
            [TOOL, "private", "up", name, "--", *options], stdout=subprocess.PIPE, text=True, check=True
        )
        yield started.stdout.strip()
    finally:
        subprocess.run([TOOL, "private", "down", name], check=True, stderr=subprocess.DEVNULL)


def copy(source: Any, target_url: str, images: Sequence[Image]) -> None:
    """Copy images from one engine to another, each layer once: ``docker save A B | docker load``."""
    with contextlib.closing(docker.APIClient(base_url=target_url, version="auto", timeout=300)) as target:
        # get_image of docker-py takes a single one, and layers that two share would go twice
        answer = source._get(source._url("/images/get"), params={"names": [i.tag for i in images]}, stream=True)
        said = list(target.load_image(source._stream_raw_result(answer, 1 << 20, decode=False)))
    assert not [line for line in said if "error" in line], said


@contextlib.contextmanager
def session(source: Any, client: Image, server: Image) -> Iterator[Session]:
    """A session on a private engine that has the two images of the run."""
    with engine() as url:
        copy(source, url, [client, server])
        opened = Session(Services(find(url), Settings(client_image=client.tag, server_image=server.tag), print))
        try:
            yield opened
        finally:
            opened.start_closing()
            assert opened.close() == []

"""What ``--dockconn-base`` names."""

from __future__ import annotations

import pytest
from tests.samples import refused

from pytest_dockconn.logic.bases import DEFAULT_IMAGE, Base, parse


@pytest.mark.parametrize(
    ("text", "kind", "source"),
    [
        ("auto", "auto", DEFAULT_IMAGE),
        ("ubuntu:24.04", "image", "ubuntu:24.04"),
        ("debian", "image", "debian"),
        ("registry.example:5000/team/base:v1.2", "image", "registry.example:5000/team/base:v1.2"),
        ("REG.example:5000/ubuntu:24.04", "image", "REG.example:5000/ubuntu:24.04"),
        ("Reg.Example/team/base", "image", "Reg.Example/team/base"),
        ("[FD00::2]:5000/ubuntu", "image", "[FD00::2]:5000/ubuntu"),
        ("registry.example/root.tarball", "image", "registry.example/root.tarball"),
        ("debian@sha256:" + "a" * 64, "image", "debian@sha256:" + "a" * 64),
        ("bootstrap:bookworm", "bootstrap", "bookworm"),
        ("bootstrap:oracular-updates", "bootstrap", "oracular-updates"),
        ("/srv/root.tar", "tar", "/srv/root.tar"),
        ("./root", "tar", "./root"),
        ("../root.tar.gz", "tar", "../root.tar.gz"),
        ("~/root.tar", "tar", "~/root.tar"),
        ("root.tar.xz", "tar", "root.tar.xz"),
        ("root.tgz", "tar", "root.tgz"),
        ("root.tar.zst", "tar", "root.tar.zst"),
        ("rootfs.tar.bz2", "tar", "rootfs.tar.bz2"),
        *((f"root.{packed}", "tar", f"root.{packed}") for packed in ("tbz2", "tbz", "txz", "tzst")),
    ],
)
def test_a_base(text: str, kind: str, source: str) -> None:
    assert parse(text) == Base(kind, source)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "neither"),
        ("ubuntu 24.04", "neither"),
        ("Ubuntu:24.04", "neither"),
        ("REG.example:5000/Ubuntu:24.04", "neither"),
        ("REG.example:port/ubuntu", "neither"),
        ("REG.example:5000/", "neither"),
        ("ubuntu:", "neither"),
        ("ubuntu:24.04\n", "neither"),
        ("debian@sha256:abc", "neither"),
        ("bootstrap:", "not the name of a suite"),
        ("bootstrap:Bookworm", "not the name of a suite"),
        ("bootstrap:a/b", "not the name of a suite"),
        ("bootstrap:-x", "not the name of a suite"),
    ],
    ids=repr,
)
def test_no_base(text: str, words: str) -> None:
    with refused("--dockconn-base", words):
        parse(text)

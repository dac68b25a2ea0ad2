"""What ``--dockconn-base`` names. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from ..errors import SpecError
from .given import shown

AUTO = "auto"
#: What ``auto`` looks for before it bootstraps.
DEFAULT_IMAGE = "ubuntu:24.04"

_SUITE = re.compile(r"[a-z][a-z0-9.-]*")
#: What comes before the first slash may be a registry's host, and there alone docker takes capitals.
_REGISTRY = r"(?:\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+)(?::[0-9]+)?"
_IMAGE = re.compile(rf"({_REGISTRY}/)?[a-z0-9.:/_-]*[a-z0-9]+(:[\w][\w.-]{{0,127}})?(@sha256:[0-9a-f]{{64}})?")
#: What a packed tar is called: plain, and as each that ``docker import`` unpacks.
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tzst")


class Base(Struct, frozen=True):
    """A base: ``kind`` is ``auto``, ``image``, ``bootstrap`` or ``tar``; ``source`` the image, suite or path."""

    kind: str
    source: str


def parse(text: str) -> Base:
    """The base that the option names. Raises ``SpecError``."""
    if text == AUTO:
        return Base("auto", DEFAULT_IMAGE)
    if text.startswith("bootstrap:"):
        suite = text.partition(":")[2]
        if not _SUITE.fullmatch(suite):
            raise _bad(text, f"{shown(suite)} is not the name of a suite")
        return Base("bootstrap", suite)
    if text.startswith(("/", "./", "../", "~")) or text.endswith(_TARS):
        return Base("tar", text)
    if _IMAGE.fullmatch(text):
        return Base("image", text)
    raise _bad(text, "it is neither an image's name nor a path")


def _bad(text: str, why: str) -> SpecError:
    return SpecError(
        f"--dockconn-base {shown(text)}: {why}",
        checked="auto, an image such as ubuntu:24.04, bootstrap:SUITE, or the path of a root file system's tar",
        remedy="write one of these",
    )

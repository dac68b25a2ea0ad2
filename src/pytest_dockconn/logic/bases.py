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
_IMAGE = re.compile(r"[a-z0-9.:/_-]*[a-z0-9]+(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?")


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
    if text.startswith(("/", "./", "../", "~")) or text.endswith((".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst")):
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

"""Which images are ours? An image inherits the labels of the one that it is made of, so a label alone proves nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .. import labels


def is_named(tag: str, name: str) -> bool:
    """Whether a tag is this name; podman puts ``localhost/`` before one that names no registry."""
    return tag in (name, f"localhost/{name}")


def built_tag(tags: tuple[str, ...], marks: Mapping[str, str]) -> str:
    """The tag under which the plugin built an image; empty where it did not: others are made of ours, and tagged alike."""
    name = marks.get(labels.NAME, "")
    if not marks.get(labels.ROLE, "").endswith("-image") or not name.startswith(labels.PREFIX):
        return ""
    return next((tag for tag in tags if is_named(tag, name)), "")

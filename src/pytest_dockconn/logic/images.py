"""Which images are ours? An image inherits the labels of the one that it is made of, so a label alone proves nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .. import labels
from ..model.facts import ImageFacts


def is_named(tag: str, name: str) -> bool:
    """Whether a tag is this name; podman puts ``localhost/`` before one that names no registry."""
    return tag in (name, f"localhost/{name}")


def built_tag(tags: tuple[str, ...], marks: Mapping[str, str]) -> str:
    """The tag under which the plugin built an image; empty where it did not: others are made of ours, and tagged alike."""
    name = marks.get(labels.NAME, "")
    if not marks.get(labels.ROLE, "").endswith("-image") or not name.startswith(labels.PREFIX):
        return ""
    return next((tag for tag in tags if is_named(tag, name)), "")


def is_commit(image: ImageFacts) -> bool:
    """Whether an image is itself what a run committed, and not made of that: unlike labels, a comment is not inherited."""
    marks = image.labels
    return marks.get(labels.ROLE) == "commit" and image.comment == labels.committed_by(marks)


def committed_as(image: ImageFacts, name: str) -> str:
    """The run that committed an image under this name; empty where none did."""
    return image.labels.get(labels.RUN, "") if is_commit(image) and image.labels.get(labels.NAME) == name else ""

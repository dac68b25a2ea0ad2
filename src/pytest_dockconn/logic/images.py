"""Which images are ours? An image inherits the labels of the one that it is made of, so a label alone proves nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .. import labels
from ..model.facts import ImageFacts

#: ``---> 1a2b3c4d5e6f`` is docker's; podman has a stroke and a digit less.
_STEP = re.compile(r"--?-> ([0-9a-f]{11,64})")
_LAST = re.compile(rf'LABEL .*\b{re.escape(labels.BUILD)}"?="?{labels.FINISHED}\b')


def is_named(tag: str, name: str) -> bool:
    """Whether a tag is this name; podman names a registry where nobody does, as its settings are its own or docker's."""
    return tag in (name, f"localhost/{name}", f"docker.io/library/{name}")


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


def is_step(made_by: str) -> bool:
    """Whether an image or a container is a step of a build of ours, by what the engine says that it runs, or was made by."""
    return labels.RUN in made_by


def is_last_step(made_by: str) -> bool:
    """Whether an image is itself what a build of ours came to, and not made of that: by what the engine says it was made by."""
    return _LAST.search(made_by) is not None


def is_import(image: ImageFacts) -> bool:
    """Whether an image is itself a base that a run made."""
    return image.labels.get(labels.ROLE) == "base-image" and image.comment == labels.committed_by(image.labels)


def made_by_step(line: str) -> str:
    """The id of the image that a step of a build has come to, in a line of the engine's output; empty if it speaks of none."""
    found = _STEP.fullmatch(line.strip())
    return found.group(1) if found else ""

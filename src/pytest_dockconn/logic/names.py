"""Names that Docker takes, and the ones that we give."""

from __future__ import annotations

import re

from ..errors import SpecError
from ..labels import PREFIX

#: moby's daemon/names: what a container's or network's name may be.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
#: RFC 1123, as the engine holds hostnames and link aliases to.
_HOST = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?")

#: What the grammar of distribution/reference can come to; the engine looks closer.
_IMAGE = re.compile(r"(\[[0-9a-fA-F:.]+\](:[0-9]+)?/)?[a-zA-Z0-9][a-zA-Z0-9._/:@-]*")


def checked(name: object, what: str = "name") -> str:
    """A name of a container or network. Raises ``SpecError`` for one that Docker would refuse."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise SpecError(
        f"{name!r} is not a {what} that Docker takes",
        checked="two or more of a-z, A-Z, 0-9, '_', '.', '-'; the first a letter or digit",
        remedy="choose another, such as 'server1'",
    )


def hostname(name: object, what: str = "alias") -> str:
    """A name that can stand in /etc/hosts or in DNS. Raises ``SpecError``."""
    if isinstance(name, str) and len(name) <= 253 and _HOST.fullmatch(name):
        return name
    raise SpecError(
        f"{name!r} is not an {what} that can be a host's name" if what[0] in "aeiou" else f"{name!r} is not a {what}",
        checked="letters, digits, '-', '_' and '.', 253 at the most",
        remedy="choose another, such as 'server1'",
    )


def image(name: object) -> str:
    """A reference to an image, or its id. Raises ``SpecError`` for what no engine takes for one."""
    if isinstance(name, str) and len(name) <= 512 and _IMAGE.fullmatch(name):
        return name
    raise SpecError(
        f"image={name!r} is not the name of an image",
        checked="letters, digits, and . _ - / : @",
        remedy='write image="nginx:1.27", or pass what container.commit() returned',
    )


def on_engine(run: str, lab: str, name: str) -> str:
    """What the engine calls it: the run's id and the lab's number keep two runs, and two tests, apart."""
    return f"{PREFIX}{run}-{lab}-{name}" if lab else f"{PREFIX}{run}-{name}"


def is_of_run(name: str, run: str) -> bool:
    """Whether a run has made what the engine calls so."""
    return name.startswith(f"{PREFIX}{run}-")

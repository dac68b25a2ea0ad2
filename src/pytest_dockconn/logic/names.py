"""Names that Docker takes, and the ones that we give."""

from __future__ import annotations

import re

from ..errors import SpecError
from ..labels import PREFIX
from .given import shown

#: moby's daemon/names: what a container's or network's name may be. It wants two letters; ours has them by its prefix.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
#: The same, an id or the beginning of one; podman's names may have one letter.
_REFERENCE = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]{0,511}")
_NETWORK = re.compile(r"(?!\.{1,2}$)[^/\x00-\x1f\x7f\ud800-\udfff]{1,255}")
#: RFC 1123, as the engine holds hostnames and link aliases to.
_HOST = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?")

#: Of the name that a Linux kernel takes for its own.
OWN_HOST = 64
#: What the grammar of distribution/reference can come to; the engine looks closer.
_PART = "[a-zA-Z0-9][a-zA-Z0-9._:@-]*"
_IMAGE = re.compile(rf"(\[[0-9a-fA-F:.]+\](:[0-9]+)?/)?{_PART}(/{_PART})*")


def checked(name: object, what: str = "name") -> str:
    """A name of a container or network. Raises ``SpecError`` for one that Docker would refuse."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise SpecError(
        f"{shown(name)} is not a {what} that Docker takes",
        checked="a-z, A-Z, 0-9, '_', '.' and '-' are taken; the first is a letter or digit",
        remedy="choose another, such as 'server1'",
    )


def hostname(name: object, what: str = "alias", most: int = 253) -> str:
    """A name that can stand in /etc/hosts or in DNS. Raises ``SpecError``."""
    if isinstance(name, str) and len(name) <= most and _HOST.fullmatch(name):
        return name
    raise SpecError(
        f"{shown(name)} is not " + (f"an {what} that can be a host's name" if what[0] in "aeiou" else f"a {what}"),
        checked=f"letters, digits, '-', '_' and '.', {most} at the most",
        remedy="choose another, such as 'server1'",
    )


#: As docker's own grammar has it (distribution/reference), without digests, which nobody can give.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:))(?::[0-9]{1,5})?"
_NEW_IMAGE = re.compile(
    rf"(?P<repository>(?:{_REGISTRY}/)?{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<version>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
)


def reference(name: object) -> str:
    """What may be a container's name or id; empty for what no engine takes for one."""
    return name if isinstance(name, str) and _REFERENCE.fullmatch(name) else ""


def network_reference(name: object) -> str:
    """What may be a network's name or id; empty for what can't be asked for. Docker itself takes nearly any name."""
    return name if isinstance(name, str) and _NETWORK.fullmatch(name) else ""


def image(name: object, what: str = "image") -> str:
    """A reference to an image, or its id. Raises ``SpecError`` for what no engine takes for one."""
    if isinstance(name, str) and len(name) <= 512 and _IMAGE.fullmatch(name):
        return name
    raise SpecError(
        f"{what}={shown(name)} is not the name of an image",
        checked="letters, digits, and . _ - / : @; each part begins with a letter or digit",
        remedy="write one such as nginx:1.27; server() and client() also take what container.commit() returned",
    )


def new_image(tag: object) -> tuple[str, str]:
    """The repository and the version of a tag that is to be given. Raises ``SpecError``."""
    found = _NEW_IMAGE.fullmatch(tag) if isinstance(tag, str) else None
    if found is None or len(found["repository"]) > 255:
        raise SpecError(
            f"{shown(tag)} is not an image's name",
            checked="lower case letters, digits, and single . _ or - between them, parts with /; then : and a version",
            remedy="write client_img or client_img:1",
        )
    return found["repository"], found["version"] or "latest"


def on_engine(run: str, lab: str, name: str) -> str:
    """What the engine calls it: the run's id and the lab's number keep two runs, and two tests, apart."""
    return f"{PREFIX}{run}-{lab}-{name}" if lab else f"{PREFIX}{run}-{name}"


def is_of_run(name: str, run: str) -> bool:
    """Whether a run has made what the engine calls so."""
    return name.startswith(f"{PREFIX}{run}-")

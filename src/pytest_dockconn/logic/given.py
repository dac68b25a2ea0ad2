"""What a caller gave, whatever it is: how messages show it, and what several arguments have in common. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import SpecError
from ..text import printable

#: Characters of a value in a message.
SHOWN = 200


def shown(value: object, most: int = SHOWN) -> str:
    """A value as Python writes it, on one line and not too long; its type where Python can't write it.

    Python refuses to write a number of more than 4300 digits, and an object's own ``__repr__`` may do anything.
    """
    try:
        text = repr(value)
    except Exception:  # whatever it is, the message is about something else
        text = f"<{type(value).__name__}>"
    return printable(text, most).replace("\n", " ").replace("\t", " ")


def kind(value: object) -> str:
    """What somebody wrote, by its type, for the line of what was checked."""
    return f"it is a {type(value).__name__}"


def listed(value: object, what: str, of: str, remedy: str) -> list[Any]:
    """Several things. Raises ``SpecError`` for what is no list.

    Text is none: its letters are not what was meant. Nor is a mapping, whose values would be dropped in silence.
    """
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        raise SpecError(f"{what}={shown(value)}: a list of {of} is wanted", checked=kind(value), remedy=remedy)
    return list(value)


def flag(value: object, what: str) -> bool:
    """True or False. Raises ``SpecError`` for all else: "no" would be true."""
    if not isinstance(value, bool):
        raise SpecError(f"{what}={shown(value)}: a bool is wanted", checked=kind(value), remedy="write True or False")
    return value


def text(value: object, what: str, remedy: str) -> str:
    """A word or more that can stand in a message. Raises ``SpecError``."""
    if isinstance(value, str) and value.strip() and len(value) <= SHOWN and printable(value) == " ".join(value.split()):
        return value
    raise SpecError(
        f"{what}={shown(value)} is no name",
        checked=f"a name is text on one line, of {SHOWN} characters at the most, without control characters",
        remedy=remedy,
    )


def written(value: object) -> str | None:
    """Text, or a number as text, as the engine takes it; None for all else, and for what has a NUL in it."""
    if not isinstance(value, (str, int, float)):
        return None
    try:
        found = str(value)
    except ValueError:  # a number of more than 4300 digits
        return None
    return None if "\0" in found else found


def ip(value: object) -> str:
    """An IP address as it is usually written; empty for what is none.

    One with a zone is none: Python takes anything behind the ``%``, and an interface's name means something on one machine only.
    """
    if not isinstance(value, (str, ipaddress.IPv4Address, ipaddress.IPv6Address)) or "%" in str(value):
        return ""
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        return ""

"""What of the environment must not get into a file that is passed around. Pure.

A URL's credentials are hidden wherever they stand (``text``). This is about the bare word: an assertion of the user's own that
shows a variable, a container that says its password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from ..text import HIDDEN

#: Characters of a secret at the least: to hide every "test" or "root" would leave little to be read.
SHORTEST = 6
#: Of the user of a URL without a password at the least: such a one may be a token, shorter ones are names.
SHORTEST_USER = 16
_NAME = re.compile(r"pass(word|wd|phrase)?$|secret|token|(api|access|private|signing)_?key|credential", re.IGNORECASE)


def secrets(environment: Mapping[str, str], urls: Iterable[str] = ()) -> tuple[str, ...]:
    """Values of variables that are called a secret, and the passwords of all URLs; the longest first."""
    found = {value for name, value in environment.items() if _NAME.search(name)}
    for text in (*environment.values(), *urls):
        found |= {part for word in text.split() for part in _passwords(word)}
    return tuple(sorted({one for one in found if len(one) >= SHORTEST}, key=lambda one: (-len(one), one)))


def _passwords(word: str) -> set[str]:
    """What a word of a text tells as a URL: all between the last scheme and the last @, as a password may have any other in it."""
    before, at, _ = word.rpartition("@")
    _, scheme, user = before.rpartition("://")
    if not (at and scheme) or user.startswith("/"):  # of a unix:// URL it is the path
        return set()
    name, told, password = user.partition(":")
    secret = password if told else name if len(name) >= SHORTEST_USER else ""
    return {secret, unquote(secret)}


def hidden(text: str, secret: Iterable[str]) -> str:
    """The text without them."""
    for one in secret:
        text = text.replace(one, HIDDEN)
    return text

"""What /proc/PID/environ says. Pure."""

from __future__ import annotations

#: What runc starts itself with, a moment before it becomes the container's process.
_RUNTIMES = "_LIBCONTAINER_"


def whole(text: str) -> dict[str, str] | None:
    """The variables; None where these are not those of the program: it has not begun yet, or has written over them.

    The kernel shows the place where they were at its start, and some write their title there (nginx): what is left of them
    begins in the middle of one, and ends in nothing but NULs.
    """
    *entries, end = text.split("\0")
    pairs = [entry.partition("=") for entry in entries]
    if end or not pairs or not all(name and equals for name, equals, _ in pairs):
        return None
    found = {name: value for name, _, value in pairs}
    return None if any(name.startswith(_RUNTIMES) for name in found) else found

"""The tree of errors.

```
DockconnError                  a tool is broken or was asked for something that can't be
├── SpecError (ValueError)     a specification that can't be right; nothing was created
├── EngineError                the engine said no
│   ├── EngineUnavailable      no engine answers
│   │   └── EngineTimeout      it took the question and did not answer in time
│   ├── NotFound               no such container, network or image
│   ├── Conflict               the name is taken, or the thing is in use
│   └── LeftBehind             it said no half way, and what it had made by then is still there
├── PortInUse                  a host port is taken
├── StartFailed                a container died, or never answered
├── BuildFailed                a base or an image could not be made
├── CapabilityError            this engine, or this place, can't do that
├── NoAddress                  a destination has no address now
└── NotOurs                    refused: we did not make it
ReachabilityError (AssertionError)   an assertion that does not hold
```

A message is cause + what was checked + remedy, in this order, each a sentence or a few. What others wrote is in them: the
engine, images, containers, variables of the environment. So all of it is made fit to be shown here, where every error begins.
"""

from __future__ import annotations

from collections.abc import Sequence

from .text import block, one_line, printable

#: Characters of one part of an error's message at the most, and of that of a failed assertion: its table may be large.
LONGEST, LONGEST_FAILURE = 40_000, 1_000_000


class DockconnError(Exception):
    """A tool that the plugin needs is broken, or was asked for something that can't be.

    Args:
        cause: what is wrong, in one line.
        checked: what was looked at to know it.
        remedy: what to do about it.
    """

    def __init__(self, cause: str, *, checked: str = "", remedy: str = "") -> None:
        self.cause = block(cause, LONGEST)
        self.checked = block(checked, LONGEST)
        self.remedy = block(remedy, LONGEST)
        super().__init__(self.cause)

    def __str__(self) -> str:
        """Cause first, so that the first line is enough in a CI log."""
        lines = [self.cause]
        if self.checked:
            lines.append(f"  checked: {self.checked}")
        if self.remedy:
            lines.append(f"  remedy:  {self.remedy}")
        return "\n".join(lines)


class SpecError(DockconnError, ValueError):
    """A specification that can't be right. Nothing was created."""


class EngineError(DockconnError):
    """The engine refused."""


class EngineUnavailable(EngineError):
    """No engine answers."""


class EngineTimeout(EngineUnavailable):
    """The engine did not answer in time."""


class NotFound(EngineError):
    """The engine knows no such container, network or image."""


class Conflict(EngineError):
    """The name is taken, or the thing is in use."""


class LeftBehind(EngineError):
    """The engine refused half way, and also to take back what it had made by then."""


class PortInUse(DockconnError):
    """A host port is taken."""


class StartFailed(DockconnError):
    """A container died before it answered, or never answered."""


class BuildFailed(DockconnError):
    """A base or an image could not be made."""


class CapabilityError(DockconnError):
    """This engine, or the place that this runs in, can't do what was asked."""


class NoAddress(DockconnError):
    """A destination that has no address now: it does not run, or is on no network that was asked for."""


class NotOurs(DockconnError):
    """Refused, because the thing was not made here."""


class ReachabilityError(AssertionError):
    """An assertion about who can talk to whom that does not hold; the message says why.

    Args:
        message: who could not reach what and how, why, the evidence and the remedy.
        sections: (title, text) pairs with more about both ends, for the report of the test.
    """

    def __init__(self, message: str, sections: Sequence[tuple[str, str]] = ()) -> None:
        self.sections = tuple((one_line(title), printable(text, LONGEST_FAILURE)) for title, text in sections)
        super().__init__(printable(message, LONGEST_FAILURE))

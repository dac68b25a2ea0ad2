"""What the engine refused, by its status and words, as an error of ours. Pure."""

from __future__ import annotations

import re

from ..errors import Conflict, EngineError, EngineTimeout, EngineUnavailable, NotFound, PortInUse
from ..model.spec import Bound
from ..text import redact

#: The engine's words for a host port that is taken: another container has it; a host process has it, up to 26, in
#: 27, and in 28 and 29; a whole range is used up; podman's (rootlessport, then netavark).
_PORT_TAKEN = (
    "port is already allocated",
    "failed to bind port",
    "failed to bind host port",
    "all ports are allocated",
    "rootlessport listen",
    "cannot listen on the",
)
#: What podman's compatible API (seen on 4.3.1) answers with status 500, where docker has 404 and 409.
_PODMAN_NOT_FOUND = ("no such container", "network not found")
_PODMAN_CONFLICT = ("that name is already in use", "network already exists", "network is being used")
#: What a proxy in front of an engine says, which may do all the same what it was asked for. Docker has 503 for a host in no
#: swarm alone.
_PROXYS = (502, 503, 504)
_BEHIND = "see whether a proxy is in front of the engine, and gives it too little time; then run `dockconn prune`"
_STUCK = "see what it does there: `docker exec`, `docker top`"
_PORT = re.compile(
    r"(?:listen \w+ |bind for |port |listening on )?(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]|::):(\d+)", re.IGNORECASE
)


def port_in_words(words: str) -> tuple[str, int] | None:
    """Address and port that the engine's message speaks of; None where it speaks of none."""
    found = _PORT.search(words)
    return (found.group(1).strip("[]"), int(found.group(2))) if found else None


def refusal(status: int, words: str, doing: str) -> EngineError | PortInUse:
    """The error for an HTTP status and the engine's message."""
    cause = f"{doing}: {words.strip()}"
    lower = words.lower()
    # "address already in use" alone (403) is what moby's IPAM says of a static address
    if any(phrase in lower for phrase in _PORT_TAKEN) or ("address already in use" in lower and port_in_words(words)):
        return PortInUse(cause)
    if status == 404 or (status == 500 and any(phrase in lower for phrase in _PODMAN_NOT_FOUND)):
        return NotFound(cause)
    if status == 409 or (status == 500 and any(phrase in lower for phrase in _PODMAN_CONFLICT)):
        return Conflict(cause)
    checked = f"the engine answered with HTTP status {status}"
    if status in _PROXYS and "swarm" not in lower:
        return EngineUnavailable(cause, checked=checked, remedy=_BEHIND)
    return EngineError(cause, checked=checked)


def timed_out(url: str, doing: str, seconds: float) -> EngineTimeout:
    """The error for a call without an answer."""
    return EngineTimeout(
        f"{doing}: the engine at {redact(url)} did not answer within {seconds:g} s",
        remedy="see whether it hangs (`docker version`), restart it, then run `dockconn prune`",
    )


def too_busy(url: str, doing: str, seconds: float) -> EngineTimeout:
    """The error for a call without an answer of an engine that answers others."""
    return EngineTimeout(
        f"{doing}: the engine at {redact(url)} was busy with it for more than {seconds:g} s",
        checked="it answered other questions meanwhile (GET /_ping)",
        remedy="see its log and what else uses the machine; then run `dockconn prune`",
    )


def gone(url: str, doing: str, words: str) -> EngineUnavailable:
    """The error for a connection that broke or could not be made."""
    return EngineUnavailable(
        f"{doing}: lost the engine at {redact(url)}: {words}",
        remedy="start it again, then run `dockconn prune` to remove what it still holds of this run",
    )


def too_much(doing: str, bound: Bound) -> EngineError:
    """The error for a command that writes more than it may."""
    return EngineError(f"{doing}: it has written more than {bound.size} bytes", remedy=_STUCK)


def too_long(doing: str, bound: Bound) -> EngineError:
    """The error for a command that takes longer than it may."""
    return EngineError(f"{doing}: it has not ended within {bound.seconds:g} s", remedy=_STUCK)

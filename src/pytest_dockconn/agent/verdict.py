"""The words for how a probe ended, and how errno is read as one of them."""

from __future__ import annotations

import errno
import os
import socket

REACHABLE = "reachable"
REFUSED = "refused"
TIMED_OUT = "timed-out"
NO_ROUTE = "no-route"
NAME_NOT_FOUND = "name-not-found"
RESET = "reset"
INCONCLUSIVE = "inconclusive"

#: What an error of the network says about the way to the destination. Every errno that is not here says
#: something about the probe itself (no descriptors, no permission), so it is inconclusive.
BY_ERRNO = {
    errno.ECONNREFUSED: REFUSED,
    errno.ETIMEDOUT: TIMED_OUT,
    errno.EHOSTUNREACH: NO_ROUTE,
    errno.ENETUNREACH: NO_ROUTE,
    errno.EHOSTDOWN: NO_ROUTE,
    errno.ENETDOWN: NO_ROUTE,
    errno.EADDRNOTAVAIL: NO_ROUTE,
    errno.EAFNOSUPPORT: NO_ROUTE,
    errno.ECONNRESET: RESET,
    errno.EPIPE: RESET,
    errno.ECONNABORTED: RESET,
}


class ProbeFailed(Exception):
    """A probe that ended without an answer: the verdict, and what was seen."""

    def __init__(self, verdict: str, detail: str) -> None:
        super().__init__(detail)
        self.verdict = verdict
        self.detail = detail


def from_error(error: OSError, doing: str) -> ProbeFailed:
    """The failure that an ``OSError`` seen while ``doing`` something means."""
    if isinstance(error, socket.timeout):
        return ProbeFailed(TIMED_OUT, "no answer while {}".format(doing))
    number = error.errno or 0
    words = os.strerror(number) if number else str(error)
    name = errno.errorcode.get(number, "no errno")
    return ProbeFailed(BY_ERRNO.get(number, INCONCLUSIVE), "{} ({}) while {}".format(words.lower(), name, doing))

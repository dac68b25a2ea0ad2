"""A probe: what is asked, and what came of it."""

from __future__ import annotations

import enum

from msgspec import Struct
from msgspec.structs import force_setattr

from ..text import one_line

#: Characters of a detail at the most.
LONGEST = 2000


class Verdict(enum.Enum):
    """How a probe ended. ``INCONCLUSIVE``: it could not be made, or what came back can't be read."""

    REACHABLE = "reachable"
    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    NO_ROUTE = "no-route"
    NAME_NOT_FOUND = "name-not-found"
    RESET = "reset"
    WRONG_SERVER = "wrong-server"
    INCONCLUSIVE = "inconclusive"

    def __str__(self) -> str:
        return self.value


#: Verdicts that can prove that something can't be reached.
NEGATIVE = frozenset({Verdict.REFUSED, Verdict.TIMED_OUT, Verdict.NO_ROUTE, Verdict.NAME_NOT_FOUND, Verdict.RESET})


#: What the id of a server in the test process begins with (``host.listen()``); all other owners are containers.
LISTENER = "host-"


class Target(Struct, frozen=True):
    """Where one probe goes.

    Attributes:
        scheme: ``http``, ``https``, ``tcp``, ``udp``, ``dns`` or ``icmp``.
        host: an address or a name, as the source asks for it.
        port: the port that is asked; 0 where the scheme has none.
        path: of the URL, with the query.
        owner: the id of the container that should answer; empty where any may.
        via: how it is asked: ``address``, ``bound port``, ``name`` or ``url``.
        inner: the owner's own port behind it, where ``port`` is the host's.
        verify: of https: whether the certificate is checked.
        ca: of https: the authorities to check it against, as PEM text; empty for those of the source.
        named: of a bound port: whether the test said the address itself, by ``on`` or ``named``; nobody vouches for such a one.
        why: of a target without a host, which can't be asked: why it has none.
    """

    scheme: str
    host: str
    port: int
    path: str = "/"
    owner: str = ""
    via: str = "url"
    inner: int = 0
    verify: bool = True
    ca: str = ""
    named: bool = False
    why: str = ""

    def __str__(self) -> str:
        if not self.host:
            return "no address"
        host = f"[{self.host}]" if ":" in self.host else self.host
        tail = self.path if self.scheme in ("http", "https") else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{host}{port}{tail}"


class Connection(Struct, frozen=True):
    """The two ends of the connection that a probe made, as its source sees them, and the way that was taken.

    ``via`` is ``address`` (the owner's own, over the bridge), ``bound port``, ``name`` or ``url``.
    """

    source: str
    source_port: int
    destination: str
    destination_port: int
    via: str = "address"


class ProbeResult(Struct, frozen=True, kw_only=True):
    """What one probe saw. True only where the destination is reachable.

    Attributes:
        verdict: how it ended.
        address: the address that was asked, after names were resolved; empty where none was found.
        elapsed: seconds, measured where the probe ran.
        status: of the HTTP answer, else None.
        text: of the answer, at most 256 KiB; untrusted.
        answered_by: the id of the container that answered; empty where that is not known.
        detail: what was seen, in words, on one line; fit to be shown, whoever had a part in it.
        target: what was asked.
        path: the ends of the connection, and with ``target.via`` the way that was taken; None where none came about.
        location: where a redirect points; empty where there is none.
        addresses: of ``dns://``: every address of the name, IPv4 first.
        attempts: how many probes it took.
    """

    verdict: Verdict
    target: Target
    address: str = ""
    elapsed: float = 0.0
    status: int | None = None
    text: str = ""
    answered_by: str = ""
    detail: str = ""
    path: Connection | None = None
    location: str = ""
    addresses: tuple[str, ...] = ()
    attempts: int = 1

    def __post_init__(self) -> None:
        # here and not where it is put together: that is in many places
        force_setattr(self, "detail", one_line(self.detail, LONGEST))

    def __bool__(self) -> bool:
        return self.verdict is Verdict.REACHABLE

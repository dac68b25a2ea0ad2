"""What a probe's answer means for the question that was asked. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from ..agent.identity import knows
from ..model.probe import Connection, ProbeResult, Target, Verdict
from .wiring import is_loopback

#: What a server of ours says of itself: a container's full id, or what stands for a listener of the host.
_CLAIM = re.compile(r"[0-9a-f]{64}|host-[0-9a-f]{16}")

#: In the detail of a connection that nobody accepted.
QUEUED = "waits in the accept queue"

#: States of a socket whose own process has closed it, while the far end (the probe) still held it open.
GIVEN_UP = frozenset({"fin-wait1", "fin-wait2", "closing", "time-wait"})

#: States of a container that has no processes: whoever answers for it is somebody else.
WITHOUT_PROCESSES = frozenset({"created", "exited", "dead", "removed"})


def result(target: Target, seen: Mapping[str, Any], tokens: Mapping[str, str], nonce: str) -> ProbeResult:
    """An agent's answer about a target, before anybody looks at the owner; one that can't be read is inconclusive.

    Args:
        target: what was asked.
        seen: what the agent says of it.
        tokens: of our own servers, by id.
        nonce: of the question: who claims to be one of them and can't prove it by this is nobody.
    """
    try:
        return _read(target, seen, tokens, nonce)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        why = f"the agent's answer can't be read: {type(error).__name__}: {error}"
        return ProbeResult(verdict=Verdict.INCONCLUSIVE, target=target, detail=why)


def _read(target: Target, seen: Mapping[str, Any], tokens: Mapping[str, str], nonce: str) -> ProbeResult:
    claimed, detail = _claim(seen), str(seen.get("detail") or "")
    lacks = _unproved(target, claimed, tokens, nonce, str(seen.get("proof") or ""))
    source, address = seen.get("source"), str(seen.get("address") or "")
    path = Connection(str(source[0]), int(source[1]), address, target.port, target.via) if source else None
    return ProbeResult(
        verdict=Verdict(seen["verdict"]),
        target=target,
        address=address,
        elapsed=float(seen.get("elapsed") or 0.0),
        status=int(seen["status"]) if seen.get("status") is not None else None,
        text=str(seen.get("text") or ""),
        answered_by="" if lacks else claimed,
        detail=f"{detail}; it claims to be {claimed[:12]}, {lacks}" if lacks else detail,
        path=path,
        location=str(seen.get("location") or ""),
        addresses=tuple(str(one) for one in seen.get("addresses") or ()),
        attempts=int(seen.get("attempts") or 1),
    )


def _claim(seen: Mapping[str, Any]) -> str:
    """The id that who answered claims to have; anybody may write anything there, and it is looked up and shown."""
    said = str(seen.get("answered_by") or "")
    return said if _CLAIM.fullmatch(said) else ""


def _unproved(target: Target, claimed: str, tokens: Mapping[str, str], nonce: str, said: str) -> str:
    """Why a claim to be somebody is not believed; empty where it is, and where nobody claims anything.

    That somebody else answered, who is none of ours, is believed without: it can only be held against the answer.
    """
    if claimed in tokens:
        return "" if knows(tokens[claimed], nonce, said) else "but does not know that server's token"
    return "which was told no token to prove it by" if claimed and claimed == target.owner else ""


def is_owners(probed: ProbeResult) -> bool:
    """Whether an answer came of which the owner has proved that it is its own; anybody's will do where there is none."""
    return bool(probed) and (not probed.target.owner or probed.answered_by == probed.target.owner)


def are_lost(results: Collection[ProbeResult]) -> bool:
    """Whether what was sent seems to have come to nobody, so that more may be sent before the time for an answer is over.

    Not where a connection was taken: who is only slow would get more questions than it can answer. Nor where a name server
    says nothing.
    """
    silent = [r for r in results if r.verdict is Verdict.TIMED_OUT]
    return bool(silent) and not any(was_taken(r) or "name resolution: " in r.detail for r in silent)


def was_taken(probed: ProbeResult) -> bool:
    """Whether a kernel, or a proxy before it, took a connection."""
    return probed.path is not None and probed.target.scheme not in ("udp", "icmp")


def said_who(probed: ProbeResult, name: str) -> ProbeResult:
    """The verdict on an answer of somebody who says that it is not the owner; ``name`` is what it is called."""
    return replace(probed, verdict=Verdict.WRONG_SERVER, detail=f"{name} answered")


def not_by(probed: ProbeResult, name: str, status: str) -> ProbeResult:
    """The verdict on an answer while the owner has no processes: there is no need to look for the connection."""
    return replace(
        probed, verdict=Verdict.WRONG_SERVER, detail=f"something answered, and it was not {name}, which is {status}"
    )


def plain(address: str) -> str:
    """An address without the IPv6 clothes that an IPv4 peer of a dual-stack socket wears, and without a zone."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def found_in(sockets: Iterable[Mapping[str, Any]], probed: ProbeResult) -> Mapping[str, Any] | None:
    """The other end of a probe's connection among an owner's sockets, where nothing translates addresses between."""
    path = probed.path
    if path is None:
        return None
    inner = probed.target.inner or probed.target.port
    for row in sockets:
        if row["port"] == inner and row["peer_port"] == path.source_port and plain(row["peer"]) == plain(path.source):
            return row
    return None


def hears(sockets: Iterable[Mapping[str, Any]], probed: ProbeResult) -> Mapping[str, Any] | None:
    """The socket among an owner's that takes datagrams where the probe sent one: at the address itself, or at all of them."""
    if probed.target.via == "bound port":
        return next(iter(sockets), None)
    taken = {plain(row["local"]): row for row in sockets}
    return taken.get(plain(probed.address)) or taken.get("0.0.0.0") or taken.get("::")


def new_connections(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], port: int
) -> list[Mapping[str, Any]]:
    """Connections to a port that were not there before: how one that came through a proxy or NAT is found."""
    old = {(row["peer"], row["peer_port"]) for row in before if row["port"] == port and row["protocol"] == "tcp"}
    return [
        row
        for row in after
        if row["protocol"] == "tcp"
        and row["port"] == port
        and row["state"] != "listen"
        and (row["peer"], row["peer_port"]) not in old
    ]


def from_outside(rows: Iterable[Mapping[str, Any]], addresses: Iterable[str]) -> list[Mapping[str, Any]]:
    """The connections that somebody else made: as docker passes on those to a bound port.

    Not those that its own processes make, as a healthcheck does: from its loopback, or from one of its own addresses. At which
    address it was asked says nothing: on an overlay network those to bound ports come to one that the engine does not tell.
    """
    own = {plain(address) for address in addresses}
    return [row for row in rows if not _is_from_inside(plain(row["local"]), plain(row["peer"]), own)]


def _is_from_inside(local: str, peer: str, own: Collection[str]) -> bool:
    return peer in own or peer == local or (is_loopback(local) and local not in own)


def held(rows: Iterable[Mapping[str, Any]], *, over: bool) -> list[Mapping[str, Any]]:
    """The connections whose far end is still held, as the probe holds its own.

    Those that are over on both sides only count where there are no others and ``over``: a whole answer has come, after which
    some proxies let go of both sides.
    """
    found = list(rows)
    return [row for row in found if row["state"] != "time-wait"] or (found if over else [])


def proven(probed: ProbeResult, row: Mapping[str, Any] | None, name: str) -> ProbeResult:
    """The verdict once the owner's sockets were read: its own, taken or not; or somebody else's."""
    if row is None:
        return replace(
            probed,
            verdict=Verdict.WRONG_SERVER,
            detail=f"something took the connection, but it is not in the network namespace of {name}",
        )
    if row["state"] == "established" and row["inode"] == 0:
        return replace(
            probed,
            verdict=Verdict.TIMED_OUT,
            answered_by="",
            detail=f"the kernel took the connection, but {name} did not: it {QUEUED}",
        )
    if row["state"] in GIVEN_UP and probed.target.scheme == "tcp" and not probed.text:
        # behind a proxy that is slow to tell it
        return replace(
            probed,
            verdict=Verdict.RESET,
            detail=f"the connection was accepted, and then closed by {name} without an answer",
        )
    return replace(probed, answered_by=probed.target.owner)


def not_apart(proven: ProbeResult, name: str, *, told: bool, host: bool = True) -> ProbeResult:
    """The verdict on what was found among the sockets of several, and is not, or not seen to be (``told``), the owner's.

    Args:
        proven: what came of it.
        name: of the owner.
        told: whether it is known whose process has it.
        host: whether the namespace is the host's own; else it is one that other containers share.
    """
    shares = "which shares the host's network" if host else "which shares a network namespace with other containers"
    if told:
        detail = f"a process of {'the host' if host else 'another'} took it, and none of {name}, {shares}"
        return replace(proven, verdict=Verdict.WRONG_SERVER, answered_by="", detail=detail)
    unread = f"{shares.replace('which', 'it', 1)}, whose processes can't be read from here"
    detail = f"it answered, but whether {name} did can't be told: {unread}"
    return replace(proven, verdict=Verdict.INCONCLUSIVE, answered_by="", detail=detail)

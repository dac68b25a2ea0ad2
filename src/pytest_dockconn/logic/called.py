"""Does a name, by which somebody was not reached, lead there in the first place? Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..model.facts import ContainerFacts
from ..model.probe import NEGATIVE, ProbeResult, Target, Verdict
from .given import ip
from .wiring import is_loopback

#: What engines call their host, where they do.
OF_HOST = frozenset({"host.docker.internal", "gateway.docker.internal", "host.containers.internal"})


def by_name(target: Target) -> bool:
    """Whether a test named who is asked: a container, or the host where it is a bound port."""
    return target.via == "name" or (target.via == "bound port" and bool(target.host) and not ip(target.host))


def not_known(seen: ProbeResult) -> bool:
    """Whether a name server said that there is no such name."""
    return seen.verdict is Verdict.NAME_NOT_FOUND and seen.detail.endswith(" is not known") and by_name(seen.target)


def names_of(owner: ContainerFacts, others: Iterable[ContainerFacts], called: str = "") -> frozenset[str]:
    """Every name by which anybody may know a container, in lower case.

    Args:
        owner: the container.
        others: who may have a link to it; a link's alias is a name for one who has it.
        called: what the tests call it.
    """
    own = {called, owner.name, owner.hostname, owner.id, owner.id[:12]} - {""}
    own |= {alias for e in owner.endpoints for alias in e.aliases}
    links = [link for one in others for link in (*one.links, *(link for e in one.endpoints for link in e.links))]
    own |= {alias for source, alias in links if source in own}
    whole = {f"{name}.{e.network}" for name in own for e in owner.endpoints}
    return frozenset(name.lower() for name in own | whole)


def unknown(seen: Sequence[ProbeResult], names: Collection[str], owner: str) -> list[str]:
    """Names that nobody has heard of, and that are not the owner's at all: of a slip of the pen it is no news."""
    strange = [r.target.host for r in seen if not_known(r) and r.target.host.lower() not in names]
    return [
        f"{name!r} is not known, and is no name of {owner} anywhere: correct it, or give it as an alias or a link"
        for name in dict.fromkeys(strange)
    ]


def misled(
    seen: Sequence[ProbeResult], owner: ContainerFacts, source: ContainerFacts | None, name: str = ""
) -> list[str]:
    """Names that led to somebody else, whose silence says nothing of the owner; ``name`` is what the tests call it."""
    called = name or owner.name
    asked = [(r.target, r.address) for r in seen if r.verdict in NEGATIVE and r.address and by_name(r.target)]
    return [words for target, at in dict.fromkeys(asked) if (words := _elsewhere(target, at, owner, source, called))]


def _elsewhere(target: Target, at: str, owner: ContainerFacts, source: ContainerFacts | None, called: str) -> str:
    if target.via == "name" and at in owner.addresses:
        return ""
    apart = source is None or (source.joined or source.id) != (owner.joined or owner.id)
    inside = source is not None and source.network_mode != "host"
    if is_loopback(at) and inside and (apart or target.via != "name"):
        whom = called if target.via == "name" else "the host"
        return f"{target.host!r} asked from a container is {at}, that container itself, not {whom}"
    if target.via != "name" or not owner.addresses or (is_loopback(at) and not apart):
        return ""
    return f"{target.host!r} led to {at}, which is not an address of {called}: it has {', '.join(owner.addresses)}"

"""Why a probe ended as it did, from evidence that is looked up now."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ..actions.containers import side_by_side
from ..actions.ends import look_at
from ..actions.evidence import Subject, deepened, gather
from ..handles.container import Port
from ..handles.known import holders
from ..handles.listener import HostListener
from ..handles.source import Destination, Source
from ..logic.destinations import parse
from ..logic.diagnosis.rules import diagnose
from ..model.evidence import Why
from ..model.probe import ProbeResult, Target
from ..model.spec import PortKey
from ..report import ends
from .common import port_of

#: Causes that another round of questions may turn into a better one.
VAGUE = ("unknown", "firewall-suspected")


class Explained(Struct, frozen=True):
    """A cause, and the sections about both ends for the test's report."""

    why: Why
    sections: tuple[tuple[str, str], ...] = ()


def explained(source: Source, destination: Destination, result: ProbeResult, timeout: float = 1.0) -> Explained:
    """Looks at both ends, and says why."""
    services = source.services
    port, unpublished = _port(source, destination)
    owner = port.owner if port else None
    mine, theirs = side_by_side(
        lambda: look_at(services, source.name, source.source_facts()),
        lambda: look_at(services, owner.name, owner.last_facts()) if owner else None,
    )
    key, bound = (port.key if port.key.number else None, port.bound) if port else (None, False)
    evidence = gather(services, Subject(mine, theirs, key, bound, result, unpublished))
    if isinstance(destination, HostListener):
        evidence = replace(
            evidence, owner_name=destination.name, port=PortKey(destination.number, destination.protocol), to_host=True
        )
    why = diagnose(evidence)
    if why.code in VAGUE:
        why = diagnose(deepened(services, evidence, timeout))
    return Explained(why, tuple(ends.sections([mine, *([theirs] if theirs and owner != source else [])])))


def _port(source: Source, destination: Destination) -> tuple[Port | None, tuple[str, ...]]:
    """The port that was asked, also of a URL that leads to a container that is known here; and who exposes it only."""
    if not isinstance(destination, str):
        return port_of(destination), ()
    target = parse(destination)
    key = PortKey(target.port, "udp" if target.scheme == "udp" else "tcp")
    found = next(_owners(source, target, key), None)
    if found is not None or not _asks_the_host(source, target):
        return found, ()
    return None, tuple(c.name for c in holders(source.services) if key in c.last_facts().exposed)


def _owners(source: Source, target: Target, key: PortKey) -> Iterator[Port]:
    for container in holders(source.services):
        facts = container.last_facts()
        names = {container.name, facts.name, facts.hostname, *(a for e in facts.endpoints for a in e.aliases)}
        if target.host in {*facts.addresses, *names}:
            yield Port(container, key)
        elif _asks_the_host(source, target):
            same = [b for b in facts.bindings if b.host_port == key.number and b.port.protocol == key.protocol]
            yield from (Port(container, binding.port, bound=True) for binding in same)


def _asks_the_host(source: Source, target: Target) -> bool:
    facts = source.source_facts()
    from_host = facts is None or facts.network_mode == "host"
    return from_host and (target.host == "localhost" or source.services.is_local(target.host))

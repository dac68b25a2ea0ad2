"""May what an earlier run made serve this one? Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import to_builtins
from msgspec.structs import replace

from .. import labels
from ..model.facts import ContainerFacts, Endpoint
from ..model.spec import Attachment, ContainerPlan, NetworkPlan, Publish
from .stale import number

#: Seconds of the lease on its labels that must be left: others than its owner's machine go by that one.
MARGIN = 2 * 3600


class Place(NamedTuple):
    """What a thing is for, and what it is made from. Another one for the same use replaces it.

    Attributes:
        use: a hash of the project, the lab, the role and the name.
        made_of: a hash of everything that the engine is told, and of what that leads to.
    """

    use: str
    made_of: str


class Offer(NamedTuple):
    """Something on the engine that may be used again.

    Attributes:
        kind: ``container`` or ``network``.
        at: of a container: its addresses on each of its networks, by the network's name.
        ports: of a container: (address, number, protocol) of the host that lead to it.
    """

    kind: str
    id: str
    name: str
    run: str
    place: Place
    marks: Mapping[str, str]
    at: Mapping[str, Sequence[str]] = {}
    ports: Sequence[tuple[str, int, str]] = ()


def offer(kind: str, thing: str, name: str, marks: Mapping[str, str]) -> Offer | None:
    """What its labels offer; None where it is not ours, or was not made for that."""
    if not labels.is_ours(marks, name) or not marks.get(labels.REUSE):
        return None
    place = Place(marks.get(labels.PLACE, ""), marks[labels.REUSE])
    return Offer(kind, thing, name, marks[labels.RUN], place, marks)


def short(found: Offer) -> str:
    """Its name in the lab: without what ``on_engine`` put before it."""
    return found.name.removeprefix(f"{labels.PREFIX}{found.run}-").removeprefix("0-")


def project_mark(project: str) -> str:
    """A project on a label: its folder is nobody's business."""
    return _hash(project)


def place(project: str, lab: str, plan: ContainerPlan | NetworkPlan, name: str, leads_to: Iterable[str] = ()) -> Place:
    """The place of what a plan says.

    Its own name on the engine, its labels and its token are each run's own, so they don't count. The names of networks
    and of linked containers do: they are those on the engine, so what hangs on a thing that was replaced is replaced too.

    Args:
        project: whose test it serves.
        lab: the lab's mark.
        plan: what the engine would be told.
        name: in the lab.
        leads_to: what else it depends on, such as when a linked container started.
    """
    role = plan.labels.get(labels.ROLE, "")
    speaks = plan.labels.get(labels.SPEAKS, "")
    bare = replace(plan, name="", labels={labels.SPEAKS: speaks})
    if isinstance(bare, ContainerPlan) and speaks == "server" and bare.command is not None:
        bare = replace(bare, command=tuple(word for word in bare.command if not word.startswith(TOKEN)))
    return Place(_hash(project, lab, role, name), _hash(labels.VERSION, to_builtins(bare), sorted(leads_to)))


#: The word of a server's command that holds its token.
TOKEN = "token="  # noqa: S105 - no password


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def token(facts: ContainerFacts) -> str:
    """What a server of ours was told to say with every answer; empty for others."""
    return next((word[len(TOKEN) :] for word in facts.command if word.startswith(TOKEN)), "")


def outdated(found: Offer, wanted: Place, now: float) -> str:
    """Why it can't be used for this, as far as its labels tell; empty if it can."""
    if found.place.made_of != wanted.made_of:
        return "it was made from something else"
    until = number(found.marks, labels.LEASE)
    if until is None or until - now < MARGIN:
        return "it is too old"
    return ""


def unfit(facts: ContainerFacts, plan: ContainerPlan, default_network: str) -> str:
    """Why a container is not what it was, as far as ``inspect`` shows; empty if it is."""
    return _unwell(facts) or _elsewhere(facts, plan, default_network)


def _unwell(facts: ContainerFacts) -> str:
    if not facts.running:
        return f"it is {facts.status}" + (" (out of memory)" if facts.oom_killed else "")
    if facts.health == "unhealthy":
        return "it is unhealthy"
    return "it ran out of memory" if facts.oom_killed else ""  # a process of it, and not the first one


def _elsewhere(facts: ContainerFacts, plan: ContainerPlan, default_network: str) -> str:
    on = {one.network for one in facts.endpoints}
    if plan.network_mode is None and on != ({one.network for one in plan.attachments} or {default_network}):
        return f"it is on {', '.join(sorted(on)) or 'no network'}"
    if set(facts.links) != set(plan.links):
        return "its links lead elsewhere"
    if not all(_is_bound(facts, wish) for wish in plan.publish):
        return "its host ports are others"
    places = ((one, facts.endpoint(one.network)) for one in plan.attachments)
    return next((why for one, there in places if there and (why := _moved(facts, one, there))), "")


def _moved(facts: ContainerFacts, wanted: Attachment, there: Endpoint) -> str:
    """Why its place on a network is not the one that it had."""
    own = {facts.id[:12], facts.name, facts.hostname}  # which of them docker adds depends on its version
    if set(wanted.aliases) - own != set(there.aliases) - own or set(wanted.links) != set(there.links):
        return f"it has other names on {wanted.network}"
    if wanted.ip not in ("", there.ip, there.ip6):
        return f"it has another address on {wanted.network}"
    return ""


def _is_bound(facts: ContainerFacts, wish: Publish) -> bool:
    there = [binding.host_port for binding in facts.bindings if binding.port == wish.port]
    return any(not wish.host.isdigit() or int(wish.host) == number for number in there)

"""``--dockconn-reuse``: what an earlier run made, used again if it is what is wanted and still answers as itself."""

from __future__ import annotations

from ..actions import agents
from ..actions.containers import missing
from ..actions.images import CLIENT, SERVER
from ..actions.reuse import Reuse
from ..actions.services import Services
from ..errors import DockconnError, EngineUnavailable
from ..logic.reuse import Place, place, token, unfit
from ..model.facts import NetworkFacts
from ..model.spec import NetworkPlan
from .own import Own
from .planning import Planned, Wish, handle


def place_of(services: Services, reuse: Reuse, lab: str, wish: Wish, wanted: Planned) -> Place:
    """What a container is for and made of. A link is stale once its source has started again, or is another."""
    sources = [source.facts() for source in wanted.sources]
    known = {facts.name for facts in sources}
    sources += [services.engine.inspect(name) for name, _ in wanted.plan.links if name not in known]
    leads_to = [f"{facts.id} {facts.started_at}" for facts in sources]
    return place(reuse.project, lab, wanted.plan, wish.name, leads_to)


def network_again(
    services: Services, reuse: Reuse, lab: str, plan: NetworkPlan, name: str
) -> tuple[Place, NetworkFacts | None]:
    """A network's place, and what an earlier run made for it: with nobody on it but who was left there too."""
    where = place(reuse.project, lab, plan, name)
    there: list[NetworkFacts] = []

    def unfit_network(thing: str) -> str:
        there.append(services.engine.network(thing))
        stranger = reuse.stranger(there[-1].containers)
        return f"{stranger} is on it" if stranger else ""

    taken = reuse.take(where, "network", unfit_network)
    return where, there[-1] if taken is not None else None


def container_again(services: Services, reuse: Reuse, wish: Wish, wanted: Planned, where: Place) -> Own | None:
    """What an earlier run made, if it is healthy and answers as itself; what does not is removed."""

    def why_not(container: str) -> str:
        return unfit(services.engine.inspect(container), wanted.plan, services.default_network)

    found = reuse.take(where, "container", why_not)
    if found is None:
        return None
    services.agents.taken.add(found)
    facts = services.facts.get(found)
    made = handle(services, facts, wish, wanted._replace(token=token(facts) if wanted.kind == SERVER else ""))
    why = _silent(services, made, wanted)
    if not why:
        return made
    reuse.reject(found, why)
    made.discard()
    return None


def _silent(services: Services, made: Own, wanted: Planned) -> str:
    """Why what an earlier run made does not answer; empty if it does, as itself."""
    try:
        if wanted.kind == CLIENT:
            agents.look(services.agents.channel(made.id), "container")
        return missing(services, made.facts(), wanted.listens, speaks=wanted.kind == SERVER)
    except EngineUnavailable:
        raise
    except DockconnError as error:
        return error.cause.partition("\n")[0]

"""From a plan to a container: launched and waited for; or what an earlier run made, used again."""

from __future__ import annotations

from msgspec.structs import replace

from .. import labels
from ..actions import agents
from ..actions.containers import await_answers, launch, missing, raise_if_ended
from ..actions.images import CLIENT, SERVER
from ..actions.reuse import Reuse
from ..actions.services import Services
from ..errors import DockconnError, EngineUnavailable
from ..logic.reuse import Place, place, unfit
from ..logic.reuse import token as token_of
from ..model.facts import ContainerFacts
from .own import Client, Own, Server
from .planning import Planned, Wish, planned


def make(services: Services, lab: str, wish: Wish, *, keep: bool = False) -> Own:
    """Create what is wished for, or use again what an earlier run made (``keep``, with ``--dockconn-reuse``).

    Raises ``SpecError`` before anything is created, and what ``launch`` raises.
    """
    wanted = planned(services, lab, wish)
    reuse = services.reuse if keep else None
    if reuse is None:
        return _made(services, wish, wanted)
    # a link is stale once its source has started again
    where = place(reuse.project, lab, wanted.plan, wish.name, [source.facts().started_at for source in wanted.sources])
    again = _again(services, reuse, wish, wanted, where)
    if again is not None:
        return again
    services.begin()
    marks = {**reuse.marks(where, services.run, wanted.plan.name, wish.role), labels.SPEAKS: wanted.kind}
    made = _made(services, wish, wanted._replace(plan=replace(wanted.plan, labels=marks, stdin_once=False)))
    reuse.made(made.id, wish.name)
    return made


def _again(services: Services, reuse: Reuse, wish: Wish, wanted: Planned, where: Place) -> Own | None:
    """What an earlier run made, if it is healthy and answers as itself; what does not is removed."""

    def why_not(container: str) -> str:
        return unfit(services.engine.inspect(container), wanted.plan, services.default_network)

    found = reuse.take(where, "container", why_not)
    if found is None:
        return None
    services.agents.taken.add(found)
    facts = services.facts.get(found)
    made = _handle(services, facts, wish, wanted._replace(token=token_of(facts) if wanted.kind == SERVER else ""))
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


def _handle(services: Services, facts: ContainerFacts, wish: Wish, wanted: Planned) -> Own:
    cls = Server if wish.role == SERVER else Client
    return cls(services, facts, wish.name, ports_awaited=wanted.listens, token=wanted.token)


def _made(services: Services, wish: Wish, wanted: Planned) -> Own:
    if any(publish.host for publish in wanted.plan.publish):
        services.remover.join()  # an earlier test's container may be about to give the port back
    made = _handle(services, launch(services, wanted.plan), wish, wanted)
    try:
        if wanted.listens:
            await_answers(services, made.facts(), wanted.listens, speaks=wanted.kind == SERVER)
        elif not wanted.kind:
            raise_if_ended(services.engine, made.id)
    except BaseException:
        made.discard()
        raise
    return made

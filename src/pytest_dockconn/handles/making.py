"""From a plan to a container: launched and waited for; or what an earlier run made, used again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..actions.containers import await_answers, launch, raise_if_ended
from ..actions.images import SERVER
from ..actions.networks import create
from ..actions.services import Services
from ..errors import DockconnError, EngineError, EngineUnavailable, LeftBehind, PortInUse, SpecError, StartFailed
from ..logic.networks import is_held, no_address
from ..model.facts import ContainerFacts, NetworkFacts
from ..model.spec import ContainerPlan, NetworkPlan
from .network import Network
from .own import Own
from .planning import Planned, Wish, handle, planned

if TYPE_CHECKING:
    from ..actions.reuse import Reuse


def make(services: Services, lab: str, wish: Wish, *, keep: bool = False) -> Own:
    """Create what is wished for, or use again what an earlier run made (``keep``, with ``--dockconn-reuse``).

    Raises ``SpecError`` before anything is created, and what ``launch`` raises.
    """
    wanted = planned(services, lab, wish)
    reuse = services.reuse if keep and wanted.lasting else None
    if reuse is None:
        return _made(services, wish, wanted)
    from .again import container_again, place_of  # noqa: PLC0415 - only with --dockconn-reuse

    where = place_of(services, reuse, lab, wish, wanted)
    again = container_again(services, reuse, wish, wanted, where)
    if again is not None:
        return again
    marks = {**wanted.plan.labels, **reuse.marks(where, services.run, wanted.plan.name, wish.role)}
    with _known(reuse):
        made = _made(services, wish, wanted._replace(plan=replace(wanted.plan, labels=marks, stdin_once=False)))
        _keep(reuse, made, wish.name)
    return made


def _made(services: Services, wish: Wish, wanted: Planned) -> Own:
    if any(publish.host for publish in wanted.plan.publish):
        services.remover.join()  # an earlier test's container may be about to give the port back
    made = handle(services, _launched(services, wanted.plan), wish, wanted)
    try:
        if wanted.listens:
            await_answers(services, made.facts(), wanted.listens, speaks=wanted.kind == SERVER)
        elif not wanted.kind:
            raise_if_ended(services.engine, made.id)
    except BaseException:
        services.doubt.undo(made.discard)
        raise
    return made


def _launched(services: Services, plan: ContainerPlan) -> ContainerFacts:
    """Launched, in the place of what is kept for a later run and stands in the way."""
    shared = services.make_room(plan.attachments, plan.hostname)
    try:
        return launch(services, plan)
    except PortInUse:
        if not services.room.ports(plan.publish):
            raise
    except LeftBehind:
        raise  # its name is taken now
    except EngineError as error:
        if is_held(error.cause):
            raise services.room.held(plan.attachments, error) from error
        if not no_address(error.cause) or not services.room.addresses(shared):
            raise
    return launch(services, plan)


def make_network(services: Services, lab: str, plan: NetworkPlan, name: str, *, keep: bool) -> Network:
    """Make a network, or use again what an earlier run made (``keep``, with ``--dockconn-reuse``).

    Raises ``SpecError``, ``DockconnError``.
    """
    reuse = services.reuse if keep else None
    if reuse is None:
        return Network(services, _in_its_place(services, plan), name)
    from .again import network_again  # noqa: PLC0415 - only with --dockconn-reuse

    where, again = network_again(services, reuse, lab, plan, name)
    if again is not None:
        return Network(services, again, name)
    marks = reuse.marks(where, services.run, plan.name, "network")
    with _known(reuse):
        made = Network(services, _in_its_place(services, replace(plan, labels=marks)), name)
        _keep(reuse, made, name)
    return made


def _in_its_place(services: Services, plan: NetworkPlan) -> NetworkFacts:
    """Made, in the place of what is kept for a later run and stands in the way."""
    while True:
        try:
            return _created(services, plan)
        except EngineUnavailable:
            raise
        except DockconnError as error:
            if not services.room.network(plan, error):
                raise


def _created(services: Services, plan: NetworkPlan) -> NetworkFacts:
    if plan.subnets:
        services.remover.join()  # an earlier test's network may be about to give it back
    with services.turns.making():
        return create(services.engine, plan)


def _keep(reuse: Reuse, made: Own | Network, name: str) -> None:
    """Its lease; without one it is nobody's to remove."""
    try:
        reuse.made(made.id, name)
    except BaseException:
        made.discard()
        raise


@contextlib.contextmanager
def _known(reuse: Reuse) -> Iterator[None]:
    """Where it is not certain that nothing was made, the helper has to look at the end: its things have no other owner."""
    try:
        yield
    except (SpecError, PortInUse, StartFailed):
        raise  # nothing is left of it
    except BaseException:
        reuse.lost = True
        raise

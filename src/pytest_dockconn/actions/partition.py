"""Sets the rules of a cut in a container's own network namespace, and takes them away again.

A sidecar with NET_ADMIN and nothing else does it and ends. It stays on the engine, ended, until the cut is healed: its
labels tell a later run what is to be healed if this one dies (``actions/prune.py``).
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections.abc import Callable, Collection
from functools import partial

from msgspec import Struct

from .. import labels
from ..engine.port import Engine
from ..errors import CapabilityError, DockconnError, EngineUnavailable, NotFound
from ..logic.names import on_engine
from ..logic.partition import Cut, ruleset
from ..logic.privileges import FIREWALL
from ..model.spec import ContainerPlan
from .images import CLIENT
from .services import Services

#: Seconds that the sidecar may take.
PATIENCE = 15.0
#: In what ``nft`` says of a table that is not there: the container was started anew, with a namespace without rules.
_GONE = ("No such file or directory", "does not exist")

_numbers = itertools.count(1)
#: Takes back what a sidecar may have done.
Undo = Callable[[str], None]


class Mark(Struct, frozen=True):
    """A cut that is in force: the container with the rules, their table, and the sidecar that bears witness."""

    container: str
    table: str
    witness: str


def cut(services: Services, container: str, what: Cut) -> Mark:
    """Set the rules. Raises ``CapabilityError`` where the engine's kernel can't; nothing is left behind then."""
    table = f"dockconn_{services.run}_{secrets.token_hex(3)}"
    marks = {labels.PARTITION: container, labels.TABLE: table}

    def unsure(witness: str) -> None:
        services.doubt.undo(partial(heal, services, Mark(container, table, witness)))

    with services.doubt.about():
        return Mark(container, table, _run(services, container, ("nft", ruleset(table, what)), marks, unsure))


def heal(services: Services, mark: Mark) -> None:
    """Take the rules away, and the witness. A container that is gone, or was started anew, has none any more."""

    def healing() -> None:
        if _has_rules(services.engine, mark.container):
            services.engine.remove(_run(services, mark.container, _drop(mark.table), {}, services.take_back))

    with services.doubt.removing():  # else the witness stays, and by it the helper heals
        _again(healing)
        services.engine.remove(mark.witness)


def heal_after(engine: Engine, witness: str, going: Collection[str] = ()) -> None:
    """Heal what a dead run left: its witness tells of it. Raises ``DockconnError``.

    A container that is ``going`` takes its rules along. Others (the helper, a sweep) may be at it, or through with it.
    """

    def healing() -> None:
        try:
            facts = engine.inspect(witness)
        except NotFound:
            return
        container, table = facts.labels.get(labels.PARTITION, ""), facts.labels.get(labels.TABLE, "")
        if container and container not in going and _has_rules(engine, container):
            name = f"{facts.name}-heal-{secrets.token_hex(2)}"
            marks = labels.made(facts.labels[labels.RUN], name, "partition")
            plan = _plan(facts.image_id, name, container, _drop(table), marks)
            remove = partial(_remove_quietly, engine)
            engine.remove(_ended(engine, plan, remove, remove))

    _again(healing)
    engine.remove(witness)


def _has_rules(engine: Engine, container: str) -> bool:
    """Whether it may have any: they are gone with it, and with its namespace when it ends."""
    with contextlib.suppress(NotFound):
        return engine.inspect(container).status in ("running", "paused")
    return False


def _again(healing: Callable[[], None]) -> None:
    """Once more where the sidecar was gone before it had healed: `docker container prune` takes what has not begun.

    Raises ``NotFound`` where it can't be made, as without its image: then the rules are there, and the witness stays.
    """
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt  # noqa: PLC0415 - as in containers.py

    Retrying(retry=retry_if_exception_type(NotFound), stop=stop_after_attempt(3), reraise=True)(healing)


def _drop(table: str) -> tuple[str, ...]:
    return ("nft", "delete", "table", "inet", table)


def _run(services: Services, container: str, argv: tuple[str, ...], marks: dict[str, str], unsure: Undo) -> str:
    name = on_engine(services.run, "", f"partition{next(_numbers)}")
    known = {**labels.made(services.run, name, "partition"), **marks}
    plan = _plan(services.images.get(CLIENT).id, name, container, argv, known)
    return _ended(services.engine, plan, unsure, services.take_back)


def _plan(image: str, name: str, container: str, argv: tuple[str, ...], marks: dict[str, str]) -> ContainerPlan:
    return ContainerPlan(
        image=image, name=name, labels=marks, command=argv, network_mode=f"container:{container}",
        capabilities=FIREWALL, read_only=True,
    )  # fmt: skip


def _ended(engine: Engine, plan: ContainerPlan, unsure: Undo, remove: Undo) -> str:
    """Run a sidecar to its end. Raises ``CapabilityError`` with what it said where it failed; it is removed then, by ``remove``.

    ``unsure`` is called with it where nobody knows what it did: after Ctrl-C, or when it did not end in time.
    """
    sidecar = engine.create(plan)
    try:
        engine.start(sidecar)
        code = engine.wait(sidecar, PATIENCE)
        said = engine.logs(sidecar) if code else ""
    except BaseException as error:
        refused = isinstance(error, DockconnError) and not isinstance(error, EngineUnavailable)
        (remove if refused else unsure)(sidecar)
        raise
    if code is None:
        unsure(sidecar)
        raise _failed(plan, "it did not end in time")
    if code and not any(words in said for words in _GONE):
        remove(sidecar)  # nft sets all of its rules, or none
        raise _failed(plan, said.strip()[-300:] or f"exit code {code}")
    return sidecar


def _failed(plan: ContainerPlan, why: str) -> CapabilityError:
    return CapabilityError(
        f"packet filter rules can't be set in a container's network here (capability 'partition'): {why}",
        checked=f"{plan.command[0] if plan.command else ''} in a sidecar with NET_ADMIN",
        remedy="it needs a kernel with nf_tables, and nft in the client image; or take the container off the "
        "network: network.disconnect(container)",
    )


def _remove_quietly(engine: Engine, container: str) -> None:
    with contextlib.suppress(DockconnError):
        engine.remove(container)

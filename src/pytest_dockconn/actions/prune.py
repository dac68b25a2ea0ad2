"""Removes what dead runs left behind, and nothing else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from .. import labels
from ..engine.port import Engine
from ..errors import DockconnError
from ..logic.images import built_tag, is_commit
from ..logic.stale import age, image_left_behind, is_committed, lease_is_over, left_behind
from ..model.facts import ImageFacts
from ..model.leftover import Leftover
from . import steps
from .building import unless_others_build
from .committed import discard
from .here import here
from .inuse import by_a_run, unless_used
from .leases import Leases, clock
from .owners import living

#: Removals side by side; seconds before one that is refused is tried again, and for which a sweep tries.
WIDTH = 8
PACE = 0.02
PATIENCE = 2.0
#: Why a thing is left alone.
USED = "a run uses it now"
#: Whether a container or network of this name and with these labels is to go; and an image with these tags.
Wanted = Callable[[str, Mapping[str, str]], bool]
WantedImage = Callable[[tuple[str, ...], Mapping[str, str]], bool]


def find(engine: Engine) -> list[Leftover]:
    """What dead runs left on an engine."""
    return find_things(engine) + find_images(engine)


def find_things(engine: Engine) -> list[Leftover]:
    """The containers, networks and partitions that dead runs left."""
    now = here(engine)
    found = _things(
        engine, labels.RUN, lambda name, marks: left_behind(name, marks, now) and not _others(marks, now.now), now.now
    )
    # its helper was killed, but another run uses it
    return [one for one in found if not Leases().is_used(one.run, one.id)]


def _others(marks: Mapping[str, str], now: float) -> bool:
    """Whether it is kept by another user of this machine, whose leases can't be seen: then the one on its labels counts."""
    return marks.get(labels.UID, labels.uid()) != labels.uid() and not lease_is_over(marks, now)


def find_kept(engine: Engine) -> list[Leftover]:
    """What is kept for a later run (``--dockconn-reuse``), by this user on this machine: until when, and who uses it now."""
    leases = Leases()
    now = here(engine)

    def kept(name: str, marks: Mapping[str, str]) -> bool:
        return bool(marks.get(labels.REUSE)) and labels.is_ours(marks, name) and not left_behind(name, marks, now)

    found = _things(engine, labels.REUSE, kept, now.now)
    return [
        replace(one, kept=max(0.0, until - clock()), user=leases.user(one.run, one.id))
        for one in found
        if (until := leases.until(one.run, one.id)) is not None
    ]


def find_images(engine: Engine) -> list[Leftover]:
    """The images that dead runs left. Docker 20.10 works out the size of every image it lists: 2 ms each of its CPU."""
    now = here(engine)
    return _images(engine, lambda tags, marks: image_left_behind(tags, marks, now), now.now) + steps.find(engine)


def of_run(engine: Engine, run: str, *, images: bool = True) -> list[Leftover]:
    """Everything that one run made, but for the two images, which serve the next one.

    ``images``: also what it committed, and what builds left that were ended.
    """
    now = time.time()
    things = _things(engine, f"{labels.RUN}={run}", lambda name, marks: labels.is_ours(marks, name), now)
    if not images:
        return things
    things += _images(engine, lambda tags, marks: is_committed(tags, marks) and marks.get(labels.RUN) == run, now)
    return things + steps.find(engine)  # which do not say whose they are; but the run may have been building


def built(engine: Engine) -> list[Leftover]:
    """The images that the plugin built; they are built again when they are wanted."""
    return [
        _leftover(steps.BUILT, image.id, tag, image.labels, time.time())
        for image in engine.images(labels.RUN)
        if (tag := built_tag(image.tags, image.labels))
    ]


def users(engine: Engine, leftovers: list[Leftover]) -> list[str]:
    """Who may rely on what was built: the owners that live, once these leftovers are gone, and whoever builds."""
    owners = living(engine, here(engine), {one.id for one in leftovers})
    if not owners and by_a_run(engine):
        owners = ["one that has no container now"]
    with unless_others_build(engine) as nobody:
        return owners if nobody else [*owners, "a build"]


def _things(engine: Engine, label: str, wanted: Wanted, now: float) -> list[Leftover]:
    found = []
    for entry in engine.containers(label):
        name, marks = str(entry["name"]), entry["labels"]
        assert isinstance(marks, dict)
        if wanted(name, marks):
            kind = "partition" if labels.PARTITION in marks else "container"
            found.append(_leftover(kind, str(entry["id"]), name, marks, now))
    for network in engine.networks(label):
        if wanted(network.name, network.labels):
            found.append(_leftover("network", network.id, network.name, network.labels, now))
    return found


def _images(engine: Engine, wanted: WantedImage, now: float) -> list[Leftover]:
    found = []
    # not by the run: the engine works out the size of every image that it lists, 2 ms each
    for one in engine.images(f"{labels.ROLE}=commit"):
        if wanted(one.tags, one.labels) and _was_committed(engine, one):
            found.append(_leftover("image", one.id, one.labels[labels.NAME], one.labels, now))
    return found


def _was_committed(engine: Engine, image: ImageFacts) -> bool:
    """Whether an image is what a run committed, and not made of it: a listing does not tell."""
    there = engine.image(image.id)
    return there is not None and is_commit(there)


def _leftover(kind: str, thing: str, name: str, marks: Mapping[str, str], now: float) -> Leftover:
    return Leftover(kind, thing, name, marks.get(labels.RUN, ""), labels.owner_of(marks), age(marks, now))


def remove(
    engine: Engine,
    leftovers: list[Leftover],
    *,
    leased: bool = False,
    usable: Collection[str] = (),
    done: Callable[[Leftover], None] = lambda _: None,
    patience: float = 0.0,
) -> list[str]:
    """Remove them; returns what could not be, a line each.

    Args:
        engine: on which they are.
        leftovers: what to remove.
        leased: who calls has their leases, if there are any.
        usable: the ids of images that stay where a run has begun meanwhile: it may have found them.
        done: called after each that is gone, from several threads.
        patience: seconds for which a refused one is tried again: a dead run's helper may be at the same things, and a network
            can't go before the containers that are on it.
    """
    work = _Removal(engine, {one.id for one in leftovers if one.kind == "container"}, leased=leased, done=done)
    refused: dict[Leftover, str] = {}
    # in this order: what is to be healed needs its container, a network must be empty, and so on; each kind side by side
    with ThreadPoolExecutor(WIDTH, thread_name_prefix="dockconn-prune") as pool:
        for kind in ("partition", "container", "network"):
            those = [leftover for leftover in leftovers if leftover.kind == kind]
            refused |= {one: why for one, why in zip(those, pool.map(work.one, those), strict=True) if why}
    if refused and patience:
        refused = _tried_again(work, refused, patience)
    images = [leftover for leftover in leftovers if leftover.kind in ("image", steps.BUILT, steps.STEP)]
    # the youngest may be made of the others
    images.sort(key=lambda image: image.age or 0.0)
    with contextlib.ExitStack() as held:
        refused |= _kept(held, engine, images, usable)
        refused |= {image: why for image in images if image not in refused and (why := work.one(image))}
    return [f"{one.kind} {one.name}: {why}" for one, why in refused.items()]


class _Removal:
    """How each kind of thing is removed, its lease with it."""

    def __init__(
        self, engine: Engine, going: Collection[str], *, leased: bool, done: Callable[[Leftover], None]
    ) -> None:
        self._leases = Leases()
        self._leased = leased
        self._done = done
        self._calls: dict[str, Callable[[Leftover], None]] = {
            "partition": lambda one: _heal_after(engine, one.id, going),
            "container": lambda one: engine.remove(one.id),
            "network": lambda one: engine.remove_network(one.id),
            "image": lambda one: discard(engine, one.id, one.name),
            steps.BUILT: lambda one: steps.discard_built(engine, one.id, one.name),
            steps.STEP: lambda one: steps.remove_steps(engine, one.id),
        }

    def one(self, leftover: Leftover) -> str:
        """Remove it; why that could not be done, empty where it is gone."""
        lease = None if self._leased else self._leases.take(leftover.run, leftover.id)
        if lease is None and not self._leased and self._leases.until(leftover.run, leftover.id) is not None:
            return USED
        try:
            self._calls[leftover.kind](leftover)
        except DockconnError as error:
            if lease is not None:
                lease.drop()
            return error.cause
        self._done(leftover)
        if lease is not None:
            lease.end()
        return ""


def _tried_again(work: _Removal, refused: Mapping[Leftover, str], patience: float) -> dict[Leftover, str]:
    """What is refused to the end. One that a run uses is not asked for twice."""
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential  # noqa: PLC0415 - seldom

    left = dict(refused)

    def again() -> bool:
        for one in [one for one, why in left.items() if why != USED]:
            left[one] = work.one(one)
            if not left[one]:
                del left[one]
        return any(why != USED for why in left.values())

    with contextlib.suppress(RetryError):
        # more and more seldom: what can't be removed at all is not to keep the engine from the run's first containers
        pause = wait_exponential(PACE, max=10 * PACE)
        Retrying(retry=retry_if_result(bool), wait=pause, stop=stop_after_delay(patience))(again)
    return left


def _kept(
    held: contextlib.ExitStack, engine: Engine, images: list[Leftover], usable: Collection[str]
) -> dict[Leftover, str]:
    """The images that have to stay after all, and why; while this is held nobody else begins to want one."""
    kept: dict[Leftover, str] = {}
    wanted = [image for image in images if image.id in usable]
    if wanted and not held.enter_context(unless_used(engine)):
        kept |= dict.fromkeys(wanted, USED)
    # a build that has begun meanwhile may go on from what was built before
    fragile = [image for image in images if image.kind != "image"]
    if fragile and not held.enter_context(unless_others_build(engine)):
        kept |= dict.fromkeys(fragile, "a run builds images now")
    return kept


def _heal_after(engine: Engine, sidecar: str, going: Collection[str]) -> None:
    from .partition import heal_after  # noqa: PLC0415 - hardly ever needed, and every run sweeps

    heal_after(engine, sidecar, going)

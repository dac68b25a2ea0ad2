"""What builds leave: the steps of one that was ended, and an image whose tag another run took; found, and removed.

A step bears no owner: its labels are the same for all runs, because the engine's cache compares them. So it goes only when
nobody builds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

from .. import labels
from ..engine.port import Engine
from ..errors import Conflict, NotFound
from ..logic.images import is_import, is_last_step, is_step
from ..logic.stale import Here, age, is_dead
from ..model.facts import ImageFacts
from ..model.leftover import Leftover
from .building import unless_others_build
from .committed import discard
from .here import here
from .owners import living

#: Kinds of leftovers: an image that was built to its end, and one of a step.
BUILT, STEP = "built image", "unfinished image"
#: Seconds that a step is left alone: a build in a container of this machine, with a /tmp of its own, may just now go on from it.
QUIET = 1.0
#: What a step's container is when its build is over.
ENDED = ("created", "exited", "dead")
OWNER = "a build that was ended"

Entry = Mapping[str, object]


def find(engine: Engine) -> list[Leftover]:
    """What builds left, and nobody goes on with."""
    images = engine.images(labels.BUILD, untagged=True)
    containers = engine.containers(f"{labels.BUILD}={labels.UNFINISHED}")
    if not images and not containers:
        return []  # nearly always, and nothing more is asked
    now = here(engine)
    steps = [one for one in containers if is_step(str(one["command"]))]
    before = _before(engine, steps, now)
    ended = [one for one in steps if _created(one) <= before]
    gone = {one["id"] for one in ended}
    used = {_bare(one["image"]) for one in engine.containers() if one["id"] not in gone}
    free = [one for one in images if _bare(one.id) not in used]
    return [
        *(Leftover("container", str(one["id"]), str(one["name"]), "", OWNER, now.now - _created(one)) for one in ended),
        *_unfinished(engine, free, before, now),
        *_without_tag(engine, free, now),
    ]


def _before(engine: Engine, steps: Iterable[Entry], now: Here) -> float:
    """What was made before that (seconds since 1970) is of a build that is over; 0 where one goes on."""
    if any(one["status"] not in ENDED for one in steps):
        return 0.0
    with unless_others_build(engine) as nobody:
        # whether another machine builds on a shared engine can't be seen from here
        return now.now - (QUIET if now.local else labels.LEASE_TIME) if nobody else 0.0


def _unfinished(engine: Engine, images: Iterable[ImageFacts], before: float, now: Here) -> list[Leftover]:
    return [
        Leftover(STEP, one.id, _bare(one.id)[:12], "", OWNER, now.now - one.created)
        for one in images
        if one.labels[labels.BUILD] == labels.UNFINISHED and one.created <= before and is_step(_made_by(engine, one.id))
    ]


def _without_tag(engine: Engine, images: Iterable[ImageFacts], now: Here) -> list[Leftover]:
    """Built to its end, by a run that is over, but another's has the tag. Who found it by the tag before may still live."""
    lost = [one for one in images if is_dead(one.labels, now) and _is_built(engine, one)]
    if not lost or living(engine, now):
        return []
    return [
        Leftover(BUILT, one.id, marks[labels.NAME], marks[labels.RUN], labels.owner_of(marks), age(marks, now.now))
        for one in lost
        if (marks := one.labels)
    ]


def _is_built(engine: Engine, image: ImageFacts) -> bool:
    """Whether it is itself what we built, or imported, and not made of that: a listing does not tell."""
    if not image.labels.get(labels.ROLE, "").endswith("-image") or image.labels[labels.BUILD] != labels.FINISHED:
        return False
    there = engine.image(image.id)
    return there is not None and (is_import(there) or is_last_step(_made_by(engine, image.id)))


def _made_by(engine: Engine, image: str) -> str:
    with contextlib.suppress(NotFound):
        return next(iter(engine.history(image)), "")
    return ""


def discard_built(engine: Engine, image: str, name: str) -> None:
    """Remove an image that was built under a name, with its steps; what others have tagged, or made of it, only loses the name."""
    there = engine.image(image)
    if there is not None:
        discard(engine, image, name)
        with contextlib.suppress(Conflict):
            remove_steps(engine, there.parent)


def remove_steps(engine: Engine, image: str) -> None:
    """Remove a step that a build had come to, and those before it, as far as no other image is made of them.

    Raises ``Conflict`` where it is in use itself.
    """
    below = _removed_step(engine, image)
    with contextlib.suppress(Conflict):
        while below:
            below = _removed_step(engine, below)


def _removed_step(engine: Engine, image: str) -> str:
    """The step before; empty where there is none, or this is none."""
    there = engine.image(image) if image else None
    if there is None or there.tags or there.labels.get(labels.BUILD) != labels.UNFINISHED:
        return ""
    engine.remove_image(there.id)
    return there.parent


def _created(entry: Entry) -> float:
    created = entry["created"]
    assert isinstance(created, int)
    return created


def _bare(image: object) -> str:
    return str(image).removeprefix("sha256:")

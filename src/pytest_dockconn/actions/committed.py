"""Images that runs commit: which tag may be taken, and how they go. A tag may lead to another's image by then; an id does not."""

from __future__ import annotations

from .. import labels
from ..engine.port import Engine
from ..errors import Conflict, SpecError
from ..logic.images import committed_as, is_named
from ..logic.stale import is_dead
from ..model.facts import ImageFacts
from ..text import redact
from .here import here

#: The engine's word for an image that it keeps because another is made of it.
CHILDREN = "dependent child images"


def check_free(engine: Engine, name: str, run: str) -> None:
    """Whether a run may commit under a name: nothing is there, or what it committed itself, or a run that is over.

    Raises ``SpecError``.
    """
    there = engine.image(name)
    if there is None:
        return
    whose = committed_as(there, name)
    if not whose:
        raise SpecError(
            f"image {name} is there already and was not made here, so it is not replaced",
            checked=f"the images of the engine at {redact(engine.url)}",
            remedy="choose another tag, or remove it first",
        )
    if whose != run and not is_dead(there.labels, here(engine)):
        raise _taken(name, there)


def _taken(name: str, there: ImageFacts) -> SpecError:
    return SpecError(
        f"image {name} is there already: another run committed it, which may still use it, so it is not replaced",
        checked=f"it belongs to {labels.owner_of(there.labels)}, which lives as far as can be seen from here",
        remedy="choose a tag that each run, and each worker of xdist, has for itself: server.commit(f'web:{os.getpid()}')",
    )


def discard(engine: Engine, image: str, name: str) -> None:
    """Remove an image that was committed, or built, under a name; what others have tagged, or made of it, only loses the name."""
    there = engine.image(image)
    if there is None:
        return
    ours = [tag for tag in there.tags if is_named(tag, name)]
    if len(ours) == len(there.tags):
        try:
            engine.remove_image(image)  # by its id: a tag might lead to another image by now
            return
        except Conflict as error:
            if not ours and CHILDREN not in error.cause:
                raise
    for tag in ours:
        engine.remove_image(tag)

"""Containers and networks that several tests ask about and none changes: made once a session, by the first that wants them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec.structs import replace

from pytest_dockconn import Lab, labels
from pytest_dockconn.logic.names import on_engine
from pytest_dockconn.model.facts import ContainerFacts

T = TypeVar("T")


class Shared:
    """Each in a lab of its own, so that its containers are called client1 and server1, as in a test's own lab."""

    def __init__(self, new_lab: Callable[[], Lab]) -> None:
        self._new_lab = new_lab
        self._made: dict[Callable[[Lab], Any], tuple[Any, Lab, list[ContainerFacts]]] = {}

    def once(self, make: Callable[[Lab], T]) -> T:
        """What ``make`` makes; only for what no test changes. A test that did is found out by the next one that asks."""
        if make not in self._made:
            lab = self._new_lab()
            made = make(lab)
            self._made[make] = made, lab, seen(lab)
        found, lab, before = self._made[make]
        now = seen(lab)
        if now != before:
            del self._made[make]  # so that it is one test that fails for it, not all that follow
        changed = [(was, is_) for was, is_ in zip(before, now, strict=True) if was != is_]
        assert not changed, f"an earlier test changed what {make.__name__} had made for all of them: {changed}"
        result: T = found
        return result


def seen(lab: Lab) -> list[ContainerFacts]:
    """What the engine says of a lab's containers; no question to it as long as nothing happens to them."""
    # 20.10 names links in another order each time
    return [replace(facts, links=tuple(sorted(facts.links))) for facts in (one.facts() for one in lab.containers)]


def there(lab: Lab) -> set[str]:
    """The containers on the engine that a lab has made, and sidecars of the run that it does not know of any more.

    Not all of the run: the tutorial's containers begin beside the first test, and others' go in the background.
    """
    services = lab._services
    services.remover.join()
    held = {seat.sidecar for seat in services.agents._seats.values()}
    listed = services.engine.containers(f"{labels.RUN}={services.run}")
    return {
        str(one["id"])
        for one in listed
        if str(one["name"]).startswith(on_engine(services.run, lab._mark, ""))
        or (str(one["name"]).startswith(on_engine(services.run, "", "sidecar")) and one["id"] not in held)
    }


@dataclass(frozen=True)
class Stage:
    """What a set-up is made with.

    Attributes:
        lab: lives for one test.
        undo: for what is neither a container nor a network.
        shared: made what ``once`` returns.
    """

    lab: Lab
    undo: contextlib.ExitStack
    shared: Shared

    def once(self, make: Callable[[Lab], T]) -> T:
        """Made by the first test that wants it, for all of them; only for what no test changes."""
        return self.shared.once(make)

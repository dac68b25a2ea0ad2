"""Removes what dead runs left behind, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .. import labels
from ..engine.port import Engine
from ..errors import DockconnError
from ..logic.stale import Here, image_left_behind, left_behind
from .partition import heal_after


@dataclass(frozen=True, slots=True)
class Leftover:
    """A thing of a dead run: what it is, its name, the process that made it."""

    kind: str
    id: str
    name: str
    run: str
    owner: str


def here() -> Here:
    """This machine now."""
    return Here(socket.gethostname(), labels.boot_id(), labels.process_started)


def find(engine: Engine) -> list[Leftover]:
    """The leftovers on an engine, containers first."""
    now = here()
    found = []
    for entry in engine.containers(labels.RUN):
        marks = entry["labels"]
        assert isinstance(marks, dict)
        if left_behind(str(entry["name"]), marks, now):
            kind = "partition" if labels.PARTITION in marks else "container"
            found.append(_leftover(kind, str(entry["id"]), str(entry["name"]), marks))
    for network in engine.networks(labels.RUN):
        if left_behind(network.name, dict(network.labels), now):
            found.append(_leftover("network", network.id, network.name, dict(network.labels)))
    for image in engine.images(labels.RUN):
        if image_left_behind(image.tags, image.labels, now):
            found.append(_leftover("image", image.labels[labels.NAME], image.labels[labels.NAME], dict(image.labels)))
    # first what is to be healed, while the containers are still there
    return sorted(found, key=lambda leftover: leftover.kind != "partition")


def _leftover(kind: str, thing: str, name: str, marks: dict[str, str]) -> Leftover:
    owner = f"process {marks.get(labels.PID, '?')} of {marks.get(labels.HOST, '?')}"
    return Leftover(kind, thing, name, marks.get(labels.RUN, ""), owner)


def remove(engine: Engine, leftovers: list[Leftover]) -> list[str]:
    """Remove them; returns what could not be, a line each."""
    calls: dict[str, Callable[[str], None]] = {
        "partition": partial(heal_after, engine),
        "container": engine.remove,
        "network": engine.remove_network,
        "image": engine.remove_image,
    }
    failed = []
    for leftover in leftovers:
        try:
            calls[leftover.kind](leftover.id)
        except DockconnError as error:
            failed.append(f"{leftover.kind} {leftover.name}: {error.cause}")
    return failed

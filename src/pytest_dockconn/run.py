"""The run, as the hooks and the fixtures share it: settings, and the session on the engine."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from .actions import base
from .actions.services import Services
from .engine.find import find
from .errors import DockconnError
from .handles.image import Image
from .logic.capabilities import KNOWN
from .session import Session, Tutorial
from .text import one_line

if TYPE_CHECKING:
    from .actions.base import Say
    from .engine.port import Engine
    from .handles.connection import Connection
    from .handles.own import Client, Server
    from .lab import Lab
    from .model.asked import Asked
    from .model.leftover import Leftover
    from .model.reused import Reused
    from .model.settings import Settings


#: Seconds that things which are being made in the background get to be ready, once somebody wants the run to end.
HURRY = 2.0


class Run:
    """A run with ``--dockconn``: opened before collection, closed after the last test."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self.settings = settings
        self.session: Session = Session(Services(find(settings.engine), settings, say))
        self._say = say
        self._begun: list[threading.Thread] = []
        self._wanted: set[str] = set()
        self._closing = False
        self._hurry = False
        #: what the sweep at the end has to say, once it may be said
        self.late = ""
        self._images_due = False
        #: what reuse came to in xdist's workers, and what they could not remove
        self.worker_reuse: list[Reused] = []
        self.worker_left: list[str] = []
        self._pid = os.getpid()
        self._left: list[str] | None = None
        #: why tests were skipped that need what the engine lacks, and the capabilities; what was said when the end was interrupted
        self.lacks: dict[str, tuple[str, ...]] = {}
        self.gave_up = ""

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that began the run."""
        return os.getpid() != self._pid

    @property
    def tutorial(self) -> Tutorial:
        """The tutorial's containers."""
        return self.session.tutorial

    @property
    def lab(self) -> Lab:
        """The session's lab."""
        return self.session.lab

    @property
    def asked(self) -> list[Asked]:
        """Every question that an assertion asked so far."""
        return self.session.services.asked

    def new_lab(self) -> Lab:
        """A lab for a test."""
        return self.session.new_lab()

    def close_lab(self, lab: Lab) -> None:
        """Close a test's lab; its containers go in the background. Not in a fork: they are its parent's."""
        if self.forked:
            return
        self.session.close_lab(lab)

    def headers(self) -> list[str]:
        """Which engine, which version, which bridge; and what an earlier run left for this one."""
        reuse, settings = self.session.services.reuse, self.settings
        if reuse is None:
            return [self.header(), *([f"dockconn: {settings.note}"] if settings.note else [])]
        from .report import reuse as reuse_report  # noqa: PLC0415 - few runs have a use for it

        return [self.header(), reuse_report.header(reuse.ready(), settings.lease, time.time())]

    def outcome(self) -> str:
        """What ``--dockconn-reuse`` came to."""
        from .report import reuse as reuse_report  # noqa: PLC0415

        return reuse_report.outcome(self.reused())

    def reused(self) -> Reused:
        """What of earlier runs was used, or had to go, here and in workers."""
        from .model.reused import Reused  # noqa: PLC0415

        services = self.session.services
        outcomes = [*self.worker_reuse, Reused((), (), (), services.removed)]
        if services.reuse is not None:
            outcomes.append(services.reuse.outcome())
        return Reused(*(tuple(chain.from_iterable(parts)) for parts in zip(*outcomes, strict=True)))

    @cached_property
    def bridge(self) -> tuple[str, str]:
        """Name and subnet of the default bridge as the run began."""
        return self.lab.bridge.name, self.lab.bridge.subnet

    def header(self) -> str:
        """Which engine, which version, which bridge."""
        engine, (name, subnet) = self.lab.engine, self.bridge
        return f"dockconn: {engine.kind} {engine.version} (API {engine.api_version}) at {engine.url}, bridge {name} {subnet}"

    def begin(self, fixtures: Iterable[str]) -> None:
        """Begin to make what the collected tests will want."""
        fresh = [name for name in fixtures if name not in self._wanted]
        self._wanted.update(fresh)
        if fresh:
            self._begun += self.tutorial.begin(fresh)

    def sweep(self) -> None:
        """Begin to remove what dead runs left behind; what could not be is left to ``dockconn prune``.

        Images go at the end: to list them keeps the engine, docker 20.10, from starting containers for 25 ms and more. Where
        an earlier run left this one's containers there is nothing to start, and the end is not to wait for it.
        """
        self._images_due = True
        self._in_background(self._sweep_things)

    def _in_background(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="dockconn-sweep", daemon=True)
        thread.start()
        self._begun.append(thread)

    def _sweep_things(self) -> None:
        from .actions.prune import find_things  # noqa: PLC0415 - loaded in the background

        said = self._removed(find_things)
        if said:
            self._say(said)
        with contextlib.suppress(DockconnError):  # it will be said by whoever needs the engine
            if self.lab.finds_things():
                self._sweep_images()

    def _sweep_images(self) -> None:
        from .actions.prune import find_images  # noqa: PLC0415

        self._images_due = False
        self.late = self._removed(find_images)  # at the end pytest is writing its summary

    def _removed(self, find: Callable[[Engine], list[Leftover]]) -> str:
        """What was found and removed, in words; empty where there was nothing."""
        from .actions import prune  # noqa: PLC0415
        from .report.leftovers import swept  # noqa: PLC0415

        engine = self.session.services.engine
        try:
            leftovers = find(engine)
            failed = prune.remove(engine, leftovers, patience=prune.PATIENCE)
        except DockconnError:
            return ""  # it will be said by whoever needs the engine
        return swept(leftovers, len(failed)) if leftovers else ""

    def missing(self, capabilities: Iterable[str]) -> str:
        """Why these capabilities can't be had here; empty if they can."""
        engine = self.lab.engine
        lacks = [name for name in capabilities if not engine.can(name)]
        if not lacks:
            return ""
        what = ", ".join(f"{name!r} ({KNOWN[name]})" for name in lacks)
        reason = one_line(f"{engine.kind} {engine.version} lacks {what}", 2000)
        self.lacks[reason] = tuple(lacks)
        return reason

    def require(self, *capabilities: str) -> None:
        """Skip, with the reason, where a capability is missing; fail under ``--dockconn-strict``."""
        reason = self.missing(capabilities)
        if not reason:
            return
        if self.settings.strict:
            pytest.fail(f"--dockconn-strict: {reason}", pytrace=False)
        pytest.skip(reason)

    def image(self, role: str) -> Image:
        """One of the two images."""
        services = self.session.services
        with services.doubt.about():
            facts = services.images.get(role)
        return Image(facts.id, next(iter(facts.tags), facts.id))

    def linked_client(self) -> Client:
        """``client3``; skipped where the engine refuses links."""
        self.require("links")
        return self.tutorial.linked_client()

    def connection(self, kind: str) -> Connection:
        """One of the three ways."""
        needs = {"bind": "bound-ports", "link": "links"}
        if kind in needs:
            self.require(needs[kind])
        return self.tutorial.connection(kind)

    def bound_server(self) -> Server:
        """``server2``; skipped where nobody could ask it from here."""
        self.require("bound-ports")
        return self.tutorial.bound()

    def start_closing(self, *, interrupted: bool = False) -> None:
        """Begin to remove everything, while pytest still writes its summary. A fork has nothing to remove.

        ``interrupted``: what is still being made in the background, as an image, is not waited for; the helper looks what became of it.
        """
        if self._closing or self.forked:
            return
        self._hurry = self._hurry or interrupted
        try:
            self._wait()
            self.session.start_closing()
        except BaseException:
            self.session.interrupted = self._hurry = True
            raise
        if self._images_due and not self._hurry:
            self._in_background(self._sweep_images)
        self._closing = True  # at the end: where Ctrl-C came before it, ``close`` begins again

    def _wait(self) -> None:
        until = time.monotonic() + HURRY
        if self._hurry:
            base.give_up()
        while self._begun:
            self._begun[-1].join(max(0.0, until - time.monotonic()) if self._hurry else None)
            self.session.interrupted |= self._begun[-1].is_alive()
            self._begun.pop()

    def close(self) -> list[str]:
        """Wait until everything is removed; returns what could not be. Called again, it says the same."""
        if self.forked:
            return []
        if self._left is None:
            self.start_closing()
            self._wait()
            self._left = self.session.close()
        return self._left

    def give_up(self) -> str:
        """After Ctrl-C while this waits: who removes what is left."""
        self._left = []
        helper = not self.forked and self.session.give_up()
        self.gave_up = f"what may be left is removed by {'the helper process' if helper else '`dockconn prune`'}"
        return self.gave_up

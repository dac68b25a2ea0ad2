"""Every container as a source: its own agent where that is its main process, else a sidecar in its network namespace."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from .. import labels
from ..engine.port import Engine
from ..errors import CapabilityError, NotFound
from ..logic.names import on_engine
from ..logic.privileges import NOTHING
from ..model.facts import ContainerFacts
from ..model.spec import ContainerPlan
from .agents import Channel, StreamChannel
from .doubt import Doubt
from .facts import Facts
from .images import CLIENT, Images

#: As a source: the engine's host, by a sidecar in its namespace.
HOST = "host"


class _Seat(Struct):
    """A channel, and what it was opened to: another process id means another network namespace."""

    pid: int
    channel: Channel
    sidecar: str | None


class Agents:
    """The channels of a session."""

    def __init__(self, engine: Engine, facts: Facts, images: Images, run: str, doubt: Doubt) -> None:
        self._engine = engine
        self._doubt = doubt
        self._facts = facts
        self._images = images
        self._run = run
        self._numbers = itertools.count(1)
        self._seats: dict[str, _Seat] = {}
        #: containers whose own agent hears nobody any more, and its process id
        self._lost: dict[str, int] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        #: clients of an earlier run that are this one's now
        self.taken: set[str] = set()

    def runs_in(self, facts: ContainerFacts) -> bool:
        """Whether the agent is the main process: a client of our image with the command that this run gave it.

        One of another run has a master: both would write into one stdin, and the end of one is the end of it. What others
        start of an image that this run commits has its labels and its command, but neither its name nor an open stdin.
        """
        mine = facts.labels.get(labels.RUN) == self._run or facts.id in self.taken
        ours = mine and labels.is_ours(facts.labels, facts.name)
        return ours and facts.labels.get(labels.SPEAKS) == CLIENT and facts.command[-2:] == ("dockconn-agent", "serve")

    def channel(self, container: str) -> Channel:
        """The way to ask from a container (its full id), or from ``HOST``. Raises ``DockconnError`` where there is none."""
        facts = None if container == HOST else self._facts.get(container)
        pid = facts.pid if facts else 0
        with self._lock:
            seat = self._seats.get(container)
            lock = self._locks.setdefault(container, threading.Lock())
        if seat and seat.pid == pid and seat.channel.alive:
            return seat.channel
        with lock:
            seat = self._seats.get(container)
            if not (seat and seat.pid == pid and seat.channel.alive):
                # its own agent reads from no second stream: the engine has closed its stdin with the first one
                if seat is not None and seat.sidecar is None:
                    self._lost[container] = seat.pid
                self.release(container)
                with self._doubt.about():  # until it is where it is looked for
                    seat = self._open(container, facts, own=self._lost.get(container) != pid)
                    self._seats[container] = seat
            return seat.channel

    def own(self, facts: ContainerFacts) -> Channel | None:
        """The way to the agent that is a container's main process; None where there is none, or it hears nobody any more."""
        if not self.runs_in(facts):
            return None
        channel = self.channel(facts.id)
        return None if self._lost.get(facts.id) == facts.pid else channel

    def _open(self, container: str, facts: ContainerFacts | None, *, own: bool) -> _Seat:
        if facts is None:
            return self._sidecar(0, HOST, "the engine's host")
        if facts.status in ("created", "exited", "dead", "restarting"):
            raise CapabilityError(
                f"{facts.name} can't be asked from: it is {facts.status}",
                checked=f"state {facts.status}, exit code {facts.exit_code}",
                remedy="start it first",
            )
        if own and self.runs_in(facts):
            return _Seat(facts.pid, StreamChannel(self._engine.attach(container), facts.name), None)
        mode = facts.network_mode if facts.network_mode.startswith("container:") else f"container:{container}"
        return self._sidecar(facts.pid, mode, facts.name)

    def _sidecar(self, pid: int, mode: str, name: str) -> _Seat:
        called = on_engine(self._run, "", f"sidecar{next(self._numbers)}")
        plan = ContainerPlan(
            image=self._images.get(CLIENT).id,
            name=called,
            labels=labels.made(self._run, called, "sidecar"),
            command=("dockconn-agent", "serve"),
            network_mode=mode,
            capabilities=NOTHING,
            read_only=True,
            interactive=True,
            keep_logs=False,
        )
        with self._doubt.about(), contextlib.ExitStack() as undo:
            sidecar = self._engine.create(plan)
            undo.callback(self._doubt.undo, partial(self._engine.remove, sidecar))
            stream = self._engine.attach(sidecar)
            undo.callback(stream.close)  # nobody would close it where the owner ended meanwhile and the start fails
            self._engine.start(sidecar)
            seat = _Seat(pid, StreamChannel(stream, f"a sidecar of {name}"), sidecar)
            undo.pop_all()
            return seat

    def release(self, container: str) -> None:
        """Close the channel of a container, and remove its sidecar."""
        with self._doubt.removing():
            with self._lock:
                seat = self._seats.pop(container, None)
            if seat is None:
                return
            seat.channel.close()
            if seat.sidecar is not None:
                with contextlib.suppress(NotFound):
                    self._engine.remove(seat.sidecar)

    def opened(self) -> tuple[str, ...]:
        """The containers that have a channel."""
        with self._lock:
            return tuple(self._seats)

    def releases(self) -> list[Callable[[], None]]:
        """One call for each open channel that closes it; to be made side by side."""
        return [lambda c=c: self.release(c) for c in self.opened()]  # type: ignore[misc]

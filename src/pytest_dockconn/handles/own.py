"""The containers that a run makes, and so may change and remove."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from functools import partial

from .. import labels
from ..actions import agents, committed
from ..actions.containers import await_answers, raise_if_ended
from ..actions.holders import refused
from ..actions.services import Services
from ..errors import DockconnError, PortInUse
from ..logic.names import new_image
from ..logic.specs import words
from ..model.facts import ContainerFacts
from ..model.spec import PortKey, Publish
from ..text import block, ending, one_line
from .container import Container
from .image import Image

#: Seconds between SIGTERM and SIGKILL.
STOP_TIME = 5
#: Characters of what a failed command wrote.
SHOWN = 1000
_COUNT = itertools.count()


class Own(Container):
    """A container that this run made."""

    ours = True

    def __init__(
        self,
        services: Services,
        facts: ContainerFacts,
        name: str,
        *,
        ports_awaited: tuple[PortKey, ...] = (),
        token: str = "",
    ) -> None:
        super().__init__(services, facts, name)
        self._awaited = ports_awaited
        #: what was committed of it, and the how manieth of all in this process that was
        self.images: list[tuple[int, Image]] = []
        #: whether those are being removed: a later one is nobody's
        self.over = False
        if token:
            services.speakers[facts.id] = token

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in it, without a shell.

        Raises ``CalledProcessError`` as ``subprocess.run`` does, and ``EngineError`` where it writes more than 16 MiB or takes
        longer than an hour.
        """
        words(argv, "run", 'run("curl", "-s", "http://server3/")')
        if self.services.reuse is not None:
            self.services.room.before_command(self._id, argv)
        with self.must_be_there("run a command in"):
            done = self.services.engine.execute(self._id, argv)
        if check and done.returncode:
            raise CommandFailed(done.returncode, list(argv), done.stdout, done.stderr)
        return subprocess.CompletedProcess(list(argv), done.returncode, done.stdout, done.stderr)

    def stop(self) -> None:
        """Stop it: SIGTERM, SIGKILL after 5 s. Its addresses and free host ports may be others when it starts again."""
        facts = self.facts()  # remembers the last addresses
        if facts.running and self.services.agents.runs_in(facts):
            # process 1 ignores SIGTERM until it has a handler: in the agent's first 50 ms a stop would take all of 5 s
            with contextlib.suppress(DockconnError):
                agents.look(self.services.agents.channel(self._id), "container")
        try:
            with self.must_be_there("stop"):
                self.services.engine.stop(self._id, STOP_TIME)
        finally:
            self.services.facts.forget(self._id)
        self.services.agents.release(self._id)

    def start(self) -> None:
        """Start it again; returns when it answers as it did at first. Raises ``StartFailed``, ``PortInUse``."""
        with self.must_be_there("start"):
            bound = [Publish(one.port, one.address, str(one.host_port)) for one in self.last_facts().bindings]
            try:
                self.services.engine.start(self._id)
            except PortInUse as error:
                raise refused(self.services.engine, bound, error, same_host=self.services.same_host) from error
        self.services.facts.forget(self._id)
        try:
            self.services.renew_partitions(self._id)
        except DockconnError:
            raise_if_ended(self.services.engine, self._id)  # then that is why
            raise
        await_answers(self.services, self.facts(), self._awaited, speaks=self.speaks)
        if not self._awaited:
            raise_if_ended(self.services.engine, self._id)

    def restart(self) -> None:
        """Stop, then start."""
        self.stop()
        self.start()

    def commit(self, tag: str) -> Image:
        """Make an image of it, as ``docker commit`` does; it is removed with the lab.

        Raises ``SpecError`` for a bad tag, and for one that an image of others, or of another run that lives, has; nothing was
        created then.
        """
        repository, version = new_image(tag)
        name = f"{repository}:{version}"
        self.services.remover.join()  # an earlier test's image of that name may be about to go
        committed.check_free(self.services.engine, name, self.services.run)
        facts = self.facts()
        # A container inherits the labels of its image: these bear the image's name, so nothing started of it looks ours.
        marks = labels.made(self.services.run, name, "commit")
        marks[labels.SPEAKS] = facts.labels.get(labels.SPEAKS, "")
        with self.services.doubt.about(), self.must_be_there("commit"):
            made = Image(self.services.engine.commit(self._id, repository, version, marks), name)
            self.images.append((next(_COUNT), made))
            if self.over:
                self.services.doubt.undo(partial(committed.discard, self.services.engine, made.id, made.tag))
        return made

    def discard(self) -> None:
        """Remove it and its sidecar."""
        self.services.agents.release(self._id)
        self.services.engine.remove(self._id)
        self.services.facts.forget(self._id)
        self.services.known.pop(self._id, None)
        if self.services.reuse is not None:
            self.services.reuse.end(self._id)

    def leave(self) -> None:
        """Let go of it, for the next run."""
        self.services.agents.release(self._id)
        self.services.known.pop(self._id, None)


class Server(Own):
    """A container that answers: HTTP on every TCP port, an echo on every UDP port; or what the caller's image does."""


class Client(Own):
    """A container to ask from; its main process is the agent, so that a probe costs no exec."""


class CommandFailed(subprocess.CalledProcessError):
    """A command in a container that failed, with the end of what it wrote."""

    def __str__(self) -> str:
        # errors last, because the end is what is shown
        said = ending(f"{self.stdout or ''}\n{self.stderr or ''}".strip(), SHOWN)
        return block(f"{one_line(super().__str__(), 2000)}\n{said}").strip()

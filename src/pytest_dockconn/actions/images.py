"""The client's and the server's image: found by their hash, else built, once among all that wait for them."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from importlib import resources

from .. import labels
from ..engine.port import Engine
from ..errors import BuildFailed, DockconnError, EngineError, EngineUnavailable, SpecError
from ..logic.bases import Base
from ..logic.image_hash import digest
from ..logic.images import made_by_step
from ..model.facts import ImageFacts
from ..model.settings import Settings
from ..text import one_line, redact
from .base import Say, find, there
from .building import alone
from .steps import discard_built, remove_steps

CLIENT = "client"
SERVER = "server"
#: Before the id of what was built.
BUILT = "Successfully built "

_FILES = {CLIENT: ("dockconn-agent",), SERVER: ("dockconn-serve", "apache.conf")}


def context(role: str) -> dict[str, bytes]:
    """The files of a role's build context, by their path in it."""
    package = resources.files("pytest_dockconn")
    images = package.joinpath("images")
    files = {name: images.joinpath(name).read_bytes() for name in (f"{role}.Dockerfile", *_FILES[role])}
    if role == CLIENT:
        agent = package.joinpath("agent")
        files |= {f"agent/{f.name}": f.read_bytes() for f in agent.iterdir() if f.name.endswith(".py")}
    return files


def _tag_on(below: str, role: str) -> str:
    """The tag of a role's image on top of another, by that one's id."""
    return f"dockconn-{role}:{digest(below, context(role))}"


def labelled(dockerfile: bytes, marks: Mapping[str, str]) -> bytes:
    """A Dockerfile with labels as its last step. In one: of those that the build API is given docker 20.10 makes a step each."""
    pairs = (f"{json.dumps(name)}={json.dumps(value, ensure_ascii=False)}" for name, value in marks.items())
    return dockerfile.rstrip() + f"\nLABEL {' '.join(pairs)}\n".replace("$", "\\$").encode()


def packed(files: Mapping[str, bytes]) -> io.BytesIO:
    """The files as the tar that the engine's build API takes."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(data))
    whole.seek(0)
    return whole


class Images:
    """The two images of a session. ``use``: called before one is looked for; ``begin``: before one is asked for, to build it or to make something of it."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        base: Base,
        run: str,
        say: Say,
        *,
        use: Callable[[], object] = lambda: None,
        begin: Callable[[], object] = lambda: None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._base = base
        self._run = run
        self._say = say
        self._use = use
        self._begin = begin
        self._found: dict[str, ImageFacts] = {}
        self._refused: dict[str, DockconnError] = {}
        self._locks = {CLIENT: threading.Lock(), SERVER: threading.Lock()}

    def get(self, role: str) -> ImageFacts:
        """The image of a role. Raises ``SpecError`` for a wrong option, ``BuildFailed`` for a build that fails."""
        self._begin()
        with self._locks[role]:
            if role in self._refused:
                raise self._refused[role]  # a pull or a bootstrap that fails takes long: not again for each test
            if role not in self._found:
                self._use()
                try:
                    self._found[role] = self._ready(role) or self._built(role)
                except (SpecError, BuildFailed) as error:
                    self._refused[role] = error
                    raise
            return self._found[role]

    def look(self) -> None:
        """Find what is there already, and nothing more: whoever wants an image later need not ask."""
        self._use()
        for role in (CLIENT, SERVER):  # the server's tag is made of the client's id
            with self._locks[role]:
                found = self._found.get(role) or self._there(role)
                if found is None:
                    return
                self._found[role] = found

    def _there(self, role: str) -> ImageFacts | None:
        name = self._wished(role)
        if name is None:
            below = self._found[CLIENT].id if role == SERVER else (there(self._engine, self._base) or ("", ""))[1]
            name = _tag_on(below, role) if below else ""
        return self._engine.image(name) if name else None

    def _wished(self, role: str) -> str | None:
        """The ready image that an option names."""
        return self._settings.client_image if role == CLIENT else self._settings.server_image

    def _ready(self, role: str) -> ImageFacts | None:
        name = self._wished(role)
        if name is None:
            return None
        image = self._engine.image(name)
        if image is None:
            raise SpecError(
                f"--dockconn-{role}-image {name!r}: the engine has no such image",
                checked=f"the images of the engine at {redact(self._engine.url)}",
                remedy=f"docker pull {name}, or leave the option out to have the image built",
            )
        return image

    def _built(self, role: str) -> ImageFacts:
        tag, below = self._tag(role)
        found = self._engine.image(tag)
        if found is not None:
            return found
        with alone(self._engine, tag, self._say):
            found = self._engine.image(tag)  # the one that held the lock may have built it
            if found is None:
                found = self._one_of(tag, self._build(role, tag, below))
        if found is None:
            raise BuildFailed(
                f"image {tag} was built, but the engine does not show it", checked=redact(self._engine.url)
            )
        return found

    def _one_of(self, tag: str, made: str) -> ImageFacts | None:
        """What the tag leads to; it may be another run's that built the same meanwhile, and then this one is thrown away."""
        found = self._engine.image(tag)
        if found is not None and made and not found.id.removeprefix("sha256:").startswith(made):
            with contextlib.suppress(DockconnError):
                discard_built(self._engine, made, tag)
        return found

    def _tag(self, role: str) -> tuple[str, str]:
        """The tag, and the name or id of the image below."""
        below, found = self._below(role)
        return _tag_on(found, role), below

    def _below(self, role: str) -> tuple[str, str]:
        """The name of the image below, and its id."""
        if role == SERVER:
            client = self.get(CLIENT).id
            return client, client
        base = there(self._engine, self._base)
        if base is None:
            name = self._made_base()
            facts = self._engine.image(name)
            if facts is None:
                raise BuildFailed(f"the base {name} is gone from the engine", checked=redact(self._engine.url))
            return name, facts.id
        return base

    def _made_base(self) -> str:
        with alone(self._engine, "the base", self._say):
            return find(self._engine, self._base, self._labels("base", ""), self._say)

    def _labels(self, role: str, tag: str) -> dict[str, str]:
        return {**labels.made(self._run, tag or role, f"{role}-image"), labels.BUILD: labels.FINISHED}

    def _files(self, role: str, tag: str) -> io.BytesIO:
        files, dockerfile = context(role), f"{role}.Dockerfile"
        marks = {**self._labels(role, tag), labels.HASH: tag.partition(":")[2], labels.SPEAKS: role}
        return packed({**files, dockerfile: labelled(files[dockerfile], marks)})

    def _build(self, role: str, tag: str, below: str) -> str:
        """Build it; its id, as far as the engine tells it. Raises ``BuildFailed``."""
        begun = time.monotonic()
        self._say(f"building {tag} on {one_line(below, 40)}")
        tail: list[str] = []
        step = done = ""
        try:
            for line in self._engine.build(self._files(role, tag), f"{role}.Dockerfile", tag, {"BASE": below}):
                tail = [*tail, line][-20:]
                done = made_by_step(line) or done
                if line.startswith("Step "):
                    step = line
                    if " : LABEL " not in line:
                        self._say(f"{role}: {one_line(line, 90)} [{time.monotonic() - begun:.0f} s]")
        except EngineUnavailable:
            raise
        except EngineError as error:
            with contextlib.suppress(DockconnError):
                remove_steps(self._engine, done)
            raise self._failed(role, tag, step, tail, error) from error
        self._say(f"built {tag} [{time.monotonic() - begun:.0f} s]")
        return next((line.removeprefix(BUILT).strip() for line in tail if line.startswith(BUILT)), "")

    def _failed(self, role: str, tag: str, step: str, tail: list[str], error: DockconnError) -> BuildFailed:
        output = "\n".join("    " + one_line(line, 500) for line in tail)
        return BuildFailed(
            f"the {role} image {tag} can't be built: {step or 'before the first step'}: {error.cause}\n{output}",
            checked=f"the base {self._base.source!r} ({self._base.kind}) with {role}.Dockerfile; the last lines of the output are above",
            remedy="it needs a Debian or Ubuntu base whose packages the engine can reach; name another with --dockconn-base, "
            f"or a ready image with --dockconn-{role}-image",
        )

"""The base of the two images: an image that is there, one that is pulled, or a root file system made here."""

from __future__ import annotations

import bz2
import contextlib
import hashlib
import io
import lzma
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from ..engine.port import Engine
from ..errors import BuildFailed, EngineError, EngineUnavailable, SpecError
from ..labels import NAME
from ..logic.bases import DEFAULT_IMAGE, Base
from ..logic.given import shown
from ..text import ending, one_line

REPOSITORY = "dockconn-base"
#: The first bytes of what zstd packed.
ZSTD = b"\x28\xb5\x2f\xfd"
#: Seconds that a bootstrap may take.
BOOTSTRAP_TIME = 1200

Say = Callable[[str], None]


def find(engine: Engine, base: Base, labels: dict[str, str], say: Say) -> str:
    """The name of the base on the engine, made where it is not there. Raises ``SpecError`` or ``BuildFailed``."""
    if base.kind == "image":
        return named(engine, base.source, say)
    if base.kind == "tar":
        return from_tar(engine, tar_of(base), labels, say)
    if base.kind == "bootstrap":
        return bootstrap(engine, base.source, labels, say)
    return automatic(engine, labels, say)


def there(engine: Engine, base: Base) -> tuple[str, str] | None:
    """Name and id of the base where it is on the engine: then nobody waits for the lock under which it is made."""
    suite = {"auto": host_suite(), "bootstrap": base.source}.get(base.kind)
    named = {"auto": [DEFAULT_IMAGE], "image": [base.source]}.get(base.kind, [])
    for name in named + ([f"{REPOSITORY}:{suite}"] if suite else []):
        found = engine.image(name)
        if found is not None:
            return name, found.id
    return None


def automatic(engine: Engine, labels: dict[str, str], say: Say) -> str:
    """The default image if it is there; a bootstrapped base of an earlier run; the default image pulled; a bootstrap.

    An earlier bootstrap comes before the pull, because where the registry is out of reach the attempt takes 10 s.
    """
    suite = host_suite()
    if engine.image(DEFAULT_IMAGE):
        return DEFAULT_IMAGE
    if suite and engine.image(f"{REPOSITORY}:{suite}"):
        return f"{REPOSITORY}:{suite}"
    try:
        return named(engine, DEFAULT_IMAGE, say)
    except SpecError as no_image:
        if suite is None or not _tool():
            raise
        say(f"{DEFAULT_IMAGE} can't be pulled here ({no_image.checked}), so a base is made of {suite}'s packages")
    return bootstrap(engine, suite, labels, say)


def named(engine: Engine, name: str, say: Say) -> str:
    """An image that is there, or can be pulled."""
    if engine.image(name):
        return name
    say(f"pulling {name}")
    try:
        engine.pull(name)
    except EngineUnavailable:
        raise
    except EngineError as error:
        raise SpecError(
            f"the base image {name!r} is not on the engine and can't be pulled",
            checked=ending(error.cause.partition(": ")[2], 300),
            remedy="load it (`docker load`), write --dockconn-base bootstrap:SUITE, or the path of a root file system's tar",
        ) from error
    return name


def from_tar(engine: Engine, path: Path, labels: dict[str, str], say: Say) -> str:
    """A root file system's tar, imported once for its content."""
    say(f"reading {path}")
    with path.open("rb") as file:
        tag = f"tar-{_digest(file)}"
    name = f"{REPOSITORY}:{tag}"
    if engine.image(name) is None:
        say(f"importing {path}")
        with path.open("rb") as file:
            _import(engine, file, tag, labels, str(path))
    return name


def _digest(file: IO[bytes]) -> str:
    whole = hashlib.sha256()
    for block in iter(lambda: file.read(1 << 20), b""):
        whole.update(block)
    return whole.hexdigest()[:12]


def tar_of(base: Base) -> Path:
    """The path of a base that is a tar. Raises ``SpecError`` for what is none."""
    try:
        path = Path(base.source).expanduser()
        there, why = path.is_file(), "no such file"
    except (RuntimeError, OSError, ValueError) as error:  # nobody's home, a name that is too long
        there, why = False, one_line(str(error))
    if not there:
        raise SpecError(
            f"--dockconn-base {shown(base.source)}: {why}",
            checked="a path is taken from the folder that pytest runs in",
            remedy="write the path of a root file system's tar, or the name of an image",
        )
    check_tar(path)
    return path


def check_tar(path: Path) -> None:
    """Raises ``SpecError`` for a file that is not the tar of a root file system.

    Its first header alone is read, whatever it says: the engine reads the rest.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(ZSTD))
        if head == ZSTD:  # Python reads it from 3.14 on; the engine reads it
            return
        with _unpacked(path, head) as unpacked:
            tarfile.TarInfo.frombuf(unpacked.read(tarfile.BLOCKSIZE), tarfile.ENCODING, "surrogateescape")
    except (tarfile.TarError, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise _no_tar(path, str(error)) from error


def _unpacked(path: Path, head: bytes) -> io.BufferedIOBase:
    """The file as the engine would read it, by its first bytes."""
    if head.startswith(b"\x1f\x8b"):
        import gzip  # noqa: PLC0415 - seldom

        return gzip.GzipFile(path)
    if head.startswith(b"BZh"):
        return bz2.open(path)
    return lzma.open(path) if head == b"\xfd7zX" else path.open("rb")


def _no_tar(path: Path, why: str) -> SpecError:
    return SpecError(
        f"--dockconn-base {shown(str(path))} is not a tar",
        checked=one_line(why),
        remedy="make one: tar -C ROOTFS -c . > base.tar, or mmdebstrap --variant=minbase SUITE base.tar",
    )


def _import(engine: Engine, file: IO[bytes], tag: str, labels: dict[str, str], source: str) -> None:
    try:
        engine.import_image(file, REPOSITORY, tag, {**labels, NAME: f"{REPOSITORY}:{tag}"})
    except EngineUnavailable:
        raise
    except EngineError as error:
        raise BuildFailed(
            f"the base made of {source} was not taken by the engine",
            checked=ending(error.cause, 500),
            remedy="see whether the engine has room on its disk (`docker system df`)",
        ) from error


def host_suite() -> str | None:
    """The suite of this machine, if it is a Debian or an Ubuntu; None elsewhere."""
    facts = {}
    with contextlib.suppress(OSError):
        for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            facts[key] = value.strip('"')
    if facts.get("ID") not in ("debian", "ubuntu"):
        return None
    return facts.get("VERSION_CODENAME") or None


def _tool() -> str | None:
    return shutil.which("mmdebstrap") or shutil.which("debootstrap")


def bootstrap(engine: Engine, suite: str, labels: dict[str, str], say: Say) -> str:
    """A root file system made from a Debian or Ubuntu archive, with no registry; the tool knows the archive."""
    name = f"{REPOSITORY}:{suite}"
    if engine.image(name):
        return name
    tool = _tool()
    if tool is None:
        raise BuildFailed(
            f"a base can't be made of {suite}: neither mmdebstrap nor debootstrap is installed",
            checked="PATH",
            remedy="apt-get install mmdebstrap, or name an image: --dockconn-base IMAGE",
        )
    check_suite(tool, suite)
    say(f"making a base of {suite}'s packages with {Path(tool).name} (12 to 60 s)")
    try:
        with tempfile.TemporaryDirectory(prefix="dockconn-") as folder, _made(tool, suite, Path(folder)) as tar:
            say("importing the base")
            _import(engine, tar, suite, labels, suite)
    except subprocess.TimeoutExpired as error:
        raise _too_slow(suite, error) from error
    except OSError as error:  # a full disk, no folder for temporary files, a tool that can't be run
        raise BuildFailed(
            f"a base of {suite} can't be made: {one_line(str(error), 300)}",
            checked=f"{tool}, in a folder for temporary files",
            remedy="make room there (TMPDIR names another one), or name an image: --dockconn-base IMAGE",
        ) from error
    return name


def _too_slow(suite: str, error: subprocess.TimeoutExpired) -> BuildFailed:
    # bytes, even of a process whose output is text (seen on Python 3.11)
    said = [part.decode(errors="replace") if isinstance(part, bytes) else part for part in (error.stdout, error.stderr)]
    text = "".join(filter(None, said)).strip()
    return BuildFailed(
        f"a base of {suite} can't be made: {Path(error.cmd[0]).name} was not done after {error.timeout:g} s\n"
        + _last(text),
        checked=" ".join(error.cmd),
        remedy="see whether the archive answers, or name an image: --dockconn-base IMAGE",
    )


def check_suite(tool: str, suite: str) -> None:
    """Raises ``SpecError`` for a suite that debootstrap has no script for. mmdebstrap itself asks the archive."""
    scripts = Path("/usr/share/debootstrap/scripts")
    if Path(tool).name == "debootstrap" and scripts.is_dir() and not (scripts / suite).exists():
        raise _no_suite(suite, f"{scripts} has no {suite!r}")


def _no_suite(suite: str, checked: str) -> SpecError:
    return SpecError(
        f"--dockconn-base bootstrap:{suite}: no such suite",
        checked=checked,
        remedy="write a suite of Debian or Ubuntu, such as bookworm, trixie or noble",
    )


@contextlib.contextmanager
def _made(tool: str, suite: str, folder: Path) -> Iterator[IO[bytes]]:
    if Path(tool).name == "mmdebstrap":
        tar = folder / "base.tar"
        _run([tool, "--variant=minbase", suite, str(tar)], suite)
        with tar.open("rb") as file:
            yield file
        return
    root = folder / "root"
    _run([tool, "--variant=minbase", suite, str(root)], suite)
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as packing:  # noqa: S603, S607
        assert packing.stdout is not None
        yield packing.stdout


#: The tools that are at work, in threads too.
_tools: set[subprocess.Popen[str]] = set()


def _done(argv: list[str]) -> subprocess.CompletedProcess[str]:
    """As ``subprocess.run``; ``give_up`` ends it."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace") as tool:  # noqa: S603
        _tools.add(tool)
        try:
            out, err = tool.communicate(timeout=BOOTSTRAP_TIME)
        except BaseException:
            tool.kill()
            raise
        finally:
            _tools.discard(tool)
    return subprocess.CompletedProcess(argv, tool.returncode, out, err)


def give_up() -> None:
    """End what makes a base: it writes into a folder that goes with this process, which waits for it no longer."""
    for tool in tuple(_tools):
        tool.terminate()


def _run(argv: list[str], suite: str) -> None:
    done = _done(argv)
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()
    lower = said.lower()
    if (
        "does not have a release file" in lower
        or "cannot guess" in lower
        or "no such script" in lower
        or "404" in lower
    ):
        raise _no_suite(suite, _telling(said) if said else f"{Path(argv[0]).name} failed")
    raise BuildFailed(
        f"a base of {suite} can't be made: {Path(argv[0]).name} ended with {done.returncode}\n" + _last(said),
        checked=" ".join(argv),
        remedy="run it by hand to see more; it needs root (or user namespaces) and a way to the archive",
    )


def _telling(said: str) -> str:
    """The line that says that there is no such suite; the last one is often only "mmdebstrap failed to run"."""
    marks = ("release file", "cannot guess", "no such script", "404")
    lines = [line for line in said.splitlines() if any(mark in line.lower() for mark in marks)]
    return (lines[-1] if lines else said.splitlines()[-1]).strip()[:300]


def _last(text: str, lines: int = 20) -> str:
    return "\n".join("    " + line for line in ending(text).splitlines()[-lines:])

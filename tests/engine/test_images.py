"""The two images: what they are built on, once, and what is said when that can't be."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_dockconn import Image, Lab, labels
from pytest_dockconn.actions.images import CLIENT, SERVER, Images, context
from pytest_dockconn.actions.services import Services
from pytest_dockconn.actions.steps import _is_built, _made_by, discard_built
from pytest_dockconn.errors import BuildFailed, DockconnError, SpecError
from pytest_dockconn.logic import bases
from pytest_dockconn.model.settings import Settings

SERVER_FILES = context(SERVER)


@pytest.fixture
def services(dockconn: Lab) -> Services:
    return dockconn._services


def images_on(services: Services, base: str, said: list[str] | None = None, **settings: str) -> Images:
    say = said.append if said is not None else lambda _: None
    return Images(services.engine, Settings(base=base, **settings), bases.parse(base), services.run, say)  # type: ignore[arg-type]


def test_a_second_run_finds_both_without_building(
    services: Services, dockconn_client_image: Image, dockconn_server_image: Image
) -> None:
    said: list[str] = []
    again = images_on(services, services.settings.base, said)

    begun = time.perf_counter()
    found = [again.get(role).id for role in (CLIENT, SERVER)]
    took = time.perf_counter() - begun

    assert found == [dockconn_client_image.id, dockconn_server_image.id]
    assert not any("building" in line for line in said)
    assert took < 5  # the bench shows 20 ms; here only that nothing is built


def test_ready_images_are_taken_as_they_are(services: Services, dockconn_client_image: Image) -> None:
    ready = images_on(services, "auto", client_image=dockconn_client_image.tag)

    assert ready.get(CLIENT).id == dockconn_client_image.id


@pytest.fixture
def not_a_tar(tmp_path: Path) -> Path:
    path = tmp_path / "base.tar"
    path.write_bytes(b"this is no tar" * 1000)
    return path


@pytest.fixture
def empty_root(tmp_path: Path, services: Services) -> Iterator[Path]:
    """A tar that is one, of a root file system in which nothing can be installed."""
    path = tmp_path / "root.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("etc/hostname")
        entry.size = 2
        tar.addfile(entry, io.BytesIO(b"x\n"))
    yield path
    for image in services.engine.images("dockconn.role=base-image"):
        if any(tag.startswith("dockconn-base:tar-") for tag in image.tags):
            services.engine.remove_image(image.tags[0])


def test_a_tar_that_is_none(services: Services, not_a_tar: Path) -> None:
    with pytest.raises(SpecError, match="is not a tar") as caught:
        images_on(services, str(not_a_tar)).get(CLIENT)
    assert caught.value.remedy


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """One of a tar; a device has the numbers of /dev/zero, or of a first disk."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = kind, target, 0o666
    entry.devmajor, entry.devminor = (8, 0) if kind == tarfile.BLKTYPE else (1, 5)
    return entry


#: Tars that would write elsewhere, by the folder of the host that they mean. ``UP`` leads to the root from everywhere.
UP = "../" * 20
LEAD_OUT: dict[str, Callable[[Path], list[tarfile.TarInfo]]] = {
    "up": lambda out: [member(f"{UP}{out}/made")],
    "in and up": lambda out: [member("a", tarfile.DIRTYPE), member(f"a/{UP}{out}/made")],
    "absolute": lambda out: [member(f"{out}/made")],
    "through a link": lambda out: [member("out", tarfile.SYMTYPE, str(out)), member("out/made")],
    "through a link up": lambda out: [member("out", tarfile.SYMTYPE, f"{UP}{out}"), member("out/made")],
    "a link, then the file": lambda out: [member("kept", tarfile.SYMTYPE, f"{out}/kept"), member("kept")],
    "hard link": lambda out: [member("kept", tarfile.LNKTYPE, f"{out}/kept"), member("kept")],
    "hard link up": lambda out: [member("kept", tarfile.LNKTYPE, f"{UP}{out}/kept")],
    "character device": lambda out: [member(f"{out}/zero", tarfile.CHRTYPE)],
    "block device": lambda out: [member(f"{UP}{out}/disk", tarfile.BLKTYPE)],
    "pipe": lambda out: [member(f"{UP}{out}/pipe", tarfile.FIFOTYPE)],
}


@dataclass(frozen=True)
class Outside:
    """A folder of the host that a tar wants to write to."""

    folder: Path
    tar: Path

    def pack(self, members: list[tarfile.TarInfo]) -> None:
        with tarfile.open(self.tar, "w") as tar:
            for one in members:
                tar.addfile(one)

    def is_untouched(self) -> bool:
        (kept,) = self.folder.iterdir()  # a device or a pipe would be read without end
        return (kept.name, kept.read_text(), kept.stat().st_nlink) == ("kept", "kept", 1)


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "kept").write_text("kept")
    return Outside(folder, tmp_path / "base.tar")


@pytest.mark.parametrize("kind", LEAD_OUT)
def test_a_tar_that_leads_out_of_its_root(services: Services, outside: Outside, kind: str) -> None:
    """The engine unpacks it, in a root of its own, or refuses it: nothing of the host is touched, and nothing is left."""
    outside.pack(LEAD_OUT[kind](outside.folder))
    images, before = images_on(services, str(outside.tar)), bases_made(services)
    taken, cause = set[str](), ""

    try:
        taken.add(images._made_base())
    except BuildFailed as refused:
        cause = refused.cause

    assert taken or f"the base made of {outside.tar} was not taken by the engine" in cause
    assert bases_made(services) - before == taken
    for name in taken:
        services.engine.remove_image(name)
    assert outside.is_untouched()
    assert bases_made(services) == before


def bases_made(services: Services) -> set[str]:
    """By this run, of tars: their tags; an import without one shows by its id."""
    found = services.engine.images(f"{labels.RUN}={services.run}")
    bases = [image for image in found if image.labels[labels.ROLE] == "base-image"]
    return {tag for image in bases for tag in image.tags or (image.id,)}


def test_a_tar_that_is_not_there(services: Services, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        images_on(services, str(tmp_path / "nothing.tar")).get(CLIENT)


def test_a_build_that_fails_shows_its_step_and_output(services: Services, empty_root: Path) -> None:
    before = services.engine.images(labels.BUILD, untagged=True)
    with pytest.raises(BuildFailed) as caught:
        images_on(services, str(empty_root)).get(CLIENT)

    assert services.engine.images(labels.BUILD, untagged=True) == before
    assert "Step 4/" in caught.value.cause.splitlines()[0]
    assert "apt-get update" in caught.value.cause
    assert "--dockconn-base" in caught.value.remedy
    assert not [c for c in services.engine.containers() if "apt-get" in str(c)]


def test_an_image_that_can_not_be_had(services: Services) -> None:
    with pytest.raises(
        SpecError, match="the base image 'localhost:1/no/such:image' is not on the engine and can't be pulled"
    ):
        images_on(services, "localhost:1/no/such:image").get(CLIENT)


def test_a_ready_image_that_is_not_there(services: Services) -> None:
    with pytest.raises(SpecError, match="--dockconn-server-image 'no-such-image': the engine has no such image"):
        images_on(services, "auto", server_image="no-such-image").get(SERVER)


def test_a_suite_that_does_not_exist(services: Services) -> None:
    with pytest.raises(DockconnError, match="bootstrap:nosuchsuite: no such suite") as caught:
        images_on(services, "bootstrap:nosuchsuite").get(CLIENT)
    assert caught.value.remedy


BUILDER = """
import sys
from pytest_dockconn.actions.images import Images, CLIENT
from pytest_dockconn.engine.find import find
from pytest_dockconn.logic import bases
from pytest_dockconn.model.settings import Settings
images = Images(find(sys.argv[1]), Settings(), bases.parse(sys.argv[2]), sys.argv[3], print)
print("image", images.get(CLIENT).id)
"""


def test_parallel_workers_build_once(services: Services, tmp_path: Path, dockconn_client_image: Image) -> None:
    """Four processes at once, on a base of its own content: one builds, the others find. No two have the same temporary
    folder, or write the engine's URL alike."""
    base = f"dockconn-test-base:{services.run}"
    container = services.engine.create(_plan(services, dockconn_client_image.id))
    services.engine.start(container)
    services.engine.execute(container, ["sh", "-c", f"echo {services.run} > /etc/unique"])
    services.engine.commit(container, base.partition(":")[0], services.run, {"dockconn": services.run})
    services.engine.remove(container)
    workers = [_builder(tmp_path / str(number), services, base) for number in range(4)]
    outputs = [worker.communicate(timeout=240)[0] for worker in workers]

    found = {line for output in outputs for line in output.splitlines() if line.startswith("image ")}
    try:
        assert len(found) == 1, outputs
        assert sum("building dockconn-client:" in output for output in outputs) == 1
        (made,) = (services.engine.image(line.split()[1]) for line in found)
        assert made is not None
        assert _is_built(services.engine, made)  # by what docker says of its steps
        assert _made_by(services.engine, made.parent) == '/bin/sh -c #(nop)  CMD ["dockconn-agent" "serve"]'
    finally:
        for line in found:
            image = line.split()[1]
            discard_built(services.engine, image, services.engine.image(image).tags[0])  # type: ignore[union-attr]
        services.engine.remove_image(base)


def _builder(folder: Path, services: Services, base: str) -> subprocess.Popen[str]:
    folder.mkdir()
    url = services.engine.url
    if url.startswith("unix://"):
        (folder / "engine").symlink_to(url.removeprefix("unix://"))
        url = f"unix://{folder / 'engine'}"
    command = [sys.executable, "-c", BUILDER, url, base, services.run]
    env = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _plan(services: Services, image: str):  # type: ignore[no-untyped-def]
    from pytest_dockconn.model.spec import ContainerPlan

    name = f"dockconn-{services.run}-base"
    return ContainerPlan(
        image=image, name=name, labels=labels.made(services.run, name, "test"), command=("sleep", "60")
    )

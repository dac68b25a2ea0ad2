"""Images: found, made, removed."""

from __future__ import annotations

import io
import tarfile
import time

import pytest

from pytest_dockconn import labels
from pytest_dockconn.actions.committed import CHILDREN
from pytest_dockconn.actions.images import labelled, packed
from pytest_dockconn.engine.port import Engine
from pytest_dockconn.errors import Conflict, EngineError, NotFound
from pytest_dockconn.logic.images import made_by_step
from tests.contract.bench import Bench
from tests.engine.helpers import docker_py
from tests.fakes.engine import FakeEngine


def test_the_two_images(bench: Bench) -> None:
    client, server = bench.engine.image(bench.client), bench.engine.image(bench.server)
    assert client is not None
    assert server is not None
    assert client.id == bench.client
    assert client.labels[labels.SPEAKS] == "client"
    assert server.labels[labels.SPEAKS] == "server"
    assert client.command == ("dockconn-agent", "serve")
    assert server.command == ("dockconn-serve", "80/tcp")
    assert bench.engine.image(client.tags[0]) == client
    assert {client.id, server.id} <= {image.id for image in bench.engine.images(labels.SPEAKS)}
    assert client.id not in {image.id for image in bench.engine.images(f"{labels.SPEAKS}=server")}


def test_one_that_is_not_there(bench: Bench) -> None:
    assert bench.engine.image("dockconn-no-such-image:1") is None
    bench.engine.remove_image("dockconn-no-such-image:1")


def test_a_commit(bench: Bench) -> None:
    one = bench.start()
    name = bench.image("1")
    repository, _, tag = name.partition(":")
    made = bench.engine.commit(one, repository, tag, {"colour": "blue", labels.NAME: ""})
    image = bench.engine.image(name)
    assert image is not None
    assert image.id == made
    assert image.tags == (name,)
    assert image.labels["colour"] == "blue"
    assert image.labels[labels.NAME] == ""
    assert image.labels[labels.RUN] == bench.run
    assert image.command == ("sleep", "60")
    assert made in {found.id for found in bench.engine.images("colour=blue")}
    bench.engine.remove_image(name)
    assert bench.engine.image(name) is None


def test_a_tag_moves(bench: Bench) -> None:
    one = bench.start()
    repository, _, tag = bench.image("1").partition(":")
    first = bench.engine.commit(one, repository, tag, {})
    second = bench.engine.commit(one, repository, tag, {"second": "yes"})
    image = bench.engine.image(f"{repository}:{tag}")
    assert image is not None
    assert image.id == second
    assert first != second
    old = bench.engine.image(first)
    assert old is not None
    assert old.tags == ()
    bench.engine.remove_image(first)


def test_one_of_two_tags(bench: Bench) -> None:
    one = bench.start()
    names = [bench.image("1"), bench.image("2")]
    repository = names[0].partition(":")[0]
    made = bench.engine.commit(one, repository, "1", {})
    assert bench.engine.image(names[0]).comment == labels.committed_by({})  # type: ignore[union-attr]
    bench.engine.remove(one)
    _tag(bench.engine, made, names[1])
    with pytest.raises(Conflict):
        bench.engine.remove_image(made)
    bench.engine.remove_image(names[1])
    assert bench.engine.image(made).tags == (names[0],)  # type: ignore[union-attr]
    bench.engine.remove_image(made)
    assert bench.engine.image(made) is None


def test_what_others_are_made_of(bench: Bench) -> None:
    """By its id it stays, by its tag it loses that; and it does not go with them, though nothing leads to it any more."""
    repository = bench.image("below").partition(":")[0]
    one = bench.create()
    below = bench.engine.commit(one, repository, "below", {})
    other = bench.create(image=below)
    above = bench.engine.commit(other, bench.image("above").partition(":")[0], "above", {})
    for container in (one, other):
        bench.engine.remove(container)
    with pytest.raises(Conflict, match=CHILDREN):
        bench.engine.remove_image(below)
    bench.engine.remove_image(f"{repository}:below")
    assert bench.engine.image(below).tags == ()  # type: ignore[union-attr]
    bench.engine.remove_image(above)
    assert bench.engine.image(above) is None
    assert bench.engine.image(below) is not None
    bench.engine.remove_image(below)
    assert bench.engine.image(below) is None


def test_an_image_in_use_stays(bench: Bench) -> None:
    one = bench.start()
    repository, _, tag = bench.image("1").partition(":")
    made = bench.engine.commit(one, repository, tag, {})
    user = bench.start(image=made)
    with pytest.raises(Conflict):
        bench.engine.remove_image(f"{repository}:{tag}")
    bench.engine.remove(user)


def test_an_import(bench: Bench) -> None:
    name = bench.image("imported")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as whole:
        whole.addfile(tarfile.TarInfo("empty"), io.BytesIO())
    tar.seek(0)
    repository, _, tag = name.partition(":")
    made = bench.engine.import_image(tar, repository, tag, {"colour": 'light "blue"'})
    image = bench.engine.image(name)
    assert image is not None
    assert image.id == made
    assert image.labels["colour"] == 'light "blue"'
    assert image.comment == labels.committed_by(image.labels)


def test_a_build(bench: Bench) -> None:
    name = bench.image("built")
    said = list(
        bench.engine.build(
            _context('ARG BASE\nFROM ${BASE}\nCMD ["sleep", "7"]\n', colour='light "blue" for $5 \\'),
            "one.Dockerfile", name, {"BASE": bench.client},
        )
    )  # fmt: skip
    assert any(line.startswith("Step 1/") for line in said)
    assert not any("\n" in line for line in said)
    image = bench.engine.image(name)
    assert image is not None
    assert image.command == ("sleep", "7")
    assert image.labels["colour"] == 'light "blue" for $5 \\'
    last, before, *_ = bench.engine.history(image.id)
    assert "LABEL" in last
    assert "colour" in last
    assert 'CMD ["sleep"' in before
    assert bench.engine.image(image.parent).tags == ()  # type: ignore[union-attr]
    steps = [made_by_step(line) for line in said if made_by_step(line)]
    assert image.parent.removeprefix("sha256:").startswith(steps[-2])
    assert image.id.removeprefix("sha256:").startswith(steps[-1])
    bench.engine.remove_image(name)
    bench.engine.remove_image(image.parent)
    assert bench.engine.image(image.parent) is None


def test_a_command_is_the_whole_argv_whatever_the_image_begins_with(bench: Bench) -> None:
    name, again = bench.image("entry"), bench.image("again")
    text = 'ARG BASE\nFROM ${BASE}\nENTRYPOINT ["echo", "entry"]\nCMD ["image"]\n'
    list(bench.engine.build(_context(text), "one.Dockerfile", name, {"BASE": bench.client}))
    built = bench.engine.image(name)
    assert built is not None
    assert built.command == ("echo", "entry", "image")
    own = bench.start("echo", "mine", image=name)
    as_it_is = bench.start(image=name, command=None)

    for one, argv in ((own, ("echo", "mine")), (as_it_is, ("echo", "entry", "image"))):
        assert bench.engine.wait(one, 20.0) == 0
        assert bench.engine.inspect(one).command == argv
        assert bench.engine.logs(one) == f"{' '.join(argv[1:])}\n"
    # nor has an image that is committed of it any word in front of what is to run
    repository, _, tag = again.partition(":")
    bench.engine.commit(own, repository, tag, {})
    assert bench.engine.image(again).command == ("echo", "mine")  # type: ignore[union-attr]
    for one in (own, as_it_is):
        bench.engine.remove(one)  # before their images
    for image in (again, name, built.parent):
        bench.engine.remove_image(image)


def test_what_a_build_left(bench: Bench) -> None:
    """Without a tag, and no other is made of it: the last step alone, until that is gone."""
    name, mark = bench.image("built"), f"contract.{bench.run}"
    text = f'ARG BASE\nFROM ${{BASE}}\nLABEL {mark}=unfinished\nCMD ["true"]\n'
    list(bench.engine.build(_context(text, colour="blue"), "one.Dockerfile", name, {"BASE": bench.client}))
    made = bench.engine.image(name)
    assert made is not None
    assert bench.engine.images(mark, untagged=True) == ()
    (listed,) = bench.engine.images(mark)
    assert (listed.id, listed.parent) == (made.id, made.parent)
    assert abs(time.time() - listed.created) < 120
    bench.engine.remove_image(name)

    (left,) = bench.engine.images(f"{mark}=unfinished", untagged=True)
    assert left.id == made.parent
    below = bench.engine.image(left.id).parent  # type: ignore[union-attr]
    bench.engine.remove_image(left.id)
    assert [one.id for one in bench.engine.images(mark, untagged=True)] == [below]
    bench.engine.remove_image(below)
    assert bench.engine.images(mark, untagged=True) == ()


def test_the_history_of_what_is_not_there(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.engine.history("dockconn-no-such-image:1")


def test_a_build_on_what_is_not_there(bench: Bench) -> None:
    name = bench.image("failed")
    text = 'ARG BASE\nFROM ${BASE}\nCMD ["true"]\n'
    args = {"BASE": "dockconn-no-such-image:1"}
    with pytest.raises(EngineError):
        list(bench.engine.build(_context(text), "one.Dockerfile", name, args))
    assert bench.engine.image(name) is None


def _tag(engine: Engine, image: str, name: str) -> None:
    """As ``docker tag`` does it, which the plugin never needs."""
    if isinstance(engine, FakeEngine):
        engine.tag(image, name)
    else:
        docker_py(engine.url).tag(image, *name.split(":"))


def _context(dockerfile: str, **marks: str) -> io.BytesIO:
    data = dockerfile.encode()
    return packed({"one.Dockerfile": labelled(data, marks) if marks else data})

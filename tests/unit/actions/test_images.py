"""Images, found or built, on the engine in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO

import pytest
from msgspec.structs import replace
from tests.fakes.engine import BASE, FakeEngine, _image_id

from pytest_dockconn import labels
from pytest_dockconn.actions.images import CLIENT, SERVER, Images
from pytest_dockconn.logic import bases
from pytest_dockconn.model.settings import Settings


class Doubled(FakeEngine):
    """Another run builds the same at the same time: in a container, with a /tmp of its own. Its tag is the later one."""

    def build(self, context: IO[bytes], dockerfile: str, tag: str, args: Mapping[str, str]) -> Iterator[str]:
        """Build an image."""
        yield from super().build(context, dockerfile, tag, args)
        mine = self._find_image(tag)
        assert mine is not None
        self._add_image(replace(mine, id=_image_id()))


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.shut_down()


def images(engine: FakeEngine) -> Images:
    return Images(engine, Settings(), bases.parse(BASE), "ab12", lambda _: None)


def test_what_is_there_is_neither_built_nor_locked(engine: FakeEngine) -> None:
    first = [images(engine).get(role).id for role in (CLIENT, SERVER)]
    engine.calls.clear()
    again = images(engine)
    assert [again.get(role).id for role in (CLIENT, SERVER)] == first
    assert {call.split()[0] for call in engine.calls} == {"image"}


def test_of_two_that_were_built_at_once_one_is_kept() -> None:
    engine = Doubled()
    found = [images(engine).get(role) for role in (CLIENT, SERVER)]
    assert [one.id for one in found] == [engine.image(one.tags[0]).id for one in found]  # type: ignore[union-attr]
    assert engine.images(labels.BUILD, untagged=True) == ()
    engine.shut_down()

"""A row is a fact about engines: a set-up, a probe, and what is expected of it by this engine's version."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from pytest_dockconn import DockconnError, Engine, Host
from tests import shared
from tests.conformance.others import Others

T = TypeVar("T")
SAME: Any = object()


@dataclass(frozen=True)
class Stage(shared.Stage):
    """What a row sets up with.

    Attributes:
        others: makes what ``server()`` does not take, as somebody else would; the lab adopts it.
    """

    others: Others

    @property
    def host(self) -> Host:
        """The machine that the tests run on."""
        return self.lab.host


@dataclass(frozen=True)
class Since:
    """From a version of docker on ``then``, before it ``before``. Podman is expected to do as the newest unless it is named."""

    version: str
    then: object
    before: object
    podman: object = SAME

    def on(self, engine: Engine) -> object:
        """What is expected of an engine."""
        if engine.kind == "podman":
            return self.then if self.podman is SAME else self.podman
        return self.then if numbers(engine.version) >= numbers(self.version) else self.before


@dataclass(frozen=True)
class Docker:
    """What docker does, and what podman does instead."""

    docker: object
    podman: object

    def on(self, engine: Engine) -> object:
        """What is expected of an engine."""
        return self.podman if engine.kind == "podman" else self.docker


@dataclass(frozen=True, init=False)
class Says:
    """A message that holds all of these phrases."""

    phrases: tuple[str, ...]

    def __init__(self, *phrases: str) -> None:
        object.__setattr__(self, "phrases", phrases)


@dataclass(frozen=True, init=False)
class OneOf:
    """Any of these, where the fact leaves it open."""

    values: tuple[object, ...]

    def __init__(self, *values: object) -> None:
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, kw_only=True)
class Row(Generic[T]):
    """A fact.

    Attributes:
        name: of the row.
        set_up: makes what is asked.
        probe: asks; only through what users have.
        expected: a value, ``Says`` or ``OneOf``; ``Since`` and ``Docker`` choose one by the engine, nested if need be.
        source: where the fact comes from.
        caveat: in which versions it is different, in words; the code of it is in ``expected``.
        requires: capabilities without which the row is skipped, with the reason.
    """

    name: str
    set_up: Callable[[Stage], T]
    probe: Callable[[T], object]
    expected: object
    source: str
    caveat: str = ""
    requires: tuple[str, ...] = ()

    def check(self, stage: Stage) -> None:
        """Set up, probe, compare."""
        __tracebackhide__ = True
        wanted = chosen(self.expected, stage.lab.engine)
        seen = self.probe(self.set_up(stage))
        told = (
            f"{self.name}: expected {wanted!r}, saw {seen!r} (source: {self.source}; {self.caveat or 'every version'})"
        )
        assert holds(wanted, seen), told


def numbers(version: str) -> tuple[int, ...]:
    """``20.10.24+dfsg1`` as (20, 10, 24)."""
    return tuple(int(part) for part in re.match(r"\d+(\.\d+)*", version)[0].split("."))  # type: ignore[index]


def chosen(expected: object, engine: Engine) -> object:
    """What is expected of this engine."""
    while isinstance(expected, (Since, Docker)):
        expected = expected.on(engine)
    return expected


def holds(wanted: object, seen: object) -> bool:
    """Whether what was seen is what was wanted."""
    if isinstance(wanted, OneOf):
        return any(holds(one, seen) for one in wanted.values)
    if isinstance(wanted, Says):
        return isinstance(seen, str) and all(phrase in seen for phrase in wanted.phrases)
    return type(wanted) is type(seen) and wanted == seen


def params(rows: Sequence[Row[Any]], *requires: str) -> list[Any]:
    """The rows as parameters of a test; ``requires`` are capabilities that every row needs."""
    assert len({row.name for row in rows}) == len(rows), "two rows have one name"
    return [
        pytest.param(row, id=row.name, marks=pytest.mark.dockconn(requires=[*requires, *row.requires])) for row in rows
    ]


def refused(call: Callable[[], object]) -> str:
    """Probe: what the plugin, or the engine through it, says to a call that must fail."""
    with pytest.raises(DockconnError) as caught:
        call()
    return caught.value.cause

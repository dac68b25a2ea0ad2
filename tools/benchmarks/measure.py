"""Measures: the variants of a job in turn, and what is made of the seconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: Does the work once and returns the seconds that count.
Once = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Series:
    """What one variant of a job took.

    Attributes:
        name: of the variant.
        seconds: one for each round.
    """

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        """The shortest: the least disturbed."""
        return min(self.seconds)

    @property
    def worst(self) -> float:
        """The longest."""
        return max(self.seconds)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached.

    Attributes:
        name: what is compared.
        value: what was measured.
        limit: what it may be at most.
        unit: ``x`` for a ratio, else ``s``.
    """

    name: str
    value: float
    limit: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's measurements.

    Attributes:
        job: its name.
        title: what is done.
        series: of each variant; the first is ours.
        targets: what was to be reached.
        notes: anything else that was seen.
    """

    job: str
    title: str
    series: tuple[Series, ...]
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def of(self, name: str) -> Series:
        """The series of a variant."""
        return next(one for one in self.series if one.name == name)


def timed(work: Callable[[], object]) -> float:
    """The seconds that a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_turn(variants: Mapping[str, Once], rounds: int, warm_up: int = 1) -> tuple[Series, ...]:
    """Do all variants in each round, beginning with another one each time, so that noise falls on all alike."""
    names = list(variants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-warm_up, rounds):
        at = number % len(names)
        for name in names[at:] + names[:at]:
            took = variants[name]()
            if number >= 0:
                seconds[name].append(took)
    return tuple(Series(name, tuple(seconds[name])) for name in names)


def paired_difference(one: Series, other: Series) -> float:
    """The median of the differences of each round: what slows a round down slows both of its runs down."""
    return statistics.median(a - b for a, b in zip(one.seconds, other.seconds, strict=True))


def spread(one: Series, other: Series) -> float:
    """Between the quartiles of those differences: less than this is not seen."""
    low, _, high = statistics.quantiles((a - b for a, b in zip(one.seconds, other.seconds, strict=True)), n=4)
    return high - low


def known(one: Series, other: Series) -> float:
    """Seconds to which ``paired_difference`` is known: half of the 95 % interval of a median, 1.57 quartile distances by the root of n."""
    return 1.57 * spread(one, other) / len(one.seconds) ** 0.5

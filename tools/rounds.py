"""The record of ``tools/soak``: a line of JSON for each round, and what they come to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

#: Rounds that the engine suite has to have gone through, in one state of the sources, for a claim.
WANTED = 30


@dataclass(frozen=True)
class Round:
    """The engine suite once, in an order of its own.

    Attributes:
        at: when it ended, UTC.
        commit: that was checked out.
        dirty: whether src/ or the suite were another than the commit's.
        state: what src/ and the suite really were: the beginnings of their hashes; two commits may have the same.
        seed: of the order.
        engine: kind and version.
        engines: on how many of them it ran side by side.
        python: version.
        passed, failed, errors, skipped: tests.
        retries: of the plugin, by what it asked again.
        seconds: that it took.
        failures: node ids.
    """

    at: str
    commit: str
    dirty: bool
    state: str
    seed: str
    engine: str
    engines: int
    python: str
    passed: int
    failed: int
    errors: int
    skipped: int
    retries: Mapping[str, int]
    seconds: int
    failures: Sequence[str]

    @property
    def tests(self) -> int:
        """That were run."""
        return self.passed + self.failed + self.errors

    @property
    def sound(self) -> bool:
        """Whether nothing failed."""
        return not (self.failed or self.errors)

    def line(self) -> str:
        """For the record."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def combined(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What both halves came to."""
    retries: Counter[str] = Counter()
    for one in outcomes:
        retries.update(one["retries"])
    return {
        **{word: sum(int(one[word]) for one in outcomes) for word in ("passed", "failed", "errors", "skipped")},
        "retries": dict(retries.most_common()),
        "failures": [node for one in outcomes for node in one["failures"]],
        "engine": " and ".join(dict.fromkeys(str(one["engine"]) for one in outcomes if one["engine"])),
        "python": " and ".join(dict.fromkeys(str(one["python"]) for one in outcomes if one["python"])),
    }


def broken(why: str) -> dict[str, Any]:
    """Of a half that ended without having written what came of it."""
    return {
        "passed": 0, "failed": 0, "errors": 1, "skipped": 0, "retries": {}, "failures": [why], "engine": "", "python": "",
    }  # fmt: skip


def read(text: str) -> list[Round]:
    """The rounds of a record. Raises ``ValueError`` that says which line is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found.append(_round(number, line))
    return found


def _round(number: int, line: str) -> Round:
    try:
        said = json.loads(line)
        return Round(**{field.name: said[field.name] for field in fields(Round)})
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"line {number} of the record is no round: {type(error).__name__} {error}") from error


def missing(rounds: Iterable[Round], state: str, wanted: int = WANTED) -> int:
    """How many more it takes for that state of the sources."""
    return max(0, wanted - sum(one.state == state for one in rounds))


def summary(rounds: Sequence[Round]) -> str:
    """The sums, in all, by commit, by engine; what failed; and the retries by place."""
    if not rounds:
        return "no round is on record"
    lines = [f"{'':44} rounds   tests  failed  errors  skipped  retries  hours", _sums("in all", rounds)]
    for title, key in (
        ("commit", lambda one: one.commit[:12] + ("+changes" if one.dirty else "")),
        ("src+suite", lambda one: one.state),
        ("on", lambda one: f"{one.engine}, Python {one.python}"),
    ):
        lines += [_sums(f"{title} {name}", group) for name, group in _by(rounds, key).items()]
    failed = Counter(node for one in rounds for node in one.failures)
    lines += ["", "failures:" if failed else "failures: none", *(f"{n:8}  {node}" for node, n in failed.most_common())]
    retries: Counter[str] = Counter()
    for one in rounds:
        retries.update(one.retries)
    lines += [
        "",
        "retries:" if retries else "retries: none",
        *(f"{n:8}  {place}" for place, n in retries.most_common()),
    ]
    return "\n".join(lines)


def _by(rounds: Sequence[Round], key: Any) -> dict[str, list[Round]]:
    groups: dict[str, list[Round]] = {}
    for one in rounds:
        groups.setdefault(key(one), []).append(one)
    return groups


def _sums(name: str, rounds: Sequence[Round]) -> str:
    tests, failed, errors = (sum(getattr(one, word) for one in rounds) for word in ("tests", "failed", "errors"))
    skipped, hours = sum(one.skipped for one in rounds), sum(one.seconds for one in rounds) / 3600
    retries = sum(sum(one.retries.values()) for one in rounds)
    return f"{name:44} {len(rounds):6} {tests:7} {failed:7} {errors:7} {skipped:8} {retries:8} {hours:6.1f}"

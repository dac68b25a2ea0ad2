"""The table for people, and the JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from .context import Context
from .measure import Outcome, Series, Target

COMPARED = ("pytest", "pytest-dockconn", "testcontainers", "pytest_docker_tools", "docker")


def duration(seconds: float) -> str:
    """``1.27 s`` or ``0.74 ms``."""
    if abs(seconds) >= 0.1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if abs(seconds) >= 0.01 else f"{seconds * 1000:.2f} ms"


def lines(outcome: Outcome) -> list[str]:
    """An outcome as lines of a table, then its targets and notes."""
    first = outcome.series[0].median
    rows = [_row(one, first) for one in outcome.series]
    width = max(len(row[0]) for row in rows)
    shown = [f"  {row[0]:<{width}}  {row[1]:>9}  {row[2]:>9}  {row[3]:>9}  {row[4]:>7}  {row[5]:>3}" for row in rows]
    head = f"  {'':<{width}}  {'median':>9}  {'best':>9}  {'worst':>9}  {'ours/it':>7}  {'n':>3}"
    return [
        f"{outcome.job}: {outcome.title}",
        head,
        *shown,
        *(f"  {_told(target)}" for target in outcome.targets),
        *(f"  note: {note}" for note in outcome.notes),
        "",
    ]


def _row(one: Series, first: float) -> tuple[str, ...]:
    count = len(one.seconds)
    return (
        one.name,
        duration(one.median),
        duration(one.best),
        duration(one.worst),
        f"{first / one.median:.3f}",
        str(count),
    )


def _told(target: Target) -> str:
    value, limit = (
        (duration(target.value), duration(target.limit))
        if target.unit == "s"
        else (f"{target.value:.3g}", f"{target.limit:.3g}")
    )
    return f"{'reached' if target.met else 'MISSED '}  {target.name}: {value} (at most {limit})"


def machine(context: Context) -> dict[str, Any]:
    """What it was measured on."""
    version = context.session.services.version
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "engine": f"{version.kind} {version.version} (API {version.api_version})",
        "kernel": platform.release(),
        "versions": {name: _version(name) for name in COMPARED},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def write(path: Path, about: dict[str, Any], outcomes: Iterable[Outcome]) -> None:
    """Write the JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    jobs = [_json(one) for one in outcomes]
    path.write_text(json.dumps({"about": about, "jobs": jobs}, indent=1) + "\n", encoding="utf-8")


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        **asdict(outcome),
        "series": [{**asdict(one), "median": one.median} for one in outcome.series],
        "targets": [{**asdict(one), "met": one.met} for one in outcome.targets],
    }


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many targets are reached, and which are not."""
    targets = [(one.job, target) for one in outcomes for target in one.targets]
    missed = [f"{job} ({target.name})" for job, target in targets if not target.met]
    told = f"{len(targets) - len(missed)} of {len(targets)} targets reached"
    return told + (f"; missed: {', '.join(missed)}" if missed else "")

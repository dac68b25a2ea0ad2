"""The command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from . import matrix, overhead, probes, report, servers, tutorial
from .context import Context, opened
from .measure import Outcome

ROUNDS = 7
JSON = Path(__file__).parents[2] / "build" / "bench.json"
JOBS: dict[str, Callable[[Context], Outcome]] = {
    "tutorial": tutorial.job,
    "warm": tutorial.warm,
    "helper": tutorial.helper,
    "probe": probes.one,
    "probes": probes.hundred,
    "server": servers.job,
    "collect": overhead.collect,
    "images": overhead.images,
    "refused": probes.refused,
    "silent": probes.silent,
    "matrix": matrix.pairs,
    "curve": matrix.curve,
    "four": matrix.four,
}


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least one round is wanted")
    return number


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="tools/bench", description="The same jobs by the plugin and by its peers, in turn, in one run."
    )
    made.add_argument(
        "--rounds",
        type=_count,
        default=ROUNDS,
        metavar="N",
        help=f"of the jobs that take seconds, default {ROUNDS}; quick ones do 3 to 10 times as many",
    )
    made.add_argument(
        "--json", type=Path, default=JSON, metavar="PATH", help="where the numbers go, default build/bench.json"
    )
    made.add_argument(
        "--only", action="append", choices=JOBS, metavar="NAME", help=f"one job, or several: {', '.join(JOBS)}"
    )
    made.add_argument("--engine", metavar="URL", help="as --dockconn-engine")
    made.add_argument("--strict", action="store_true", help="exit status 1 where a target is missed")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run the jobs, print each table when it is there, write the JSON."""
    options = parser().parse_args(arguments)
    outcomes: list[Outcome] = []
    with opened(options.rounds, options.engine) as context:
        about = report.machine(context)
        print(f"{about['engine']}, {about['cores']} cores, load {about['load']:.1f}, Python {about['python']}\n")
        for name in options.only or JOBS:
            outcomes.append(JOBS[name](context))
            print("\n".join(report.lines(outcomes[-1])), flush=True)
            report.write(options.json, about, outcomes)  # after each, so that one that fails takes no others with it
    print(f"{report.summary(outcomes)}\nnumbers: {options.json}")
    return int(options.strict and any(not target.met for one in outcomes for target in one.targets))


if __name__ == "__main__":
    sys.exit(main())

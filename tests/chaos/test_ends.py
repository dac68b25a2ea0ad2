"""However a run ends, nothing of it is left, and nothing of others is gone. ``make chaos`` for the long form."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.chaos.harness import Figures, Start, Suite, Witness, kill_both, settle
from tests.waiting import until

#: ``make chaos`` tries every end, and kill -9 at a hundred random moments.
FULL = bool(os.environ.get("DOCKCONN_CHAOS"))
KILLS = int(os.environ.get("DOCKCONN_CHAOS_KILLS", "100" if FULL else "1"))
#: So often a moment is drawn until the suite is not over by then.
TRIES = 20
SEED = os.environ.get("DOCKCONN_CHAOS_SEED") or str(random.randrange(10**6))


#: Whoever is killed says nothing.
SILENT = ""
INTERRUPTED = "KeyboardInterrupt"


@dataclass(frozen=True)
class End:
    """Where the suite stops, what is done to it there, and how it ends.

    ``said`` is in its output, no word of how it ended where that is ``SILENT``; ``quick`` ones are tried in every run of the tests;
    ``allowed`` are tracebacks of pytest's own.
    """

    name: str
    stop: str
    act: Callable[[Suite], None] | None = None
    code: int | None = None
    said: str = field(kw_only=True)
    arguments: tuple[str, ...] = ()
    quick: bool = False
    allowed: tuple[str, ...] = ()


def send(where: str, *numbers: int) -> Callable[[Suite], None]:
    def act(suite: Suite) -> None:
        suite.reached(where)
        for number in numbers:
            suite.signal(number)

    return act


def to_all(where: str, number: int) -> Callable[[Suite], None]:
    """As a terminal does it: to every process of the run, its workers too."""

    def act(suite: Suite) -> None:
        suite.reached(where)
        os.killpg(suite.pid, number)

    return act


def kill_helper(suite: Suite) -> None:
    """The run goes on without it and tidies up by itself."""
    suite.reached("made")
    os.kill(until(suite.helper, 5), signal.SIGKILL)
    suite.signal(signal.SIGINT)


def twice(where: str) -> Callable[[Suite], None]:
    """The second Ctrl-C comes while pytest is on its way out."""

    def act(suite: Suite) -> None:
        suite.reached(where)
        suite.signal(signal.SIGINT)
        until(lambda: "KeyboardInterrupt" in suite.output() or suite.process.poll() is not None, 5)
        suite.signal(signal.SIGINT)

    return act


ENDS = [
    End("all is well", "", code=0, said="2 passed"),
    End("assertion", "none:assertion", code=1, said="as it was wanted"),
    End("error in a fixture half-way", "none:fixture", code=1, said="half-way", quick=True),
    End("first failure ends it", "none:assertion", code=1, said="stopping after 1 failures", arguments=("-x",)),
    End("maxfail", "none:assertion", code=1, said="stopping after 1 failures", arguments=("--maxfail=1",)),
    End("ctrl-c", "made", send("made", signal.SIGINT), code=2, said=INTERRUPTED),
    End("ctrl-c in a partition", "partition", send("partition", signal.SIGINT), code=2, said=INTERRUPTED, quick=True),
    # where the second comes while pytest itself tidies up, it says by a traceback where that was
    End("ctrl-c twice", "made", twice("made"), said=INTERRUPTED, allowed=(INTERRUPTED,)),
    End("sigterm", "made", send("made", signal.SIGTERM), code=-signal.SIGTERM, said=SILENT),
    End("sighup", "committed", send("committed", signal.SIGHUP), code=-signal.SIGHUP, said=SILENT),
    End("kill -9", "committed:kill", code=-signal.SIGKILL, said=SILENT),
    End("kill -9 in a partition", "partition:kill", code=-signal.SIGKILL, said=SILENT, quick=True),
    End("os._exit", "partition:exit", code=9, said=SILENT),
    End("the helper is killed", "made", kill_helper, code=2, said=INTERRUPTED),
    End("pytest-timeout", "made", code=1, said="Timeout (>3.0s)", arguments=("--timeout=3", "--timeout-method=signal")),
    End(
        "pytest-timeout by a thread, which is os._exit",
        "made",
        code=1,
        said="Timeout",
        arguments=("--timeout=3", "--timeout-method=thread"),
    ),
    End("two workers", "", code=0, said="2 passed", arguments=("-n", "2")),
    End("ctrl-c, two workers", "made", to_all("made", signal.SIGINT), code=2, said=INTERRUPTED, arguments=("-n", "2")),
    End(
        "ctrl-c to the controller of two workers",
        "made",
        send("made", signal.SIGINT),
        said=INTERRUPTED,
        arguments=("-n", "2"),
    ),
    End("kill -9 of two workers' controller", "made", send("made", signal.SIGKILL), said=SILENT, arguments=("-n", "2")),
    End(
        "kill -9 of it and its workers",
        "committed",
        to_all("committed", signal.SIGKILL),
        said=SILENT,
        arguments=("-n", "2"),
    ),
]


@pytest.mark.parametrize("end", [end for end in ENDS if end.quick or FULL], ids=lambda end: end.name)
def test_nothing_is_left(start: Start, witness: Witness, figures: Figures, end: End) -> None:
    suite = start(*end.arguments, stop=end.stop)
    if end.act:
        end.act(suite)

    code = suite.ended()
    settle(suite, witness, figures)
    output = suite.output()
    assert end.code is None or code == end.code, output
    assert end.said in output if end.said else not re.search(r"\d (passed|failed|error)", output), output
    assert is_clear(output, *end.allowed), output
    assert "pytest_dockconn/" not in output or not end.allowed, output


#: pytest-timeout shows what every thread is at, ours too.
STACKS = re.compile(r"\+{3,} Timeout \+{3,}.*\+{3,} Timeout \+{3,}", re.DOTALL)


#: A traceback, and the first line after its frames: what it was.
TRACES = re.compile(r"^Traceback \(most recent call last\):\n(?: .*\n)*(.*)$", re.MULTILINE)


def is_clear(output: str, *allowed: str) -> bool:
    """Whether what the user was told has no traceback in it, but of what is allowed, and says nothing of ours twice."""
    text = STACKS.sub("", output)
    traces = [words for words in TRACES.findall(text) if not words.startswith(allowed or ("\0",))]
    ours = [line for line in text.splitlines() if line.startswith("dockconn: ")]
    return "INTERNALERROR" not in text and not traces and len(ours) == len(set(ours))


#: In a row each, from a random moment on; the short form tries one of each as well.
SIGNALS = {"kill -9": (signal.SIGKILL,), "ctrl-c": (signal.SIGINT,), "ctrl-c twice": (signal.SIGINT, signal.SIGINT)}


#: Ctrl-C a fifth as often: a run that dies tidies nothing up by itself.
MOMENTS = [
    pytest.param(signals, number, id=f"{name}-{number}")
    for name, signals in SIGNALS.items()
    for number in range(KILLS if name == "kill -9" else max(1, KILLS // 5))
]


@pytest.mark.parametrize(("signals", "number"), MOMENTS)
def test_ended_at_a_random_moment(
    start: Start, witness: Witness, figures: Figures, number: int, signals: tuple[int, ...]
) -> None:
    """While it begins and collects, in the middle of a create, and while it tidies up; one that was over is drawn again."""
    draw = random.Random(f"{SEED}-{number}-{len(signals)}")
    for _ in range(TRIES):
        suite = start()
        hit = [_hit(suite, each, draw.uniform(0.02, latest)) for each, latest in zip(signals, (4.0, 0.5), strict=False)]
        code = suite.ended()
        if hit[0]:
            break
    else:
        raise AssertionError("it was always over before")
    settle(suite, witness, figures)
    assert (code == -signal.SIGKILL) is (signals[0] == signal.SIGKILL)
    # pytest says by one where it was, while it begins and where Ctrl-C comes twice
    assert is_clear(suite.output(), "KeyboardInterrupt"), suite.output()


def _hit(suite: Suite, number: int, seconds: float) -> bool:
    """Whether a suite that still ran so much later was sent a signal."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        suite.process.wait(seconds)
        return False
    suite.signal(number)
    return True


def test_both_killed_and_swept_by_the_next_run(start: Start, witness: Witness, figures: Figures) -> None:
    suite = start(stop="partition")
    kill_both(suite, "partition")
    assert witness.owned(suite) != []

    following = start()
    assert following.ended() == 0, following.output()

    settle(suite, witness, figures)
    assert "removed what a dead run left behind:" in following.output()
    assert f"process {suite.pid} of " in following.output()
    settle(following, witness, figures)

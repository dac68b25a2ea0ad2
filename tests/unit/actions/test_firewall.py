"""Reading firewall rules: what others wrote into them, and what can't be read."""

from __future__ import annotations

import shutil
import sys
import time

import pytest

from pytest_dockconn.actions import firewall
from pytest_dockconn.actions.firewall import Place

HERE = Place("the host", 0)


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", f"import sys, time; {code}"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('[1:60] -A X -j DROP')", "[1:60] -A X -j DROP\n"),
        (r"sys.stdout.buffer.write(b'a comment \xff\n')", "a comment \ufffd\n"),
        ("", ""),
        ("print('half'); sys.exit(1)", None),
        ("print('x' * 3000)", None),
        ("while True: print('x' * 3000)", None),
        ("print('half', flush=True); time.sleep(60)", None),
        ("sys.stdout.close(); time.sleep(60)", None),
    ],
    ids=["rules", "no UTF-8", "nothing", "it fails", "too much", "without end", "too slow", "never ends"],
)
def test_what_a_tool_says(monkeypatch: pytest.MonkeyPatch, code: str, said: str | None) -> None:
    monkeypatch.setattr(firewall, "MOST", 1000)
    monkeypatch.setattr(firewall, "PATIENCE", 1.0)
    begun = time.monotonic()
    assert firewall.output(python(code)) == said
    assert time.monotonic() - begun < 10


def test_a_tool_that_is_not_there() -> None:
    assert firewall.output(["no-such-tool-here"]) is None


def counted(monkeypatch: pytest.MonkeyPatch, *rounds: dict[str, str | None]) -> dict[str, int]:
    """The rules of two readings, each by tool."""
    said = iter(rounds)
    now: dict[str, str | None] = {}

    def says(argv: list[str]) -> str | None:
        return now[argv[0]]

    now.update(next(said))
    monkeypatch.setattr(shutil, "which", lambda tool: tool)
    monkeypatch.setattr(firewall, "output", says)
    return {drop.rule: drop.packets for drop in firewall.counted([HERE], lambda: now.update(next(said)))}


def v4(count: int) -> str:
    return f":FORWARD DROP [{count}:60]\n[{count}:60] -A X -j DROP"


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (v4(5), v4(7), {"policy DROP of the chain FORWARD": 2, "-A X -j DROP": 2}),
        (v4(5), v4(5), {}),
        (None, v4(7), {}),
        (v4(5), None, {}),
        (None, None, {}),
    ],
    ids=["grown", "as it was", "not read before", "not read after", "not read"],
)
@pytest.mark.parametrize("six", ["", None, ":FORWARD DROP [0:0]"], ids=["none of IPv6", "IPv6 can't be read", "IPv6"])
def test_only_what_was_read_twice_has_grown(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str | None, found: dict[str, int], six: str | None
) -> None:
    rounds = [{"iptables-save": v, "ip6tables-save": six} for v in (before, after)]
    assert counted(monkeypatch, *rounds) == found

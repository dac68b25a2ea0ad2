"""Which firewall rule takes the packets? Counters are read before and after a question is asked again.

Only where the rules can be read without changing anything: this process is root on the engine's own host, and
``iptables-save`` is there. A container's rules are those of its network namespace, entered by its main process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from ..logic.firewall import counters, grown
from ..model.evidence import Drop
from ..model.facts import ContainerFacts
from .services import Services

TOOLS = ("iptables-save", "ip6tables-save")
#: Seconds for reading one table of rules, and bytes of it at the most: a container may set rules of its own.
PATIENCE = 5.0
MOST = 16 << 20
#: What each tool that could read its table said of it: packets by rule.
Tables = dict[str, Mapping[str, int]]


class Place(Struct, frozen=True):
    """A network namespace whose rules are read: what it is called, and a process in it (0: this one)."""

    name: str
    pid: int


def places(ends: Mapping[str, ContainerFacts | None]) -> list[Place]:
    """Every container that runs, and the host, whose rules count everybody's packets; one in its namespace is the host."""
    found = []
    for name, facts in ends.items():
        if facts is not None and facts.pid and _namespace(facts.pid) not in ("", _namespace(os.getpid())):
            found.append(Place(name, facts.pid))
    return [*found, Place("the host", 0)]


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


def unreadable(services: Services) -> str:
    """Why no rules can be read from here; empty if they can."""
    if not services.same_host or services.in_container:
        return "firewall rules can't be read from here: the engine's host is another machine"
    if os.geteuid():
        return "firewall rules can't be read: that needs root"
    if not shutil.which(TOOLS[0]):
        return f"firewall rules can't be read: there is no {TOOLS[0]}"
    return ""


def counted(where: list[Place], ask_again: Callable[[], object]) -> tuple[Drop, ...]:
    """The rules that drop or reject and counted packets while the question was asked again."""
    before = {place: _read(place) for place in where}
    ask_again()
    return tuple(
        Drop(place.name, rule, packets)
        for place in where
        for rule, packets in _grown(before[place], _read(place)).items()
    )


def _grown(before: Tables, after: Tables) -> dict[str, int]:
    """Of what was read both times: else all that rules have ever counted would seem to be new."""
    both = before.keys() & after.keys()
    was, now = (sum((Counter(tables[tool]) for tool in both), Counter[str]()) for tables in (before, after))
    return grown(was, now)


def _read(place: Place) -> Tables:
    enter = ["nsenter", f"--net=/proc/{place.pid}/ns/net"] if place.pid else []
    said = {tool: output([*enter, tool, "-c"]) for tool in TOOLS if shutil.which(tool)}
    return {tool: counters(text) for tool, text in said.items() if text is not None}


def output(argv: list[str]) -> str | None:
    """What a command says; None where it fails, takes too long, or does not come to an end."""
    try:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            said = _said(process)
    except OSError:
        return None
    whole = process.returncode == 0 and len(said) <= MOST
    return said.decode("utf-8", "replace") if whole else None


def _said(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    limit = threading.Timer(PATIENCE, process.kill)
    limit.start()
    try:
        said = process.stdout.read(MOST + 1)
        if len(said) > MOST:
            process.kill()
        process.wait()
    finally:
        limit.cancel()
    return said

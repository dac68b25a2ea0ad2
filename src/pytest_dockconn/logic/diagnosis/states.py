"""The owner does not run, or not yet; or somebody else answered."""

from __future__ import annotations

from collections.abc import Callable

from ...model.evidence import Evidence, Why
from ...model.facts import ContainerFacts
from ...model.probe import Verdict
from .words import networks_line

#: Seconds for which a container that the engine has started again counts as restarting while it does not listen.
RESTARTED = 10.0


def not_asked(e: Evidence) -> Why | None:
    """The source could not ask at all."""
    if e.result.verdict is Verdict.INCONCLUSIVE and "could not be made" in e.result.detail:
        return Why(
            "the probe could not be made", (e.result.detail,), "mend the source first: see the evidence", "not-asked"
        )
    return None


def not_running(e: Evidence) -> Why | None:
    """The owner does not run."""
    if e.owner is None or e.owner.running:
        return None
    return _STATES.get(e.owner.status, _ended)(e, e.owner)


def _ended(e: Evidence, owner: ContainerFacts) -> Why:
    code = " (out of memory)" if owner.oom_killed else ""
    error = f": {owner.error}" if owner.error else ""
    return Why(
        f"{e.owner_name} is not running: it {owner.status} with exit code {owner.exit_code}{code}{error}"
        + (f", and {_held(e)}" if e.holder else ""),
        (f"state {owner.status}", *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        f"start it ({e.owner_name}.start()), or see in its output why it ended",
        "not-running",
    )


def keeps_restarting(e: Evidence) -> Why | None:
    """It runs just now, but it ended and was started again by the engine a moment ago, and does not listen."""
    if e.owner is None or not e.owner.running or not e.owner.restart_count or e.listeners:
        return None
    if e.age is None or e.age > RESTARTED or e.result.verdict not in (Verdict.REFUSED, Verdict.RESET):
        return None  # silence has other causes: what does not listen refuses
    return Why(
        f"{e.owner_name} is restarting: it ended {e.owner.restart_count} times so far, and was started again "
        f"{max(e.age, 0.0):.1f} s ago",
        (f"state {e.owner.status}", *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see in its output why it ends",
        "restarting",
    )


def no_address(e: Evidence) -> Why | None:
    """It runs, and is on no network that was asked for."""
    if e.result.target.host or not e.result.target.why:
        return None
    mode = f"network mode {e.owner.network_mode}" if e.owner else ""
    return Why(
        e.result.target.why,
        tuple(filter(None, (mode, networks_line(e)))),
        "connect it to a network, or ask by another network, address or name",
        "no-address",
    )


def _held(e: Evidence) -> str:
    return e.holder.replace(" has it", f" has {e.result.address}:{e.result.target.port} now")


def _created(e: Evidence, owner: ContainerFacts) -> Why:
    said = (f"state {owner.status}", *((f"the engine said: {owner.error}",) if owner.error else ()))
    return Why(f"{e.owner_name} was created but never started", said, "start it", "not-running")


def _paused(e: Evidence, owner: ContainerFacts) -> Why:
    return Why(
        f"{e.owner_name} is paused: its kernel takes connections, but its processes are frozen",
        (f"state {owner.status}",),
        f"docker unpause {owner.name}",
        "paused",
    )


def _restarting(e: Evidence, owner: ContainerFacts) -> Why:
    return Why(
        f"{e.owner_name} is restarting: it ended with exit code {owner.exit_code}, {owner.restart_count} times so far",
        (f"state {owner.status}", *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see in its output why it ends",
        "restarting",
    )


def _removed(e: Evidence, owner: ContainerFacts) -> Why:
    where = ", ".join(owner.addresses) or "unknown"
    return Why(f"{e.owner_name} was removed", (f"its last address: {where}",), "make it again", "removed")


_STATES: dict[str, Callable[[Evidence, ContainerFacts], Why]] = {
    "created": _created,
    "paused": _paused,
    "restarting": _restarting,
    "removed": _removed,
}


def wrong_server(e: Evidence) -> Why | None:
    """Somebody else answered."""
    if e.result.verdict is not Verdict.WRONG_SERVER:
        return None
    who = e.answered_name or e.holder.partition(" has ")[0] or "a server that does not say who it is"
    how = f"http://{e.result.target.host}" if e.result.target.via == "name" else e.result.address
    shows = [f"asked {e.result.target}, which led to {e.result.address or 'no address'}"]
    if e.owner is not None:
        shows.append(f"{e.owner_name} is {e.owner.status}, at {', '.join(e.owner.addresses) or 'no address'}")
    shows += [line for line in (e.holder, e.result.detail) if line]
    stale = _stale_line(e)
    if stale:
        shows.append(stale)
    return Why(
        f"{who} answered at {how}, not {e.owner_name}",
        tuple(shows),
        "see who has the address or the port now",
        "wrong-server",
    )


def _stale_line(e: Evidence) -> str:
    listed = (e.hosts or {}).get(e.result.target.host, ())
    if e.owner is None or not listed or set(listed) & set(e.owner.addresses):
        return ""
    return f"/etc/hosts of {e.source_name} says {', '.join(listed)} for {e.result.target.host}: it is stale"

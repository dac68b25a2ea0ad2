"""What the owner listens on."""

from __future__ import annotations

from ...model.evidence import Evidence, Why
from ...model.probe import Verdict
from ..wiring import ANY6, is_loopback

#: Seconds after its start in which a container that listens on nothing may still be starting.
YOUNG = 3.0


def not_listening(e: Evidence) -> Why | None:
    """Nothing listens on that port; or not yet."""
    if e.listeners is None or e.port is None:
        return None
    here = [one for one in e.listeners if one.protocol == e.port.protocol and one.port == e.port.number]
    if here:
        return None
    others = ", ".join(sorted({str(one) for one in e.listeners})) or "nothing at all"
    starting = _still_starting(e)
    if starting:
        return Why(
            f"{e.owner_name} is still starting: {starting}, and nothing listens on {e.port} yet",
            (f"what listens there: {others}",),
            "wait for it: a longer within=, or a health check that tells when it is ready",
            "starting",
        )
    return Why(
        f"nothing listens on {e.port} in {e.owner_name}",
        (f"what listens there: {others}",),
        f"expose the port that it listens on, or have it listen on {e.port.number}",
        "not-listening",
    )


def _still_starting(e: Evidence) -> str:
    """What shows that it is, in words; empty if nothing does."""
    if e.owner is not None and e.owner.health == "starting":
        return "its health check has not passed yet"
    young = e.age is not None and e.age < YOUNG and not e.listeners
    return f"it was started {e.age:.1f} s ago" if young else ""


def loopback_only(e: Evidence) -> Why | None:
    """It listens on loopback alone."""
    if e.listeners is None or e.port is None:
        return None
    here = {one.address for one in e.listeners if one.protocol == e.port.protocol and one.port == e.port.number}
    if here and all(is_loopback(address) for address in here):
        return Why(
            f"{e.owner_name} listens on {', '.join(sorted(here))} only, so nobody outside of it can connect",
            (f"sockets on {e.port}: {', '.join(sorted(here))}",),
            "have it listen on 0.0.0.0 (and ::)",
            "loopback-only",
        )
    return None


def one_family(e: Evidence) -> Why | None:
    """It listens on one family and was asked by the other."""
    if e.listeners is None or e.port is None or e.bound or not e.result.address:
        return None
    here = {one.address for one in e.listeners if one.protocol == e.port.protocol and one.port == e.port.number}
    asked_six = ":" in e.result.address
    # a socket on :: takes IPv4 too unless it was told not to, which /proc does not show, but a probe from inside does
    if here == {ANY6} and not asked_six and e.result.verdict is Verdict.REFUSED and e.answers_inside is False:
        return _family(e, here, "IPv6", "IPv4")
    if here and asked_six and all(":" not in address for address in here):
        return _family(e, here, "IPv4", "IPv6")
    if here and not asked_six and all(":" in a and a != ANY6 for a in here):
        return _family(e, here, "IPv6", "IPv4")
    return None


def _family(e: Evidence, here: set[str], has: str, asked: str) -> Why:
    return Why(
        f"{e.owner_name} listens on {has} only, and was asked by {asked} ({e.result.address})",
        (f"sockets on {e.port}: {', '.join(sorted(here))}",),
        f"have it listen on {asked} too, or ask by its {has} address",
        "one-family",
    )

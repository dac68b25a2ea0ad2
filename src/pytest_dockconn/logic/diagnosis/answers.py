"""Something took the question, and the answer is no good; or nothing is known."""

from __future__ import annotations

from ...model.evidence import Evidence, Why
from ...model.probe import Verdict
from .words import networks_line


def accepts_in_silence(e: Evidence) -> Why | None:
    """The connection is taken, and nothing comes back."""
    if e.result.verdict is not Verdict.TIMED_OUT or not (
        "accepted" in e.result.detail or "accept queue" in e.result.detail
    ):
        return None
    who = e.owner_name or "the destination"
    return Why(
        f"{who} takes connections but does not answer",
        (e.result.detail, *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see whether it is overloaded or stuck, or speaks another protocol; a longer timeout= may do",
        "silent",
    )


def closes(e: Evidence) -> Why | None:
    """The connection is taken and closed."""
    if e.result.verdict is not Verdict.RESET:
        return None
    return Why(
        f"{e.owner_name or 'the destination'} takes connections and closes them without an answer",
        (e.result.detail, *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see its output; it may want TLS, or refuse this client; behind a bound port it may be that nothing listens",
        "closes",
    )


def other_protocol(e: Evidence) -> Why | None:
    """What came back is not what was asked for."""
    if e.result.verdict is Verdict.INCONCLUSIVE:
        return Why(
            "the answer can't be read as what was asked for",
            (e.result.detail,),
            "ask by another scheme: tcp:// or https://",
            "unreadable",
        )
    return None


def tls(e: Evidence) -> Why | None:
    """The two did not come to terms about TLS."""
    if e.result.verdict is not Verdict.INCONCLUSIVE or not e.result.detail.startswith("TLS: "):
        return None
    plain = "WRONG_VERSION_NUMBER" in e.result.detail
    return Why(
        f"the TLS handshake failed: {e.result.detail[5:]}"
        + (", as where a server does not speak TLS" if plain else ""),
        (e.result.detail,),
        "ask by http:// or tcp://"
        if plain
        else "pass verify= a file of authorities (PEM) that vouch for it, or verify=False",
        "tls",
    )


def swallows(e: Evidence) -> Why | None:
    """Its socket takes datagrams, and it says nothing, not even to itself."""
    if (
        e.port is None
        or e.port.protocol != "udp"
        or e.result.verdict is not Verdict.TIMED_OUT
        or e.answers_inside is not False
    ):
        return None
    return Why(
        f"{e.owner_name} takes datagrams on {e.port} but does not answer, not even from inside its own network",
        (e.result.detail, *((f"its last output:\n{e.last_lines}",) if e.last_lines else ())),
        "see whether it is stuck, or answers what its own protocol asks only: then ask it as its clients do",
        "swallows",
    )


def unknown(e: Evidence) -> Why:
    """Nothing explains it."""
    shows = [e.result.detail] if e.result.detail else []
    if e.owner is not None:
        shows.append(networks_line(e))
    if e.listeners is not None and e.port is not None:
        shows.append(f"{e.owner_name} listens on {e.port}")
    if e.answers_inside is False:
        shows.append(f"{e.owner_name} does not answer when it is asked from inside its own network either")
    return Why(
        "no cause was found",
        tuple(shows),
        "see the rules of the engine's host (`iptables -L DOCKER-USER -v`), and whether anybody has that address",
    )

"""The causes in their order.

Each rule knows one cause and returns None where it does not apply; the first that applies wins. The order is from what
explains everything (the owner does not run) to what is left when nothing else was found.
"""

from __future__ import annotations

from collections.abc import Callable

from ...model.evidence import Evidence, Why
from . import answers, listening, names, states, ways

Rule = Callable[[Evidence], "Why | None"]

RULES: tuple[Rule, ...] = (
    states.not_asked,
    states.wrong_server,
    states.not_running,
    states.keeps_restarting,
    states.no_address,
    names.stale,
    names.name_unknown,
    ways.not_published,
    listening.not_listening,
    listening.loopback_only,
    listening.one_family,
    ways.other_address,
    ways.other_binding,
    ways.far_host,
    ways.no_shared_network,
    ways.icc_off,
    ways.internal,
    ways.partitioned,
    answers.accepts_in_silence,
    answers.closes,
    answers.tls,
    answers.other_protocol,
    answers.swallows,
    ways.far_loopback,
    ways.firewall,
)


def diagnose(evidence: Evidence) -> Why:
    """The cause."""
    for rule in RULES:
        why = rule(evidence)
        if why is not None:
            return why
    return answers.unknown(evidence)

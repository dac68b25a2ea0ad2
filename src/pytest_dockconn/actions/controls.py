"""The controls of a proof: the source can probe at all, and the owner answers from inside its own network."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from msgspec.structs import replace

from ..errors import DockconnError
from ..logic import proof
from ..model.facts import ContainerFacts
from ..model.probe import ProbeResult, Target
from . import agents
from .asking import ask
from .services import Services


def source_works(services: Services, source: str | None) -> tuple[bool, str]:
    """Whether the agent of a source (a container's id; None: the host) reaches a listener of its own, and what is wrong if not."""
    try:
        channel = services.host_channel() if source is None else services.agents.channel(source)
        return agents.selftest(channel, secrets.token_hex(8))
    except DockconnError as error:
        return False, error.cause


def answers_inside(
    services: Services, owner: ContainerFacts | None, targets: Iterable[Target], timeout: float
) -> list[ProbeResult]:
    """The owner asked from its own namespace, at every address that these targets may lead to; empty if it does not run.

    The host (None) asks itself, at its addresses as they are.
    """
    if owner is None:
        return ask(services, None, list(targets), timeout)
    if not owner.running:
        return []
    asked = dict.fromkeys(_within(t, a) for t in targets for a in proof.asked_inside(t, owner))
    return ask(services, owner.id, list(asked), timeout) if asked else []


def _within(target: Target, address: str) -> Target:
    return replace(target, host=address, port=target.inner or target.port, via="address", named=False)

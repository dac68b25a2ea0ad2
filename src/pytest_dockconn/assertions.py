"""The assertions: probe, then pass; or look, explain, and raise."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from .actions import agents
from .actions.asking import ask, watch
from .actions.capabilities import has_link_env
from .actions.containers import side_by_side
from .actions.evidence import gather
from .errors import DockconnError, ReachabilityError, SpecError
from .handles.container import Client, Container
from .handles.engine import tcp_first
from .handles.port import Port
from .handles.source import Destination, Source, check_timeout
from .logic import links, proof
from .logic.diagnosis import diagnose
from .logic.names import hostname
from .model.evidence import Why
from .model.facts import ContainerFacts
from .model.probe import NEGATIVE, ProbeResult, Target, Verdict
from .report import messages

#: Seconds between two rounds of questions.
PACE = 0.01


def assert_reachable(
    source: Source, destination: Destination, *, within: float = 5.0, timeout: float = 1.0
) -> ProbeResult:
    """Pass once the destination's owner answers.

    Args:
        source: a container, or the host.
        destination: a port, a container with one exposed port, or a URL. Of an owner with several addresses each is
            asked, IPv4 before IPv6; it passes with the first that the owner itself answers (``.address`` says which).
        within: seconds to try again.
        timeout: seconds to the first line of an answer, for each probe.

    Returns:
        What the successful probe saw.

    Raises:
        ReachabilityError: nobody answered, or somebody else did; says why.
        SpecError: an argument that can't be.
    """
    __tracebackhide__ = True
    _check_source(source)
    patience, limit = check_timeout(within, "within"), check_timeout(timeout)
    rounds = _Rounds(source, destination, limit)
    try:
        retrying = Retrying(
            retry=retry_if_result(lambda result: not result), wait=wait_fixed(PACE), stop=stop_after_delay(patience)
        )
        found: ProbeResult = retrying(rounds.one)
    except RetryError:
        last = rounds.best()
        why = explain(source, destination, last)
        raise ReachabilityError(messages.failure(source.name, destination, last, why, rounds.last)) from None
    return found


class _Rounds:
    """Questions to every address of a destination, again and again: addresses are read anew each time."""

    def __init__(self, source: Source, destination: Destination, timeout: float) -> None:
        self._source = source
        self._destination = destination
        self._timeout = timeout
        self._count = 0
        self.last: list[ProbeResult] = []

    def one(self) -> ProbeResult:
        self._count += 1
        first, *others = self._source.targets(self._destination)
        self.last = self._source.ask_all([first], self._timeout)
        if others and not self.last[0]:
            self.last += self._source.ask_all(others, self._timeout)
        return self.best()

    def best(self) -> ProbeResult:
        """The first that the owner answered; else a wrong server, which tells most; else the first failure."""
        order = sorted(self.last, key=lambda r: (not r, r.verdict is not Verdict.WRONG_SERVER))
        return replace(order[0], attempts=self._count)


def explain(source: Source, destination: Destination, result: ProbeResult) -> Why:
    """Why a probe ended as it did, from evidence that is looked up now."""
    port = destination if isinstance(destination, Port) else None
    owner = port.owner if port else (destination if isinstance(destination, Container) else None)
    if owner is None and not isinstance(destination, str):
        return Why("no cause was found")
    facts = owner.last_facts() if owner else None
    key = port.key if port else (owner.only_port().key if owner else None)
    evidence = gather(
        source.services, (source.name, source.source_facts()), facts, key, result, bound=bool(port and port.bound)
    )
    return diagnose(evidence)


def assert_unreachable(
    source: Source,
    destination: Destination,
    *,
    because: Verdict | Iterable[Verdict] | None = None,
    hold: float = 0.0,
    timeout: float = 1.0,
) -> ProbeResult:
    """Pass on proof that the source can't reach the destination.

    Proof means: the source's probe works; the owner runs and answers when asked from inside its own network namespace, at
    the address in question; and every address stays unreachable for all of ``hold``, asked by probes that overlap. The
    controls are made before and after.

    Args:
        source: a container, or the host.
        destination: a port, or a container with one exposed port; a URL only where its address is that of a container
            that is known here, because nobody else's can be asked from inside.
        because: the verdict, or several, that it must be.
        hold: seconds that it must stay so.
        timeout: seconds to the first line of an answer, for each probe.

    Returns:
        What the probe saw, by the first address.

    Raises:
        ReachabilityError: it can be reached; or is unreachable for another reason than ``because``; or it is not
            proved: then the message holds the word "inconclusive" and says what is missing.
        SpecError: an argument that can't be.
    """
    __tracebackhide__ = True
    _check_source(source)
    wanted = _verdicts(because)
    duration, limit = check_timeout(hold, "hold"), check_timeout(timeout)
    question = _Question(source, destination, limit)
    lacks = question.controls("before")
    seen = question.watched(duration)
    answer = proof.reached(seen)
    if answer is not None:
        name = source.services.name_of(answer.answered_by) if answer.answered_by else ""
        raise ReachabilityError(messages.reached(source.name, destination, answer, name))
    lacks += proof.doubts(seen)
    lacks += question.controls("after") if not lacks else []
    if lacks:
        _not_proved(source, destination, seen, lacks)
    other = proof.other_reasons(seen, wanted)
    if other:
        why = explain(source, destination, other[0])
        raise ReachabilityError(messages.other_reason(source.name, destination, other[0], list(wanted or ()), why))
    return seen[0]


def _not_proved(source: Source, destination: Destination, seen: Sequence[ProbeResult], lacks: Sequence[str]) -> None:
    __tracebackhide__ = True
    shown = next((r for r in seen if r.verdict not in NEGATIVE), seen[0] if seen else None)
    why = explain(source, destination, shown) if shown else None
    raise ReachabilityError(messages.inconclusive(source.name, destination, lacks, shown, why))


class _Question:
    """Can the source reach the destination? Controls and probes of one call of ``assert_unreachable``."""

    def __init__(self, source: Source, destination: Destination, timeout: float) -> None:
        self._source = source
        self._services = source.services
        self._timeout = timeout
        self._targets = source.targets(destination)
        self._owner = self._find_owner(destination)

    def _find_owner(self, destination: Destination) -> Container | None:
        if not isinstance(destination, str):
            return destination.owner if isinstance(destination, Port) else destination
        for container in self._services.known_containers():
            assert isinstance(container, Container)
            if self._targets[0].host in container.last_facts().addresses:
                self._targets = [replace(t, owner=container.id, inner=t.port, via="address") for t in self._targets]
                return container
        return None

    def controls(self, when: str) -> list[str]:
        """The proofs that are missing now."""
        if self._owner is None:
            host = self._targets[0].host
            return [
                f"{host} is not the address of a container that is known here, so there is no owner to ask from inside"
            ]
        works, inside = side_by_side(self._source_works, self._inside)
        controls = proof.Controls(works[0], works[1], self._owner.facts(), tuple(inside))
        return proof.missing(controls, when, self._owner.name, self._source.name)

    def _source_works(self) -> tuple[bool, str]:
        try:
            return agents.selftest(self._source.channel(), secrets.token_hex(8))
        except DockconnError as error:
            return False, error.cause

    def _inside(self) -> list[ProbeResult]:
        assert self._owner is not None
        facts = self._owner.facts()
        if not facts.running:
            return []
        return ask(
            self._services, self._owner.id, [self._within(t, a) for t, a in self._own_addresses(facts)], self._timeout
        )

    def _own_addresses(self, facts: ContainerFacts) -> list[tuple[Target, str]]:
        """The address in question; of a bound port, or a name, every address of the owner."""
        own = facts.addresses or ("127.0.0.1",)
        pairs = [(t, t.host) if t.via == "address" and t.host in own else (t, own[0]) for t in self._targets]
        return list(dict.fromkeys(pairs))

    @staticmethod
    def _within(target: Target, address: str) -> Target:
        return replace(target, host=address, port=target.inner or target.port, via="address")

    def watched(self, hold: float) -> list[ProbeResult]:
        """What the probes saw; of each address every kind of result."""
        return watch(self._services, self._source.source_id, self._targets, self._timeout, hold)


def assert_linked(client: Client, server: Container, alias: str | None = None) -> None:
    """Pass when a link is what the engine promises.

    The name in the client's /etc/hosts leads to the server's present address; the link's variables are exact where the
    engine sets them; HTTP by that name is answered by that server.

    Args:
        client: the one that was linked.
        server: the one that it was linked to.
        alias: the name of the link; the server's name if None.

    Raises:
        ReachabilityError: says what is missing or stale.
    """
    __tracebackhide__ = True
    _check_source(client)
    name = hostname(alias if alias is not None else server.name)
    theirs, ours = server.facts(), client.facts()
    if not _on_default(client, theirs, ours):
        problems: list[str] = []  # an endpoint link: DNS alone
    else:
        problems = _hosts_problems(client, theirs, name) + _variable_problems(client, theirs, ours, name)
    if not problems:
        problems = _answer_problems(client, server, name)
    if problems:
        remedy = "restart the client after the server, or link them: client(links={alias: server}); see `docker inspect` for Links"
        raise ReachabilityError(messages.link(client.name, server.name, name, problems, remedy))


def _on_default(client: Client, theirs: ContainerFacts, ours: ContainerFacts) -> bool:
    default = client.services.default_network
    return ours.endpoint(default) is not None or theirs.endpoint(default) is not None


def _hosts_problems(client: Client, theirs: ContainerFacts, alias: str) -> list[str]:
    hosts = client.hosts
    if alias not in hosts:
        return [f"/etc/hosts of {client.name} has no line for {alias!r}; it knows {', '.join(sorted(hosts))}"]
    stale = [a for a in hosts[alias] if a not in theirs.addresses]
    if stale:
        now = ", ".join(theirs.addresses) or f"no address ({theirs.status})"
        return [
            f"/etc/hosts of {client.name} says {', '.join(stale)} for {alias!r}, but the server is at {now}: it is stale"
        ]
    return []


def _variable_problems(client: Client, theirs: ContainerFacts, ours: ContainerFacts, alias: str) -> list[str]:
    services = client.services
    if not has_link_env(services):
        return []
    default = theirs.endpoint(services.default_network)
    link = links.Link(
        recipient=ours.name,
        alias=alias,
        ip=default.ip if default else "",
        ports=theirs.exposed,
        env=theirs.env,
        tcp_first=tcp_first(services.version.version),
    )
    return [f"variable {line}" for line in links.differences(links.variables(link), client.environment, alias)]


def _answer_problems(client: Client, server: Container, alias: str) -> list[str]:
    tcp = [port for port in server.facts().exposed if port.protocol == "tcp"]
    if not tcp:
        return []
    try:
        assert_reachable(client, server.port(tcp[0].number).named(alias))
    except ReachabilityError as error:
        return str(error).splitlines()
    return []


def _check_source(source: object) -> None:
    if not isinstance(source, Source):
        raise SpecError(
            f"{source!r} can't ask: it is not a source",
            checked="clients, servers, adopted containers and dockconn_host are",
            remedy="write assert_reachable(SOURCE, DESTINATION)",
        )


def _verdicts(because: Any) -> Collection[Verdict] | None:
    if because is None:
        return None
    wanted = (
        [because] if isinstance(because, Verdict) else list(because) if isinstance(because, Iterable) else [because]
    )
    wrong = [v for v in wanted if v not in NEGATIVE] if all(isinstance(v, Verdict) for v in wanted) else wanted
    if wrong or not wanted:
        raise SpecError(
            f"because={because!r} can't be the reason of a proof",
            checked="reasons: " + ", ".join(f"Verdict.{v.name}" for v in Verdict if v in NEGATIVE),
            remedy="write because=Verdict.TIMED_OUT, or several in a tuple",
        )
    return wanted

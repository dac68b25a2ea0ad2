"""A container from plan to life: create, start, wait until it answers; or nothing is left of it."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ..agent.identity import knows
from ..agent.namespace import ROWS
from ..engine.port import Engine
from ..errors import DockconnError, PortInUse, StartFailed
from ..model.facts import ContainerFacts
from ..model.spec import ContainerPlan, PortKey
from ..text import ending
from . import agents
from .holders import check_free, refused
from .services import Services

#: Seconds between two looks at a server that does not answer yet. Apache listens 4 ms after its start.
PACE = 0.004
#: Seconds until a server that still runs but does not answer is given up.
PATIENCE = 60.0
#: Lines about a server that does not answer: one that is the enemy listens on 50,000 ports.
MOST = 20
#: What docker and podman say of a container whose logging driver keeps nothing, or nothing that it could read back.
_NOT_KEPT = ("does not support reading", "is not logging output")


def launch(services: Services, plan: ContainerPlan) -> ContainerFacts:
    """Create and start a container. Raises ``PortInUse``, ``StartFailed``; nothing is left behind then."""
    same_host = services.same_host
    check_free(services.engine, plan.publish, same_host=same_host)
    container = services.engine.create(plan)
    try:
        services.engine.start(container)
        services.bridge_is_there()
        services.facts.forget(container)
        return services.facts.get(container)
    except PortInUse as error:
        services.take_back(container)
        raise refused(services.engine, plan.publish, error, same_host=same_host) from error
    except BaseException:
        services.take_back(container)
        raise


def await_answers(
    services: Services, facts: ContainerFacts, ports: Sequence[PortKey], *, speaks: bool, within: float = PATIENCE
) -> None:
    """Return once every port answers (``speaks``: with the container's id; else once it listens).

    Raises:
        StartFailed: it ended before that (at once, with exit code and last log lines), or does not answer in time.
    """
    if not ports:
        return
    # loaded here and not above: by now the engine is at work, and nothing waits for an import
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415

    waiter = _Waiter(services, facts, ports, speaks=speaks)
    retrying = Retrying(retry=retry_if_result(bool), wait=wait_fixed(PACE), stop=stop_after_delay(within))
    try:
        retrying(waiter.missing)
    except RetryError:
        raise _silent(services.engine, facts, waiter.last, within) from None


def missing(services: Services, facts: ContainerFacts, ports: Sequence[PortKey], *, speaks: bool) -> str:
    """Asked once: which ports do not answer, and why; empty if all do."""
    if not ports:
        return ""
    waiter = _Waiter(services, facts, ports, speaks=speaks)
    left = waiter.missing()
    return f"{', '.join(map(str, left))} did not answer: {_some(waiter.last)}" if left else ""


class _Waiter:
    """What of a container does not answer yet."""

    def __init__(self, services: Services, facts: ContainerFacts, ports: Sequence[PortKey], *, speaks: bool) -> None:
        self._services = services
        self._facts = facts
        self._left = list(ports)
        self._speaks = speaks
        self._rounds = 0
        self.last: list[str] = []

    def missing(self) -> list[PortKey]:
        self._rounds += 1
        if self._rounds % 4 == 0:  # every 20 ms or so
            raise_if_ended(self._services.engine, self._facts.id)
        answered = self._answered() if self._speaks else self._listening()
        self._left = [port for port in self._left if port not in answered]
        return self._left

    def _answered(self) -> set[PortKey]:
        try:
            channel, address = self._services.near(self._facts)
        except DockconnError:
            raise_if_ended(self._services.engine, self._facts.id)
            raise
        targets = [_question(port, address) for port in self._left]
        try:
            results = agents.probes(channel, targets, 1.0)
        except agents.AgentGone:
            raise_if_ended(self._services.engine, self._facts.id)
            raise
        self.last = [f"{port}: {r['verdict']}, {r['detail']}" for port, r in zip(self._left, results, strict=True)]
        answers = zip(self._left, targets, results, strict=True)
        return {port for port, asked, seen in answers if self._is_itself(asked, seen)}

    def _is_itself(self, asked: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
        """Who else listens there may have copied the header, but does not know the token of a server of ours."""
        token = self._services.speakers.get(self._facts.id, "")
        itself = seen.get("answered_by") == self._facts.id
        return itself and (not token or knows(token, asked["nonce"], str(seen.get("proof") or "")))

    def _listening(self) -> set[PortKey]:
        """A caller's own image: asked from inside, because it may listen on 127.0.0.1 on purpose."""
        try:
            channel = self._services.agents.channel(self._facts.id)
            seen = agents.look(channel, "listeners")["listeners"]
            if len(seen) > ROWS:  # then those that are waited for may not be among them
                seen = agents.listeners(channel, [port.number for port in self._left])
        except DockconnError:
            raise_if_ended(self._services.engine, self._facts.id)
            raise
        self.last = [f"{row['protocol']} {row['local']} port {row['port']} listens" for row in seen] or [
            "nothing listens"
        ]
        return {port for port in self._left if any(_is(row, port) for row in seen)}


def _question(port: PortKey, address: str) -> dict[str, Any]:
    scheme = "udp" if port.protocol == "udp" else "http"
    return {
        "scheme": scheme,
        "host": address,
        "port": port.number,
        "timeout": 0.25 if scheme == "udp" else 1.0,
        "nonce": secrets.token_hex(8),
    }


def _is(row: Mapping[str, Any], port: PortKey) -> bool:
    return bool(row["protocol"] == port.protocol and row["port"] == port.number)


def raise_if_ended(engine: Engine, container: str) -> None:
    """Raises ``StartFailed`` with exit code and last log lines where the container does not run any more."""
    facts = engine.inspect(container)
    if facts.status in ("running", "paused", "created", "restarting"):
        return
    why = f": {facts.error}" if facts.error else (" (out of memory)" if facts.oom_killed else "")
    raise StartFailed(
        f"{facts.name} ended with exit code {facts.exit_code}{why} before it answered\n{last_lines(engine, container)}",
        checked=f"state {facts.status}, command {' '.join(facts.command)!r}",
        remedy="see its last output above; `command` must run in the foreground",
    )


def is_not_kept(error: DockconnError) -> bool:
    """Whether a container's output can't be read because none is kept."""
    return any(words in error.cause for words in _NOT_KEPT)


def last_lines(engine: Engine, container: str, count: int = 20, limit: int = 20000) -> str:
    """The end of a container's output, so many lines and characters at the most, indented and fit to be shown."""
    try:
        output = engine.logs(container, tail=count)
    except DockconnError as error:
        if is_not_kept(error):
            return "    (its output is not kept)"
        return f"    (its logs can't be read: {error.cause})"
    lines = ending(output, limit).splitlines()[-count:]
    return "\n".join("    " + line for line in lines) or "    (it wrote nothing)"


def _some(lines: Sequence[str]) -> str:
    """The first few."""
    more = f"; and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return "; ".join(lines[:MOST]) + more


def _silent(engine: Engine, facts: ContainerFacts, last: Sequence[str], within: float) -> StartFailed:
    return StartFailed(
        f"{facts.name} runs but does not answer on all of its ports within {within:g} s: {_some(last) or 'not asked'}\n"
        f"{last_lines(engine, facts.id)}",
        checked="its ports from where they can be reached, and its state",
        remedy="see its last output above; name in `expose` only what it listens on",
    )


def side_by_side(*work: Any) -> list[Any]:
    """Run calls in threads and return their results; the first error is raised after all have ended, Ctrl-C before any."""
    results: list[Any] = [None] * len(work)
    errors: list[BaseException] = []

    def run(at: int) -> None:
        try:
            results[at] = work[at]()
        except BaseException as error:
            errors.append(error)

    threads: list[threading.Thread] = []
    with contextlib.suppress(RuntimeError):  # the system has no more of them: then in this one
        for at in range(1, len(work)):
            thread = threading.Thread(target=run, args=(at,))
            thread.start()
            threads.append(thread)
    for at in (*range(len(work))[:1], *range(len(threads) + 1, len(work))):
        run(at)
    for thread in threads:
        thread.join()
    if errors:
        raise next((error for error in errors if not isinstance(error, Exception)), errors[0])
    return results

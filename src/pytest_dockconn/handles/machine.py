"""A container as a machine: its identity, its state, its addresses, and what can be read of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec.structs import replace

from ..actions import agents, variables
from ..actions.containers import is_not_kept, last_lines
from ..actions.services import Services
from ..errors import DockconnError, EngineError, NotFound
from ..logic import links
from ..logic.given import text
from ..model.facts import ContainerFacts
from ..text import one_line
from .source import Source


class NetworkRef:
    """What a container asks of a network: a ``Network`` is one."""

    @property
    def id(self) -> str:
        """The full id."""
        raise NotImplementedError


def network_name(network: object) -> str:
    """A network that is named by text. Raises ``SpecError`` for what is neither a name nor a network."""
    return text(network, "network", "pass what dockconn.network() returned, or a name")


class Machine(Source):
    """A container, whoever made it. Compares by id."""

    #: Whether this run made it: nothing is run in what others made, and none of that is changed.
    ours = False

    def __init__(self, services: Services, facts: ContainerFacts, name: str | None = None) -> None:
        self.services = services
        # of others' it may be what a label says; pytest shows it, as a part of what a test compares
        self.name = one_line(name or facts.name)
        self._id = facts.id
        self._last = facts
        # one that a test adopts although it made it, or adopted it before, keeps the name that it has
        services.names.setdefault(facts.id, self.name)
        services.known.setdefault(facts.id, self)

    @property
    def id(self) -> str:
        """The full id."""
        return self._id

    @property
    def engine_name(self) -> str:
        """What the engine calls it."""
        return self.facts().name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Machine) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self._id[:12]}>"

    @property
    def source_id(self) -> str | None:
        """Its id."""
        return self._id

    def source_facts(self) -> ContainerFacts | None:
        """What it is like now."""
        return self.facts()

    @property
    def speaks(self) -> bool:
        """Whether its answers say that they are its own."""
        return self._id in self.services.speakers

    def facts(self) -> ContainerFacts:
        """What it is like now; what it was like last, with status ``removed``, where it is gone."""
        try:
            facts = self.services.facts.get(self._id)
        except NotFound:
            return _gone(self._last)
        if facts.endpoints and any(e.ip or e.ip6 for e in facts.endpoints):
            self._last = facts
        return facts

    def last_facts(self) -> ContainerFacts:
        """What it is like now, with its last addresses where it has none: a stranger may have taken them over."""
        facts = self.facts()
        if facts.addresses or facts.running:
            return facts
        return replace(facts, endpoints=self._last.endpoints, bindings=self._last.bindings)

    @property
    def ip(self) -> str:
        """The IPv4 address on its first network; empty where it has none."""
        return next((e.ip for e in self.last_facts().endpoints if e.ip), "")

    @property
    def ip6(self) -> str:
        """The IPv6 address on the first network that gave it one; empty where none did."""
        return next((e.ip6 for e in self.last_facts().endpoints if e.ip6), "")

    def ip_on(self, network: NetworkRef | str) -> str:
        """The address on a network, IPv4 if it has one. Raises ``DockconnError`` where it is not on it."""
        named = network.id if isinstance(network, NetworkRef) else self.network_called(network_name(network))
        endpoint = self.facts().endpoint(named)
        if endpoint is None:
            on = ", ".join(e.network for e in self.facts().endpoints)
            raise DockconnError(
                f"{self.name} is not on network {network}",
                checked=f"it is on: {on or 'none'}",
                remedy="connect it first",
            )
        return endpoint.ip or endpoint.ip6

    def network_called(self, name: str) -> str:
        """The id of its network that the tests call so; the name itself where it is on none."""
        names = self.services.names
        return next((e.network_id for e in self.last_facts().endpoints if names.get(e.network_id) == name), name)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its main process was started with, those of links included.

        Of others' containers nothing but those that they were created with, without links', where their processes can't be seen:
        that takes root on the engine's host.
        """
        found = self.seen_environment()
        return dict(self.facts().env) if found is None else found

    def seen_environment(self) -> dict[str, str] | None:
        """As ``environment``; None where they can't be seen. See ``actions/variables.py``."""
        facts = self.facts()
        with self.must_be_there("read the variables of"):
            own = self.services.agents.own(facts)  # a sidecar has variables of its own
            if own is not None:
                return dict(agents.look(own, "environ")["environ"])
            return variables.started_with(self.services.engine, facts, ours=self.ours)

    @property
    def hosts(self) -> dict[str, tuple[str, ...]]:
        """Its /etc/hosts: name to addresses."""
        with self.must_be_there("read /etc/hosts of"):
            return links.hosts(str(agents.look(self.services.agents.channel(self._id), "hosts")["hosts"]))

    def logs(self) -> str:
        """Its output so far: untrusted, as it is. Raises ``EngineError`` where that is longer than 16 MiB.

        Empty where its logging driver keeps none: so it is with a client without ``image`` and ``command`` of the caller's
        own, whose agent writes to nobody but who asks it, and with others' containers of ``--log-driver none``.
        """
        with self.must_be_there("read the logs of"):
            try:
                return self.services.engine.logs(self._id)
            except EngineError as error:
                if not is_not_kept(error):
                    raise
                return ""

    @contextlib.contextmanager
    def must_be_there(self, doing: str) -> Iterator[None]:
        """While something is done with it: the engine knows an id alone. Raises ``NotFound`` that says who is gone."""
        try:
            yield
        except NotFound as error:
            self.services.facts.forget(self._id)
            if self.facts().status != "removed":
                raise
            raise NotFound(
                f"can't {doing} {self.name} ({self._id[:12]}): it is not there any more",
                checked=error.cause,
                remedy="its lab removes it at the end of its scope; else see who does, such as `docker system prune`: `docker events` tells when",
            ) from None

    def last_lines(self, count: int = 20) -> str:
        """The end of its output, fit to be shown."""
        return last_lines(self.services.engine, self._id, count)


def _gone(facts: ContainerFacts) -> ContainerFacts:
    return replace(facts, status="removed", pid=0)

"""A link is what the engine promises."""

from __future__ import annotations

from ..actions.capabilities import can
from ..errors import ReachabilityError, SpecError
from ..handles.container import Container
from ..handles.engine import tcp_first
from ..logic import links
from ..logic.given import kind, shown
from ..logic.names import hostname
from ..model.facts import ContainerFacts
from ..report import messages
from .reachable import assert_reachable


def assert_linked(client: Container, server: Container, alias: str | None = None) -> None:
    """Pass when a link is what the engine promises.

    The name in the client's /etc/hosts leads to the server's present address; the link's variables are exact where the
    engine sets them; HTTP by that name is answered by that server.

    Args:
        client: the one that was linked, also one that was adopted.
        server: the one that it was linked to.
        alias: the name of the link; the server's name if None.

    Raises:
        ReachabilityError: says what is missing or stale.
        SpecError: an argument that can't be.
    """
    __tracebackhide__ = True
    for one in (client, server):
        _check(one)
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


def _check(one: object) -> None:
    if not isinstance(one, Container):
        raise SpecError(
            f"{shown(one)} is no container, so there is no link",
            checked=kind(one),
            remedy="write assert_linked(client, server), with what client() and server() returned",
        )


def _on_default(client: Container, theirs: ContainerFacts, ours: ContainerFacts) -> bool:
    default = client.services.default_network
    return ours.endpoint(default) is not None or theirs.endpoint(default) is not None


def _hosts_problems(client: Container, theirs: ContainerFacts, alias: str) -> list[str]:
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


def _variable_problems(client: Container, theirs: ContainerFacts, ours: ContainerFacts, alias: str) -> list[str]:
    services = client.services
    if not can(services, "link-env"):
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
    others = [other for _, other in ours.links]
    return [f"variable {line}" for line in links.differences(links.variables(link), client.environment, alias, others)]


def _answer_problems(client: Container, server: Container, alias: str) -> list[str]:
    exposed = server.facts().exposed
    # any TCP port can be asked, and it is HTTP that a link promises; a datagram is sure to be answered by servers of ours alone
    asked = [p for p in exposed if p.protocol == "tcp"] or [p for p in exposed if p.protocol == "udp" and server.speaks]
    if not asked:
        return []
    try:
        assert_reachable(client, server.port(asked[0].number, asked[0].protocol).named(alias))
    except ReachabilityError as error:
        return str(error).splitlines()
    return []

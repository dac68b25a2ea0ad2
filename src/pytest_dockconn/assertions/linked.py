"""A link is what the engine promises."""

from __future__ import annotations

from ..actions.capabilities import can
from ..errors import ReachabilityError, SpecError
from ..handles.container import Container
from ..handles.engine import tcp_first
from ..logic import links
from ..logic.given import kind, shown
from ..logic.names import hostname
from ..model.asked import Asked
from ..model.facts import ContainerFacts
from ..report import messages
from .reachable import assert_reachable

#: That takes root on the engine's host: nothing is run in what others made.
UNSEEN = "the variables that {} was started with can't be seen from here (may /proc of the engine's host be read?), so the link's are inconclusive"


def assert_linked(client: Container, server: Container, alias: str | None = None) -> None:
    """Pass when a link is what the engine promises.

    The name in the client's /etc/hosts leads to the server's present address; the link's variables are exact where the
    engine sets them; HTTP by that name is answered by that server. On networks of one's own a link is a name in DNS alone, so
    that the client has it is looked up.

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
    # on networks of one's own a link is a name in DNS and nothing else, and others may have given the same name to all
    if _by_hosts(client, theirs, ours, name):
        problems = _hosts_problems(client, theirs, name) + _variable_problems(client, theirs, ours, name)
    else:
        problems = [] if links.on_a_network(ours, theirs, name) else [links.no_link(ours, theirs, name, server.name)]
    if not problems:
        problems = _answer_problems(client, server, name)
    client.services.asked.append(
        Asked(
            test=client.services.test, question="linked", source=client.name, destination=server.name,
            way=f"as {name}", verdict="", elapsed=0.0, passed=not problems,
        )
    )  # fmt: skip
    if problems:
        raise ReachabilityError(messages.link(client.name, server.name, name, problems, _remedy(client, name)))


def _check(one: object) -> None:
    if not isinstance(one, Container):
        raise SpecError(
            f"{shown(one)} is no container, so there is no link",
            checked=kind(one),
            remedy="write assert_linked(client, server), with what client() and server() returned",
        )


def _by_hosts(client: Container, theirs: ContainerFacts, ours: ContainerFacts, alias: str) -> bool:
    """Whether it is a link of the default network, or would be one there."""
    if any(other == alias for _, other in ours.links):
        return True
    where = ours if ours.endpoints else theirs  # of one that shares another's network the engine tells none
    on_default = where.endpoint(client.services.default_network) is not None
    return on_default and not links.on_a_network(ours, theirs, alias)


def _remedy(client: Container, alias: str) -> str:
    if client.facts().endpoint(client.services.default_network) is None and not can(client.services, "network-links"):
        return (
            f"{client.services.version.kind} drops links on networks of one's own (capability 'network-links'): give the server "
            f"the name for all, server(networks=[network], aliases=[{alias!r}]), and ask for server.port(80).named({alias!r})"
        )
    return (
        f"restart the client after the server, or link them: client(links={{{alias!r}: server}}), links=[server] for its own "
        "name, and on networks of one's own networks=[network] beside it; see `docker inspect` for Links"
    )


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
    seen = client.seen_environment()
    if seen is None and not client.ours:
        return [UNSEEN.format(client.name)]
    others = [other for _, other in ours.links]
    found = ours.env if seen is None else seen
    return [f"variable {line}" for line in links.differences(links.variables(link), found, alias, others)]


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

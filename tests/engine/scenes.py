"""Arrangements that several tables ask about and none changes: for ``Shared.once``, which makes each once a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_dockconn import Client, Container, Lab, Network, Port, Server
from pytest_dockconn.actions.containers import side_by_side
from tests.conformance.helpers import asker
from tests.engine import servers
from tests.engine.helpers import docker_py, rule, take_address
from tests.shared import Stage

#: A name server that nobody is: an engine's own may take 10 s to say that a name does not exist.
NO_NAME_SERVER = ("127.0.0.1",)


@dataclass(frozen=True)
class Pair:
    """A client, and a server that it asks."""

    client: Client
    server: Server


@dataclass(frozen=True)
class Placed(Pair):
    """And the network of the server."""

    network: Network


def pair(lab: Lab, server: dict[str, Any] | None = None, client: dict[str, Any] | None = None) -> Pair:
    """With these options, made side by side."""
    made_server, made_client = side_by_side(lambda: lab.server(**(server or {})), lambda: lab.client(**(client or {})))
    return Pair(made_client, made_server)


def plain(lab: Lab) -> Pair:
    """On the default network; nothing is wrong with them."""
    return pair(lab, {"expose": (80, "53/udp")})


def nameless(lab: Lab) -> Client:
    """Hears at once of a name that does not exist, on the default network."""
    return lab.client(dns=NO_NAME_SERVER)


def on_the_hosts_network(lab: Lab) -> Client:
    return lab.client(network_mode="host")


def without_network(lab: Lab) -> Client:
    return lab.client(network_mode="none")


def asked(scene: Callable[[Lab], Pair], number: int = 80) -> Callable[[Stage], tuple[Client, Port]]:
    """A set-up: the client of a scene asks its server."""

    def set_up(stage: Stage) -> tuple[Client, Port]:
        made = stage.once(scene)
        return made.client, made.server.port(number)

    return set_up


# Names


def named(lab: Lab) -> Placed:
    """On one network; the client hears at once of names that do not exist."""
    network = lab.network()
    server = lab.server(networks=[network], aliases=["db", "mail.example"])
    return Placed(asker(lab, networks=[network]), server, network)


@dataclass(frozen=True)
class Linked:
    """A client that is linked to a server by an alias."""

    client: Client
    server: Container
    alias: str


#: How the server of each alias is made.
ALIASES: dict[str, dict[str, Any]] = {
    "db": {},
    "docker-1": {},
    "three": {"expose": ("6379-6381",)},
    "two": {"expose": ("6379-6380",)},
    "apart": {"expose": (80, 443)},
    "mixed": {"expose": ("6300/udp", 6379)},
    "tie": {"expose": ("53/udp", 53)},
    "bound": {"expose": (), "bind": {8080: None}},
    "quiet": {"expose": (), "env": {"A": "1"}},
    "copied": {"env": {"PASSWORD": "geheim", "HOME": "/srv", "A_B": "x=y z"}},
}


def linked(lab: Lab) -> dict[str, Linked]:
    """By the alias; one client is linked to them all."""
    made = lab.side_by_side(*(partial(lab.server, **options) for options in ALIASES.values()))
    servers = dict(zip(ALIASES, made, strict=True))
    client = lab.client(links=servers)
    return {alias: Linked(client, server, alias) for alias, server in servers.items()}


# Closed by their networks


def apart(lab: Lab) -> Placed:
    """On a network each; the server has an alias there."""
    front, back = lab.network("front"), lab.network("back")
    server = {"networks": [back], "aliases": ["db"], "expose": (80, "53/udp")}
    made = pair(lab, server, {"networks": [front], "dns": NO_NAME_SERVER})
    return Placed(made.client, made.server, back)


def icc_off(lab: Lab) -> Pair:
    """On one network, whose containers must not talk to each other."""
    on = {"networks": [lab.network(icc=False)]}
    return pair(lab, {**on, "expose": (80, "53/udp")}, on)


def internal(lab: Lab) -> Placed:
    """On one network, which has no way out."""
    network = lab.network(internal=True)
    made = pair(lab, {"networks": [network]}, {"networks": [network]})
    return Placed(made.client, made.server, network)


def second_address_open(lab: Lab) -> Placed:
    """The server is on two networks, the client on that of its second address; ``network`` is that of the first."""
    front, back = lab.network("front"), lab.network("back")
    made = pair(lab, {"networks": [front, back]}, {"networks": [back]})
    return Placed(made.client, made.server, front)


# Closed by rules


def dropped(lab: Lab) -> Pair:
    """The server drops what this client sends."""
    made = pair(lab)
    rule(made.server, "-A", "INPUT", "-s", made.client.ip, "-p", "tcp", "--dport", "80", "-j", "DROP")
    return made


def rejected(lab: Lab) -> Pair:
    """The server rejects what this client sends."""
    made = pair(lab)
    rule(made.server, "-A", "INPUT", "-s", made.client.ip, "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")
    return made


# Servers that do not answer


def bound(lab: Lab) -> Server:
    """To a free port of 127.0.0.1."""
    return lab.server(bind={80: None})


def unsaid(lab: Lab) -> Server:
    """Answers everybody, and can't say who it is; bound to a port of 127.0.0.1."""
    return _bound(lab, servers.web(80))


def silent(lab: Lab) -> Server:
    return _bound(lab, servers.SILENT)


def closes(lab: Lab) -> Server:
    return _bound(lab, servers.CLOSES)


def mail(lab: Lab) -> Server:
    return _bound(lab, servers.MAIL)


def _bound(lab: Lab, options: dict[str, Any]) -> Server:
    """So that everybody can ask."""
    return lab.server(**{**options, "expose": ()}, bind={80: None})


def loopback(lab: Lab) -> Server:
    """Listens on its own 127.0.0.1 alone, behind a bound port."""
    return lab.server(bind={8000: None}, **servers.LOOPBACK)


def flickers(lab: Lab) -> Server:
    return lab.server(**servers.FLICKERS)


def stopped(lab: Lab) -> Pair:
    """A server that has stopped, on a network of its own, where nobody is given its address; a client beside it."""
    on = {"networks": [lab.network()]}
    made = pair(lab, on, on)
    made.server.stop()
    return made


def paused(lab: Lab) -> Server:
    """Bound to a port of 127.0.0.1."""
    server = lab.server(bind={80: None})
    pause(server)
    return server


def pause(container: Container) -> None:
    docker_py(container.services.engine.url).pause(container.id)
    container.services.facts.forget(container.id)


def replaced(lab: Lab, **options: Any) -> Pair:
    """A server that has stopped, whose address a stranger has taken, ``server2``; a client beside them."""
    network = lab.network()
    options = {"networks": [network], "expose": (80, "53/udp"), **options}
    client, gone = lab.client(networks=[network]), lab.server(**options)
    gone.stop()
    take_address(lab, gone.ip, **options)
    return Pair(client, gone)


def replaced_by_an_equal(lab: Lab) -> Pair:
    """The same, of servers that can't say who they are."""
    return replaced(lab, **servers.both(servers.ECHO, servers.web(80)))


@dataclass(frozen=True)
class Proxied(Pair):
    """A proxy that says yes to everything, as the error page of a captive portal does; the client's environment names it."""

    url: str


def variables(url: str) -> dict[str, str]:
    """That name a proxy for everything."""
    return {"http_proxy": url, "ALL_PROXY": url}


def proxied(lab: Lab) -> Proxied:
    """On a network of their own the server stops, when all addresses are given: so nobody gets its."""
    network = lab.network()
    server, proxy = side_by_side(
        lambda: lab.server(networks=[network]),
        lambda: lab.server(networks=[network], name="proxy", **servers.web(3128)),
    )
    url = f"http://{proxy.ip}:3128"
    client = lab.client(networks=[network], env=variables(url))
    server.stop()
    return Proxied(client, server, url)

"""Links as engines make them: variables, lines of /etc/hosts, names, what survives what, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from pytest_dockconn import Client, Container, Lab, Server, Verdict, assert_linked, assert_reachable
from tests.conformance.helpers import NXDOMAIN, OWN_NAME_SERVER, Call, asker, returned, words
from tests.conformance.others import engine_says, web
from tests.conformance.rows import Docker, OneOf, Row, Says, Since, Stage, params, refused
from tests.engine import scenes
from tests.engine.helpers import take_address
from tests.engine.scenes import Linked

LINKS_GO = "moby daemon/links/links.go"
CLI_TESTS = "moby integration-cli/docker_cli_links_test.go"


def linked(alias: str = "db", **options: Any) -> Callable[[Stage], Linked]:
    """A server with these options, and a client that is linked to it."""

    def set_up(stage: Stage) -> Linked:
        server = stage.lab.server(**options)
        return Linked(stage.lab.client(links={alias: server}), server, alias)

    return set_up


def made(alias: str) -> Callable[[Stage], Linked]:
    """Of those that all belong to one client."""
    return lambda stage: stage.once(scenes.linked)[alias]


def plain(lab: Lab) -> Linked:
    server = lab.server()
    return Linked(lab.client(links={"db": server}, dns=OWN_NAME_SERVER), server, "db")


# --- variables -------------------------------------------------------------------------------------------------------


def variables(pair: Linked) -> dict[str, str]:
    """The link's variables as the client's processes see them, with words in place of what differs from run to run."""
    prefix = pair.alias.upper().replace("-", "_") + "_"
    table = {pair.server.ip: "IP", pair.client.engine_name: "CLIENT"}
    seen = {n: words(text, table) for n, text in pair.client.environment.items() if n.startswith(prefix)}
    assert_linked(pair.client, pair.server, pair.alias)  # and the assertion says the same
    return seen


def port(prefix: str, number: int, protocol: str = "tcp") -> dict[str, str]:
    """The four variables of one port."""
    base = f"{prefix}_PORT_{number}_{protocol.upper()}"
    return {
        base: f"{protocol}://IP:{number}",
        f"{base}_ADDR": "IP",
        f"{base}_PORT": str(number),
        f"{base}_PROTO": protocol,
    }


def run_of(prefix: str, first: int, last: int) -> dict[str, str]:
    """The four further variables of a run of ports."""
    base = f"{prefix}_PORT_{first}_TCP"
    return {
        f"{base}_START": f"tcp://IP:{first}",
        f"{base}_END": f"tcp://IP:{last}",
        f"{base}_PORT_START": str(first),
        f"{base}_PORT_END": str(last),
    }


def one_of(name: str) -> Callable[[Linked], object]:
    return lambda pair: variables(pair).get(name)


def with_image(stage: Stage) -> Linked:
    """The image exposes 8080, and the container, which listens on nothing, does not say so again."""
    image = stage.lab.server(expose=(8080,)).commit(f"dockconn-conformance-{stage.lab.host.services.run}")
    server = stage.lab.server(image=image, expose=())
    return Linked(stage.lab.client(links={"db": server}), server, "db")


def copied(pair: Linked) -> set[str]:
    return {f"{name}={value}" for name, value in variables(pair).items() if "_ENV_" in name}


@dataclass(frozen=True)
class Moved:
    """A server was restarted and has another address: what its client saw as it went on, and after a restart of its own.

    Attributes:
        stale: whether the variable had the old address still, and whether the hosts file had the new one.
        renewed: the variables after that.
    """

    stale: tuple[bool, bool]
    renewed: dict[str, str]


def moved(lab: Lab) -> Moved:
    server = lab.server()
    pair = Linked(lab.client(links={"db": server}), server, "db")
    old = server.ip
    server.stop()
    take_address(lab, old, expose=())
    server.start()
    assert server.ip != old
    stale = pair.client.environment["DB_PORT_80_TCP_ADDR"] == old, pair.client.hosts["db"] == (server.ip,)
    pair.client.restart()
    return Moved(stale, variables(pair))


NAME = "/CLIENT/db"
VARIABLES: list[Row[Any]] = [
    Row(
        name="one port",
        set_up=made("db"),
        probe=variables,
        expected={"DB_NAME": NAME, "DB_PORT": "tcp://IP:80", **port("DB", 80)},
        source=LINKS_GO,
    ),
    Row(
        name="a dash in the alias",
        set_up=made("docker-1"),
        probe=variables,
        expected={"DOCKER_1_NAME": "/CLIENT/docker-1", "DOCKER_1_PORT": "tcp://IP:80", **port("DOCKER_1", 80)},
        source="moby daemon/links/links_test.go: TestLinkNaming",
    ),
    Row(
        name="three ports in a row",
        set_up=made("three"),
        probe=variables,
        expected={
            "THREE_NAME": "/CLIENT/three",
            "THREE_PORT": "tcp://IP:6379",
            **port("THREE", 6379),
            **port("THREE", 6380),
            **port("THREE", 6381),
            **run_of("THREE", 6379, 6381),
        },
        source="moby daemon/links/links_test.go: TestLinkMultipleEnv",
    ),
    Row(
        name="two ports in a row",
        set_up=made("two"),
        probe=lambda pair: "TWO_PORT_6379_TCP_END" in variables(pair),
        expected=Since("28.0", then=True, before=False),
        source="moby#49300",
        caveat="before 28.0 a run is of three or more",
    ),
    Row(
        name="ports apart are no run",
        set_up=made("apart"),
        probe=variables,
        expected={
            "APART_NAME": "/CLIENT/apart",
            "APART_PORT": "tcp://IP:80",
            **port("APART", 80),
            **port("APART", 443),
        },
        source=LINKS_GO,
    ),
    Row(
        name="the first port, of two protocols",
        set_up=made("mixed"),
        probe=one_of("MIXED_PORT"),
        expected=Since("28.0", then="tcp://IP:6379", before="udp://IP:6300"),
        source=LINKS_GO,
        caveat="28.0 on: the lowest TCP port; before: the lowest number of any protocol",
    ),
    Row(
        name="the first port, one number of two protocols",
        set_up=made("tie"),
        probe=one_of("TIE_PORT"),
        expected="tcp://IP:53",
        source=LINKS_GO,
    ),
    Row(
        name="a published port is an exposed one",
        set_up=made("bound"),
        probe=one_of("BOUND_PORT_8080_TCP"),
        expected="tcp://IP:8080",
        source=LINKS_GO,
    ),
    Row(
        name="a port that the image exposes",
        set_up=with_image,
        probe=lambda pair: pair.client.environment.get("DB_PORT") == f"tcp://{pair.server.ip}:8080",
        expected=True,
        source="docker run --link: ports of EXPOSE, --expose and -p",
    ),
    Row(
        name="nothing exposed",
        set_up=made("quiet"),
        probe=variables,
        expected={"QUIET_NAME": "/CLIENT/quiet", "QUIET_ENV_A": "1"},
        source=LINKS_GO,
    ),
    Row(
        name="the source's variables but HOME and PATH",
        set_up=made("copied"),
        probe=copied,
        expected={"COPIED_ENV_PASSWORD=geheim", "COPIED_ENV_A_B=x=y z"},
        source="moby daemon/links/links_test.go: TestLinkEnv",
    ),
    Row(
        name="the source restarted alone, with another address",
        set_up=lambda stage: stage.once(moved),
        probe=lambda seen: seen.stale,
        expected=(True, True),
        source=f"{CLI_TESTS}: TestLinksUpdateOnRestart",
        caveat="the variables are gone from 29.0 on; the hosts file follows in every version",
    ),
    Row(
        name="the recipient restarted after that",
        set_up=lambda stage: stage.once(moved),
        probe=lambda seen: seen.renewed,
        expected={"DB_NAME": NAME, "DB_PORT": "tcp://IP:80", **port("DB", 80)},
        source="moby daemon: variables are written at each start of the recipient",
    ),
]


@pytest.mark.parametrize("row", params(VARIABLES, "links", "link-env"))
def test_variables(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- names -----------------------------------------------------------------------------------------------------------


def line_of(alias: str, pair: Linked) -> str:
    """The alias's line of /etc/hosts as it is written, with words in place of what differs from run to run."""
    lines = pair.client.run("cat", "/etc/hosts").stdout.splitlines()
    line = next(line for line in lines if alias in line.split())
    return words(line, {pair.server.ip: "IP", pair.server.id[:12]: "ID12", pair.server.engine_name: "NAME"})


def by_own_name(stage: Stage) -> Linked:
    server = stage.once(plain).server
    return Linked(stage.lab.client(links={server.engine_name: server}), server, server.engine_name)


def verdict(pair: Linked) -> Verdict:
    """What comes of asking the server by the alias."""
    return pair.client.probe(pair.server.port(80).named(pair.alias)).verdict


def unlinked(stage: Stage) -> Linked:
    pair = stage.once(plain)
    return Linked(stage.once(scenes.nameless), pair.server, pair.alias)


def by_id(stage: Stage) -> Linked:
    server = stage.once(plain).server
    return Linked(stage.lab.client(links={"by-id": server.id}), server, "by-id")


def in_hosts_and_reached(pair: Linked) -> tuple[bool, bool]:
    """Whether the hosts file has the alias at the server's address, and whether the server itself answers by it."""
    answer = pair.client.probe(pair.server.port(80).named(pair.alias), timeout=2.0)
    return pair.client.hosts.get(pair.alias) == (pair.server.ip,), answer.answered_by == pair.server.id


def inspected(stage: Stage) -> tuple[str, list[str]]:
    source, target = stage.once(plain).server.engine_name, stage.others.name("c")
    made = stage.others.create(name=target, host={"links": [(source, "n")]})
    return f"/{source}:/{target}/n", stage.others.api.inspect_container(made)["HostConfig"]["Links"]


def renamed(stage: Stage) -> Linked:
    source = stage.others.run(web(80))
    client = stage.lab.client(links={"db": source}, dns=OWN_NAME_SERVER)
    assert_reachable(client, source.port(80).named("db"))
    stage.others.api.rename(source.id, stage.others.name("renamed"))
    return Linked(client, source, "db")


def in_container_mode(stage: Stage) -> Linked:
    """The source has no network of its own: the link leads to the container whose network it shares."""
    parent = stage.others.run(web(80))
    child = stage.others.run(host={"network_mode": f"container:{parent.id}"})
    return Linked(stage.lab.client(links={"db": child}), parent, "db")


def read_only(stage: Stage) -> tuple[Container, Container]:
    server = stage.once(plain).server
    host = {"read_only": True, "links": [(server.engine_name, "db")]}
    return stage.others.run(host=host), server


def of_two_with_one_alias(stage: Stage) -> tuple[bool, bool]:
    """Which of two links with one alias is there. docker-py sorts links by the name of the source."""
    some = (stage.once(scenes.linked)[alias].server for alias in ("db", "two"))
    one, two = sorted(some, key=lambda server: server.engine_name)
    host = {"links": [(one.engine_name, "db"), (two.engine_name, "db")]}
    found = stage.others.run(host=host).hosts["db"]
    return one.ip in found, two.ip in found


def recreated(stage: Stage) -> Linked:
    """The source is gone, and another with its name is at another address."""
    name = stage.others.name("db")
    source = stage.others.run(web(80), name=name)
    old = source.ip
    client = stage.lab.client(links={"db": source}, dns=OWN_NAME_SERVER)
    assert_reachable(client, source.port(80).named("db"))
    stage.others.remove(source.id)
    take_address(stage.lab, old, expose=())
    return Linked(client, stage.others.run(web(80), name=name), "db")


def on_two_lines(stage: Stage) -> tuple[bool, bool]:
    """Two links to one server."""
    server = stage.once(plain).server
    client = stage.lab.client(links={"one": server, "two": server})
    return client.hosts["one"] == (server.ip,), client.hosts["two"] == (server.ip,)


NAMES: list[Row[Any]] = [
    Row(
        name="the line",
        set_up=lambda stage: stage.once(plain),
        probe=partial(line_of, "db"),
        expected="IP\tdb ID12 NAME",
        source="moby daemon: buildSandboxOptions",
    ),
    Row(
        name="the line, alias and name equal",
        set_up=by_own_name,
        probe=lambda pair: line_of(pair.alias, pair),
        expected="IP\tNAME ID12",
        source="moby daemon: buildSandboxOptions",
    ),
    Row(
        name="the line, a hostname of its own",
        set_up=linked(hostname="mail"),
        probe=partial(line_of, "db"),
        expected="IP\tdb mail NAME",
        source="moby daemon: buildSandboxOptions",
    ),
    Row(
        name="linked",
        set_up=lambda stage: stage.once(plain),
        probe=in_hosts_and_reached,
        expected=(True, True),
        source=f"{CLI_TESTS}: TestLinksPingLinkedContainers",
    ),
    Row(
        name="not linked",
        set_up=unlinked,
        probe=verdict,
        expected=Verdict.NAME_NOT_FOUND,
        source=f"{CLI_TESTS}: TestLinksPingUnlinkedContainers",
    ),
    Row(
        name="linked by id",
        set_up=by_id,
        probe=in_hosts_and_reached,
        expected=(True, True),
        source="moby integration-cli/docker_cli_run_test.go: TestRunLinksContainerWithContainerID",
    ),
    Row(
        name="two aliases of one server",
        set_up=on_two_lines,
        probe=returned,
        expected=(True, True),
        source="docker run --link, given twice",
    ),
    Row(
        name="inspect",
        set_up=inspected,
        probe=lambda seen: seen[1] == [seen[0]],
        expected=True,
        source=f"{CLI_TESTS}: TestLinksInspectLinksStarted",
    ),
    Row(
        name="the source renamed",
        set_up=renamed,
        probe=verdict,
        expected=Verdict.REACHABLE,
        source=f"{CLI_TESTS}: TestLinksPingLinkedContainersAfterRename",
    ),
    Row(
        name="the source in container: mode",
        set_up=in_container_mode,
        probe=in_hosts_and_reached,
        expected=(True, True),
        source="moby integration-cli/docker_cli_run_test.go: TestRunLinkToContainerNetMode",
    ),
    Row(
        name="a read-only recipient",
        set_up=read_only,
        probe=lambda pair: pair[0].hosts["db"] == (pair[1].ip,),
        expected=True,
        source="moby integration-cli/docker_cli_run_test.go: TestRunContainerWithReadonlyEtcHostsAndLinkedContainer",
    ),
    Row(
        name="one alias twice, as the engine takes it",
        set_up=of_two_with_one_alias,
        probe=returned,
        expected=(True, False),
        source="moby daemon: the later is dropped, with a line in the daemon's log only",
    ),
    Row(
        name="the source recreated under its name",
        set_up=recreated,
        probe=verdict,
        expected=Verdict.REFUSED,
        source="moby daemon: a link is to a container, not to a name",
    ),
]


@pytest.mark.parametrize("row", params(NAMES, "links"))
def test_names(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- links of user networks ------------------------------------------------------------------------------------------


def on_user_network(stage: Stage, server: Server | None = None) -> Linked:
    there = stage.once(scenes.named)
    server = server or there.server
    return Linked(asker(stage.lab, networks=[there.network], links={"linked": server}), server, "linked")


def traces(pair: Linked) -> tuple[bool, bool]:
    """Whether there are variables, and whether there is a line in /etc/hosts."""
    return any(name.startswith("LINKED_") for name in pair.client.environment), "linked" in pair.client.hosts


def server_restarted(stage: Stage) -> Linked:
    server = stage.lab.server(networks=[stage.once(scenes.named).network])
    pair = on_user_network(stage, server)
    server.restart()
    return pair


def client_restarted(stage: Stage) -> Linked:
    pair = on_user_network(stage)
    pair.client.restart()
    return pair


def neighbour(stage: Stage) -> Linked:
    """Another client of the same network, that has no such link."""
    there = stage.once(scenes.named)
    stage.lab.client(networks=[there.network], links={"linked": there.server})
    return Linked(there.client, there.server, "linked")


def before_it_is_there(stage: Stage) -> Linked:
    network, name = stage.once(scenes.named).network, stage.others.name("later")
    client = asker(stage.lab, networks=[network], links=[name])
    assert client.probe(f"http://{name}/").verdict is Verdict.NAME_NOT_FOUND
    server = stage.others.run(web(80), name=name, host={"network_mode": network.engine_name})
    assert_reachable(client, server.port(80))
    return Linked(client, server, name)


def in_silence(stage: Stage) -> tuple[bool, bool]:
    """HostConfig.Links on a network of one's own: whether there is a line in /etc/hosts, and whether DNS knows the alias."""
    there = stage.once(scenes.named)
    links = [(there.server.engine_name, "linked")]
    host = {"network_mode": there.network.engine_name, "links": links, "dns": list(OWN_NAME_SERVER)}
    client = stage.others.run(["sh", "-c", 'python3 -c "$0"; sleep 600', NXDOMAIN], host=host)
    return "linked" in client.hosts, client.probe("http://linked/").verdict is not Verdict.NAME_NOT_FOUND


def on_two_networks(stage: Stage) -> tuple[Linked, Linked]:
    """A link of each of two networks, and the source off the first."""
    one, two = stage.lab.network(), stage.lab.network()
    server = stage.lab.server(networks=[one, two])
    client = asker(stage.lab, networks=[one], links={"in1": server})
    stage.others.api.connect_container_to_network(client.id, two.id, links=[(server.engine_name, "in2")])
    for alias in ("in1", "in2"):
        assert_reachable(client, server.port(80).named(alias))
    one.disconnect(server)
    return Linked(client, server, "in1"), Linked(client, server, "in2")


def alias_only(pair: Linked) -> Verdict:
    assert_linked(pair.client, pair.server, pair.alias)
    return verdict(pair)


PODMAN_DROPS = "podman drops endpoint links in silence"
USER_NETWORKS: list[Row[Any]] = [
    Row(
        name="a name, and nothing else",
        set_up=on_user_network,
        probe=traces,
        expected=(False, False),
        source="moby libnetwork: endpoint links are DNS aliases",
    ),
    Row(
        name="private to the one that links",
        set_up=neighbour,
        probe=verdict,
        expected=Verdict.NAME_NOT_FOUND,
        source="moby libnetwork: aliases of a sandbox",
    ),
    Row(
        name="the server restarted",
        set_up=server_restarted,
        probe=alias_only,
        expected=Docker(Verdict.REACHABLE, podman=Verdict.NAME_NOT_FOUND),
        source="moby integration-cli/docker_cli_network_unix_test.go: TestUserDefinedNetworkLinksWithRestart",
        caveat=PODMAN_DROPS,
    ),
    Row(
        name="the client restarted",
        set_up=client_restarted,
        probe=alias_only,
        expected=Docker(Verdict.REACHABLE, podman=Verdict.NAME_NOT_FOUND),
        source="moby integration-cli/docker_cli_network_unix_test.go: TestUserDefinedNetworkLinksWithRestart",
        caveat=PODMAN_DROPS,
    ),
    Row(
        name="to a container that is still to come",
        set_up=before_it_is_there,
        probe=verdict,
        expected=Verdict.REACHABLE,
        source="moby libnetwork: an endpoint link is looked up when it is asked for",
    ),
    Row(
        name="HostConfig.Links is ignored",
        set_up=in_silence,
        probe=returned,
        expected=(False, False),
        source="docker-py: run(network=..., links=...) does nothing",
        requires=("links",),
    ),
    Row(
        name="aliases on two networks, the source off the first",
        set_up=on_two_networks,
        probe=lambda pairs: tuple(verdict(pair) for pair in pairs),
        expected=(Verdict.NAME_NOT_FOUND, Verdict.REACHABLE),
        source="moby integration-cli/docker_cli_network_unix_test.go: TestUserDefinedNetworkConnectDisconnectLink",
        requires=("links",),
    ),
]


@pytest.mark.parametrize("row", params(USER_NETWORKS))
def test_links_of_user_networks(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- refused ---------------------------------------------------------------------------------------------------------


def host_mode(stage: Stage) -> Call:
    server = stage.once(plain).server
    return lambda: stage.lab.client(network_mode="host", links={"db": server})


def to_itself(stage: Stage) -> Call:
    return lambda: stage.lab.client(name="me", links=["me"])


def to_nobody(stage: Stage) -> Call:
    return lambda: stage.lab.client(links=["nobody-at-all"])


def to_a_stopped_one(stage: Stage) -> Call:
    server = stage.lab.server()
    server.stop()
    return lambda: stage.lab.client(links=[server])


def to_another_network(stage: Stage) -> Call:
    server = stage.once(scenes.apart).server
    return lambda: stage.lab.client(links=[server])


def one_alias_twice(stage: Stage) -> Call:
    server = stage.once(plain).server
    return lambda: stage.lab.client(links=[server, server])


REFUSED: list[Row[Any]] = [
    Row(
        name="host mode",
        set_up=host_mode,
        probe=refused,
        expected="links does not go with network_mode='host'",
        source=f"{CLI_TESTS}: TestLinksNetworkHostContainer",
    ),
    Row(
        name="to itself",
        set_up=to_itself,
        probe=refused,
        expected=Says("me can't be linked to itself"),
        source="moby daemon/links.go: the container is not there yet when its links are made",
    ),
    Row(
        name="to nobody",
        set_up=to_nobody,
        probe=refused,
        expected=Says("there is no container 'nobody-at-all'"),
        source=f"{CLI_TESTS}: TestLinksInvalidContainerTarget",
    ),
    Row(
        name="to a stopped one",
        set_up=to_a_stopped_one,
        probe=refused,
        expected=Says("server1 is not running"),
        source="moby daemon: Cannot link to a non running container",
    ),
    Row(
        name="to one on another network",
        set_up=to_another_network,
        probe=refused,
        expected=Says("server1 is not on the default network"),
        source="moby daemon: does not belong to the default network",
    ),
    Row(
        name="one alias twice",
        set_up=one_alias_twice,
        probe=refused,
        expected=Says("is used twice"),
        source="the engine would keep the first in silence",
    ),
]


@pytest.mark.parametrize("row", params(REFUSED, "links"))
def test_refused_before_anything_is_made(row: Row[Any], stage: Stage) -> None:
    row.check(stage)
    assert [c.name for c in stage.lab.containers if isinstance(c, Client)] == []


def raw(links: list[tuple[str, str]], name: str = "", **host: Any) -> Callable[[Stage], Call]:
    return lambda stage: lambda: stage.others.run(name=name or stage.others.name(), host={"links": links, **host})


def raw_to_itself(stage: Stage) -> Call:
    name = stage.others.name("me")
    return raw([(name, "me")], name)(stage)


def raw_host_mode(stage: Stage) -> Call:
    return raw([(stage.once(plain).server.engine_name, "db")], network_mode="host")(stage)


def raw_to_a_stopped_one(stage: Stage) -> Call:
    """Creating it succeeds; its start is refused, and it stays behind."""
    name = stage.others.name("stopped")
    stage.others.create(name=name)
    made = stage.others.create(host={"links": [(name, "db")]})
    return lambda: stage.others.api.start(made)


def raw_to_another_network(stage: Stage) -> Call:
    server = stage.once(scenes.apart).server
    return raw([(server.engine_name, "db")])(stage)


ENGINE_REFUSES: list[Row[Any]] = [
    Row(
        name="host mode",
        set_up=raw_host_mode,
        probe=engine_says,
        expected=Says("host type networking can't be used with links"),
        source=f"{CLI_TESTS}: TestLinksNetworkHostContainer",
    ),
    Row(
        name="to itself",
        set_up=raw_to_itself,
        probe=engine_says,
        expected=Says("could not get container for"),
        source="moby daemon/links.go: the container is not there yet when its links are made",
    ),
    Row(
        name="to nobody",
        set_up=raw([("nobody-at-all", "db")]),
        probe=engine_says,
        expected=Says("could not get container for nobody-at-all"),
        source=f"{CLI_TESTS}: TestLinksInvalidContainerTarget",
    ),
    Row(
        name="to a stopped one",
        set_up=raw_to_a_stopped_one,
        probe=engine_says,
        expected=Says("Cannot link to a non running container"),
        source="moby daemon: buildSandboxOptions",
    ),
    Row(
        name="to one on another network",
        set_up=raw_to_another_network,
        probe=engine_says,
        expected=OneOf(Says("does not belong to the default network"), Says("not attached to default bridge network")),
        source="moby daemon: addNetworkLinks, addLegacyLinks",
        caveat="other words in 28.0 and later",
    ),
]


@pytest.mark.parametrize("row", params(ENGINE_REFUSES, "links"))
def test_the_engine_refuses_the_same(row: Row[Any], stage: Stage) -> None:
    row.check(stage)

"""What all containers share, whoever made them and whatever is in them: output, addresses, command, variables."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from pytest_dockconn import Client, Image, Lab, assert_linked, assert_reachable
from pytest_dockconn.actions.images import packed
from tests.engine.helpers import needs
from tests.waiting import until


def test_the_output_of_a_client(dockconn: Lab, dockconn_client: Client) -> None:
    talks = dockconn.client(command=["sh", "-c", "echo out; echo err >&2; exec sleep 600"])

    assert until(lambda: sorted(talks.logs().splitlines()) == ["err", "out"], 20), talks.logs()
    assert dockconn_client.probe(talks.port(80)).detail  # an agent that was asked something
    assert dockconn_client.logs() == ""


def test_the_first_network_is_the_first_that_was_named(dockconn: Lab) -> None:
    zeta, alpha = dockconn.network("zeta", ipv6=True), dockconn.network("alpha", ipv6=True)
    server = dockconn.server(networks=[zeta, alpha])

    for one in (server, dockconn.adopt(server.id)):
        there = one.facts().endpoint(zeta.id)
        assert there is not None
        assert (one.ip, one.ip6, one.port(80).host) == (there.ip, there.ip6, there.ip)
    zeta.disconnect(server)
    assert server.ip == server.port(80).host == server.ip_on(alpha)
    zeta.connect(server)
    assert server.ip == server.port(80).host == server.ip_on(zeta)


ENTRYPOINT = b'ARG BASE\nFROM ${BASE}\nENTRYPOINT ["sh", "-c", "echo entry; exec sleep 600"]\n'


@pytest.fixture
def with_an_entrypoint(dockconn: Lab, dockconn_client_image: Image) -> Iterator[str]:
    """An image of the caller's own."""
    engine, tag = dockconn._services.engine, f"dockconn-entry-{secrets.token_hex(4)}:1"
    context = packed({"one.Dockerfile": ENTRYPOINT})
    list(engine.build(context, "one.Dockerfile", tag, {"BASE": dockconn_client_image.id}))
    yield tag
    dockconn.close()
    dockconn._services.remover.join()
    engine.remove_image(tag)


def test_a_command_is_the_whole_argv(dockconn: Lab, with_an_entrypoint: str) -> None:
    argv = ("sh", "-c", "echo mine; exec sleep 600")
    client = dockconn.client(image=with_an_entrypoint, command=argv)

    assert client.facts().command == argv
    assert until(lambda: client.logs() == "mine\n", 20), client.logs()

    without = dockconn.server(image=with_an_entrypoint, expose=())
    assert until(lambda: without.logs() == "entry\n", 20), without.logs()


def test_names_of_one_letter(dockconn: Lab) -> None:
    network = dockconn.network("n")
    server, client = dockconn.server(name="a", networks=[network]), dockconn.client(name="b", networks=[network])

    assert (network.name, server.name, client.name) == ("n", "a", "b")
    assert assert_reachable(client, server.port(80).named("a")).answered_by == server.id


@needs("links")
def test_a_link_of_one_letter(dockconn: Lab) -> None:
    server = dockconn.server(name="a")

    assert_linked(dockconn.client(links=[server]), server)


def test_a_network_and_a_container_of_one_name(dockconn: Lab) -> None:
    network = dockconn.network("api")
    server, client = dockconn.server(name="api", networks=[network]), dockconn.client(networks=[network])

    assert server.engine_name == network.engine_name
    assert assert_reachable(client, "http://api/").answered_by == server.id
    assert assert_reachable(client, server.port(80).on("api")).address == server.ip_on(network)


def test_a_port_that_nobody_can_see_to_listen(dockconn: Lab) -> None:
    server = dockconn.server(expose=("9899/sctp",), command=["sleep", "600"])

    assert [str(port) for port in server.facts().exposed] == ["9899/sctp"]

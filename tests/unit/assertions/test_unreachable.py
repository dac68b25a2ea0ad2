"""What happens to both ends while they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit import labs

from pytest_dockconn import Client, Lab, Network, ReachabilityError, Server, Verdict, assert_matrix, assert_unreachable
from pytest_dockconn.assertions import unreachable
from pytest_dockconn.handles import pairs
from pytest_dockconn.model.probe import Connection, ProbeResult, Target


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


def nothing(client: Client, server: Server, other: Network) -> None:
    """As it should be."""


def server_again(client: Client, server: Server, other: Network) -> None:
    server.restart()


def client_again(client: Client, server: Server, other: Network) -> None:
    client.restart()


def another_address(client: Client, server: Server, other: Network) -> None:
    other.connect(server)


Meanwhile = Callable[[Client, Server, Network], None]
MEANWHILE = [
    pytest.param(nothing, "", id="nothing"),
    pytest.param(server_again, "server1 was started again while it was asked", id="the owner is started again"),
    pytest.param(client_again, "client1 was started again while it was asked", id="the source is started again"),
    pytest.param(another_address, "leads to it by now, and was not asked", id="the owner gets another address"),
]


@pytest.mark.parametrize(("meanwhile", "lacks"), MEANWHILE)
def test_what_happens_meanwhile_is_no_proof(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile, lacks: str
) -> None:
    """Both controls are well, and what was asked between them was another server, or another network."""
    client, server, other = lab.client(), lab.server(), lab.network()

    def silent(_services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
        meanwhile(client, server, other)
        return [ProbeResult(verdict=Verdict.TIMED_OUT, target=target, address=target.host) for target in targets]

    monkeypatch.setattr(unreachable, "watch", silent)
    if not lacks:
        assert_unreachable(client, server.port(80))
        return
    with pytest.raises(ReachabilityError, match="inconclusive") as caught:
        assert_unreachable(client, server.port(80))
    assert lacks in str(caught.value)


@pytest.mark.parametrize(("meanwhile", "lacks"), MEANWHILE)
def test_nor_for_a_matrix(lab: Lab, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile, lacks: str) -> None:
    client, server, other = lab.client(), lab.server(), lab.network()

    def silent(_services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
        meanwhile(client, server, other)
        return [ProbeResult(verdict=Verdict.TIMED_OUT, target=target, address=target.host) for target in targets]

    monkeypatch.setattr(pairs, "ask", silent)
    matrix = lab.matrix([client], [server.port(80)])
    if not lacks:
        assert_matrix(matrix, {("client1", "server1:80"): "no"})
        return
    with pytest.raises(ReachabilityError, match="inconclusive") as caught:
        assert_matrix(matrix, {("client1", "server1:80"): "no"})
    assert lacks in str(caught.value)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("open_", [Verdict.INCONCLUSIVE, Verdict.WRONG_SERVER])
def test_one_address_does_not_hide_what_is_not_known_of_another(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, open_: Verdict, order: int
) -> None:
    """The first is cut off, and by the second there is an answer that can't be read."""
    front, back = lab.network(), lab.network()
    client, server = lab.client(), lab.server(networks=[front, back])

    def seen(_services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
        first = [t.host for t in server.port(80).targets_from(client.facts())][::order][0]
        verdicts = [Verdict.TIMED_OUT if target.host == first else open_ for target in targets]
        return [ProbeResult(verdict=v, target=t, address=t.host) for v, t in zip(verdicts, targets, strict=True)]

    monkeypatch.setattr(pairs, "ask", seen)
    matrix = lab.matrix([client], [server.port(80)])
    assert matrix[client, server.port(80)].verdict is open_
    with pytest.raises(ReachabilityError, match=str(open_)):
        assert_matrix(matrix, {("client1", "server1:80"): "no"})


def test_a_connection_that_was_taken_is_no_isolation_by_whichever_address(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, back = lab.network(), lab.network()
    client, server = lab.client(), lab.server(networks=[front, back])
    path = Connection("127.0.0.1", 40000, "127.0.0.2", 80)

    def seen(_services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
        last = server.port(80).targets_from(client.facts())[-1].host
        return [
            ProbeResult(verdict=Verdict.TIMED_OUT, target=t, address=t.host, path=path if t.host == last else None)
            for t in targets
        ]

    monkeypatch.setattr(pairs, "ask", seen)
    matrix = lab.matrix([client], [server.port(80)])
    with pytest.raises(ReachabilityError, match="took the connection"):
        assert_matrix(matrix, {("client1", "server1:80"): "no"})


def test_a_port_that_nobody_could_look_for_is_not_left_out_in_silence(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``matrix`` asks what the containers listen on: where that can't be seen, it can't be all of it."""
    from pytest_dockconn import DockconnError
    from pytest_dockconn.actions import agents

    client, server = lab.client(), lab.server()

    def broken(*_: object) -> list[agents.Row]:
        raise agents.AgentGone("it ended")

    monkeypatch.setattr(agents, "listeners", broken)
    with pytest.raises(DockconnError, match="it ended"):
        lab.matrix([client, server])
    server.stop()
    client.stop()
    assert len(lab.matrix([client, server])) == 1

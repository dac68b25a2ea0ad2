"""What happens to both ends while they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit import labs

from pytest_dockconn import Client, Lab, Network, ReachabilityError, Server, Verdict, assert_matrix, assert_unreachable
from pytest_dockconn.actions import controls
from pytest_dockconn.actions.asking import ask
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


@dataclass(frozen=True)
class Told:
    """What comes of a probe of somebody who can't be reached: nothing from outside, an answer from inside.

    Attributes:
        at: the address to which a name leads; None where the target is an address.
        detail: of the probe; of a name that is not known if there is one.
        inside: the only address at which the owner answers inside; None for each.
    """

    at: str | None = None
    detail: str = ""
    inside: str | None = None

    def outside(self, _services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
        verdict = Verdict.NAME_NOT_FOUND if self.detail else Verdict.REFUSED
        at = [target.host if self.at is None else self.at for target in targets]
        return [
            ProbeResult(verdict=verdict, target=t, address=a, detail=self.detail)
            for t, a in zip(targets, at, strict=True)
        ]

    def from_inside(self, _services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
        return [
            ProbeResult(verdict=Verdict.REACHABLE if t.host in (self.inside or t.host,) else Verdict.REFUSED, target=t)
            for t in targets
        ]


def unheard(name: str) -> Told:
    return Told(at="", detail=f"name resolution: {name!r} is not known")


def on_the_host(lab: Lab) -> Any:
    return lab.client(), lab.server(network_mode="host").port(80)


def listener(lab: Lab) -> Any:
    return lab.client(), lab.host.listen()


def bound(*, on: str = "", named: str = "", host: bool = False) -> Callable[[Lab], Any]:
    def made(lab: Lab) -> Any:
        port = lab.server(bind={80: ("0.0.0.0", None)}).bound_port(80)
        return lab.host if host else lab.client(), port.on(on) if on else port.named(named)

    return made


def named(name: str, *, by: str = "client") -> Callable[[Lab], Any]:
    """It is ``server1``, and ``db`` on its network, and ``mine`` for a third one that is linked to it."""

    def made(lab: Lab) -> Any:
        network = lab.network()
        server = lab.server(networks=[network], aliases=["db"])
        asks = {"client": lab.client(), "server": server, "host": lab.host}[by]
        lab.client(networks=[network], links={"mine": server})
        return asks, server.port(80).named(name.format(network=network.engine_name, id=server.id[:12]))

    return made


ITSELF = "asked from a container is 127.0.0.1, that container itself, not "


@pytest.mark.parametrize(
    ("made", "told", "lacks"),
    [
        pytest.param(on_the_host, Told(), "", id="host mode"),
        pytest.param(on_the_host, Told(inside="127.0.0.1"), "server1 does not answer at http://",
                     id="host mode, and it listens on 127.0.0.1 only"),
        pytest.param(listener, Told(), "", id="the host"),
        pytest.param(listener, Told(inside="127.0.0.1"), "the host does not answer at http://",
                     id="the host, on 127.0.0.1 only"),
        pytest.param(bound(on="198.51.100.7"), Told(), "198.51.100.7 is no address of the host", id="a mistyped host"),
        pytest.param(bound(named="198.51.100.7"), Told(), "198.51.100.7 is no address of the host", id="the same as a name"),
        pytest.param(bound(on="127.0.0.1"), Told(), "127.0.0.1 asked from a container is that container itself",
                     id="its own loopback"),
        pytest.param(bound(on="127.0.0.1", host=True), Told(), "", id="the host's loopback"),
        pytest.param(bound(named="localhost"), Told(at="127.0.0.1"), f"'localhost' {ITSELF}the host",
                     id="a bound port by localhost"),
        pytest.param(bound(named="localhost", host=True), Told(at="127.0.0.1"), "",
                     id="a bound port by localhost, from the host"),
        pytest.param(bound(named="web.test"), Told(at="198.51.100.7"),
                     "'web.test' led to 198.51.100.7, which is no address of the host", id="another machine's name"),
        pytest.param(bound(named="host.docker.internal"), Told(at="198.51.100.7"), "", id="the engine's own word"),
        pytest.param(bound(named="host.docker.internal"), unheard("host.docker.internal"), "",
                     id="the engine's own word, not known"),
        pytest.param(bound(named="hots.docker.internal"), unheard("hots.docker.internal"),
                     "'hots.docker.internal' is not known, and is no name of the host", id="a mistyped name of the host"),
        pytest.param(named("localhost"), Told(at="127.0.0.1"), f"'localhost' {ITSELF}server1", id="localhost"),
        pytest.param(named("localhost", by="host"), Told(at="127.0.0.1"), "'localhost' led to 127.0.0.1, which is not an",
                     id="localhost, from the host"),
        pytest.param(named("localhost", by="server"), Told(at="127.0.0.1"), "", id="localhost, from itself"),
        pytest.param(named("db"), Told(at="198.51.100.7"), "'db' led to 198.51.100.7, which is not an address of server1",
                     id="a name that leads to another"),
        pytest.param(named("sevrer1"), unheard("sevrer1"), "'sevrer1' is not known, and is no name of server1",
                     id="a mistyped name"),
        *(pytest.param(named(name), unheard(name), "", id=f"{name} is known elsewhere only")
          for name in ("server1", "DB", "mine", "db.{network}", "{id}")),
    ],
)  # fmt: skip
def test_what_does_not_lead_to_the_owner_is_no_proof(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, made: Callable[[Lab], Any], told: Told, lacks: str
) -> None:
    """Nor in a cell of a matrix, whatever is said there."""
    source, port = made(lab)
    monkeypatch.setattr(unreachable, "watch", told.outside)
    monkeypatch.setattr(pairs, "ask", told.outside)
    monkeypatch.setattr(controls, "ask", told.from_inside)
    cells = lab.matrix([source], [port]).cells.values()
    if not lacks:
        assert_unreachable(source, port)
        assert [one.lacks for one in cells if one.lacks] == []
        return
    with pytest.raises(ReachabilityError, match="inconclusive") as caught:
        assert_unreachable(source, port)
    assert lacks in str(caught.value)
    assert [lacks in " ".join(one.lacks) for one in cells] == [True]


def test_where_one_asks_is_not_where_another_does(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host by the gateway of one network, where the owner listens, and by that of another, where it does not."""
    server = lab.server(network_mode="host")
    networks = [lab.network(), lab.network()]
    clients = [lab.client(networks=[network]) for network in networks]
    told = Told(inside=networks[0].gateway)
    monkeypatch.setattr(pairs, "ask", told.outside)
    monkeypatch.setattr(controls, "ask", told.from_inside)

    matrix = lab.matrix(clients, [server.port(80)])

    lacks = [matrix.cells[client.name, "server1:80"].lacks for client in clients]
    assert lacks[0] == ()
    assert f"does not answer at http://{networks[1].gateway}:80/" in lacks[1][0]


@pytest.mark.parametrize("gone", [False, True], ids=["left", "gone"])
def test_a_name_that_it_had_on_a_network_which_it_has_left(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    """That the name is gone is just what one takes it off for; or the network goes with the test that made it."""
    front, back = lab.network(), lab.network()
    client, server = lab.client(networks=[back]), lab.server(networks=[back])
    front.connect(server, aliases=["database"])
    front.discard() if gone else front.disconnect(server)
    told = unheard("database")
    monkeypatch.setattr(unreachable, "watch", told.outside)
    monkeypatch.setattr(controls, "ask", told.from_inside)

    assert_unreachable(client, server.port(80).named("database"), because=Verdict.NAME_NOT_FOUND)


def silent(_services: Any, _source: Any, targets: list[Target], *_: Any) -> list[ProbeResult]:
    return [ProbeResult(verdict=Verdict.TIMED_OUT, target=target, address=target.host) for target in targets]


def test_an_owner_that_is_silent_for_a_moment_is_asked_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """From inside; for as long as it had from outside, each time: a machine is busy now and then."""
    client, server = lab.client(), lab.server()
    given: list[float] = []
    real = ask

    def at_first_silent(services: Any, source: Any, targets: list[Target], timeout: float) -> list[ProbeResult]:
        given.append(timeout)
        return silent(services, source, targets) if len(given) < 3 else real(services, source, targets, timeout)

    monkeypatch.setattr(controls, "ask", at_first_silent)
    monkeypatch.setattr(unreachable, "watch", silent)
    assert_unreachable(client, server.port(80), timeout=0.4)
    assert given == [0.4, 0.4, 0.4, 0.4]  # the last after the silence outside


def test_an_owner_that_needs_longer_than_it_had_is_not_proved_unreachable(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be reached by who waits a little longer: its silence outside is no more than its own."""
    client, server = lab.client(), lab.server()
    real = ask

    def late(services: Any, source: Any, targets: list[Target], timeout: float) -> list[ProbeResult]:
        return (silent if timeout < controls.INSIDE else real)(services, source, targets, timeout)

    monkeypatch.setattr(controls, "ask", late)
    monkeypatch.setattr(unreachable, "watch", silent)
    with pytest.raises(ReachabilityError, match=r"inconclusive(.|\n)*it answers only after 0.\d\d s, and has 0.4 s"):
        assert_unreachable(client, server.port(80), timeout=0.4)

"""What an earlier run left, and nobody has asked for, is in nobody's way, and answers nobody."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.engine import Fault
from tests.unit.handles.runs import Runs, outcome, runs

from pytest_dockconn import Lab, labels
from pytest_dockconn.actions.asking import watch
from pytest_dockconn.errors import EngineError, PortInUse, SpecError
from pytest_dockconn.model.spec import Attachment, ContainerPlan, NetworkPlan

__all__ = ["runs"]

#: The fake engine's containers are at addresses of this machine's loopback: another run of these tests has others.
PREFIX = f"127.92.{os.getpid() % 256}"
SUBNET = f"{PREFIX}.0/24"
with socket.socket() as _free:
    _free.bind(("127.0.0.1", 0))
    PORT: int = _free.getsockname()[1]


def first_run(runs: Runs, **options: Any) -> str:
    """A run that leaves ``web``, at an address of its own on ``front``; and ``ask``."""
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        lab.client(name="ask", networks=[net])
        return lab.server(**{"name": "web", "networks": {net: f"{PREFIX}.9"}, **options}).id


def has(runs: Runs, container: str) -> bool:
    return any(one["id"] == container for one in runs.engine.containers())


@pytest.mark.parametrize(
    ("left", "wanted", "why"),
    [
        pytest.param({}, {"aliases": ["web"]}, "it had the name web on front", id="its name is another's alias"),
        pytest.param(
            {"aliases": ["db"]}, {"name": "db"}, "it had the name db on front", id="its alias is another's name"
        ),
        pytest.param({"hostname": "db"}, {"name": "db"}, "it had the name db on front", id="its hostname"),
        pytest.param({}, {"hostname": "web"}, "it had the name web on front", id="another's hostname"),
        pytest.param({}, {"aliases": ["WEB"]}, "it had the name web on front", id="DNS knows no capitals"),
        pytest.param({}, {"address": f"{PREFIX}.9"}, f"it had {PREFIX}.9 on front", id="its address"),
        pytest.param({}, {}, "", id="not in the way"),
        pytest.param({}, {"address": f"{PREFIX}.8", "aliases": ["x"]}, "", id="not in the way either"),
    ],
)
@pytest.mark.parametrize("scope", ["session", "test"])
def test_who_has_anothers_name_or_address_goes(
    runs: Runs, left: dict[str, Any], wanted: dict[str, Any], why: str, scope: str
) -> None:
    first = first_run(runs, **left)
    address = {"name": "web2", **wanted}.get("address")
    others = {name: value for name, value in {"name": "web2", **wanted}.items() if name != "address"}
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        narrower = Lab(lab._services, "7") if scope == "test" else lab
        narrower.server(**others, networks={net: address})
        narrower.close()
        lab._services.remover.join()

        assert outcome(lab).removed == ((f"web ({why})",) if why else ())
    assert has(runs, first) is not bool(why)


@pytest.mark.parametrize(
    ("aliases", "address", "why"),
    [
        (["web"], None, "it had the name web on front"),
        ([], f"{PREFIX}.9", f"it had {PREFIX}.9 on front"),
        (["x"], f"{PREFIX}.8", ""),
    ],
)
def test_who_joins_later_has_its_name_and_address_too(
    runs: Runs, aliases: list[str], address: str | None, why: str
) -> None:
    first = first_run(runs)
    with runs.run() as lab:
        lab.network("front", subnet=SUBNET).connect(lab.server(name="web2"), aliases, address)

        assert outcome(lab).removed == ((f"web ({why})",) if why else ())
    assert has(runs, first) is not bool(why)


def test_on_a_network_of_somebody_else_too(runs: Runs) -> None:
    """A run without the option makes room as well."""
    runs.engine.create_network(NetworkPlan(name="theirs", labels={}, subnets=(SUBNET,)))
    with runs.run() as lab:
        lab.server(name="web", networks={"theirs": f"{PREFIX}.9"})
    with runs.run(reuse=False, project="/another") as lab:
        lab.server(name="web", networks=["theirs"])

        assert lab._services.removed == ("web (it had the name web on theirs)",)


#: Ways to find ``web``; whether it was.
ASKED: dict[str, Callable[[Lab, Any], object]] = {
    "by name": lambda _lab, ask: ask.probe("http://web/"),
    "for its name": lambda _lab, ask: ask.probe("dns://WEB."),
    "by name and network": lambda _lab, ask: ask.probe(f"http://web.{ask.facts().endpoints[0].network}/"),
    "by address": lambda _lab, ask: ask.probe(f"tcp://{PREFIX}.9:80"),
    "by address from the host": lambda lab, _ask: lab.host.probe(f"tcp://{PREFIX}.9:80"),
    "by its host port": lambda lab, _ask: lab.host.probe(f"tcp://127.0.0.1:{PORT}"),
    "in a matrix": lambda lab, ask: lab.matrix([ask], ["http://web/"])[ask, "http://web/"],
    "all the time": lambda lab, ask: watch(lab._services, ask.id, ask.targets("http://web/"), 1.0, 0.0)[0],
    "in a command": lambda _lab, ask: not ask.run("getent", "hosts", "web", check=False).returncode,
}


@pytest.mark.parametrize("way", ASKED)
def test_nobody_is_found_whom_this_run_did_not_ask_for(runs: Runs, way: str) -> None:
    first = first_run(runs, bind={80: PORT})
    with runs.run() as lab:
        ask = lab.client(name="ask", networks=[lab.network("front", subnet=SUBNET)])
        assert has(runs, first)

        assert not ASKED[way](lab, ask)

        assert not has(runs, first)
        (said,) = outcome(lab).removed
        assert said.startswith("web (it was found by ")


@pytest.mark.parametrize("way", ASKED)
def test_whom_it_did_ask_for_is(runs: Runs, way: str) -> None:
    first = first_run(runs, bind={80: PORT})
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        ask = lab.client(name="ask", networks=[net])
        web = lab.server(name="web", networks={net: f"{PREFIX}.9"}, bind={80: PORT})

        ASKED[way](lab, ask)
        assert web.id == first
        assert outcome(lab) == (("front", "ask", "web"), (), (), ())


def test_who_is_not_in_the_way_stays_for_who_asks_later(runs: Runs) -> None:
    first = first_run(runs)
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        ask = lab.client(name="ask", networks=[net])
        db = lab.server(name="db", networks=[net])
        assert ask.probe("http://db/")
        assert ask.probe(db.port(80))
        assert ask.run("true").returncode == 0

        assert lab.server(name="web", networks={net: f"{PREFIX}.9"}).id == first


def test_the_ordinary_warm_run_asks_the_engine_no_more_for_it(runs: Runs) -> None:
    """All that was left is asked for: nothing is looked up to make room."""
    first_run(runs)
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        ask = lab.client(name="ask", networks=[net])
        lab.server(name="web", networks={net: f"{PREFIX}.9"})
        assert ask.probe("http://web/")
        runs.engine.calls.clear()
        assert ask.probe("http://web/")

        assert not {"containers", "networks", "network"} & {call.split()[0] for call in runs.engine.calls}


# In the way of what is made


def test_a_host_port_is_free_for_who_asks_first(runs: Runs) -> None:
    first = first_run(runs, bind={80: PORT})
    with runs.run() as lab:
        Lab(lab._services, "7").server(name="other", bind={80: PORT})

        assert outcome(lab).removed == (f"web (it had port {PORT}/tcp of the host)",)
    assert not has(runs, first)


@pytest.mark.parametrize("wish", [PORT, f"{PORT}-{PORT}", ("0.0.0.0", PORT)], ids=str)
def test_of_another_project_and_without_the_option_too(runs: Runs, wish: Any) -> None:
    first_run(runs, bind={80: PORT})
    with runs.run(reuse=False, project="/another") as lab:
        lab.server(name="other", bind={80: wish})

        assert lab._services.removed == (f"web (it had port {PORT}/tcp of the host)",)


def test_another_port_is_in_nobodys_way(runs: Runs) -> None:
    first = first_run(runs, bind={80: PORT})
    with runs.run(reuse=False) as lab, socket.create_server(("127.0.0.1", 0)) as theirs:
        with pytest.raises(PortInUse):
            lab.server(bind={80: theirs.getsockname()[1]})
        assert has(runs, first)


def test_what_a_run_uses_stays_and_the_error_names_the_run(runs: Runs) -> None:
    first_run(runs, bind={80: PORT})
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        web = lab.server(name="web", networks={net: f"{PREFIX}.9"}, bind={80: PORT})
        with pytest.raises(PortInUse, match=r"container dockconn-\w+-0-web \(\w+\) has it, and this very run uses it"):
            lab.server(name="other", bind={80: PORT})
        with pytest.raises(
            SpecError, match=r"overlaps .* is kept for a later run, and can't make room now: .*this very run"
        ):
            lab.network("back", subnet=SUBNET)
        with pytest.raises(EngineError, match=rf"-0-web \(\w+\) has {PREFIX}.9 on front, and this very run uses it"):
            Lab(lab._services, "7").server(name="web", networks={net: f"{PREFIX}.9"})

        assert has(runs, web.id)
        assert outcome(lab).removed == ()


def test_a_subnet_is_free_for_who_asks_first(runs: Runs) -> None:
    first = first_run(runs)
    with runs.run() as lab:
        lab.network("back", subnet=f"{PREFIX}.128/25")

        removed = [name.partition(" (")[0] for name in outcome(lab).removed]
        assert sorted(removed) == ["ask", "front", "web"]
        assert outcome(lab).removed[0].endswith(f" (it had {SUBNET})")
    assert not has(runs, first)
    assert runs.there == ["back"]


def test_what_somebody_else_is_on_stays(runs: Runs) -> None:
    """Whole: neither the network nor what was left there is removed; and it can serve as before, once that one has left."""
    first = first_run(runs)
    (front,) = runs.engine.made_networks
    theirs = stranger(runs, front)
    with runs.run() as lab:
        with pytest.raises(SpecError, match=r"overlaps .* can't make room now: container theirs is on it"):
            lab.network("back", subnet=SUBNET)
        runs.engine.disconnect(front, theirs)
        net = lab.network("front", subnet=SUBNET)
        assert lab.server(name="web", networks={net: f"{PREFIX}.9"}).id == first


def stranger(runs: Runs, network: str) -> str:
    """Somebody's container on a network."""
    engine = runs.engine
    image = engine.import_image(io.BytesIO(), "mine", "1", {})
    made = engine.create(ContainerPlan(image=image, name="theirs", labels={}, command=("sleep", "9")))
    engine.start(made)
    engine.connect(network, made, Attachment(network))
    return made


def test_a_network_that_somebody_else_is_on_is_not_used_again(runs: Runs) -> None:
    with runs.run() as lab:
        first = lab.network("front")
    theirs = stranger(runs, first.engine_name)
    with runs.run() as lab:
        assert lab.network("front") != first
        assert outcome(lab).replaced == ("front (theirs is on it, so it stays)",)
    assert has(runs, theirs)
    runs.engine.remove(theirs)
    with runs.run() as lab:
        assert lab.network("front") == first


def test_whom_another_run_uses_is_somebody_else(runs: Runs) -> None:
    first = first_run(runs)
    (run,) = {file.name.partition(".")[0] for file in runs.leases._folder.iterdir()}
    lease = runs.leases.take(run, first)
    assert lease is not None
    with runs.run() as lab:
        with pytest.raises(SpecError, match=r"can't make room now: web is used by"):
            lab.network("front", subnet=SUBNET)
        (said,) = outcome(lab).replaced
        assert said.startswith("front (dockconn-")
        assert said.endswith("-0-web is on it, so it stays)")
    lease.put_back()
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        assert lab.server(name="web", networks={net: f"{PREFIX}.9"}).id == first


def test_the_engine_has_no_addresses_left(runs: Runs) -> None:
    """The oldest network that nobody uses goes; one is enough."""
    for name in ("old", "new"):
        with runs.run(project=f"/{name}") as lab:
            lab.network(name)
    (old,) = [n for n in runs.engine.networks(labels.REUSE) if n.name.endswith("-old")]
    facts = runs.engine._networks[old.id].facts
    runs.engine._networks[old.id].facts = replace(facts, labels={**facts.labels, labels.CREATED: "1"})
    words = "all predefined address pools have been fully subnetted"
    runs.engine.faults.append(Fault(lambda: EngineError(words), "create_network", times=1))
    with runs.run(reuse=False) as lab:
        lab.network("mine")
        assert lab._services.removed == ("old (the engine had no addresses left)",)
        assert runs.there == ["mine", "new"]


def test_a_network_has_no_addresses_left(runs: Runs) -> None:
    first = first_run(runs)
    words = "no available IPv4 addresses on this network's address pools: front"
    with runs.run() as lab:
        net = lab.network("front", subnet=SUBNET)
        lab.client(name="ask", networks=[net])
        runs.engine.faults.append(Fault(lambda: EngineError(words), "start", times=1))
        lab.server(name="other", networks=[net])
        assert outcome(lab).removed == ("web (its network had no address left)",)
    assert not has(runs, first)


def test_what_is_another_users_stays(runs: Runs) -> None:
    """Its lease can't be seen."""
    first = first_run(runs, bind={80: PORT})
    for lease in runs.leases._folder.iterdir():
        lease.unlink()
    with runs.run(reuse=False) as lab:
        with pytest.raises(PortInUse, match=r"kept for a later run \(`dockconn prune` removes it\)"):
            lab.server(bind={80: PORT})
        with pytest.raises(SpecError, match="can't make room now: ask is kept by another user, or another machine"):
            lab.network(subnet=SUBNET)
    assert has(runs, first)


def test_what_can_not_be_removed_is_its_helpers(runs: Runs) -> None:
    first = first_run(runs, bind={80: PORT})
    runs.engine.faults.append(Fault(lambda: EngineError("device busy"), "remove", times=1))
    with runs.run(reuse=False) as lab, pytest.raises(PortInUse):
        lab.server(bind={80: PORT})

    assert has(runs, first)
    (run,) = {file.name.partition(".")[0] for file in runs.leases._folder.iterdir()}
    lease = runs.leases.take_due(run, first, 0.0)
    assert lease is not None
    lease.end()


def test_what_ctrl_c_kept_from_going_is_free(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a network and who is on it: what was under way is its helper's to remove, the rest as it was."""
    with runs.run() as lab:
        front = lab.network("front", subnet=SUBNET)
        web = lab.server(name="web", networks=[front])
        run = lab._services.run

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    with runs.run() as lab:
        with monkeypatch.context() as patch:
            patch.setattr(runs.engine, "remove", interrupted)
            with pytest.raises(KeyboardInterrupt):
                lab.network("other", subnet=SUBNET)

        for thing, clean in ((web.id, False), (front.id, True)):
            lease = runs.leases.take(run, thing)
            assert lease is not None
            assert lease.clean is clean
            lease.put_back()

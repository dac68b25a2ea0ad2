"""What of an earlier run serves this one, and what of it may not stay."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.engine import BASE
from tests.unit.handles.runs import Runs, outcome, runs

from pytest_dockconn import Lab, labels
from pytest_dockconn.actions.images import CLIENT, SERVER
from pytest_dockconn.errors import EngineError
from pytest_dockconn.handles.again import place_of
from pytest_dockconn.handles.planning import Wish, planned
from pytest_dockconn.logic import networks
from pytest_dockconn.logic.reuse import Place, place
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan

__all__ = ["runs"]

# What it is made from


class Things:
    """What options can name: networks, containers, images."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.front, self.back = lab.network("front", subnet="127.91.0.0/24"), lab.network("back")
        self.db, self.other = lab.server(name="db"), lab.server(name="other")
        self.image = lab._services.engine.import_image(io.BytesIO(), "mine", "1", {})

    def theirs(self, name: str = "theirs") -> str:
        """A container of somebody else."""
        engine = self.lab._services.engine
        engine.start(engine.create(ContainerPlan(image=self.image, name=name, labels={}, command=("sleep", "9"))))
        return name


#: For each option of ``server()`` and ``client()`` what else is said, and two values that differ.
OPTIONS: dict[str, Callable[[Things], tuple[dict[str, Any], Any, Any]]] = {
    "expose": lambda _: ({}, (80,), ("80/udp",)),
    "bind": lambda _: ({}, {80: 8080}, {80: 8081}),
    "networks": lambda t: ({}, [t.front], [t.back]),
    "aliases": lambda t: ({"networks": [t.front]}, ["a"], ["b"]),
    "env": lambda _: ({}, {"A": "1"}, {"A": "2"}),
    "image": lambda t: ({"command": ["serve"]}, None, t.image),
    "command": lambda t: ({"image": t.image}, ["serve", "token=1"], ["serve", "token=2"]),
    "links": lambda t: ({}, {"x": t.db}, {"x": t.other}),
    "hostname": lambda _: ({}, "one", "two"),
    "network_mode": lambda _: ({}, None, "none"),
    "dns": lambda _: ({}, ["192.0.2.1"], ["192.0.2.2"]),
    "extra_hosts": lambda _: ({}, {"x": "192.0.2.1"}, {"x": "192.0.2.2"}),
}
#: More that they can mean.
SHADES: dict[str, Callable[[Things], tuple[dict[str, Any], str, Any, Any]]] = {
    "one more port": lambda _: ({}, "expose", (80,), (80, 81)),
    "another address of the host": lambda _: ({}, "bind", {80: 8080}, {80: ("127.0.0.2", 8080)}),
    "a range": lambda _: ({}, "bind", {80: None}, {80: "8080-8081"}),
    "a static address": lambda t: ({}, "networks", {t.front: "127.91.0.9"}, {t.front: "127.91.0.8"}),
    "one network more": lambda t: ({}, "networks", [t.front], [t.front, t.back]),
    "the order of networks": lambda t: ({}, "networks", [t.front, t.back], [t.back, t.front]),
    "a variable less": lambda _: ({}, "env", {"A": "1", "B": "2"}, {"A": "1"}),
    "another alias of a link": lambda t: ({}, "links", {"x": t.db}, {"y": t.db}),
    "a link on a network": lambda t: ({"networks": [t.front]}, "links", {"x": "db"}, {"x": "other"}),
    "a link by name": lambda t: ({}, "links", {"x": t.theirs()}, {"x": t.theirs("others")}),
}


def of(lab: Lab, role: str, **options: Any) -> Place:
    services = lab._services
    assert services.reuse is not None
    wish = Wish(role=role, name="it", **options)
    return place_of(services, services.reuse, "0", wish, planned(services, "0", wish))


def test_every_option_is_in_the_table() -> None:
    asked = set(inspect.signature(Lab.server).parameters) | set(inspect.signature(Lab.client).parameters)
    assert asked - {"self", "name"} == set(OPTIONS)  # a name is what it is for, not what it is made from


@pytest.mark.parametrize("role", [SERVER, CLIENT])
@pytest.mark.parametrize("option", [*OPTIONS, *SHADES])
def test_each_option_counts(runs: Runs, option: str, role: str) -> None:
    with runs.run() as lab:
        things = Things(lab)
        if option in OPTIONS:
            also, one, other = OPTIONS[option](things)
            name = option
        else:
            also, name, one, other = SHADES[option](things)
        first, again, changed = (of(lab, role, **also, **{name: value}) for value in (one, one, other))

    assert first == again
    assert first.use == changed.use
    assert first.made_of != changed.made_of


def test_the_plugin_and_its_images_count(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The images are made of the agent, the Dockerfiles and the base: what differs there has another id."""
    with runs.run() as lab:
        services = lab._services
        another = services.engine.image(BASE)
        assert another is not None
        first = [of(lab, role) for role in (SERVER, CLIENT)]
        for role in (SERVER, CLIENT):
            services.images._found[role] = replace(services.images.get(role), id=another.id)
        images = [of(lab, role) for role in (SERVER, CLIENT)]
        monkeypatch.setattr(labels, "VERSION", "0.0.0")
        version = [of(lab, role) for role in (SERVER, CLIENT)]

    for made in zip(first, images, version, strict=True):
        assert len({one.made_of for one in made}) == 3
        assert len({one.use for one in made}) == 1


def test_the_version_is_the_one_of_the_package() -> None:
    text = Path(__file__).parents[3].joinpath("pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{labels.VERSION}"\n' in text


NETWORK: dict[str, Any] = {
    "internal": False, "ipv6": False, "subnet": None, "icc": True, "driver": "bridge", "options": None,
}  # fmt: skip
NETWORK_CHANGES: dict[str, Any] = {
    "internal": True, "ipv6": True, "subnet": "192.0.2.0/24", "icc": False, "driver": "macvlan",
    "options": {"com.docker.network.driver.mtu": "1234"},
}  # fmt: skip


def of_network(**changes: Any) -> Place:
    plan = networks.planned("dockconn-1-front", {labels.ROLE: "network"}, **{**NETWORK, **changes})
    return place("/project", "0", plan, "front")


def test_every_option_of_a_network_is_in_the_table() -> None:
    assert set(inspect.signature(Lab.network).parameters) - {"self", "name"} == set(NETWORK_CHANGES)


@pytest.mark.parametrize("option", NETWORK_CHANGES)
def test_each_option_of_a_network_counts(option: str) -> None:
    changed = of_network(**{option: NETWORK_CHANGES[option]})

    assert changed.use == of_network().use
    assert changed.made_of != of_network().made_of


def test_a_link_by_name_is_stale_once_somebody_else_has_the_name(runs: Runs) -> None:
    with runs.run() as lab:
        things = Things(lab)
        things.theirs()
        first = of(lab, CLIENT, links={"db": "theirs"})
        runs.engine.stop("theirs", 1)
        runs.engine.start("theirs")
        started = of(lab, CLIENT, links={"db": "theirs"})
        runs.engine.remove("theirs")
        things.theirs()
        another = of(lab, CLIENT, links={"db": "theirs"})

    assert len({first.made_of, started.made_of, another.made_of}) == 3


def test_a_client_linked_by_name_is_made_anew_with_its_source(runs: Runs) -> None:
    with runs.run() as lab:
        things = Things(lab)
        things.theirs()
        first = lab.client(name="ask", links={"db": "theirs"}).id
    with runs.run() as lab:
        assert lab.client(name="ask", links={"db": "theirs"}).id == first
    runs.engine.remove("theirs")
    things.theirs()
    with runs.run() as lab:
        assert lab.client(name="ask", links={"db": "theirs"}).id != first
        assert outcome(lab).replaced == ("ask (it was made from something else)",)


# Who has a right to it


@pytest.mark.parametrize("error", [EngineError("it is busy"), KeyboardInterrupt()], ids=["the engine", "Ctrl-C"])
def test_what_could_not_be_looked_at_is_free_again(runs: Runs, error: BaseException) -> None:
    with runs.run() as lab:
        made = lab.network("front").id
    with runs.run() as lab:
        reuse = lab._services.reuse
        assert reuse is not None
        (found,) = reuse.offers()

        def failing(_: str) -> str:
            raise error

        with pytest.raises(type(error)):
            reuse.take(found.place, "network", failing)

        assert reuse.ready() == [found]
        assert lab.network("front").id == made


def on_a_network(lab: Lab) -> tuple[str, Callable[[], str]]:
    front = lab.network("front")
    return front.id, lambda: lab.server(name="web", networks=[front]).id


def linked(lab: Lab) -> tuple[str, Callable[[], str]]:
    db = lab.server(name="db")
    return db.id, lambda: lab.client(name="web", links={"x": db}).id


@pytest.mark.parametrize("begin", [on_a_network, linked])
def test_what_hangs_on_another_workers_is_left_to_it(
    runs: Runs, begin: Callable[[Lab], tuple[str, Callable[[], str]]]
) -> None:
    """More workers than before: those that find nothing free are not made from the same, and the others have just begun."""
    with runs.run() as lab:
        below, go_on = begin(lab)
        web = go_on()
    with runs.run() as first:
        again, go_on = begin(first)
        assert again == below
        with runs.run() as more:
            its_own, makes = begin(more)
            assert its_own != below
            assert makes() != web
            assert outcome(more).replaced == ()

            assert go_on() == web


def test_what_hangs_on_this_runs_own_is_replaced(runs: Runs) -> None:
    with runs.run() as lab:
        lab.server(name="web", networks=[lab.network("front")])
    with runs.run() as lab:
        lab.server(name="web", networks=[lab.network("front")], env={"A": "1"})
        assert outcome(lab).replaced == ("web (it was made from something else)",)


def test_a_network_of_the_same_name_is_no_container(runs: Runs) -> None:
    """One that another worker uses keeps nobody from what is on that network."""
    with runs.run() as lab:
        lab.server(name="x")
        lab.client(name="c", networks=[lab.network("x")])
    with runs.run() as first:
        first.server(name="x")
        with runs.run() as more:
            more.client(name="c", networks=[more.network("x")], env={"A": "1"})
            assert outcome(more).replaced == ("c (it was made from something else)",)


def test_what_another_thread_just_looks_at_is_this_runs(runs: Runs) -> None:
    """Its lease is taken by then, and nobody has said yet that it is used."""
    with runs.run() as lab:
        lab.server(name="web", networks=[lab.network("front")])
    with runs.run() as lab:
        reuse = lab._services.reuse
        assert reuse is not None
        there = {one.kind: one for one in reuse.offers()}
        said: list[bool] = []

        def look(_: str) -> str:
            said.append(reuse._hangs_on_others(there["container"]))
            return ""

        assert reuse.take(there["network"].place, "network", look) == there["network"].id
        assert said == [False]


@pytest.mark.parametrize("kind", ["network", "container", "nothing"])
def test_what_was_made_after_the_look_keeps_its_lease(runs: Runs, kind: str) -> None:
    """A lease whose thing was not in the listing: either somebody removed the thing, or it was not there yet."""
    with runs.run() as lab:
        lab.network("front")
    with runs.run() as lab:
        reuse = lab._services.reuse
        assert reuse is not None
        (found,) = reuse.kept.known()
        thing = "0123"
        if kind == "network":
            thing = runs.engine.create_network(NetworkPlan(name="later", labels={}))
        elif kind == "container":
            thing = runs.engine.create(ContainerPlan(image=BASE, name="later", labels={}, command=("x",)))
        runs.leases.make(found.run, thing).give_back(100.0)

        reuse.offers()

        assert runs.leases.until(found.run, thing) == (None if kind == "nothing" else 100.0)
        assert not runs.leases.is_used(found.run, thing)

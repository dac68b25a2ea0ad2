"""May what an earlier run made serve this one?"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.samples import container, endpoint

from pytest_dockconn import labels
from pytest_dockconn.logic import reuse
from pytest_dockconn.logic.networks import planned
from pytest_dockconn.model.facts import Binding
from pytest_dockconn.model.spec import Attachment, ContainerPlan, PortKey, Publish

NOW = 1_000_000.0


def plan(**changes: Any) -> ContainerPlan:
    told: dict[str, Any] = {
        "image": "sha256:1", "name": "dockconn-1-web",
        "labels": {labels.RUN: "1", labels.ROLE: "server", labels.SPEAKS: "server"},
        "command": ("dockconn-serve", "token=1", "80/tcp"), "expose": (PortKey(80),),
    }  # fmt: skip
    return ContainerPlan(**{**told, **changes})


def place(
    of: ContainerPlan, project: str = "/p", lab: str = "0", name: str = "web", leads_to: tuple[str, ...] = ()
) -> reuse.Place:
    return reuse.place(project, lab, of, name, leads_to)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "dockconn-2-web"},
        {"labels": {labels.RUN: "2", labels.ROLE: "server", labels.SPEAKS: "server", labels.PID: "9"}},
        {"command": ("dockconn-serve", "token=2", "80/tcp")},
    ],
    ids=["name", "labels", "token"],
)
def test_what_is_each_runs_own_does_not_count(changes: dict[str, Any]) -> None:
    assert place(plan(**changes)) == place(plan())


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "sha256:2"},
        {"command": ("dockconn-serve", "token=1", "81/tcp")},
        {"command": None},
        {"env": {"A": "1"}},
        {"expose": (PortKey(80, "udp"),)},
        {"publish": (Publish(PortKey(80)),)},
        {"attachments": (Attachment("dockconn-1-front"),)},
        {"links": (("dockconn-1-server3", "server3"),)},
        {"network_mode": "none"},
        {"hostname": "h"},
        {"dns": ("192.0.2.1",)},
        {"extra_hosts": {"h": "192.0.2.1"}},
        {"capabilities": ("KILL",)},
        {"read_only": True},
        {"interactive": True},
        {"tty": True},
        {"keep_logs": False},
        {"user": "1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_engine_is_told_counts(changes: dict[str, Any]) -> None:
    changed = place(plan(**changes))

    assert changed.use == place(plan()).use
    assert changed.made_of != place(plan()).made_of


def test_a_word_of_the_callers_own_command_is_no_token() -> None:
    own = {labels.ROLE: "server", labels.SPEAKS: ""}
    one, other = (place(plan(labels=own, command=("serve", word))) for word in ("token=1", "token=2"))
    assert one.made_of != other.made_of


def test_another_plugin_makes_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    first = place(plan())
    monkeypatch.setattr(labels, "VERSION", "0.0.0")
    assert place(plan()).made_of != first.made_of
    assert place(plan()).use == first.use


def test_what_it_leads_to_counts() -> None:
    assert place(plan(), leads_to=("then",)).made_of != place(plan(), leads_to=("now",)).made_of


@pytest.mark.parametrize("other", [{"project": "/q"}, {"lab": ""}, {"name": "web2"}], ids=str)
def test_another_use_is_another_place(other: dict[str, str]) -> None:
    assert place(plan(), **other).use != place(plan()).use  # type: ignore[arg-type]


def test_a_network_has_a_place_too() -> None:
    def of(name: str, **options: Any) -> reuse.Place:
        told: dict[str, Any] = {
            "internal": False, "ipv6": False, "subnet": None, "icc": True, "driver": "bridge", "options": None, **options
        }  # fmt: skip
        return reuse.place("/p", "0", planned(name, {labels.ROLE: "network"}, **told), "front")

    assert of("dockconn-1-front") == of("dockconn-2-front")
    assert of("dockconn-1-front").made_of != of("dockconn-1-front", internal=True).made_of


def marks(**changes: str) -> dict[str, str]:
    made = {
        labels.RUN: "1", labels.NAME: "dockconn-1-0-my-web", labels.REUSE: "hash", labels.PLACE: "use",
        labels.LEASE: str(int(NOW) + 24 * 3600),
    }  # fmt: skip
    return {**made, **changes}


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        pytest.param("dockconn-1-0-my-web", marks(), "my-web", id="a session's lab"),
        pytest.param(
            "dockconn-1-server3", marks(**{labels.NAME: "dockconn-1-server3"}), "server3", id="the tutorial's"
        ),
        pytest.param("web", marks(), None, id="inherited labels"),
        pytest.param(
            "dockconn-1-0-my-web", {k: v for k, v in marks().items() if k != labels.REUSE}, None, id="not for reuse"
        ),
    ],
)
def test_an_offer(name: str, told: dict[str, str], expected: str | None) -> None:
    made = reuse.offer("container", "id", name, told)

    assert (reuse.short(made) if made else None) == expected


@pytest.mark.parametrize(
    ("told", "wanted", "reason"),
    [
        pytest.param(marks(), "hash", "", id="the same"),
        pytest.param(marks(), "other", "it was made from something else", id="another"),
        pytest.param(marks(**{labels.LEASE: str(int(NOW) + 3600)}), "hash", "it is too old", id="old"),
        pytest.param(marks(**{labels.LEASE: ""}), "hash", "it is too old", id="nobody knows how old"),
        pytest.param(marks(**{labels.LEASE: "²"}), "hash", "it is too old", id="a digit that is no number"),
        pytest.param(marks(**{labels.LEASE: "9" * 5000}), "hash", "it is too old", id="more digits than Python reads"),
    ],
)
def test_outdated(told: dict[str, str], wanted: str, reason: str) -> None:
    found = reuse.offer("container", "id", told[labels.NAME], told)

    assert found is not None
    assert reuse.outdated(found, reuse.Place("use", wanted), NOW) == reason


@pytest.mark.parametrize(
    ("facts", "of", "reason"),
    [
        pytest.param(container(), plan(), "", id="as it was"),
        pytest.param(container(status="exited"), plan(), "it is exited", id="exited"),
        pytest.param(
            container(status="exited", oom_killed=True), plan(), "it is exited (out of memory)", id="killed for memory"
        ),
        pytest.param(container(oom_killed=True), plan(), "it ran out of memory", id="a part of it killed for memory"),
        pytest.param(container(status="paused"), plan(), "it is paused", id="paused"),
        pytest.param(container(health="unhealthy"), plan(), "it is unhealthy", id="unhealthy"),
        pytest.param(container(endpoints=()), plan(), "it is on no network", id="taken off"),
        pytest.param(
            container(endpoints=(endpoint(), endpoint("back"))), plan(), "it is on back, bridge", id="on one more"
        ),
        pytest.param(
            container(endpoints=(endpoint("front"),)),
            plan(attachments=(Attachment("front"),)),
            "",
            id="on its own network",
        ),
        pytest.param(
            container(id="0123456789abcdef", hostname="h", endpoints=(endpoint("front", aliases=("db", "0123456789ab", "h")),)),
            plan(attachments=(Attachment("front", ("db",), ip="172.17.0.2"),)), "", id="by its names and its address",
        ),
        pytest.param(
            container(endpoints=(endpoint("front", aliases=("x",)),)), plan(attachments=(Attachment("front", ("db",)),)),
            "it has other names on front", id="connected again without its alias",
        ),
        pytest.param(
            container(endpoints=(endpoint("front", aliases=("db", "x")),)), plan(attachments=(Attachment("front", ("db",)),)),
            "it has other names on front", id="connected again with one more",
        ),
        pytest.param(
            container(endpoints=(endpoint("front", links=(("web", "w"),)),)),
            plan(attachments=(Attachment("front", links=(("web", "w"),)),)), "", id="linked there",
        ),
        pytest.param(
            container(endpoints=(endpoint("front"),)), plan(attachments=(Attachment("front", links=(("web", "w"),)),)),
            "it has other names on front", id="connected again without its links",
        ),
        pytest.param(container(links=(("db", "d"),)), plan(links=(("db", "d"),)), "", id="linked"),
        pytest.param(container(), plan(links=(("db", "d"),)), "its links lead elsewhere", id="who it is linked to is gone"),
        pytest.param(
            container(bindings=(Binding(PortKey(80), "127.0.0.1", 8080),)),
            plan(publish=(Publish(PortKey(80), host="8080"),)), "", id="bound",
        ),
        pytest.param(
            container(bindings=(Binding(PortKey(80), "127.0.0.1", 32768),)), plan(publish=(Publish(PortKey(80)),)), "",
            id="bound to any port",
        ),
        pytest.param(
            container(bindings=(Binding(PortKey(80), "127.0.0.1", 8081),)),
            plan(publish=(Publish(PortKey(80), host="8080"),)), "its host ports are others", id="bound to another port",
        ),
        pytest.param(
            container(), plan(publish=(Publish(PortKey(80)),)), "its host ports are others", id="bound to none",
        ),
        pytest.param(
            container(endpoints=(endpoint("front"),)), plan(attachments=(Attachment("front", ip="172.17.0.9"),)),
            "it has another address on front", id="connected again at another address",
        ),
        pytest.param(container(endpoints=(endpoint("host"),)), plan(network_mode="host"), "", id="on the host's"),
    ],
)  # fmt: skip
def test_unfit(facts: Any, of: ContainerPlan, reason: str) -> None:
    assert reuse.unfit(facts, of, "bridge") == reason


def test_the_token_is_in_the_command() -> None:
    assert reuse.token(container(command=("sh", "dockconn-serve", "token=abc", "80/tcp"))) == "abc"
    assert reuse.token(replace(container(), command=("sleep", "1"))) == ""

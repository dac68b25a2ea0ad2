"""``--dockconn-reuse``: real runs, one after the other, and what is on the engine after each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_dockconn import Lab, Server
from pytest_dockconn.actions import prune
from pytest_dockconn.actions.leases import Leases
from pytest_dockconn.labels import PID, process_started
from pytest_dockconn.model.leftover import Leftover
from pytest_dockconn.model.spec import ContainerPlan, PortKey
from tests.engine.helpers import docker_py, free_port
from tests.waiting import until

SUITE = """
import json, os, sys, threading, time
import pytest
from pytest_dockconn import assert_linked, assert_reachable

def until(met, seconds=60):
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        threading.Event().wait(0.01)

def note(request, **things):
    name = f"seen{os.environ.get('PYTEST_XDIST_WORKER', '')}-{request.node.name}.json"
    (request.config.rootpath / name).write_text(json.dumps({name: thing.id for name, thing in things.items()}))

def test_own(request, dockconn_session):
    lab = dockconn_session
    net = lab.network("front")
    names = os.environ.get("SERVERS", "web").split()
    known = {"networks": [net], "aliases": os.environ.get("ALIASES", "known").split(), "bind": {80: int(os.environ.get("PORT", "0")) or None}}
    servers = dict(zip(names, lab.side_by_side(*(lambda n=n: lab.server(name=n, env=env(n), **known) for n in names))))
    ask = lab.client(name="ask", networks=[net])
    for server in servers.values():
        assert_reachable(ask, server.port(80))
    if len(servers) == 1:
        assert {ask.probe("dns://known").addresses for _ in range(9)} == {(server.ip,)}
    if "THEIRS" in os.environ:
        servers["linked"] = lab.client(name="linked", links={"db": os.environ["THEIRS"]})
    note(request, net=net, ask=ask, **servers)
    if "TOGETHER" in os.environ:  # a worker that is done before the other begins would leave it its things
        (request.config.rootpath / f"{os.environ['TOGETHER']}.{os.environ['PYTEST_XDIST_WORKER']}").touch()
        until(lambda: len([*request.config.rootpath.glob(f"{os.environ['TOGETHER']}.*")]) == 2)
    if os.environ.get("STOP"):
        print("here", file=sys.__stdout__, flush=True)
        sys.stdin.read()

def env(name):
    return {"WHICH": os.environ.get("ENV_OF_" + name, "")}

def test_tutorial(request, dockconn_client, dockconn_linked_client, dockconn_linked_server):
    assert_linked(dockconn_linked_client, dockconn_linked_server)
    assert dockconn_client.run("true").returncode == 0
    note(request, client1=dockconn_client, server3=dockconn_linked_server, client3=dockconn_linked_client)
"""
#: Where three things are enough: a network, a client and a server.
OWN = ("-k", "test_own")
#: Seconds after which something that should come to pass counts as failed.
PATIENCE = 15


class Project:
    """A project of its own, and its runs."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.folder = folder
        self.engine = lab._services.engine
        self._command = [
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--dockconn", f"--dockconn-engine={lab.engine.url}",
            f"--dockconn-client-image={lab._services.images.get('client').id}",
            f"--dockconn-server-image={lab._services.images.get('server').id}",
        ]  # fmt: skip
        (folder / "test_it.py").write_text(SUITE)
        (folder / "pytest.ini").write_text("[pytest]\n")

    def begin(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._command, "--dockconn-reuse", "-s", *arguments], cwd=self.folder, text=True, env={**os.environ, **env},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *arguments: str, **env: str) -> str:
        process = self.begin(*arguments, **env)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return output

    def ids(self, worker: str = "") -> dict[str, str]:
        seen: dict[str, str] = {}
        for file in self.folder.glob(f"seen{worker}-*.json"):
            seen |= json.loads(file.read_text())
        return seen

    def kept(self) -> list[Leftover]:
        """What is kept of this project."""
        return [one for one in prune.find_kept(self.engine) if one.run in self.runs]

    @property
    def runs(self) -> set[str]:
        """The runs that made what the project saw last."""
        marks = [
            self.marks(one) for file in self.folder.glob("seen*.json") for one in json.loads(file.read_text()).values()
        ]
        return {one["dockconn"] for one in marks if one}

    def marks(self, thing: str) -> dict[str, str]:
        everything: list[Any] = [*self.engine.containers("dockconn.reuse")]
        found = {str(c["id"]): dict(c["labels"]) for c in everything}
        found |= {n.id: dict(n.labels) for n in self.engine.networks("dockconn.reuse")}
        return found.get(thing, {})

    def there(self) -> set[str]:
        return {name for name, thing in self.ids().items() if self.marks(thing)}


def lives(owner: dict[str, str]) -> bool:
    return process_started(int(owner[PID])) == owner["dockconn.owner.started"]


@pytest.fixture
def project(tmp_path: Path, dockconn: Lab) -> Iterator[Project]:
    made = Project(tmp_path, dockconn)
    yield made
    if list(tmp_path.glob("seen*.json")):
        prune.remove(made.engine, made.kept())


def test_the_next_run_uses_it_again_and_the_helper_ends_the_lease(project: Project) -> None:
    first = project.run()
    ids = project.ids()
    owners = [project.marks(thing) for thing in ids.values()]
    assert all(map(lives, owners))
    assert len(project.kept()) == 6
    assert not [one for one in prune.find(project.engine) if one.run in project.runs]
    second = project.run("--dockconn-lease=0.01")

    assert "reuse: nothing is here of an earlier run" in first
    assert "reuse: made ask, client1, client3, front, server3, web" in first
    assert "reuse: ask, client1, client3, front, server3, web of an earlier run" in second
    assert "kept for 0.01 min after the last run" in second
    assert "reuse: used again ask, client1, client3, front, server3, web\n" in second
    assert project.ids() == ids
    assert until(lambda: project.there() == set(), PATIENCE)
    assert until(lambda: not any(map(lives, owners)), PATIENCE)


def nothing(project: Project, server: str) -> None:
    """Nobody touches it."""


def apache_replaced(project: Project, server: str) -> None:
    """Somebody else answers at the same address, with the identity that can be copied: the header, not the token."""
    listen = (
        "import http.server as h\n"
        "class H(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        f"        self.send_header('X-Dockconn-Container', '{server}'); self.end_headers()\n"
        "server = h.HTTPServer(('', 81), H); print('listens', flush=True); server.serve_forever()"
    )
    facts = project.engine.inspect(server)
    enter = ["nsenter", f"--net=/proc/{facts.pid}/ns/net"]
    subprocess.run([*enter, "iptables", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "80", "-j", "REDIRECT", "--to", "81"], check=True)  # fmt: skip
    argv = [*enter, sys.executable, "-c", listen]
    stranger = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert stranger.stdout is not None
    assert stranger.stdout.readline() == b"listens\n"
    STRANGERS.append(stranger)


STRANGERS: list[subprocess.Popen[bytes]] = []


@pytest.fixture
def strangers() -> Iterator[None]:
    yield
    while STRANGERS:
        stranger = STRANGERS.pop()
        stranger.kill()
        stranger.communicate()


def stop_workers(project: Project, server: str) -> None:
    """Apache's own process still listens, and takes connections."""
    subprocess.run(["pkill", "-STOP", "-P", str(project.engine.inspect(server).pid)], check=True)


#: What befell a server between two runs, and the reason that the second gives.
BEFELL: dict[str, tuple[Callable[[Project, str], object], str]] = {
    "fine": (nothing, ""),
    "stopped": (lambda project, server: project.engine.stop(server, 1), "it is exited"),
    "paused": (lambda project, server: docker_py(project.engine.url).pause(server), "it is paused"),
    "moved": (lambda project, server: project.engine.disconnect(project.ids()["net"], server), "it is on no network"),
    "removed": (lambda project, server: project.engine.remove(server), "gone"),
    "deaf": (stop_workers, "80/tcp did not answer"),
    "impostor": (apache_replaced, "80/tcp did not answer"),
    "changed": (nothing, "it was made from something else"),
}


@pytest.mark.usefixtures("strangers")
def test_what_is_no_good_is_replaced_and_the_reason_said(project: Project) -> None:
    """A linked client with its server."""
    # no name in common: who makes a new server of that name removes whoever has it and was not asked for by then
    env = {"SERVERS": " ".join(BEFELL), "ALIASES": ""}
    project.run(**env)
    before = project.ids()
    for name, (befall, _) in BEFELL.items():
        befall(project, before[name])
    project.engine.stop(before["server3"], 1)
    said = next(line for line in project.run(**env, ENV_OF_changed="new").splitlines() if "reuse: used again" in line)
    after = project.ids()

    good = {"fine", "net", "ask", "client1"}
    assert {name for name in before if before[name] == after[name]} == good
    assert project.there() == set(before)
    gone = {thing for name, thing in before.items() if name not in good}
    assert not gone & {str(c["id"]) for c in project.engine.containers("dockconn.reuse")}
    assert not gone & {thing for run in project.runs for thing in Leases().of_run(run)}
    for name, (_, reason) in BEFELL.items():
        assert (f"{name} ({reason}" in said) == bool(reason and reason != "gone"), said
    assert "server3 (it is exited)" in said
    assert "client3 (it was made from something else)" in said


def test_a_client_linked_by_name_is_replaced_with_whoever_had_it(project: Project, dockconn: Lab) -> None:
    theirs = f"theirs-{project.folder.name}"
    try:
        start(project, dockconn, theirs)
        project.run(*OWN, THEIRS=theirs)
        before = project.ids()
        project.engine.remove(theirs)
        start(project, dockconn, theirs)
        output = project.run(*OWN, THEIRS=theirs)
    finally:
        project.engine.remove(theirs)

    assert "; replaced linked (it was made from something else)\n" in output
    assert {name for name, thing in project.ids().items() if thing != before[name]} == {"linked"}


def start(project: Project, lab: Lab, name: str) -> None:
    image = lab._services.images.get("client").id
    plan = ContainerPlan(image=image, name=name, labels={}, command=("sleep", "60"), expose=(PortKey(80),))
    project.engine.start(project.engine.create(plan))


def test_what_an_edited_test_does_not_ask_for_is_in_nobodys_way(project: Project) -> None:
    """Its alias is another's now, which it would still answer to; and so is its host port."""
    port = str(free_port())
    project.run(*OWN, SERVERS="web", PORT=port)
    before = project.ids()
    output = project.run(*OWN, SERVERS="other", PORT=port)

    assert "; made other; removed web (it had the name known on front)\n" in output
    assert not project.marks(before["web"])
    assert project.ids()["net"] == before["net"]


def test_what_a_killed_run_used_is_not_used_again(project: Project, dockconn_exposed_server: Server) -> None:
    project.run(*OWN)
    before = project.ids()
    process = project.begin(*OWN, STOP="1")
    assert process.stdout is not None
    while "here" not in process.stdout.readline():
        assert process.poll() is None
    assert project.there() == set(before)
    assert lives(project.marks(before["ask"]))
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert until(lambda: project.there() == set(), PATIENCE)
    assert dockconn_exposed_server.facts().running


def test_the_helper_killed_the_next_run_sweeps(project: Project) -> None:
    project.run(*OWN)
    owner = project.marks(project.ids()["ask"])
    os.kill(int(owner[PID]), signal.SIGKILL)
    assert until(lambda: not lives(owner), PATIENCE)

    mine = [one for one in prune.find(project.engine) if one.run == owner["dockconn"]]
    assert len(mine) == 3
    assert prune.remove(project.engine, mine) == []
    assert project.there() == set()


def test_workers_each_have_their_own_and_it_does_not_grow_and_prune_ends_it(project: Project) -> None:
    project.run("-n2", "--dist=each", *OWN, TOGETHER="first")
    output = project.run("-n2", "--dist=each", *OWN, TOGETHER="second")

    assert "made" not in output.partition("used again")[2]
    one, other = project.ids("gw0"), project.ids("gw1")
    assert not set(one.values()) & set(other.values())
    kept, owners = project.kept(), [project.marks(thing) for thing in (*one.values(), *other.values())]
    assert len(kept) == 2 * 3
    assert all(map(lives, owners))

    assert prune.remove(project.engine, kept) == []

    assert not [thing for thing in (*one.values(), *other.values()) if project.marks(thing)]
    assert until(lambda: not any(map(lives, owners)), PATIENCE)

"""What our containers may do, and what of this process's surroundings gets into them: docs/engines.md has the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dockconn import Lab, Server
from pytest_dockconn.agent.identity import proof
from tests.engine import scenes
from tests.engine.helpers import docker_py, needs
from tests.shared import Stage

SECRET = "s3cr3t-of-the-environment"


def sidecar(stage: Stage) -> str:
    """Of a container without an agent."""
    services, theirs = stage.lab._services, stage.once(scenes.plain).server
    services.agents.channel(theirs.id)
    services.remover.join()  # of an earlier test's, one might be gone between the two looks
    made = [str(c["id"]) for c in ours(stage.lab) if c["labels"]["dockconn.role"] == "sidecar"]
    (one,) = [c for c in made if services.engine.inspect(c).joined == theirs.id]
    return one


def partitions_sidecar(stage: Stage) -> str:
    """It has set its rules and ended; until they are healed it can be looked at."""
    made = stage.once(scenes.plain)
    stage.undo.enter_context(stage.lab.partition(made.client, made.server, one_way=True))
    (one,) = [str(c["id"]) for c in ours(stage.lab) if c["labels"]["dockconn.role"] == "partition"]
    return one


def ours(lab: Lab) -> list[Any]:
    return list(lab._services.engine.containers(f"dockconn={lab._services.run}"))


MADE: dict[str, tuple[Callable[[Stage], str], set[str]]] = {
    "client": (lambda stage: stage.once(scenes.plain).client.id, set()),
    "server": (lambda stage: stage.once(scenes.plain).server.id, {"NET_BIND_SERVICE", "SETGID", "SETUID"}),
    "sidecar": (sidecar, set()),
    "sidecar of a partition": (partitions_sidecar, {"NET_ADMIN"}),
    "image of the caller's own": (
        lambda stage: stage.lab.server(command=["sleep", "600"], expose=()).id,
        {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETUID"},
    ),
}


#: What not every engine can do.
WANTED = {"sidecar of a partition": [needs("partition")]}
#: Their agent, or nft, writes nothing.
READ_ONLY = {"sidecar", "sidecar of a partition"}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=WANTED.get(kind, ())) for kind in MADE])
def test_no_more_than_it_needs(stage: Stage, kind: str) -> None:
    make, kept = MADE[kind]
    api = docker_py(stage.lab.engine.url)

    facts = api.inspect_container(make(stage))
    host = facts["HostConfig"]

    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert {name.removeprefix("CAP_") for name in host["CapAdd"] or []} == kept
    assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
    assert not host["Binds"]
    assert not host["Devices"]
    assert facts["Mounts"] == []
    assert (host["PidMode"], host["UsernsMode"], host["UTSMode"]) == ("", "", "")
    assert host["IpcMode"] != "host"
    assert host["ReadonlyRootfs"] is (kind in READ_ONLY)


INNER = """
    import docker, json, os
    from pathlib import Path
    from pytest_dockconn import assert_reachable

    def test_it(dockconn, dockconn_bound_server, dockconn_linked_client):
        client, server = dockconn.client(), dockconn.server(expose=())
        dockconn.adopt(server.id)
        api = docker.APIClient(base_url=dockconn.engine.url, version="auto")
        mark = {"label": "dockconn=" + dockconn._services.run}
        seen = [api.inspect_container(c["Id"]) for c in api.containers(all=True, filters=mark)]
        seen += [client.run("env").stdout, server.logs()]
        seen += [api.inspect_image(i["Id"]) for i in api.images(filters={"label": "dockconn"})]
        Path("seen.json").write_text(json.dumps(seen))
        assert_reachable(client, server.port(80), within=0, timeout=0.2)
"""


def test_no_secret_of_the_environment_gets_out(dockconn_session: Lab, tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(textwrap.dedent(INNER))
    url = dockconn_session._services.engine.url
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-v",
        "--dockconn",
        f"--dockconn-engine={url}",
        ".",
    ]
    secrets = dict.fromkeys(("PASSWORD", "HTTP_PROXY", "https_proxy", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"), SECRET)

    done = subprocess.run(
        argv, cwd=tmp_path, env={**os.environ, **secrets}, capture_output=True, text=True, check=False, timeout=120
    )

    assert "1 failed" in done.stdout, done.stdout + done.stderr  # so that there is a report, with both ends
    assert "dockconn: client1" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    seen = (tmp_path / "seen.json").read_text()
    assert len(json.loads(seen)) >= 8
    assert SECRET not in seen


def test_a_servers_token_is_neither_said_nor_logged(dockconn_exposed_server: Server) -> None:
    """Who knows it can pass for the server: it is for the engine and this run alone."""
    server = dockconn_exposed_server
    token = server.services.speakers[server.id]

    answer = server.port(80).get(headers={"X-Dockconn-Nonce": "0011"})

    assert answer.headers["X-Dockconn-Proof"] == proof(token, "0011")
    seen = str(answer.headers) + answer.text + server.logs() + server.run("cat", "/proc/1/cmdline").stdout
    assert token not in seen + str(server.environment)

"""What our containers may do, and what of this process's surroundings gets into them: docs/engines.md has the table."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dockconn import Lab, Server
from pytest_dockconn.actions.images import CLIENT, SERVER, context, packed
from pytest_dockconn.actions.steps import remove_steps
from pytest_dockconn.agent.identity import proof
from pytest_dockconn.errors import Conflict, EngineError
from pytest_dockconn.logic.images import made_by_step
from tests.engine import scenes
from tests.engine.helpers import docker_py, needs
from tests.shared import Stage

SECRET = "s3cr3t-of-the-environment"
#: The same as docker's config.json has it, for a registry.
TOKEN = base64.b64encode(f"me:{SECRET}".encode()).decode()


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


def tells(text: str) -> bool:
    """A secret, of the environment or of docker's config.json."""
    return SECRET in text or TOKEN in text


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
        argv,
        cwd=tmp_path,
        env={**os.environ, **secrets, "DOCKER_CONFIG": str(config(tmp_path))},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "1 failed" in done.stdout, done.stdout + done.stderr  # so that there is a report, with both ends
    assert "dockconn: client1" in done.stdout
    assert not tells(done.stdout + done.stderr)
    seen = (tmp_path / "seen.json").read_text()
    assert len(json.loads(seen)) >= 8
    assert not tells(seen)


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's config.json names one, with a password; so does the environment."""
    monkeypatch.setenv("DOCKER_CONFIG", str(config(tmp_path)))
    for name in ("HTTP_PROXY", "http_proxy", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)


def config(folder: Path) -> Path:
    """Docker's, with proxies and a registry."""
    proxies = dict.fromkeys(("httpProxy", "httpsProxy", "ftpProxy"), f"http://me:{SECRET}@127.0.0.1:9/")
    told = {"proxies": {"default": proxies}, "auths": {"registry.example": {"auth": TOKEN}}}
    (folder / "config.json").write_text(json.dumps(told))
    return folder


#: As ours are; the first command wants the proxy.
BUILT = """\
ARG BASE
FROM ${BASE}
LABEL dockconn.build=unfinished
RUN : dockconn RUN && test -n "$http_proxy"
RUN : dockconn && END
"""


def built(lab: Lab, tag: str, end: str) -> tuple[list[str], list[str]]:
    """Its output, and the images of its steps."""
    services, said = lab._services, list[str]()
    files = {"Dockerfile": BUILT.replace("RUN &", f"{services.run} &").replace("END", end).encode()}
    base = services.images.get(CLIENT).id
    with contextlib.suppress(EngineError):
        said += services.engine.build(packed(files), "Dockerfile", tag, {"BASE": base})
    return said, [made for line in said if (made := made_by_step(line))]


def test_a_proxys_password_stays_out_of_what_is_built(stage: Stage, proxy: None) -> None:
    """The build may need the proxy, as one of docker's own command has it; neither the image nor a step tells of it."""
    engine, api = stage.lab._services.engine, docker_py(stage.lab.engine.url)
    tag = f"dockconn-test-proxy:{stage.lab._services.run}"
    ended, half = built(stage.lab, tag, "false")
    whole, made = built(stage.lab, tag, "true")  # goes on where the first one ended
    try:
        assert (len(half), len(made)) == (3, 4), ended + whole
        seen = [(api.inspect_image(one), api.history(one)) for one in made]
        assert not tells(json.dumps(seen) + str(ended + whole))
    finally:
        engine.remove_image(tag)
        with contextlib.suppress(Conflict):  # the label's step is that of our server's image, too
            remove_steps(engine, [one for one in made if engine.image(one)][-1])


@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_a_build_declares_no_proxy(role: str) -> None:
    """What ``ARG`` names is written into the history of each step after it; docker keeps proxies out of it else."""
    dockerfile = context(role)[f"{role}.Dockerfile"].decode()
    assert re.findall(r"^\s*(?:ARG|ENV)\b.*", dockerfile, re.MULTILINE | re.IGNORECASE) == ["ARG BASE"]


def test_a_servers_token_is_neither_said_nor_logged(dockconn_exposed_server: Server) -> None:
    """Who knows it can pass for the server: it is for the engine and this run alone."""
    server = dockconn_exposed_server
    token = server.services.speakers[server.id]

    answer = server.port(80).get(headers={"X-Dockconn-Nonce": "0011"})

    assert answer.headers["X-Dockconn-Proof"] == proof(token, "0011")
    seen = str(answer.headers) + answer.text + server.logs() + server.run("cat", "/proc/1/cmdline").stdout
    assert token not in seen + str(server.environment)

"""The engines that the contract is held to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from pytest_dockconn import labels, options
from pytest_dockconn.actions.images import CLIENT, SERVER, context, labelled, packed
from pytest_dockconn.engine.docker_sdk import connect
from pytest_dockconn.engine.find import CALL_TIMEOUT, find
from pytest_dockconn.engine.port import Engine
from tests.contract.bench import Bench
from tests.fakes.engine import BASE, FakeEngine

#: The fake one; the real one as the plugin finds it; and by docker-py, which is the way to podman, and over TLS and ssh.
ENGINES = ["fake", *(pytest.param(name, marks=pytest.mark.dockconn) for name in ("real", "docker-py"))]


@pytest.fixture(scope="session")
def real_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The engine that the options name, by a connection of its own."""
    engine = find(options.settings(request.config).engine)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def docker_py(real_engine: Engine) -> Iterator[Engine]:
    """The same one."""
    engine = connect(real_engine.url, CALL_TIMEOUT)
    yield engine
    engine.close()


ENGINE = {"real": "real_engine", "docker-py": "docker_py"}


@pytest.fixture(params=ENGINES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """An engine with the two images."""
    if request.param == "fake":
        engine = FakeEngine()
        client, server = _built(engine)
        made = Bench(engine, client, server, subnet=f"127.10.{secrets.randbelow(256)}.0/24")
    else:
        client, server = (str(request.getfixturevalue(f"dockconn_{role}_image").id) for role in (CLIENT, SERVER))
        subnet = f"10.213.{secrets.randbelow(256)}.0/24"
        made = Bench(request.getfixturevalue(ENGINE[request.param]), client, server, subnet=subnet)
    yield made
    made.clean()
    left = made.engine.containers(made.label)
    if isinstance(made.engine, FakeEngine):
        made.engine.shut_down()
    assert not left


def _built(engine: FakeEngine) -> list[str]:
    """The two images, as the plugin has them built."""
    found: list[str] = []
    below = BASE
    for role in (CLIENT, SERVER):
        marks = {**labels.made("contract", f"dockconn-{role}:1", f"{role}-image"), labels.SPEAKS: role}
        files, dockerfile = context(role), f"{role}.Dockerfile"
        packed_up = packed({**files, dockerfile: labelled(files[dockerfile], marks)})
        list(engine.build(packed_up, dockerfile, f"dockconn-{role}:1", {"BASE": below}))
        image = engine.image(f"dockconn-{role}:1")
        assert image is not None
        below = image.id
        found.append(below)
    return found

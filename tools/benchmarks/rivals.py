"""What people ask with now, each in the way that its own documentation shows: ``reachable``, ``unreachable``, or no way to ask."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
import testinfra
from requests.adapters import HTTPAdapter
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import PortWaitStrategy
from tests.engine.liars import REACHABLE, UNREACHABLE, Liar
from urllib3.util.retry import Retry

from pytest_dockconn import Container, Port
from pytest_dockconn.actions.services import Services
from pytest_dockconn.errors import NoAddress

#: Seconds that each may take, as testinfra's own ``nc -w 1``.
PATIENCE = 1
#: What the host's own environment would tell a tool that runs on it.
PROXIES = ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Way:
    """How a question reads to a tool that knows addresses alone.

    Attributes:
        inside: the container that a tool which asks from inside is started in: the source, or one on the host's network.
        from_host: whether the test process itself asks.
        scheme: as a person would ask.
        host: the address, or the name.
        port: the number.
        owner: the container of a bound port; empty where none is bound.
        inner: its own port.
    """

    inside: str
    from_host: bool
    scheme: str
    host: str
    port: int
    owner: str = ""
    inner: int = 0

    @property
    def url(self) -> str:
        """For those that take one."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"


def way(liar: Liar, source: Any, destination: Any, standin: str) -> Way | None:
    """The question in addresses; None where there is no address."""
    inside, from_host = (standin, True) if source.source_id is None else (source.source_id, False)
    if isinstance(destination, str):
        parts = urlsplit(destination)
        owner, inner = _bound(source.services, parts.port or 0)
        return Way(inside, from_host, parts.scheme, parts.hostname or "", parts.port or 80, owner, inner)
    port: Port = destination
    try:
        # a container's own address is its first, as inspect shows it: who else would know which one suits this source?
        plain = not port.bound and not port.where.name
        target = port.targets_from(None if plain else source.source_facts())[0]
    except NoAddress:
        return None
    scheme = liar.scheme or target.scheme
    owner = port.owner.id if port.bound and not port.where.address else ""
    return Way(inside, from_host, scheme, target.host, target.port, owner, port.key.number)


def _bound(services: Services, number: int) -> tuple[str, int]:
    for one in services.known_containers():
        assert isinstance(one, Container)
        for binding in one.last_facts().bindings:
            if binding.host_port == number:
                return one.id, binding.port.number
    return "", 0


def by_requests(asked: Way) -> str:
    """``requests.get`` with retries."""
    retries = HTTPAdapter(max_retries=Retry(total=3, backoff_factor=0.1))
    with requests.Session() as session:
        session.mount("http://", retries)
        session.mount("https://", retries)
        try:
            return REACHABLE if session.get(asked.url, timeout=PATIENCE).ok else UNREACHABLE
        except requests.RequestException:
            return UNREACHABLE


def by_curl(asked: Way) -> str:
    """``docker exec SOURCE curl``."""
    return _executed(asked, "curl", "-fsS", "-o", "/dev/null", "--max-time", str(PATIENCE), asked.url)


def by_nc(asked: Way) -> str:
    """``docker exec SOURCE nc -z``."""
    return _executed(
        asked, "nc", "-zu" if asked.scheme == "udp" else "-z", "-w", str(PATIENCE), asked.host, str(asked.port)
    )


def _executed(asked: Way, *argv: str) -> str:
    """A host that asks hands its environment on; a container has its own."""
    env = [word for name in PROXIES if asked.from_host and name in os.environ for word in ("-e", name)]
    done = subprocess.run(["docker", "exec", *env, asked.inside, *argv], capture_output=True, check=False, timeout=60)
    if done.returncode:  # why it says no, so that a no of the machine's load can be told from one of the set-up
        words = done.stderr.decode("utf-8", "replace").strip().replace("\n", " ")[:160]
        print(f"    {argv[0]} of {asked.url}: exit status {done.returncode}: {words}", file=sys.stderr, flush=True)
        return UNREACHABLE
    return REACHABLE


def by_testinfra(asked: Way) -> str:
    """``host.addr(A).port(N).is_reachable``."""
    host = testinfra.get_host(f"docker://{asked.inside}")
    return REACHABLE if host.addr(asked.host).port(asked.port).is_reachable else UNREACHABLE


def by_testcontainers(asked: Way) -> str:
    """``PortWaitStrategy``: it connects to the host port of a container that testcontainers has started."""
    # It takes a machine with /.dockerenv for a container of the engine, and would ask the gateway, where nothing is bound.
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    client = docker.from_env()
    try:
        container = DockerContainer("none")
        container._container = client.containers.get(asked.owner)  # noqa: SLF001 - as if it had started it
        PortWaitStrategy(asked.inner).with_startup_timeout(PATIENCE).wait_until_ready(container)
    except TimeoutError:
        return UNREACHABLE  # also of a container that does not run; any other error is one of this comparison
    finally:
        client.close()
    return REACHABLE


@dataclass(frozen=True, slots=True)
class Rival:
    """A tool.

    Attributes:
        name: as it stands above a column.
        how: how it is used.
        can: whether it has a way to ask.
        ask: its answer.
        version: which one.
    """

    name: str
    how: str
    can: Callable[[Way], bool]
    ask: Callable[[Way], str]
    version: str


def _web(asked: Way) -> bool:
    return asked.scheme in ("http", "https")


def _tcp(asked: Way) -> bool:
    return asked.scheme != "udp"


def _of_host(asked: Way) -> bool:
    return asked.from_host and _web(asked)


def _published(asked: Way) -> bool:
    return asked.from_host and bool(asked.owner) and _tcp(asked)


def _any(_: Way) -> bool:
    return True


def rivals(client_versions: Mapping[str, str]) -> tuple[Rival, ...]:
    """All of them; ``client_versions`` are those of the commands in the client image."""
    return (
        Rival("requests", "`requests.get` with three retries", _of_host, by_requests, metadata.version("requests")),
        Rival("curl", "`docker exec SOURCE curl -f`", _web, by_curl, client_versions["curl"]),
        Rival("nc", "`docker exec SOURCE nc -z`", _any, by_nc, client_versions["nc"]),
        Rival(
            "testinfra", "`host.addr(A).port(N).is_reachable`", _tcp, by_testinfra, metadata.version("pytest-testinfra")
        ),
        Rival(
            "testcontainers", "`PortWaitStrategy(N)`", _published, by_testcontainers, metadata.version("testcontainers")
        ),
    )


def versions_in(container: Container) -> dict[str, str]:
    """Of the commands in the client image."""
    curl = container.run("curl", "--version").stdout.split()[1]
    nc = container.run("dpkg-query", "-W", "-f", "${Version}", "netcat-openbsd").stdout
    return {"curl": curl, "nc": f"netcat-openbsd {nc}"}

"""EXPOSE as engines take it: metadata, and who reads it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from pytest_dockconn import Container, Lab, Server, Verdict, assert_reachable
from tests.conformance.helpers import Call, returned, tcp
from tests.conformance.others import engine_says, web
from tests.conformance.rows import Docker, OneOf, Row, Says, Since, Stage, params, refused
from tests.engine import scenes

RUN_TESTS = "moby integration-cli/docker_cli_run_test.go"


def exposing(lab: Lab) -> Server:
    return lab.server(expose=(80, "3000-3003", "53/udp"))


def exposed(container: Container) -> list[str]:
    """As the engine tells it."""
    return [str(port) for port in container.facts().exposed]


def table_of_ports(stage: Stage) -> dict[str, object]:
    """``NetworkSettings.Ports``: null is exposed and not published."""
    server = stage.once(exposing)
    found: dict[str, object] = stage.others.api.inspect_container(server.id)["NetworkSettings"]["Ports"]
    return found


def not_exposed(stage: Stage) -> tuple[list[str], Verdict]:
    """What is exposed, and what comes of asking a port that is not."""
    server = stage.lab.server(expose=(), command=web(8080))
    return exposed(server), assert_reachable(stage.once(scenes.plain).client, server.port(8080)).verdict


def nothing_listens(stage: Stage) -> Verdict:
    other = stage.others.run(ports=[80])
    return stage.once(scenes.plain).client.probe(other.port(80)).verdict


def from_the_host(stage: Stage) -> tuple[Verdict, Verdict]:
    """By the container's address, and by the host's own loopback."""
    server = stage.once(exposing)
    return stage.host.probe(server.port(3001)).verdict, tcp(stage.host, "127.0.0.1", _free_of_all(stage))


def _free_of_all(stage: Stage) -> int:
    """An exposed port that nobody else has on this host."""
    import socket

    for number in range(3000, 3004):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", number)):
                return number
    pytest.skip("every exposed port is taken on this host")


def of_image(*lines: str) -> Callable[[Stage], Container]:
    """A container of an image that these lines of a Dockerfile made."""

    def set_up(stage: Stage) -> Container:
        base = stage.once(scenes.plain).client.facts().image_id
        text = "\n".join([f"FROM {base}", *lines, ""]).encode()
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
        context.seek(0)
        tag = stage.others.name("image")
        said = list(stage.others.api.build(fileobj=context, custom_context=True, tag=tag, rm=True, decode=True))
        stage.undo.callback(stage.others.api.remove_image, tag, force=True)
        assert not [line for line in said if "error" in line]
        made = stage.lab.adopt(stage.others.create(image=tag))
        stage.undo.callback(stage.others.remove, made.id)  # before its image
        return made

    return set_up


def publish_all(stage: Stage) -> list[tuple[bool, bool]]:
    """Each port of a range: whether it has a host port of its own, and whether the container answers there."""
    ports = [3000, 3001, 3002, 3003]
    command = ["sh", "-c", "; ".join(f"python3 -m http.server {n} & " for n in ports).replace("& ;", "&") + "wait"]
    other = stage.others.run(command, host={"publish_all_ports": True}, ports=ports)
    bound = [other.bound_port(number) for number in ports]
    numbers = {port.number for port in bound}
    return [(len(numbers) == 4, assert_reachable(stage.host, port).answered_by == other.id) for port in bound]


def high_level(wish: object) -> Callable[[Stage], bool]:
    """Whether docker-py's ``ports={'80/tcp': wish}`` publishes."""

    def set_up(stage: Stage) -> bool:
        other = stage.others.run(host={"port_bindings": {"80/tcp": wish}}, ports=[80])
        return bool(other.facts().bindings)

    return set_up


def raw_container_mode(stage: Stage) -> Call:
    parent = stage.once(exposing)
    return lambda: stage.others.run(ports=[5000], host={"network_mode": f"container:{parent.id}"})


ROWS: list[Row[Any]] = [
    Row(
        name="ranges and protocols",
        set_up=lambda stage: stage.once(exposing),
        probe=exposed,
        expected=["53/udp", "80/tcp", "3000/tcp", "3001/tcp", "3002/tcp", "3003/tcp"],
        source="docker run --expose: N, N-M, /tcp, /udp, /sctp",
    ),
    Row(
        name="null entries of the ports",
        set_up=table_of_ports,
        probe=lambda ports: set(ports.values()),
        expected={None},
        source="moby api: NetworkSettings.Ports",
    ),
    Row(
        name="each of a range answers a neighbour",
        set_up=lambda stage: stage.once(exposing),
        probe=lambda server: {n: server.probe(server.port(n)).verdict for n in range(3000, 3004)},
        expected=dict.fromkeys(range(3000, 3004), Verdict.REACHABLE),
        source="metadata only: with icc every port is reachable on the same bridge",
    ),
    Row(
        name="a port that is not exposed answers a neighbour too",
        set_up=not_exposed,
        probe=returned,
        expected=([], Verdict.REACHABLE),
        source="metadata only: with icc every port is reachable on the same bridge",
    ),
    Row(
        name="exposed, and nothing listens",
        set_up=nothing_listens,
        probe=returned,
        expected=Verdict.REFUSED,
        source="metadata only",
    ),
    Row(
        name="from the host: by the container's address, not by the host's",
        set_up=from_the_host,
        probe=returned,
        expected=(Verdict.REACHABLE, Verdict.REFUSED),
        source="moby integration/networking: TestDirectRoutingOpenPorts (the host itself always may)",
        requires=("container-addresses",),
    ),
    Row(
        name="a range, all published",
        set_up=publish_all,
        probe=returned,
        expected=[(True, True)] * 4,
        source=f"{RUN_TESTS}: TestRunAllowPortRangeThroughExpose; integration/networking: TestPublishAllWithNilPortBindings",
        caveat="29.1.0 to 29.1.2 crash where nothing else is bound: something is not, but has a key here",
    ),
    Row(
        name="docker-py: None publishes",
        set_up=high_level(None),
        probe=returned,
        expected=True,
        source="docker-py: ports={'80/tcp': None} is any free port",
    ),
    Row(
        name="an empty list of bindings",
        set_up=high_level([]),
        probe=returned,
        expected=Since("25.0", then=OneOf(True, False), before=False),
        source="moby integration/network/bridge: TestEmptyPortBindingsBC; seen on 20.10.24, 26.1.5 and 28.5.2 of Debian",
        caveat="from 25.0 on moby's own go-connections fills in any free port; Debian's builds have an older one",
    ),
    Row(
        name="EXPOSE in capitals",
        set_up=of_image("EXPOSE 5678/UDP"),
        probe=exposed,
        expected=["5678/udp"],
        source="moby integration-cli/docker_cli_build_test.go: TestBuildExposeUpperCaseProto",
    ),
    Row(
        name="EXPOSE of a range",
        set_up=of_image("EXPOSE 7000-7002 9/sctp"),
        probe=exposed,
        expected=["9/sctp", "7000/tcp", "7001/tcp", "7002/tcp"],
        source="moby integration-cli/docker_cli_build_test.go: TestBuildExpose",
    ),
    Row(
        name="a container of one exposed port is a destination",
        set_up=of_image("EXPOSE 5678/UDP"),
        probe=lambda container: str(container.only_port()),
        expected=Says("port 5678/udp of"),
        source="docs: a destination may be a container",
    ),
]


@pytest.mark.parametrize("row", params(ROWS))
def test_exposed(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


def wish(expose: object) -> Callable[[Stage], Call]:
    return lambda stage: lambda: stage.lab.server(expose=expose)


def built(line: str) -> Callable[[Stage], Call]:
    return lambda stage: lambda: of_image(line)(stage)


REFUSED: list[Row[Any]] = [
    Row(
        name="80000",
        set_up=wish(80000),
        probe=refused,
        expected=Says("80000 is outside of 1 to 65535"),
        source="moby integration-cli/docker_cli_build_test.go: TestBuildExpose, nat.ParsePort",
    ),
    Row(
        name="0",
        set_up=wish(0),
        probe=refused,
        expected=Says("0 is outside of 1 to 65535"),
        source="go-connections nat.ParsePort",
    ),
    Row(
        name="a range that ends before it begins",
        set_up=wish("3003-3000"),
        probe=refused,
        expected=Says("ends at 3000"),
        source="go-connections nat.ParsePortRange",
    ),
    Row(
        name="another protocol",
        set_up=wish("80/icmp"),
        probe=refused,
        expected=Says("'icmp' is none of tcp, udp, sctp"),
        source="docker run --expose: tcp, udp, sctp",
    ),
    Row(
        name="what no server of ours answers",
        set_up=wish("9899/sctp"),
        probe=refused,
        expected=Says("no server of ours answers on 9899/sctp"),
        source="docker run --expose: tcp, udp, sctp; Apache and the echo speak TCP and UDP",
    ),
]


@pytest.mark.parametrize("row", params(REFUSED))
def test_refused_before_anything_is_made(row: Row[Any], stage: Stage) -> None:
    row.check(stage)
    assert stage.lab.containers == []


ENGINE_REFUSES: list[Row[Any]] = [
    Row(
        name="container: mode",
        set_up=raw_container_mode,
        probe=engine_says,
        expected=Docker(
            Says("conflicting options: port exposing and the container type network mode"), podman=Says("")
        ),
        source=f"{RUN_TESTS}: TestRunContainerNetModeWithExposePort",
        caveat="podman has other words",
    ),
]


@pytest.mark.parametrize("row", params(ENGINE_REFUSES))
def test_the_engine_refuses(row: Row[Any], stage: Stage) -> None:
    row.check(stage)

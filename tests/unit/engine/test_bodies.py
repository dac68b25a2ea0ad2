"""What the engine is sent."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_dockconn.engine import bodies
from pytest_dockconn.model.spec import Attachment, ContainerPlan, NetworkPlan, PortKey, Publish

SAFE = {"NetworkMode": "default", "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"]}


def sent(kind: str = "docker", **wish: Any) -> dict[str, Any]:
    return bodies.container(ContainerPlan(image="i", name="n", labels={"a": "b"}, **wish), kind)


def test_the_least() -> None:
    assert sent() == {
        "Image": "i", "Entrypoint": None, "Cmd": None, "Hostname": None, "User": None, "Env": [], "ExposedPorts": {}, "Labels": {"a": "b"},
        "OpenStdin": False, "StdinOnce": False, "AttachStdin": False, "AttachStdout": True, "AttachStderr": True, "Tty": False,
        "HostConfig": SAFE, "NetworkingConfig": {"EndpointsConfig": {}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"command": ("sleep", "1")}, {"Entrypoint": [""], "Cmd": ["sleep", "1"]}),
        ({"command": ()}, {"Entrypoint": None, "Cmd": []}),
        ({"env": {"A": "1", "B": "x=y"}}, {"Env": ["A=1", "B=x=y"]}),
        ({"expose": (PortKey(80), PortKey(53, "udp"))}, {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}),
        ({"interactive": True}, {"OpenStdin": True, "StdinOnce": True, "AttachStdin": True}),
        (
            {"interactive": True, "stdin_once": False},  # what is kept for a later run
            {"OpenStdin": True, "StdinOnce": False, "AttachStdin": False, "AttachStdout": False, "AttachStderr": False},
        ),
        ({"interactive": True, "tty": True}, {"Tty": True}),
        ({"hostname": "h", "user": "1000"}, {"Hostname": "h", "User": "1000"}),
        ({"publish": (Publish(PortKey(81)),)}, {"ExposedPorts": {"81/tcp": {}}}),  # 20.10 binds nothing without
        (
            {"attachments": (Attachment("a", ("x",), (("s", "l"),), "10.0.0.2"), Attachment("b"))},
            {
                "NetworkingConfig": {
                    "EndpointsConfig": {
                        "a": {"Aliases": ["x"], "Links": ["s:l"], "IPAMConfig": {"IPv4Address": "10.0.0.2"}}
                    }
                }
            },
        ),
    ],
)
def test_a_wish(wish: dict[str, Any], says: dict[str, Any]) -> None:
    body = sent(**wish)
    assert {name: body[name] for name in says} == says


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"links": (("server1", "web"),)}, {"Links": ["server1:web"]}),
        ({"network_mode": "host"}, {"NetworkMode": "host"}),
        ({"attachments": (Attachment("a"),)}, {"NetworkMode": "a"}),
        ({"dns": ("10.0.0.1",)}, {"Dns": ["10.0.0.1"]}),
        ({"extra_hosts": {"db": "10.0.0.1"}}, {"ExtraHosts": ["db:10.0.0.1"]}),
        ({"capabilities": ("NET_RAW",)}, {"CapAdd": ["NET_RAW"]}),
        ({"read_only": True}, {"ReadonlyRootfs": True}),
        ({"keep_logs": False}, {"LogConfig": {"Type": "none", "Config": {}}}),
        (
            {"publish": (Publish(PortKey(80)), Publish(PortKey(80), "0.0.0.0", "8080-8090"), Publish(PortKey(53, "udp"), "::1", "53"))},
            {
                "PortBindings": {
                    "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}, {"HostIp": "0.0.0.0", "HostPort": "8080-8090"}],
                    "53/udp": [{"HostIp": "::1", "HostPort": "53"}],
                }
            },
        ),
    ],
)  # fmt: skip
def test_the_hosts_part(wish: dict[str, Any], says: dict[str, Any]) -> None:
    assert sent(**wish)["HostConfig"] == {**SAFE, **says}


@pytest.mark.parametrize(
    ("attachment", "says"),
    [
        (Attachment("a"), {}),
        (Attachment("a", ip="fd00::2"), {"IPAMConfig": {"IPv6Address": "fd00::2"}}),
        (Attachment("a", ("x", "y")), {"Aliases": ["x", "y"]}),
    ],
)
def test_an_endpoint(attachment: Attachment, says: dict[str, Any]) -> None:
    assert bodies.endpoint(attachment) == says


def test_a_network() -> None:
    least = {"Name": "n", "Driver": "bridge", "CheckDuplicate": True, "Labels": {}}
    assert bodies.network(NetworkPlan(name="n", labels={})) == least
    full = NetworkPlan(
        name="n", labels={"a": "b"}, driver="overlay", internal=True, ipv6=True, subnets=("10.0.0.0/24", "fd00::/64"),
        options={"o": "1"}, attachable=True,
    )  # fmt: skip
    assert bodies.network(full) == {
        **least, "Driver": "overlay", "Labels": {"a": "b"}, "Internal": True, "EnableIPv6": True, "Attachable": True,
        "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.0.0.0/24"}, {"Subnet": "fd00::/64"}]}, "Options": {"o": "1"},
    }  # fmt: skip

"""The engine's JSON as facts. The samples are shortened answers of Docker 20.10, 29 and podman 4.3."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import endpoint

from pytest_dockconn.engine import translate
from pytest_dockconn.model.facts import Binding, Endpoint, ImageFacts, InfoFacts, NetworkFacts, VersionFacts
from pytest_dockconn.model.spec import PortKey

DOCKER = {
    "Platform": {"Name": ""},
    "Components": [{"Name": "Engine", "Version": "20.10.24+dfsg1"}, {"Name": "containerd", "Version": "1.6.20"}],
    "Version": "20.10.24+dfsg1", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64",
}  # fmt: skip
PODMAN = {
    "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon", "Version": "2.1.6"}],
    "Version": "20.10.0", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64",
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        pytest.param(
            DOCKER,
            VersionFacts("unix:///d.sock", "docker", "20.10.24+dfsg1", "1.41", "1.12", "linux", "amd64"),
            id="docker",
        ),
        pytest.param(
            PODMAN, VersionFacts("unix:///d.sock", "podman", "4.3.1", "1.41", "1.24", "linux", "amd64"), id="podman"
        ),
        pytest.param(
            {"Version": "1", "ApiVersion": "1.40"},
            VersionFacts("unix:///d.sock", "docker", "1", "1.40", "", "", ""),
            id="the least",
        ),
        pytest.param({"Components": None}, VersionFacts("unix:///d.sock", "docker", "", "", "", "", ""), id="null"),
    ],
)
def test_version(data: Any, facts: VersionFacts) -> None:
    assert translate.version("unix:///d.sock", data) == facts


@pytest.mark.parametrize(
    ("data", "rootless"),
    [
        pytest.param({"SecurityOptions": ["name=seccomp,profile=default"]}, False, id="rootful"),
        pytest.param({"SecurityOptions": ["name=seccomp", "name=rootless"]}, True, id="rootless docker"),
        pytest.param({"Rootless": True}, True, id="rootless podman"),
        pytest.param({"SecurityOptions": None}, False, id="null"),
    ],
)
def test_rootless(data: Any, rootless: bool) -> None:
    assert translate.info(data).rootless is rootless


def test_info() -> None:
    data = {"Name": "box", "OperatingSystem": "Debian", "SecurityOptions": ["name=apparmor"], "CgroupVersion": "2"}
    assert translate.info(data) == InfoFacts("box", "Debian", False, ("name=apparmor",), "2")
    told = translate.info({**data, "ID": "ABCD:EF", "DockerRootDir": "/var/lib/docker"})
    assert (told.id, told.root) == ("ABCD:EF", "/var/lib/docker")


@pytest.mark.parametrize(
    ("text", "key"),
    [("80/tcp", PortKey(80)), ("80", PortKey(80)), ("5678/UDP", PortKey(5678, "udp")), ("9/sctp", PortKey(9, "sctp"))],
)
def test_a_port(text: str, key: PortKey) -> None:
    assert translate.port_key(text) == key


@pytest.mark.parametrize(
    "text",
    ["", "/tcp", "80-90/tcp", "http", "²/tcp", "٣/tcp", "9" * 5000, "0/tcp", "65536/tcp", "-1", "80/xyz", "80/tcp\x1b[2J", "80/tcp/tcp", " 80"],
    ids=lambda text: ascii(text)[:12],
)  # fmt: skip
def test_what_an_image_may_say_instead_of_a_port(text: str) -> None:
    """Docker passes on what a Dockerfile, or ``docker import --change``, put there."""
    assert translate.ports([text, "80/tcp"]) == (PortKey(80),)
    assert translate.bindings({text: [{"HostPort": "1"}]}) == ()
    assert translate.bindings({"80/tcp": [{"HostPort": text}]}) == (Binding(PortKey(80), "0.0.0.0", 0),)
    data = {"Id": "sha256:1", "Config": {"ExposedPorts": {text: {}, "80/tcp": {}}}}
    assert translate.image(data).exposed == (PortKey(80),)


def test_ports_are_sorted_by_number_not_as_text() -> None:
    assert translate.ports(["443/tcp", "80/udp", "80/tcp"]) == (PortKey(80), PortKey(80, "udp"), PortKey(443))


@pytest.mark.parametrize(
    ("table", "found"),
    [
        pytest.param(None, [], id="null"),
        pytest.param({"80/tcp": None}, [], id="exposed only"),
        pytest.param({"80/tcp": []}, [], id="an empty list"),
        pytest.param(
            {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}]}, [("80", "127.0.0.1", 32768)], id="bound"
        ),
        pytest.param(
            {"80/tcp": [{"HostIp": "::", "HostPort": "32769"}, {"HostIp": "0.0.0.0", "HostPort": "32768"}]},
            [("80", "0.0.0.0", 32768), ("80", "::", 32769)],
            id="both families: IPv4 first",
        ),
        pytest.param(
            {"80/tcp": [{"HostIp": "2001:db8::1", "HostPort": "1"}, {"HostIp": "203.0.113.9", "HostPort": "2"}]},
            [("80", "203.0.113.9", 2), ("80", "2001:db8::1", 1)],
            id="IPv4 first, also where it would be second as text",
        ),
        pytest.param({"80/tcp": [{"HostIp": "", "HostPort": "80"}]}, [("80", "0.0.0.0", 80)], id="no address: any"),
        pytest.param({"80/tcp": [{"HostIp": "", "HostPort": ""}]}, [("80", "0.0.0.0", 0)], id="not drawn yet"),
        pytest.param({"80/tcp": [{"HostPort": "8080-8090"}]}, [("80", "0.0.0.0", 0)], id="a range that was wished for"),
        pytest.param(
            {"443/tcp": [{"HostPort": "1"}], "80/tcp": [{"HostPort": "2"}]},
            [("80", "0.0.0.0", 2), ("443", "0.0.0.0", 1)],
            id="by port",
        ),
    ],
)
def test_bindings(table: Any, found: list[tuple[str, str, int]]) -> None:
    assert translate.bindings(table) == tuple(Binding(PortKey(int(p)), address, host) for p, address, host in found)


def test_environment() -> None:
    assert translate.environment(["A=1", "B=x=y", "C=", "D"]) == {"A": "1", "B": "x=y", "C": "", "D": ""}
    assert translate.environment(None) == {}


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"Status": "running", "Running": True}, "running"),
        ({"Status": "running", "Running": True, "Paused": True}, "paused"),
        ({"Status": "restarting", "Running": True, "Restarting": True}, "restarting"),
        ({"Status": "exited"}, "exited"),
        ({"Status": "created"}, "created"),
        ({"Status": "dead"}, "dead"),
        ({"Running": True}, "running"),
        ({}, "exited"),
        ({"Status": "initialized"}, "created"),
        ({"Status": "configured"}, "created"),
        ({"Status": "stopped"}, "exited"),
    ],
    ids=str,
)
def test_status(state: Any, word: str) -> None:
    assert translate.status(state) == word


@pytest.mark.parametrize(
    ("text", "pair"),
    [("/server:/client/alias", ("server", "alias")), ("/n:/c/n", ("n", "n")), ("/a-b:/c/x.y", ("a-b", "x.y"))],
)
def test_a_link(text: str, pair: tuple[str, str]) -> None:
    assert translate.link(text) == pair


CONTAINER: dict[str, Any] = {
    "Id": "f" * 64,
    "Name": "/dockconn-x-server2",
    "Image": "sha256:abc",
    "RestartCount": 2,
    "Config": {
        "Image": "dockconn-server:123",
        "Hostname": "0123456789ab",
        "Labels": {"dockconn": "x"},
        "Env": ["PATH=/bin", "A=1"],
        "Entrypoint": ["/init"],
        "Cmd": ["serve", "80/tcp"],
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    },
    "State": {"Status": "running", "Running": True, "ExitCode": 0, "Pid": 4711, "OOMKilled": False, "Error": ""},
    "HostConfig": {
        "NetworkMode": "default",
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
        "Links": ["/server:/client/alias"],
    },
    "NetworkSettings": {
        "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}], "81/tcp": None},
        "Networks": {
            "front": {"NetworkID": "n2", "IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00::2", "Aliases": ["web"], "Links": ["db:x"]},
            "bridge": {
                "NetworkID": "n1", "IPAddress": "172.17.0.2", "Gateway": "172.17.0.1", "MacAddress": "02:42:ac:11:00:02",
                "Aliases": None,
            },
        },
    },
}  # fmt: skip


def test_a_container() -> None:
    facts = translate.container(CONTAINER)
    assert (facts.id, facts.name, facts.image, facts.image_id) == (
        "f" * 64,
        "dockconn-x-server2",
        "dockconn-server:123",
        "sha256:abc",
    )
    assert (facts.status, facts.running, facts.exit_code, facts.pid, facts.restart_count) == (
        "running",
        True,
        0,
        4711,
        2,
    )
    assert (facts.hostname, facts.network_mode, facts.oom_killed, facts.error) == ("0123456789ab", "default", False, "")
    assert facts.labels == {"dockconn": "x"}
    assert facts.env == {"PATH": "/bin", "A": "1"}
    assert facts.command == ("/init", "serve", "80/tcp")
    assert facts.exposed == (PortKey(53, "udp"), PortKey(80), PortKey(81))
    assert facts.bindings == (Binding(PortKey(80), "127.0.0.1", 32768),)
    assert facts.wanted_bindings == (Binding(PortKey(80), "127.0.0.1", 0),)
    assert facts.links == (("server", "alias"),)
    assert facts.endpoints == (
        Endpoint("bridge", "n1", "172.17.0.2", "", "172.17.0.1", "", "02:42:ac:11:00:02"),
        Endpoint("front", "n2", "172.18.0.2", "fd00::2", "", "", "", ("web",), (("db", "x"),)),
    )
    assert facts.addresses == ("172.17.0.2", "172.18.0.2", "fd00::2")
    assert facts.endpoint("front") == facts.endpoint("n2") == facts.endpoints[1]
    assert facts.endpoint("back") is None


@pytest.mark.parametrize(
    ("mode", "shares"),
    [("", False), (None, False), ("private", False), ("host", True), ("container:2", True)],
    ids=["docker", "not told", "podman", "the host's", "another's"],
)
def test_whose_process_ids_it_has(mode: str | None, shares: bool) -> None:
    assert translate.container({"Id": "1", "HostConfig": {"PidMode": mode}}).shares_pids is shares


@pytest.mark.parametrize(
    ("entrypoint", "cmd", "argv"),
    [
        (["/init"], ["serve"], ("/init", "serve")),
        (["/init"], None, ("/init",)),
        (None, ["serve"], ("serve",)),
        ([], ["serve"], ("serve",)),
        ([""], ["serve"], ("serve",)),
        (["", "x"], [""], ("", "x", "")),
        (None, None, ()),
    ],
    ids=["both", "no command", "no entrypoint", "an empty one", "podman's word for none", "empty words", "neither"],
)
def test_the_whole_command(entrypoint: Any, cmd: Any, argv: tuple[str, ...]) -> None:
    config = {"Entrypoint": entrypoint, "Cmd": cmd}
    assert translate.container({"Id": "1", "Config": config}).command == argv
    assert translate.image({"Id": "1", "Config": config}).command == argv


@pytest.mark.parametrize(
    ("mode", "mark", "names"),
    [
        ("default", "", ["bridge", "alpha", "beta"]),
        ("bridge", "", ["bridge", "alpha", "beta"]),
        ("beta", "", ["beta", "bridge", "alpha"]),
        (f"{'be' * 32}", "", ["beta", "bridge", "alpha"]),
        ("bebebebebebe", "", ["beta", "bridge", "alpha"]),
        ("b", "", ["bridge", "alpha", "beta"]),
        ("gone", "", ["bridge", "alpha", "beta"]),
        ("", "", ["bridge", "alpha", "beta"]),
        ("alpha", "beta", ["alpha", "beta", "bridge"]),
        ("gone", "beta", ["beta", "bridge", "alpha"]),
    ],
    ids=[
        "the default one", "by name", "of one's own", "by id", "by a short id", "a letter is no id", "it was left", "not told",
        "the label is another's", "by the label",
    ],
)  # fmt: skip
def test_the_first_network(mode: str, mark: str, names: list[str]) -> None:
    networks = {name: {"NetworkID": name[:2] * 32} for name in ("beta", "alpha", "bridge")}
    marks = {"dockconn.network": mark}
    data = {
        "Id": "1",
        "Config": {"Labels": marks},
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": networks},
    }
    assert [e.network for e in translate.container(data).endpoints] == names


def test_podmans_first_network() -> None:
    """Its mode is ``bridge`` for all of them."""
    found = [endpoint("podman"), endpoint("alpha"), endpoint("beta")]
    assert [e.network for e in translate.in_order(found, "bridge", {"dockconn.network": "beta"})] == [
        "beta",
        "podman",
        "alpha",
    ]
    assert [e.network for e in translate.in_order(found, "bridge", {})] == ["podman", "alpha", "beta"]


PODMAN_PORTS = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}]}


@pytest.mark.parametrize(("word", "bound"), [("running", 1), ("paused", 1), ("exited", 0), ("created", 0)])
def test_a_container_that_does_not_run_has_no_bindings(word: str, bound: int) -> None:
    """Podman (seen on 4.3.1) shows them as if they were there."""
    data = {"Id": "1", "State": {"Status": word}, "NetworkSettings": {"Ports": PODMAN_PORTS}}
    facts = translate.container(data)
    assert (len(facts.bindings), facts.exposed) == (bound, (PortKey(80),))


def test_one_that_shares_anothers_network_has_none_of_its_own() -> None:
    """Podman (seen on 4.3.1) shows the other's ports and addresses."""
    network = {"Ports": PODMAN_PORTS, "Networks": {"podman": {"IPAddress": "10.88.0.2"}}}
    data = {
        "Id": "1", "State": {"Status": "running"}, "HostConfig": {"NetworkMode": "container:2"}, "NetworkSettings": network,
    }  # fmt: skip
    facts = translate.container(data)
    assert (facts.bindings, facts.exposed, facts.endpoints) == ((), (), ())


def test_addresses_are_read_from_the_networks_alone() -> None:
    data = {**CONTAINER, "NetworkSettings": {**CONTAINER["NetworkSettings"], "IPAddress": "9.9.9.9"}}
    assert translate.container(data) == translate.container(CONTAINER)


def test_the_least_that_a_container_can_be() -> None:
    nothing: dict[str, Any] = {"Id": "1", "Config": None, "State": None, "HostConfig": None, "NetworkSettings": None}
    facts = translate.container(nothing)
    assert (facts.id, facts.status, facts.exposed, facts.endpoints, facts.links) == ("1", "exited", (), (), ())


def test_a_network() -> None:
    data = {
        "Id": "n1", "Name": "front", "Driver": "bridge", "Scope": "local", "Internal": True, "EnableIPv6": True,
        "IPAM": {"Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.9"}, {"Subnet": "fd00::/64"}]},
        "Options": {"com.docker.network.bridge.enable_icc": "false"}, "Labels": {"dockconn": "x"},
        "Containers": {"c1": {}, "c2": {}},
    }  # fmt: skip
    facts = translate.network(data)
    assert facts == NetworkFacts(
        id="n1", name="front", driver="bridge", scope="local", internal=True, ipv6=True,
        subnets=("172.18.0.0/16", "fd00::/64"), gateways=("172.18.0.9", "fd00::1"),
        options={"com.docker.network.bridge.enable_icc": "false"}, labels={"dockconn": "x"}, containers=("c1", "c2"),
    )  # fmt: skip
    assert not facts.icc


@pytest.mark.parametrize(
    "data", [{"Id": "n1"}, {"IPAM": None, "Options": None, "Labels": None, "Containers": None}], ids=["bare", "null"]
)
def test_the_least_that_a_network_can_be(data: Any) -> None:
    facts = translate.network(data)
    assert (facts.subnets, facts.gateways, dict(facts.options), facts.containers) == ((), (), {}, ())
    assert facts.icc


@pytest.mark.parametrize(
    ("pool", "gateways"),
    [
        pytest.param({"Subnet": "172.28.0.1/16"}, ("172.28.0.1",), id="host bits, taken before 25"),
        pytest.param({"Subnet": "172.28.0.9/16", "Gateway": "172.28.0.9"}, ("172.28.0.9",), id="and a gateway"),
        pytest.param({"Subnet": "192.0.2.7/32"}, (), id="one address alone"),
        pytest.param({"Gateway": "192.0.2.1"}, ("192.0.2.1",), id="a gateway alone"),
        pytest.param({}, (), id="nothing"),
    ],
)
def test_networks_that_others_made(pool: dict[str, str], gateways: tuple[str, ...]) -> None:
    """Whatever the engine once took: every run reads all networks when it looks for what dead ones left."""
    facts = translate.network({"Id": "n1", "IPAM": {"Config": [pool]}})
    assert facts.gateways == gateways


def test_an_image() -> None:
    data = {
        "Id": "sha256:1", "RepoTags": ["a:1"],
        "Config": {"Labels": {"x": "y"}, "Entrypoint": None, "Cmd": ["serve"], "ExposedPorts": {"80/tcp": {}}},
    }  # fmt: skip
    assert translate.image(data) == ImageFacts("sha256:1", ("a:1",), {"x": "y"}, ("serve",), (PortKey(80),))
    listed = {"Id": "sha256:1", "RepoTags": None, "Labels": {"x": "y"}}
    assert translate.image(listed) == ImageFacts("sha256:1", (), {"x": "y"}, (), ())
    made = translate.image({**listed, "ParentId": "sha256:2", "Created": 1795701518})
    assert (made.parent, made.created) == ("sha256:2", 1795701518)
    shown = translate.image({**listed, "Parent": "37d35cfa", "Created": "2026-11-26T13:59:19.2Z"})
    assert (shown.parent, shown.created) == ("sha256:37d35cfa", 0)  # podman 4.3.1 leaves the algorithm out


def test_history() -> None:
    said: list[dict[str, str | None]] = [{"CreatedBy": "/bin/sh -c true", "Id": "sha256:1"}, {"CreatedBy": None}, {}]
    assert translate.history(said) == ("/bin/sh -c true", "", "")

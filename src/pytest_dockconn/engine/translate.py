"""The engine's JSON, as facts. Pure: no import of docker, so that it is tested without one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .. import labels
from ..model.facts import (
    Binding,
    ContainerFacts,
    Endpoint,
    ImageFacts,
    InfoFacts,
    NetworkFacts,
    VersionFacts,
)
from ..model.spec import PortKey
from .bodies import NO_ENTRYPOINT

Json = Mapping[str, Any]

#: States of a container that has its host ports.
ALIVE = ("running", "paused")
#: Of ports; none is tcp.
PROTOCOLS = ("", "tcp", "udp", "sctp")


def version(url: str, data: Json) -> VersionFacts:
    """``GET /version``. Podman names itself among the components, whatever it pretends to be above them."""
    names = {str(c.get("Name", "")) for c in data.get("Components") or ()}
    podman = next((c for c in data.get("Components") or () if c.get("Name") == "Podman Engine"), None)
    return VersionFacts(
        url=url,
        kind="podman" if "Podman Engine" in names else "docker",
        version=str((podman or data).get("Version", "")),
        api_version=str(data.get("ApiVersion", "")),
        min_api_version=str(data.get("MinAPIVersion", "")),
        os=str(data.get("Os", "")),
        arch=str(data.get("Arch", "")),
    )


def info(data: Json) -> InfoFacts:
    """``GET /info``."""
    security = tuple(str(option) for option in data.get("SecurityOptions") or ())
    return InfoFacts(
        name=str(data.get("Name", "")),
        operating_system=str(data.get("OperatingSystem", "")),
        rootless=bool(data.get("Rootless")) or any("name=rootless" in option for option in security),
        security=security,
        cgroup_version=str(data.get("CgroupVersion", "")),
        time=str(data.get("SystemTime", "")),
        id=str(data.get("ID") or ""),
        root=str(data.get("DockerRootDir") or ""),
    )


def port_key(text: str) -> PortKey | None:
    """``80/tcp``, or ``80``. None for anything else: whoever made an image may have written what he liked there."""
    number, _, protocol = text.lower().partition("/")
    port = _port(number)
    return PortKey(port, protocol or "tcp") if port and protocol in PROTOCOLS else None


def _port(text: str) -> int:
    """The number of a port; 0 for what is none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    return number if number <= 65535 else 0


def ports(names: Iterable[str]) -> tuple[PortKey, ...]:
    """The keys of the engine's port maps, sorted; without those that can't be read."""
    return tuple(sorted(filter(None, map(port_key, names))))


def bindings(table: Json | None) -> tuple[Binding, ...]:
    """A port map: ``{"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}], "81/tcp": null}``."""
    found = []
    for name, wishes in (table or {}).items():
        key = port_key(name)
        if key is not None:
            found += [
                Binding(key, str(wish.get("HostIp") or "0.0.0.0"), _port(str(wish.get("HostPort") or "")))
                for wish in wishes or ()
            ]
    return tuple(sorted(found, key=lambda b: (b.port, ":" in b.address, b.address, b.host_port)))


def environment(pairs: Iterable[str] | None) -> dict[str, str]:
    """``["A=1"]`` as a dict."""
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs or ())}


def command(config: Json) -> tuple[str, ...]:
    """The whole argv. Podman keeps an entrypoint as it was asked for, also that there be none."""
    entrypoint = [*(config.get("Entrypoint") or ())]
    return (*(entrypoint if entrypoint != NO_ENTRYPOINT else ()), *(config.get("Cmd") or ()))


def container(data: Json) -> ContainerFacts:
    """``GET /containers/ID/json``. Since API 1.52 addresses are told for each network only, so they are read there."""
    config, state, host = data.get("Config") or {}, data.get("State") or {}, data.get("HostConfig") or {}
    network = data.get("NetworkSettings") or {}
    mode, word, marks = str(host.get("NetworkMode") or ""), status(state), dict(config.get("Labels") or {})
    # podman (seen on 4.3.1) shows the bindings of a stopped container as if they were, and those of a container, and its
    # place on its networks, for each one that shares its network namespace as well; docker shows neither
    shares = mode.startswith("container:")
    bound = {} if shares or word not in ALIVE else network.get("Ports")
    return ContainerFacts(
        id=str(data["Id"]),
        name=str(data.get("Name", "")).lstrip("/"),
        image=str(config.get("Image", "")),
        image_id=str(data.get("Image", "")),
        labels=marks,
        status=word,
        exit_code=int(state.get("ExitCode") or 0),
        error=str(state.get("Error") or ""),
        oom_killed=bool(state.get("OOMKilled")),
        pid=int(state.get("Pid") or 0),
        hostname=str(config.get("Hostname") or ""),
        env=environment(config.get("Env")),
        command=command(config),
        network_mode=mode,
        exposed=ports({*(config.get("ExposedPorts") or {}), *({} if shares else network.get("Ports") or {})}),
        bindings=bindings(bound),
        wanted_bindings=bindings(host.get("PortBindings")),
        endpoints=in_order(endpoints({} if shares else network.get("Networks") or {}), mode, marks),
        links=tuple(link(text) for text in host.get("Links") or ()),
        restart_count=int(data.get("RestartCount") or 0),
        health=str((state.get("Health") or {}).get("Status") or "").removeprefix("none"),
        started_at=str(state.get("StartedAt") or ""),
        shares_pids=str(host.get("PidMode") or "private") != "private",
    )


def status(state: Json) -> str:
    """One word: podman's and docker's differ in some."""
    if state.get("Paused"):
        return "paused"
    if state.get("Restarting"):
        return "restarting"
    word = str(state.get("Status") or ("running" if state.get("Running") else "exited"))
    return {"initialized": "created", "configured": "created", "stopped": "exited"}.get(word, word)


def endpoints(networks: Json) -> list[Endpoint]:
    """The ``Networks`` of a container."""
    return [
        Endpoint(
            network=name,
            network_id=str(e.get("NetworkID") or ""),
            ip=str(e.get("IPAddress") or ""),
            ip6=str(e.get("GlobalIPv6Address") or ""),
            gateway=str(e.get("Gateway") or ""),
            gateway6=str(e.get("IPv6Gateway") or ""),
            mac=str(e.get("MacAddress") or ""),
            aliases=tuple(e.get("Aliases") or ()),
            links=tuple(link(text) for text in e.get("Links") or ()),
        )
        for name, e in networks.items()
    ]


def in_order(found: Iterable[Endpoint], mode: str, marks: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """That of the network on which the container was created first, then that of the default network, then by name.

    Docker says which it was by the network mode: its name, its id or the beginning of that. Podman calls every mode of this
    kind ``bridge``, so that only a label of ours tells, which an image that was committed may have brought along.
    """
    firsts = [one for one in (mode, marks.get(labels.FIRST)) if one]

    def place(e: Endpoint) -> tuple[int, tuple[bool, str]]:
        return next((at for at, one in enumerate(firsts) if _is_called(e, one)), len(firsts)), e.place

    return tuple(sorted(found, key=place))


def _is_called(e: Endpoint, one: str) -> bool:
    return one in (e.network, e.network_id) or (len(one) >= 12 and e.network_id.startswith(one))


def link(text: str) -> tuple[str, str]:
    """``/server:/client/alias``, or ``server:alias``, as (server, alias)."""
    source, _, target = text.partition(":")
    return source.lstrip("/"), target.rpartition("/")[2]


def gateway(pool: Json) -> str:
    """The host's address on a subnet.

    Docker does not tell it of a subnet that was wished for, nor of a docker0 that it has just made (seen on 20.10): there it
    is the first address. Before 25 it took subnets with host bits (172.28.0.1/16), and of one address alone; that has none.
    """
    if pool.get("Gateway") or not pool.get("Subnet"):
        return str(pool.get("Gateway") or "")
    subnet = ipaddress.ip_network(str(pool["Subnet"]), strict=False)
    return str(subnet[1]) if subnet.num_addresses > 1 else ""


def network(data: Json, kind: str = "docker") -> NetworkFacts:
    """``GET /networks/ID``. Podman calls its default network as it was asked for it, and ``bridge`` in its list."""
    name = str(data.get("Name", ""))
    pools = (data.get("IPAM") or {}).get("Config") or ()
    return NetworkFacts(
        id=str(data.get("Id", "")),
        name="podman" if kind == "podman" and name == "bridge" else name,
        driver=str(data.get("Driver", "")),
        scope=str(data.get("Scope", "")),
        internal=bool(data.get("Internal")),
        ipv6=bool(data.get("EnableIPv6")),
        subnets=tuple(str(p["Subnet"]) for p in pools if p.get("Subnet")),
        gateways=tuple(filter(None, map(gateway, pools))),
        options=dict(data.get("Options") or {}),
        labels=dict(data.get("Labels") or {}),
        containers=tuple(data.get("Containers") or ()),
    )


def image(data: Json) -> ImageFacts:
    """``GET /images/NAME/json``."""
    config, created = data.get("Config") or {}, data.get("Created")
    return ImageFacts(
        id=str(data.get("Id", "")),
        tags=tuple(tag for tag in data.get("RepoTags") or () if not tag.startswith("<none>")),
        labels=dict(config.get("Labels") or data.get("Labels") or {}),
        command=command(config),
        exposed=ports(config.get("ExposedPorts") or {}),
        comment=str(data.get("Comment") or ""),
        parent=_image_id(str(data.get("Parent") or data.get("ParentId") or "")),
        created=created if isinstance(created, int) else 0,
    )


def _image_id(text: str) -> str:
    """Podman (seen on 4.3.1) leaves the algorithm out, and then takes it for a name."""
    return text if ":" in text or not text else f"sha256:{text}"


def history(data: Iterable[Json]) -> tuple[str, ...]:
    """``GET /images/NAME/history``, the last step first."""
    return tuple(str(step.get("CreatedBy") or "") for step in data)


def listed(data: Json) -> dict[str, object]:
    """One of ``GET /containers/json``."""
    return {
        "id": data["Id"],
        "name": own_name(data.get("Names") or ()),
        "labels": dict(data.get("Labels") or {}),
        "status": status({"Status": data.get("State", "")}),
        "networks": {name: addresses(e) for name, e in networks(data).items()},
        "image": str(data.get("ImageID") or ""),
        "command": str(data.get("Command") or ""),
        "created": int(data.get("Created") or 0),
        "network_mode": str((data.get("HostConfig") or {}).get("NetworkMode") or ""),
        "ports": [(p.get("IP", ""), p.get("PublicPort", 0), p.get("Type", "tcp")) for p in data.get("Ports") or ()],
    }


def networks(data: Json) -> Json:
    """The ``Networks`` of one of ``GET /containers/json``, by name."""
    found: Json = (data.get("NetworkSettings") or {}).get("Networks") or {}
    return found


def addresses(endpoint: Json) -> tuple[str, ...]:
    """IPv4 and IPv6 of a place on a network; none where it does not run."""
    return tuple(str(endpoint[key]) for key in ("IPAddress", "GlobalIPv6Address") if endpoint.get(key))


def event(data: Json) -> dict[str, object]:
    """A line of ``GET /events``; the id is a container's, with a network that of the container which joins or leaves."""
    actor = data.get("Actor") or {}
    network = data.get("Type") == "network"
    who = (actor.get("Attributes") or {}).get("container", "") if network else actor.get("ID", "")
    return {"type": data.get("Type", ""), "action": data.get("Action", ""), "id": who}


def own_name(names: Iterable[str]) -> str:
    """A container's name among those of a listing: docker adds one for each link to it, ``/client3/server3``."""
    return next((name.strip("/") for name in names if "/" not in name.strip("/")), "")

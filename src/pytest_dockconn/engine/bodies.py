"""What the engine is sent, as JSON. Pure: no import of docker, so that it is tested without one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..model.spec import Attachment, ContainerPlan, NetworkPlan

Body = dict[str, Any]

#: No entrypoint, not even the image's: so docker and podman want it written.
NO_ENTRYPOINT = [""]


def container(plan: ContainerPlan, kind: str) -> Body:
    """``POST /containers/create``.

    Not by docker-py's ``create_container``: that puts the proxies of the user's ``config.json``, credentials and all, into
    the container's environment (7.2), and curl would ask them.
    """
    ports = dict.fromkeys((*plan.expose, *(wish.port for wish in plan.publish)))
    return {
        "Image": plan.image,
        # so that the command is the whole argv; its own first word here would be the entrypoint of what is committed of it
        "Entrypoint": NO_ENTRYPOINT if plan.command else None,
        "Cmd": list(plan.command) if plan.command is not None else None,
        "Hostname": plan.hostname,
        "User": plan.user,
        "Env": [f"{name}={value}" for name, value in plan.env.items()],
        # what is published must be exposed as well: 20.10 binds nothing for a port that is not
        "ExposedPorts": {str(port): {} for port in ports},
        "Labels": dict(plan.labels),
        "OpenStdin": plan.interactive,
        "StdinOnce": plan.interactive and plan.stdin_once,
        "AttachStdin": plan.interactive and plan.stdin_once,
        "AttachStdout": plan.stdin_once,
        "AttachStderr": plan.stdin_once,
        "Tty": plan.tty,
        "HostConfig": _host_config(plan, kind),
        # before API 1.44 create takes one network only
        "NetworkingConfig": {"EndpointsConfig": {one.network: endpoint(one) for one in plan.attachments[:1]}},
    }


def _host_config(plan: ContainerPlan, kind: str) -> Body:
    published: dict[str, list[Body]] = {}
    for wish in plan.publish:
        # podman 4.3.1 makes a rule for packets to 0.0.0.0 of that address, and there are none; no address means any there,
        # as for docker, which takes it for any of both families
        address = "" if kind == "podman" and wish.address == "0.0.0.0" else wish.address
        published.setdefault(str(wish.port), []).append({"HostIp": address, "HostPort": wish.host})
    return {
        "NetworkMode": plan.network_mode or (plan.attachments[0].network if plan.attachments else "default"),
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        **_where(
            PortBindings=published,
            Links=_pairs(plan.links),
            Dns=list(plan.dns),
            ExtraHosts=_pairs(plan.extra_hosts.items()),
            CapAdd=list(plan.capabilities),
            ReadonlyRootfs=plan.read_only,
            LogConfig=None if plan.keep_logs else {"Type": "none", "Config": {}},
        ),
    }


def endpoint(attachment: Attachment) -> Body:
    """A container's place on a network."""
    family = "IPv6Address" if ":" in attachment.ip else "IPv4Address"
    return _where(
        Aliases=list(attachment.aliases),
        Links=_pairs(attachment.links),
        IPAMConfig={family: attachment.ip} if attachment.ip else None,
    )


def joining(container: str, attachment: Attachment) -> Body:
    """``POST /networks/ID/connect``."""
    return {"Container": container, "EndpointConfig": endpoint(attachment)}


def network(plan: NetworkPlan) -> Body:
    """``POST /networks/create``."""
    pools = [{"Subnet": subnet} for subnet in plan.subnets]
    return {
        "Name": plan.name,
        "Driver": plan.driver,
        "CheckDuplicate": True,
        "Labels": dict(plan.labels),
        **_where(
            Options=dict(plan.options),
            IPAM={"Driver": "default", "Config": pools} if pools else None,
            Internal=plan.internal,
            EnableIPv6=plan.ipv6,
            Attachable=plan.attachable,
        ),
    }


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{one}:{other}" for one, other in pairs]


def _where(**values: Any) -> Body:
    """What there is something to say of: podman takes an empty value for a wish at times."""
    return {name: value for name, value in values.items() if value}

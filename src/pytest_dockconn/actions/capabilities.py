"""What this engine can do, found by asking it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from msgspec.structs import replace

from .. import labels
from ..errors import DockconnError, EngineError, EngineUnavailable
from ..logic.capabilities import check
from ..logic.names import on_engine
from ..logic.privileges import FIREWALL
from ..model.spec import ContainerPlan, PortKey, Publish
from .agents import look
from .images import CLIENT
from .services import Services

#: The first major version of docker that leaves a link's variables out unless its daemon is told otherwise.
DOCKER_WITHOUT_LINK_ENV = 29

#: The first major version of docker that sorts a link's ports by protocol first.
DOCKER_TCP_FIRST = 28


def major(version: str) -> int:
    """``20.10.24+dfsg1`` as 20."""
    head = version.partition(".")[0]
    return int(head) if head.isdigit() else 0


def has_links(services: Services) -> bool:
    """Docker takes legacy links; podman's compatible API answers a link with status 400, "link is not supported"."""
    if services.version.kind == "docker":
        return True
    try:
        container = services.engine.create(_plan(services, "ask-links", links=(("dockconn-nobody", "nobody"),)))
    except EngineUnavailable:
        raise  # that it is gone says nothing about what it can do
    except EngineError:
        return False
    services.take_back(container)
    return True


def has_network_links(services: Services) -> bool:
    """Docker takes them. It can't be asked for: podman's compatible API takes an endpoint's links and forgets them."""
    return services.version.kind == "docker"


def has_link_env(services: Services) -> bool:
    """Before 29 docker always sets them; from then on a linked pair is started to see."""
    if not has_links(services):
        return False
    if services.version.kind == "docker" and major(services.version.version) < DOCKER_WITHOUT_LINK_ENV:
        return True
    return _experiment(services)


def _experiment(services: Services) -> bool:
    made: list[str] = []
    try:
        source = _plan(services, "ask-source")
        made.append(services.engine.create(source))
        services.engine.start(made[0])
        made.append(services.engine.create(_plan(services, "ask-recipient", links=((source.name, "asked"),))))
        services.engine.start(made[1])
        variables = look(services.agents.channel(made[1]), "environ")["environ"]
        return "ASKED_NAME" in variables
    finally:
        for container in reversed(made):
            with contextlib.suppress(DockconnError):
                services.agents.release(container)
            services.take_back(container)


def _plan(services: Services, name: str, links: tuple[tuple[str, str], ...] = ()) -> ContainerPlan:
    called = on_engine(services.run, "", name)
    return ContainerPlan(
        image=services.images.get(CLIENT).id,
        name=called,
        labels=labels.made(services.run, called, "question"),
        command=("dockconn-agent", "serve"),
        links=links,
        interactive=True,
        keep_logs=False,
        read_only=True,
    )


def can_partition(services: Services) -> bool:
    """A table of rules is made, in a container of its own that ends with it."""
    plan = replace(_plan(services, "ask-rules"), command=("nft", "add table inet dockconn_ask"), capabilities=FIREWALL)
    container = services.engine.create(replace(plan, interactive=False))
    try:
        services.engine.start(container)
        return services.engine.wait(container, 10.0) == 0
    finally:
        services.take_back(container)


def has_port_ranges(services: Services) -> bool:
    """Docker takes them; podman's compatible API answers with status 500, since it reads a number."""
    if services.version.kind == "docker":
        return True
    wish = Publish(PortKey(80), host="20000-20001")
    try:
        container = services.engine.create(replace(_plan(services, "ask-range"), publish=(wish,)))
    except EngineUnavailable:
        raise
    except EngineError:
        return False
    services.take_back(container)
    return True


def isolates(services: Services) -> bool:
    """Docker keeps its bridges apart. Podman wants to, but can't be relied on, and one question would not show it.

    netavark 1.4 (podman 4.3.1) leaves rules of networks that are gone behind, and those of later ones out: of the same
    pair of networks some are kept apart, some are not. Its default network is open to all others in any case.
    """
    return services.version.kind == "docker"


ASK: dict[str, Callable[[Services], bool]] = {
    "links": has_links,
    "network-links": has_network_links,
    "isolation": isolates,
    "port-ranges": has_port_ranges,
    "link-env": has_link_env,
    "container-addresses": lambda services: services.same_host,
    "bound-ports": lambda services: services.may_have_loopback,
    "host-callback": lambda services: services.same_host and not services.in_container,
    "partition": can_partition,
    "bridge-counters": lambda services: services.version.os == "linux",
    "icc": lambda services: services.version.kind == "docker",
    "host-network": lambda services: services.version.os == "linux",
}


def can(services: Services, capability: str) -> bool:
    """Whether the engine has one capability; asked once a run. Raises ``SpecError`` for a word that is none."""
    check([capability])
    with services.trying:
        if capability not in services.abilities:
            with services.doubt.about():  # some are asked with containers
                services.abilities[capability] = ASK[capability](services)
        return services.abilities[capability]

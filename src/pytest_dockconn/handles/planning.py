"""From what a test asks for to a plan: every check, and nothing created."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from .. import labels
from ..actions.capabilities import has_links, has_network_links, has_port_ranges
from ..actions.images import CLIENT, SERVER
from ..actions.services import Services
from ..errors import CapabilityError, EngineError, EngineUnavailable, NotFound, SpecError
from ..logic import ports, specs
from ..logic.given import kind as kind_of
from ..logic.given import listed, shown
from ..logic.names import OWN_HOST, checked, hostname, network_reference, on_engine, reference
from ..logic.names import image as image_name
from ..logic.privileges import FOREIGN, NOTHING
from ..logic.privileges import SERVER as SERVER_PRIVILEGES
from ..model.facts import ContainerFacts, ImageFacts
from ..model.spec import Attachment, ContainerPlan, PortKey
from ..text import ending, redact
from .container import Container
from .image import Image
from .network import Network
from .own import Client, Own, Server

Links = Iterable[Container | str] | Mapping[str, Container | str]
Networks = Iterable[Network | str] | Mapping[Network, str | None] | Mapping[str, str | None]


class Wish(Struct, frozen=True, kw_only=True):
    """What ``server()`` or ``client()`` was asked for, as it was written."""

    role: str
    name: str
    expose: Any = ()
    bind: Any = None
    links: Any = ()
    networks: Any = None
    aliases: Any = ()
    env: Any = None
    image: Image | str | None = None
    command: Any = None
    hostname: str | None = None
    network_mode: str | None = None
    dns: Any = ()
    extra_hosts: Any = None


class Planned(NamedTuple):
    """What was wished for, checked.

    Attributes:
        plan: what the engine is told.
        listens: the ports to wait for.
        kind: ``client`` or ``server`` where it runs as ours does, empty for what the caller's image does.
        token: what the server is told to say with every answer.
        sources: the containers that it is linked to.
        lasting: whether its image outlives the run; one that a run commits goes with it, and is another in the next.
    """

    plan: ContainerPlan
    listens: tuple[PortKey, ...]
    kind: str
    token: str
    sources: tuple[Container, ...]
    lasting: bool


def planned(services: Services, lab: str, wish: Wish) -> Planned:
    """The plan. Raises ``SpecError``, ``CapabilityError``."""
    token = secrets.token_hex(8)
    exposed, published = ports.exposed(wish.expose), ports.published(wish.bind)
    listens = specs.all_ports(exposed, (p.port for p in published))
    networks = _networks(services, wish.networks)
    links = _links(wish)
    mode = specs.network_mode(
        wish.network_mode, networks=bool(networks), links=bool(links), aliases=bool(wish.aliases), ports=bool(published)
    )
    own = [network for network in networks if network != services.default_network]
    aliases = specs.check_aliases(wish.aliases, user_network=bool(own))
    argv, picture, plain = specs.command(wish.command), _image_name(wish.image), _plain(wish)
    called = on_engine(services.run, lab, checked(wish.name))
    # from here on the engine is asked, and may have to build an image
    legacy = () if own else _legacy(services, links)
    _check_engine(services, network_links=bool(own and links), ranges=[p.host for p in published if "-" in p.host])
    image, kind = _image(services, wish, picture, argv, listens)
    plan = ContainerPlan(
        image=image.id,
        name=called,
        labels={**labels.made(services.run, called, wish.role), **_marks(kind, networks)},
        command=_command(kind, argv, listens, token),
        expose=listens,
        publish=published,
        attachments=_attachments(services, networks, (*aliases, wish.name), links),
        links=legacy,
        network_mode=mode,
        capabilities={CLIENT: NOTHING, SERVER: SERVER_PRIVILEGES}.get(kind, FOREIGN),
        interactive=wish.role == CLIENT,
        tty=wish.role == CLIENT and kind == "" and argv is None,
        keep_logs=kind != CLIENT,
        **plain,
    )
    sources = tuple(source for source, _ in links if isinstance(source, Container))
    lasting = image.labels.get(labels.ROLE) != "commit"
    awaited = () if kind == CLIENT else specs.awaited(listens)  # the agent listens on nothing of what is asked for
    return Planned(plan, awaited, kind, token if kind == SERVER else "", sources, lasting)


def _marks(kind: str, networks: Iterable[str]) -> dict[str, str]:
    return {labels.SPEAKS: kind, labels.FIRST: next(iter(networks), "")}


def _plain(wish: Wish) -> dict[str, Any]:
    """What the engine is told as it was written. Raises ``SpecError``."""
    return {
        "env": specs.environment(wish.env),
        "hostname": hostname(wish.hostname, "hostname", OWN_HOST) if wish.hostname is not None else None,
        "dns": specs.dns(wish.dns),
        "extra_hosts": specs.extra_hosts(wish.extra_hosts),
    }


def _networks(services: Services, wanted: Any) -> dict[str, str]:
    """The engine's names of the networks, and the static address on each (empty: the engine chooses).

    Raises ``SpecError`` for a network that is not there.
    """
    if wanted is None:
        return {}
    if isinstance(wanted, Mapping):
        return {
            _network(services, one): ports.address(ip, "networks", "an address") if ip is not None else ""
            for one, ip in wanted.items()
        }
    return {_network(services, one): "" for one in listed(wanted, "networks", "networks", "write networks=[network]")}


def _network(services: Services, one: object) -> str:
    if isinstance(one, Network):
        return one.engine_name
    if not isinstance(one, str):
        raise SpecError(
            f"networks: {shown(one)} is not a network",
            checked=kind_of(one),
            remedy="pass what dockconn.network() returned, or a name",
        )
    with contextlib.suppress(NotFound):
        if network_reference(one):  # to ask for nothing is to ask for all
            return services.engine.network(one).name
    there = ", ".join(sorted(n.name for n in services.engine.networks())[:20])
    raise SpecError(
        f"networks: there is no network {shown(one)}",
        checked=f"the engine has: {there}",
        remedy="make it: dockconn.network(...)",
    )


def _links(wish: Wish) -> list[tuple[Container | str, str]]:
    """(source, alias) pairs."""
    if isinstance(wish.links, Mapping):
        pairs = [(source, alias) for alias, source in wish.links.items()]
    else:
        sources = listed(wish.links, "links", "containers", "write links=[server] or {'alias': server}")
        pairs = [(source, source if isinstance(source, str) else getattr(source, "name", "")) for source in sources]
    for source, alias in pairs:
        if not isinstance(source, (Container, str)):
            raise SpecError(
                f"links: {shown(source)} is not a container",
                checked=kind_of(source),
                remedy="pass what dockconn.server() returned",
            )
        hostname(alias)
        if isinstance(source, str) and not reference(source):
            raise _no_container(source)
        if source == wish.name:
            raise SpecError(
                f"links: {wish.name} can't be linked to itself",
                checked="its own name is among its links",
                remedy="leave it out",
            )
    specs.no_alias_twice([(s if isinstance(s, str) else s.name, alias) for s, alias in pairs])
    return pairs


def _check_engine(services: Services, *, network_links: bool, ranges: Sequence[str]) -> None:
    """Raises ``CapabilityError`` for what this engine would drop in silence, or refuse in words that tell little."""
    engine = f"{services.version.kind} {services.version.version}"
    if network_links and not has_network_links(services):
        raise CapabilityError(
            f"{engine} drops links on networks of one's own (capability 'network-links')",
            checked="what kind of engine it is",
            remedy="give the server the name for all: server(networks=[network], aliases=[name])",
        )
    if ranges and not has_port_ranges(services):
        raise CapabilityError(
            f"{engine} takes no range of host ports such as {ranges[0]} (capability 'port-ranges')",
            checked="it was asked for one and said no",
            remedy="name one port, or None for any free one",
        )


def _legacy(services: Services, links: Sequence[tuple[Container | str, str]]) -> tuple[tuple[str, str], ...]:
    """Links of the default network. Raises ``SpecError`` for a source that can't be one, ``CapabilityError`` on podman."""
    if not links:
        return ()
    if not has_links(services):
        raise CapabilityError(
            f"{services.version.kind} {services.version.version} refuses links (capability 'links')",
            checked="it was asked for one and said no",
            remedy="use a network of your own and names there: networks=[dockconn.network()]",
        )
    found = []
    for source, alias in links:
        try:
            facts = source.facts() if isinstance(source, Container) else services.engine.inspect(source)
        except NotFound:
            raise _no_container(source) from None
        specs.check_link_source(
            facts, source.name if isinstance(source, Container) else source, services.default_network
        )
        found.append((facts.name, alias))
    return tuple(found)


def _no_container(source: object) -> SpecError:
    return SpecError(
        f"links: there is no container {shown(source)}",
        checked="the engine's containers",
        remedy="make it first; names of containers to come are taken on networks of your own only",
    )


def _attachments(
    services: Services,
    networks: Mapping[str, str],
    aliases: tuple[str, ...],
    links: Sequence[tuple[Container | str, str]],
) -> tuple[Attachment, ...]:
    """Endpoints; links of user networks go with each, because ``HostConfig.Links`` is ignored there in silence.

    The default network takes neither aliases nor endpoint links.
    """
    pairs = tuple((s if isinstance(s, str) else s.engine_name, alias) for s, alias in links)
    return tuple(
        Attachment(network, ip=ip) if network == services.default_network else Attachment(network, aliases, pairs, ip)
        for network, ip in networks.items()
    )


def _image_name(wanted: object) -> str | None:
    """What names the caller's own image: of one that was committed its id, as its tag may be another's by now; None for ours.

    Raises ``SpecError``.
    """
    return None if wanted is None else image_name(wanted.id if isinstance(wanted, Image) else wanted)


def _image(
    services: Services, wish: Wish, name: str | None, argv: tuple[str, ...] | None, ports: Sequence[PortKey]
) -> tuple[ImageFacts, str]:
    """The image, and whether it is used as our client or our server. Raises ``SpecError`` for ports that ours can't answer on."""
    if wish.role == SERVER and name is None and argv is None:
        specs.check_answered(ports)  # before it is built
    image = services.images.get(wish.role) if name is None else _found(services, wish.image, name)
    speaks = image.labels.get(labels.SPEAKS, "")
    kind = speaks if argv is None and speaks == wish.role else ""
    if kind == SERVER:  # also what was committed of one
        specs.check_answered(ports)
    return image, kind


def _found(services: Services, wanted: object, name: str) -> ImageFacts:
    """The caller's own image; pulled, as ``docker run`` does, where it is not there. Raises ``SpecError``."""
    try:
        found = services.engine.image(name)
        if found is None and isinstance(wanted, Image):
            raise _gone(services, wanted)
        if found is None:
            services.engine.pull(name)
            found = services.engine.image(name)
    except EngineUnavailable:
        raise
    except EngineError as error:
        raise SpecError(
            f"image {name!r} is not on the engine and can't be pulled",
            checked=ending(error.cause.partition(": ")[2], 300),
            remedy="build or load it first, or correct the name",
        ) from error
    if found is None:
        raise SpecError(f"image {name!r} was pulled but is not there", checked=redact(services.engine.url))
    return found


def _gone(services: Services, image: Image) -> SpecError:
    return SpecError(
        f"image {image} ({image.id}) is not on the engine any more",
        checked=f"the images of the engine at {redact(services.engine.url)}",
        remedy="what a test commits goes with it; commit it with dockconn_session for all tests",
    )


def _command(kind: str, argv: tuple[str, ...] | None, listens: Sequence[PortKey], token: str) -> tuple[str, ...] | None:
    if kind == SERVER:
        return ("dockconn-serve", f"token={token}", *(str(port) for port in listens))
    return ("dockconn-agent", "serve") if kind == CLIENT else argv


def handle(services: Services, facts: ContainerFacts, wish: Wish, wanted: Planned) -> Own:
    """The object that tests hold."""
    cls = Server if wish.role == SERVER else Client
    return cls(services, facts, wish.name, ports_awaited=wanted.listens, token=wanted.token)

"""What ``server()`` and ``client()`` were asked for, checked before anything is created. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from ..errors import SpecError
from ..model.facts import ContainerFacts
from ..model.spec import PortKey
from .names import hostname

NETWORK_MODES = ("host", "none")


def kind(value: object) -> str:
    """What somebody wrote, by its type, for the line of what was checked."""
    return f"it is a {type(value).__name__}"


def environment(env: object) -> dict[str, str]:
    """``env`` as the engine takes it."""
    if env is None:
        return {}
    if not isinstance(env, Mapping):
        raise SpecError(
            f"env={env!r}: a mapping of name to value is wanted",
            checked=kind(env),
            remedy='write env={"PASSWORD": "secret"}',
        )
    for name, value in env.items():
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            raise SpecError(
                f"env: {name!r} is not the name of a variable", checked=kind(name), remedy="names are text without '='"
            )
        if not isinstance(value, (str, int, float)) or "\0" in str(value):
            raise SpecError(
                f"env: the value of {name!r} is a {type(value).__name__}",
                checked="strings without NUL and numbers are taken",
                remedy="write it as a string",
            )
    return {name: str(value) for name, value in env.items()}


def command(argv: object) -> tuple[str, ...] | None:
    """The whole argv; a plain string is refused, because nobody knows how it should be split."""
    if argv is None:
        return None
    if isinstance(argv, str) or not isinstance(argv, Iterable):
        raise SpecError(
            f"command={argv!r}: a list of words is wanted",
            checked=kind(argv),
            remedy='write command=["sh", "-c", "..."]',
        )
    words = tuple(argv)
    if not words or not all(isinstance(word, str) for word in words):
        raise SpecError(
            f"command={argv!r}: every word is a string, and there is at least one",
            checked=kind(argv),
            remedy='write ["sleep", "60"]',
        )
    return words


def network_mode(mode: object, *, networks: bool, links: bool, aliases: bool, ports: bool) -> str | None:
    """``host``, ``none`` or nothing, and what does not go with it."""
    if mode is None:
        return None
    if mode not in NETWORK_MODES:
        raise SpecError(
            f"network_mode={mode!r} is not known",
            checked=f"known: {', '.join(NETWORK_MODES)}",
            remedy="name networks by networks=[...]",
        )
    for asked, what in ((networks, "networks"), (links, "links"), (aliases, "aliases"), (ports, "bind")):
        if asked:
            raise SpecError(
                f"{what} does not go with network_mode={mode!r}",
                checked=f"both were asked for; with {mode!r} it has no network of its own",
                remedy=f"leave out {what}, or network_mode",
            )
    return str(mode)


def check_aliases(aliases: object, *, user_network: bool) -> tuple[str, ...]:
    """DNS aliases; the default network has no DNS."""
    if isinstance(aliases, str) or not isinstance(aliases, Iterable):
        raise SpecError(
            f"aliases={aliases!r}: a list of names is wanted", checked=kind(aliases), remedy='write aliases=["db"]'
        )
    names = tuple(hostname(alias) for alias in aliases)
    if names and not user_network:
        raise SpecError(
            f"aliases {', '.join(names)}: the default network has no DNS, so nobody would see them",
            checked="no networks= was named",
            remedy="name a network of your own, networks=[dockconn.network()], or use a link",
        )
    return names


def dns(servers: object) -> tuple[str, ...]:
    """Addresses of name servers."""
    wanted = [servers] if isinstance(servers, str) else list(servers) if isinstance(servers, Iterable) else [servers]
    for server in wanted:
        try:
            ipaddress.ip_address(str(server))
        except ValueError:
            raise SpecError(
                f"dns: {server!r} is not an address",
                checked="IPv4 and IPv6 addresses are taken, names are not",
                remedy='write dns=["192.0.2.53"]',
            ) from None
    return tuple(str(server) for server in wanted)


def extra_hosts(table: object) -> dict[str, str]:
    """Lines for /etc/hosts: name to address, or ``host-gateway``."""
    if table is None:
        return {}
    if not isinstance(table, Mapping):
        raise SpecError(
            f"extra_hosts={table!r}: a mapping of name to address is wanted",
            checked=kind(table),
            remedy='write {"db": "192.0.2.7"}',
        )
    for name, address in table.items():
        hostname(name, "name of extra_hosts")
        if address != "host-gateway":
            dns([address])
    return {str(name): str(address) for name, address in table.items()}


def no_alias_twice(pairs: Sequence[tuple[str, str]]) -> None:
    """Raises ``SpecError`` for one alias twice: the engine would keep the first in silence."""
    seen: dict[str, str] = {}
    for source, alias in pairs:
        if alias in seen:
            raise SpecError(
                f"links: the alias {alias!r} is used twice",
                checked=f"for {seen[alias]} and for {source}; the engine would keep the first in silence",
                remedy="give every link an alias of its own: links={'one': server1, 'two': server2}",
            )
        seen[alias] = source


def check_link_source(facts: ContainerFacts, name: str, default_network: str) -> None:
    """Raises ``SpecError`` for a source that a legacy link can't have."""
    if not facts.running:
        raise SpecError(
            f"links: {name} is not running, so nothing can be linked to it",
            checked=f"it is {facts.status}, exit code {facts.exit_code}",
            remedy=f"start it first: {name}.start()",
        )
    if facts.endpoint(default_network) is None:
        on = ", ".join(e.network for e in facts.endpoints) or "none"
        raise SpecError(
            f"links: {name} is not on the default network {default_network!r}",
            checked=f"it is on: {on}",
            remedy="put both on that network: networks=[...] makes the link a DNS name there",
        )


def all_ports(exposed: Iterable[PortKey], bound: Iterable[PortKey]) -> tuple[PortKey, ...]:
    """What a server listens on: exposed ports, then bound ones, each once."""
    return tuple(dict.fromkeys((*exposed, *bound)))

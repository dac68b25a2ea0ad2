"""What ``server()`` and ``client()`` were asked for, checked before anything is created. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import SpecError
from ..model.facts import ContainerFacts
from ..model.spec import PortKey
from .given import ip, kind, listed, shown, written
from .names import hostname

NETWORK_MODES = ("host", "none")
#: What our server answers on, and what can be seen to listen. Engines take sctp, too.
ANSWERED = ("tcp", "udp")


def environment(env: object) -> dict[str, str]:
    """``env`` as the engine takes it."""
    if env is None:
        return {}
    if not isinstance(env, Mapping):
        raise SpecError(
            f"env={shown(env)}: a mapping of name to value is wanted",
            checked=kind(env),
            remedy='write env={"PASSWORD": "secret"}',
        )
    for name, value in env.items():
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            raise SpecError(
                f"env: {shown(name)} is not the name of a variable",
                checked=kind(name),
                remedy="names are text without '='",
            )
        if written(value) is None:
            raise SpecError(
                f"env: the value of {shown(name)} is a {type(value).__name__} that no variable can have",
                checked="strings without NUL and numbers are taken",
                remedy="write it as a string",
            )
    return {name: str(value) for name, value in env.items()}


def command(argv: object) -> tuple[str, ...] | None:
    """The whole argv; a plain string is refused, because nobody knows how it should be split."""
    if argv is None:
        return None
    return words(listed(argv, "command", "words", 'write command=["sh", "-c", "..."]'), "command=", '["sleep", "60"]')


def words(argv: Sequence[object], what: str, example: str) -> tuple[str, ...]:
    """A command as the kernel takes it: text without NUL, the program's name first. Raises ``SpecError``."""
    found = tuple(word for word in argv if isinstance(word, str) and "\0" not in word)
    if len(found) != len(argv) or not found or not found[0]:
        raise SpecError(
            f"{what}{shown(argv)}: every word is a string, and there is at least one",
            checked="the type of each, and that none has a NUL in it; the first is the program",
            remedy=f"write {example}",
        )
    return found


def network_mode(mode: object, *, networks: bool, links: bool, aliases: bool, ports: bool) -> str | None:
    """``host``, ``none`` or nothing, and what does not go with it."""
    if mode is None:
        return None
    if mode not in NETWORK_MODES:
        raise SpecError(
            f"network_mode={shown(mode)} is not known",
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
    names = tuple(hostname(alias) for alias in listed(aliases, "aliases", "names", 'write aliases=["db"]'))
    if names and not user_network:
        raise SpecError(
            f"aliases {', '.join(names)}: the default network has no DNS, so nobody would see them",
            checked="no networks= was named",
            remedy="name a network of your own, networks=[dockconn.network()], or use a link",
        )
    return names


def dns(servers: object) -> tuple[str, ...]:
    """Addresses of name servers."""
    example = 'dns=["192.0.2.53"]'
    wanted = [servers] if ip(servers) else listed(servers, "dns", "addresses", f"write {example}")
    return tuple(_address(server, "dns", example) for server in wanted)


def _address(value: object, what: str, example: str) -> str:
    found = ip(value)
    if not found:
        raise SpecError(
            f"{what}: {shown(value)} is not an address",
            checked="IPv4 and IPv6 addresses are taken; names, and addresses with a zone, are not",
            remedy=f"write {example}",
        )
    return found


def extra_hosts(table: object) -> dict[str, str]:
    """Lines for /etc/hosts: name to address, or ``host-gateway``."""
    if table is None:
        return {}
    if not isinstance(table, Mapping):
        raise SpecError(
            f"extra_hosts={shown(table)}: a mapping of name to address is wanted",
            checked=kind(table),
            remedy='write {"db": "192.0.2.7"}',
        )
    return {
        hostname(name, "name of extra_hosts"): address
        if isinstance(address, str) and address == "host-gateway"
        else _address(address, "extra_hosts", '{"db": "192.0.2.7"}')
        for name, address in table.items()
    }


def no_alias_twice(pairs: Sequence[tuple[str, str]]) -> None:
    """Raises ``SpecError`` for one alias twice: the engine would keep the first in silence."""
    seen: dict[str, str] = {}
    for source, alias in pairs:
        if alias in seen:
            raise SpecError(
                f"links: the alias {shown(alias)} is used twice",
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


def check_answered(ports: Iterable[PortKey]) -> None:
    """Raises ``SpecError`` for a port on which a server of ours can't answer."""
    odd = [port for port in ports if port.protocol not in ANSWERED]
    if odd:
        raise SpecError(
            f"no server of ours answers on {', '.join(map(str, odd))}",
            checked=f"the protocols of expose and bind; it answers on {' and '.join(ANSWERED)}",
            remedy="leave it out, or bring a server that does: server(command=[...]) or server(image=...)",
        )


def awaited(ports: Iterable[PortKey]) -> tuple[PortKey, ...]:
    """Those of them on which a server can be seen to listen."""
    return tuple(port for port in ports if port.protocol in ANSWERED)


def all_ports(exposed: Iterable[PortKey], bound: Iterable[PortKey]) -> tuple[PortKey, ...]:
    """What a server listens on: exposed ports, then bound ones, each once."""
    return tuple(dict.fromkeys((*exposed, *bound)))

"""Ports as people write them, checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from ..errors import SpecError
from ..model.spec import PortKey, Publish

PROTOCOLS = ("tcp", "udp", "sctp")
LOOPBACK = "127.0.0.1"
_TAKEN = f"numbers from 1 to 65535 are taken, ranges of them, and {', '.join(PROTOCOLS)}"


def one(value: object, what: str = "port") -> PortKey:
    """A single port: ``80``, ``"80"``, ``"80/udp"``. Raises ``SpecError``."""
    found = many(value, what)
    if len(found) != 1:
        raise SpecError(
            f"{value!r} is a range, but one {what} is wanted",
            checked=f"it names {len(found)} ports",
            remedy="name one port, such as 80 or '53/udp'",
        )
    return found[0]


def many(value: object, what: str = "port") -> tuple[PortKey, ...]:
    """A port or a range: ``80``, ``"80/udp"``, ``"3000-3003"``, ``(53, "udp")``. Raises ``SpecError``."""
    if isinstance(value, PortKey):
        return (PortKey(number(value.number, value, what), _protocol(value.protocol, value)),)
    if isinstance(value, bool) or not isinstance(value, (int, str, tuple)):
        raise _bad(value, what, f"a {type(value).__name__} is no {what}")
    if isinstance(value, int):
        return (PortKey(number(value, value, what)),)
    if isinstance(value, tuple):
        if len(value) != 2:
            raise _bad(value, what, "a tuple has a number and a protocol")
        value = f"{value[0]}/{value[1]}"
    numbers, slash, protocol = value.partition("/")
    kind = _protocol(protocol if slash else "tcp", value)
    first, last = span(numbers, value, what)
    return tuple(PortKey(n, kind) for n in range(first, last + 1))


def span(text: str, whole: object, what: str) -> tuple[int, int]:
    """First and last of ``80`` or ``3000-3003``."""
    low, dash, high = text.partition("-")
    if not low.strip() or (dash and not high.strip()):
        raise _bad(whole, what, "a range has two ends")
    first = number(low, whole, what)
    last = number(high, whole, what) if dash else first
    if last < first:
        raise _bad(whole, what, f"the range ends at {last}, before it begins at {first}")
    return first, last


def number(value: object, whole: object, what: str) -> int:
    """A number from 1 to 65535."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()):
        raise _bad(whole, what, f"{text!r} is no number")
    if not 1 <= int(text) <= 65535:
        raise _bad(whole, what, f"{int(text)} is outside of 1 to 65535")
    return int(text)


def _protocol(text: str, whole: object) -> str:
    protocol = str(text).lower()
    if protocol not in PROTOCOLS:
        raise _bad(whole, "port", f"protocol {text!r} is none of {', '.join(PROTOCOLS)}")
    return protocol


def _bad(value: object, what: str, why: str) -> SpecError:
    return SpecError(f"{value!r} is not a {what}: {why}", checked=_TAKEN, remedy="write 80, '80/udp' or '3000-3003'")


def exposed(values: object) -> tuple[PortKey, ...]:
    """The ``expose`` of a server: one port or several; each once, in order."""
    items: Iterable[object]
    if isinstance(values, (int, str, PortKey)):
        items = (values,)
    elif isinstance(values, Iterable) and not isinstance(values, (bytes, bytearray)):
        items = values
    else:
        raise SpecError(
            f"expose={values!r}: a {type(values).__name__} is no port",
            checked=_TAKEN,
            remedy="write expose=(80, '53/udp')",
        )
    return tuple(dict.fromkeys(key for value in items for key in many(value, "port of expose")))


def published(bind: Mapping[object, object] | None) -> tuple[Publish, ...]:
    """The ``bind`` of a server, as docker-py's ``ports`` writes it, but with 127.0.0.1 where no address is named."""
    if bind is None:
        return ()
    if not isinstance(bind, Mapping):
        raise SpecError(
            f"bind={bind!r}: a mapping of container port to host port is wanted",
            checked=f"it is a {type(bind).__name__}",
            remedy="write bind={80: 8080}",
        )
    return tuple(wish for key, value in bind.items() for wish in _wishes(many(key, "port of bind"), value))


def _wishes(keys: tuple[PortKey, ...], value: object) -> Iterable[Publish]:
    values = value if isinstance(value, (list, set, frozenset)) else [value]
    if not values:
        raise SpecError(
            f"bind: nothing to bind {keys[0]} to",
            checked=f"its host ports: {value!r}",
            remedy="write None for any free port",
        )
    for wish in values:
        address, host = _host(wish)
        yield from _side_by_side(keys, address, host)


def _host(wish: object) -> tuple[str, object]:
    if isinstance(wish, tuple):
        if len(wish) != 2:
            raise SpecError(
                f"bind: {wish!r} is no (address, port)",
                checked=f"it has {len(wish)} parts",
                remedy='write ("127.0.0.1", 8080) or ("127.0.0.1", None)',
            )
        return address(wish[0]), wish[1]
    return LOOPBACK, wish


def _side_by_side(keys: tuple[PortKey, ...], where: str, host: object) -> Iterable[Publish]:
    """Ranges of equal length go one to one; a range for one port means any of it that is free."""
    if host is None:
        yield from (Publish(key, where) for key in keys)
        return
    if isinstance(host, bool) or not isinstance(host, (int, str)):
        raise _bad(host, "host port", f"a {type(host).__name__} is no port")
    first, last = span(str(host), host, "host port")
    if last - first + 1 == len(keys):
        yield from (Publish(key, where, str(first + at)) for at, key in enumerate(keys))
    elif len(keys) == 1:
        yield Publish(keys[0], where, f"{first}-{last}")
    else:
        raise SpecError(
            f"bind: {len(keys)} container ports and {last - first + 1} host ports ({host!r}) do not match",
            checked=f"the container ports are {keys[0]} to {keys[-1]}",
            remedy="make both ranges equally long, or write None for free ports",
        )


def address(value: object) -> str:
    """An IP address of the host. Raises ``SpecError``."""
    try:
        return str(ipaddress.ip_address(str(value).strip("[]")))
    except ValueError:
        raise SpecError(
            f"bind: {value!r} is not an address of the host",
            checked="IPv4 and IPv6 addresses are taken, names are not",
            remedy="write an IP address such as 127.0.0.1, 0.0.0.0 or ::1; names are not taken",
        ) from None

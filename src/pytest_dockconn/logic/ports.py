"""Ports as people write them, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import SpecError
from ..model.spec import PortKey, Publish
from .given import ip, kind, shown

PROTOCOLS = ("tcp", "udp", "sctp")
LOOPBACK = "127.0.0.1"
#: Of a number that can be a port's, with zeros before it.
DIGITS = 18
_TAKEN = f"numbers from 1 to 65535 are taken, ranges of them, and {', '.join(PROTOCOLS)}"


def one(value: object, what: str = "port") -> PortKey:
    """A single port: ``80``, ``"80"``, ``"80/udp"``. Raises ``SpecError``."""
    found = many(value, what)
    if len(found) != 1:
        raise SpecError(
            f"{shown(value)} is a range, but one {what} is wanted",
            checked=f"it names {len(found)} ports",
            remedy="name one port, such as 80 or '53/udp'",
        )
    return found[0]


def with_protocol(value: object, protocol: object) -> PortKey:
    """A single port, its protocol beside it: ``(53, "udp")``; ``"53/udp"`` names its own. Raises ``SpecError``."""
    if not isinstance(value, PortKey) and not (isinstance(value, str) and "/" in value):
        return one((value, protocol))
    found = one(value)
    if _protocol(protocol, protocol) not in ("tcp", found.protocol):
        raise SpecError(
            f"{shown(value)} is not a port of {protocol}",
            checked=f"it names {found.protocol}",
            remedy=f"write {found.number} and the protocol, or '{found}' alone",
        )
    return found


def many(value: object, what: str = "port") -> tuple[PortKey, ...]:
    """A port or a range: ``80``, ``"80/udp"``, ``"3000-3003"``, ``(53, "udp")``. Raises ``SpecError``."""
    numbers, protocol = _parts(value, what)
    named = _protocol(protocol, value)
    first, last = span(numbers, value, what)
    return tuple(PortKey(n, named) for n in range(first, last + 1))


def _parts(value: object, what: str) -> tuple[object, object]:
    """The number or the range, and the protocol."""
    if isinstance(value, PortKey):
        return value.number, value.protocol
    if isinstance(value, tuple):
        if len(value) != 2:
            raise _bad(value, what, "a tuple has a number and a protocol")
        return value
    if isinstance(value, str):
        numbers, slash, protocol = value.partition("/")
        return numbers, protocol if slash else "tcp"
    return value, "tcp"


def span(value: object, whole: object, what: str) -> tuple[int, int]:
    """First and last of ``80`` or ``3000-3003``."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _bad(whole, what, f"a {type(value).__name__} is no port")
    if isinstance(value, int):
        return number(value, whole, what), int(value)
    low, dash, high = value.partition("-")
    if not low.strip() or (dash and not high.strip()):
        raise _bad(whole, what, "a range has two ends")
    first = number(low, whole, what)
    last = number(high, whole, what) if dash else first
    if last < first:
        raise _bad(whole, what, f"the range ends at {last}, before it begins at {first}")
    return first, last


def number(value: int | str, whole: object, what: str) -> int:
    """A number from 1 to 65535."""
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, str) and not (text.isascii() and text.isdigit()):
        raise _bad(whole, what, f"{shown(text)} is no number")
    # Python makes no number of more than 4300 digits
    found = value if isinstance(value, int) else int(text[:DIGITS])
    if not 1 <= found <= 65535 or len(text) > DIGITS:
        raise _bad(whole, what, f"{shown(value)} is outside of 1 to 65535")
    return int(found)


def _protocol(text: object, whole: object) -> str:
    protocol = text.lower() if isinstance(text, str) else ""
    if protocol not in PROTOCOLS:
        raise _bad(whole, "port", f"protocol {shown(text)} is none of {', '.join(PROTOCOLS)}")
    return protocol


def _bad(value: object, what: str, why: str) -> SpecError:
    return SpecError(
        f"{shown(value)} is not a {what}: {why}", checked=_TAKEN, remedy="write 80, '80/udp' or '3000-3003'"
    )


def exposed(values: object) -> tuple[PortKey, ...]:
    """The ``expose`` of a server: one port or several; each once, in order."""
    items: Iterable[object]
    if isinstance(values, (int, str, PortKey)):
        items = (values,)
    elif isinstance(values, Iterable) and not isinstance(values, (bytes, bytearray, Mapping)):
        items = values
    else:
        raise SpecError(
            f"expose={shown(values)}: a {type(values).__name__} is no port",
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
            f"bind={shown(bind)}: a mapping of container port to host port is wanted",
            checked=kind(bind),
            remedy="write bind={80: 8080}",
        )
    return tuple(wish for key, value in bind.items() for wish in _wishes(many(key, "port of bind"), value))


def _wishes(keys: tuple[PortKey, ...], value: object) -> Iterable[Publish]:
    values = value if isinstance(value, (list, set, frozenset)) else [value]
    if not values:
        raise SpecError(
            f"bind: nothing to bind {keys[0]} to",
            checked=f"its host ports: {shown(value)}",
            remedy="write None for any free port",
        )
    for wish in values:
        address, host = _host(wish)
        yield from _side_by_side(keys, address, host)


def _host(wish: object) -> tuple[str, object]:
    if isinstance(wish, tuple):
        if len(wish) != 2:
            raise SpecError(
                f"bind: {shown(wish)} is no (address, port)",
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
    first, last = span(host, host, "host port")
    if last - first + 1 == len(keys):
        yield from (Publish(key, where, str(first + at)) for at, key in enumerate(keys))
    elif len(keys) == 1:
        yield Publish(keys[0], where, f"{first}-{last}")
    else:
        raise SpecError(
            f"bind: {len(keys)} container ports and {last - first + 1} host ports ({shown(host)}) do not match",
            checked=f"the container ports are {keys[0]} to {keys[-1]}",
            remedy="make both ranges equally long, or write None for free ports",
        )


def address(value: object, what: str = "bind", whose: str = "an address of the host") -> str:
    """An IP address. Raises ``SpecError``."""
    found = ip(value.strip("[]") if isinstance(value, str) else value)
    if not found:
        raise SpecError(
            f"{what}: {shown(value)} is not {whose}",
            checked="IPv4 and IPv6 addresses are taken; names, and addresses with a zone, are not",
            remedy="write an IP address such as 127.0.0.1, 0.0.0.0 or ::1; names are not taken",
        )
    return found

"""URLs as destinations, checked."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..errors import SpecError
from ..model.probe import Target
from ..text import is_printable, redact
from .given import ip, shown

DEFAULT_PORTS = {"http": 80, "https": 443}
NEED_PORT = ("tcp", "udp")
#: Of a host alone: its addresses, an echo.
NO_PORT = ("dns", "icmp")
SCHEMES = (*DEFAULT_PORTS, *NEED_PORT, *NO_PORT)


def parse(url: str) -> Target:
    """The target that a URL names. Raises ``SpecError`` for an unknown scheme, a missing host or port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad(url, _unreadable(url, error)) from None
    if parts.scheme not in SCHEMES or "://" not in url:
        raise _bad(url, f"unknown scheme {shown(parts.scheme)}" if "://" in url else "it has no scheme")
    if not host:
        raise _bad(url, "it has no host")
    if any(c.isspace() for c in url) or not is_printable(url):
        raise _bad(url, "it has white space or control characters in it")
    if parts.username or parts.password:
        raise _bad(url, "users and passwords are not sent by a probe")
    if port is None and parts.scheme in NEED_PORT:
        raise _bad(url, f"{parts.scheme} needs a port")
    if parts.scheme in NO_PORT and (port is not None or parts.path.strip("/") or parts.query):
        raise _bad(url, f"{parts.scheme} takes a host alone, no port and no path")
    if port == 0:
        raise _bad(url, "port 0 is outside of 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    number = port if port is not None else DEFAULT_PORTS.get(parts.scheme, 0)
    # an address as engines write it: by that its owner is found
    return Target(scheme=parts.scheme, host=ip(host) or host, port=number, path=path, via="url")


def _unreadable(url: str, error: ValueError) -> str:
    """In words of ours: those of the library may have a part of a password in them."""
    if "@" in url.partition("://")[2]:
        return "it can't be read as a URL; users and passwords are not sent by a probe"
    if "[" not in url and url.count(":") > 2:
        return "an IPv6 address goes into brackets, as in http://[fd00::2]:80/"
    if str(error).startswith("Port"):
        return "its port is no number from 1 to 65535"
    return "what begins with a bracket is no IPv6 address" if "[" in url else "it can't be read as a URL"


def _bad(url: str, why: str) -> SpecError:
    return SpecError(
        f"{shown(redact(url))} is not a destination: {why}",
        checked=f"known schemes: {', '.join(s + '://' for s in SCHEMES)}",
        remedy="write http://host[:port]/path, tcp://host:port, dns://name or icmp://host, or pass a Port: server.port(80)",
    )

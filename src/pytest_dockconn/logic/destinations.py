"""URLs as destinations, checked."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..errors import SpecError
from ..model.probe import Target

DEFAULT_PORTS = {"http": 80, "https": 443}
NEED_PORT = ("tcp", "udp")
#: Of a host alone: its addresses, an echo.
NO_PORT = ("dns", "icmp")
SCHEMES = (*DEFAULT_PORTS, *NEED_PORT, *NO_PORT)
#: User and password, also of what is no URL.
_CREDENTIALS = re.compile(r"(?<=//)[^/?#]*@")


def parse(url: str) -> Target:
    """The target that a URL names. Raises ``SpecError`` for an unknown scheme, a missing host or port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        six = (
            "an IPv6 address goes into brackets, as in http://[fd00::2]:80/"
            if "[" not in url and url.count(":") > 2
            else ""
        )
        raise _bad(url, six or str(error)) from error
    if parts.scheme not in SCHEMES or "://" not in url:
        raise _bad(url, f"unknown scheme {parts.scheme!r}" if "://" in url else "it has no scheme")
    if not host:
        raise _bad(url, "it has no host")
    if any(c.isspace() or ord(c) < 32 for c in url):
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
    return Target(scheme=parts.scheme, host=host, port=number, path=path, via="url")


def _bad(url: str, why: str) -> SpecError:
    return SpecError(
        f"{_CREDENTIALS.sub('***@', url)!r} is not a destination: {why}",
        checked=f"known schemes: {', '.join(s + '://' for s in SCHEMES)}",
        remedy="write http://host[:port]/path, tcp://host:port, dns://name or icmp://host, or pass a Port: server.port(80)",
    )

"""One probe: a target in, what happened out. Plain dictionaries, as they cross the channel as JSON."""

from __future__ import annotations

import contextlib
import socket
import time

from . import http, icmp, resolve, verdict
from .http import Deadline

#: Connections that stay open after their probe, so that their other end can be looked for, by the key of the probe.
_HELD: dict[str, socket.socket] = {}

SCHEMES = ("http", "https", "tcp", "udp", "dns", "icmp")

#: How long a plain TCP connection is watched for a close, in seconds: the userland proxy of docker accepts before it
#: knows that nobody listens behind it, and closes within a few milliseconds.
LINGER = 0.05

#: A datagram that begins with this asks the echo server to add who it is.
WHO = b"dockconn? "


def probe(target: dict[str, object]) -> dict[str, object]:
    """Ask ``target`` once.

    Args:
        target: ``scheme`` (http, https, tcp, udp, dns, icmp), ``host``, ``port``, ``timeout`` (seconds), and as needed ``path``,
            ``nonce`` (udp), ``verify`` and ``ca`` (https: check the certificate, against this PEM text), ``name`` (what
            to put into the Host header), ``linger`` (tcp, seconds), ``hold`` (a key: the connection stays open until
            ``release`` of it).

    Returns:
        ``verdict``, ``address``, ``port``, ``source`` (address and port that asked), ``elapsed`` (seconds), ``status``,
        ``text``, ``answered_by`` and ``token`` (what a server of ours says of itself), ``detail``, ``location`` (where a redirect points), ``addresses`` (dns: all of the name's).
    """
    begun = time.perf_counter()
    result: dict[str, object] = {
        "verdict": verdict.INCONCLUSIVE,
        "address": "",
        "port": target.get("port", 0),
        "detail": "",
    }
    try:
        _ask(target, result)
    except verdict.ProbeFailed as failure:
        result.update(verdict=failure.verdict, detail=failure.detail)
    except OSError as error:
        seen = verdict.from_error(error, str(result.pop("doing", "asking")))
        result.update(verdict=seen.verdict, detail=seen.detail)
    result.pop("doing", None)
    result["elapsed"] = time.perf_counter() - begun
    return result


def _ask(target: dict[str, object], result: dict[str, object]) -> None:
    if target["scheme"] not in SCHEMES:
        raise verdict.ProbeFailed(verdict.INCONCLUSIVE, "the agent does not speak {!r}".format(target["scheme"]))
    timeout = float(target["timeout"])  # type: ignore[arg-type]
    # up to 0.5 s of our own work on a busy machine, which must not be held against the server
    context = _context(target) if target["scheme"] == "https" else None
    deadline = Deadline(timeout)
    found = resolve.resolve(str(target["host"]), timeout)
    if target["scheme"] in _SIMPLE:
        _SIMPLE[str(target["scheme"])](found, target, deadline, result)
        return
    sock = _connect(found, int(target["port"]), deadline, result)  # type: ignore[call-overload]
    try:
        if context is not None:
            where = "{} port {}".format(result["address"], target["port"])
            result["doing"] = "waiting for the TLS handshake with {}: the connection was accepted".format(where)
            sock = _tls(sock, target, context, deadline)  # in place of the plain one, which it takes over
        if target["scheme"] == "tcp":
            _tcp(sock, target, deadline, result)
        else:
            _http(sock, target, deadline, result)
    finally:
        if target.get("hold"):
            _HELD[str(target["hold"])] = sock
        else:
            sock.close()


def _names(found: list[tuple[int, str]], target: dict[str, object], _: Deadline, result: dict[str, object]) -> None:
    """The name alone: every address of it, IPv4 first."""
    addresses = [address for _, address in found]
    result.update(
        verdict=verdict.REACHABLE,
        address=addresses[0],
        addresses=addresses,
        text="\n".join(addresses),
        detail="{} is {}".format(target["host"], ", ".join(addresses)),
    )


def _ping(
    found: list[tuple[int, str]], target: dict[str, object], deadline: Deadline, result: dict[str, object]
) -> None:
    icmp.ping(found[0], str(target.get("nonce", "")).encode("ascii"), deadline, result)


def _datagram(
    found: list[tuple[int, str]], target: dict[str, object], deadline: Deadline, result: dict[str, object]
) -> None:
    _udp(found[0], target, deadline, result)


#: Schemes without a connection.
_SIMPLE = {"dns": _names, "icmp": _ping, "udp": _datagram}


def release(keys: list[str]) -> None:
    """Close the connections that probes with these keys held."""
    for key in keys:
        held = _HELD.pop(key, None)
        if held is not None:
            held.close()


def _connect(found: list[tuple[int, str]], port: int, deadline: Deadline, result: dict[str, object]) -> socket.socket:
    """Connect to the first address that takes the connection; the last failure otherwise."""
    for place, (family, address) in enumerate(found):
        result.update(address=address, doing="connecting to {} port {}".format(address, port))
        sock = _socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(deadline.left())
            sock.connect((address, port))
            result["source"] = list(sock.getsockname()[:2])
            return sock
        except OSError:
            sock.close()
            if place == len(found) - 1:
                raise
    raise verdict.ProbeFailed(verdict.NAME_NOT_FOUND, "name resolution: no address")


def _socket(family: int, kind: int) -> socket.socket:
    try:
        return socket.socket(family, kind)
    except OSError as error:
        raise verdict.from_error(error, "opening a socket") from error


def _tcp(sock: socket.socket, target: dict[str, object], deadline: Deadline, result: dict[str, object]) -> None:
    result["doing"] = "watching the connection to {} port {}".format(result["address"], target["port"])
    sock.settimeout(min(float(target.get("linger", LINGER)), deadline.left()))  # type: ignore[arg-type]
    try:
        first = sock.recv(4096)
    except socket.timeout:
        result.update(verdict=verdict.REACHABLE, detail="connected; the server waits for the client to speak")
        return
    if not first:
        raise verdict.ProbeFailed(verdict.RESET, "the connection was accepted and then closed without an answer")
    result.update(verdict=verdict.REACHABLE, text=first.decode("utf-8", "replace"), detail="connected")


def _http(sock: socket.socket, target: dict[str, object], deadline: Deadline, result: dict[str, object]) -> None:
    where = "{} port {}".format(result["address"], target["port"])
    result["doing"] = "waiting for the first line of an answer from {}: the connection was accepted".format(where)
    status, headers, text = http.get(sock, _host_header(target), str(target.get("path") or "/"), deadline)
    result.update(
        verdict=verdict.REACHABLE,
        status=status,
        text=text,
        answered_by=headers.get(http.IDENTITY, ""),
        token=headers.get(http.TOKEN, ""),
        location=headers.get("location", ""),
        detail="HTTP {}".format(status),
    )


def _host_header(target: dict[str, object]) -> str:
    host = str(target.get("name") or target["host"])
    host = "[{}]".format(host) if ":" in host else host
    usual = 443 if target["scheme"] == "https" else 80
    return host if target["port"] == usual else "{}:{}".format(host, target["port"])


def _context(target: dict[str, object]) -> object:
    import ssl  # 15 ms that only https pays

    context = ssl.create_default_context(cadata=str(target["ca"]) if target.get("ca") else None)
    if not target.get("verify", True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _tls(sock: socket.socket, target: dict[str, object], context: object, deadline: Deadline) -> socket.socket:
    import ssl

    assert isinstance(context, ssl.SSLContext)
    sock.settimeout(deadline.left())
    try:
        return context.wrap_socket(sock, server_hostname=str(target.get("name") or target["host"]))
    except ssl.SSLCertVerificationError as error:
        raise verdict.ProbeFailed(verdict.INCONCLUSIVE, "TLS: {}".format(error.verify_message)) from error
    except ssl.SSLEOFError as error:
        raise verdict.ProbeFailed(verdict.RESET, "the connection was closed during the TLS handshake") from error
    except ssl.SSLError as error:
        raise verdict.ProbeFailed(verdict.INCONCLUSIVE, "TLS: {}".format(error.reason or error)) from error


def _udp(found: tuple[int, str], target: dict[str, object], deadline: Deadline, result: dict[str, object]) -> None:
    family, address = found
    nonce = str(target.get("nonce", "")).encode("ascii")
    result.update(address=address, doing="waiting for a datagram from {} port {}".format(address, target["port"]))
    with _socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(deadline.left())
        sock.connect((address, int(target["port"])))  # type: ignore[call-overload]
        result["source"] = list(sock.getsockname()[:2])
        # not permitted: a packet filter of its own network took it; what comes now tells whether it refused or dropped it
        with contextlib.suppress(PermissionError):
            sock.send(WHO + nonce)
        answer = sock.recv(65536)
    echoed, _, who = answer.partition(WHO + nonce)[2].partition(b" ")
    known = answer.startswith(WHO + nonce) and not echoed
    result.update(
        verdict=verdict.REACHABLE,
        text=answer.decode("utf-8", "replace"),
        answered_by=who.partition(b" ")[0].decode("ascii", "replace") if known else "",
        token=who.partition(b" ")[2].decode("ascii", "replace") if known else "",
        detail="a datagram of {} bytes came back".format(len(answer)),
    )

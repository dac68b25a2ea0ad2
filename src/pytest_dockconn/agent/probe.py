"""One probe: a target in, what happened out. Plain dictionaries, as they cross the channel as JSON."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Callable

from . import held, http, icmp, identity, resolve, verdict
from .http import Deadline

#: Seconds that a probe may take on top of its time limit. One that took longer did not run all the while (its container was
#: paused, the machine far too busy), and that nothing came in time says nothing.
LATE = 2.0

SCHEMES = ("http", "https", "tcp", "udp", "dns", "icmp")

#: Seconds more in which a name with several addresses has to be through with all of them: the channel waits for 10.
MORE = 8.0

#: How long a plain TCP connection is watched for a close, in seconds: the userland proxy of docker accepts before it
#: knows that nobody listens behind it, and closes within a few milliseconds.
LINGER = 0.05

#: Characters that are kept of an identity, and of where a redirect points.
WORD, LINE = 128, 2048

#: A datagram that begins with this asks the echo server to add who it is.
WHO = b"dockconn? "


def probe(target: dict[str, object]) -> dict[str, object]:
    """Ask ``target`` once.

    Args:
        target: ``scheme`` (http, https, tcp, udp, dns, icmp), ``host``, ``port``, ``timeout`` (seconds), and as needed ``path``,
            ``nonce`` (of which a server of ours makes its proof), ``verify`` and ``ca`` (https: check the certificate, against this PEM text), ``name`` (what
            to put into the Host header), ``linger`` (tcp, seconds), ``hold`` (a key: the connection stays open until
            ``held.release`` of it).

    Returns:
        ``verdict``, ``address``, ``port``, ``source`` (address and port that asked), ``elapsed`` (seconds), ``status``,
        ``text``, ``answered_by`` and ``proof`` (what a server of ours says of itself), ``detail``, ``location`` (where a redirect points), ``addresses`` (dns: all of the name's).

    Whatever goes wrong, there is a result: what is no answer and no failure of the network is inconclusive.
    """
    begun = time.perf_counter()
    result: dict[str, object] = {
        "verdict": verdict.INCONCLUSIVE,
        "address": "",
        "port": target.get("port", 0),
        "detail": "",
    }
    failure = None
    try:
        _ask(target, result)
    except Exception as error:  # a server that says what no reader has thought of is no reason to say nothing at all
        failure = _failure(error, result)
    result.pop("doing", None)
    most = result.pop("most", target.get("timeout"))
    took = result["elapsed"] = time.perf_counter() - begun
    if failure is not None:
        result.update(verdict=failure.verdict, detail=failure.detail)
        if failure.verdict == verdict.TIMED_OUT and took > float(most) + LATE:  # type: ignore[arg-type]
            words = "{:g} s became {:.1f}: the probe did not run all the while; {}"
            result.update(verdict=verdict.INCONCLUSIVE, detail=words.format(most, took, failure.detail))
    return result


def _failure(error: Exception, result: dict[str, object]) -> verdict.ProbeFailed:
    doing = str(result.get("doing", "asking"))
    if isinstance(error, verdict.ProbeFailed):
        return error
    if isinstance(error, OSError):
        return verdict.from_error(error, doing)
    words = "the probe broke while {}: {}: {!r}"
    return verdict.ProbeFailed(verdict.INCONCLUSIVE, words.format(doing, type(error).__name__, str(error)[:200]))


def _ask(target: dict[str, object], result: dict[str, object]) -> None:
    if target["scheme"] not in SCHEMES:
        raise verdict.ProbeFailed(verdict.INCONCLUSIVE, "the agent does not speak {!r}".format(target["scheme"]))
    timeout = _timeout(target)
    # up to 0.5 s of our own work on a busy machine, which must not be held against the server
    context = _context(target) if target["scheme"] == "https" else None
    begun = time.monotonic()
    found = resolve.resolve(str(target["host"]), timeout)
    if target["scheme"] in _SIMPLE:
        _SIMPLE[str(target["scheme"])](found, target, begun, result)
        return
    _in_turn(found, timeout, begun, result, lambda one, turn: _over(one, target, context, turn, result))


def _timeout(target: dict[str, object]) -> float:
    return float(target["timeout"])  # type: ignore[arg-type]


def _names(found: list[tuple[int, str]], target: dict[str, object], _: float, result: dict[str, object]) -> None:
    """The name alone: every address of it, IPv4 first."""
    addresses = [address for _, address in found]
    result.update(
        verdict=verdict.REACHABLE,
        address=addresses[0],
        addresses=addresses,
        text="\n".join(addresses),
        detail="{} is {}".format(target["host"], ", ".join(addresses)),
    )


def _ping(found: list[tuple[int, str]], target: dict[str, object], begun: float, result: dict[str, object]) -> None:
    nonce = str(target.get("nonce", "")).encode("ascii")
    _in_turn(found, _timeout(target), begun, result, lambda one, turn: icmp.ping(one, nonce, turn.answer, result))


def _datagram(found: list[tuple[int, str]], target: dict[str, object], begun: float, result: dict[str, object]) -> None:
    _in_turn(found, _timeout(target), begun, result, lambda one, turn: _udp(one, target, turn.answer, result))


#: Schemes without a connection.
_SIMPLE = {"dns": _names, "icmp": _ping, "udp": _datagram}


#: What tells most where every address of a name failed; a connection that was taken tells more than one that was not.
_TELLING = (verdict.INCONCLUSIVE, verdict.TIMED_OUT, verdict.RESET)


class Turn:
    """The time of one address of a name: each has all of it for its answer, else that would prove less than by the address.

    Args:
        timeout: seconds, of the probe.
        share: of it, for a connection: one that swallows everything must not take all of the next one's.
        left: what there is for all that are still to be asked.
    """

    def __init__(self, timeout: float, share: float, left: float) -> None:
        self.connection = Deadline(share)
        self.answer = Deadline(min(timeout, left))
        self.is_short = left < timeout


def _in_turn(
    found: list[tuple[int, str]],
    timeout: float,
    begun: float,
    result: dict[str, object],
    ask: Callable[[tuple[int, str], Turn], None],
) -> None:
    """What the first address says that answers; otherwise a failure that leaves it open, or silence, or the last one.

    One that takes the connection and leaves it at that must not hide that the next is open. Where all fail, the ends of
    the connection are those of the failure told. What the name took, since it ``begun``, is part of the time for all of them.
    """
    failures: list[tuple[verdict.ProbeFailed, dict[str, object]]] = []
    known = time.monotonic()
    result["most"] = known - begun + timeout * len(found)
    for place, one in enumerate(found):
        left, more = known + timeout - time.monotonic(), begun + timeout + MORE - time.monotonic()
        if more <= 0:
            words = "{} could not be asked any more: what was before it took {:.1f} s"
            late = words.format(one[1], time.monotonic() - begun)
            failures.append((verdict.ProbeFailed(verdict.INCONCLUSIVE, late), dict(result, address=one[1])))
            break
        turn = Turn(timeout, min(more, max(timeout / len(found), left / (len(found) - place))), more)
        try:
            ask(one, turn)
            return
        except Exception as error:  # whatever one says, the next may be open
            failures.append((_in_short(_failure(error, result), turn, result), dict(result)))
            result.pop("source", None)  # of this connection
    failures = failures or [(verdict.ProbeFailed(verdict.NAME_NOT_FOUND, "name resolution: no address"), {})]
    told = next((one for kind in _TELLING for one in failures if one[0].verdict == kind), failures[-1])
    result.update(told[1])
    raise told[0]


def _in_short(failure: verdict.ProbeFailed, turn: Turn, result: dict[str, object]) -> verdict.ProbeFailed:
    """The silence of one that had less than its time, after many others of its name, says nothing."""
    if failure.verdict != verdict.TIMED_OUT or not turn.is_short or "source" not in result:
        return failure
    words = "the addresses before it left too little time for it: {}"
    return verdict.ProbeFailed(verdict.INCONCLUSIVE, words.format(failure.detail))


def _over(
    one: tuple[int, str], target: dict[str, object], context: object, turn: Turn, result: dict[str, object]
) -> None:
    """The whole question by one address: that it takes the connection is no answer yet."""
    sock, deadline = _connect(one, int(target["port"]), turn.connection, result), turn.answer  # type: ignore[call-overload]
    answered = False
    try:
        if context is not None:
            where = "{} port {}".format(result["address"], target["port"])
            result["doing"] = "waiting for the TLS handshake with {}: the connection was accepted".format(where)
            sock = _tls(sock, target, context, deadline)  # in place of the plain one, which it takes over
        if target["scheme"] == "tcp":
            _tcp(sock, target, deadline, result)
        else:
            _http(sock, target, deadline, result)
        answered = True
    finally:
        if answered and target.get("hold"):
            held.keep(str(target["hold"]), sock)
        else:
            sock.close()


def _connect(one: tuple[int, str], port: int, deadline: Deadline, result: dict[str, object]) -> socket.socket:
    family, address = one
    result.update(address=address, doing="connecting to {} port {}".format(address, port))
    sock = _socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(deadline.left())
        sock.connect((address, port))
        result["source"] = list(sock.getsockname()[:2])
        return sock
    except Exception as error:
        sock.close()
        if getattr(error, "errno", None) == errno.EADDRNOTAVAIL and _has_source(one, port):
            words = "no local port is free for another connection to {} port {} (EADDRNOTAVAIL)"
            raise verdict.ProbeFailed(verdict.INCONCLUSIVE, words.format(address, port)) from error
        raise


def _has_source(found: tuple[int, str], port: int) -> bool:
    """Whether there may be an address to ask from: a datagram socket, which has ports of its own, finds one. Nothing is sent.

    Where those are all taken, too, nobody knows.
    """
    family, address = found
    with _socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, port))
        except OSError as error:
            return error.errno == errno.EAGAIN
    return True


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
    path, nonce = str(target.get("path") or "/"), str(target.get("nonce") or "")
    status, headers, text = http.get(sock, _host_header(target), path, deadline, nonce)
    result.update(
        verdict=verdict.REACHABLE,
        status=status,
        text=text,
        answered_by=headers.get(identity.IDENTITY, "")[:WORD],
        proof=headers.get(identity.PROOF, "")[:WORD],
        location=headers.get("location", "")[:LINE],
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
        answered_by=who.partition(b" ")[0].decode("ascii", "replace")[:WORD] if known else "",
        proof=who.partition(b" ")[2].decode("ascii", "replace")[:WORD] if known else "",
        detail="a datagram of {} bytes came back".format(len(answer)),
    )

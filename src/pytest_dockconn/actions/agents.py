"""Channels to agents: a line of JSON out, a line of JSON back, over a container's attached streams."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ..agent import serve
from ..agent.namespace import ROWS
from ..engine.port import Stream
from ..errors import DockconnError
from ..text import ending, one_line

#: Seconds on top of a probe's own time limit before its agent counts as gone.
GRACE = 10.0

#: Bytes of one line at the most: 10,000 results with all that they say.
LONGEST = 32 << 20
#: Bytes of a block of a line: one piece that grows is copied now and then, and would take twice its length.
BLOCK = 1 << 16
#: Characters of what it wrote that are shown.
SHOWN = 300

#: The end of a reply. Nothing else is read: what others write into the stream can be 32 MiB that become 600 as objects.
_NUMBER = re.compile(rb'"id": "([0-9a-f]{16})"\}\Z')

Request = Mapping[str, Any]
Reply = Mapping[str, Any]

#: A socket of a network namespace, as ``agent.namespace`` tells it, and what each word of it is.
Row = Mapping[str, Any]
_ROW: Mapping[str, type] = {
    "protocol": str, "local": str, "port": int, "peer": str, "peer_port": int, "state": str, "inode": int, "queue": int,
}  # fmt: skip


class AgentGone(DockconnError):
    """The agent does not answer any more."""


class Channel(Protocol):
    """A way to an agent."""

    def ask(self, request: Request, timeout: float) -> Reply:
        """One request, one reply; ``timeout`` in seconds. Raises ``AgentGone``."""

    def tell(self, request: Request) -> None:
        """One request, whose reply nobody waits for. Raises ``AgentGone``."""

    def close(self) -> None:
        """Let go of it."""

    @property
    def alive(self) -> bool:
        """Whether it can still answer, as far as is known."""


class LocalChannel:
    """The agent in this process: the host as a source."""

    alive = True

    def ask(self, request: Request, timeout: float) -> Reply:  # noqa: ARG002 - the agent keeps its own time
        """One request, one reply."""
        return serve.handle(dict(request))

    def tell(self, request: Request) -> None:
        """One request."""
        serve.handle(dict(request))

    def close(self) -> None:
        """Nothing to let go of."""


class _Line:
    """The beginning of a line."""

    def __init__(self) -> None:
        self._blocks = [bytearray()]
        self.size = 0

    def add(self, data: bytes) -> None:
        if len(self._blocks[-1]) >= BLOCK:
            self._blocks.append(bytearray())
        self._blocks[-1] += data
        self.size += len(data)

    def end(self, count: int) -> bytes:
        """Its last bytes: of a whole line that is nobody's nothing else is looked at."""
        return b"".join(self._blocks[-2:])[-count:]

    def whole(self) -> bytes:
        return b"".join(self._blocks)


class StreamChannel:
    """An agent in a container. Requests from several threads share one stream."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._name = name
        self._waiting: dict[str, queue.SimpleQueue[Reply | None]] = {}
        self._lock = threading.Lock()
        self._alive = True
        self._replies = 0
        self._silent = False
        self._flooded = ""
        self.stderr = ""
        try:
            threading.Thread(target=self._read, name=f"dockconn-agent-{name}", daemon=True).start()
        except RuntimeError as error:
            self.close()
            raise self._gone(str(error)) from error

    @property
    def alive(self) -> bool:
        """Whether the stream is still open, and whoever was to answer last did, or another has since."""
        return self._alive and not self._silent

    def _read(self) -> None:
        try:
            self._deliver_all()
        finally:
            with self._lock:
                self._alive = False
                waiting, self._waiting = list(self._waiting.values()), {}
            for box in waiting:
                box.put(None)

    def _deliver_all(self) -> None:
        """Until the stream ends, or is flooded."""
        line = _Line()
        while line.size < LONGEST:
            name, data = self._stream.read()
            if not data:
                break
            if name == "stderr":
                self.stderr = (self.stderr + data.decode("utf-8", "replace"))[-4000:]
                continue
            first, *others = data.split(b"\n")
            line.add(first)
            for piece in others:
                self._deliver(line)
                line = _Line()
                line.add(piece)
        else:
            self._flooded = f"another process has written {LONGEST >> 20} MiB without an end of line into its stream"
            self._stream.close()

    def _deliver(self, line: _Line) -> None:
        """To who waits for it; what nobody waits for something else in the container wrote."""
        found = _NUMBER.search(line.end(40))
        number = found[1].decode("ascii") if found else ""
        with self._lock:
            if number not in self._waiting:
                return
        try:
            reply = json.loads(line.whole())
            del reply["id"]
        except (ValueError, TypeError, RecursionError):
            return  # not the agent's either
        with self._lock:
            box = self._waiting.pop(number, None)
        if box is not None:
            box.put(reply)

    def ask(self, request: Request, timeout: float) -> Reply:
        """One request, one reply. Raises ``AgentGone``."""
        # what else writes into the stream, and does not read the agent's stdin, can't guess it
        number = secrets.token_hex(8)
        box: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        with self._lock:
            if not self._alive:
                raise self._gone(self._flooded or "its stream is closed")
            self._waiting[number] = box
            replies = self._replies
        try:
            self._write(request, number)
            reply = box.get(timeout=timeout + GRACE)
        except queue.Empty:
            self._silent = self._replies == replies  # else it answers others, and is only slow with this
            raise self._gone(f"no reply within {timeout + GRACE:g} s") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if reply is None:
            raise self._gone(self._flooded or "it ended")
        self._replies += 1
        self._silent = False
        return reply

    def tell(self, request: Request) -> None:
        """One request, whose reply nobody waits for. Raises ``AgentGone``."""
        self._write(request, "")

    def _write(self, request: Request, number: str) -> None:
        try:
            self._stream.write(json.dumps({**request, "id": number}).encode() + b"\n")
        except OSError as error:
            self.close()  # half a line may have been written, and the next request would be the other half
            raise self._gone(str(error)) from error

    def _gone(self, why: str) -> AgentGone:
        wrote = one_line(ending(self.stderr.strip(), SHOWN), SHOWN)
        said = f"; it wrote: {wrote}" if wrote else ""
        return AgentGone(f"the agent of {self._name} does not answer: {why}{said}")

    def close(self) -> None:
        """Let go of the stream."""
        self._alive = False
        self._stream.close()


def probes(channel: Channel, targets: Sequence[Mapping[str, Any]], timeout: float) -> list[Mapping[str, Any]]:
    """Ask many targets in one request; a result of each, in their order."""
    reply = channel.ask({"op": "probe", "targets": list(targets)}, timeout)
    with _reading(reply):
        return [dict(one) for _, one in zip(targets, reply["results"], strict=True)]


def watch(
    channel: Channel, targets: Sequence[Mapping[str, Any]], hold: float, timeout: float
) -> list[list[Mapping[str, Any]]]:
    """Ask many targets for ``hold`` seconds; of each what was seen, which is never nothing."""
    reply = channel.ask({"op": "watch", "targets": list(targets), "hold": hold}, hold + timeout)
    with _reading(reply):
        seen: list[list[Mapping[str, Any]]] = [
            [dict(one) for one in kinds] for _, kinds in zip(targets, reply["seen"], strict=True)
        ]
        if not all(seen):
            raise ValueError("nothing was seen of a target")
        return seen


def release(channel: Channel, keys: Sequence[str]) -> None:
    """Close the connections that probes held. Where nobody hears it, they are closed after a while."""
    with contextlib.suppress(AgentGone):
        channel.tell({"op": "release", "keys": list(keys)})


def look(channel: Channel, *names: str) -> Mapping[str, Any]:
    """What the agent sees of its namespace: see ``agent.serve.LOOK`` for the names."""
    reply = channel.ask({"op": "look", "names": list(names)}, 5.0)
    with _reading(reply):
        seen = dict(reply["seen"])
        return {name: seen[name] for name in names}


def listeners(channel: Channel, ports: Sequence[int] = ()) -> list[Row]:
    """The sockets of its namespace that wait for others, on all ports or some. Raises ``DockconnError`` for too many."""
    return _rows(channel, "listeners", {"ports": list(ports)})


def sockets(channel: Channel, protocol: str, port: int, peer_port: int = 0) -> list[Row]:
    """The sockets of its namespace on a port, connected to any port or to this one. Raises ``DockconnError`` for too many."""
    return _rows(channel, "sockets", {"protocol": protocol, "ports": [port], "peer_port": peer_port})


def _rows(channel: Channel, name: str, only: Mapping[str, Any]) -> list[Row]:
    reply = channel.ask({"op": "look", "names": [name], "only": only}, 5.0)
    with _reading(reply):
        rows: list[Row] = [{key: kind(one[key]) for key, kind in _ROW.items()} for one in reply["seen"][name]]
    if len(rows) > ROWS:
        raise DockconnError(
            f"there are more than {ROWS} {name} in that network namespace, so that one of them can't be looked for",
            checked="/proc/net/tcp, tcp6, udp and udp6 there",
            remedy="see what opens them all; a server that says who it is needs no such look",
        )
    return rows


def selftest(channel: Channel, nonce: str) -> tuple[bool, str]:
    """Whether a probe from there can succeed at all, and what is wrong if not."""
    reply = channel.ask({"op": "selftest", "nonce": nonce}, 5.0)
    with _reading(reply):
        return reply["selftest"]["ok"] is True, str(reply["selftest"]["detail"])


@contextlib.contextmanager
def _reading(reply: Reply) -> Iterator[None]:
    """Raises ``AgentGone`` for a reply that says that something broke there, and for one that can't be read."""
    if "error" in reply:
        raise AgentGone(f"the agent could not do it: {one_line(str(reply['error']), SHOWN)}")
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise AgentGone(f"the agent's answer can't be read: {type(error).__name__}: {error}") from error

"""Channels to agents: a line of JSON out, a line of JSON back, over a container's attached streams."""

from __future__ import annotations

import json
import queue
import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..agent import serve
from ..engine.port import Stream
from ..errors import DockconnError
from ..text import ending, one_line

#: Seconds on top of a probe's own time limit before its agent counts as gone.
GRACE = 10.0

#: Bytes of one line at the most: 10,000 results with all that they say.
LONGEST = 32 << 20
#: Characters of what it wrote that are shown.
SHOWN = 300

Request = Mapping[str, Any]
Reply = Mapping[str, Any]


class AgentGone(DockconnError):
    """The agent does not answer any more."""


class Channel(Protocol):
    """A way to an agent."""

    def ask(self, request: Request, timeout: float) -> Reply:
        """One request, one reply; ``timeout`` in seconds. Raises ``AgentGone``."""

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

    def close(self) -> None:
        """Nothing to let go of."""


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
        threading.Thread(target=self._read, name=f"dockconn-agent-{name}", daemon=True).start()

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
        buffer = bytearray()
        while len(buffer) < LONGEST:
            name, data = self._stream.read()
            if not data:
                break
            if name == "stderr":
                self.stderr = (self.stderr + data.decode("utf-8", "replace"))[-4000:]
                continue
            buffer += data
            if b"\n" in data:
                *lines, last = bytes(buffer).split(b"\n")
                buffer = bytearray(last)
                for line in lines:
                    if line.startswith(b"{"):  # all else is not the agent's: something else in the container wrote it
                        self._deliver(line)
        else:
            self._flooded = f"another process has written {LONGEST >> 20} MiB without an end of line into its stream"
            self._stream.close()

    def _deliver(self, line: bytes) -> None:
        try:
            reply = json.loads(line)
            number = str(reply.pop("id"))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
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
            self._stream.write(json.dumps({**request, "id": number}).encode() + b"\n")
            reply = box.get(timeout=timeout + GRACE)
        except OSError as error:
            raise self._gone(str(error)) from error
        except queue.Empty:
            self._silent = self._replies == replies  # else it answers others, and is only slow with this
            raise self._gone(f"no reply within {timeout + GRACE:g} s") from None
        if reply is None:
            raise self._gone(self._flooded or "it ended")
        self._replies += 1
        self._silent = False
        return reply

    def _gone(self, why: str) -> AgentGone:
        wrote = one_line(ending(self.stderr.strip(), SHOWN), SHOWN)
        said = f"; it wrote: {wrote}" if wrote else ""
        return AgentGone(f"the agent of {self._name} does not answer: {why}{said}")

    def close(self) -> None:
        """Let go of the stream."""
        self._alive = False
        self._stream.close()


def probes(channel: Channel, targets: Sequence[Mapping[str, Any]], timeout: float) -> list[Mapping[str, Any]]:
    """Ask many targets in one request."""
    return list(_checked(channel.ask({"op": "probe", "targets": list(targets)}, timeout))["results"])


def watch(
    channel: Channel, targets: Sequence[Mapping[str, Any]], hold: float, timeout: float
) -> list[list[Mapping[str, Any]]]:
    """Ask many targets for ``hold`` seconds."""
    request = {"op": "watch", "targets": list(targets), "hold": hold}
    return [list(kinds) for kinds in _checked(channel.ask(request, hold + timeout))["seen"]]


def release(channel: Channel, keys: Sequence[str]) -> None:
    """Close the connections that probes held."""
    channel.ask({"op": "release", "keys": list(keys)}, 5.0)


def look(channel: Channel, *names: str) -> Mapping[str, Any]:
    """What the agent sees of its namespace: see ``agent.serve.LOOK`` for the names."""
    return dict(_checked(channel.ask({"op": "look", "names": list(names)}, 5.0))["seen"])


def selftest(channel: Channel, nonce: str) -> tuple[bool, str]:
    """Whether a probe from there can succeed at all, and what is wrong if not."""
    said = _checked(channel.ask({"op": "selftest", "nonce": nonce}, 5.0))["selftest"]
    return bool(said["ok"]), str(said["detail"])


def _checked(reply: Reply) -> Reply:
    if "error" in reply:
        raise AgentGone(f"the agent could not do it: {one_line(str(reply['error']), SHOWN)}")
    return reply

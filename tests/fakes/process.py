"""What runs in the fake engine's containers: a tiny shell, and the agent as an attached stream."""

from __future__ import annotations

import json
import queue
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_dockconn.agent import serve, verdict


@dataclass(slots=True)
class Done:
    """How a command ended."""

    code: int = 0
    out: str = ""
    err: str = ""


def run(argv: Sequence[str], environ: Mapping[str, str], hosts: str) -> Done | None:
    """A command of a tiny set; None where there is no such command."""
    name, *rest = argv
    known: dict[str, Callable[[], Done]] = {
        "true": Done,
        "false": lambda: Done(1),
        "echo": lambda: Done(out=" ".join(rest) + "\n"),
        "hostname": lambda: Done(out=environ.get("HOSTNAME", "") + "\n"),
        "cat": lambda: _cat(rest, environ, hosts),
        "sh": lambda: _shell(rest, environ, hosts),
    }
    return known[name]() if name in known else None


def _cat(paths: Sequence[str], environ: Mapping[str, str], hosts: str) -> Done:
    variables = "".join(f"{k}={v}\0" for k, v in environ.items())
    files = {"/proc/1/environ": variables, "/proc/self/environ": variables, "/etc/hosts": hosts}
    missing = [path for path in paths if path not in files]
    if missing:
        return Done(1, err=f"cat: {missing[0]}: No such file or directory\n")
    return Done(out="".join(files[path] for path in paths))


def _shell(words: Sequence[str], environ: Mapping[str, str], hosts: str) -> Done:
    assert words[0] == "-c", words
    total = Done()
    for part in words[1].split(";"):
        argv = shlex.split(part)
        if argv[0] == "exit":
            total.code = int(argv[1])
            break
        to_stderr = argv[-1] == ">&2"
        done = run(argv[:-1] if to_stderr else argv, environ, hosts) or Done(127, err=f"sh: {argv[0]}: not found\n")
        total.code = done.code
        total.err += done.err + (done.out if to_stderr else "")
        total.out += "" if to_stderr else done.out
    return total


@dataclass(slots=True)
class Surroundings:
    """What an agent in a container sees, read anew for each request.

    Attributes:
        identity: the container's id.
        addresses: of its network namespace; None where that is the host's.
        environ: variables of the process.
        hosts: its /etc/hosts.
        resolve: a name to an address; None for one that is not known.
    """

    identity: str
    addresses: tuple[str, ...] | None
    environ: Mapping[str, str]
    hosts: str
    resolve: Callable[[str], str | None]


Reader = Callable[[], Surroundings]


@dataclass(slots=True)
class AgentStream:
    """A ``Stream`` to an agent in this process: the agent's own code, with a container's view of names and sockets."""

    reader: Reader
    running: bool = False
    hears: bool = True
    _out: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)
    _early: list[bytes] = field(default_factory=list)
    _ended: bool = False

    def write(self, line: bytes) -> None:
        """A request; kept until the container runs."""
        if self._ended:
            raise BrokenPipeError("the container is gone")
        if not self.hears:
            return  # its stdin is not open: docker takes it, and nobody reads it
        if not self.running:
            self._early.append(line)
            return
        threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def begin(self) -> None:
        """The container runs now."""
        self.running = True
        early, self._early = self._early, []
        for line in early:
            self.write(line)

    def read(self) -> tuple[str, bytes]:
        """Wait for an answer."""
        return "stdout", self._out.get()

    def close(self) -> None:
        """Let go, and wake who reads."""
        self._ended = True
        self._out.put(b"")

    def _answer(self, line: bytes) -> None:
        request = json.loads(line)
        self._out.put(json.dumps({**handled(request, self.reader()), "id": request["id"]}).encode() + b"\n")


def handled(request: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """The answer of ``agent.serve``, as it would be in the container."""
    if request.get("op") in ("probe", "watch"):
        return _asked(request, around)
    reply = serve.handle(request)
    if "seen" in reply and request.get("op") == "look":
        seen: Any = reply["seen"]
        reply["seen"] = dict(_looked(seen, around))
    return reply


def _asked(request: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    known = [around.resolve(str(target["host"])) for target in request["targets"]]
    there = [{**t, "host": a} for t, a in zip(request["targets"], known, strict=True) if a is not None]
    reply = serve.handle({**request, "targets": there})
    key = "results" if request["op"] == "probe" else "seen"
    answers = iter(reply[key])  # type: ignore[call-overload]
    lost = [_lost(str(target["host"]), wrapped=key == "seen") for target in request["targets"]]
    return {key: [one if address is None else next(answers) for one, address in zip(lost, known, strict=True)]}


def _lost(name: str, *, wrapped: bool) -> Any:
    """What an agent says of a name that is not known, in the agent's own words; of a watch each kind of result."""
    detail = f"name resolution: {name!r} is not known"
    one = {"verdict": verdict.NAME_NOT_FOUND, "address": "", "detail": detail, "elapsed": 0.0}
    return [dict(one, attempts=1)] if wrapped else one


def _looked(seen: Mapping[str, Any], around: Surroundings) -> Iterator[tuple[str, Any]]:
    for name, value in seen.items():
        if name == "environ":
            yield name, dict(around.environ)
        elif name == "hosts":
            yield name, around.hosts
        elif name == "container":
            yield name, around.identity
        elif name in ("sockets", "listeners") and around.addresses is not None:
            yield name, [row for row in value if row["local"] in around.addresses]
        else:
            yield name, value

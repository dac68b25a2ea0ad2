"""Requests in, answers out: a line of JSON each, in any order of completion."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping

from . import control, namespace, verdict
from .held import release
from .probe import probe
from .watch import watch

#: Threads of one request at first, and at most. Most probes of a large request either take under a millisecond, where more
#: threads are only in each other's way, or wait for an answer that does not come, and then each needs one.
FEW, WIDTH = 4, 128

#: Seconds without an end to all probes after which there are twice as many threads.
PACE = 0.005

#: Characters of all texts in one reply. As JSON each may become six bytes, and a line ends at 32 MiB.
TEXTS = 2 << 20

LOOK: dict[str, Callable[[], object]] = {
    "hosts": lambda: namespace.read("/etc/hosts"),
    "resolv": lambda: namespace.read("/etc/resolv.conf"),
    "environ": namespace.environ,
    "interfaces": namespace.interfaces,
    "routes": namespace.routes,
    "container": namespace.own_container,
}

ROWS: dict[str, Callable[[Mapping[str, object]], object]] = {
    "listeners": namespace.listeners, "sockets": namespace.sockets,
}  # fmt: skip


def probes(targets: list[dict[str, object]]) -> list[dict[str, object]]:
    """Ask all targets at once; results in the order of the targets."""
    if len(targets) == 1:
        return [probe(targets[0])]
    results: list[dict[str, object]] = [
        {"verdict": verdict.INCONCLUSIVE, "detail": "it was not asked"} for _ in targets
    ]
    work = iter(range(len(targets)))
    lock = threading.Lock()

    def take() -> None:
        while True:
            with lock:
                at = next(work, -1)
            if at < 0:
                return
            results[at] = probe(targets[at])

    threads: list[threading.Thread] = []
    while len(threads) < min(WIDTH, len(targets)):
        more = _threads(take, max(FEW, len(threads)))
        threads += more
        if not more:
            take()  # there are no more threads to be had: then in this one, too
            break
        threads[0].join(PACE)
        if not any(thread.is_alive() for thread in threads):
            break
    for thread in threads:
        thread.join()
    return _fitting(results)


def _fitting(results: list[dict[str, object]]) -> list[dict[str, object]]:
    """With long texts cut, where one enemy among many would make the reply too long for all."""
    if sum(len(str(one.get("text", ""))) for one in results) <= TEXTS:
        return results
    return [dict(one, text=str(one.get("text", ""))[: TEXTS // len(results)]) for one in results]


def _threads(work: Callable[[], None], count: int) -> list[threading.Thread]:
    """As many as the system has, of so many that do this work."""
    found: list[threading.Thread] = []
    with contextlib.suppress(RuntimeError):  # can't start new thread
        for _ in range(count):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            found.append(thread)
    return found


def look(names: list[str], only: Mapping[str, object]) -> dict[str, object]:
    """What these names stand for, here and now; of sockets those that ``only`` asks for (see ``namespace.sockets``)."""
    return {name: ROWS[name](only) if name in ROWS else LOOK[name]() for name in names}


def handle(request: dict[str, object]) -> dict[str, object]:
    """The answer to one request; never an exception."""
    try:
        kind = request.get("op")
        if kind == "probe":
            return {"results": probes(request["targets"])}  # type: ignore[arg-type]
        if kind == "watch":
            return {"seen": watch(request["targets"], float(request["hold"]))}  # type: ignore[arg-type]
        if kind == "release":
            release(request["keys"])  # type: ignore[arg-type]
            return {}
        if kind == "look":
            return {"seen": look(request["names"], request.get("only") or {})}  # type: ignore[arg-type]
        if kind == "selftest":
            return {"selftest": control.selftest(str(request["nonce"]))}
        return {"error": "unknown request {!r}".format(kind)}
    except Exception as error:  # the far side must get an answer, whatever broke here
        return {"error": "{}: {}".format(type(error).__name__, error)}


def serve(lines: object, out: object) -> None:
    """Answer every line of ``lines`` on ``out`` until there are none; requests run side by side."""
    lock = threading.Lock()

    def answer(request: dict[str, object]) -> None:
        reply = _line(handle(request), request.get("id"))
        with lock:
            # a line of its own, whatever another process has written there before without an end of line
            out.write("\n" + reply + "\n")  # type: ignore[attr-defined]
            out.flush()  # type: ignore[attr-defined]

    for line in lines:  # type: ignore[attr-defined]
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(request, dict) and not _threads(lambda request=request: answer(request), 1):  # type: ignore[misc]
            answer(request)  # there is no thread to be had: then one after the other


def _line(reply: dict[str, object], number: object) -> str:
    """A reply as a line, its number last: by that alone it is found among what others write into the same stream."""
    reply.pop("id", None)
    try:
        return json.dumps(dict(reply, id=number))
    except (TypeError, ValueError) as error:
        return json.dumps({"error": "{}: {}".format(type(error).__name__, error), "id": number})

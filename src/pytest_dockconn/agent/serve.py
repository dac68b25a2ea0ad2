"""Requests in, answers out: a line of JSON each, in any order of completion."""

from __future__ import annotations

import json
import threading

from . import control, namespace
from .probe import probe, release
from .watch import watch

#: Threads of one request at first, and at most. Most probes of a large request either take under a millisecond, where more
#: threads are only in each other's way, or wait for an answer that does not come, and then each needs one.
FEW, WIDTH = 4, 128

#: Seconds without an end to all probes after which there are twice as many threads.
PACE = 0.005

LOOK = {
    "hosts": lambda: namespace.read("/etc/hosts"),
    "resolv": lambda: namespace.read("/etc/resolv.conf"),
    "environ": namespace.environ,
    "interfaces": namespace.interfaces,
    "listeners": namespace.listeners,
    "sockets": namespace.sockets,
    "routes": namespace.routes,
    "container": namespace.own_container,
}


def probes(targets: list[dict[str, object]]) -> list[dict[str, object]]:
    """Ask all targets at once; results in the order of the targets."""
    if len(targets) == 1:
        return [probe(targets[0])]
    results: list[dict[str, object]] = [{} for _ in targets]
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
        for _ in range(max(FEW, len(threads))):
            threads.append(threading.Thread(target=take, daemon=True))
            threads[-1].start()
        threads[0].join(PACE)
        if not any(thread.is_alive() for thread in threads):
            break
    for thread in threads:
        thread.join()
    return results


def look(names: list[str]) -> dict[str, object]:
    """What the names of ``LOOK`` stand for, here and now."""
    return {name: LOOK[name]() for name in names}


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
            return {"seen": look(request["names"])}  # type: ignore[arg-type]
        if kind == "selftest":
            return {"selftest": control.selftest(str(request["nonce"]))}
        return {"error": "unknown request {!r}".format(kind)}
    except Exception as error:  # the far side must get an answer, whatever broke here
        return {"error": "{}: {}".format(type(error).__name__, error)}


def serve(lines: object, out: object) -> None:
    """Answer every line of ``lines`` on ``out`` until there are none; requests run side by side."""
    lock = threading.Lock()

    def answer(request: dict[str, object]) -> None:
        reply = json.dumps(dict(handle(request), id=request.get("id")))
        with lock:
            # a line of its own, whatever another process has written there before without an end of line
            out.write("\n" + reply + "\n")  # type: ignore[attr-defined]
            out.flush()  # type: ignore[attr-defined]

    for line in lines:  # type: ignore[attr-defined]
        try:
            request = json.loads(line)
        except ValueError:
            continue
        if not isinstance(request, dict):
            continue
        threading.Thread(target=answer, args=(request,), daemon=True).start()

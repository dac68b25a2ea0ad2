"""Names to addresses, by the resolver of wherever this runs, within a time limit."""

from __future__ import annotations

import queue
import socket
import threading

from . import verdict


def _family(name: str) -> int:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name.split("%", 1)[0])
            return family
        except OSError:
            continue
    return 0


def _ask(name: str, answers: queue.Queue[object]) -> None:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        answers.put([(int(family), str(address[0])) for family, _, _, _, address in found])
    except UnicodeError as error:
        answers.put(socket.gaierror(socket.EAI_NONAME, str(error)))
    except Exception as error:  # without it, whoever waits would hear nothing and take it for a resolver that is silent
        answers.put(error)


def resolve(name: str, timeout: float) -> list[tuple[int, str]]:
    """The addresses of ``name`` as (family, address), IPv4 first; ``timeout`` in seconds.

    ``getaddrinfo`` can't be interrupted and takes 8 to 10 s where the upstream server is out of reach, so it
    is asked in a thread that is left behind when it does not answer in time.
    """
    family = _family(name)
    if family:
        return [(family, name)]
    answers: queue.Queue[object] = queue.Queue()
    threading.Thread(target=_ask, args=(name, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise verdict.ProbeFailed(
            verdict.TIMED_OUT, "name resolution: no answer for {!r} within {:g} s".format(name, timeout)
        ) from None
    if isinstance(answer, OSError):
        raise _resolver_said(name, answer)
    if isinstance(answer, Exception):
        words = "name resolution: {!r} can't be asked for: {}: {}"
        raise verdict.ProbeFailed(verdict.INCONCLUSIVE, words.format(name, type(answer).__name__, answer))
    found: list[tuple[int, str]] = []
    for address in answer:  # type: ignore[attr-defined]
        if address not in found:
            found.append(address)
    return sorted(found, key=lambda pair: pair[0] != socket.AF_INET)


def _resolver_said(name: str, error: OSError) -> verdict.ProbeFailed:
    if error.errno == socket.EAI_AGAIN:
        return verdict.ProbeFailed(
            verdict.NAME_NOT_FOUND,
            "name resolution: temporary failure for {!r} (EAI_AGAIN: no name server answered with a yes or a no)".format(
                name
            ),
        )
    if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
        return verdict.ProbeFailed(verdict.NAME_NOT_FOUND, "name resolution: {!r} is not known".format(name))
    return verdict.ProbeFailed(
        verdict.INCONCLUSIVE, "name resolution: {} for {!r}".format(error.strerror or error, name)
    )

"""One engine, one run: its labs, and the tutorial's containers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from .actions.services import Services
from .errors import EngineError
from .handles.connection import Connection
from .handles.own import Client, Server
from .lab import Lab

T = TypeVar("T")

#: Seconds that a server which another container waits for is ahead of the others; a create takes 0.03 s. The engine works
#: on all at once, so without a lead server3 is often ready last, and client3 starts alone after it. Seen in two single runs
#: without the lead: all there 0.75 s after collection where server3 happened to be first, 1.0 s where it was last.
LEAD = 0.05


class Tutorial:
    """The containers of the tutorial, each made once a session, when somebody first wants it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._lock = threading.Lock()
        self._made: dict[str, Future[Any]] = {}

    def _once(self, name: str, make_it: Callable[[], T]) -> T:
        with self._lock:
            future = self._made.get(name)
            mine = future is None
            if future is None:
                future = self._made[name] = Future()
        if mine:
            try:
                future.set_result(make_it())
            except BaseException as error:
                if not isinstance(error, Exception):  # pytest-timeout ended a fixture: the next who wants it tries anew
                    with self._lock:
                        del self._made[name]
                future.set_exception(error)
        result: T = future.result()
        return result

    def client(self) -> Client:
        """``client1``, on the default bridge."""
        return self._once("client1", lambda: self._lab.client(name="client1"))

    def exposed(self) -> Server:
        """``server1``, port 80 exposed."""
        return self._once("server1", lambda: self._lab.server(name="server1"))

    def bound(self) -> Server:
        """``server2``, port 80 bound to a free port of 127.0.0.1."""
        return self._once("server2", lambda: self._lab.server(name="server2", bind={80: None}))

    def linked_server(self) -> Server:
        """``server3``."""
        return self._once("server3", lambda: self._lab.server(name="server3"))

    def linked_client(self) -> Client:
        """``client3``, linked to ``server3``."""
        return self._once("client3", lambda: self._lab.client(name="client3", links=[self.linked_server()]))

    def connection(self, kind: str) -> Connection:
        """One of the three ways: ``expose``, ``bind``, ``link``."""
        if kind == "expose":
            return Connection(kind, self.client(), self.exposed().port(80), self.exposed())
        if kind == "bind":
            return Connection(kind, self._lab.host, self.bound().bound_port(80), self.bound())
        client, server = self.linked_client(), self.linked_server()
        return Connection(kind, client, server.port(80).named(server.name), server)

    def begin(self, fixtures: Iterable[str]) -> list[threading.Thread]:
        """Begin to make, side by side, what these fixtures will want. Errors wait for whoever asks first."""
        wanted = [self._PARTS[name] for name in dict.fromkeys(fixtures) if name in self._PARTS]
        parts = dict.fromkeys(part for group in wanted for part in group)
        # client3 can start only when server3 answers: let the engine finish that one first, and it starts beside the rest
        first = ("linked_server", "linked_client") if "linked_client" in parts else tuple(parts)
        threads = [
            threading.Thread(
                target=_quietly, args=(partial(self._begin_part, part, lead=part not in first),), daemon=True
            )
            for part in sorted(parts, key=lambda part: part not in first)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _begin_part(self, part: str, *, lead: bool) -> None:
        if lead and not self._lab.finds_things():
            threading.Event().wait(LEAD)
        getattr(self, part)()

    _PARTS = {  # noqa: RUF012 - never changed
        "dockconn_client": ("client",),
        "dockconn_exposed_server": ("exposed",),
        "dockconn_bound_server": ("bound",),
        "dockconn_linked_server": ("linked_server",),
        "dockconn_linked_client": ("linked_server", "linked_client"),
        "dockconn_connection": ("client", "exposed", "bound", "linked_server", "linked_client"),
    }


def _quietly(work: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # it will be raised again, for whoever needs it
        work()


class Session:
    """One engine, one run: its services, its labs, and the end of them."""

    def __init__(self, services: Services) -> None:
        self.services = services
        # two labs, so that a test's own session-wide servers can be called server1, server2, ... too
        self.lab = Lab(services, "0", keep=True)
        first = Lab(services, keep=True)
        self.tutorial = Tutorial(first)
        self._count = 0
        #: Ctrl-C came while it was closed: nobody here knows whether all of it is under way, and the helper looks
        self.interrupted = False
        self.labs: list[Lab] = [first, self.lab]

    def warm(self) -> None:
        """Begin to look up what every first container needs, while pytest still collects. Errors wait for whoever asks."""
        looks: list[Callable[[], object]] = [self.services.images.look, lambda: self.services.same_host]
        if self.services.reuse is not None:
            looks.append(self.services.reuse.offers)
        for look in looks:
            threading.Thread(target=_quietly, args=(look,), name="dockconn-warm", daemon=True).start()

    def new_lab(self) -> Lab:
        """A lab for a narrower scope."""
        self._count += 1
        lab = Lab(self.services, str(self._count))
        self.labs.append(lab)
        return lab

    def close_lab(self, lab: Lab) -> None:
        """Close a lab of this session."""
        lab.close()
        self.labs.remove(lab)

    def start_closing(self) -> None:
        """Begin to remove everything."""
        self.services.doubt.end()
        for lab in list(self.labs):
            lab.close()
        self.services.remover.submit(self.services.agents.releases())

    def close(self) -> list[str]:
        """Wait until everything is removed, and return what could not be."""
        failed = self.services.remover.failed
        self.services.remover.close()
        try:
            self.services.engine.close()
        except EngineError as error:
            failed.append(error.cause)
        reuse = self.services.reuse
        if failed or self.interrupted or self.services.doubt.there or (reuse is not None and reuse.lost):
            if reuse is not None:
                reuse.drop()
            self.services.guardian.abandon()
        elif reuse is not None and reuse.give_back():
            self.services.guardian.keep()
        else:
            self.services.guardian.dismiss()
        return failed

    def give_up(self) -> bool:
        """Wait no longer: what is left is the helper's. Returns whether there is one."""
        guarded = self.services.guardian.pid is not None
        if self.services.reuse is not None:
            self.services.reuse.drop()
        self.services.remover.give_up()  # before the helper begins, which removes the same
        self.services.guardian.abandon()
        return guarded

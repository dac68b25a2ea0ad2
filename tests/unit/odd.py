"""Values of every odd kind, and every place of the public face where one can be passed."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from tests.fakes.engine import FakeEngine

import pytest_dockconn
from pytest_dockconn import Lab, Matrix, Network, Port, Server, Verdict
from pytest_dockconn.actions.callback import Callback
from pytest_dockconn.actions.services import Services
from pytest_dockconn.handles import listener, matrix
from pytest_dockconn.handles.engine import Bridge, Engine
from pytest_dockconn.handles.host import Host
from pytest_dockconn.handles.listener import HostListener
from pytest_dockconn.model.settings import Settings

#: Python does not write it: it has more than 4300 digits.
HUGE = 10**5000
#: Text that is likely to mean something to a parser of ports, addresses, URLs or tables, and any other.
TELLING = st.sampled_from(
    ["80", "0", "65535", "65536", "80/tcp", "80/udp", "80/xyz", "80-90", "90-80", "127.0.0.1", "0.0.0.0", "::1", "fd00::1", "[::1]",
     "http://", "http://[::1", "tcp://a:1", "bootstrap:", "bootstrap:sid", "x" * 300, "../..", "-", "_", ".", "\x00", "\x1b[2J", "é",
     "\udcff", "container:x", "host", "none", "198.51.100.0/24", "198.51.100.0/33", "None", "a b", "=", "|", "host-gateway",
     "9" * 5000, "fe80::1%\n6.6.6.6", "http://\udcff/", "~nosuchuser/x.tar", "/" + "x" * 300]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=40), TELLING)
SCALAR = st.one_of(
    TEXT, st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.booleans().map(lambda less: -HUGE if less else HUGE), st.floats(),
    st.binary(max_size=8), st.just(object()),
)  # fmt: skip
ANY = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(TEXT, st.integers(-2, 70000), st.none()), inner, max_size=4),
        st.sets(st.one_of(TEXT, st.integers(0, 70000)), max_size=3),
    ),
    max_leaves=6,
)


class Mute:
    """Can't even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


class Handle(NamedTuple):
    """Stands for what the stage has of this name, which is there only when a test runs."""

    name: str


HANDLES = ("lab", "server", "port", "network", "host", "listener", "matrix", "engine", "bridge", "stopped")
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 80, 65536, 2**70, HUGE, -HUGE, 0.5, -1.0, math.nan, math.inf, -math.inf, 1e300, 1j,
    "", " ", "a", "\0", "ab\0", "\x1b[2J", "\udcff", "ab\udcff", "é", "\u202eab", "\u2028", "\r\n", "x" * 5000, "9" * 5000, "²", "-1",
    "80-90", "53/udp", "a b", "%", "..", "a/../b", "/", "0.0.0.0", "fe80::1%\n6.6.6.6", "fe80::1%\x1b[2J", "http://\udcff/", "http://",
    "tcp://\x1b[2J:1", "the host", b"", b"ab", b"\xff", bytearray(b"ab"), [], (), {}, set(), range(3), object(), Mute(), dict,
    ..., Path("ab"), Verdict.REFUSED, ValueError("ab"), *map(Handle, HANDLES),
)  # fmt: skip


def shapes(value: Any) -> Iterator[Any]:
    """A value, and whatever it may be a part of."""
    yield value
    yield [value]
    yield (value, value)
    yield {"ab": value}
    yield {80: value}
    with contextlib.suppress(TypeError):
        yield {value: None}
        yield {(value, value): "yes"}


#: Of all of them; by number, because hypothesis would show each.
ODD_SHAPES = st.tuples(st.integers(0, len(ODD) - 1), st.integers(0, 6)).map(
    lambda at: (parts := [*shapes(ODD[at[0]])])[at[1] % len(parts)]
)


class Place(NamedTuple):
    """A parameter of a public callable; ``owner`` is the stage's handle that it is a method of, or empty."""

    owner: str
    call: str
    parameter: str

    def __str__(self) -> str:
        return f"{self.owner or 'pytest_dockconn'}.{self.call}({self.parameter})"


#: Whose methods tests call. What a server can do, every container can.
OWNERS: dict[str, type] = {
    "lab": Lab, "server": Server, "port": Port, "network": Network, "host": Host, "listener": HostListener, "matrix": Matrix,
    "engine": Engine, "bridge": Bridge,
}  # fmt: skip
#: Spoken among the floors of the house, in its own types.
INTERNAL = {"targets_from", "targets_of", "ask_all", "must_be_ours", "network_called", "last_lines"}
#: Not asked here, and why.
ELSEWHERE = {
    "port.get(kwargs)": "they are those of requests.get",
}


def places() -> list[Place]:
    """Every parameter of every public callable."""
    found = [
        Place("", name, parameter)
        for name in pytest_dockconn.__all__
        if inspect.isfunction(call := getattr(pytest_dockconn, name))
        for parameter in inspect.signature(call).parameters
    ]
    for owner, cls in OWNERS.items():
        for name, call in inspect.getmembers(cls, inspect.isfunction):
            if name == "__getitem__" or not (name.startswith("_") or name in INTERNAL):
                found += [Place(owner, name, parameter) for parameter in [*inspect.signature(call).parameters][1:]]
    return [place for place in found if str(place) not in ELSEWHERE]


class Reached(Exception):
    """The engine was asked to change something, or an agent to ask something, or a port of this machine was opened."""


#: The calls of the engine that change something.
CHANGES = {
    "create", "start", "stop", "remove", "execute", "attach", "commit", "import_image", "build", "remove_image", "create_network",
    "remove_network", "connect", "disconnect",
}  # fmt: skip


class Wary(FakeEngine):
    """Once it is armed it changes nothing, and tells that it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = 0
        self.armed = False

    def _enter(self, call: str, about: str = "") -> None:
        if self.armed and call in CHANGES:
            self.reach()
        super()._enter(call, about)

    def reach(self, *_: object, **__: object) -> Any:
        """Where nothing odd may come."""
        self.reached += 1
        raise Reached

    def passing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Where nothing odd may come either; but it goes on, so that what is refused too late shows."""

        def counted(*args: Any) -> Any:
            self.reached += 1
            return call(*args)

        return counted


class Stage:
    """One of everything, and an engine that is armed."""

    def __init__(self, engine: Wary, services: Services) -> None:
        self.engine = engine
        lab = Lab(services, "p")
        server, network = lab.server(bind={80: None}), lab.network()
        client, stopped = lab.client(), lab.server(name="stopped")
        stopped.stop()
        port = server.port(80)
        self.handles: dict[str, Any] = {
            "lab": lab, "server": server, "port": port, "network": network, "host": lab.host, "listener": lab.host.listen(),
            "matrix": lab.matrix([client], [port]), "engine": lab.engine, "bridge": lab.bridge, "stopped": stopped,
        }  # fmt: skip
        assert lab.host.probe(self.handles["listener"])  # so that nobody waits for a call
        #: what each parameter may be that has no default
        self.fine: dict[str, Any] = {
            "source": client, "sources": [client], "destination": port, "destinations": [port], "container": stopped, "a": server,
            "b": client, "client": client, "server": server, "containers": [client, server], "allow": [], "number": 80,
            "expected": "x:1\ny yes", "key": (client, port), "capability": "links", "project": "shop", "name": "db",
            **self.handles,
        }  # fmt: skip

    def real(self, value: Any) -> Any:
        """A value with the handles that are named in it."""
        if isinstance(value, Handle):
            return self.handles[value.name]
        if isinstance(value, dict):
            return {self.real(key): self.real(one) for key, one in value.items()}
        return type(value)(map(self.real, value)) if isinstance(value, (list, tuple)) else value

    def call(self, place: Place, value: Any) -> None:
        """Pass the value there, and something fine elsewhere."""
        call: Callable[..., Any] = getattr(self.handles.get(place.owner, pytest_dockconn), place.call)
        parameters = inspect.signature(call).parameters
        wanted = [
            n for n, p in parameters.items() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        given = {
            **{name: self.fine[name] for name in wanted if name != place.parameter},
            place.parameter: self.real(value),
        }
        star = parameters[place.parameter].kind is inspect.Parameter.VAR_POSITIONAL
        result = call(given[place.parameter]) if star else call(**given)
        if place.call == "partition":
            with result:
                pass


@contextlib.contextmanager
def staged() -> Iterator[Stage]:
    """A stage where nothing is made, asked or opened any more without a word."""
    engine = Wary()
    services = Services(engine, Settings(), lambda _: None)
    try:
        stage = Stage(engine, services)
        with pytest.MonkeyPatch.context() as patch:
            engine.armed = True
            patch.setattr(services.agents, "channel", engine.reach)
            patch.setattr(services, "host_channel", engine.reach)
            patch.setattr(listener, Callback.__name__, engine.reach)
            patch.setattr(services.images, "get", engine.passing(services.images.get))
            patch.setattr(matrix, "_opened", engine.passing(lambda _: None))
            yield stage
            engine.armed = False
        stage.handles["lab"].close()
        services.remover.join()
    finally:
        engine.shut_down()

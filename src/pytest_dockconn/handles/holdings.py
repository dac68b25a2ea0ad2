"""What a lab has made, until it closes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial

from ..actions.committed import discard
from ..actions.services import Services
from ..errors import DockconnError
from .container import Container
from .network import Network
from .own import Own


class Holdings:
    """The containers and networks of a lab. Several threads may add to them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._closed = False
        self.containers: list[Own] = []
        self._networks: list[Network] = []
        self._adopted: list[Container] = []

    def check(self) -> None:
        """Raises ``DockconnError`` where the lab is closed: nobody would remove what it makes now."""
        if self._closed:
            raise _closed()

    def add(self, made: Own | Network) -> None:
        """Hold what was just made. Raises ``DockconnError`` where the lab was closed meanwhile; it is removed then."""
        with self._lock:
            if not self._closed:
                if isinstance(made, Network):
                    self._networks.append(made)
                else:
                    self.containers.append(made)
                return
        self._services.doubt.undo(made.discard)
        raise _closed()

    def adopt(self, container: Container) -> None:
        """Hold what others made."""
        with self._lock:
            self._adopted.append(container)

    def close(self) -> None:
        """Remove what was made, side by side and in the background; ``Services.remover`` can be waited for."""
        with self._services.doubt.removing():
            self._begin_removal()

    def _begin_removal(self) -> None:
        with self._lock:
            self._closed = True
            containers, self.containers = self.containers, []
            networks, self._networks = self._networks, []
            adopted, self._adopted = self._adopted, []
        services, keeps = self._services, self._services.keeps
        for container in containers:
            container.over = True  # before its images are counted
        gone = [c.id for c in adopted if services.let_go(c.id, c)]
        services.remover.submit([partial(services.agents.release, container) for container in gone])
        begun = services.remover.submit([c.leave if keeps(c.id) else c.discard for c in containers])
        services.remover.submit([_after(begun, network.discard) for network in networks if not keeps(network.id)])
        # one after the other, the latest first: it may be made of an earlier one
        for _, image in sorted((one for container in containers for one in container.images), reverse=True):
            begun = services.remover.submit([_after(begun, partial(discard, services.engine, image.id, image.tag))])


def _after(begun: Iterable[Future[None]], removal: Callable[[], None]) -> Callable[[], None]:
    """A removal that first waits for others, which were begun before."""

    def remove() -> None:
        for future in begun:
            future.result()
        removal()

    return remove


def _closed() -> DockconnError:
    return DockconnError(
        "this lab is closed: what it made is removed, and it makes no more",
        checked="the scope of its fixture is over",
        remedy="ask for the fixture `dockconn` where it is used; what lives longer is made by dockconn_module or dockconn_session",
    )

"""What runs keep on an engine for those to come (``--dockconn-reuse``): found by its labels, removed under its lease."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from .. import labels
from ..engine.port import Engine
from ..errors import DockconnError
from ..logic.reuse import Offer, offer, short
from .leases import Lease, Leases


class Kept:
    """What is kept on an engine, by whatever project."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.leases = Leases()
        self._lock = threading.Lock()
        self._known: list[Offer] | None = None

    def known(self) -> list[Offer]:
        """All of it, as it was when first asked: at the begin of the run."""
        with self._lock:
            if self._known is None:
                self._known = self.now()
            return self._known

    def now(self) -> list[Offer]:
        """All of it, as it is."""
        found = [_container(entry) for entry in self.engine.containers(labels.REUSE)]
        found += [offer("network", one.id, one.name, one.labels) for one in self.engine.networks(labels.REUSE)]
        return [one for one in found if one is not None]

    def take(self, found: Offer) -> Lease | None:
        """The right to use it, or to remove it; None where a run uses it, or its lease is not this user's."""
        return self.leases.take(found.run, found.id)

    def is_free(self, found: Offer) -> bool:
        """Whether it could be taken now."""
        return self.leases.until(found.run, found.id) is not None and not self.leases.is_used(found.run, found.id)

    def user(self, found: Offer) -> str:
        """Why it can't be taken, in words."""
        who = self.leases.user(found.run, found.id)
        return (
            f"{short(found)} is used by {who}" if who else f"{short(found)} is kept by another user, or another machine"
        )

    def remove(self, found: Offer, lease: Lease) -> bool:
        """Remove it, and its lease; whether it is gone. Where the engine refuses, its helper tries again."""
        try:
            (self.engine.remove if found.kind == "container" else self.engine.remove_network)(found.id)
        except DockconnError:
            lease.drop()
            return False
        except BaseException:  # Ctrl-C: it may be on its way out
            lease.drop()
            raise
        lease.end()
        return True


def _container(entry: Mapping[str, Any]) -> Offer | None:
    found = offer("container", str(entry["id"]), str(entry["name"]), entry["labels"])
    return found._replace(at=entry["networks"], ports=entry["ports"]) if found is not None else None

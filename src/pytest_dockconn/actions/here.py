"""This machine now, as seen from an engine: what tells whether an owner lives."""

from __future__ import annotations

import contextlib
import socket
import time

from .. import labels
from ..agent.namespace import interfaces
from ..engine.port import Engine
from ..errors import DockconnError
from ..logic.stale import Here


def here(engine: Engine, *, local: bool | None = None) -> Here:
    """This machine now, as seen from an engine; ``local``: whether it runs here, where that need not be looked up."""
    return Here(
        host=socket.gethostname(),
        machine=labels.machine_id(),
        boot=labels.boot_id(),
        pidns=labels.pid_namespace(),
        started=labels.process_started,
        local=_is_local(engine) if local is None else local,
        now=time.time(),
    )


def _is_local(engine: Engine) -> bool:
    """Whether a bridge of the engine is an interface here: a socket's path may lead into a virtual machine.

    A rootless engine has its bridges in a namespace of its own, and podman none before the first container: of these its host's name tells.
    """
    if not engine.url.startswith("unix://") or not labels.boot_id():
        return False
    names = {str(one["name"]) for one in interfaces()}
    with contextlib.suppress(DockconnError):
        bridges = [n.options.get("com.docker.network.bridge.name", "podman0") for n in engine.networks()]
        return not names.isdisjoint(bridges) or engine.info().name == socket.gethostname()
    return False

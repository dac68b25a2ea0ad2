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
    """Whether a bridge of the engine is an interface here: a socket's path may lead into a virtual machine."""
    if not engine.url.startswith("unix://"):
        return False
    names = {str(one["name"]) for one in interfaces()} if labels.boot_id() else set()
    with contextlib.suppress(DockconnError):
        return any(n.options.get("com.docker.network.bridge.name", "podman0") in names for n in engine.networks())
    return False

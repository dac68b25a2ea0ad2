"""pytest-dockconn: which containers can talk to which, and which cannot.

Nothing heavy is imported here: a name loads its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assertions.linked import assert_linked
    from .assertions.matrix import assert_matrix, assert_policy
    from .assertions.reachable import assert_reachable
    from .assertions.unreachable import assert_unreachable
    from .errors import DockconnError, ReachabilityError
    from .handles.connection import Connection
    from .handles.container import Container, Port
    from .handles.engine import Bridge, Engine
    from .handles.host import Host
    from .handles.image import Image
    from .handles.matrix import Matrix
    from .handles.network import Network
    from .handles.own import Client, Server
    from .lab import Lab
    from .model.probe import ProbeResult, Verdict

__all__ = [
    "Bridge",
    "Client",
    "Connection",
    "Container",
    "DockconnError",
    "Engine",
    "Host",
    "Image",
    "Lab",
    "Matrix",
    "Network",
    "Port",
    "ProbeResult",
    "ReachabilityError",
    "Server",
    "Verdict",
    "assert_linked",
    "assert_matrix",
    "assert_policy",
    "assert_reachable",
    "assert_unreachable",
]

_PLACES = {
    "Bridge": "handles.engine",
    "Client": "handles.own",
    "Connection": "handles.connection",
    "Container": "handles.container",
    "DockconnError": "errors",
    "Engine": "handles.engine",
    "Host": "handles.host",
    "Image": "handles.image",
    "Lab": "lab",
    "Matrix": "handles.matrix",
    "Network": "handles.network",
    "Port": "handles.container",
    "ProbeResult": "model.probe",
    "ReachabilityError": "errors",
    "Server": "handles.own",
    "Verdict": "model.probe",
    "assert_linked": "assertions.linked",
    "assert_matrix": "assertions.matrix",
    "assert_policy": "assertions.matrix",
    "assert_reachable": "assertions.reachable",
    "assert_unreachable": "assertions.unreachable",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)

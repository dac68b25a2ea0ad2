"""One of the three ways of the tutorial, as a test sees it."""

from __future__ import annotations

from msgspec import Struct

from .container import Port
from .own import Server
from .source import Source


class Connection(Struct, frozen=True):
    """``kind`` is ``expose``, ``bind`` or ``link``; ``source`` asks ``destination``, which is a port of ``server``."""

    kind: str
    source: Source
    destination: Port
    server: Server

"""One of the three ways of the tutorial, as a test sees it."""

from __future__ import annotations

from dataclasses import dataclass

from .container import Port
from .own import Server
from .source import Source


@dataclass(frozen=True, slots=True)
class Connection:
    """``kind`` is ``expose``, ``bind`` or ``link``; ``source`` asks ``destination``, which is a port of ``server``."""

    kind: str
    source: Source
    destination: Port
    server: Server

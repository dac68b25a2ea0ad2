"""An image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """An image on the engine: ``id``, and ``tag`` (name with tag, as ``docker run`` takes it)."""

    id: str
    tag: str

    def __str__(self) -> str:
        return self.tag

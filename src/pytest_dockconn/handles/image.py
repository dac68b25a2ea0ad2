"""An image."""

from __future__ import annotations

from msgspec import Struct


class Image(Struct, frozen=True):
    """An image on the engine: ``id``, and ``tag`` (name with tag, as ``docker run`` takes it)."""

    id: str
    tag: str

    def __str__(self) -> str:
        return self.tag

"""The options, read once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line and the ini file ask for.

    Attributes:
        enabled: ``--dockconn``.
        engine: the engine's URL, or None for the usual places.
        base: what the two images are built on.
        client_image: a ready image in place of the built one.
        server_image: likewise.
        strict: a missing capability is a failure.
        keep: containers of failed tests stay.
    """

    enabled: bool = False
    engine: str | None = None
    base: str = "auto"
    client_image: str | None = None
    server_image: str | None = None
    strict: bool = False
    keep: bool = False

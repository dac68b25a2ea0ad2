"""The options, read once."""

from __future__ import annotations

from msgspec import Struct


class Settings(Struct, frozen=True, kw_only=True):
    """What the command line and the ini file ask for.

    Attributes:
        enabled: ``--dockconn``.
        engine: the engine's URL, or None for the usual places.
        base: what the two images are built on.
        client_image: a ready image in place of the built one.
        server_image: likewise.
        strict: a missing capability is a failure.
        reuse: what the session makes outlives the run, for the next one.
        lease: seconds that it does so at most.
        project: what tells this project's things from those of others.
        note: what the header says where it was asked for and is not done.
        report: the files that the run's report is written to, as whole paths.
    """

    enabled: bool = False
    engine: str | None = None
    base: str = "auto"
    client_image: str | None = None
    server_image: str | None = None
    strict: bool = False
    reuse: bool = False
    lease: float = 1800.0
    project: str = ""
    note: str = ""
    report: tuple[str, ...] = ()

"""A question that a test asked, and what came of it: plain data, fit to cross from an xdist worker to its controller."""

from __future__ import annotations

from msgspec import Struct


class Asked(Struct, frozen=True, kw_only=True):
    """One assertion.

    Attributes:
        test: the id of the test that asked; empty outside of one.
        question: ``reachable`` or ``unreachable``; ``matrix`` or ``policy``, for one cell; ``linked``.
        source: who asked, in the tests' words.
        destination: whom, likewise.
        way: by which address, port or name.
        verdict: of the probe, as ``Verdict`` writes it; of ``linked`` empty, as that is more than one probe.
        elapsed: seconds, of the probe alone.
        passed: whether the assertion held; of a cell, whether that was as expected.
        address: that was asked, after names were resolved; empty where none was found.
        attempts: how many probes it took.
    """

    test: str
    question: str
    source: str
    destination: str
    way: str
    verdict: str
    elapsed: float
    passed: bool
    address: str = ""
    attempts: int = 1

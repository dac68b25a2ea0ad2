"""Which tests need an engine."""

from __future__ import annotations

import pytest

from . import fixtures

MARK = "dockconn"

#: The names of the fixtures of this plugin.
FIXTURES = frozenset(name for name in vars(fixtures) if name == MARK or name.startswith("dockconn_"))


def needs_engine(item: pytest.Item) -> bool:
    """Whether a test asks for one of the fixtures, or carries the marker."""
    names = getattr(item, "fixturenames", ())
    return item.get_closest_marker(MARK) is not None or any(name in FIXTURES for name in names)

"""The tag of an image."""

from __future__ import annotations

import pytest

from pytest_dockconn.logic.image_hash import digest

FILES = {"Dockerfile": b"FROM base", "agent": b"code"}


def test_it_is_twelve_hexadecimal_digits_always_the_same() -> None:
    found = digest("sha256:1", FILES)
    assert len(found) == 12
    assert set(found) <= set("0123456789abcdef")
    assert digest("sha256:1", dict(reversed(FILES.items()))) == found


@pytest.mark.parametrize(
    ("base", "files"),
    [
        pytest.param("sha256:2", FILES, id="another base"),
        pytest.param("sha256:1", {**FILES, "agent": b"code2"}, id="other content"),
        pytest.param("sha256:1", {"Dockerfile": b"FROM base", "agent2": b"code"}, id="another name"),
        pytest.param("sha256:1", {**FILES, "more": b""}, id="one more, empty"),
        pytest.param("sha256:1", {"Dockerfile": b"code", "agent": b"FROM base"}, id="swapped"),
        pytest.param("sha256:1", {"Dockerfile": b"FROM baseX", "agent": b"code"}, id="longer"),
    ],
)
def test_every_difference_counts(base: str, files: dict[str, bytes]) -> None:
    assert digest(base, files) != digest("sha256:1", FILES)


def test_content_can_not_look_like_another_file() -> None:
    assert digest("b", {"a": b"1\0b\x001\x002"}) != digest("b", {"a": b"1", "b": b"2"})

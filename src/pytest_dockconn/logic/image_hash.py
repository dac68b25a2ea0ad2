"""The tag of an image: a hash of what it is made of. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def digest(base: str, files: Mapping[str, bytes]) -> str:
    """Twelve hexadecimal digits for a base and the files of a build context, in any order."""
    whole = hashlib.sha256(base.encode())
    for name in sorted(files):
        whole.update(f"\0{name}\0{len(files[name])}\0".encode())
        whole.update(files[name])
    return whole.hexdigest()[:12]

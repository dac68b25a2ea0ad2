"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

pytest_plugins = ["pytester"]

# How long an example takes says how busy the machine is. In CI the same examples each time; elsewhere new ones.
settings.register_profile("dockconn", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("dockconn")

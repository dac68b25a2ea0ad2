"""Waiting for what others do, without a sleep of a fixed length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

#: Seconds between two looks.
PACE = 0.02


def until(check: Callable[[], Any], seconds: float) -> Any:
    """The first true answer; the last one, whatever it is, once the time is over."""
    again = Retrying(
        retry=retry_if_result(lambda found: not found), wait=wait_fixed(PACE), stop=stop_after_delay(seconds)
    )
    try:
        return again(check)
    except RetryError as error:
        return error.last_attempt.result()

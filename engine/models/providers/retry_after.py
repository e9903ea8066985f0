"""Reads from the headers of an answer for how long its provider asks to wait. Knows no vendor by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def retry_after(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """Seconds that the provider asks to wait, in whatever form it says so; never negative.

    `retry-after-ms`; `retry-after` in seconds or as an HTTP date (RFC 9110, 10.2.3); `ratelimit` with `t=` (IETF draft
    of the RateLimit header fields); `x-ratelimit-reset[-requests|-tokens]` as `1m30s`, seconds or a Unix time.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if (text := headers.get("retry-after")) is not None:
        seconds = _number(text)
        return seconds if seconds is not None else _until(text, now())
    if found := re.search(r"\bt=(\d{1,9})\b", headers.get("ratelimit", "")):
        return float(found[1])
    return _reset(headers, now)


def _reset(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """The latest of the resets whose allowance is used up, or of all when none says so."""
    waits: dict[str, float] = {}
    for kind in ("", "-requests", "-tokens"):
        wait = _duration(headers.get(f"x-ratelimit-reset{kind}"), now)
        if wait is not None:
            waits[kind] = wait
    spent = [wait for kind, wait in waits.items() if headers.get(f"x-ratelimit-remaining{kind}", "").strip() == "0"]
    return max(spent or waits.values(), default=None)


def _duration(text: str | None, now: Callable[[], datetime]) -> float | None:
    if text is None:
        return None
    seconds = _number(text)
    if seconds is None:
        parts = _DURATION.findall(text[:64])
        return sum(float(amount) * _SECONDS[unit] for amount, unit in parts) if parts else None
    # A Unix time, not a span: nobody asks to wait for 30 years.
    return max(0.0, seconds - now().timestamp()) if seconds > 1_000_000_000 else seconds


def _number(text: str | None) -> float | None:
    try:
        value = float((text or "")[:32])
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text[:64])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError):
        return None

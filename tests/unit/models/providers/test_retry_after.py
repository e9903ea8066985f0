from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.providers.retry_after import retry_after

NOW = datetime(2026, 3, 4, 21, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Wed, 04 Mar 2026 21:00:30 GMT"}, 30.0),
        ({"retry-after": "Wednesday, 04-Mar-26 21:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 04 Mar 2026 20:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "3000000000 FEB 0 0:0 0"}, None),
        ({"retry-after": "Mon, 01 Jan 0001 00:00:00 +2359"}, 0.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"x-ratelimit-reset": "12"}, 12.0),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 20)}, 20.0),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        (
            {
                "x-ratelimit-reset-requests": "120ms",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "80000",
            },
            0.12,
        ),
        ({"x-ratelimit-reset-tokens": "later"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    found = retry_after(headers, lambda: NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))


@given(
    name=st.sampled_from(
        ["retry-after", "retry-after-ms", "ratelimit", "x-ratelimit-reset", "x-ratelimit-reset-tokens"]
    ),
    value=st.text(max_size=80) | st.from_regex(r"\A[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ \S+\Z"),
)
def test_no_header_breaks_it(name: str, value: str) -> None:
    found = retry_after({name: value}, lambda: NOW)
    assert found is None or found >= 0.0

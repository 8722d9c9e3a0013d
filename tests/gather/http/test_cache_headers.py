"""What headers say about time, from the server's own clock."""

from __future__ import annotations

import pytest

from service.gather.http.cache_headers import fresh_seconds, retry_after_seconds

DATE = "Mon, 02 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Cache-Control": "max-age=600"}, 600),
        ({"Cache-Control": 'public, max-age="60", must-revalidate'}, 60),
        ({"Cache-Control": "s-maxage=600"}, None),
        ({"Cache-Control": "no-cache, max-age=600"}, None),
        ({"Cache-Control": "max-age=-5"}, None),
        ({"Cache-Control": "max-age=99999999999999"}, 999_999_999),
        ({"Expires": "Mon, 02 Mar 2026 12:10:00 GMT", "Date": DATE}, 600),
        ({"Cache-Control": "max-age=60", "Expires": "Mon, 02 Mar 2026 13:00:00 GMT", "Date": DATE}, 60),
        ({"Expires": "Mon, 02 Mar 2026 11:00:00 GMT", "Date": DATE}, None),
        ({"Expires": "0", "Date": DATE}, None),
        ({"Expires": "Mon, 02 Mar 2026 12:10:00 GMT"}, None),
    ],
)
def test_freshness(headers: dict[str, str], seconds: int | None):
    assert fresh_seconds(headers) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "999999999999999999"}, 999_999_999),
        ({"Retry-After": "Mon, 02 Mar 2026 12:01:00 GMT", "Date": DATE}, 60),
        ({"Retry-After": "Mon, 02 Mar 2026 11:00:00 GMT", "Date": DATE}, 0),
    ],
)
def test_patience(headers: dict[str, str], seconds: int | None):
    assert retry_after_seconds(headers) == seconds

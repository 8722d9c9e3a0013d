"""RSS and Atom before they are parsed; what is read of them is in test_registry.py."""

from __future__ import annotations

from service.gather.formats.rss_atom import to_utf8


def test_pictures_written_into_a_feed_count_for_no_limit():
    picture = b"<img src='data:image/png;base64," + b"iVBORw0K" * 1_000_000 + b"'/>"

    assert len(to_utf8(b"<rss version='2.0'><channel>" + picture + b"</channel></rss>")) < 200

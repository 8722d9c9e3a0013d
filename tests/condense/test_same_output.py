"""The key points of the invented articles are, byte for byte, those of the last deliberate change.

A change for speed leaves the digests as they are. A change of the method replaces them: its author looks at
what differs first (`caveat summarize --json -` before and after).
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from service.condense.keypoints import KeyPoints
from tests.condense.test_invented_languages import ARTICLES, TALKS

POINTS = (1, 3, 5, 6, 8, 12)
INVENTED = tomllib.loads(Path(__file__).with_name("invented.toml").read_text(encoding="utf-8"))["article"]
TEXTS = {
    **{language: [article["text"].strip() for article in found] for language, found in ARTICLES.items()},
    **{f"{language}, talks": [talks["text"]] for language, talks in TALKS.items()},
    **{
        f"{language}, invented": [one["text"].strip() for one in INVENTED if one["language"] == language]
        for language in sorted({one["language"] for one in INVENTED})
    },
    "en, one text": ["\n\n".join(one["text"].strip() for one in INVENTED)],
}
DIGESTS = {
    "ar": "1f79a1b7e12cc8f6",
    "pt": "3d7c95a0ed74e68a",
    "it": "95302e3b4f46e666",
    "nl": "5d841ef6bf54c5f3",
    "ru": "8753df53ab99d8fa",
    "en, talks": "c64dbd4474f86c11",
    "ar, talks": "78c6592cff38a883",
    "fr, talks": "719367c64f026713",
    "de, talks": "375cdbe7dbd819a5",
    "es, talks": "ef571bbec7926c9c",
    "pt, talks": "06c746546aeb9707",
    "it, talks": "1c98b26da6f98076",
    "nl, talks": "7d7fa6b5d8943fdd",
    "ru, talks": "7e9503ce05bd4a45",
    "de, invented": "ff3a9177f9a8961e",
    "en, invented": "9c6146b71f780d31",
    "es, invented": "f2074b8475deebdb",
    "fr, invented": "7884abc454346c13",
    "en, one text": "92fd7ca9a3f6b7e8",
}


def digest(name: str) -> str:
    """Return a digest of the key points of all texts of that name, in several lengths."""
    language, method = name.partition(",")[0], KeyPoints()
    title = TEXTS[name][0].partition(".")[0]
    summaries = [
        method.summarize(text, title=title, language=language, points=points)
        for text in TEXTS[name]
        for points in POINTS
    ]
    return hashlib.sha256(repr(summaries).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", TEXTS)
def test_key_points_are_the_same(name: str):
    assert digest(name) == DIGESTS[name]

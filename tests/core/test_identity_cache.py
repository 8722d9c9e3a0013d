"""Values of objects by identity: made once, forgotten with the object or at the limit."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from weakref import ref

from service.core.identity_cache import IdentityCache


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Text:
    words: str


def test_a_value_is_made_once_for_an_object_and_a_variant():
    cache, text, made = IdentityCache[Text, int](10), Text("dam"), []

    def make() -> int:
        made.append(text)
        return len(made)

    assert [cache.get(text, variant, make) for variant in ("en", "en", "de")] == [1, 1, 2]


def test_an_equal_object_is_another_one():
    cache, one, other = IdentityCache[Text, str](10), Text("dam"), Text("dam")
    assert cache.get(one, "", lambda: "of one") == "of one"
    assert cache.get(other, "", lambda: "of the other") == "of the other"


def test_an_object_is_not_kept_and_its_place_not_mistaken():
    cache = IdentityCache[Text, str](10_000)
    text = Text("dam 0")
    seen = ref(text)
    cache.get(text, "", lambda: "dam 0")
    del text
    gc.collect()
    assert seen() is None
    for number in range(1, 200):  # some of them have the identity of one that is gone
        text = Text(f"dam {number}")
        assert cache.get(text, "", lambda text=text: text.words) == text.words


def test_at_its_limit_everything_is_forgotten():
    cache, texts = IdentityCache[Text, str](2), [Text(word) for word in ("a", "b", "c")]
    for text in texts:
        cache.get(text, "", lambda text=text: text.words)
    assert cache.get(texts[0], "", lambda: "made again") == "made again"
    assert cache.get(texts[2], "", lambda: "made again") == "c"

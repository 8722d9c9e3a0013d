"""A doctype keeps only plain entities, and takes time linear in its length."""

from __future__ import annotations

import pytest

from service.core.errors import FeedUnreadable
from service.gather.formats.doctype import without_doctype

FEED = b"<rss><channel><title>&copy; A</title></channel></rss>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FEED, FEED),
        (b"<?xml version='1.0'?>\n<!-- a > b --><!DOCTYPE rss>" + FEED, b"<!DOCTYPE feed>"),
        (b'<!doctype rss [<!ENTITY copy "(C)">]>' + FEED, b'<!ENTITY copy "(C)">'),
        (b'<!DOCTYPE rss [<!-- ]> --> <!ENTITY copy "(C)"> ] >' + FEED, b'<!ENTITY copy "(C)">'),
        (b'<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://x/rss.dtd">' + FEED, b"netscape"),
    ],
)
def test_harmless_declarations_are_kept(before: bytes, after: bytes):
    left = without_doctype(before)
    assert after in left
    assert left.endswith(FEED)


@pytest.mark.parametrize(
    "entity",
    [b'<!ENTITY copy SYSTEM "file:///etc/passwd">', b'<!ENTITY copy "&other;">', b'<!ENTITY % p "x">'],
)
def test_an_external_entity_is_removed(entity: bytes):
    assert b"ENTITY" not in without_doctype(b"<!DOCTYPE rss [" + entity + b"]>" + FEED)


def test_entities_that_expand_too_far_are_refused():
    bomb = b'<!DOCTYPE rss [<!ENTITY copy "' + b"x" * 10_000 + b'">]><rss>' + b"&copy;" * 1_000
    with pytest.raises(FeedUnreadable, match="expand to too much"):
        without_doctype(bomb)


@pytest.mark.parametrize(
    "hostile",
    [
        b"<!--" * 250_000,
        b"<!DOCTYPE " + b"[" * 900_000,
        b"<!DOCTYPE a [" + b"<" * 900_000,
        b"<!DOCTYPE a [" + b"<!--" * 250_000,
        b'<!DOCTYPE "' + b"'\"" * 400_000,
        b'<!DOCTYPE a ["' + b"'\"" * 400_000,
        b" " * 900_000,
    ],
    ids=range(7),
)
def test_an_unclosed_declaration_is_read_once(hostile: bytes):
    assert len(without_doctype(hostile)) <= len(hostile) + 100

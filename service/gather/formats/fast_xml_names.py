"""Tables of the XML elements that fast_xml knows, with the use of each.

A name is a namespace, a space and a local name, as expat reports it.
"""

from __future__ import annotations

from collections.abc import Mapping

ATOM = "http://www.w3.org/2005/Atom"
RSS1 = "http://purl.org/rss/1.0/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
DC_TERMS = "http://purl.org/dc/terms/"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
MEDIA = "http://search.yahoo.com/mrss/"
WORDPRESS = "com-wordpress:feed-additions:1"

ITEM_ELEMENT = {"rss20": "item", "rss10": f"{RSS1} item", "atom10": f"{ATOM} entry"}
RDF_SIBLINGS = frozenset({f"{RSS1} image", f"{RSS1} textinput"})
CHANNEL_ELEMENT = {"rss20": "channel", "rss10": f"{RSS1} channel", "atom10": ""}

ElementNames = frozenset[str]


def _names(words: str = "", uri: str = "") -> ElementNames:
    return frozenset(f"{uri} {word}".lstrip() for word in words.split())


ITEM_ELEMENTS: Mapping[str, str] = {
    **dict.fromkeys(("title", f"{RSS1} title", f"{ATOM} title"), "title"),
    **dict.fromkeys(("link", f"{RSS1} link"), "link"),
    **dict.fromkeys(("guid", f"{ATOM} id"), "id"),
    **dict.fromkeys(("description", f"{RSS1} description"), "description"),
    **dict.fromkeys((f"{ATOM} summary", f"{ITUNES} summary"), "summary"),
    f"{ATOM} content": "content",
    f"{CONTENT} encoded": "encoded",
    **dict.fromkeys(("pubDate", f"{ATOM} published", f"{DC_TERMS} issued"), "published"),
    **dict.fromkeys((f"{ATOM} updated", f"{DC} date", f"{DC_TERMS} modified"), "updated"),
    f"{DC_TERMS} created": "created",
    "source": "source",
    **dict.fromkeys(("category", f"{ATOM} category", f"{DC} subject", f"{MEDIA} category"), "category"),
    f"{MEDIA} keywords": "keywords",
    "enclosure": "enclosure",
    **dict.fromkeys(("author", f"{ATOM} author", f"{DC} creator", f"{ITUNES} author"), "author"),
}
"""Elements of an item, with their use."""

PICTURES: Mapping[str, str] = {f"{MEDIA} content": "media_content", f"{MEDIA} thumbnail": "media_thumbnail"}
"""Elements of an item with the address of a picture or another file, with feedparser's key."""

PERSON_ELEMENTS: Mapping[str, str] = {f"{ATOM} name": "name", f"{ATOM} email": "email", f"{ATOM} uri": "uri"}
"""Elements of an Atom author, with their use."""

FEED_ELEMENTS: Mapping[str, str] = {
    **dict.fromkeys(("title", f"{RSS1} title", f"{ATOM} title"), "title"),
    **dict.fromkeys(("language", f"{DC} language"), "language"),
    "ttl": "ttl",
    **dict.fromkeys(("description", f"{RSS1} description"), "description"),
    f"{ITUNES} summary": "summary",
    f"{ITUNES} new-feed-url": "itunes_new-feed-url",
}
"""Elements of the feed outside of its items, with their use."""

IGNORED_NAMESPACES: Mapping[str, ElementNames] = {
    MEDIA: _names("title description category keywords"),
    ITUNES: _names("summary author owner"),
    DC: _names("title description date creator author source subject"),
    "http://purl.org/rss/1.0/modules/syndication/": _names(),
    "http://purl.org/rss/1.0/modules/slash/": _names(),
    "http://purl.org/rss/1.0/modules/threading/": _names(),
    "http://rssnamespace.org/feedburner/ext/1.0": _names("browserFriendly"),
    "http://wellformedweb.org/CommentAPI/": _names(),
}
"""Namespaces without content of an article, each with the elements that are an exception."""

_PERSONS = _names("name email uri url", ATOM)

IGNORED_ELEMENTS: Mapping[str, Mapping[str, ElementNames]] = {
    "rss20": {
        **dict.fromkeys(
            _names(
                "link copyright managingEditor webMaster pubDate lastBuildDate category generator docs cloud "
                "rating"
            ),
            _names(),
        ),
        **dict.fromkeys(("image", "textInput"), _names("title link url width height description name")),
        "skipHours": _names("hour"),
        "skipDays": _names("day"),
        f"{ATOM} link": _names(),
        f"{WORDPRESS} site": _names(),
        f"{ITUNES} author": _names(),
        f"{ITUNES} owner": _names("name email", ITUNES),
        f"{DC} date": _names(),
        f"{DC} creator": _names(),
    },
    "rss10": {
        f"{RSS1} link": _names(),
        f"{RSS1} image": _names("title link url", RSS1),
        f"{RSS1} textinput": _names("title link description name", RSS1),
        f"{RSS1} items": _names("Seq li", RDF),
        f"{DC} date": _names(),
        f"{DC} creator": _names(),
    },
    "atom10": {
        **dict.fromkeys(
            _names("link subtitle id updated generator icon logo rights category", ATOM), _names()
        ),
        **dict.fromkeys(_names("author contributor", ATOM), _PERSONS),
    },
    "item": {
        "comments": _names(),
        f"{ATOM} rights": _names(),
        f"{ATOM} contributor": _PERSONS,
        f"{WORDPRESS} post-id": _names(),
    },
}
"""Ignored elements outside of the items, by format, and inside an item, each with its allowed children."""

_MEDIA_CHILDREN = _names("title content thumbnail credit rating copyright text player", MEDIA)

ALLOWED_CHILDREN: Mapping[str, ElementNames] = {
    f"{MEDIA} group": _MEDIA_CHILDREN,
    f"{MEDIA} content": _MEDIA_CHILDREN,
    f"{ITUNES} category": _names("category", ITUNES),
}
"""Allowed children of elements in IGNORED_NAMESPACES."""

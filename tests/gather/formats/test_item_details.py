"""The categories and the picture of an item, in every format."""

from __future__ import annotations

import json

import pytest

from service.gather.formats import registry as formats
from service.gather.formats.item_details import (
    MAX_CATEGORIES,
    MAX_CATEGORY_CHARACTERS,
    category_names,
    picture_of,
)

RSS = (
    "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:media='http://search.yahoo.com/mrss/'>"
    "<channel><title>T</title><item><title>Dam breaks</title><link>https://a.example/1</link>{}</item>"
    "</channel></rss>"
)
ATOM = (
    "<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><entry><title>Dam breaks</title>"
    "<link href='https://a.example/1'/><id>urn:1</id>{}</entry></feed>"
)


def entry(document: str):
    (found,) = formats.read(document.encode()).entries
    return found


@pytest.mark.parametrize(
    ("document", "categories"),
    [
        (RSS.format("<category>Business</category><category domain='x'>World news/Africa</category>"),
         ("Business", "World news/Africa")),
        (RSS.format("<category>Arts &amp;amp; Culture</category>"), ("Arts & Culture",)),
        (RSS.format("<dc:subject>Economy</dc:subject>"), ("Economy",)),
        (RSS.format("<media:category scheme='urn:x' label='Front page'>top</media:category>"),
         ("Front page", "top")),
        (RSS.format("<category>  </category><category>A</category><category>A</category>"), ("A",)),
        (RSS.format(""), ()),
        (ATOM.format("<category term='economy' label='The economy'/>"), ("The economy", "economy")),
        (ATOM.format("<category term='https://a.example/tags/7' label='Rates'/>"), ("Rates",)),
        (ATOM.format("<category term='rates'/>"), ("rates",)),
        (json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [
            {"id": "1", "title": "T", "url": "https://a.example/1", "tags": ["Business", 7, None, " x "]}]}),
         ("Business", "7", "x")),
        (json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [
            {"id": "1", "title": "T", "url": "https://a.example/1", "tags": "Business"}]}), ()),
    ],
)  # fmt: skip
def test_the_categories_of_an_item(document: str, categories: tuple[str, ...]):
    assert entry(document).categories == categories


def test_categories_are_bounded():
    many = category_names(f"name {n}" for n in range(1_000))
    assert len(many) == MAX_CATEGORIES
    assert category_names(["a" * (MAX_CATEGORY_CHARACTERS + 1), "b" * MAX_CATEGORY_CHARACTERS]) == (
        "b" * MAX_CATEGORY_CHARACTERS,
    )
    assert category_names(["a b " * 100_000, "\x00c\u202e"]) == ("c",)


def a_json_feed(**item: object) -> str:
    fields = {"id": "1", "title": "T", "url": "https://a.example/1", **item}
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [fields]})


@pytest.mark.parametrize(
    ("document", "picture"),
    [
        (RSS.format("<media:content url='https://a.example/1.jpg' medium='image'/>"), "https://a.example/1.jpg"),
        (RSS.format("<media:content url='https://a.example/1.jpg'/>"), "https://a.example/1.jpg"),
        (RSS.format("<media:content url='https://a.example/1' type='image/webp'/>"), "https://a.example/1"),
        (RSS.format("<media:group><media:content url='https://a.example/1.png'/></media:group>"),
         "https://a.example/1.png"),
        (RSS.format("<enclosure url='https://a.example/1.jpg' type='image/jpeg' length='1'/>"),
         "https://a.example/1.jpg"),
        (RSS.format("<media:thumbnail url='http://a.example/t.gif'/>"), "http://a.example/t.gif"),
        (RSS.format("<enclosure url='https://a.example/1.mp3' type='audio/mpeg' length='1'/>"), ""),
        (RSS.format("<media:content url='https://a.example/1.mp4' type='video/mp4'/>"), ""),
        (RSS.format("<media:content url='/1.jpg' medium='image'/>"), ""),
        (RSS.format("<media:content url='javascript:alert(1)' medium='image'/>"), ""),
        (RSS.format("<media:content url='https://a.example/1.svg' type='image/svg+xml'/>"), ""),
        (RSS.format("<media:content url='https://secure.gravatar.com/avatar/1' medium='image'/>"), ""),
        (ATOM.format("<link rel='enclosure' type='image/png' href='https://a.example/1.png'/>"),
         "https://a.example/1.png"),
        (a_json_feed(image="https://a.example/1"), "https://a.example/1"),
        (a_json_feed(banner_image="https://a.example/2"), "https://a.example/2"),
        (a_json_feed(attachments=[{"url": "https://a.example/3", "mime_type": "image/png"}]),
         "https://a.example/3"),
        (a_json_feed(image=["x"], attachments=[7, {"url": None}]), ""),
        (RSS.format(""), ""),
    ],
)  # fmt: skip
def test_the_picture_of_an_item(document: str, picture: str):
    assert entry(document).picture == picture


def test_of_several_sizes_the_smallest_that_fills_a_mail_is_the_picture():
    sizes = [
        {"url": f"https://a.example/{width}.jpg", "width": str(width)} for width in (140, 1200, 700, 460)
    ]
    assert picture_of(sizes) == "https://a.example/700.jpg"
    assert picture_of(sizes[::3]) == "https://a.example/460.jpg"
    assert picture_of([{"url": "https://a.example/1.jpg", "width": "wide"}]) == "https://a.example/1.jpg"


def test_an_address_that_is_too_long_is_no_picture():
    assert picture_of([{"url": f"https://a.example/{'x' * 3_000}.jpg"}]) == ""

"""The picture of the lead, for newsletters that show it."""

from __future__ import annotations

from dataclasses import replace

from typing_extensions import override

from service.compose.ports import PictureSource
from service.compose.render.lead_picture import MAX_FAILURES, LeadPictures
from service.core.model import Digest, Newsletter, Picture
from tests.builders import a_newsletter
from tests.compose.digests import a_digest, the_fire, the_treaty
from tests.pictures import a_picture

SHOWN: Newsletter = a_newsletter(lead_picture=True)


class Publishers(PictureSource):
    """Returns a picture for every address but those with `missing` in them; counts the requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @override
    async def picture(self, url: str) -> Picture | None:
        self.asked.append(url)
        return None if "missing" in url else a_picture("")


def with_pictures(*urls: str, **wishes) -> Digest:
    """Return a digest whose lead has articles with these pictures."""
    story = the_fire()
    articles = [
        replace(story.articles[0], picture=url, publisher=f"Paper {number}")
        for number, url in enumerate(urls, start=1)
    ]
    return a_digest(replace(story, articles=tuple(articles)), the_treaty(), **wishes)


async def test_the_first_article_of_the_lead_with_a_picture_gives_it():
    publishers = Publishers()
    found = await LeadPictures(publishers).of(with_pictures("", "https://a.example/fire.jpg"), SHOWN)

    assert found is not None
    assert found.publisher == "Paper 2"
    assert publishers.asked == ["https://a.example/fire.jpg"]


async def test_nobody_is_asked_where_no_picture_is_shown():
    publishers = Publishers()
    pictures = LeadPictures(publishers)
    url = "https://a.example/fire.jpg"

    assert await pictures.of(with_pictures(url), replace(SHOWN, lead_picture=False)) is None
    assert await pictures.of(with_pictures(url, format="text"), SHOWN) is None
    assert await pictures.of(with_pictures(""), SHOWN) is None
    assert await pictures.of(a_digest(), SHOWN) is None
    assert await LeadPictures().of(with_pictures(url), SHOWN) is None
    assert publishers.asked == []


async def test_a_picture_is_fetched_once_for_all_issues_of_a_pass():
    publishers = Publishers()
    pictures = LeadPictures(publishers)
    for url in ["https://a.example/fire.jpg", "https://a.example/missing.jpg"] * 3:
        await pictures.of(with_pictures(url), SHOWN)

    assert publishers.asked == ["https://a.example/fire.jpg", "https://a.example/missing.jpg"]


async def test_after_several_failures_a_pass_fetches_no_more():
    publishers = Publishers()
    pictures = LeadPictures(publishers)
    for number in range(MAX_FAILURES + 3):
        await pictures.of(with_pictures(f"https://a.example/missing{number}.jpg"), SHOWN)

    assert len(publishers.asked) == MAX_FAILURES

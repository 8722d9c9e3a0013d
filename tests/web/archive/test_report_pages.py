"""Readers report a wrong sentence with one click; nobody else's label is lost, and looking stores nothing."""

from __future__ import annotations

import re

import aiohttp
import pytest

from service.app.archive.reports import ISSUE_LIMIT, VISITOR_LIMIT
from service.core.ids import text_key
from service.core.model import Label, LabelKind, LabelSource, TextSpan
from service.store.labels import SqlLabelStore
from tests.builders import NOON
from tests.compose.digests import a_digest, a_story, point, published, the_ballot
from tests.web.archive.conftest import ArchiveSite, the_issue

Web = aiohttp.ClientSession


async def labels_of(archive: ArchiveSite, article_id: str) -> list[Label]:
    return list(await SqlLabelStore(archive.app.database).of_article(article_id))


async def test_one_click_stores_the_label_of_a_reader(archive: ArchiveSite, web: Web):
    issue = await archive.publish(the_issue())
    url = await archive.page(issue, "report")
    page = await (await web.get(url)).text()
    first = the_ballot().points[0]
    assert first.text in page
    assert re.search(r'<button class="quiet" name="wrong" value="1\.0"', page)

    answer = await web.post(url, data={"wrong": "1.0"})

    assert answer.status == 200
    assert "Thank you." in await answer.text()
    assert await labels_of(archive, first.article.id) == [
        Label(
            text_key(first.article.text),
            LabelKind.WRONG,
            TextSpan(first.start, first.end),
            source=LabelSource.READER,
        )
    ]


async def test_a_caveat_can_be_called_none_and_a_point_cannot(archive: ArchiveSite, web: Web):
    url = await archive.page(await archive.publish(the_issue()), "report")
    page = await (await web.get(url)).text()
    (sentence, *_) = re.findall(r'name="no_caveat" value="([0-9.]+)"', page)

    assert (await web.post(url, data={"no_caveat": sentence})).status == 200
    assert (await web.post(url, data={"no_caveat": "1.0"})).status == 400
    article = the_ballot().points[int(sentence.split(".")[1])].article
    assert [one.kind for one in await labels_of(archive, article.id)] == [LabelKind.NO_CAVEAT]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_looking_stores_nothing(archive: ArchiveSite, web: Web, method: str):
    url = await archive.page(await archive.publish(the_issue()), "report")
    answer = await web.request(method, f"{url}?wrong=1.0")

    assert answer.status in {200, 204}
    assert answer.headers.get("Cache-Control", "no-store") == "no-store"
    assert await labels_of(archive, the_ballot().points[0].article.id) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"wrong": "1.99"}, 400),
        ({"wrong": "0.0"}, 400),
        ({"wrong": "3.0"}, 400),
        ({"wrong": "99999.0"}, 400),
        ({"wrong": "-1.0"}, 400),
        ({"wrong": "1.0' OR 1=1"}, 400),
        ({"wrong": "\x00"}, 400),
        ({"point": "1.0"}, 400),
        ([("wrong", "1.0"), ("wrong", "1.1")], 400),
    ],
)
async def test_another_request_stores_nothing(archive: ArchiveSite, web: Web, fields, status: int):
    url = await archive.page(await archive.publish(the_issue()), "report")

    assert (
        await web.post(
            url,
            data=aiohttp.FormData(fields)() if fields else b"",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    ).status == status
    assert await labels_of(archive, the_ballot().points[0].article.id) == []


async def test_another_site_cannot_make_visitors_report(archive: ArchiveSite, web: Web):
    url = await archive.page(await archive.publish(the_issue()), "report")
    for site in ("cross-site", "same-site"):
        answer = await web.post(url, data={"wrong": "1.0"}, headers={"Sec-Fetch-Site": site})
        assert answer.status == 403
    assert await labels_of(archive, the_ballot().points[0].article.id) == []
    own = await web.post(url, data={"wrong": "1.0"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert own.status == 200


async def test_an_editors_label_stays(archive: ArchiveSite, web: Web):
    url = await archive.page(await archive.publish(the_issue()), "report")
    first = the_ballot().points[0]
    editors = Label(text_key(first.article.text), LabelKind.WRONG, TextSpan(first.start, first.end))
    await SqlLabelStore(archive.app.database).record(first.article.id, [editors], NOON)

    assert (await web.post(url, data={"wrong": "1.0"})).status == 200
    assert await labels_of(archive, first.article.id) == [editors]


async def test_a_repeated_report_counts_towards_no_limit(archive: ArchiveSite, web: Web):
    url = await archive.page(await archive.publish(the_issue()), "report")
    for _ in range(VISITOR_LIMIT[0] + 5):
        assert (await web.post(url, data={"wrong": "1.0"})).status == 200
    assert len(await labels_of(archive, the_ballot().points[0].article.id)) == 1


async def many_sentences(archive: ArchiveSite, count: int) -> str:
    """Store an issue with this many sentences of one story, and return its report page."""
    text = " ".join(f"Sentence {n} says something." for n in range(count))
    article = published("A long one", text=text)
    points = []
    for n in range(count):
        sentence = f"Sentence {n} says something."
        start = text.index(sentence)
        points.append(
            point(article, sentence).__class__(sentence, "point", article, start, start + len(sentence))
        )
    return await archive.page(await archive.publish(a_digest(a_story(points))), "report")


async def test_one_visitor_cannot_report_without_end(archive: ArchiveSite, web: Web):
    url = await many_sentences(archive, VISITOR_LIMIT[0] + 1)
    statuses = [(await web.post(url, data={"wrong": f"1.{n}"})).status for n in range(VISITOR_LIMIT[0] + 1)]

    assert statuses == [200] * VISITOR_LIMIT[0] + [429]
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    assert (await web.post(url, data={"wrong": f"1.{VISITOR_LIMIT[0]}"}, headers=elsewhere)).status == 200


async def test_many_visitors_cannot_bury_one_issue(
    archive: ArchiveSite, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("service.app.archive.reports.ISSUE_LIMIT", (2, ISSUE_LIMIT[1]))
    url = await many_sentences(archive, 3)
    statuses = [
        (await web.post(url, data={"wrong": f"1.{n}"}, headers={"X-Forwarded-For": f"203.0.113.{n}"})).status
        for n in range(3)
    ]

    assert statuses == [200, 200, 429]


async def test_an_issue_from_before_digests_has_no_sentences(archive: ArchiveSite, web: Web):
    url = await archive.page(await archive.publish(None), "report")
    assert (await web.get(url)).status == 404
    assert (await web.post(url, data={"wrong": "1.0"})).status == 400

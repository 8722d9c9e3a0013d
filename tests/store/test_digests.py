"""The digest of an issue comes back as it was composed."""

from __future__ import annotations

import json
from dataclasses import replace
from zlib import decompress

import pytest

from service.core.model import Digest, EarlierFigure, Placement, Score, SentIssue
from service.store.digests import (
    DigestTexts,
    SqlDigestStore,
    article_ids,
    digest_of,
    digest_values,
    stored_articles,
)
from tests.builders import NOON
from tests.compose.digests import a_digest, the_fire, the_front_page, the_notices, the_telescope
from tests.store.stores import DAY, Stores, an_issue


def through_json(digest: Digest) -> Digest:
    known = {article.id: article for story in digest.stories for article in story.articles}
    stored = json.loads(json.dumps(digest_values(digest)))
    assert set(article_ids(stored)) == set(known)
    return digest_of(stored, digest.edition, known, digest.corrections)


@pytest.mark.parametrize("digest", [the_front_page(), the_notices(), a_digest()])
def test_a_digest_survives_json(digest: Digest):
    assert through_json(digest) == digest


def test_the_text_of_a_digest_is_its_json_whatever_was_written_before():
    texts, page = DigestTexts(), the_front_page()
    moved = replace(page.stories[1], placement=Placement.WEB)
    others = replace(page, stories=(*page.stories[::-1], moved), left_out=2), the_notices()
    for digest in (page, *others, replace(page, left_out=2), page):
        assert json.loads(decompress(texts.of(digest))) == json.loads(json.dumps(digest_values(digest)))


def test_the_text_of_one_digest_in_several_editions_is_made_once():
    texts, page = DigestTexts(), the_front_page()
    german = replace(page, edition=replace(page.edition, language="de"))

    assert texts.of(german) is texts.of(page)


def test_a_digest_whose_stories_are_gone_does_not_pass_for_another_one():
    texts = DigestTexts()
    for left_out in range(20):
        digest = replace(the_front_page(), left_out=left_out % 2)
        assert json.loads(decompress(texts.of(digest))) == json.loads(json.dumps(digest_values(digest)))


def test_a_decision_survives_json():
    update = replace(
        the_fire(),
        placement=Placement.LEAD,
        section="world",
        score=Score((("publishers", 1.5), ("freshness", -0.25))),
        is_update=True,
        first_issue=SentIssue("a1", NOON),
    )
    digest = a_digest(update, replace(the_telescope(), points=(), placement=Placement.WEB), left_out=3)

    assert through_json(digest) == digest


def test_the_figure_of_an_earlier_issue_comes_back_with_its_article():
    old, story = the_telescope().articles[0], the_fire()
    figure = EarlierFigure("at least 41", old, "At least 41 people died.")
    update = replace(story, points=(replace(story.points[0], earlier=(figure,)),))
    stored = json.loads(json.dumps(digest_values(a_digest(update))))
    known = {article.id: article for article in (*story.articles, old)}

    assert set(article_ids(stored)) == set(known)
    assert digest_of(stored, a_digest().edition, known) == a_digest(update)


def test_a_story_whose_articles_are_gone_is_left_out():
    digest = a_digest(the_fire(), the_telescope())
    known = {article.id: article for article in digest.stories[1].articles}

    assert digest_of(digest_values(digest), digest.edition, known).stories == digest.stories[1:]


async def test_the_digest_of_an_issue_is_stored_with_it(stores: Stores):
    await stores.subscribe("amina")
    group = await stores.due_group()
    story = the_fire()
    await stores.store_articles(story.articles)
    async with stores.database.read() as connection:
        known = await stored_articles(connection, [article.id for article in story.articles])
    composed = a_digest(story, left_out=2)
    digest = digest_of(digest_values(composed), group.edition, known)
    issue = replace(an_issue(group), digest=digest)
    await stores.compose.record_issue(group, issue, NOON + DAY, "file")
    digests = SqlDigestStore(stores.database)

    assert await digests.digest(issue.id) == digest
    assert await digests.digest("unknown") is None


async def test_an_issue_without_a_digest_has_none(stores: Stores):
    issue = await stores.plan_issue_for("amina")

    assert await SqlDigestStore(stores.database).digest(issue.id) is None

"""What a pass of compose keeps for the next one, and which never changes an issue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as some
from typing_extensions import override

from service.compose import released_stories
from service.compose.ports import Renderer
from service.compose.stage import Composer, compose
from service.compose.stories.merging.merge import merge_key_points
from service.core.model import CondensedArticle, Digest, Issue, RenderedMail
from tests.builders import NOON, a_newsletter, an_edition, condensed
from tests.compose.fakes import Member, MemoryStore
from tests.compose.reports import REPORTS, a_report

HOUR = timedelta(hours=1)
EDITIONS = (an_edition(), an_edition(topics=("world",)), an_edition(topics=("sport", "world"), points=2))


class DigestAsText(Renderer):
    """A renderer whose text is all that the digest says."""

    @override
    def render(self, digest: Digest, **_: object) -> RenderedMail:
        return RenderedMail("Subject", "", str(digest))


class Site:
    """A store with a reader of each edition, who is due each hour, and its composer."""

    def __init__(self) -> None:
        members = [Member(f"r{n}", edition, NOON) for n, edition in enumerate(EDITIONS)]
        self.store = MemoryStore(members)
        self.composer = Composer(
            self.store,
            DigestAsText(),
            merge_key_points,
            {"morning": a_newsletter()},
            settle=timedelta(minutes=10),
            channel="file",
        )

    async def compose(self, hours: int) -> list[Issue]:
        """Compose that many hours after noon; return the issues of that pass."""
        now, before = NOON + hours * HOUR, [len(member.issues) for member in self.store.members]
        for member in self.store.members:
            member.next_due_at = now
        report = await compose(self.composer, now=now)
        assert report.problems == ()
        return [i for member, n in zip(self.store.members, before, strict=True) for i in member.issues[n:]]


def an_arrival(number: int, hours: int = -1, title: str = "") -> CondensedArticle:
    topics = (("world", "world", "sport")[number % 3],)
    article = replace(a_report(number % len(REPORTS), hours=hours), topics=topics)
    article = replace(article, title=title or article.title, id=f"{number:032x}")
    return condensed(article, article.text.partition(". ")[0] + ".")


async def test_the_next_pass_reads_only_what_is_new():
    site = Site()
    site.store.publish(an_arrival(0), an_arrival(1))
    await site.compose(0)
    site.store.reads.clear()
    for member in site.store.members:
        member.served_through = 0
    site.store.publish(an_arrival(3, hours=0))
    await site.compose(1)
    assert site.store.reads == [(3,)]


async def test_an_article_with_another_summary_is_read_again():
    site = Site()
    site.store.publish(an_arrival(0))
    [issue, *_] = await site.compose(0)
    [old] = site.store.articles
    site.store.articles = [replace(old, article=replace(old.article, title="Another headline"))]
    for member in site.store.members:
        member.served_through = 0
        member.issues.clear()
    [again, *_] = await site.compose(1)
    assert "Another headline" in again.rendered.text
    assert "Another headline" not in issue.rendered.text


async def test_the_oldest_articles_and_their_stories_are_forgotten(monkeypatch):
    monkeypatch.setattr(released_stories, "MAX_KEPT_ARTICLES", 2)
    site = Site()
    site.store.publish(*(an_arrival(3 * n) for n in range(4)))
    await site.compose(0)
    kept = site.composer.kept
    kept.shrink()
    assert sorted(kept.articles) == [3, 4]
    left = {id(article) for _, article in kept.articles.values()}
    assert kept.built
    assert all(left.issuperset(key) for key in kept.built)


Step = tuple[str, int]


@settings(max_examples=30)
@given(
    some.lists(some.tuples(some.sampled_from(["publish", "edit", "move"]), some.integers(0, 11)), max_size=8)
)
async def test_kept_stories_change_no_issue(steps: Sequence[Step]):
    keeping, forgetting = Site(), Site()
    for hours, (what, number) in enumerate([("publish", 0), *steps]):
        for site in (keeping, forgetting):
            change(site.store, what, number, hours)
        forgetting.composer.kept.forget()
        assert await keeping.compose(hours) == await forgetting.compose(hours)


def change(store: MemoryStore, what: str, number: int, hours: int) -> None:
    """Publish an article, edit one that was published, or move it to another story."""
    if what == "publish":
        store.publish(an_arrival(number, hours=hours - 1))
        return
    at = number % len(store.articles)
    one = store.articles[at]
    if what == "edit":
        store.articles[at] = replace(one, article=replace(one.article, title=f"Edited {hours} times"))
    else:
        store.articles[at] = replace(one, story=f"story{number % 3}")

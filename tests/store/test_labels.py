"""Labels come back as they were given, and are those of one version of a text."""

from __future__ import annotations

from service.core.ids import text_key
from service.core.model import CaveatKind, Label, LabelKind, LabelSource, TextSpan
from service.store.labels import SqlLabelStore
from tests.builders import NOON, an_article
from tests.store.stores import MINUTE, Stores

TEXT = "The harbour reopened. It was not a victory."
CLAIM, CAVEAT = TextSpan(0, 21), TextSpan(22, 43)
KEY = text_key(TEXT)
LABELS = [
    Label(KEY, LabelKind.POINT, CLAIM),
    Label(KEY, LabelKind.CAVEAT, CAVEAT, CLAIM, CaveatKind.LIMITED, is_needed=True),
    Label(KEY, LabelKind.WRONG, CAVEAT, source=LabelSource.READER),
]


async def test_labels_come_back_as_they_were(stores: Stores):
    article = an_article("Harbour", TEXT)
    await stores.store_articles([article, an_article("Another")])
    labels = SqlLabelStore(stores.database)
    await labels.record(article.id, LABELS, NOON)

    assert await labels.of_article(article.id) == LABELS
    assert [(one.id, given) async for one, given in labels.labelled()] == [(article.id, LABELS)]


async def test_a_label_that_is_given_again_replaces_the_first(stores: Stores):
    article = an_article("Harbour", TEXT)
    await stores.store_articles([article])
    labels = SqlLabelStore(stores.database)
    denied = Label(KEY, LabelKind.CAVEAT, CAVEAT, CLAIM, CaveatKind.DENIED)
    await labels.record(article.id, LABELS, NOON)
    await labels.record(article.id, [denied], NOON + MINUTE)

    assert [one for one in await labels.of_article(article.id) if one.kind is LabelKind.CAVEAT] == [denied]


async def test_removed_labels_are_gone(stores: Stores):
    article = an_article("Harbour", TEXT)
    await stores.store_articles([article])
    labels = SqlLabelStore(stores.database)
    await labels.record(article.id, LABELS, NOON)

    assert await labels.remove(article.id) == len(LABELS)
    assert await labels.of_article(article.id) == []


async def test_an_unknown_article_gets_no_label(stores: Stores):
    labels = SqlLabelStore(stores.database)
    await labels.record("unknown", LABELS, NOON)
    assert [one async for one in labels.labelled()] == []


async def test_a_reader_does_not_replace_an_editors_label(stores: Stores):
    article = an_article("Harbour", TEXT)
    await stores.store_articles([article])
    labels = SqlLabelStore(stores.database)
    editors = Label(KEY, LabelKind.WRONG, CAVEAT)
    readers = Label(KEY, LabelKind.WRONG, CAVEAT, source=LabelSource.READER)

    await labels.record(article.id, [readers], NOON)
    await labels.record(article.id, [editors], NOON + MINUTE)
    assert await labels.of_article(article.id) == [editors]
    await labels.record(article.id, [readers], NOON + 2 * MINUTE)
    assert await labels.of_article(article.id) == [editors]


async def test_the_latest_labels_are_first_and_of_one_source_if_asked(stores: Stores):
    harbour, storm = an_article("Harbour", TEXT), an_article("Storm", TEXT)
    await stores.store_articles([harbour, storm])
    labels = SqlLabelStore(stores.database)
    await labels.record(harbour.id, [Label(KEY, LabelKind.POINT, CLAIM)], NOON)
    reported = Label(KEY, LabelKind.WRONG, CAVEAT, source=LabelSource.READER)
    await labels.record(storm.id, [reported], NOON + MINUTE)

    found = await labels.latest(10)
    assert [(article.id, label.kind.value, at) for article, label, at in found] == [
        (storm.id, "wrong", NOON + MINUTE),
        (harbour.id, "point", NOON),
    ]
    assert [label for _, label, _ in await labels.latest(10, LabelSource.READER)] == [reported]
    assert len(await labels.latest(1)) == 1

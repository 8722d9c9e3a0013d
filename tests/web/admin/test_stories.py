"""Stories on the editors' pages: articles in context, labels with one click, reports, splits; and attacks."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass

import pytest

from service.app.articles.labels import record_reader_label
from service.core.model import Article, Grade, KeyPoint, LabelKind, Role, Summary, TextSpan
from service.store.labels import SqlLabelStore
from service.store.stories import SqlStoryStore
from tests.builders import an_article
from tests.store.stores import Stores
from tests.web.admin.conftest import Editor, EditorsSite

SCRIPT = '<script>alert("x")</script>'
SENTENCES = (
    "The council of Corvane approved a tram line to the harbour on Tuesday.",
    "It will cost 40 million crowns, the mayor said at the meeting in the town hall.",
    "The decision takes effect only if the province agrees to pay half of the sum.",
    f"Residents of the old town said {SCRIPT} that they like trams very much.",
)


@dataclass
class Desk:
    """An editor before the page of the article about trams."""

    site: EditorsSite
    editor: Editor
    article: Article

    @property
    def path(self) -> str:
        return f"/stories/{self.article.id}"

    async def click(self, action: str, **fields: str) -> tuple[int, str]:
        return await self.editor.post(f"{self.path}/label", {"do": action, **fields})

    async def labels(self) -> list[tuple[str, int, int | None]]:
        """Return kind, sentence and claim of each label."""
        found = await SqlLabelStore(self.site.app.database).of_article(self.article.id)
        return [(one.kind.value, self._number(one.sentence), self._number(one.claim)) for one in found]

    def _number(self, span: TextSpan | None) -> int | None:
        return None if span is None else SENTENCES.index(self.article.text[slice(*span)])


@pytest.fixture
async def desk(editors: EditorsSite) -> Desk:
    article = an_article(f"Tram line approved {SCRIPT}", " ".join(SENTENCES), topics=("world", "transport"))
    stores = Stores(editors.app.database)
    await stores.store_articles([article])
    starts = [article.text.index(one) for one in SENTENCES]
    point = KeyPoint.from_source(article.text, starts[0], starts[0] + len(SENTENCES[0]))
    caveat = KeyPoint(SENTENCES[2], starts[2], starts[2] + len(SENTENCES[2]), Role.CAVEAT, 0, 1)
    await stores.condense.record_summaries(
        {article.id: Summary("keypoints", (point, caveat))}, editors.clock()
    )
    desk = Desk(editors, await editors.log_in("eddie"), article)
    await desk.editor.get(desk.path)
    return desk


async def test_an_article_shows_its_points_and_caveats_where_they_stand_and_what_is_tied(desk: Desk):
    status, text = await desk.editor.get(desk.path)
    assert status == 200
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text))
    places = [plain.index(one[:40]) for one in SENTENCES]
    assert places == sorted(places), "the text is in its order"
    assert "Qualifies" in plain
    assert 'class="sentence caveat" id="s2"' in text
    assert 'href="/admin/stories/' + desk.article.id + '?sentence=0#s0"' in text
    assert SCRIPT not in text
    assert html.escape(SCRIPT, quote=False).split('"')[0] in text, "the hostile text is shown as text"


async def test_each_judgement_is_one_click_stored_as_a_label_and_undone(desk: Desk):
    clicks = {
        "no_caveat 2": ("no_caveat", 2, None),
        "wrong_tie 2": ("wrong_tie", 2, 0),
        "wrong 0": ("wrong", 0, None),
        "point 1": ("point", 1, None),
        "missing 3": ("caveat", 3, 0),
    }
    for action, label in clicks.items():
        status, text = await desk.click(action)
        assert (status, "Your label is stored" in text) == (200, True), action
        assert await desk.labels() == [label], action
        undo = re.search(r'name="do" value="(undo [^"]+)"', text)[1]
        _, text = await desk.click(undo)
        assert "The label was removed" in text
        assert await desk.labels() == []


async def test_a_caveat_is_tied_to_another_sentence(desk: Desk):
    status, _ = await desk.click("tie 2", **{"claim-2": "1"})
    assert status == 200
    assert await desk.labels() == [("caveat", 2, 1)]


async def test_labels_are_downloaded_as_the_command_line_exports_them(desk: Desk):
    for action in ("no_caveat 2", "wrong_tie 2", "point 1"):
        await desk.click(action)
    status, text = await desk.editor.get("/stories/labels")
    [exported] = map(json.loads, text.splitlines())
    assert status == 200
    assert exported["sentences"] == list(SENTENCES)
    assert (exported["no_caveat"], exported["points"]) == ([2], [1])
    assert exported["wrong_ties"] == [{"claim": 0, "caveat": 2}]
    assert exported["pairs"] == []


@pytest.mark.parametrize(
    "action",
    [
        *("", "wrong", "wrong 99", "wrong -1", "drop 0", "undo 0 point-0", "tie 2", "tie 2 2"),
        *("wrong_tie 0", "wrong 0; DELETE FROM labels", "__class__ 0", "no_caveat 99999999999999999999"),
    ],
)
async def test_hostile_actions_are_refused_and_store_nothing(desk: Desk, action: str):
    fields = {"claim-2": "2"} if action.startswith("tie") else {}
    status, text = await desk.click(action, **fields)
    assert status == 422, action
    assert 'role="alert"' in text
    assert await desk.labels() == []


async def test_a_viewer_reads_and_cannot_label(desk: Desk):
    vera = await desk.site.log_in("vera")
    _, text = await vera.get(desk.path)
    assert 'name="do"' not in text
    status, _ = await vera.post(f"{desk.path}/label", {"do": "wrong 0"})
    assert status == 403
    assert await desk.labels() == []


async def test_a_report_of_a_reader_is_listed_and_settled(desk: Desk):
    store = SqlLabelStore(desk.site.app.database)
    start = desk.article.text.index(SENTENCES[2])
    span = TextSpan(start, start + len(SENTENCES[2]))
    for kind in (LabelKind.WRONG, LabelKind.NO_CAVEAT):
        await record_reader_label(store, desk.article, span, kind, desk.site.clock())
    _, text = await desk.editor.get("/stories/reports")
    assert "A reader calls this sentence wrong" in text
    assert "A reader says that this is no caveat" in text
    assert f"{desk.article.id}?sentence=2#s2" in text
    assert SCRIPT not in text
    _, text = await desk.click("agree 2 no_caveat-0", back="reports")
    assert "A reader says that this is no caveat" not in text
    _, text = await desk.click("dismiss 2 wrong-0", back="reports")
    assert "No report waits" in text
    assert await desk.labels() == [("no_caveat", 2, None)]


async def test_an_article_is_split_from_its_story_after_a_plan(desk: Desk):
    other = an_article("Ferry line closed")
    await Stores(desk.site.app.database).store_articles([other])
    stories = SqlStoryStore(desk.site.app.database)
    await stories.record_stories({desk.article.id: "s" * 24, other.id: "s" * 24}, split_count=0)
    _, text = await desk.editor.get(desk.path)
    assert "Ferry line closed" in text
    _, plan = await desk.editor.get(f"{desk.path}/split")
    assert "Ferry line closed" in plan
    assert len({*(await stories.stories_of([desk.article.id, other.id])).values()}) == 1
    _, text = await desk.editor.post(f"{desk.path}/split")
    assert "a story of its own now" in text
    assert len({*(await stories.stories_of([desk.article.id, other.id])).values()}) == 2


async def test_articles_are_found_by_title_topic_feed_and_newsletter(desk: Desk):
    await Stores(desk.site.app.database).publish("Rate decision 100%_sure", topics=("economy",))
    for query, found in (
        ("q=TRAM", "tram"),
        ("q=100%25_", "rate"),
        ("topic=transport", "tram"),
        ("topic=economy", "rate"),
        ("newsletter=morning", "tram"),
        ("newsletter=evening", "rate"),
    ):
        _, text = await desk.editor.get(f"/stories?{query}")
        shown = {"tram": "Tram line approved" in text, "rate": "Rate decision" in text}
        assert shown == {"tram": found == "tram", "rate": found == "rate"}, query
    _, text = await desk.editor.get(f"/stories?feed={desk.article.feed_id}")
    assert "Tram line approved" in text
    for query in ("q=%25", "q=_____", "feed=0000", "topic=none", "q=' OR 1=1 --", "q=%00%ff"):
        status, text = await desk.editor.get(f"/stories?{query}")
        if query == "q=%25":
            assert "Rate decision" in text
        assert (status, "Tram line approved" in text) == (200, False), query
    for cursor in ("x", "-1", "1;DROP", "²", "9" * 40):
        assert (await desk.editor.get(f"/stories?before={cursor}"))[0] == 404, cursor


async def test_the_list_goes_on_with_a_cursor(desk: Desk):
    await Stores(desk.site.app.database).publish(*(f"Report number {n}" for n in range(60)))
    seen: list[str] = []
    path = "/stories?q=report"
    while path:
        _, text = await desk.editor.get(path)
        seen += re.findall(r"Report number \d+", text)
        older = re.search(r'href="/admin([^"]+)" rel="next"', text)
        path = html.unescape(older[1]) if older else ""
    assert len(seen) == len({*seen}) == 60


async def test_a_long_hostile_article_is_shown_in_parts_below_100_kb(desk: Desk):
    sentences = [f"Sentence {n} of the report says <b>\"'&{'<' * 60} that it rained." for n in range(600)]
    article = an_article("A long report", " ".join(sentences))
    await Stores(desk.site.app.database).store_articles([article])
    path = f"/stories/{article.id}"
    _, first = await desk.editor.get(path)
    assert "Part 1 of" in first
    assert len(first.encode()) < 75_000
    _, there = await desk.editor.get(f"{path}?sentence=400")
    assert 'id="s400"' in there
    for part in ("0", "-1", "99999", "x", "²"):
        assert (await desk.editor.get(f"{path}?part={part}"))[0] == 200


async def test_paths_that_name_no_article_are_not_found(desk: Desk):
    for name in ("0" * 24, "..%2F..%2Fetc%2Fpasswd", "%00", "' OR 1=1 --", desk.article.id[:6]):
        assert (await desk.editor.get(f"/stories/{name}"))[0] == 404, name
        assert (await desk.editor.post(f"/stories/{name}/label", {"do": "wrong 0"}))[0] == 404, name


async def test_a_caveat_without_a_sure_tie_says_so(editors: EditorsSite):
    article = an_article("Tram line approved", " ".join(SENTENCES))
    stores = Stores(editors.app.database)
    await stores.store_articles([article])
    start = article.text.index(SENTENCES[2])
    points = (
        KeyPoint.from_source(article.text, 0, len(SENTENCES[0])),
        KeyPoint(SENTENCES[2], start, start + len(SENTENCES[2]), Role.CAVEAT, None, 1, grade=Grade.STORY),
    )
    await stores.condense.record_summaries({article.id: Summary("keypoints", points)}, editors.clock())
    _, text = await (await editors.log_in("vera")).get(f"/stories/{article.id}")
    assert "which point is not sure" in text

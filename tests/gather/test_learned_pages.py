"""The pages of a feed are read where earlier ones had their article, with the same text."""

from __future__ import annotations

from datetime import timedelta

from service.gather.entries.page_paths import learned_path
from service.gather.entries.seen_items import statistics_of
from service.gather.pages.full_text import read_page
from service.gather.poll import Gatherer
from service.gather.stage import gather
from tests.builders import NOON, a_feed
from tests.gather.fakes import Record
from tests.gather.feeds import a_text, an_item, an_rss
from tests.gather.server import reply

MENU = "<ul>" + "".join(f"<li><a href='/{n}'>Section {n}</a></li>" for n in range(30)) + "</ul>"


def a_page(number: int) -> str:
    story = "".join(f"<p>{a_text(f'Brno {number} {n}', 1)}</p>" for n in range(5))
    return f"<html><body>{MENU}<div class='story'><h1>Bridge</h1>{story}</div>{MENU}</body></html>"


async def test_a_feed_learns_where_its_pages_have_the_article(server, fetcher, tmp_path):
    feed = a_feed(server.url())
    record = Record(feed)
    teaser = "The council of Brno votes on the bridge over the river..."
    for number in range(1, 9):
        server.routes[f"/{number}"] = reply(a_page(number), content_type="text/html")
    trusted = []
    for poll in range(4):
        items = [an_item(n, link=server.url(f"/{n}"), guid=f"g{n}", description=teaser) for n in (1, 2)]
        items += [
            an_item(n, link=server.url(f"/{n}"), guid=f"g{n}", description=teaser)
            for n in range(3, 2 * poll + 3)
        ]
        server.routes["/feed"] = reply(an_rss(*items))
        await gather(Gatherer(record, fetcher, tmp_path), now=NOON + poll * timedelta(hours=1), force=True)
        statistics = statistics_of(record.state(feed).seen_items)
        trusted.append(learned_path(statistics, 0).is_trusted)

    assert trusted == [False, False, True, True]
    assert (statistics.page_path, statistics.path_used) == ("div.story", 2)
    assert len(record.articles) == 8
    for article in record.articles.values():
        number = int(article.url.rpartition("/")[2])
        assert article.text == read_page(a_page(number).encode(), article.title, teaser).text

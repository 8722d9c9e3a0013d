"""Every moment on a page is in the zone of the pages, and a send by hand is called so."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from service.store.schema import issues
from tests.store.stores import Stores
from tests.web.admin.conftest import EditorsSite
from tests.web.admin.test_attacks_fields import crawled

RAW_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d|manual:")
NOT_TEXT = re.compile(r"<(textarea|pre|code|option)\b.*?</\1>|<[^>]+>", re.DOTALL)


@pytest.fixture
def environment() -> dict[str, str]:
    return {"CAVEAT_WEB__ADMIN__TIMEZONE": "Asia/Tokyo"}


async def test_no_page_shows_a_time_of_another_zone_or_the_key_of_a_send(editors: EditorsSite):
    app = editors.app
    await Stores(app.database).publish("Harbour reopens", at=editors.clock())
    editors.clock.at = editors.clock.at.replace(day=editors.clock.at.day + 1)
    await app.compose()
    by_hand, *_ = await app.queries.issues("morning")
    async with app.database.write() as connection:
        wanted = update(issues).where(issues.c.id == by_hand.id)
        await connection.execute(wanted.values(occurrence="manual:513350264fe2"))

    ada = await editors.log_in("ada")
    pages, _ = await crawled(ada)
    texts = {
        path: NOT_TEXT.sub(" ", (await ada.get(path))[1].partition("<main")[2]) for path in pages.values()
    }
    assert {path: found for path, text in texts.items() if (found := RAW_MOMENT.findall(text))} == {}

    _, listed = await ada.get("/issues")
    assert "sent by hand" in listed
    _, newsletters = await ada.get("/newsletters")
    assert "Sent every day at 07:00, UTC time." in newsletters
    assert re.search(r"Next issue in 16 h: .*1:00\xa0pm</time> \(Asia/Tokyo\)", newsletters)  # 07:00 in Qatar

"""The preferences page stores what a reader wants, or says what is wrong and stores nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest

from service.subscribers.actions import unsubscribe
from service.subscribers.sync import apply_roster
from tests.builders import NOON
from tests.web.conftest import ROSTER, Door

Web = aiohttp.ClientSession


class Form(HTMLParser):
    """What a browser would send: the first form's fields with what is checked and typed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self.done = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name")
        if tag != "input" or self.done or not name:
            return
        self.names.add(name)
        if found.get("type") not in {"radio", "checkbox"} or "checked" in found:
            self.fields.append((name, found.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        self.done = self.done or tag == "form"

    def changed(self, **changes: Any) -> list[tuple[str, str]]:
        """Return the fields with some of the morning's replaced, each by one value or several."""
        kept = [field for field in self.fields if field[0].removeprefix("morning.") not in changes]
        for name, values in changes.items():
            kept += [(f"morning.{name}", v) for v in ([values] if isinstance(values, str) else values)]
        return kept


async def form(door: Door, web: Web) -> Form:
    return Form(await (await web.get((await door.links()).preferences)).text())


async def sent(door: Door, web: Web, **changes: Any) -> aiohttp.ClientResponse:
    fields = (await form(door, web)).changed(**changes)
    return await web.post((await door.links()).preferences, data=fields, allow_redirects=False)


async def test_looking_changes_nothing(door: Door, web: Web):
    before = await door.people.memberships()
    for method in ("GET", "HEAD", "OPTIONS"):
        assert (await web.request(method, (await door.links()).preferences)).status in {200, 204}
    assert await door.people.memberships() == before


async def test_saving_what_is_shown_changes_nothing(door: Door, web: Web):
    before = await door.people.memberships()
    answer = await sent(door, web)
    assert (answer.status, answer.headers["Location"]) == (303, "?saved")
    assert await door.people.memberships() == before


async def test_the_whole_of_it_can_be_changed(door: Door, web: Web):
    answer = await sent(
        door,
        web,
        day=["0", "3"],
        time=["18:30", "07:00:00", ""],
        timezone="America/Lima",
        topic=["economy", "world"],
        stories="5",
        points="2",
        format="text",
    )
    assert answer.status == 303
    edition = (await door.membership()).edition
    assert edition.schedule == "weekly mon,thu 07:00,18:30"
    assert (edition.timezone, edition.topics) == ("America/Lima", ("economy", "world"))
    assert (edition.stories, edition.points, edition.format) == (5, 2, "text")
    page = await (await web.get(f"{(await door.links()).preferences}?saved")).text()
    assert "Saved." in page


async def test_only_what_differs_is_kept_as_a_wish(door: Door, web: Web):
    await sent(door, web, stories="5")
    membership = await door.membership()
    assert membership.chosen
    wishes = membership.subscription.preferences
    assert (wishes.stories, wishes.schedule, wishes.timezone, wishes.topics) == (5, None, None, None)


async def test_the_person_s_word_stays_when_the_roster_comes_again(door: Door, web: Web):
    await sent(door, web, stories="5")
    await sent(door, web, status="pause")
    await apply_roster(door.people, ROSTER, NOON)
    membership = await door.membership()
    assert (membership.edition.stories, membership.subscription.status) == (5, "paused")


@pytest.mark.parametrize(
    ("days", "schedule"),
    [("0123456", "daily"), ("01234", "weekdays"), ("56", "weekends"), ("6", "weekly sun")],
)
async def test_days_become_the_word_for_them(door: Door, web: Web, days: str, schedule: str):
    await sent(door, web, day=list(days))
    assert (await door.membership()).edition.schedule == f"{schedule} 07:00"


async def test_pausing_and_coming_back(door: Door, web: Web):
    await sent(door, web, status="pause")
    assert (await door.statuses())["amina morning"] == "paused"
    await sent(door, web, status="receive")
    assert (await door.statuses())["amina morning"] == "active"


async def test_who_left_everything_can_come_back_for_one(door: Door, web: Web):
    membership = await door.membership()
    await unsubscribe(door.people, membership.subscriber.id, None, NOON)
    assert "No mail is sent to this address" in await (await web.get((await door.links()).preferences)).text()
    await sent(door, web, status="receive")
    statuses = await door.statuses()
    assert (statuses["amina morning"], statuses["amina evening"]) == ("active", "unsubscribed")
    assert (await door.membership()).suppressed is None


async def test_one_button_leaves_everything(door: Door, web: Web):
    answer = await web.post(
        (await door.links()).preferences, data={"leave": "everything"}, allow_redirects=False
    )
    assert answer.status == 303
    assert (await door.membership()).suppressed == "unsubscribed from everything"


async def test_a_monthly_schedule_can_be_changed_and_left(door: Door, web: Web):
    links = await door.links()
    await sent(door, web, rhythm="month", dates="15, 1")
    assert (await door.membership()).edition.schedule == "monthly 1,15 07:00"
    assert 'value="1,15"' in await (await web.get(links.preferences)).text()
    await sent(door, web, rhythm="week", day=["0"])
    assert (await door.membership()).edition.schedule == "weekly mon 07:00"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time": []}, "Please say at which time."),
        ({"day": []}, "Please choose a day."),
        ({"topic": []}, "Please choose a topic, or unsubscribe."),
        ({"stories": "many"}, "Please write a number."),
        ({"stories": "0"}, "0 stories cannot be; choose from 1 to 50"),
        ({"points": "9999"}, "9999 key points cannot be; choose from 1 to 12"),
        ({"timezone": "Lima"}, "There is no time zone &#39;Lima&#39;. Did you mean America/Lima?"),
        ({"rhythm": "month", "dates": "40"}, "names no days of the month"),
        ({"time": ["25:00"]}, "is no time of day"),
    ],
)
async def test_what_is_wrong_is_said_where_it_is_and_nothing_is_stored(
    door: Door, web: Web, changes: dict[str, Any], sentence: str
):
    before = await door.people.memberships()
    answer = await sent(door, web, **changes)
    page = await answer.text()

    assert answer.status == 422
    assert sentence in page
    described = re.search(r'aria-describedby="([^"]+)"', page)
    assert described
    assert f'id="{described[1]}"' in page
    assert "Nothing was saved yet" in page
    assert await door.people.memberships() == before


async def test_everything_that_is_wrong_is_said_at_once(door: Door, web: Web):
    page = await (await sent(door, web, stories="many", timezone="Lima", day=[], topic=[])).text()
    assert page.count('class="problem"') == 4


async def test_what_was_typed_is_still_there_when_something_else_is_wrong(door: Door, web: Web):
    page = await (await sent(door, web, stories="many", timezone="America/Lima", day=["2"])).text()
    again = Form(page)
    assert ("morning.timezone", "America/Lima") in again.fields
    assert [value for name, value in again.fields if name == "morning.day"] == ["2"]


async def test_whoever_leaves_need_not_fill_in_the_rest_well(door: Door, web: Web):
    answer = await sent(door, web, status="leave", stories="many", time=[])
    assert answer.status == 303
    assert (await door.statuses())["amina morning"] == "unsubscribed"


async def test_a_newsletter_that_came_while_they_were_typing_is_left_alone(door: Door, web: Web):
    fields = [field for field in (await form(door, web)).changed(stories="5") if "evening." not in field[0]]
    await web.post((await door.links()).preferences, data=fields)
    assert (await door.membership("amina", "evening")).edition.stories == 8
    assert (await door.membership()).edition.stories == 5


@pytest.mark.parametrize(
    "fields",
    [
        [("weekly.status", "receive"), ("weekly.stories", "5")],
        [("morning.status", "admin")],
        [("morning.status", "receive"), ("morning.time", "<script>"), ("morning.day", "seven")],
        [("morning.status", "receive"), ("morning.timezone", "{{ 7*7 }}'\"><script>alert(1)</script>")],
        [("morning.status", "receive\0"), ("morning.topic", "\ud800")],
        [("morning.status", "receive"), ("morning.stories", "9" * 5000), ("morning.dates", "1," * 9000)],
    ],
)
async def test_hostile_fields_are_data(door: Door, web: Web, fields: list[tuple[str, str]]):
    before = await door.people.memberships()
    data = [(name, value.encode("utf-8", "replace").decode()) for name, value in fields]
    answer = await web.post((await door.links()).preferences, data=data, allow_redirects=False)
    page = await answer.text()

    assert answer.status in {303, 422}
    assert "<script" not in page
    assert "49" not in page
    assert await door.people.memberships() == before


async def test_every_field_has_a_label_and_an_id_of_its_own(door: Door, web: Web):
    page = await (await web.get((await door.links()).preferences)).text()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    inputs = re.findall(r"<input (?![^>]*hidden)[^>]*>", page)
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    assert len(inputs) > 30
    assert all(re.search(r'\sid="([^"]+)"', field)[1] in labelled for field in inputs)


async def test_somebody_who_was_erased_is_gone(door: Door, web: Web):
    url = (await door.links()).preferences
    await door.people.erase("amina@example.org")
    answer = await web.get(url)
    assert answer.status == 410
    assert "We have no subscription for this link any more" in await answer.text()

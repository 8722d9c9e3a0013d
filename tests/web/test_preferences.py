"""The preferences page stores the form, or shows its problems and stores nothing."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest

from service.app.self_service import SelfService, store_preferences
from service.core.model import Preferences
from service.subscribers.actions import unsubscribe
from service.subscribers.sync import apply_roster
from tests.builders import NOON
from tests.web.conftest import ROSTER, WebServer

Web = aiohttp.ClientSession


class Form(HTMLParser):
    """The fields that a browser would submit for the first form."""

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
        """Return the fields with some of `morning` replaced, each by one value or several."""
        kept = [field for field in self.fields if field[0].removeprefix("morning.") not in changes]
        for name, values in changes.items():
            kept += [(f"morning.{name}", v) for v in ([values] if isinstance(values, str) else values)]
        return kept


async def form(server: WebServer, web: Web) -> Form:
    return Form(await (await web.get((await server.links()).preferences)).text())


async def sent(server: WebServer, web: Web, **changes: Any) -> aiohttp.ClientResponse:
    fields = (await form(server, web)).changed(**changes)
    return await web.post((await server.links()).preferences, data=fields, allow_redirects=False)


async def test_get_changes_nothing(server: WebServer, web: Web):
    before = await server.people.memberships()
    for method in ("GET", "HEAD", "OPTIONS"):
        assert (await web.request(method, (await server.links()).preferences)).status in {200, 204}
    assert await server.people.memberships() == before


async def test_saving_the_stored_form_changes_nothing(server: WebServer, web: Web):
    before = await server.people.memberships()
    answer = await sent(server, web)
    assert (answer.status, answer.headers["Location"]) == (303, "?saved")
    assert await server.people.memberships() == before


async def test_every_field_can_be_changed(server: WebServer, web: Web):
    answer = await sent(
        server,
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
    edition = (await server.membership()).edition
    assert edition.schedule == "weekly mon,thu 07:00,18:30"
    assert (edition.timezone, edition.topics) == ("America/Lima", ("economy", "world"))
    assert (edition.stories, edition.points, edition.format) == (5, 2, "text")
    page = await (await web.get(f"{(await server.links()).preferences}?saved")).text()
    assert "Saved." in page


async def test_only_values_that_differ_from_the_newsletter_are_stored(server: WebServer, web: Web):
    await sent(server, web, stories="5")
    membership = await server.membership()
    assert membership.chosen
    wishes = membership.subscription.preferences
    assert (wishes.stories, wishes.schedule, wishes.timezone, wishes.topics) == (5, None, None, None)


async def test_a_saved_preference_survives_applying_the_roster(server: WebServer, web: Web):
    await sent(server, web, stories="5")
    await sent(server, web, status="pause")
    await apply_roster(server.people, ROSTER, NOON)
    membership = await server.membership()
    assert (membership.edition.stories, membership.subscription.status) == (5, "paused")


@pytest.mark.parametrize(
    ("days", "schedule"),
    [("0123456", "daily"), ("01234", "weekdays"), ("56", "weekends"), ("6", "weekly sun")],
)
async def test_days_are_stored_as_their_schedule_word(server: WebServer, web: Web, days: str, schedule: str):
    await sent(server, web, day=list(days))
    assert (await server.membership()).edition.schedule == f"{schedule} 07:00"


async def test_a_schedule_without_fields_is_kept_until_days_are_chosen(server: WebServer, web: Web):
    membership, newsletter = await server.membership(), ROSTER.newsletters[0]
    wanted = Preferences(schedule="every 3h from 06:00 to 22:00")
    await store_preferences(server.people, membership, newsletter, wanted, NOON)

    page = await (await web.get((await server.links()).preferences)).text()
    assert "On this schedule: every 3 hours from 06:00 to 22:00" in page
    await sent(server, web, stories="5")
    edition = (await server.membership()).edition
    assert (edition.schedule, edition.stories) == ("every 3h from 06:00 to 22:00", 5)
    assert (await sent(server, web, rhythm="week")).status == 422  # no time was chosen
    await sent(server, web, rhythm="week", time="08:00")
    assert (await server.membership()).edition.schedule == "daily 08:00"
    assert "On this schedule" not in await (await web.get((await server.links()).preferences)).text()


async def test_words_and_minutes_can_be_changed(server: WebServer, web: Web):
    await sent(server, web, follow="Central Bank,  WHO، rain,,", mute="horoscope", minutes="5")
    edition = (await server.membership()).edition
    assert (edition.follow, edition.mute) == (("WHO", "central bank", "rain"), ("horoscope",))
    assert edition.minutes == 5

    await sent(server, web, follow="", mute="", minutes="")
    edition = (await server.membership()).edition
    assert (edition.follow, edition.mute, edition.minutes) == ((), (), None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"minutes": "soon"}, "Please write a number."),
        ({"minutes": "99"}, "99 minutes are not possible"),
        ({"follow": "x" * 81}, "is too long"),
        ({"mute": ",".join(f"word {n}" for n in range(60))}, "60 words and phrases are too many"),
    ],
)
async def test_wrong_words_and_minutes_are_explained_and_not_stored(
    server: WebServer, web: Web, change: dict[str, str], sentence: str
):
    before = await server.people.memberships()
    answer = await sent(server, web, **change)
    assert answer.status == 422
    assert sentence in await answer.text()
    assert await server.people.memberships() == before


async def test_languages_are_offered_where_the_feeds_have_several(server: WebServer, web: Web):
    assert "morning.languages" not in (await form(server, web)).names  # all feeds are in one language


async def test_chosen_languages_are_stored_and_none_means_all(
    server: WebServer, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(SelfService, "languages", lambda *_: ["de", "en", "no"])
    page = await (await web.get((await server.links()).preferences)).text()
    assert re.search(r'value="no">\s*<label[^>]*>Norwegian</label>', page)
    await sent(server, web, languages=["", "en", "no", "xx"])
    assert (await server.membership()).edition.languages == ("en", "no")

    await sent(server, web, languages=[""])
    assert (await server.membership()).edition.languages == ()


async def test_a_form_without_the_fields_for_words_leaves_them_as_they_are(server: WebServer, web: Web):
    await sent(server, web, follow="rain", mute="horoscope", minutes="5")
    new = ("morning.follow", "morning.mute", "morning.minutes", "morning.languages")
    older = [field for field in (await form(server, web)).fields if field[0] not in new]
    await web.post((await server.links()).preferences, data=older, allow_redirects=False)
    edition = (await server.membership()).edition
    assert (edition.follow, edition.mute, edition.minutes) == (("rain",), ("horoscope",), 5)


async def test_pausing_and_resuming(server: WebServer, web: Web):
    await sent(server, web, status="pause")
    assert (await server.statuses())["amina morning"] == "paused"
    await sent(server, web, status="receive")
    assert (await server.statuses())["amina morning"] == "active"


async def test_a_pause_until_a_day_is_shown_with_the_next_issue(server: WebServer, web: Web):
    page = await (await web.get((await server.links()).preferences)).text()
    assert "Next: tomorrow " in page

    assert (await sent(server, web, status="pause", until="2026-03-09")).status == 303
    membership = await server.membership()
    assert (membership.subscription.status, membership.pause_end) == ("paused", date(2026, 3, 9))
    page = await (await web.get((await server.links()).preferences)).text()
    assert 'name="morning.until" value="2026-03-09"' in page
    assert "Next: Monday, 9 March 2026, " in page

    before = await server.people.memberships()
    await sent(server, web)
    assert await server.people.memberships() == before
    await sent(server, web, status="receive")
    assert (await server.statuses())["amina morning"] == "active"
    assert (await server.membership()).pause_end is None


async def test_removing_the_day_makes_it_a_pause_without_an_end(server: WebServer, web: Web):
    await sent(server, web, status="pause", until="2026-03-09")
    await sent(server, web, until="")
    membership = await server.membership()
    assert (membership.subscription.status, membership.pause_end) == ("paused", None)
    page = await (await web.get((await server.links()).preferences)).text()
    assert page.count("Next: ") == 1  # of the other newsletter


async def test_a_day_for_the_end_of_a_pause_is_ignored_without_a_pause(server: WebServer, web: Web):
    assert (await sent(server, web, until="never")).status == 303
    assert (await server.statuses())["amina morning"] == "active"


async def test_after_unsubscribing_from_everything_a_pause_with_an_end_lifts_the_suppression(
    server: WebServer, web: Web
):
    await unsubscribe(server.people, (await server.membership()).subscriber.id, None, NOON)
    await sent(server, web, status="pause", until="2026-03-09")
    membership = await server.membership()
    assert (membership.suppressed, membership.pause_end) == (None, date(2026, 3, 9))


async def test_after_unsubscribing_from_everything_one_newsletter_can_be_resumed(server: WebServer, web: Web):
    membership = await server.membership()
    await unsubscribe(server.people, membership.subscriber.id, None, NOON)
    assert (
        "No mail is sent to this address" in await (await web.get((await server.links()).preferences)).text()
    )
    await sent(server, web, status="receive")
    statuses = await server.statuses()
    assert (statuses["amina morning"], statuses["amina evening"]) == ("active", "unsubscribed")
    assert (await server.membership()).suppressed is None


async def test_one_button_unsubscribes_from_everything(server: WebServer, web: Web):
    answer = await web.post(
        (await server.links()).preferences, data={"leave": "everything"}, allow_redirects=False
    )
    assert answer.status == 303
    assert (await server.membership()).suppressed == "unsubscribed from everything"


async def test_a_monthly_schedule_can_be_changed_and_removed(server: WebServer, web: Web):
    links = await server.links()
    await sent(server, web, rhythm="month", dates="15, 1")
    assert (await server.membership()).edition.schedule == "monthly 1,15 07:00"
    assert 'value="1,15"' in await (await web.get(links.preferences)).text()
    await sent(server, web, rhythm="week", day=["0"])
    assert (await server.membership()).edition.schedule == "weekly mon 07:00"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time": []}, "Please say at which time."),
        ({"day": []}, "Please choose a day."),
        ({"topic": []}, "Please choose a topic, or unsubscribe."),
        ({"stories": "many"}, "Please write a number."),
        ({"stories": "0"}, "0 stories are not possible; choose from 1 to 50"),
        ({"points": "9999"}, "9999 key points are not possible; choose from 1 to 12"),
        ({"timezone": "Lima"}, "There is no time zone &#39;Lima&#39;. Did you mean America/Lima?"),
        ({"rhythm": "month", "dates": "40"}, "names no days of the month"),
        ({"status": "pause", "until": "soon"}, "Please choose a day."),
        ({"status": "pause", "until": "2026-03-01"}, "choose a day from tomorrow on"),
        ({"status": "pause", "until": "2027-06-01"}, "at most a year ahead"),
        ({"time": ["25:00"]}, "is no time of day"),
    ],
)
async def test_a_problem_is_shown_at_its_field_and_nothing_is_stored(
    server: WebServer, web: Web, changes: dict[str, Any], sentence: str
):
    before = await server.people.memberships()
    answer = await sent(server, web, **changes)
    page = await answer.text()

    assert answer.status == 422
    assert sentence in page
    described = re.search(r'aria-describedby="([^"]+)"', page)
    assert described
    assert f'id="{described[1]}"' in page
    assert "Nothing was saved yet" in page
    assert await server.people.memberships() == before


async def test_all_problems_are_shown_at_once(server: WebServer, web: Web):
    page = await (await sent(server, web, stories="many", timezone="Lima", day=[], topic=[])).text()
    assert page.count('class="problem"') == 4


async def test_typed_values_stay_when_another_field_has_a_problem(server: WebServer, web: Web):
    page = await (await sent(server, web, stories="many", timezone="America/Lima", day=["2"])).text()
    again = Form(page)
    assert ("morning.timezone", "America/Lima") in again.fields
    assert [value for name, value in again.fields if name == "morning.day"] == ["2"]


async def test_the_other_fields_of_a_newsletter_that_is_left_are_ignored(server: WebServer, web: Web):
    answer = await sent(server, web, status="leave", stories="many", time=[])
    assert answer.status == 303
    assert (await server.statuses())["amina morning"] == "unsubscribed"


async def test_a_newsletter_added_while_the_page_was_open_is_unchanged(server: WebServer, web: Web):
    fields = [field for field in (await form(server, web)).changed(stories="5") if "evening." not in field[0]]
    await web.post((await server.links()).preferences, data=fields)
    assert (await server.membership("amina", "evening")).edition.stories == 8
    assert (await server.membership()).edition.stories == 5


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
async def test_hostile_values_are_escaped(server: WebServer, web: Web, fields: list[tuple[str, str]]):
    before = await server.people.memberships()
    data = [(name, value.encode("utf-8", "replace").decode()) for name, value in fields]
    answer = await web.post((await server.links()).preferences, data=data, allow_redirects=False)
    page = await answer.text()

    assert answer.status in {303, 422}
    assert "<script" not in page
    assert "49" not in page
    assert await server.people.memberships() == before


async def test_every_field_has_a_label_and_an_id_of_its_own(server: WebServer, web: Web):
    page = await (await web.get((await server.links()).preferences)).text()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    inputs = re.findall(r"<input (?![^>]*hidden)[^>]*>", page)
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    assert len(inputs) > 30
    assert all(re.search(r'\sid="([^"]+)"', field)[1] in labelled for field in inputs)


async def test_an_erased_subscriber_gets_410(server: WebServer, web: Web):
    url = (await server.links()).preferences
    await server.people.erase("amina@example.org")
    answer = await web.get(url)
    assert answer.status == 410
    assert "We have no subscription for this link any more" in await answer.text()

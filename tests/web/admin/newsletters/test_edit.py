"""An editor changes newsletters.yaml by the form: only changes are written, nothing is overwritten."""

from __future__ import annotations

import html
import re
import stat
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from service.app.newsletters.fields import GROUPS, newsletter_fields
from service.settings.load import load_config
from service.settings.roster_files import NewsletterEntry
from tests.web.admin.conftest import Editor, EditorsSite

FILE = """\
# What goes out
newsletters:
  - id: morning # the first
    title: "The Morning Caveat"
    topics: [world] # more later
    schedule: "daily 07:00"   # local time
    timezone: UTC
    stories: 12
    # follow: [climate]

  # Nobody gets this one yet
  - {id: evening, title: The Evening, topics: [economy], schedule: "daily 18:00", timezone: UTC}
  - {id: weekly, title: The Week, topics: [economy], schedule: "weekly sun 09:00", timezone: UTC} # new
"""
_FIELD = re.compile(r'<input id="([^"]+)" name="([^"]+)"[^>]*?value="([^"]*)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_AREA = re.compile(r'<textarea id="[^"]+" name="([^"]+)"[^>]*>([^<]*)</textarea>')
_CHECKED = re.compile(r'<input type="checkbox"[^>]*name="([^"]+)" value="([^"]*)" checked')
_SELECT = re.compile(r'<select id="[^"]+" name="([^"]+)".*?</select>', re.DOTALL)
_SELECTED = re.compile(r'<option value="([^"]*)" selected')


def fields_of(page: str) -> dict[str, str | list[str]]:
    """Return the fields of the page's form as a browser would send them, without the CSRF token."""
    found: dict[str, list[str]] = {}
    main = page.partition("<main")[2]
    for name, value in _HIDDEN.findall(main):
        found.setdefault(name, []).append(value)
    for _, name, value in _FIELD.findall(main):
        found.setdefault(name, []).append(value)
    for name, value in (*_CHECKED.findall(main), *_AREA.findall(main)):
        found.setdefault(name, []).append(value)
    for select in _SELECT.finditer(main):
        chosen = _SELECTED.search(select[0])
        found.setdefault(select[1], []).append(chosen[1] if chosen else "")
    found.pop("csrf", None)
    return {name: [html.unescape(value) for value in values] for name, values in found.items()}


@dataclass(frozen=True)
class NewslettersYaml:
    """newsletters.yaml of the site."""

    path: Path

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")

    def mode(self) -> int:
        return stat.S_IMODE(self.path.stat().st_mode)


@pytest.fixture
def file(editors: EditorsSite) -> NewslettersYaml:
    found = NewslettersYaml(editors.folder / "newsletters.yaml")
    found.write(FILE)
    found.path.chmod(0o640)
    return found


async def saved(editor: Editor, newsletter: str, **changes: str | list[str]) -> tuple[int, str]:
    """Open the form, change fields, save, and agree to what it does to readers."""
    _, page = await editor.get(f"/newsletters/{newsletter}")
    status, page = await editor.post(f"/newsletters/{newsletter}", {**fields_of(page), **changes})
    if "What changes for readers</h1>" in page:
        status, page = await editor.post(f"/newsletters/{newsletter}", fields_of(page))
    return status, page


@pytest.mark.usefixtures("file")
async def test_the_form_has_every_key_of_the_model_with_its_help(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    _, page = await editor.get("/newsletters/morning")

    assert {key for _, keys in GROUPS for key in keys} == set(NewsletterEntry.model_fields)
    for key, field in newsletter_fields().items():
        assert f'name="{key}"' in page
        first = html.escape(field.help.partition("`")[0], quote=False).replace("'", "&#39;")
        assert f'id="{key}.hint">{first}' in page


async def test_one_field_changes_no_other_byte_whatever_the_order_of_the_lists(
    editors: EditorsSite, file: NewslettersYaml
):
    lists = "topics: [world, economy, science]\n    languages: [fr, en]\n    mute: [zebra, apple]"
    file.write(FILE.replace("topics: [world]", lists, 1))
    before, editor = file.text(), await editors.log_in("eddie")

    await saved(editor, "morning", stories="9")

    assert file.text() == before.replace("stories: 12", "stories: 9")


async def test_an_unchanged_form_leaves_every_byte(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await saved(editor, "morning")

    assert "Nothing was different" in page
    assert file.text() == FILE


async def test_only_the_characters_of_changed_keys_differ(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await saved(
        editor, "morning", title="Caveat at Seven", stories="", minutes="5", mute="horoscope\nlottery"
    )

    assert "Saved in newsletters.yaml." in page
    assert file.text() == FILE.replace('"The Morning Caveat"', '"Caveat at Seven"').replace(
        "    stories: 12\n", ""
    ).replace(
        "    timezone: UTC\n    #", "    timezone: UTC\n    mute: [horoscope, lottery]\n    minutes: 5\n    #"
    ).replace("    timezone: UTC\n    stories", "    timezone: UTC\n    stories")
    assert file.mode() == 0o640


async def test_a_value_equal_to_the_default_is_not_written(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await saved(editor, "evening", stories="8", theme="daily", lead_picture="false", empty="skip")

    assert "Nothing was different" in page
    assert file.text() == FILE


async def test_an_invalid_value_has_its_sentence_and_typed_values_stay(
    editors: EditorsSite, file: NewslettersYaml
):
    editor = await editors.log_in("eddie")
    status, page = await saved(
        editor,
        "morning",
        schedule="dayly 07:00",
        stories="many",
        title="Another",
        theme="../../etc",
        review="5",
    )

    assert status == 422
    assert 'id="schedule.problem"' in page
    assert "did you mean daily?" in page
    assert 'aria-describedby="schedule.problem schedule.hint" aria-invalid="true"' in page
    assert "A whole number" in page or "a whole number" in page
    assert "There is no theme &#39;../../etc&#39;" in page
    assert "did you mean 5m?" in page
    assert 'value="Another"' in page
    assert file.text() == FILE


async def test_a_change_by_hand_meanwhile_is_not_overwritten(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await editor.get("/newsletters/morning")
    by_hand = FILE.replace("stories: 12", "stories: 20 # by hand")
    file.write(by_hand)
    status, page = await editor.post("/newsletters/morning", {**fields_of(page), "stories": "3"})

    assert status == 409
    assert re.search(r"<td>Stories</td><td>20</td><td>3</td>", page)
    assert file.text() == by_hand

    status, page = await editor.post("/newsletters/morning", fields_of(page))
    assert "Saved" in page
    assert file.text() == by_hand.replace("stories: 20", "stories: 3")


async def test_who_is_affected_is_shown_before_saving(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await editor.get("/newsletters/morning")
    status, page = await editor.post("/newsletters/morning", {**fields_of(page), "schedule": "daily 09:30"})

    assert status == 200
    assert "Nothing is saved yet." in page
    assert "ben@example.org: moves from daily 07:00 in UTC to daily 09:30 in UTC" in page
    assert file.text() == FILE

    status, page = await editor.post("/newsletters/morning", fields_of(page))
    assert "Saved in newsletters.yaml." in page
    assert file.text() == FILE.replace('"daily 07:00"   #', '"daily 09:30"   #')


async def test_the_page_says_whether_the_saved_file_is_in_force(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await saved(editor, "evening", title="At Six")
    assert "in force in a moment" in page

    editors.app.roster = load_config(editors.folder, {}).roster
    _, page = await editor.get("/newsletters/evening")
    assert ">in force</span>" in page

    file.write(FILE.replace("daily 18:00", "dayly 18:00"))
    _, page = await editor.get("/newsletters/evening")
    assert "the last valid one stays in force" in page
    assert re.search(r"newsletters\.yaml:12:\d+", page)


async def test_a_newsletter_is_added_and_removed(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await editor.get("/add-newsletter")
    new = {
        **fields_of(page),
        "id": "noon",
        "title": "High: Noon #1",
        "schedule": "weekdays 12:00",
        "topics": ["world", ""],
    }
    _, page = await editor.post("/add-newsletter", new)
    assert "was added" in page
    assert file.text().startswith(FILE)
    assert load_config(editors.folder, {}).roster.newsletter("noon").title == "High: Noon #1"  # type: ignore[union-attr]

    editors.clock.at += timedelta(minutes=1)
    _, page = await editor.get("/newsletters/noon/remove")
    status, page = await editor.post("/newsletters/noon/remove", {**fields_of(page), "typed": "moon"})
    assert status == 422
    _, page = await editor.post("/newsletters/noon/remove", {**fields_of(page), "typed": "noon"})
    assert "was removed" in page
    assert file.text() == FILE


async def test_a_newsletter_that_subscribers_name_is_not_removed(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    _, page = await editor.get("/newsletters/evening/remove")
    assert "2 subscribers get it" in page
    status, page = await editor.post("/newsletters/evening/remove", {**fields_of(page), "typed": "evening"})

    assert status == 422
    assert "subscribers.yaml:2" in page
    assert file.text() == FILE


async def test_the_id_stays_while_somebody_gets_the_newsletter(editors: EditorsSite, file: NewslettersYaml):
    editor = await editors.log_in("eddie")
    status, page = await saved(editor, "morning", id="dawn")
    assert (status, "The id stays" in page) == (422, True)
    status, page = await saved(editor, "weekly", id="evening")
    assert (status, "already" in page) == (422, True)
    await saved(editor, "weekly", id="sunday")
    assert "{id: sunday, title: The Week" in file.text()


HOSTILE = (
    "<script>alert(1)</script>\"'>",
    "x\n  - {id: evil, title: E, schedule: daily 07:00, timezone: UTC}",
    "&anchor value",
    "*anchor",
    "!!python/object/apply:os.system ['id']",
    "a: b # c",
    "{{ 7 * 7 }}{% for x in y %}",
    "%YAML 1.1",
    "---",
    "\u2028- id: evil",
)


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_hostile_value_is_one_text_in_the_file_and_on_the_page(
    editors: EditorsSite, file: NewslettersYaml, value: str
):
    editor = await editors.log_in("eddie")
    await saved(editor, "morning", title=value, follow=value)
    loaded = load_config(editors.folder, {}).roster
    morning = loaded.newsletters[0]

    assert [one.id for one in loaded.newsletters] == ["morning", "evening", "weekly"]
    assert morning.title == " ".join(value.split())
    assert morning.follow == tuple(" ".join(line.split()) for line in value.splitlines() if line.strip())
    editors.app.roster = loaded
    for path in (
        "/newsletters",
        "/newsletters/morning",
        "/newsletters/morning/preview",
        "/newsletters/morning/remove",
    ):
        _, page = await editor.get(path)
        assert "<script>alert" not in page
        assert "{{ 7 * 7 }}" in page or "7 * 7" not in value
    rest = file.text().partition("  # Nobody")
    assert "".join(rest[1:]) == FILE[FILE.index("  # Nobody") :]


async def test_a_viewer_sees_the_form_and_changes_nothing(editors: EditorsSite, file: NewslettersYaml):
    viewer = await editors.log_in("vera")
    status, page = await viewer.get("/newsletters/morning")
    assert (status, "<fieldset disabled>" in page) == (200, True)
    status, _ = await viewer.post("/newsletters/morning", {**fields_of(page), "title": "Mine"})
    assert status == 403
    assert (await viewer.get("/newsletters/morning/remove"))[0] == 403
    assert file.text() == FILE


@pytest.mark.usefixtures("file")
async def test_what_an_editor_changed_is_in_the_audit(editors: EditorsSite):
    editor = await editors.log_in("eddie")
    await saved(editor, "evening", title="At Six")
    admin = await editors.log_in("ada")
    _, page = await admin.get("/access/audit")
    assert "changed the newsletter At Six: title" in page

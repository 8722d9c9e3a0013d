"""`caveat config plan` and `caveat config apply`: the change in words, the guard, the backup."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.runner import CliRunner


@pytest.fixture
def draft(caveat: CliRunner, tmp_path: Path) -> Path:
    """Apply a configuration with ten subscribers, and give a copy of it to change."""
    people = (f"  - {{email: reader{n}@example.org, newsletters: [morning]}}\n" for n in range(10))
    caveat.write("subscribers.yaml", "subscribers:\n" + "".join(people))
    assert caveat("config", "apply").code == 0
    return Path(shutil.copytree(caveat.folder, tmp_path / "draft"))


def change(draft: Path, name: str, old: str, new: str) -> None:
    text = (draft / name).read_text()
    assert old in text
    (draft / name).write_text(text.replace(old, new))


def test_the_plan_says_who_moves_to_which_hour_and_when_their_next_mail_is_due(
    caveat: CliRunner, draft: Path
):
    change(draft, "newsletters.yaml", "daily 07:00", "daily 08:30")
    change(draft, "subscribers.yaml", "  - {email: reader9@example.org, newsletters: [morning]}\n", "")
    with (draft / "subscribers.yaml").open("a") as file:
        file.write("  - {email: zoe@example.org, timezone: Asia/Qatar, newsletters: [morning]}\n")
    change(draft, "feeds.yaml", "House notices", "Notices of the house")
    change(draft, "caveat.yaml", "name: The Test", "name: The Other Test")
    said = caveat("config", "plan", draft)

    assert said.code == 0
    newsletter, *people, more, _feed, setting = said.out.splitlines()
    assert newsletter == (
        "The Morning Test (morning): changed (schedule daily 07:00 -> daily 08:30); 1 get it no longer, "
        "1 get it newly, 9 get it at another time"
    )
    assert people[0] == "  reader9@example.org: gets it no longer"
    assert people[1].startswith("  zoe@example.org: gets it newly, daily 08:30 in Asia/Qatar; next mail ")
    assert people[1].endswith(" 08:30 in Asia/Qatar")
    assert people[2].startswith(
        "  reader0@example.org: moves from daily 07:00 in Europe/Berlin to daily 08:30 in Europe/Berlin; next"
    )
    assert (len(people), more) == (5, "  and 6 more")
    assert "name House notices -> Notices of the house" in said.out
    assert setting == "setting site.name: The Test -> The Other Test"


def test_the_plan_counts_people_outside_the_files_who_follow_a_changed_default(
    caveat: CliRunner, draft: Path, tmp_path: Path
):
    path = tmp_path / "people.csv"
    path.write_text("email,newsletters\n" + "".join(f"imported{n}@example.org,morning\n" for n in range(7)))
    assert caveat("subscriber", "import", path, "--yes").code == 0
    change(draft, "newsletters.yaml", "daily 07:00", "daily 08:30")
    change(
        draft,
        "subscribers.yaml",
        "newsletters: [morning]",
        'newsletters: [{id: morning, schedule: "daily 05:00"}]',
    )
    assert caveat("config", "apply", draft, "--yes").code == 0
    shown = caveat("subscriber", "show", "imported0@example.org").out
    assert "daily 08:30" in shown

    change(draft, "newsletters.yaml", "daily 08:30", "daily 09:45")
    newsletter, *people, more = caveat("config", "plan", draft).out.splitlines()
    assert newsletter.endswith("7 get it at another time")
    assert (len(people), more) == (5, "  and 2 more")
    assert people[0].startswith(
        "  imported0@example.org: moves from daily 08:30 in Europe/Berlin to daily 09:45 in Europe/Berlin"
    )


def test_the_plan_as_json_has_numbers_people_and_settings_without_secrets(caveat: CliRunner, draft: Path):
    change(draft, "subscribers.yaml", "{email: reader9@example.org", "{email: reader10@example.org")
    change(draft, "caveat.yaml", "mail: {", 'mail: {smtp: {username: me, password: "s3cret"}, ')
    result = caveat("config", "plan", draft, "--json")
    newsletter, *others = result.records

    assert (newsletter["gains"], newsletter["loses"], newsletter["moves"]) == (1, 1, 0)
    assert [one["kind"] for one in newsletter["sample"]] == ["loses", "gains"]
    assert {one["key"] for one in others if one["kind"] == "setting"} == {
        "mail.smtp.username",
        "mail.smtp.password",
    }
    assert "s3cret" not in result.out


def test_a_plan_changes_nothing_and_a_draft_with_an_error_names_its_place(caveat: CliRunner, draft: Path):
    assert caveat("config", "plan").out == "Nothing changes.\n"
    (draft / "subscribers.yaml").write_text("subscribers: []\n")
    assert "ends 10 of 10 subscriptions" in caveat("config", "plan", draft).out
    assert caveat("config", "plan").out == "Nothing changes.\n"
    change(draft, "newsletters.yaml", "daily 07:00", "dayly 07:00")
    broken = caveat("config", "plan", draft)

    assert broken.code == 2
    assert broken.err.startswith("newsletters.yaml:3:")
    assert caveat("config", "plan", draft / "nowhere").code == 2


def test_applying_a_draft_replaces_the_files_and_keeps_the_old_ones(caveat: CliRunner, draft: Path):
    before = (caveat.folder / "newsletters.yaml").read_bytes()
    for file in draft.iterdir():
        if file.name != "newsletters.yaml":
            file.unlink()
    change(draft, "newsletters.yaml", "daily 07:00", "daily 08:30")
    (caveat.folder / "newsletters.yaml").chmod(0o640)
    assert caveat("config", "apply", draft).code == 2  # standard input is no terminal that could confirm it
    assert (caveat.folder / "newsletters.yaml").read_bytes() == before
    done = caveat("config", "apply", draft, "--yes")

    assert done.code == 0
    assert "10 changed" in done.err
    assert (caveat.folder / "newsletters.yaml").read_bytes() == (draft / "newsletters.yaml").read_bytes()
    assert (caveat.folder / "newsletters.yaml").stat().st_mode & 0o777 == 0o640
    (backup,) = (caveat.folder / ".backups").iterdir()
    assert (backup / "newsletters.yaml").read_bytes() == before
    assert (backup / "newsletters.yaml").stat().st_mode & 0o777 == 0o600
    assert caveat("config", "diff", "--json").records == []


@pytest.mark.parametrize(
    "words",
    [
        ("config", "apply"),
        ("compose",),
        ("gather",),
        ("send", "morning", "--all", "--yes"),
    ],
)
def test_no_command_ends_everybody_by_itself(caveat: CliRunner, draft: Path, words: tuple[str, ...]):
    assert draft
    caveat.write("subscribers.yaml", "subscribers: []\n")
    refused = caveat(*words)

    assert refused.code == 2
    assert "10 of 10 subscriptions" in refused.err
    listed = caveat("subscriber", "list", "--json")  # needs no file, and works with what is in force
    assert listed.code == 0
    assert "10 of 10 subscriptions" in listed.err
    assert {one["status"] for one in listed.records} == {"active"}
    doctor = caveat("doctor")
    assert "would end 10 of 10" in doctor.out
    assert doctor.code == 1
    assert "would end 10 of 10" in caveat("config", "check").err

    assert caveat("config", "apply", "--yes").code == 0
    assert {one["status"] for one in caveat("subscriber", "list", "--json").records} == {"ended"}
    assert "would end" not in caveat("doctor").out

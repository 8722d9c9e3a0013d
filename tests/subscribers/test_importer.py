"""Import and export of subscribers: formats, encodings, and refused rows with line and reason."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import ids as identity
from service.core.errors import StoreError, UsageError
from service.core.model import NO_LIMIT, Preferences, Subscriber
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.actions import erase, unsubscribe
from service.subscribers.export import export_subscribers
from service.subscribers.import_formats import COLUMNS, ImportRow, escape_formula, read_rows, unescape_formula
from service.subscribers.importer import ImportOptions, ImportResult, SeenLines, import_subscribers
from service.subscribers.preferences import placement_for
from service.subscribers.sync import apply_roster
from tests.builders import NOON
from tests.subscribers.rosters import EVENING, MORNING, a_roster, an_entry, stored_subscriptions

TERMS = ImportOptions({"morning": MORNING, "evening": EVENING}, NOON)
CHOICES: dict[str, list[Any]] = {
    "schedule": ["daily 06:45", "weekdays 09:00"],
    "timezone": ["Asia/Tokyo", "Asia/Qatar"],
    "topics": [("economy",), ()],
    "stories": [1, 7],
    "points": [2],
    "language": ["de"],
    "format": ["text"],
    "languages": [("en", "fr"), ()],
    "follow": [("rain, storm",), ("a; b", "central bank"), (), ("-",)],
    "mute": [("horoscope",), ()],
    "minutes": [5, NO_LIMIT],
}
HEAD = "email,name,timezone,newsletters,schedule\n"


async def imported(
    people: SqlSubscriberStore, text: str | bytes, name: str = "people.csv", **changes: Any
) -> tuple[ImportResult, list[str]]:
    """Import the text; return the counts and the refusals as `line: reason`."""
    data = text if isinstance(text, bytes) else text.encode()
    refusals: list[str] = []
    terms = ImportOptions(**{"newsletters": TERMS.newsletters, "starts_after": NOON} | changes)
    source = io.BufferedReader(io.BytesIO(data))
    counts = await import_subscribers(
        people, source, name, terms, NOON, on_refusal=lambda r: refusals.append(f"{r.line}: {r.reason}")
    )
    return counts, refusals


async def test_an_import_stores_zone_newsletters_and_schedule(people: SqlSubscriberStore):
    counts, refusals = await imported(
        people,
        HEAD
        + "amina@example.org,Amina,Asia/Qatar,morning evening,daily 06:30\n"
        + 'ben@example.org,"Ben, ""the"" baker",,morning,\n',
    )
    assert (counts, refusals) == (ImportResult(people=2, added=3), [])
    assert await stored_subscriptions(people) == [
        "amina evening daily 06:30 active",
        "amina morning daily 06:30 active",
        "ben morning daily 07:00 active",
    ]
    names = {m.subscriber.name: m.subscriber.timezone for m in await people.memberships()}
    assert names == {"Amina": "Asia/Qatar", 'Ben, "the" baker': None}


async def test_a_second_import_changes_only_differences(people: SqlSubscriberStore):
    await imported(people, HEAD + "a@x.org,A,,morning,\nb@x.org,B,,morning,\n")
    counts, _ = await imported(people, HEAD + "a@x.org,A,,morning,daily 09:00\nb@x.org,B,,morning,\n")
    assert counts == ImportResult(people=2, changed=1, kept=1)


async def test_an_error_of_the_database_ends_the_import_and_keeps_what_was_stored_before(
    sqlite_people: SqlSubscriberStore, monkeypatch: pytest.MonkeyPatch
):
    add, calls = SqlSubscriberStore.add_subscriptions, count(1)

    async def fail_at_the_second(*args: Any, **options: Any) -> object:
        if next(calls) == 2:
            raise StoreError("the disk is full")
        return await add(*args, **options)

    monkeypatch.setattr(SqlSubscriberStore, "add_subscriptions", fail_at_the_second)
    rows = "".join(f"reader{n}@example.org,,,morning,\n" for n in range(9))
    with pytest.raises(StoreError, match="the disk is full"):
        await imported(sqlite_people, HEAD + rows, transaction_rows=2)
    assert len(await sqlite_people.memberships()) == 2


async def test_a_file_without_zones_keeps_known_zones(people: SqlSubscriberStore):
    await imported(people, HEAD + "amina@example.org,Amina,Asia/Qatar,morning,\n")
    before = await people.memberships()

    counts, _ = await imported(people, "email,newsletters\namina@example.org,morning\n")
    assert counts == ImportResult(people=1, kept=1)
    assert await people.memberships() == before

    await imported(people, "email,newsletters,schedule\namina@example.org,morning,daily 09:00\n")
    [amina] = await people.memberships()
    assert (amina.subscriber.name, amina.subscriber.timezone) == ("Amina", "Asia/Qatar")
    assert (amina.edition.schedule, amina.edition.timezone) == ("daily 09:00", "Asia/Qatar")
    assert amina.subscription.next_due_at.isoformat() == "2026-03-03T06:00:00+00:00"


async def test_an_import_does_not_undo_an_unsubscribe(people: SqlSubscriberStore):
    text = HEAD + "amina@x.org,A,,morning,\nben@x.org,B,,morning,\n"
    await imported(people, text)
    await unsubscribe(people, identity.subscriber_id("amina@x.org"), "morning", NOON)
    await erase(people, "ben@x.org", NOON)
    await imported(people, text)

    assert await stored_subscriptions(people) == [
        "amina morning daily 07:00 unsubscribed",
        "ben morning daily 07:00 active",
    ]
    (ben,) = await people.memberships(email="ben@x.org")
    assert ben.suppressed == "erased at their own request"


async def test_json_lines_are_imported_like_csv(people: SqlSubscriberStore):
    rows = [
        {"email": "amina@x.org", "newsletters": ["morning", "evening"], "schedule": "daily 06:30"},
        {"Email": "ben@x.org", "newsletters": "morning", "name": None, "age": 40},
    ]
    text = "\n".join(json.dumps(row) for row in rows) + "\n\n"
    for name in ("people.jsonl", "-"):
        counts, refusals = await imported(people, text, name)
        assert (counts.people, refusals) == (2, [])
    assert len(await stored_subscriptions(people)) == 3


async def test_a_dry_run_stores_nothing(people: SqlSubscriberStore):
    await imported(people, HEAD + "a@x.org,,,morning,\n")
    counts, refusals = await imported(
        people, HEAD + "a@x.org,,,morning,\nb@x.org,,,morning evening,\nnobody,,,morning,\n", dry_run=True
    )
    assert counts == ImportResult(people=2, known=1, refused=1)
    assert len(refusals) == 1
    assert len(await stored_subscriptions(people)) == 1


@pytest.mark.parametrize(("zone", "evening_zone"), [("Asia/Qatar", "Asia/Qatar"), (None, "Asia/Tokyo")])
async def test_a_person_of_the_roster_keeps_its_values_and_gets_what_the_roster_does_not_name(
    people: SqlSubscriberStore, zone: str | None, evening_zone: str
):
    roster = a_roster(an_entry("amina", "morning", timezone=zone, schedule="daily 06:30"))
    await apply_roster(people, roster, NOON)
    table = HEAD + "Amina@example.org,Amina Two,Asia/Tokyo,morning evening,daily 05:00\n"
    checked, _ = await imported(people, table, dry_run=True)
    assert checked == ImportResult(people=1, known=1, more=1, of_file=1)
    counts, _ = await imported(people, table)

    assert counts == ImportResult(people=1, added=1, kept=1)
    evening, morning = await people.memberships()
    assert evening.subscriber == morning.subscriber == roster.subscribers[0].subscriber
    assert (evening.edition.schedule, evening.edition.timezone) == ("daily 05:00", evening_zone)
    assert morning.edition.schedule == "daily 06:30"
    before = await people.memberships()
    await apply_roster(people, roster, NOON)
    assert await people.memberships() == before


async def test_people_who_left_another_program_are_not_subscribed_again(sqlite_people: SqlSubscriberStore):
    text = (
        "Email,Status,Newsletters\nstays@x.org,subscribed,morning\nleft@x.org,Unsubscribed,morning\n"
        "asked@x.org,Opted out,morning\nspam@x.org,complained,morning\nnew@x.org,pending,morning\n"
        "old@x.org,,morning\n"
    )
    counts, refusals = await imported(sqlite_people, text)

    assert counts == ImportResult(people=2, added=2, refused=4)
    assert refusals[0] == "3: their status in the file is 'Unsubscribed'; only subscribed people are imported"
    assert {m.subscriber.email for m in await sqlite_people.memberships()} == {"stays@x.org", "old@x.org"}


async def test_each_refused_row_has_line_and_reason(sqlite_people: SqlSubscriberStore):
    rows = {
        "amina@x.org,A,,morning,": "",
        "AMINA@X.ORG,A,,morning,": "AMINA@x.org is already in line 2",
        "not-an-address,,,morning,": "'not-an-address' is no email address: an email address must",
        ",Nobody,,morning,": "nothing is no email address: ",
        "a@x.org,,,mornin,": "there is no newsletter 'mornin'. Did you mean morning? Known: evening,",
        "b@x.org,,,,": "the row names no newsletter; name one of morning, evening",
        "c@x.org,,Berlin,morning,": "there is no time zone 'Berlin'. Did you mean Europe/Berlin? Write one",
        "d@x.org,,,morning,someday": "there is no kind of schedule 'someday'. Known: cron, daily, ",
        f"e@x.org,{'x' * 300},,morning,": "the name has 300 characters; at most 200 are allowed",
        "f@x.org,F,,morning,,more": "6 cells where 5 columns are named",
        "é@bücher.example,É,,morning,": "",
        "é@xn--bcher-kva.example,É,,morning,": "é@bücher.example is already in line 12",
        "e\u0301@bücher.example,É,,morning,": "é@bücher.example is already in line 12",
    }
    counts, refusals = await imported(sqlite_people, HEAD + "\n".join(rows))

    wanted = [(line, why) for line, why in enumerate(rows.values(), start=2) if why]
    assert [int(refusal.partition(":")[0]) for refusal in refusals] == [line for line, _ in wanted]
    for refusal, (line, why) in zip(refusals, wanted, strict=True):
        assert refusal.startswith(f"{line}: {why}")
    assert (counts.people, counts.refused) == (2, len(wanted))


async def test_invalid_bytes_refuse_only_their_row(sqlite_people: SqlSubscriberStore):
    text = HEAD.encode() + b"a@x.org,Caf\xe9,,morning,\nb\xff@x.org,,,morning,\nc@x.org,\x00N\x00,,morning,\n"
    text += "nobody,żółw,,morning,\n".encode()
    counts, refusals = await imported(sqlite_people, text)
    assert refusals[0] == "2: the name is not UTF-8"
    assert refusals[1].startswith("3: ")
    assert counts.people == 1
    (membership,) = await sqlite_people.memberships()
    assert membership.subscriber.name == "N"


EXCEL = Path(__file__).parent / "excel"


@pytest.mark.parametrize(
    ("file", "people_found", "refused_lines"),
    [
        ("windows-1252.csv", {"ann2@lab.example": "Müller, Jörg"}, []),
        ("utf-16.txt", {"zoe@lab.example": "Zoë"}, []),
        ("semicolons-blank-row.csv", {"Jörg@lab.example": "Müller, Jörg", "x@lab.example": 'A "B" C'}, [5]),
    ],
)
async def test_files_of_excel_are_imported(
    sqlite_people: SqlSubscriberStore, file: str, people_found: dict[str, str], refused_lines: list[int]
):
    data = (EXCEL / file).read_bytes().replace(b";m\r\n", b";morning\r\n")
    counts, refusals = await imported(sqlite_people, data, file, default_newsletters=("morning",))
    assert {m.subscriber.email: m.subscriber.name for m in await sqlite_people.memberships()} == people_found
    assert [int(refusal.partition(":")[0]) for refusal in refusals] == refused_lines
    assert counts.people == len(people_found)


ROWS = 'email,name\namina@x.org,"Zoë, née Møller"\n,\nben@x.org,Bén\n'
READ = {"amina@x.org": "Zoë, née Møller", "ben@x.org": "Bén"}


def is_pipe(data: bytes) -> io.BufferedReader:
    """Return what gives the bytes a few at a time, and cannot go back."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.left = data

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            piece = self.left[: min(7, len(buffer))]
            self.left = self.left[len(piece) :]
            buffer[: len(piece)] = piece
            return len(piece)

    return io.BufferedReader(Pipe())


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\n\n", "sep=,\n", '"sep=,"\n', ",,,\n"])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_rows_are_the_same_in_every_encoding_from_a_file_and_from_a_pipe(
    encoding: str, before: str, ending: str
):
    data = (before + ROWS).replace("\n", ending).encode(encoding)
    for source in (io.BufferedReader(io.BytesIO(data)), is_pipe(data)):
        rows = list(read_rows(source, "people.csv"))
        assert {row.email: row.name for row in rows if isinstance(row, ImportRow)} == READ
        first = before.count("\n") + 2
        assert [row.line for row in rows] == [first, first + 2]


def test_a_guessed_encoding_is_noted():
    for encoding, is_told in (("utf-8", False), ("utf-16", False), ("cp1252", True)):
        notes: list[str] = []
        list(read_rows(io.BytesIO(ROWS.encode(encoding)), "people.csv", notes.append))
        assert ["Windows-1252" in note for note in notes] == [True] * is_told


def test_the_encoding_is_guessed_from_the_whole_file():
    data = (HEAD + "someone@x.org,Ann,,morning,\n" * 60_000).encode() + b"ben@x.org,B\xe9n,,morning,\n"
    *_, last = read_rows(io.BytesIO(data), "people.csv")
    assert isinstance(last, ImportRow)
    assert last.name == "Bén"


@pytest.mark.parametrize(
    ("head", "row", "found"),
    [
        ("Email Address,First Name,Last Name", "a@x.org,Ann,Lee", ("a@x.org", "Ann Lee")),
        ("E-Mail-Adresse;Vorname;Nachname", "a@x.org;Änne;", ("a@x.org", "Änne")),
        ("Adresse électronique\tNom", "a@x.org\tAnne", ("a@x.org", "Anne")),
        ("Nombre|Correo electrónico", "Ana|a@x.org", ("a@x.org", "Ana")),
        ("姓名,邮箱", "安,a@x.org", ("a@x.org", "安")),
        ("メールアドレス,氏名", "a@x.org,安", ("a@x.org", "安")),
        ("Электронная почта;Имя", "a@x.org;Аня", ("a@x.org", "Аня")),
        ("الاسم,البريد الإلكتروني", "آنا,a@x.org", ("a@x.org", "آنا")),
        ("EMAIL_ADDRESS,Address", "a@x.org,1 Example Street", ("a@x.org", "")),
        ("Name,Address", "Ann,a@x.org", ("a@x.org", "Ann")),
        ('"Name, first";email', '"Lee, Ann";a@x.org', ("a@x.org", "")),
        ("email,name,,", "a@x.org,Ann,,,,", ("a@x.org", "Ann")),
        ("email", "\u00a0a@x.org\u00a0", ("a@x.org", "")),
        ("email", "\u202aa@x.org\u202c\u200b", ("a@x.org", "")),
        ("email", "mailto:a@x.org", ("a@x.org", "")),
        ("email,name", '"""Lee, Ann"" <a@x.org>",', ("a@x.org", "Lee, Ann")),
        ("email,name", "Lee <a@x.org>,Ann", ("a@x.org", "Ann")),
        ("email", "<a@x.org>", ("a@x.org", "")),
        ("sep=;\nemail;name", "a@x.org;Ann", ("a@x.org", "Ann")),
    ],
)
def test_headings_and_addresses_have_many_spellings(head: str, row: str, found: tuple[str, str]):
    [read] = read_rows(io.BytesIO(f"{head}\n{row}\n".encode()), "people.csv")
    assert isinstance(read, ImportRow)
    assert (read.email, read.name) == found


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "a spreadsheet (such as .xlsx or .ods)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        (b"%PDF-1.7", "a PDF file"),
        (b"\x1f\x8b\x08", "a file compressed with gzip"),
        (b"<!doctype html><table>", "an HTML page"),
        (b"<?xml version='1.0'?>", "an XML file"),
    ],
)
def test_another_kind_of_file_is_refused_with_advice(data: bytes, what: str):
    with pytest.raises(UsageError) as refused:
        list(read_rows(io.BytesIO(data), "people.xlsx"))
    assert str(refused.value).startswith(f"people.xlsx is {what}")
    assert str(refused.value).endswith(
        "save it as CSV (in Excel: File, Save As, CSV UTF-8) and import that file"
    )


async def test_an_unclosed_quotation_mark_refuses_only_its_row(
    sqlite_people: SqlSubscriberStore,
):
    rows = "".join(f"p{n}@x.org,Person,,morning,\n" for n in range(10_000))
    counts, refusals = await imported(sqlite_people, HEAD + 'a@x.org,"Open,,morning,\n' + rows)
    assert refusals[0].startswith("2: field larger than field limit")
    assert refusals[0].endswith("is a quotation mark not closed?")
    assert counts.people > 3_000


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_files_of_other_programs_are_imported(
    sqlite_people: SqlSubscriberStore, ending: str, mark: str, delimiter: str
):
    lines = [
        "Full Name,E-Mail,Member since,Lists",
        "Amina,amina@x.org,2024,morning evening",
        "",
        ",b@x.org,,",
    ]
    text = mark + ending.join(line.replace(",", delimiter) for line in lines)
    counts, refusals = await imported(sqlite_people, text, default_newsletters=("evening",))
    assert (counts.people, counts.added, refusals) == (2, 3, [])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "people.csv is empty"),
        ("\ufeff\n \n,,\n", "the first line has no column `email`: it is 'nothing'"),
        ("amina@x.org\nben@x.org\n", "the first line has no column `email`: it is 'amina@x.org'"),
        ("email,E-mail\n", "the first line has the column `email` twice"),
    ],
)
async def test_a_file_without_addresses_is_refused_as_a_whole(
    sqlite_people: SqlSubscriberStore, text: str, sentence: str
):
    with pytest.raises(UsageError) as refused:
        await imported(sqlite_people, text)
    assert sentence in str(refused.value)


async def test_an_unknown_default_newsletter_is_refused_first(
    sqlite_people: SqlSubscriberStore,
):
    with pytest.raises(UsageError, match="there is no newsletter 'weekly'"):
        await imported(sqlite_people, HEAD, default_newsletters=("weekly",))


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        '{"email": 5}',
        '{"email": "\\ud800@x.org", "newsletters": "morning"}',
        "[" * 100_000,
    ],
)
async def test_lines_of_json_that_are_no_subscriber_are_refused(sqlite_people: SqlSubscriberStore, line: str):
    good = '{"email": "a@x.org", "newsletters": "morning"}\n'
    counts, refusals = await imported(sqlite_people, f"{good}{line}\n", "people.jsonl")
    assert counts.people == 1
    assert refusals[0].startswith("2: ")


async def test_a_too_long_line_refuses_only_itself(sqlite_people: SqlSubscriberStore):
    good = '{"email": "a@x.org", "newsletters": "morning"}'
    text = '{"email": "' + "x" * 3_000_000 + '"}\n' + good
    counts, refusals = await imported(sqlite_people, text, "people.jsonl")
    assert (counts.people, refusals) == (1, ["1: the line is longer than 1 MB"])


async def test_progress_counts_bytes_up_to_the_end(sqlite_people: SqlSubscriberStore):
    data = (HEAD + "".join(f"p{n}@x.org,,,morning,\n" for n in range(6_000))).encode()
    seen: list[tuple[str, int, int]] = []
    source = io.BufferedReader(io.BytesIO(data))
    await import_subscribers(
        sqlite_people, source, "p.csv", TERMS, NOON, progress=lambda *told: seen.append(told)
    )
    assert [what for what, _, _ in seen] == ["5,000 people", "6,000 people"]
    assert 0 < seen[0][1] < seen[1][1] == seen[1][2] == len(data)


class TestExport:
    """What is exported can be imported again, and no spreadsheet runs it."""

    async def everything(self, people: SqlSubscriberStore, form: str, **changes: Any) -> str:
        return "".join([line async for line in export_subscribers(people, form, **changes)])

    @pytest.mark.parametrize(("form", "name"), [("csv", "p.csv"), ("jsonl", "p.jsonl")])
    async def test_an_export_can_be_imported_again(self, people: SqlSubscriberStore, form: str, name: str):
        await imported(
            people,
            HEAD
            + "amina@x.org,Amina,Asia/Qatar,morning evening,daily 06:30\n"
            + '+tag@x.org,"=HYPERLINK(""x"")",,morning,\n'
            + "ben@bücher.example,'Abd,,evening,\n",
        )
        before = await people.memberships()
        text = await self.everything(people, form)
        for membership in before:
            await people.erase(membership.subscriber.email)
        counts, refusals = await imported(people, text, name)

        assert (counts.added, refusals) == (4, [])
        assert [m.subscriber for m in await people.memberships()] == [m.subscriber for m in before]
        assert [m.edition for m in await people.memberships()] == [m.edition for m in before]

    @pytest.mark.parametrize(("form", "name"), [("csv", "p.csv"), ("jsonl", "p.jsonl")])
    async def test_any_preferences_survive_export_and_import(
        self, sqlite_people: SqlSubscriberStore, form: str, name: str
    ):
        """Of 200 people with random choices, equal or different for their two newsletters."""
        dice = Random(15)  # noqa: S311 - a test that can be repeated
        placements = []
        for number in range(200):
            zone = dice.choice([None, "Asia/Qatar"])
            person = Subscriber(identity.subscriber_id(f"p{number}@x.org"), f"p{number}@x.org", "", zone)
            shared = {key: dice.choice(values) for key, values in CHOICES.items() if dice.random() < 0.3}
            for newsletter in dice.sample([MORNING, EVENING], dice.choice([1, 2])):
                own = {key: dice.choice(values) for key, values in CHOICES.items() if dice.random() < 0.1}
                chosen = Preferences(**(shared | own))
                placements.append(placement_for(person, newsletter, chosen, NOON))
        await sqlite_people.add_subscriptions(placements, NOON, starts_after=NOON)
        before = await sqlite_people.memberships()
        text = await self.everything(sqlite_people, form)
        for membership in before:
            await sqlite_people.erase(membership.subscriber.email)
        _, refusals = await imported(sqlite_people, text, name)

        assert not refusals
        after = await sqlite_people.memberships()
        assert [(m.subscriber.email, m.edition) for m in after] == [
            (m.subscriber.email, m.edition) for m in before
        ]

    async def test_a_zone_of_its_own_and_the_end_of_a_pause_are_in_the_table(
        self, sqlite_people: SqlSubscriberStore
    ):
        ivan = Subscriber(identity.subscriber_id("ivan@x.org"), "ivan@x.org")
        chosen = Preferences(schedule="daily 06:45", timezone="Asia/Tokyo")
        placements = [placement_for(ivan, one, chosen, NOON) for one in (MORNING, EVENING)]
        await sqlite_people.add_subscriptions(placements, NOON, starts_after=NOON)
        await sqlite_people.pause_until(ivan.id, "evening", date(2026, 3, 20), NOON)
        rows = csv.DictReader(io.StringIO(await self.everything(sqlite_people, "csv")))
        [row] = rows
        assert (row["schedule"], row["timezone"]) == ("daily 06:45", "Asia/Tokyo")
        assert (row["newsletters"], row["paused"]) == ("morning", "evening(until 2026-03-20)")

    @pytest.mark.parametrize(
        ("cell", "why"),
        [
            ("soon", "is not JSON"),
            ("[" * 50_000, "is not JSON"),
            ("[]", "is not an object"),
            ('{"morning": 1}', "of 'morning' is not an object"),
            ('{"morning": {"hour": 7}}', "unknown preference 'hour'"),
            ('{"morning": {"stories": true}}', "stories is true"),
            ('{"morning": {"follow": [1]}}', "follow is [1]"),
            ('{"morning": {"stories": 999}}', "999 stories are not possible"),
            ('{"morning": {"timezone": "Mars/Base"}}', "Mars/Base"),
        ],
    )
    async def test_a_row_with_wrong_preferences_by_newsletter_is_refused(
        self, sqlite_people: SqlSubscriberStore, cell: str, why: str
    ):
        table = io.StringIO()
        csv.writer(table).writerows(
            [("email", "newsletters", "preferences_by_newsletter"), ("a@x.org", "morning", cell)]
        )
        counts, [refusal] = await imported(sqlite_people, table.getvalue())
        assert (counts.people, why in refusal) == (0, True), refusal

    async def test_no_exported_cell_is_a_formula(self, sqlite_people: SqlSubscriberStore):
        names = ["=1+1", "@SUM(A1)", "-1", "+1", "'Abd"]
        rows = "".join(f"p{n}@x.org,{name},,morning,\n" for n, name in enumerate(names))
        await imported(sqlite_people, HEAD + rows)
        text = await self.everything(sqlite_people, "csv")
        assert [line.split(",")[1] for line in text.splitlines()[1:]] == [
            "'=1+1", "'@SUM(A1)", "'-1", "'+1", "'Abd",
        ]  # fmt: skip

    async def test_unsubscribed_people_are_exported_and_not_imported(self, sqlite_people: SqlSubscriberStore):
        await imported(sqlite_people, HEAD + "amina@x.org,,,morning evening,\nben@x.org,,,evening,\n")
        await unsubscribe(sqlite_people, identity.subscriber_id("amina@x.org"), "morning", NOON)
        await unsubscribe(sqlite_people, identity.subscriber_id("ben@x.org"), None, NOON)
        text = await self.everything(sqlite_people, "csv")
        assert text.splitlines() == [
            ",".join([*COLUMNS, "paused", "unsubscribed", "suppressed"]),
            "amina@x.org,,,evening,,,,,,,,morning,",
            "ben@x.org,,,,,,,,,,,evening,unsubscribed from everything",
        ]
        only = await self.everything(sqlite_people, "jsonl", newsletter="morning")
        assert [json.loads(line)["email"] for line in only.splitlines()] == ["amina@x.org"]

    @pytest.mark.parametrize(("form", "name"), [("csv", "p.csv"), ("jsonl", "p.jsonl")])
    async def test_languages_words_and_minutes_survive_export_and_import(
        self, people: SqlSubscriberStore, form: str, name: str
    ):
        await imported(
            people,
            "email,newsletters,languages,follow,mute,minutes\n"
            'amina@x.org,morning evening,en fr-CA,"central bank; WHO, rain",-,5\n'
            "ben@x.org,morning,-,,horoscope,\n",
        )
        before = await people.memberships()
        assert before[0].edition.languages == ("en", "fr")
        assert before[0].edition.follow == ("WHO", "central bank", "rain")
        assert (before[0].edition.mute, before[0].edition.minutes) == ((), 5)
        text = await self.everything(people, form)
        for membership in before:
            await people.erase(membership.subscriber.email)
        _, refusals = await imported(people, text, name)

        assert not refusals
        assert [m.edition for m in await people.memberships()] == [m.edition for m in before]

    @pytest.mark.parametrize(
        ("cells", "why"),
        [
            ("English,,,", "'English' is no language"),
            (",,,five", "'five' is no number of minutes"),
            (",,,99", "99 minutes are not possible"),
            (f",{'x' * 99},,", "is too long"),
        ],
    )
    async def test_a_row_with_a_wrong_preference_is_refused(
        self, sqlite_people: SqlSubscriberStore, cells: str, why: str
    ):
        text = f"email,newsletters,languages,follow,mute,minutes\na@x.org,morning,{cells}\n"
        counts, refusals = await imported(sqlite_people, text)
        assert counts.people == 0
        assert why in refusals[0]

    async def test_an_unknown_export_format_is_refused(self, sqlite_people: SqlSubscriberStore):
        with pytest.raises(UsageError, match=r"there is no form 'xlsx'. Known: csv, jsonl"):
            await self.everything(sqlite_people, "xlsx")


@given(st.text())
def test_escaping_a_cell_can_be_undone(cell: str):
    assert unescape_formula(escape_formula(cell)) == cell
    assert escape_formula(cell)[:1] not in {*"=+-@\t\r\n"}


@given(st.lists(st.integers(0, 2**64 - 1), max_size=300), st.integers(0, 5))
def test_seen_lines_finds_the_first_line_of_each_key(keys: list[int], shift: int):
    seen, lines = SeenLines(), dict[int, int]()
    for line, number in enumerate(keys):
        key = (number << shift * 10) % 2**64 or 1
        assert seen.earlier(key, line) == lines.get(key)
        lines.setdefault(key, line)


def test_seen_lines_holds_thousands_of_keys():
    seen = SeenLines()
    keys = [int(identity.subscriber_id(f"p{number}@x.org")[:16], 16) for number in range(20_000)]
    assert all(seen.earlier(key, line) is None for line, key in enumerate(keys))
    assert all(seen.earlier(key, 0) == line for line, key in enumerate(keys))

"""All commands in sequence, on a configuration with one local feed and two subscribers."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from service.cli.demo.sample_site import free_port, serve_sample
from service.cli.main import main
from tests.builders import NOON
from tests.cli.runner import FILES, CliRunner, write_files

NOTICE = "The lift is out of order"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a configuration and a database with one condensed article."""
    folder = tmp_path_factory.mktemp("prepared")
    write_files(folder / "config")
    for stage in ("gather", "condense"):
        assert main(["--config", str(folder / "config"), stage]) == 0
    return folder


@pytest.fixture
def gathered(prepared: Path, caveat: CliRunner, tmp_path: Path) -> CliRunner:
    """Return a runner on a copy of that folder."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return caveat


def mails(tmp_path: Path) -> list[str]:
    return sorted(
        message_from_bytes(path.read_bytes(), policy=policy.default)["To"]
        for path in (tmp_path / "outbox").glob("*.eml")
    )


def test_each_stage_prints_its_result(caveat: CliRunner):
    assert "1 feed: 1 new article" in caveat("gather").err
    assert "Condensed 1 article;" in caveat("condense").err
    assert "Composed 0 issues" in caveat("compose").err
    assert "0 mails sent" in caveat("deliver").err


def test_a_second_poll_finds_nothing_new(gathered: CliRunner):
    again = gathered("gather", "--force")

    assert again.code == 0
    assert "0 new articles, 0 edited, 1 unchanged" in again.err


def test_a_feed_is_polled_by_name(gathered: CliRunner):
    assert "Polled 1 feed" in gathered("gather", "house notices").err
    unknown = gathered("gather", "hose notices")
    assert unknown.code == 2
    assert "Did you mean House notices?" in unknown.err


def test_sending_to_one_subscriber_needs_no_confirmation_and_is_listed(gathered: CliRunner, tmp_path: Path):
    done = gathered("send", "morning", "--to", "amina@example.org", "--json")

    assert done.code == 0
    assert [(r["address"], r["state"]) for r in done.records] == [("amina@example.org", "sent")]
    assert mails(tmp_path) == ["Amina <amina@example.org>"]


def test_sending_to_several_needs_confirmation_and_fails_without_a_terminal(
    gathered: CliRunner, tmp_path: Path
):
    done = gathered("send", "morning", "--all")

    assert done.code == 2
    assert "--yes" in done.err
    assert mails(tmp_path) == []
    assert gathered("send", "morning", "--all", "--yes").code == 0
    assert mails(tmp_path) == ["Amina <amina@example.org>", "Ben <ben@example.org>"]


def test_a_dry_run_lists_the_mails_and_changes_nothing(gathered: CliRunner, tmp_path: Path):
    assert gathered("config", "apply").code == 0
    done = gathered("send", "morning", "--all", "--dry-run", "--json")

    assert [(r["address"], r["stories"]) for r in done.records] == [
        ("amina@example.org", 1),
        ("ben@example.org", 1),
    ]
    assert NOTICE in done.records[0]["subject"]
    assert mails(tmp_path) == []
    assert gathered("issue", "list", "--json").records == []


def test_the_same_send_within_a_minute_is_sent_once_also_with_again(gathered: CliRunner, tmp_path: Path):
    for word in ("amina@example.org", "Amina@Example.org"):
        second = gathered("send", "morning", "--to", word)
    assert second.code == 0
    assert re.search(
        r"This was sent \d+ seconds? ago, and nothing is sent twice. --again sends it once more", second.err
    )
    assert "1 subscriber: 1 sent." in second.err
    assert len(mails(tmp_path)) == 1

    for _ in range(2):
        again = gathered("send", "morning", "--to", "amina@example.org", "--again")
    assert again.code == 0
    assert re.search(r"This was sent \d+ seconds? ago", again.err)
    assert "--key with another WORD sends it once more" in again.err
    assert "resume" not in again.err
    assert len(mails(tmp_path)) == 2


def test_a_key_is_sent_once_however_often_it_is_used(gathered: CliRunner, tmp_path: Path):
    for _ in range(2):
        done = gathered(
            "send", "morning", "--to", "amina@example.org", "--again", "--key", "monday", "--json"
        )
    assert [(r["address"], r["state"]) for r in done.records] == [("amina@example.org", "sent")]
    assert len(mails(tmp_path)) == 1

    other = gathered("send", "morning", "--to", "ben@example.org", "--key", "monday")
    assert (other.code, mails(tmp_path)) == (2, ["Amina <amina@example.org>"])
    assert "used for another send" in other.err
    assert gathered("send", "morning", "--to", "amina@example.org", "--again", "--key", "tuesday").code == 0
    assert len(mails(tmp_path)) == 2


def test_a_send_with_a_key_does_not_repeat_one_without(gathered: CliRunner):
    assert gathered("send", "morning", "--to", "amina@example.org").code == 0
    other = gathered("send", "morning", "--to", "amina@example.org", "--key", "new")
    assert (other.code, "Nothing new for 1 subscriber" in other.err) == (0, True)


def test_an_issue_is_paused_and_resumed_by_id(gathered: CliRunner, tmp_path: Path):
    gathered("send", "morning", "--to", "ben@example.org")
    [issue] = gathered("issue", "list", "--json").records
    paused = gathered("issue", "pause", issue["id"][:6])
    assert "Paused: due 1, sent 1" in paused.err
    assert gathered("issue", "show", issue["id"], "--json").records[0]["paused_at"] is not None
    assert gathered("issue", "resend", issue["id"], "--to", "ben@example.org", "--yes").code == 2

    resumed = gathered("issue", "resume", "--all")
    assert (resumed.code, f"Issue {issue['id'][:8]}: 0 deliveries released." in resumed.err) == (0, True)
    assert "Neither an issue nor all sending is paused" in gathered("issue", "resume", "--all").err
    assert gathered("issue", "show", issue["id"], "--json").records[0]["paused_at"] is None
    assert gathered("issue", "resend", issue["id"], "--to", "ben@example.org", "--yes").code == 0
    assert gathered("issue", "resume").code == 2
    assert mails(tmp_path) == ["Ben <ben@example.org>"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mornin", "--all"], "Did you mean morning?"),
        (["morning", "--to", "bem@example.org"], "Did you mean ben@example.org?"),
        (["morning"], "--to ADDRESS"),
        (["morning", "--all", "--to", "ben@example.org"], "--to ADDRESS"),
    ],
    ids=["newsletter", "address", "nobody", "both"],
)
def test_a_wrong_name_is_reported_and_nothing_is_sent(
    gathered: CliRunner, tmp_path: Path, words: list[str], said: str
):
    done = gathered("send", *words, "--yes")

    assert done.code == 2
    assert said in done.err
    assert mails(tmp_path) == []


def test_an_unsubscribed_address_is_reported_and_not_mailed(gathered: CliRunner, tmp_path: Path):
    assert gathered("subscriber", "unsubscribe", "ben@example.org", "--newsletter", "morning").code == 0
    done = gathered("send", "morning", "--to", "ben@example.org", "--to", "amina@example.org")

    assert done.code == 1
    assert "ben@example.org unsubscribed from it" in done.err
    assert mails(tmp_path) == ["Amina <amina@example.org>"]


def test_a_preview_changes_nothing(gathered: CliRunner, tmp_path: Path):
    seen = gathered("preview", "morning", "--for", "amina@example.org")
    assert NOTICE in seen.out
    for shape, begins in (("html", "<!doctype html"), ("eml", "From: The Test")):
        out = tmp_path / f"preview.{shape}"
        assert (
            gathered("preview", "morning", "--for", "amina@example.org", "--as", shape, "--out", out).code
            == 0
        )
        assert out.read_text().lower().startswith(begins.lower())
        assert "\ue000" not in out.read_text()
    assert gathered("preview", "morning", "--as", "screen").out.count(NOTICE) == 1

    assert mails(tmp_path) == []
    assert gathered("issue", "list", "--json").records == []


def test_a_preview_opens_in_the_browser_from_a_private_file(
    gathered: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    opened: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    shown = gathered("preview", "morning", "--open", "--theme", "plain")

    assert opened == [shown.out.strip()]
    page = Path(opened[0].removeprefix("file://"))
    assert NOTICE in page.read_text(encoding="utf-8")
    assert page.stat().st_mode & 0o077 == 0
    assert gathered("preview", "morning", "--open", "--theme", "nothing").code == 2
    assert gathered("preview", "morning", "--open", "--as", "html").code == 2


def test_without_a_display_the_address_of_the_preview_is_printed(
    gathered: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shown = gathered("preview", "morning", "--open")

    assert shown.out.startswith("file://")
    assert "There is no display here" in shown.err


def test_a_preview_without_stories_prints_a_message(caveat: CliRunner):
    done = caveat("preview", "morning")

    assert (done.code, done.out) == (0, "")
    assert "no new article matches" in done.err
    for moment in ("yesterday", "0001-01-01", "9999-12-31 23:59"):
        assert caveat("preview", "morning", "--at", moment).code == 2


def test_plan_lists_each_due_time(gathered: CliRunner):
    gathered("config", "apply")
    slots = gathered("plan", "--hours", "24", "--json").records

    assert {(slot["newsletter"], slot["readers"], slot["waiting"]) for slot in slots} == {("morning", 1, 1)}
    assert {slot["local"].split(" ", 1)[1] for slot in slots} == {"07:00 Asia/Qatar", "07:00 Europe/Berlin"}
    for slot in slots:
        assert [slot[name] for name in ("stories", "lines", "on_web", "minutes")] == [1, 0, 0, 1]
        assert 5_000 < slot["html_bytes"] < slot["mail_bytes"] < 100_000
    assert "html bytes" in gathered("plan").out


def test_explain_reports_whether_an_article_was_sent(gathered: CliRunner):
    gathered("config", "apply")
    (issue,) = [gathered("preview", "morning", "--for", "ben@example.org")]
    assert NOTICE in issue.out
    gathered("send", "morning", "--to", "amina@example.org")
    (sent,) = gathered("issue", "list", "--json").records
    article = sent["articles"][0]

    assert "yes, it is in the issue of" in gathered("explain", article[:8], "--for", "amina@example.org").out
    assert (
        "not yet, as things stand it will be story 1 of 1"
        in gathered("explain", article, "--for", "ben@example.org").out
    )
    assert gathered("explain", "zzzz", "--for", "ben@example.org").code == 2
    assert gathered("explain", article, "--for", "nobody@example.org").code == 2


def test_explain_prints_the_place_of_a_story_and_the_parts_of_its_score(gathered: CliRunner):
    gathered("config", "apply")
    gathered("send", "morning", "--to", "amina@example.org")
    (sent,) = gathered("issue", "list", "--json").records
    command = ("explain", sent["articles"][0], "--for", "amina@example.org")
    (before,) = gathered("explain", sent["articles"][0], "--for", "ben@example.org", "--json").records
    (record,) = gathered(*command, "--json").records

    assert (record["placement"], record["rank"], record["ranked"], record["in_mail"]) == ("lead", 1, 1, 1)
    assert {"freshness", "length"} <= record["score_parts"].keys() == before["score_parts"].keys()
    assert record["score"] == pytest.approx(sum(record["score_parts"].values()), abs=0.05)
    assert f"\n  score {record['score']:.2f}\n" in gathered(*command, "-v").out
    assert "  freshness\n" in gathered(*command, "-v").out
    assert "freshness" not in gathered(*command).out


def test_explain_says_that_the_text_of_an_article_was_cut(caveat: CliRunner):
    long = "The council of Ostrava voted on Monday to rebuild the old bridge. " * 2_000
    item = f"<item><title>A bridge</title><link>https://long.example/1</link><description>{long}</description></item>"
    caveat.write("notices.xml", f'<rss version="2.0"><channel><title>Wire</title>{item}</channel></rss>')
    for command in (["config", "apply"], ["gather"]):
        assert caveat(*command).code == 0

    explained = caveat("explain", "https://long.example/1", "--for", "ben@example.org")
    record = caveat("explain", "https://long.example/1", "--for", "ben@example.org", "--json").records[0]

    assert explained.out.splitlines()[2].startswith("Its text was cut: a text was longer than 100,000 char")
    assert record["text_note"] == "its text was cut: a text was longer than 100,000 characters"


WRONG, RIGHT = "repair it by Friday", "repair it by Tuesday"
ANOTHER = """<item><title>The library opens late</title><guid>n2</guid><description>The library will open at
eleven on Thursday, the librarian said. Books can be returned through the hatch at any hour.</description>
</item></channel>"""


def test_an_edit_of_a_sent_article_is_shown_and_corrected(gathered: CliRunner):
    gathered("send", "morning", "--all", "--yes")
    (first,) = gathered("issue", "list", "morning", "--limit", "1", "--json").records
    gathered.replace("notices.xml", WRONG, RIGHT)
    assert "1 edited" in gathered("gather", "--force").err

    explained = gathered("explain", first["articles"][0], "--for", "amina@example.org").out
    assert "Edited by its publisher after it was sent, seen " in explained
    assert f"  - The engineers expect to {WRONG}, the house office said." in explained
    assert f"  + The engineers expect to {RIGHT}, the house office said." in explained
    assert "which was sent; their next issue corrects it.\n" in explained
    assert gathered("issue", "show", first["id"], "--json").records[0]["edited_since"] == 1

    gathered.replace("notices.xml", "</channel>", ANOTHER)
    gathered("gather", "--force")
    gathered("condense")
    assert "We told you: The engineers" in gathered("preview", "morning", "--for", "amina@example.org").out
    assert gathered("send", "morning", "--all", "--yes", "--key", "second").code == 0
    (last,) = gathered("issue", "list", "--limit", "1", "--json").records
    (shown,) = gathered("issue", "show", last["id"], "--json").records
    (change,) = shown["corrections"][0]["changes"]
    assert change["told"].startswith(f"The engineers expect to {WRONG}, the house office said.")
    assert change["now"].startswith(f"The engineers expect to {RIGHT}, the house office said.")
    assert "corrects       The lift is out of order" in gathered("issue", "show", last["id"]).out
    (proof,) = gathered("issue", "verify", last["id"], "--json").records
    assert (proof["corrections"], proof["differ"]) == (1, [])
    assert "and 1 correction, all word for word" in gathered("issue", "verify", last["id"]).out
    assert "corrected it" in gathered("explain", first["articles"][0], "--for", "amina@example.org").out


def test_an_issue_is_shown_verified_and_resent(gathered: CliRunner, tmp_path: Path):
    gathered("send", "morning", "--all", "--yes")
    first, second = gathered("issue", "list", "--json").records
    assert first["closed"]
    assert first["books"]["sent"] == first["books"]["due"] == 1
    assert NOTICE in gathered("issue", "list").out

    (reader,) = gathered("issue", "show", first["id"][:10], "--who", "--json").records
    assert reader["state"] == "sent"
    proofs = gathered("issue", "verify", "--all", "--json").records
    assert [proof["differ"] for proof in proofs] == [[], []]

    before = {path.name for path in (tmp_path / "outbox").iterdir()}
    done = gathered("issue", "resend", first["id"], "--to", reader["address"], "--yes")
    assert done.code == 0
    assert "1 mail of 1 sent" in done.err
    assert {
        path.name for path in (tmp_path / "outbox").iterdir()
    } == before  # the same file name: the same mail

    resumed = gathered("issue", "resume", second["id"][:10])
    assert (resumed.code, "due 1, sent 1" in resumed.err) == (0, True)
    assert gathered("issue", "resend", second["id"], "--uncertain").err.count("Nothing was sent") == 1
    assert gathered("issue", "show", "").code == 2
    assert gathered("issue", "show", "ffff").code == 2


def test_feeds_are_listed_with_their_health(gathered: CliRunner):
    (feed,) = gathered("feed", "list", "--json").records
    assert (feed["name"], feed["articles"], feed["trouble"]) == ("House notices", 1, None)
    assert feed["read"] is not None

    (health,) = gathered("feed", "health", "--json").records
    assert health["well"]
    table = gathered("feed", "health").out.splitlines()
    assert " ".join(table[0].split()) == "name last 14 days a day silent faulty repeats read next"
    assert table[1].startswith("House notices  ")
    assert max(map(len, gathered("feed", "list").out.splitlines())) <= 80


def test_errors_of_feeds_are_sentences_below_the_table(gathered: CliRunner, tmp_path: Path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/page.html").write_text("<title>Just a moment...</title>Checking your browser")
    (tmp_path / "site/empty.xml").write_text(
        '<rss version="2.0"><channel><title>Quiet</title></channel></rss>'
    )
    with serve_sample(tmp_path / "site", port=free_port(), now=NOON) as base:
        pages = {"The Missing Post": "none.xml", "The Walled Times": "page.html", "Quiet": "empty.xml"}
        feeds = [f'  - {{url: "{base}/{page}", name: {name}}}' for name, page in pages.items()]
        gathered.write("feeds.yaml", "feeds:\n" + "\n".join(feeds))
        for _ in range(2):
            assert gathered("gather", "--force").code == 1
        again = gathered("feed", "add", f"{base}/empty.xml", "--dry-run")
        nothing = gathered("feed", "add", f"{base}/other.xml")

    assert (again.code, again.err) == (
        2,
        f"The feed Quiet is configured already, with the address {base}/empty.xml.\n",
    )
    assert nothing.err == f"{base}/other.xml leads to no feed: the server answered 404 (not found).\n"
    listed, health = gathered("feed", "list"), gathered("feed", "health")
    assert (listed.code, health.code) == (0, 1)
    assert "\nThe Missing Post: the server answered 404 (not found)\n" in listed.out
    whole = health.out.replace("\n  ", " ")
    assert "\nQuiet: responds, but had no items at the last 2 polls\n" in whole
    assert "\nThe Missing Post: failed 2 times in a row; never read: the server answered 404 (not" in whole
    assert "human visitor, not a feed\n" in whole
    assert all(len(line) <= 80 for line in health.out.splitlines()[4:])
    assert [record["failures"] for record in gathered("feed", "health", "--json").records] == [0, 2, 2]


def test_feeds_are_added_and_removed_and_comments_stay(gathered: CliRunner, tmp_path: Path):
    gathered.replace("feeds.yaml", "feeds:\n", "# ours\nfeeds:\n")
    (tmp_path / "more.opml").write_text(
        '<opml version="2.0"><body><outline text="World"><outline type="rss" text="Example" '
        'xmlUrl="https://example.org/feed.xml"/><outline text="odd" type="rss" xmlUrl="gopher://x"/>'
        "</outline></body></opml>"
    )
    done = gathered("feed", "import", tmp_path / "more.opml")
    assert done.code == 1
    assert "gopher" in done.err
    assert "Added 1 feed" in done.err
    assert "https://example.org/feed.xml" in gathered("feed", "export").out
    assert gathered("feed", "remove", "Exampel").code == 2
    assert gathered("feed", "remove", "Example").code == 0
    assert "# ours" in (gathered.folder / "feeds.yaml").read_text()


def test_an_opml_file_that_is_not_well_formed_is_imported_except_for_reported_entries(
    gathered: CliRunner, tmp_path: Path
):
    (tmp_path / "more.opml").write_text(
        '<opml version="2.0"><body>\n<outline text="News & more" xmlUrl="https://example.org/?a=1&b=2"/>\n'
        '<outline text="lost" xmlUrl="https://example.net/feed.xml>\n</body></opml>'
    )
    done = gathered("feed", "import", tmp_path / "more.opml")
    assert done.code == 1
    assert "line 3: lost: its attributes cannot be separated" in done.err
    assert "Added 1 feed" in done.err
    assert gathered("feed", "remove", "News & more").code == 0


def test_a_feed_is_added_by_its_site_and_a_page_without_feed_is_refused(gathered: CliRunner, tmp_path: Path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "feed.xml").write_text(FILES["notices.xml"])
    (site / "index.html").write_text(
        "<!doctype html><html><head><link rel='alternate' type='application/rss+xml' href='/feed.xml' "
        "title='House notices'></head><body>Welcome</body></html>"
    )
    port = free_port()
    with serve_sample(site, port=port, now=NOON) as base:
        assert "Would add House notices" in gathered("feed", "add", f"{base}/index.html", "--dry-run").err
        assert gathered("feed", "add", f"{base}/index.html", "--topic", "house", "--name", "Ours").code == 0
        nothing = gathered("feed", "add", f"{base}/nothing.html")

    assert nothing.code == 1
    assert "leads to no feed" in nothing.err
    assert {feed["name"] for feed in gathered("feed", "list", "--json").records} == {"House notices", "Ours"}
    assert gathered("feed", "add", "file:more.xml", "--name", "More").code == 0


def test_inspect_reports_each_source_in_order(gathered: CliRunner, tmp_path: Path):
    (tmp_path / "page.html").write_text("<!doctype html><html><body>Hello</body></html>")
    sources = [
        gathered.folder / "notices.xml",
        tmp_path / "page.html",
        tmp_path / "nothing.xml",
        gathered.folder / "notices.xml",
    ]
    done = gathered("feed", "inspect", "--json", *sources)

    assert done.code == 1
    assert [record["ok"] for record in done.records] == [True, False, False, True]
    assert list(done.records[0]) == ["source", "ok", "error", "format", "title", "entries"]
    expected = "id title url published text day_only blocks cut categories picture"
    assert list(done.records[0]["entries"][0]) == expected.split()
    assert done.records[0]["error"] is None
    assert all(record["error"] for record in done.records[1:3])


def test_inspect_shows_categories_and_proposes_a_mapping(gathered: CliRunner, tmp_path: Path):
    item = "<item><title>{}</title><link>https://a.example/{}</link><category>{}</category></item>"
    items = "".join(item.format(n, n, "Business" if n % 2 else "World news/Africa") for n in range(5))
    (tmp_path / "f.xml").write_text(f"<rss version='2.0'><channel><title>F</title>{items}</channel></rss>")
    said = gathered("feed", "inspect", tmp_path / "f.xml").out
    assert "World news/Africa" in said
    assert '    "Business": business\n' in said


def test_adding_a_feed_that_no_newsletter_takes_says_so(gathered: CliRunner):
    gathered.replace("newsletters.yaml", "id: morning", "id: morning, topics: [world]")
    said = gathered("feed", "add", "file:more.xml", "--name", "More", "--topic", "chess").err
    assert "no newsletter takes the feed 'More': none has the topic chess" in " ".join(said.split())


def test_a_subscriber_is_added_changed_paused_removed_and_erased(gathered: CliRunner):
    assert (
        gathered(
            "subscriber", "add", "carla@example.org", "--newsletter", "morning", "--timezone", "Asia/Tokyo"
        ).code
        == 0
    )
    assert gathered("subscriber", "edit", "carla@example.org", "--name", "Carla").code == 0
    shown = gathered("subscriber", "show", "carla@example.org", "--json").records
    assert (shown[0]["name"], shown[0]["timezone"], shown[0]["status"]) == ("Carla", "Asia/Tokyo", "active")

    edited = gathered(
        *("subscriber", "edit", "carla@example.org", "--newsletter", "morning", "--languages", "en, fr"),
        *("--follow", "Central Bank, WHO", "--mute", "none", "--minutes", "5"),
    )
    assert edited.code == 0
    shown = gathered("subscriber", "show", "carla@example.org", "--json").records
    assert (shown[0]["languages"], shown[0]["follow"]) == (["en", "fr"], ["WHO", "central bank"])
    assert (shown[0]["mute"], shown[0]["minutes"]) == ([], 5)
    unknown = gathered("subscriber", "edit", "carla@example.org", "--newsletter", "nothing", "--minutes", "5")
    assert unknown.code == 2
    assert "is not subscribed to 'nothing'" in unknown.err

    assert gathered("subscriber", "pause", "carla@example.org").code == 0
    assert gathered("subscriber", "show", "carla@example.org", "--json").records[0]["status"] == "paused"
    assert gathered("subscriber", "resume", "carla@example.org", "--newsletter", "nothing").code == 2
    assert gathered("subscriber", "resume", "carla@example.org").code == 0
    assert (
        gathered("subscriber", "erase", "carla@example.org", "--yes").code == 2
    )  # subscribers.yaml would restore her
    assert gathered("subscriber", "remove", "carla@example.org").code == 0
    assert gathered("subscriber", "erase", "carla@example.org", "--yes").code == 0
    assert gathered("subscriber", "show", "carla@example.org").code == 2


def test_a_subscriber_is_paused_until_a_date_and_the_plan_shows_the_return(gathered: CliRunner):
    day = date.today() + timedelta(days=5)  # noqa: DTZ011 - the command has the real clock, too

    paused = gathered("subscriber", "pause", "amina@example.org", "--until", day.isoformat())
    assert f"Paused amina@example.org until {day}: 1 changed." in paused.err
    assert f"Next issue of morning: {day} 07:00 Asia/Qatar" in paused.err
    shown = gathered("subscriber", "show", "amina@example.org", "--json").records[0]
    assert (shown["status"], shown["until"]) == ("paused", day.isoformat())
    assert "paused it until" in gathered("send", "morning", "--to", "amina@example.org", "--dry-run").err
    plan = gathered("plan", "--hours", "200", "--json").records
    assert min(issue["local"] for issue in plan if "Qatar" in issue["local"]) == f"{day} 07:00 Asia/Qatar"

    assert gathered("subscriber", "pause", "amina@example.org", "--until", "soon").code == 2
    assert gathered("subscriber", "pause", "amina@example.org", "--until", "2020-01-01").code == 2
    assert gathered("subscriber", "resume", "amina@example.org").code == 0
    assert gathered("subscriber", "show", "amina@example.org", "--json").records[0]["until"] is None


def test_an_address_is_suppressed_and_unsuppressed(gathered: CliRunner):
    def status() -> str:
        return gathered("subscriber", "show", "amina@example.org", "--json").records[0]["status"]

    assert "is not suppressed" in gathered("subscriber", "unsuppress", "amina@example.org", "--yes").err
    assert gathered("subscriber", "suppress", "Amina@Example.org", "--reason", "wrote on paper").code == 0
    assert status() == "wrote on paper"
    assert "wrote on paper already" in gathered("subscriber", "suppress", "amina@example.org").err
    [line] = [one for one in gathered("subscriber", "list").out.splitlines() if "amina" in one]
    assert ("suppressed" in line, "active" in line) == (True, False)

    shown = gathered("subscriber", "show", "amina@example.org")
    assert "amina@example.org is suppressed since 20" in shown.err
    assert ": wrote on paper; caveat subscriber unsuppress ends the suppression" in shown.err
    [record] = gathered("subscriber", "show", "amina@example.org", "--json").records
    assert (record["suppressed"], record["since"][:2]) == ("wrote on paper", "20")

    looked = gathered("subscriber", "unsuppress", "amina@example.org", "--dry-run")
    assert (looked.code, "would be mailed again" in looked.err) == (0, True)
    assert (
        gathered("subscriber", "unsuppress", "amina@example.org").code == 2
    )  # standard input is no terminal
    assert status() == "wrote on paper"
    assert gathered("subscriber", "unsuppress", "amina@example.org", "--yes").code == 0
    assert status() == "active"


def test_an_unknown_address_can_be_suppressed(gathered: CliRunner):
    assert gathered("subscriber", "suppress", "nobody").code == 2
    assert gathered("subscriber", "suppress", "stranger@example.org").code == 0
    shown = gathered("subscriber", "show", "stranger@example.org")
    assert shown.code == 2
    assert "stranger@example.org is suppressed since 20" in shown.err
    assert "suppressed by hand" in shown.err


def test_ending_a_suppression_does_not_undo_an_unsubscribe(gathered: CliRunner):
    assert gathered("subscriber", "unsubscribe", "amina@example.org").code == 0
    lifted = gathered("subscriber", "unsuppress", "amina@example.org", "--yes")
    assert lifted.code == 0
    assert "caveat subscriber resume amina@example.org --newsletter morning" in lifted.err
    assert (
        gathered("subscriber", "show", "amina@example.org", "--json").records[0]["status"] == "unsubscribed"
    )


def test_subscribers_are_imported_and_refused_rows_reported(gathered: CliRunner, tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text("email,name,timezone,newsletters\nd@example.org,D,Asia/Tokyo,morning\nbroken,,,morning\n")
    looked = gathered("subscriber", "import", path, "--dry-run")
    assert looked.code == 1
    assert "people.csv, line 3" in looked.err
    assert len(gathered("subscriber", "list", "--json").records) == 2

    assert gathered("subscriber", "import", path).code == 2  # standard input is no terminal
    assert gathered("subscriber", "import", path, "--yes").code == 1
    assert "d@example.org,D,Asia/Tokyo,morning" in gathered("subscriber", "export").out


def test_bounces_are_classified(gathered: CliRunner, tmp_path: Path):
    (tmp_path / "note.eml").write_text("From: a@example.org\nSubject: hello\n\nHow are you?\n")
    done = gathered("bounce", "inspect", "--json", tmp_path / "note.eml", tmp_path / "nothing.eml")

    assert done.code == 1
    assert [list(record) for record in done.records] == [
        ["source", "action", "status", "recipients", "reason", "complaint", "kind", "rule"]
    ] * 2
    assert done.records[0]["action"] == "none"


def test_a_mail_that_cannot_be_read_is_reported(gathered: CliRunner, tmp_path: Path):
    (tmp_path / "deep.eml").write_text("Content-Type: message/rfc822\n\n" * 5_000)
    done = gathered("bounce", "inspect", "--json", tmp_path / "deep.eml")

    assert done.code == 1
    assert done.records[0]["reason"] == "the mail cannot be read: its parts are nested too deeply"

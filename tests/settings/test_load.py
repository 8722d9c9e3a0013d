"""A config folder becomes Settings and Roster, or every fault in it is named where it stands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from service.core import ids as identity
from service.core.errors import ConfigError
from service.core.model import Preferences
from service.settings.load import load_config
from service.settings.packaged_files import config_folder
from tests.settings.config_folders import FILES, SITE, a_config_folder, faults, loaded, said


def test_the_packaged_config_loads_without_fault_or_warning():
    bundled = loaded(config_folder())

    assert bundled.warnings == ()
    assert bundled.settings.mail.channel == "file"
    assert len(bundled.roster.feeds) >= 20
    assert len(bundled.roster.subscribers) == 1


def test_paths_are_relative_to_the_config_folder(tmp_path: Path):
    settings = loaded(a_config_folder(tmp_path / "config")).settings

    assert settings.storage == f"sqlite:///{tmp_path}/data/caveat.db"
    assert settings.mail.folder == tmp_path / "outbox"


def test_a_roster_is_read_with_ids_defaults_and_preferences(tmp_path: Path):
    files = {
        "feeds.yaml": (
            "feeds:\n  - {url: 'https://www.courier.example/rss', topics: [World, ' world '], every: 1h30m}\n"
        ),
        "subscribers.yaml": (
            "subscribers:\n"
            "  - email: Ben@Example.ORG\n"
            "    newsletters:\n"
            "      - {id: morning, schedule: 'weekdays 06:30', topics: [World], stories: 5}\n"
        ),
    }
    roster = loaded(a_config_folder(tmp_path, files)).roster
    feed, (ben,) = roster.feeds[0], roster.subscribers

    assert (feed.name, feed.topics, feed.poll_interval) == (
        "courier.example",
        ("world",),
        timedelta(minutes=90),
    )
    assert feed.id == identity.feed_id("https://courier.example/rss")
    assert ben.subscriber.id == identity.subscriber_id("ben@example.org")
    assert ben.newsletters == (
        ("morning", Preferences(schedule="weekdays 06:30", topics=("world",), stories=5)),
    )


def test_a_theme_can_be_in_the_config_folder(tmp_path: Path):
    theme = tmp_path / "templates" / "digest" / "gazette"
    theme.mkdir(parents=True)
    (theme / "body.html").write_text("<p>")
    files = {"newsletters.yaml": FILES["newsletters.yaml"].replace("title:", "theme: gazette, title:")}
    assert loaded(a_config_folder(tmp_path, files)).roster.newsletters[0].theme == "gazette"


def test_a_subscription_can_be_an_id_without_preferences(tmp_path: Path):
    (amina,) = loaded(a_config_folder(tmp_path)).roster.subscribers

    assert amina.newsletters == (("morning", Preferences()),)


def test_the_faults_of_all_files_are_reported_together_in_order(tmp_path: Path):
    files = {
        "caveat.yaml": SITE + "mail: {chanel: smtp}\nstorge: x\n",
        "feeds.yaml": "feeds:\n  - {url: courier.example/rss}\n  - {name: No address}\n",
        "newsletters.yaml": FILES["newsletters.yaml"].replace("daily 07", "dayly 07"),
        "subscribers.yaml": "subscribers:\n  - {email: amina, newsletters: [mornin]}\n",
    }
    places = [(f.file, f.line, f.column) for f in faults(a_config_folder(tmp_path, files))]

    assert places == [
        ("caveat.yaml", 6, 8),
        ("caveat.yaml", 7, 1),
        ("feeds.yaml", 2, 11),
        ("feeds.yaml", 3, 5),
        ("newsletters.yaml", 2, 66),
        ("subscribers.yaml", 2, 13),
    ]


FAULTS = {
    "an unknown key": (
        {"caveat.yaml": SITE + "web: {lisen: '127.0.0.1:80'}\n"},
        "caveat.yaml:6:7: there is no key `lisen` here (did you mean listen?), expected one of listen, ",
    ),
    "a missing key": (
        {"caveat.yaml": "site: {name: X, url: 'https://x.example', from: a@x.example}\n"},
        "caveat.yaml:1:1: `postal_address` is missing, expected `postal_address: The Morning Caveat, 1 Ex",
    ),
    "a wrong type": (
        {"caveat.yaml": SITE + "mail: {smtp: {port: '587'}}\n"},
        "caveat.yaml:6:21: `port` is '587', expected a whole number",
    ),
    "a number out of range": (
        {"caveat.yaml": SITE + "mail: {smtp: {port: 70000}}\n"},
        "caveat.yaml:6:21: `port` is the number 70000, expected at most 65535",
    ),
    "a block where a word belongs": (
        {"caveat.yaml": SITE + "storage: {path: x}\n"},
        "caveat.yaml:6:10: `storage` is not usable, expected text",
    ),
    "an unknown choice": (
        {"caveat.yaml": SITE + "mail: {smtp: {security: startls}}\n"},
        "caveat.yaml:6:25: `security` is 'startls' (did you mean starttls?), expected one of starttls",
    ),
    "an unknown channel": (
        {"caveat.yaml": SITE + "mail: {channel: pigeon}\n"},
        "caveat.yaml:6:17: `channel` is 'pigeon', expected one of file, smtp",
    ),
    "an unknown method": (
        {"caveat.yaml": SITE + "condense: {method: lexrang}\n"},
        "caveat.yaml:6:20: `method` is 'lexrang' (did you mean lexrank?), expected one of keypoints, ",
    ),
    "a duration without unit": (
        {"caveat.yaml": SITE + "fetch: {settle: 10}\n"},
        "caveat.yaml:6:17: 10 is not a duration (did you mean 10m?), expected a duration such as 45s, 10m",
    ),
    "a duration of another kind": (
        {"caveat.yaml": SITE + "fetch: {settle: ten minutes}\n"},
        "caveat.yaml:6:17: 'ten minutes' is not a duration, expected a duration such as",
    ),
    "an address to listen at": (
        {"caveat.yaml": SITE + "web: {listen: '8080'}\n"},
        "caveat.yaml:6:15: '8080' is not an address to listen at, expected \"127.0.0.1:8080\"",
    ),
    "a network": (
        {"caveat.yaml": SITE + "fetch: {allow_private: [10.0.0.0/40]}\n"},
        "caveat.yaml:6:25: '10.0.0.0/40' is not a network, expected one such as",
    ),
    "a newsletter offered that is none": (
        {"caveat.yaml": SITE + "web: {sign_up: [morning, evening]}\n"},
        "caveat.yaml:6:26: there is no newsletter 'evening', expected one of newsletters.yaml",
    ),
    "a site's address": (
        {"caveat.yaml": SITE.replace("https://news", "ftp://news")},
        "caveat.yaml:3:8: 'ftp://news.example.org' is not a web address, expected an address such as https://",
    ),
    "a sender without address": (
        {"caveat.yaml": SITE.replace("<digest@news.example.org>", "")},
        "caveat.yaml:4:9: 'The Morning Caveat ' names no address",
    ),
    "a database of another kind": (
        {"caveat.yaml": SITE + "storage: mysql://caveat:hush@db/caveat\n"},
        "caveat.yaml:6:10: 'mysql' is not a database that Caveat can use, expected sqlite:///PATH",
    ),
    "a database in memory": (
        {"caveat.yaml": SITE + "storage: 'sqlite:///:memory:'\n"},
        "caveat.yaml:6:10: SQLite needs a file: a database in memory is lost at the end of each command",
    ),
    "an empty file": ({"caveat.yaml": ""}, "caveat.yaml:1:1: `site` is missing, expected `site: {name: ..."),
    "a list instead of keys": (
        {"caveat.yaml": "- site\n"},
        "caveat.yaml:1:1: the file is a list, expected a block of keys",
    ),
    "a feed's address": (
        {"feeds.yaml": "feeds:\n  - {url: 'feed://c.example/rss'}\n"},
        "feeds.yaml:2:11: 'feed://c.example/rss' is not a web address (did you mean https://c.example/rss?)",
    ),
    "a feed that is a word": (
        {"feeds.yaml": "feeds:\n  - https://courier.example/rss\n"},
        "feeds.yaml:2:5: an item of `feeds` is 'https://courier.example/rss', expected a block of keys",
    ),
    "a feed twice": (
        {"feeds.yaml": "feeds:\n  - {url: 'https://a.example/f'}\n\n  - {url: 'http://www.a.example/f/'}\n"},
        "feeds.yaml:4:11: 'http://www.a.example/f/' is listed twice, first in line 2, expected it once",
    ),
    "a file outside of the folder": (
        {"feeds.yaml": "feeds:\n  - {url: 'file:../../etc/passwd'}\n"},
        "feeds.yaml:2:11: the file '../../etc/passwd' is outside of this folder, expected a file in ",
    ),
    "a list that is a word": (
        {"feeds.yaml": "feeds:\n  - {url: 'https://a.example/f', topics: world}\n"},
        "feeds.yaml:2:42: `topics` is 'world', expected a list, such as [one, two]",
    ),
    "a list without items": (
        {"feeds.yaml": "feeds:\n"},
        "feeds.yaml:2:1: `feeds` is empty, expected a list",
    ),
    "another key beside the list": (
        {"feeds.yaml": FILES["feeds.yaml"] + "feed: []\n"},
        "feeds.yaml:3:1: there is no key `feed` here (did you mean feeds?), expected one of feeds",
    ),
    "a minimum of stories for a newsletter that is sent empty": (
        {
            "newsletters.yaml": "newsletters:\n"
            "  - {id: a, title: A, schedule: 'daily 07:00', timezone: UTC,\n"
            "     empty: send, min_stories: 3}\n"
        },
        "newsletters.yaml:3:32: `empty: send` sends an issue without any story, expected 1, or `empty: skip`",
    ),
    "a schedule": (
        {"newsletters.yaml": FILES["newsletters.yaml"].replace("07:00", "25:00")},
        "newsletters.yaml:2:66: '25:00' is no time of day; write it like 'daily 07:00'",
    ),
    "a kind of schedule": (
        {"newsletters.yaml": FILES["newsletters.yaml"].replace("daily 07:00", "dayly 07:00")},
        "newsletters.yaml:2:66: there is no kind of schedule 'dayly' (did you mean daily?), expected a",
    ),
    "a zone": (
        {"newsletters.yaml": FILES["newsletters.yaml"].replace("Europe/Berlin", "Berlin")},
        "newsletters.yaml:2:91: there is no time zone 'Berlin' (did you mean Europe/Berlin?), expected",
    ),
    "a zone that leads elsewhere": (
        {"newsletters.yaml": FILES["newsletters.yaml"].replace("Europe/Berlin", "../../etc/passwd")},
        "newsletters.yaml:2:91: there is no time zone '../../etc/passwd', expected a time zone",
    ),
    "a theme": (
        {"newsletters.yaml": FILES["newsletters.yaml"].replace("title:", "theme: dayly, title:")},
        "newsletters.yaml:2:26: there is no theme 'dayly' (did you mean daily?), expected one of ",
    ),
    "a newsletter twice": (
        {
            "newsletters.yaml": FILES["newsletters.yaml"]
            + FILES["newsletters.yaml"].split("\n")[1].replace("morning", "Morning")
        },
        "newsletters.yaml:3:10: 'Morning' is listed twice, first in line 2, expected it once",
    ),
    "a key twice": (
        {"newsletters.yaml": FILES["newsletters.yaml"].replace("topics:", "id: x, topics:")},
        "newsletters.yaml:2:39: `id` is set twice, first in line 2, expected it once",
    ),
    "an address": (
        {"subscribers.yaml": "subscribers:\n  - {email: 'amina@', newsletters: [morning]}\n"},
        "subscribers.yaml:2:13: 'amina@' is no email address: there must be something after the @-sign",
    ),
    "an unknown newsletter": (
        {"subscribers.yaml": "subscribers:\n  - {email: a@x.example, newsletters: [mornin]}\n"},
        "subscribers.yaml:2:40: there is no newsletter 'mornin' (did you mean morning?), expected one of",
    ),
    "a newsletter chosen twice": (
        {"subscribers.yaml": "subscribers:\n  - {email: a@x.org, newsletters: [morning, {id: morning}]}\n"},
        "subscribers.yaml:2:50: the newsletter 'morning' is listed twice, expected it once",
    ),
    "a person twice, in another spelling": (
        {
            "subscribers.yaml": (
                "subscribers:\n"
                "  - {email: ben@bücher.example, newsletters: [morning]}\n"
                "  - {email: BEN@xn--bcher-kva.example, newsletters: [morning]}\n"
            )
        },
        "subscribers.yaml:3:13: 'BEN@bücher.example' is listed twice, first in line 2, expected it once",
    ),
    "a name with a line feed": (
        {"subscribers.yaml": 'subscribers:\n  - {email: a@x.org, name: "A\\x00", newsletters: [morning]}\n'},
        "subscribers.yaml:2:28: 'A\\x00' holds control characters, expected plain text on one line",
    ),
    "a tab": (
        {"caveat.yaml": "site:\n\tname: X\n"},
        "caveat.yaml:2:1: a tab, expected spaces: YAML does not allow tabs for indenting",
    ),
    "a bracket that stays open": (
        {"caveat.yaml": "site: {name: X\n"},
        "caveat.yaml:2:1: a `[` or `{` that is not closed, expected `,` or `}`",
    ),
    "a colon too many": (
        {"caveat.yaml": "site:\n  name: The Caveat: every morning\n"},
        "caveat.yaml:2:19: a second `: ` in one value, expected quotes around a value that holds `: `",
    ),
    "a quotation mark that stays open": (
        {"caveat.yaml": "site:\n  name: 'X\n"},
        "caveat.yaml:3:1: a quotation mark that is not closed, expected the closing mark",
    ),
    "a value that starts with an at sign": (
        {"caveat.yaml": "site:\n  name: @home\n"},
        "caveat.yaml:2:9: a value that starts with `@`, expected quotes around it",
    ),
    "an alias without anchor": (
        {"caveat.yaml": "site: *x\n"},
        "caveat.yaml:1:7: an alias `*name` without its anchor `&name`, expected quotes if it is plain text",
    ),
    "an indent that fits nothing": (
        {"caveat.yaml": "site:\n    name: X\n  url: Y\n"},
        "caveat.yaml:3:3: a line that is not indented like its neighbours, expected one indent for one block",
    ),
    "two documents": (
        {"caveat.yaml": SITE + "---\n" + SITE},
        "caveat.yaml:6:1: a second document (`---`), expected one document in the file",
    ),
    "a tag": (
        {"caveat.yaml": "site: !!python/object:os.system x\n"},
        "caveat.yaml:1:7: the tag 'python/object:os.system', expected a plain value",
    ),
    "lists within themselves": (
        {"caveat.yaml": "site: &a [*a]\n"},
        "caveat.yaml:1:7: too many or too deeply nested values, expected a plain file without nested anchors",
    ),
    "lists within lists without end": (
        {"caveat.yaml": "site: " + "[" * 2000},
        "caveat.yaml:1:1: the lists are nested too deeply, expected plain lists",
    ),
    "latin-1": (
        {"caveat.yaml": "site:\n  name: Caf\xe9\n".encode("latin-1")},
        "caveat.yaml:2:12: the byte 0xe9 is not UTF-8, expected a file saved as UTF-8",
    ),
    "utf-16": (
        {"caveat.yaml": SITE.encode("utf-16")},
        "caveat.yaml:1:1: the file is in UTF-16, expected UTF-8; save it as that",
    ),
    "a control character": (
        {"caveat.yaml": "site:\n  name: A\x01B\n"},
        "caveat.yaml:2:10: the character U+0001, expected printable text",
    ),
}


@pytest.mark.parametrize(("files", "sentence"), FAULTS.values(), ids=list(FAULTS))
def test_each_fault_has_its_position_problem_and_expected_value(
    tmp_path: Path, files: dict[str, str | bytes], sentence: str
):
    assert said(a_config_folder(tmp_path, files))[0].startswith(sentence)


def test_one_mistake_is_one_fault(tmp_path: Path):
    """A newsletters.yaml that cannot be read does not make every subscription a fault as well."""
    assert len(faults(a_config_folder(tmp_path, {"newsletters.yaml": "newsletters: [\n"}))) == 1


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_its_required_content(tmp_path: Path, name: str):
    folder = a_config_folder(tmp_path)
    (folder / name).unlink()

    (fault,) = said(folder)
    assert fault.startswith(f"{name}: the file is missing in {folder}, expected one with ")


def test_a_missing_folder_is_named(tmp_path: Path):
    (fault,) = said(tmp_path / "nowhere")
    assert fault.startswith(
        f"{tmp_path}/nowhere: there is no such folder, expected one that `caveat config init` made"
    )


def test_no_fault_contains_a_password(tmp_path: Path):
    files = {"caveat.yaml": SITE + "storage: postgresql://u:hush@/\nmail: {smtp: {password: [hush]}}\n"}
    assert len(said(a_config_folder(tmp_path, files))) == 2
    assert not [fault for fault in said(a_config_folder(tmp_path, files)) if "hush" in fault]


def test_a_feed_without_a_topic_that_no_newsletter_takes_is_a_warning(tmp_path: Path):
    feeds = (
        "feeds:\n  - {url: https://a.example/f, topics: [world]}\n  - {url: https://b.example/f, name: B}\n"
    )
    only_topics = a_config_folder(tmp_path, {"feeds.yaml": feeds})
    assert [str(w) for w in loaded(only_topics).warnings] == [
        "feeds.yaml:3:5: no newsletter takes the feed 'B': it has no topic, expected one of world"
    ]


def test_a_topic_that_no_feed_has_is_a_warning(tmp_path: Path):
    files = {
        "newsletters.yaml": FILES["newsletters.yaml"].replace("[world]", "[wolrd]"),
        "subscribers.yaml": (
            "subscribers:\n  - {email: a@x.example, newsletters: [{id: morning, topics: [sport]}]}\n"
        ),
    }
    unused = "no newsletter takes the feed 'The Courier': none has the topic world"
    assert [str(w) for w in loaded(a_config_folder(tmp_path, files)).warnings if unused not in str(w)] == [
        "newsletters.yaml:2:48: no feed has the topic 'wolrd' (did you mean world?), expected one of world",
        "subscribers.yaml:2:63: no feed has the topic 'sport', expected one of world",
    ]


def test_empty_lists_and_absent_files_of_feeds_are_warnings(tmp_path: Path):
    files = {
        "feeds.yaml": "feeds: []\n",
        "newsletters.yaml": "newsletters: []\n",
        "subscribers.yaml": "subscribers: []\n",
    }
    assert [w.file for w in loaded(a_config_folder(tmp_path / "a", files)).warnings] == [
        "feeds.yaml",
        "newsletters.yaml",
    ]

    files = {"feeds.yaml": "feeds:\n  - {url: 'file:notices.xml', topics: [world]}\n"}
    (warning,) = loaded(a_config_folder(tmp_path / "b", files)).warnings
    assert "there is no file 'notices.xml' yet" in warning.message


def test_anchors_and_merges_work(tmp_path: Path):
    files = {
        "subscribers.yaml": (
            "subscribers:\n"
            "  - &amina {email: amina@example.org, timezone: Asia/Qatar, newsletters: &all [morning]}\n"
            "  - {<<: *amina, email: ben@example.org, newsletters: *all}\n"
        )
    }
    amina, ben = loaded(a_config_folder(tmp_path, files)).roster.subscribers

    assert (ben.subscriber.email, ben.subscriber.timezone) == ("ben@example.org", "Asia/Qatar")
    assert ben.newsletters == amina.newsletters


def test_a_byte_order_mark_and_windows_line_endings_are_accepted(tmp_path: Path):
    files = {name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() for name, text in FILES.items()}
    assert (
        loaded(a_config_folder(tmp_path, files)).roster == loaded(a_config_folder(tmp_path / "plain")).roster
    )


class TestTolerance:
    """While the service runs, one bad feed or subscriber costs no other."""

    FILES: ClassVar = {
        "feeds.yaml": FILES["feeds.yaml"] + "  - {url: 'https://wire.example/rss', every: 5}\n",
        "subscribers.yaml": FILES["subscribers.yaml"]
        + "  - {email: ben@example.org, newsletters: [mornin]}\n"
        + "  - {email: amina@EXAMPLE.org, newsletters: [morning]}\n",
    }

    def test_the_check_fails(self, tmp_path: Path):
        assert len(faults(a_config_folder(tmp_path, self.FILES))) == 3

    def test_the_service_skips_invalid_items_with_a_warning(self, tmp_path: Path):
        read = loaded(a_config_folder(tmp_path, self.FILES), tolerant=True)

        assert [feed.name for feed in read.roster.feeds] == ["The Courier"]
        assert [entry.subscriber.email for entry in read.roster.subscribers] == ["amina@example.org"]
        assert [str(warning).partition(": ")[2].partition(":")[0] for warning in read.warnings] == [
            "the feed https",
            "the subscriber ben@example.org is skipped, who stays as they were",
            "the subscriber amina@EXAMPLE.org is skipped, who stays as they were",
        ]

    def test_the_ids_of_skipped_subscribers_are_kept(self, tmp_path: Path):
        roster = loaded(a_config_folder(tmp_path, self.FILES), tolerant=True).roster
        assert roster.unreadable_subscribers == (identity.subscriber_id("ben@example.org"),)

    def test_other_faults_still_count(self, tmp_path: Path):
        files = {**self.FILES, "newsletters.yaml": "newsletters:\n  - {id: morning}\n"}
        assert {f.file for f in faults(a_config_folder(tmp_path, files), tolerant=True)} == {
            "newsletters.yaml"
        }


@pytest.mark.parametrize("name", ["mailer", "system", "Bounces", "postmaster", "MAILER-DAEMON"])
def test_a_sender_named_like_a_mail_program_is_a_warning(tmp_path: Path, name: str):
    text = SITE.replace("digest@", f"{name}@")
    assert text != SITE
    [warning] = loaded(a_config_folder(tmp_path, {"caveat.yaml": text})).warnings
    assert f"such as {name}@" in warning.message
    assert "from:" in text.splitlines()[warning.line - 1]


SMTP = SITE + "mail:\n  channel: smtp\n  smtp:\n    port: {}\n    security: {}\n"
IMAP = (
    SITE + "mail:\n  bounces:\n    address: bounces@example.org\n    imap:\n      host: imap.example.org\n"
    "      username: bounces\n      port: {}\n      security: {}\n"
)


@pytest.mark.parametrize(
    ("text", "line", "warning"),
    [
        (
            SMTP.format(465, "starttls"),
            9,
            "port 465 expects TLS from the first byte on, not `security: starttls`",
        ),
        (SMTP.format(465, "none"), 9, "port 465 expects TLS from the first byte on, not `security: none`"),
        (SMTP.format(587, "tls"), 10, "port 587 starts without encryption, not with `security: tls`"),
        (SMTP.format(25, "tls"), 10, "port 25 starts without encryption, not with `security: tls`"),
        (
            IMAP.format(993, "starttls"),
            12,
            "port 993 expects TLS from the first byte on, not `security: starttls`",
        ),
        (IMAP.format(143, "tls"), 13, "port 143 starts without encryption, not with `security: tls`"),
        (SMTP.format(465, "tls"), 0, ""),
        (SMTP.format(587, "starttls"), 0, ""),
        (SMTP.format(2525, "tls"), 0, ""),
        (IMAP.format(993, "tls"), 0, ""),
        (IMAP.format(143, "starttls"), 0, ""),
    ],
)
def test_a_port_that_does_not_fit_the_encryption_is_a_warning(tmp_path: Path, text, line, warning):
    warnings = loaded(a_config_folder(tmp_path, {"caveat.yaml": text})).warnings
    assert [(w.line, w.message) for w in warnings if "port" in w.message] == (
        [(line, warning)] if warning else []
    )


def test_the_imap_server_can_have_its_own_authority_file(tmp_path: Path):
    text = IMAP.format(993, "tls") + "      authority_file: own.pem\n"
    folder = a_config_folder(tmp_path, {"caveat.yaml": text, "own.pem": "-----BEGIN CERTIFICATE-----\n"})
    imap = loaded(folder).settings.mail.bounces.imap
    assert imap is not None
    assert imap.authority == tmp_path / "own.pem"
    (folder / "own.pem").unlink()
    (fault,) = said(folder)
    assert "own.pem cannot be read" in fault


def test_a_proxy_has_its_login_in_separate_keys(tmp_path: Path):
    (tmp_path / "proxy.secret").write_text("sesame\n")
    (tmp_path / "proxy.secret").chmod(0o600)
    fetch = "{proxy: 'http://p.intern:3128/', proxy_username: ann, proxy_password_file: proxy.secret}"
    found = load_config(
        a_config_folder(tmp_path, {"caveat.yaml": f"{SITE}fetch: {fetch}\n"}), {}
    ).settings.fetch.proxy

    assert found is not None
    assert (found.url, found.username, found.password.reveal()) == (
        "http://p.intern:3128",
        "ann",
        "sesame",
    )


@pytest.mark.parametrize(
    ("fetch", "fault"),
    [
        ("{proxy: 'http://ann:sesame@proxy.intern:3128'}", "the proxy's address contains a login"),
        ("{proxy: 'http://proxy.intern:3128/path'}", "has more than a host and a port"),
        ("{proxy: 'socks5://proxy.intern:1080'}", "is not a web address"),
        ("{proxy_password: sesame}", "a password without `proxy` and `proxy_username`"),
    ],
)
def test_an_invalid_proxy_is_a_fault(tmp_path: Path, fetch: str, fault: str):
    with pytest.raises(ConfigError) as refused:
        load_config(a_config_folder(tmp_path, {"caveat.yaml": f"{SITE}fetch: {fetch}\n"}), {})
    assert fault in str(refused.value.faults[0])

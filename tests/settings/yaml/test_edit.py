"""Items come and go in the files that people write, and everything else in them stays."""

from __future__ import annotations

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.core.errors import CaveatError, ConfigError, UsageError
from service.settings.packaged_files import config_folder
from service.settings.yaml import edit
from tests.settings.config_folders import FILES, a_config_folder

FEEDS = """\
# Where news comes from
feeds:
  # Europe
  - {url: "https://a.example/rss", name: Aurora, topics: [world]}   # the first

  # Asia
  - url: https://b.example/rss
    name: Borealis   # a long one
    topics:
      - world
      # with a remark inside
      - asia
  # the end
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_config_folder(tmp_path, {"feeds.yaml": FEEDS})


def feeds(folder: Path) -> str:
    return (folder / "feeds.yaml").read_text(encoding="utf-8")


def test_a_new_item_is_appended_and_other_lines_stay(folder: Path):
    read = edit.add(folder, "feeds", [{"url": "https://c.example/rss", "topics": ["world", "economy"]}], {})

    assert [feed.name for feed in read.roster.feeds] == ["Aurora", "Borealis", "c.example"]
    assert feeds(folder) == FEEDS.replace(
        "  # the end\n",
        "  - url: https://c.example/rss\n    topics:\n      - world\n      - economy\n  # the end\n",
    )


def test_a_new_item_has_the_style_of_the_last_item(tmp_path: Path):
    folder = a_config_folder(tmp_path)
    edit.add(folder, "subscribers", [{"email": "ben@example.org", "newsletters": ["morning"]}], {})

    assert (folder / "subscribers.yaml").read_text() == (
        FILES["subscribers.yaml"] + "  - {email: ben@example.org, newsletters: [morning]}\n"
    )


@pytest.mark.parametrize("name", ["https://a.example/rss", "http://www.a.example/rss/", "aurora"])
def test_remove_keeps_the_comments_around_an_item(folder: Path, name: str):
    edit.remove(folder, "feeds", name, {})
    assert feeds(folder) == FEEDS.replace(
        '  - {url: "https://a.example/rss", name: Aurora, topics: [world]}   # the first\n', ""
    )


def test_remove_takes_all_lines_of_an_item(folder: Path):
    edit.remove(folder, "feeds", "Borealis", {})
    assert feeds(folder) == FEEDS[: FEEDS.index("  - url: https://b")] + "  # the end\n"


def test_update_changes_only_the_lines_of_the_item(folder: Path):
    edit.update(folder, "feeds", "Borealis", {"name": "Boreal", "every": "1h"}, {})
    assert feeds(folder) == FEEDS.replace("name: Borealis   #", "name: Boreal     #").replace(
        "      - asia\n", "      - asia\n    every: 1h\n"
    )
    edit.update(folder, "feeds", "Boreal", {"every": None}, {})
    assert feeds(folder) == FEEDS.replace("name: Borealis   #", "name: Boreal     #")


def test_the_first_item_is_added_and_the_last_removed(tmp_path: Path):
    folder = a_config_folder(tmp_path, {"subscribers.yaml": "# nobody yet\nsubscribers: []\n"})
    ben = {"email": "ben@example.org", "newsletters": ["morning"]}
    edit.add(folder, "subscribers", [ben], {})
    assert (folder / "subscribers.yaml").read_text() == (
        "# nobody yet\nsubscribers:\n  - {email: ben@example.org, newsletters: [morning]}\n"
    )
    read = edit.remove(folder, "subscribers", "BEN@example.org", {})
    assert read.roster.subscribers == ()


def test_update_of_an_item_that_uses_an_anchor(tmp_path: Path):
    folder = a_config_folder(
        tmp_path,
        {
            "subscribers.yaml": (
                "subscribers:\n"
                "  - {email: amina@example.org, newsletters: &all [morning]}\n"
                "  - {email: ben@example.org, newsletters: *all}\n"
            )
        },
    )
    read = edit.update(folder, "subscribers", "ben@example.org", {"name": "Ben"}, {})
    assert read.roster.subscribers[1].subscriber.name == "Ben"
    assert "*all" in (folder / "subscribers.yaml").read_text()


def test_add_and_remove_leave_the_packaged_files_unchanged(tmp_path: Path):
    folder = shutil.copytree(config_folder(), tmp_path / "config")
    before = feeds(folder)
    edit.add(folder, "feeds", [{"url": "https://c.example/rss", "topics": ["world"]}], {})
    assert feeds(folder) != before
    edit.remove(folder, "feeds", "https://c.example/rss", {})
    assert feeds(folder) == before


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_line_endings_and_byte_order_mark_stay(tmp_path: Path, ending: str, mark: bytes, last: str):
    before = mark + (FILES["feeds.yaml"].rstrip("\n") + last).replace("\n", ending).encode()
    folder = a_config_folder(tmp_path, {"feeds.yaml": before})
    edit.add(folder, "feeds", [{"url": "https://c.example/rss"}], {})

    after = (folder / "feeds.yaml").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(ending.encode()) == 3


class TestRefusal:
    """An edit after which the folder would not load changes nothing."""

    @pytest.mark.parametrize(
        ("entry", "sentence"),
        [
            ({"url": "a.example/rss"}, "is not a web address (did you mean https://a.example/rss?)"),
            ({"url": "https://a.example/rss/"}, "is listed twice, first in line 4"),
            ({"url": "https://c.example/rss", "colour": "red"}, "there is no key `colour` here"),
        ],
    )
    def test_an_invalid_item_is_not_written(self, folder: Path, entry: dict[str, str], sentence: str):
        with pytest.raises(ConfigError) as refused:
            edit.add(folder, "feeds", [entry], {})
        assert sentence in str(refused.value)
        assert feeds(folder) == FEEDS

    def test_a_newsletter_with_subscribers_is_not_removed(self, tmp_path: Path):
        folder = a_config_folder(tmp_path)
        with pytest.raises(ConfigError, match="there is no newsletter 'morning'"):
            edit.remove(folder, "newsletters", "morning", {})
        assert (folder / "newsletters.yaml").read_text() == FILES["newsletters.yaml"]

    def test_a_folder_with_faults_is_not_edited(self, folder: Path):
        (folder / "caveat.yaml").write_text("site: 5\n")
        with pytest.raises(ConfigError, match=r"caveat\.yaml:1:7"):
            edit.remove(folder, "feeds", "Aurora", {})

    def test_an_unknown_name_gets_a_suggestion(self, folder: Path):
        with pytest.raises(
            UsageError, match=r"there is no feed 'Aurorra' in feeds\.yaml\. Did you mean Aurora\?"
        ):
            edit.remove(folder, "feeds", "Aurorra", {})

    @pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes everywhere")
    def test_a_failed_replacement_leaves_the_old_file(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(CaveatError, match="cannot be written: No space left on device"):
            edit.remove(folder, "feeds", "Aurora", {})
        assert feeds(folder) == FEEDS
        assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def test_file_mode_and_symbolic_link_stay(folder: Path, tmp_path: Path):
    lent = tmp_path / "lent"
    lent.mkdir()
    (folder / "feeds.yaml").rename(lent / "feeds.yaml")
    (lent / "feeds.yaml").chmod(0o640)
    (folder / "feeds.yaml").symlink_to(lent / "feeds.yaml")
    edit.remove(folder, "feeds", "Aurora", {})

    assert (folder / "feeds.yaml").is_symlink()
    assert "Aurora" not in (lent / "feeds.yaml").read_text()
    assert stat.S_IMODE((lent / "feeds.yaml").stat().st_mode) == 0o640


def test_concurrent_edits_do_not_undo_one_another(folder: Path):
    def add(number: int) -> None:
        edit.add(folder, "feeds", [{"url": f"https://{number}.example/rss"}], {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert all(f"https://{number}.example/rss" in feeds(folder) for number in range(8))

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
from tests.settings.houses import FILES, a_house

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
def house(tmp_path: Path) -> Path:
    return a_house(tmp_path, {"feeds.yaml": FEEDS})


def feeds(house: Path) -> str:
    return (house / "feeds.yaml").read_text(encoding="utf-8")


def test_a_new_item_stands_behind_the_last_and_nothing_else_moves(house: Path):
    read = edit.add(house, "feeds", [{"url": "https://c.example/rss", "topics": ["world", "economy"]}], {})

    assert [feed.name for feed in read.roster.feeds] == ["Aurora", "Borealis", "c.example"]
    assert feeds(house) == FEEDS.replace(
        "  # the end\n",
        "  - url: https://c.example/rss\n    topics:\n      - world\n      - economy\n  # the end\n",
    )


def test_a_new_item_follows_the_style_of_the_last(tmp_path: Path):
    house = a_house(tmp_path)
    edit.add(house, "subscribers", [{"email": "ben@example.org", "newsletters": ["morning"]}], {})

    assert (house / "subscribers.yaml").read_text() == (
        FILES["subscribers.yaml"] + "  - {email: ben@example.org, newsletters: [morning]}\n"
    )


@pytest.mark.parametrize("name", ["https://a.example/rss", "http://www.a.example/rss/", "aurora"])
def test_an_item_goes_and_the_comments_around_it_stay(house: Path, name: str):
    edit.remove(house, "feeds", name, {})
    assert feeds(house) == FEEDS.replace(
        '  - {url: "https://a.example/rss", name: Aurora, topics: [world]}   # the first\n', ""
    )


def test_an_item_over_several_lines_goes_whole(house: Path):
    edit.remove(house, "feeds", "Borealis", {})
    assert feeds(house) == FEEDS[: FEEDS.index("  - url: https://b")] + "  # the end\n"


def test_an_item_is_changed_in_its_own_lines(house: Path):
    edit.update(house, "feeds", "Borealis", {"name": "Boreal", "every": "1h"}, {})
    assert feeds(house) == FEEDS.replace("name: Borealis   #", "name: Boreal     #").replace(
        "      - asia\n", "      - asia\n    every: 1h\n"
    )
    edit.update(house, "feeds", "Boreal", {"every": None}, {})
    assert feeds(house) == FEEDS.replace("name: Borealis   #", "name: Boreal     #")


def test_a_list_without_items_becomes_one_with_items_and_back(tmp_path: Path):
    house = a_house(tmp_path, {"subscribers.yaml": "# nobody yet\nsubscribers: []\n"})
    ben = {"email": "ben@example.org", "newsletters": ["morning"]}
    edit.add(house, "subscribers", [ben], {})
    assert (house / "subscribers.yaml").read_text() == (
        "# nobody yet\nsubscribers:\n  - {email: ben@example.org, newsletters: [morning]}\n"
    )
    read = edit.remove(house, "subscribers", "BEN@example.org", {})
    assert read.roster.subscribers == ()


def test_an_item_that_leans_on_an_anchor_is_changed_all_the_same(tmp_path: Path):
    house = a_house(
        tmp_path,
        {
            "subscribers.yaml": (
                "subscribers:\n"
                "  - {email: amina@example.org, newsletters: &all [morning]}\n"
                "  - {email: ben@example.org, newsletters: *all}\n"
            )
        },
    )
    read = edit.update(house, "subscribers", "ben@example.org", {"name": "Ben"}, {})
    assert read.roster.subscribers[1].subscriber.name == "Ben"
    assert "*all" in (house / "subscribers.yaml").read_text()


def test_adding_and_removing_leaves_the_bundled_files_as_they_were(tmp_path: Path):
    house = shutil.copytree(config_folder(), tmp_path / "config")
    before = feeds(house)
    edit.add(house, "feeds", [{"url": "https://c.example/rss", "topics": ["world"]}], {})
    assert feeds(house) != before
    edit.remove(house, "feeds", "https://c.example/rss", {})
    assert feeds(house) == before


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_line_ends_and_byte_order_mark_stay(tmp_path: Path, ending: str, mark: bytes, last: str):
    before = mark + (FILES["feeds.yaml"].rstrip("\n") + last).replace("\n", ending).encode()
    house = a_house(tmp_path, {"feeds.yaml": before})
    edit.add(house, "feeds", [{"url": "https://c.example/rss"}], {})

    after = (house / "feeds.yaml").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(ending.encode()) == 3


class TestRefusal:
    """An edit that would break the house is no edit."""

    @pytest.mark.parametrize(
        ("entry", "sentence"),
        [
            ({"url": "a.example/rss"}, "is no web address (did you mean https://a.example/rss?)"),
            ({"url": "https://a.example/rss/"}, "stands here twice, first in line 4"),
            ({"url": "https://c.example/rss", "colour": "red"}, "there is no key `colour` here"),
        ],
    )
    def test_what_would_not_load_is_not_written(self, house: Path, entry: dict[str, str], sentence: str):
        with pytest.raises(ConfigError) as refused:
            edit.add(house, "feeds", [entry], {})
        assert sentence in str(refused.value)
        assert feeds(house) == FEEDS

    def test_a_newsletter_that_somebody_reads_stays(self, tmp_path: Path):
        house = a_house(tmp_path)
        with pytest.raises(ConfigError, match="there is no newsletter 'morning'"):
            edit.remove(house, "newsletters", "morning", {})
        assert (house / "newsletters.yaml").read_text() == FILES["newsletters.yaml"]

    def test_a_folder_with_faults_is_mended_by_hand_first(self, house: Path):
        (house / "caveat.yaml").write_text("site: 5\n")
        with pytest.raises(ConfigError, match=r"caveat\.yaml:1:7"):
            edit.remove(house, "feeds", "Aurora", {})

    def test_a_name_that_is_not_there_gets_a_suggestion(self, house: Path):
        with pytest.raises(
            UsageError, match=r"there is no feed 'Aurorra' in feeds\.yaml\. Did you mean Aurora\?"
        ):
            edit.remove(house, "feeds", "Aurorra", {})

    @pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes everywhere")
    def test_a_file_that_cannot_be_replaced_stays_whole(self, house: Path, monkeypatch: pytest.MonkeyPatch):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(CaveatError, match="cannot be written: No space left on device"):
            edit.remove(house, "feeds", "Aurora", {})
        assert feeds(house) == FEEDS
        assert sorted(path.name for path in house.iterdir()) == sorted(FILES)


def test_mode_and_links_survive(house: Path, tmp_path: Path):
    lent = tmp_path / "lent"
    lent.mkdir()
    (house / "feeds.yaml").rename(lent / "feeds.yaml")
    (lent / "feeds.yaml").chmod(0o640)
    (house / "feeds.yaml").symlink_to(lent / "feeds.yaml")
    edit.remove(house, "feeds", "Aurora", {})

    assert (house / "feeds.yaml").is_symlink()
    assert "Aurora" not in (lent / "feeds.yaml").read_text()
    assert stat.S_IMODE((lent / "feeds.yaml").stat().st_mode) == 0o640


def test_edits_at_the_same_time_do_not_undo_one_another(house: Path):
    def add(number: int) -> None:
        edit.add(house, "feeds", [{"url": f"https://{number}.example/rss"}], {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert all(f"https://{number}.example/rss" in feeds(house) for number in range(8))

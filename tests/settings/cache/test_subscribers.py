"""The cache of subscribers.yaml: the same roster, never from other bytes, and harmless when it is hostile."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from service.core.errors import CaveatError
from service.core.ids import subscriber_id
from service.settings.cache import subscribers as cache
from service.settings.values import LoadedConfig
from tests.settings.config_folders import FILES, a_config_folder, loaded

PEOPLE = """\
subscribers:
  - email: amina@example.org
    name: "Amina 🙂"
    timezone: Asia/Qatar
    newsletters: [{id: morning, schedule: "daily 06:00", stories: 3, follow: [climate], languages: []}]
  # She reads it elsewhere.
  - {email: ben@example.org, channel: {apprise: "tgram://secret-token/1"}, newsletters: [morning]}
  - email: carla@example.org
    newsletters: [{id: morning, topics: [wrold], timezone: CET}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder whose subscribers are cached however few they are."""
    monkeypatch.setattr(cache, "MIN_BYTES", 0)
    (tmp_path / "data").mkdir()
    main = f"{FILES['caveat.yaml']}storage: sqlite:///../data/caveat.db\n"
    return a_config_folder(tmp_path / "config", {"caveat.yaml": main, "subscribers.yaml": PEOPLE})


def cached(folder: Path) -> Path:
    (file,) = (folder.parent / "data").glob("*.cache")
    return file


def read(folder: Path, *, parsed: bool) -> LoadedConfig:
    """Load the folder, and compare whether the subscribers were parsed."""
    calls = []
    parse = cache.SubscriberCache.put

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache.SubscriberCache, "put", lambda *args: (calls.append(1), parse(*args)))
        found = loaded(folder)
    assert bool(calls) is parsed
    return found


def test_the_cache_gives_the_same_roster_and_warnings(folder: Path):
    first = read(folder, parsed=True)
    second = read(folder, parsed=False)

    assert second.roster == first.roster
    assert second.roster.fingerprint == first.roster.fingerprint
    assert second.warnings == first.warnings
    assert {"subscribers.yaml:9:42", "subscribers.yaml:9:60"} <= {
        str(one).partition(": ")[0] for one in first.warnings
    }
    assert second.roster.subscribers[1].channel_address.reveal() == "tgram://secret-token/1"


def test_the_cache_is_private_and_has_no_address_on_a_channel(folder: Path):
    read(folder, parsed=True)

    assert cached(folder).stat().st_mode & 0o777 == 0o600
    assert b"secret-token" not in cached(folder).read_bytes()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("subscribers.yaml", "daily 06:00", "daily 06:01"),
        ("newsletters.yaml", "topics: [world]", "topics: [world, sport]"),
        ("feeds.yaml", "topics: [world]", "topics: [world, sport]"),
    ],
)
def test_a_change_that_matters_is_read(folder: Path, name: str, old: str, new: str):
    read(folder, parsed=True)
    text = (folder / name).read_text()
    (folder / name).write_text(text.replace(old, new))
    changed = name != "newsletters.yaml"  # topics of feeds decide about warnings, those of newsletters do not

    read(folder, parsed=changed)


class Hostile:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("hacked",)


def resealed(file: Path, body: bytes) -> bytes:
    """Return a cache file with this body and a checksum that fits."""
    form, key, _ = file.read_bytes().partition(b"\n")[0].split()
    return b"%s %s %s\n%s" % (form, key, hashlib.sha256(body).hexdigest().encode(), body)


def people(*entries: object, on_channels: tuple[int, ...] = ()) -> bytes:
    values = {"people": len(entries), "on_channels": on_channels, "skipped": [], "warnings": []}
    return b"\n".join(json.dumps(one).encode() for one in (values, *entries))


AMINA = subscriber_id("amina@example.org")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _file: b"",
        lambda file: file.read_bytes()[:-10],
        lambda file: file.read_bytes().replace(b"Amina", b"Amino"),
        lambda _file: pickle.dumps(Hostile()),
        lambda file: resealed(file, pickle.dumps(Hostile())),
        lambda file: resealed(file, b"[" * 100_000),
        lambda file: resealed(file, people([AMINA, {"first": 1, "last": 0}], on_channels=(0,))),
        lambda file: resealed(file, people([AMINA, {"first": 1, "last": 10**12}], on_channels=(0,))),
        lambda file: resealed(file, people([AMINA, 3], on_channels=(0,))),
        lambda file: resealed(file, people(on_channels=(7,))),
    ],
)
def test_a_spoilt_or_hostile_cache_is_read_again_from_the_file(
    folder: Path, spoil: Callable[[Path], bytes], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder)
    right = read(folder, parsed=True)
    file = cached(folder)
    file.write_bytes(spoil(file))

    assert read(folder, parsed=True).roster == right.roster
    assert not (folder / "hacked").exists()
    read(folder, parsed=False)  # it was written anew


@pytest.mark.parametrize(
    "entry",
    [
        [AMINA, "amina@example.org", "", None, [["morning", {"stories": "x" * 9}]], 3],
        [AMINA, "amina@example.org", "", None, [["morning", {"__class__": "x"}]]],
        [AMINA, ["amina"], "", None, []],
        [AMINA],
        AMINA,
    ],
)
def test_a_forged_subscriber_is_an_error_when_it_is_read(folder: Path, entry: object):
    read(folder, parsed=True)
    file = cached(folder)
    file.write_bytes(resealed(file, people(entry)))
    roster = read(folder, parsed=False).roster

    with pytest.raises(CaveatError, match="delete the file"):
        list(roster.subscribers)


def test_one_subscriber_is_found_without_reading_the_others(folder: Path):
    parsed, roster = read(folder, parsed=True).roster, read(folder, parsed=False).roster

    for name in ("amina", "ben", "carla"):
        person = subscriber_id(f"{name}@example.org")
        assert roster.subscriber(person) == parsed.subscriber(person)
        assert roster.subscriber(person).subscriber.email == f"{name}@example.org"
    for unknown in ("", "amina", f'{AMINA}","amina@example.org', "\n"):
        assert roster.subscriber(unknown) is None
    assert [entry.subscriber.email for entry in roster.on_channels()] == ["ben@example.org"]
    assert "_all" not in vars(roster.subscribers)
    assert len(roster.subscribers) == 3


def test_a_file_that_others_can_write_or_a_link_is_not_trusted(folder: Path):
    read(folder, parsed=True)
    cached(folder).chmod(0o666)
    read(folder, parsed=True)
    file, target = cached(folder), folder / "elsewhere"
    file.rename(target)
    file.symlink_to(target)
    read(folder, parsed=True)


def test_without_a_folder_for_it_nothing_is_cached(folder: Path):
    (folder.parent / "data").rmdir()
    read(folder, parsed=True)
    read(folder, parsed=True)

    assert not (folder.parent / "data").exists()

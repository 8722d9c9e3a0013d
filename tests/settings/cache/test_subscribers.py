"""The cache of subscribers.yaml: the same roster, never from other bytes, and harmless when it is hostile."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

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


def people(*entries: object) -> bytes:
    return json.dumps({"people": entries, "skipped": [], "warnings": []}).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _file: b"",
        lambda file: file.read_bytes()[:-10],
        lambda file: file.read_bytes().replace(b"Amina", b"Amino"),
        lambda _file: pickle.dumps(Hostile()),
        lambda file: resealed(file, pickle.dumps(Hostile())),
        lambda file: resealed(file, b"[" * 100_000),
        lambda file: resealed(
            file, people(["a@example.org", "", None, [["morning", {"stories": "x" * 9}]]], 3)
        ),
        lambda file: resealed(file, people(["a@example.org", "", None, [["morning", {"__class__": "x"}]]])),
        lambda file: resealed(file, people({"first": 1, "last": 0})),
        lambda file: resealed(file, people({"first": 1, "last": 10**12})),
        lambda file: resealed(file, people([["a"], "", None, []])),
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

"""Feeds in files: only feeds.yaml names them, and they are read within limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.gather.http.file_fetcher import FileFetcher, is_file_address, path_of
from service.gather.ports import Fetched, FetchFailed, NotModified


async def test_a_file_is_read_once_and_then_only_when_it_changed(tmp_path: Path):
    (tmp_path / "notices.xml").write_text("one", encoding="utf-8")
    files = FileFetcher(tmp_path)

    first = await files.fetch("file:notices.xml")
    assert isinstance(first, Fetched)
    assert first.body == b"one"
    assert await files.fetch("file:notices.xml", etag=first.etag) == NotModified()

    (tmp_path / "notices.xml").write_text("other", encoding="utf-8")
    assert isinstance(await files.fetch("file:notices.xml", etag=first.etag), Fetched)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:notices.xml", "/house/notices.xml"),
        ("file:sub/my%20feed.xml", "/house/sub/my feed.xml"),
        ("file:/srv/feed.xml", "/srv/feed.xml"),
        ("file:///srv/feed.xml", "/srv/feed.xml"),
        ("file://localhost/srv/feed.xml", "/srv/feed.xml"),
        ("FILE:notices.xml", "/house/notices.xml"),
    ],
)
def test_paths_are_relative_to_the_config_folder(url: str, path: str):
    assert is_file_address(url)
    assert path_of(url, Path("/house")) == Path(path)


async def test_an_unreadable_file_gives_a_sentence(tmp_path: Path):
    (tmp_path / "large").write_bytes(b"x" * 11)
    files = FileFetcher(tmp_path, max_bytes=10)
    for url, sentence in (
        ("file:nowhere.xml", f"there is no file {tmp_path / 'nowhere.xml'}"),
        ("file:.", f"{tmp_path} is not a file"),
        ("file:large", "the file is larger than"),
        ("file:/dev/zero", "/dev/zero is not a file"),
        ("file:a%00b", "cannot be read"),
    ):
        answer = await files.fetch(url)
        assert isinstance(answer, FetchFailed)
        assert sentence in answer.reason

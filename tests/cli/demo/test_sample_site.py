"""The web server of the demo replaces placeholders and serves nothing outside its folder."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.error import HTTPError
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import pytest

from service.cli.demo.sample_site import free_port, serve_sample
from service.settings.packaged_files import sample_folder

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def base():
    with serve_sample(sample_folder(), port=free_port(), now=NOW) as base:
        yield base


def get(url: str) -> str:
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
        return answer.read().decode()


def test_the_links_of_the_feeds_are_served(base: str):
    items = ET.fromstring(get(f"{base}/feed.xml")).findall("./channel/item")  # noqa: S314 - our own file

    for item in items:
        assert item.findtext("link", "").startswith(f"{base}/pages/")
        assert parsedate_to_datetime(item.findtext("pubDate", "")) < NOW
        assert "<article" in get(item.findtext("link", ""))


@pytest.mark.parametrize("path", ["nothing.xml", "config/caveat.yaml", "../__init__.py", "%2e%2e/app.py", ""])
def test_other_paths_are_not_found(base: str, path: str):
    with pytest.raises(HTTPError, match="404"):
        get(f"{base}/{path}")


def test_a_port_in_use_raises_oserror(base: str):
    with pytest.raises(OSError), serve_sample(sample_folder(), port=int(base.rpartition(":")[2]), now=NOW):  # noqa: PT011 - the message is the system's
        pass

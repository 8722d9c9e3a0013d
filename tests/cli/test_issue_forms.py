"""`caveat issue show --as`, `open` and `links`: an issue in its forms."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from service.cli.main import main
from tests.cli.runner import CliRunner, write_files

HEADLINE = "The lift is out of order"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a configuration and a database with one issue."""
    folder = tmp_path_factory.mktemp("prepared")
    write_files(folder / "config")
    for words in (["gather"], ["condense"], ["send", "morning", "--all", "--yes"]):
        assert main(["--config", str(folder / "config"), *words]) == 0
    return folder


@pytest.fixture
def sent(prepared: Path, caveat: CliRunner, tmp_path: Path) -> CliRunner:
    """Return a runner on a copy of that folder."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return caveat


def issue_of(caveat: CliRunner) -> str:
    return caveat("issue", "list", "--json").records[0]["id"]


def form(caveat: CliRunner, tmp_path: Path, name: str, *more: str) -> bytes:
    """Return the issue in a form, as written to a file."""
    result = caveat("issue", "show", issue_of(caveat), "--as", name, "-o", tmp_path / "form", *more)
    assert result.code == 0, result.err
    return (tmp_path / "form").read_bytes()


def test_an_issue_is_shown_in_each_form(sent: CliRunner, tmp_path: Path):
    assert f"<h2>{HEADLINE}</h2>" in form(sent, tmp_path, "html").decode()
    assert HEADLINE in form(sent, tmp_path, "text").decode()
    assert f"## {HEADLINE}" in form(sent, tmp_path, "markdown").decode()
    assert json.loads(form(sent, tmp_path, "json"))["stories"][0]["headline"] == HEADLINE
    book = zipfile.ZipFile(io.BytesIO(form(sent, tmp_path, "epub")))
    assert HEADLINE in book.read("EPUB/part-1.xhtml").decode()


def test_a_form_goes_to_standard_output_as_it_is(sent: CliRunner, monkeypatch: pytest.MonkeyPatch):
    issue, written = issue_of(sent), io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, write_through=True))

    assert main(["--config", str(sent.folder), "issue", "show", issue, "--as", "epub"]) == 0
    assert zipfile.is_zipfile(written)


def test_the_mail_is_that_of_a_subscriber_or_of_nobody(sent: CliRunner, tmp_path: Path):
    nobody = message_from_bytes(form(sent, tmp_path, "eml"), policy=policy.default)
    amina = message_from_bytes(
        form(sent, tmp_path, "eml", "--to", "amina@example.org"), policy=policy.default
    )

    assert "amina" not in str(nobody).lower()
    assert amina["To"] == "Amina <amina@example.org>"
    assert "amina@example.org" in form(sent, tmp_path, "text", "--to", "amina@example.org").decode()
    assert "is subscribed" not in form(sent, tmp_path, "text").decode()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--as", "eml", "--to", "amna@example.org"], "Did you mean amina@example.org?"),
        (["--as", "html", "--to", "amina@example.org"], "only --as text and --as eml have a recipient"),
        (["-o", "file"], "--out and --to belong to a form"),
        (["--as", "html", "--json"], "--as shows the issue itself"),
        (["--as", "pdf"], "pdf"),
    ],
)
def test_a_wrong_use_is_named(sent: CliRunner, words: list[str], sentence: str):
    result = sent("issue", "show", issue_of(sent), *words)
    assert result.code == 2
    assert sentence.casefold() in result.err.casefold()


def test_without_a_display_the_address_is_printed(sent: CliRunner, monkeypatch: pytest.MonkeyPatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    issue = issue_of(sent)
    result = sent("issue", "open", issue)

    assert result.code == 0
    assert result.out.startswith(f"https://news.example.org/issues/{issue}?key=")
    assert "There is no display here" in result.err


def test_an_issue_without_a_page_is_opened_as_a_file(
    sent: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    opened: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    sent.replace("newsletters.yaml", "timezone: Europe/Berlin", "timezone: Europe/Berlin, archive: none")
    result = sent("issue", "open", issue_of(sent))

    assert opened == [result.out.strip()]
    file = Path(opened[0].removeprefix("file://"))
    assert HEADLINE in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0


def test_the_links_of_a_newsletter_are_listed(sent: CliRunner):
    links = sent("issue", "links", "--json").records
    assert [one["form"] for one in links] == ["page", "rss", "json"]
    assert links[1]["address"].startswith("https://news.example.org/newsletters/morning/feed.xml?key=")

    sent.replace("newsletters.yaml", "timezone: Europe/Berlin", "timezone: Europe/Berlin, archive: public")
    assert sent("issue", "links").out.count("https://news.example.org/newsletters/morning") == 3
    assert "key=" not in sent("issue", "links").out

    sent.replace("newsletters.yaml", "archive: public", "archive: none")
    assert sent("issue", "links", "morning").code == 2
    assert "No newsletter has web pages." in sent("issue", "links").err

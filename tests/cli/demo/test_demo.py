"""`caveat demo`: all stages on the sample; a second run sends no article twice."""

from __future__ import annotations

import socket
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from service.cli.main import main
from service.compose.render.theme import JinjaRenderer
from service.core.model import Digest, RenderedMail

Capture = pytest.CaptureFixture[str]


def mails(out: Path) -> dict[str, str]:
    """Return the text of each subscriber's mail, by their name."""
    messages = [
        message_from_bytes(p.read_bytes(), policy=policy.default) for p in (out / "outbox").glob("*.eml")
    ]
    return {message["To"].split()[0]: message.get_body(("plain",)).get_content() for message in messages}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder after one run of the demo."""
    out = tmp_path_factory.mktemp("demo") / "here"
    assert main(["demo", "--out", str(out)]) == 0
    return out


def test_three_subscribers_got_their_mail(walked: Path):
    told = mails(walked)

    assert sorted(told) == ["Amina", "Ben", "Carla"]
    assert all("Fire destroys grain silo" in text or "Blaze at Skarrow" in text for text in told.values())


def test_the_caveats_are_marked(walked: Path):
    text = " ".join(mails(walked)["Ben"].split())

    assert "have not been independently verified" in text


def test_a_second_demo_sends_nothing_and_says_so(walked: Path, capsys: Capture):
    before = sorted((walked / "outbox").iterdir())
    assert main(["demo", "--out", str(walked)]) == 0
    said = capsys.readouterr()

    assert sorted((walked / "outbox").iterdir()) == before
    assert "no article is sent twice" in said.err
    assert "--fresh" in said.err
    assert "The Morning Caveat" in said.out
    assert "08:00 America/New_York" in said.err


def test_the_end_names_the_folder_of_the_mails_and_the_next_commands(
    walked: Path, capsys: Capture, monkeypatch
):
    monkeypatch.setattr("sys.argv", ["caveat"])
    main(["demo", "--out", str(walked)])
    said = capsys.readouterr().err

    assert f"The mails are in {walked / 'outbox'}: 3 files" in said
    commands = [line.strip() for line in said.splitlines() if line.startswith("  caveat ")]
    assert len(commands) == 3
    for command in commands[:2]:
        assert main(command.split()[1:]) == 0


def test_it_polls_only_its_own_server(walked: Path):
    feeds = (walked / "config" / "feeds.yaml").read_text()

    assert "127.0.0.1" in feeds
    assert "{base}" not in feeds


def test_a_folder_with_other_files_is_refused_and_left_unchanged(tmp_path: Path, capsys: Capture):
    (tmp_path / "thesis.txt").write_text("years of work")

    for words in (["demo", "--out", str(tmp_path)], ["demo", "--fresh", "--out", str(tmp_path)]):
        assert main(words) == 2
        assert "contains other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_port_in_use_is_reported(walked: Path, capsys: Capture):
    with socket.create_server(("127.0.0.1", int((walked / ".port").read_text()))):
        assert main(["demo", "--out", str(walked)]) == 1

    assert "--fresh tries another" in capsys.readouterr().err


def test_fresh_runs_all_stages_again(walked: Path, capsys: Capture):
    (walked / "notes.txt").write_text("mine")
    assert main(["demo", "--fresh", "--out", str(walked)]) == 0

    assert "10 new articles" in capsys.readouterr().err
    assert (walked / "notes.txt").read_text() == "mine"
    assert len(mails(walked)) == 3


def test_an_issue_that_cannot_be_composed_is_reported_and_the_others_are_sent(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    render = JinjaRenderer.render

    def fails_for_five(self: JinjaRenderer, digest: Digest, **what: str) -> RenderedMail:
        if digest.edition.stories == 5:
            raise ValueError("five is too few")
        return render(self, digest, **what)

    monkeypatch.setattr(JinjaRenderer, "render", fails_for_five)

    assert main(["demo", "--out", str(tmp_path / "here")]) == 1
    assert sorted(mails(tmp_path / "here")) == ["Amina", "Ben"]
    assert "no issue for 1 subscriber, five is too few" in capsys.readouterr().err

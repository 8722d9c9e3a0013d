"""`caveat label`: editors number the sentences of an article, label them and export the labels."""

from __future__ import annotations

import sqlite3

import pytest

from tests.cli.runner import CliRunner

ADDRESS = "https://wire.example/tram"
SENTENCES = [
    "The council of Corvane approved a tram line to the harbour on Tuesday.",
    "It will cost 40 million crowns.",
    "The decision takes effect only if the province agrees to pay half.",
    "But residents of the old town like trams.",
]
FEED = (
    '<rss version="2.0"><channel><title>The Wire</title><item><title>Tram line approved</title>'
    f"<link>{ADDRESS}</link><guid>{ADDRESS}</guid><description>{' '.join(SENTENCES)}</description></item>"
    "</channel></rss>"
)


@pytest.fixture
def gathered(caveat: CliRunner) -> CliRunner:
    """Return a runner on one condensed article."""
    caveat.write("notices.xml", FEED)
    for command in (["config", "apply"], ["gather"], ["condense"]):
        assert caveat(*command).code == 0
    return caveat


def test_the_sentences_are_numbered_with_their_roles(gathered: CliRunner):
    shown = gathered("label", "show", ADDRESS, "--json").records

    assert [one["text"] for one in shown] == SENTENCES
    assert [one["number"] for one in shown] == [0, 1, 2, 3]
    assert shown[0]["role"] == "point"
    assert "  2  The decision takes effect only if" in gathered("label", "show", ADDRESS).out


def test_labels_are_exported_as_labelled_articles(gathered: CliRunner):
    assert gathered("label", "add", ADDRESS, "--point", 0, "--point", 2, "--no-caveat", 3).code == 0
    assert gathered("label", "add", ADDRESS, "--pair", "0:2", "--kind", "conditional", "--needed").code == 0
    [exported] = gathered("label", "export").records

    assert exported["sentences"] == SENTENCES
    assert (exported["points"], exported["no_caveat"], exported["wrong"]) == ([0, 2], [3], [])
    assert exported["pairs"] == [{"claim": 0, "caveats": [2], "kind": "condition", "strength": "must"}]
    assert "labelled caveat" in gathered("label", "show", ADDRESS).out


def test_labels_of_a_text_that_was_changed_are_not_exported(gathered: CliRunner):
    assert gathered("label", "add", ADDRESS, "--wrong", 1, "--reader").code == 0
    with sqlite3.connect(gathered.folder.parent / "caveat.db") as database:
        database.execute("UPDATE articles SET text = 'The council approved nothing at all.', blocks = NULL")

    assert gathered("label", "export").records == []


def test_removed_labels_are_not_exported(gathered: CliRunner):
    gathered("label", "add", ADDRESS, "--wrong", 1)
    assert "Deleted 1 label." in gathered("label", "remove", ADDRESS).err
    assert gathered("label", "export").records == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--point", "9"], "There is no sentence 9; the article has 0 to 3"),
        (["--pair", "0-2"], "write two numbers"),
        (["--pair", f"0:{'9' * 5000}"], "write two numbers"),
        (["--pair", "1:1"], "Sentence 1 cannot qualify itself"),
        ([], "Nothing to record"),
    ],
)
def test_a_wrong_label_is_refused_with_a_sentence(gathered: CliRunner, options: list[str], sentence: str):
    done = gathered("label", "add", ADDRESS, *options)

    assert done.code == 2
    assert sentence.lower() in done.err.lower()


def test_labels_of_readers_are_listed_and_exported_with_their_source(gathered: CliRunner):
    assert gathered("label", "add", ADDRESS, "--wrong", "1", "--wrong", "2", "--reader").code == 0
    assert gathered("label", "add", ADDRESS, "--point", "2").code == 0

    listed = gathered("label", "list", "--source", "reader", "--json").records
    assert [(one["kind"], one["source"], one["sentence"]) for one in listed] == [
        ("wrong", "reader", SENTENCES[1]),
        ("wrong", "reader", SENTENCES[2]),
    ]
    assert SENTENCES[2] in gathered("label", "list").out
    (exported,) = gathered("label", "export").records
    # Of sentence 2 an editor says something else, so what a reader said of it is left out.
    assert (exported["points"], exported["wrong"], exported["by_readers"]) == ([2], [1], [1])
    assert gathered("label", "list", "--source", "nobody").code == 2

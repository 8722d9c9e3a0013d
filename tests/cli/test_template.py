"""`caveat template check`, and the same check by `config check`."""

from __future__ import annotations

import pytest

from tests.cli.runner import CliRunner

PAGE = """<!DOCTYPE html>
<html lang="{{ page.lang }}" dir="{{ page.direction }}"><head><title>{{ page.title }}</title></head><body>
<h1>{{ page.title }}</h1>
<p><a href="{{ page.unsubscribe_url }}">{{ say("unsubscribe") }}</a></p>
<p>{{ page.sent_by }}</p></body></html>
"""
TEXT = "{{ page.title }}\n{{ page.unsubscribe_url }}\n{{ page.sent_by }}\n"


@pytest.fixture
def mine(caveat: CliRunner) -> CliRunner:
    """Return a runner with a theme `mine`, which shows no story and breaks no rule."""
    (caveat.folder / "templates/digest/mine").mkdir(parents=True)
    for name, text in (("body.html", PAGE), ("body.txt", TEXT), ("subject.txt", "{{ page.title }}")):
        caveat.write(f"templates/digest/mine/{name}", text)
    return caveat


def use_in_newsletter(caveat: CliRunner) -> None:
    caveat.replace("newsletters.yaml", "timezone: Europe/Berlin", "theme: mine, timezone: Europe/Berlin")


def test_themes_without_faults_are_named(mine: CliRunner):
    done = mine("template", "check")

    assert done.code == 0
    assert not done.out
    assert "no faults: brief, daily" in done.err
    assert "mine" in done.err


FAULTS = {
    "it fails": (
        "body.html",
        "<h1>{{ page.title",
        "<h1>{{ page.titel",
        "templates/digest/mine/body.html:3:1: ",
    ),
    "no unsubscribe link": (
        "body.html",
        "page.unsubscribe_url",
        "page.site_url",
        "mine/body.html: there is no link",
    ),
    "no unsubscribe address": (
        "body.txt",
        "page.unsubscribe_url",
        "page.site_url",
        "mine/body.txt: there is no addr",
    ),
    "a link that the text lacks": (
        "body.html",
        "<h1>",
        "<a href='https://a.example'>a</a><h1>",
        "mine/body.txt: a link",
    ),
    "no heading": ("body.html", "h1>", "h2>", "0 first headings"),
    "no language": ("body.html", ' lang="{{ page.lang }}"', "", "names no language"),
}


@pytest.mark.parametrize(("file", "old", "new", "said"), FAULTS.values(), ids=FAULTS)
def test_a_theme_with_a_fault_is_refused_with_its_place(
    mine: CliRunner, file: str, old: str, new: str, said: str
):
    mine.replace(f"templates/digest/mine/{file}", old, new)
    done = mine("template", "check", "mine")

    assert done.code == 2
    assert said in done.err
    assert mine("template", "check", "daily").code == 0


def test_a_wrong_label_is_refused(mine: CliRunner):
    mine.write("templates/digest/mine/labels.toml", '[de]\ncaveat = { one = "Vorbehalt" }')
    done = mine("template", "check", "mine", "--json")

    assert done.code == 2
    (fault,) = done.records
    assert fault["level"] == "fault"
    assert fault["file"] == "templates/digest/mine/labels.toml"
    assert "'caveat' of [de]" in fault["what"]


def test_an_unreadable_labels_file_has_its_line(mine: CliRunner):
    mine.write("templates/digest/mine/labels.toml", '[de]\nabout = "Über\n')

    assert "templates/digest/mine/labels.toml:2:1: " in mine("template", "check", "mine").err


def test_a_fault_in_one_language_names_it(mine: CliRunner):
    heading = "{% if page.lang in ('ar', 'he') %}<h1>{{ page.title }}</h1>{% endif %}<h1>"
    mine.replace("templates/digest/mine/body.html", "<h1>", heading)

    (line,) = [line for line in mine("template", "check", "mine").err.splitlines() if "headings" in line]
    assert line.endswith("(in ar, he)")


def test_an_unknown_theme_is_no_theme(mine: CliRunner):
    done = mine("template", "check", "min")

    assert done.code == 2
    assert "Did you mean mine?" in done.err


def test_the_theme_of_a_newsletter_is_a_part_of_the_configuration(mine: CliRunner):
    mine.replace("templates/digest/mine/body.html", "page.unsubscribe_url", "page.site_url")
    assert mine("config", "check").code == 0

    use_in_newsletter(mine)
    done = mine("config", "check")
    assert done.code == 2
    assert "templates/digest/mine/body.html: there is no link to unsubscribe" in done.err
    assert mine("config", "check", "--json").records[0]["level"] == "fault"


def test_a_theme_is_checked_in_the_languages_of_its_subscribers(mine: CliRunner):
    use_in_newsletter(mine)
    mine.replace(
        "templates/digest/mine/body.html",
        "<h1>",
        "{% if page.lang == 'ar' %}{{ page.nothing }}{% endif %}<h1>",
    )
    assert mine("config", "check").code == 0

    mine.replace(
        "subscribers.yaml",
        "name: Ben, newsletters: [morning]",
        "name: Ben, newsletters: [{id: morning, language: ar}]",
    )
    assert "body.html:3:1: " in mine("config", "check").err

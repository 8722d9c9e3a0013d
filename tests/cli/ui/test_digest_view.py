"""A digest on the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.cli.ui.digest_view import print_digest
from service.core.model import EarlierFigure, Placement
from tests.compose.digests import (
    a_digest,
    a_story,
    caveat_of_headline,
    point,
    published,
    the_ballot,
    the_fire,
    the_harbour_rules,
    the_marathon,
)


def test_every_article_of_a_story_is_named(capsys: pytest.CaptureFixture[str]):
    print_digest(a_digest(the_fire()), "Morning")
    printed = " ".join(capsys.readouterr().out.split())

    assert "Also: Blaze at Skarrow terminal leaves grain ships stranded (Northwater Wire)" in printed
    assert "Also: Skarrow silo fire: what we know (The Oltmark Herald)" in printed


def test_a_story_of_one_article_names_no_other(capsys: pytest.CaptureFixture[str]):
    print_digest(a_digest(the_marathon()), "Morning")

    assert "Also" not in capsys.readouterr().out


def test_what_introduces_points_is_printed_once_above_them(capsys: pytest.CaptureFixture[str]):
    print_digest(a_digest(the_harbour_rules()), "Morning")
    printed = " ".join(capsys.readouterr().out.split())

    assert printed.count("took three decisions on Tuesday: • A ferry line") == 1
    assert printed.count("three decisions") == 1
    assert "! Caveat: The ban does not apply during storms" in printed
    assert "• “Nobody asked us. We will not load a ship after ten.”" in printed


def test_each_caveat_has_its_label_and_a_pronoun_its_hint(capsys: pytest.CaptureFixture[str]):
    print_digest(a_digest(the_ballot()), "Morning")
    printed = " ".join(capsys.readouterr().out.split())

    assert "! Denied: [Lena Holm] She denies the payments. ! Unconfirmed: No copy" in printed
    assert "• Context: The count in the other districts" in printed
    assert "• [Mirko Ahl] He wants to stand again." in printed
    assert "! Story caveat, disputed: The opposition calls the court partial. ! Story caveat: The" in printed


def test_a_point_that_looks_cut_has_an_ellipsis(capsys: pytest.CaptureFixture[str]):
    cut = replace(point(published("x"), "the council stays."), is_cut=True)
    print_digest(a_digest(a_story([cut])), "Morning")

    assert "• … the council stays." in " ".join(capsys.readouterr().out.split())


def test_an_earlier_figure_is_named_under_its_point(capsys: pytest.CaptureFixture[str]):
    article = published("Kessary quake: 44 dead")
    figure = EarlierFigure("at least 41", article, "It killed at least 41 people.")
    toll = replace(point(article, "The death toll rose to 44."), earlier=(figure,))
    print_digest(a_digest(a_story([toll])), "Morning")

    assert "earlier: at least 41 (The Meridian Courier)" in capsys.readouterr().out


def test_stories_of_one_line_follow_with_the_caveats_of_their_headlines(capsys: pytest.CaptureFixture[str]):
    article = published("Ferries may stop")
    short = replace(a_story([caveat_of_headline(article, "They do not stop.")]), placement=Placement.SHORT)
    on_web = replace(the_marathon(), points=(), placement=Placement.WEB)
    section = replace(the_harbour_rules(), section="trade")
    print_digest(a_digest(the_fire(), section, short, on_web), "Morning")
    printed = " ".join(capsys.readouterr().out.split())

    assert "trade ─" in printed
    assert "In short 3 Ferries may stop · The Meridian Courier ! Caveat: They do not stop." in printed
    assert "1 more story on the web page." in printed
    assert "Baker wins marathon" not in printed

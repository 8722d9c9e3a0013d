"""Lists of links below an article are no part of it; lists that the article introduces are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gather.cleaning.markup import read_markup

STORY = "<p>The great bell of Tarn was recast on Friday.</p><p>It weighs nine tonnes and rings at Easter.</p>"
TEXT = "The great bell of Tarn was recast on Friday.\n\nIt weighs nine tonnes and rings at Easter."


def links(*texts: str, tag: str = "ul") -> str:
    items = "".join(f"<li><a href='/{n}'>{text}</a></li>" for n, text in enumerate(texts))
    return f"<{tag}>{items}</{tag}>"


OTHERS = links("Ten towers that you must see", "The fire of 1871 in pictures", "Quiz: do you know Tarn?")


@pytest.mark.parametrize(
    "below",
    [
        f"<h4>Related</h4>{OTHERS}",
        f"<p>Lesen Sie auch:</p>{OTHERS}",
        f"<p><strong>À lire aussi</strong></p>{OTHERS}<p>Tarn Post</p>",
        f"<h3>関連記事</h3>{links('塔の写真', '鐘の歴史')}",
        f"<h4>Related</h4>{OTHERS}{links('bells', 'Tarn')}",
        f"<div><h4>Related</h4>{OTHERS.replace('<li>', '<li>» ')}</div>",
        links("bells", "Tarn", tag="ol"),
        f"<h4>Aus dem Archiv</h4>{links('Zehn Türme')}",
    ],
)
def test_a_list_of_links_below_the_text_is_left_out(below: str):
    assert read_markup(STORY + below).text.removesuffix("\n\nTarn Post") == TEXT


@pytest.mark.parametrize(
    "body",
    [
        f"<p>What we read this week.</p>{OTHERS}",
        f"{STORY}<p>These bells will be recast next:</p>{OTHERS}",
        f"<h4>Related</h4>{OTHERS}",
        f"{STORY}<ul><li><a>The bell of Ostrel</a> will be recast in May</li></ul>",
        f"{STORY}<ul><li>The bell of Ostrel is next</li></ul>",
        f"<p>Ten bells were recast.</p>{OTHERS}{STORY}",
    ],
)
def test_a_list_that_belongs_to_the_text_stays(body: str):
    text = read_markup(body).text

    assert all(item in text for item in ("Ten towers", "The fire of 1871")) or "The bell of Ostrel" in text


def test_a_list_of_links_in_the_middle_stays_with_its_place():
    text = read_markup(f"{STORY}<h4>Related</h4>{OTHERS}{STORY.replace('Tarn', 'Ostrel')}").text

    assert text.startswith(TEXT)
    assert "Ten towers" in text


@given(
    st.lists(
        st.sampled_from(["<ul>", "</ul>", "<li>", "<ol>", "</ol>", "<a>", "</a>", "A bell. ", "<p>", "<br>"])
    )
)
def test_any_markup_of_lists_is_read(parts: list[str]):
    read = read_markup("".join(parts))

    assert all(read.text[block.start : block.end].strip() for block in read.blocks)

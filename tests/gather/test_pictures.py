"""A picture becomes a small JPEG without metadata; what is hostile is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.gather.pictures import MAX_BYTES, MAX_SIZE, PictureRefused, shrink_picture
from tests.pictures import (
    COPYRIGHT,
    a_bomb,
    a_file,
    a_noisy_file,
    a_turned_file,
    an_animation,
    opened,
)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600"><script>alert(1)</script></svg>'
WHITE = (255, 255, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_usual_kind_becomes_a_jpeg(kind: str):
    made = shrink_picture(a_file(kind))
    shown = opened(made.data)

    assert (shown.format, shown.mode) == ("JPEG", "RGB")
    assert shown.size == (made.width, made.height) == (640, 480)


@pytest.mark.parametrize(
    ("size", "shrunk"),
    [((4_000, 2_000), (1_120, 560)), ((2_000, 4_000), (420, 840)), ((300, 200), (300, 200))],
)
def test_a_large_picture_is_made_to_fit_and_a_small_one_keeps_its_size(size, shrunk):
    made = shrink_picture(a_file(size=size))
    assert (made.width, made.height) == shrunk


def test_a_picture_that_compresses_badly_still_fits_its_limit():
    made = shrink_picture(a_noisy_file())
    assert len(made.data) <= MAX_BYTES
    assert opened(made.data).size == (made.width, made.height)
    assert made.width <= MAX_SIZE[0]


def test_a_picture_is_turned_as_its_metadata_says_and_loses_them():
    original = a_turned_file()
    assert opened(original).getexif()[COPYRIGHT] == "secret studio"
    made = shrink_picture(original)

    assert (made.width, made.height) == (400, 800)
    assert not opened(made.data).getexif()
    assert b"secret" not in made.data


def test_what_is_transparent_becomes_white():
    shown = opened(shrink_picture(a_file("PNG", transparent=True)).data)
    assert shown.getpixel((100, 100)) == WHITE


def test_of_an_animation_the_first_frame_is_shown():
    shown = opened(shrink_picture(an_animation("red", "blue")).data)
    red, _, blue = shown.getpixel((200, 150))
    assert red - blue > 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(SVG, id="a drawing"),
        pytest.param(b"<!DOCTYPE html><title>Not found</title>", id="a page"),
        pytest.param(a_file()[:2_000], id="a truncated JPEG"),
        pytest.param(a_file("PNG", (800, 600))[:-400], id="a truncated PNG"),
        pytest.param(a_file("BMP"), id="another kind of picture"),
        pytest.param(a_file("TIFF"), id="a kind with many decoders"),
        pytest.param(a_file("PNG", (1, 1)), id="a counter of one pixel"),
        pytest.param(a_bomb(800, 600), id="fewer pixels than its header says"),
    ],
)
def test_what_is_no_whole_picture_is_refused(body: bytes):
    with pytest.raises(PictureRefused):
        shrink_picture(body)


@pytest.mark.parametrize("size", [(60_000, 60_000), (10_000, 10_000), (2**31 - 1, 2**31 - 1), (7_000, 6_000)])
def test_a_header_that_announces_too_many_pixels_is_refused_before_they_are_decoded(size):
    with pytest.raises(PictureRefused, match=r"pixels|DecompressionBomb"):
        shrink_picture(a_bomb(*size))


@settings(deadline=None)  # decoding is slow on a busy machine
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 255))),
)
def test_a_damaged_file_is_read_or_refused_and_raises_nothing_else(kind: str, damage: list[tuple[int, int]]):
    body = bytearray(a_file(kind))
    for place, value in damage:
        body[place % len(body)] = value
    try:
        made = shrink_picture(bytes(body))
    except PictureRefused:
        return
    assert len(made.data) <= MAX_BYTES

"""Pictures (EDGE Pillow): a picture from a publisher's server -> a small JPEG without metadata.

What a file is follows from its content, whatever its name and its server say. Drawings (SVG), which may have
scripts and addresses, are not read.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

from service.core.model import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 40_000_000  # before decoding; 160 MB of memory at most, more than any camera of the press has
MAX_SIZE = (1_120, 840)  # pixels; twice the width of a mail, and no higher than a screen
MIN_WIDTH, MIN_HEIGHT = 240, 120  # pixels; smaller ones are logos and counters
MAX_BYTES = 60_000  # of the JPEG file
QUALITIES = (82, 74, 64, 52)  # of JPEG, tried in this order
SHRINK = 0.75  # of width and height, when the lowest quality is still too large
MAX_SHRINKS = 6


class PictureRefused(Exception):
    """The file cannot be shown as a picture; the text is a sentence for people."""


def shrink_picture(body: bytes) -> Picture:
    """Return the picture in a file as a JPEG of at most MAX_SIZE and MAX_BYTES, turned as its EXIF says.

    Of an animation it is the first frame; what is transparent becomes white. Raises PictureRefused for a file
    that is no picture, is damaged, or has more than MAX_PIXELS. The caller limits time and memory.
    """
    try:
        image = _read(body)
    except PictureRefused:
        raise
    except Exception as error:  # Pillow raises errors of any kind for hostile files
        raise PictureRefused(f"it is no picture that can be read ({type(error).__name__})") from error
    return _encoded(image)


def _read(body: bytes) -> Image:
    """Return the pixels, not larger than MAX_SIZE, in RGB. Raises PictureRefused, and anything of Pillow."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - takes 0.1 s, for newsletters with pictures only

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # frames may be larger than the picture that the header announces
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(BytesIO(body), formats=FORMATS) as file:  # reads the header only
            width, height = file.size
            if width * height > MAX_PIXELS:
                raise PictureRefused(f"it has {width} times {height} pixels, more than {MAX_PIXELS:,}")
            if width < MIN_WIDTH or height < MIN_HEIGHT:
                raise PictureRefused(f"it has only {width} times {height} pixels")
            longest = max(MAX_SIZE)
            file.draft("RGB", (longest, longest))  # a large JPEG is decoded at a fraction of its size
            upright = ImageOps.exif_transpose(file)
    upright.thumbnail(MAX_SIZE, Image.Resampling.LANCZOS)
    clean = Image.new("RGB", upright.size, "white")  # without the comments and profiles of the file
    if upright.has_transparency_data:
        shown = upright.convert("RGBA")
        clean.paste(shown, mask=shown)
    else:
        clean.paste(upright.convert("RGB"))
    return clean


def _encoded(image: Image) -> Picture:
    for _ in range(MAX_SHRINKS):
        for quality in QUALITIES:
            data = BytesIO()
            image.save(data, "JPEG", quality=quality, optimize=True, progressive=True)
            if data.tell() <= MAX_BYTES:
                return Picture(data.getvalue(), image.width, image.height)
        smaller = (max(round(image.width * SHRINK), 1), max(round(image.height * SHRINK), 1))
        image = image.resize(smaller)
    raise PictureRefused(f"it cannot be made smaller than {MAX_BYTES // 1000} kB")

"""Picture files for tests, drawn here."""

from __future__ import annotations

import struct
import zlib
from hashlib import shake_256
from io import BytesIO

from PIL import Image

from service.core.model import Picture

ORIENTATION = 0x0112  # of EXIF
COPYRIGHT = 0x8298


def a_file(kind: str = "JPEG", size: tuple[int, int] = (640, 480), colour: str = "navy", **options) -> bytes:
    """Return a picture of one colour."""
    file = BytesIO()
    mode = "RGBA" if options.pop("transparent", False) else "RGB"
    image = Image.new(mode, size, (0, 0, 0, 0) if mode == "RGBA" else colour)
    image.save(file, kind, **options)
    return file.getvalue()


def a_noisy_file(size: tuple[int, int] = (1_600, 1_200)) -> bytes:
    """Return a JPEG of noise, the hardest to compress."""
    file = BytesIO()
    noise = shake_256(b"noise").digest(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, noise).save(file, "JPEG", quality=95)
    return file.getvalue()


def a_turned_file() -> bytes:
    """Return a wide JPEG that its EXIF turns upright, with a copyright and a place."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[COPYRIGHT] = "secret studio"
    return a_file(size=(800, 400), exif=exif, comment=b"secret comment")


def an_animation(first: str, second: str) -> bytes:
    """Return a GIF of two frames."""
    frames = [Image.new("RGB", (400, 300), colour) for colour in (first, second)]
    file = BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def a_bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes whose header announces this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def a_picture(publisher: str = "The Courier") -> Picture:
    """Return a picture as an issue has it."""
    return Picture(a_file(size=(1_000, 500)), 1_000, 500, publisher)


def opened(data: bytes) -> Image.Image:
    """Return the picture in a file, decoded."""
    image = Image.open(BytesIO(data))
    image.load()
    return image

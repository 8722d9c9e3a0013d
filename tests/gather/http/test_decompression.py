"""Every content coding is decoded in pieces, stops at its limits, and fails with a sentence."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Iterable

import pytest

from service.gather.http import decompression as bodies
from service.gather.http.decompression import ACCEPTED, PIECE_BYTES, BodyRefused, decoder_for
from tests.gather.server import PACKED

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MB = 1024 * 1024
TEXT = b"".join(b"<item><title>Number %d</title></item>\n" % n for n in range(20_000))


def raw_deflated(data: bytes) -> bytes:
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(data) + pack.flush()


def unpacked(coding: str, chunks: Iterable[bytes]) -> bytes:
    unpack = decoder_for(coding)
    out = b"".join(piece for chunk in chunks for piece in unpack.decode(chunk))
    unpack.close()
    return out


def in_chunks(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def test_the_accepted_codings_are_the_supported_ones():
    assert ACCEPTED == "gzip, deflate, br, zstd"
    assert PACKED.keys() == bodies.CODINGS.keys()


@pytest.mark.parametrize("size", [1, 7, 1_000, 10 * MB])
@pytest.mark.parametrize("coding", PACKED)
def test_a_body_is_decoded_in_chunks_of_any_size(coding: str, size: int):
    text = TEXT if size > 7 else TEXT[:2_000]

    assert unpacked(coding, in_chunks(PACKED[coding](text), size)) == text


def test_several_members_and_frames_in_a_row_are_one_body():
    assert unpacked("gzip", in_chunks(gzip.compress(b"he") + gzip.compress(b"llo"), 5)) == b"hello"
    frames = zstd.compress(b"he") + b"\x50\x2a\x4d\x18\x03\0\0\0odd" + zstd.compress(b"llo")
    assert unpacked("zstd", [frames]) == b"hello"
    assert unpacked("zstd", [zstd.compress(b"hello"), b"\0\0\0\0"]) == b"hello"


def test_deflate_without_its_wrapper_is_decoded():
    assert unpacked("deflate", in_chunks(raw_deflated(TEXT), 5_000)) == TEXT


@pytest.mark.parametrize("coding", PACKED)
def test_a_bomb_comes_out_in_small_pieces(coding: str):
    unpack = decoder_for(coding)
    pieces = unpack.decode(PACKED[coding](bytes(60 * MB)))

    assert all(len(next(pieces)) <= 2 * PIECE_BYTES for _ in range(20))


@pytest.mark.parametrize("coding", PACKED)
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_an_incomplete_body_is_refused(coding: str, part: float):
    packed = PACKED[coding](TEXT)

    with pytest.raises(BodyRefused, match="ended early"):
        unpacked(coding, in_chunks(packed[: int(len(packed) * part)], 1_000))


@pytest.mark.parametrize("coding", PACKED)
@pytest.mark.parametrize("garbage", [b"<rss>", b"\x00" * 50, b"\xff" * 50, b"garbage of no kind at all"])
def test_a_body_with_a_wrong_coding_is_refused(coding: str, garbage: bytes):
    with pytest.raises(BodyRefused, match=f"not valid {coding}|ended early"):
        unpacked(coding, [garbage])


@pytest.mark.parametrize("coding", PACKED)
def test_a_flipped_bit_never_raises_anything_else(coding: str):
    packed = PACKED[coding](TEXT[:5_000])
    for at in range(0, len(packed), max(1, len(packed) // 60)):
        flipped = packed[:at] + bytes([packed[at] ^ 0x10]) + packed[at + 1 :]
        try:
            unpacked(coding, in_chunks(flipped, 100))
        except BodyRefused:
            continue


def test_a_zstd_window_larger_than_servers_may_use_is_refused():
    wide = zstd.ZstdCompressor(
        options={zstd.CompressionParameter.window_log: 24, zstd.CompressionParameter.content_size_flag: 0}
    )
    packed = wide.compress(TEXT) + wide.flush()

    with pytest.raises(BodyRefused, match="not valid zstd"):
        unpacked("zstd", [packed])


@pytest.mark.parametrize(
    ("coding", "part"), [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstd.compress(b""))]
)
def test_a_body_of_too_many_empty_parts_is_refused(coding: str, part: bytes):
    with pytest.raises(BodyRefused, match="more than 1,000 parts"):
        unpacked(coding, [part * 2_000])


@pytest.mark.parametrize("header", ["gzip, gzip", "compress", "br, gzip"])
def test_codings_that_were_not_requested_are_refused(header: str):
    with pytest.raises(BodyRefused, match="which was not requested"):
        decoder_for(header)


@pytest.mark.parametrize("header", ["", "identity", " , "])
def test_an_uncoded_body_is_returned_unchanged(header: str):
    assert unpacked(header, [b"hel", b"lo"]) == b"hello"


BOMB = """
import resource, sys
from service.gather.http.decompression import decoder_for
packed, cap, out = open(sys.argv[2], "rb").read(), 16 << 20, 0
for _ in decoder_for(sys.argv[1]).decode(b""):
    pass
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for piece in decoder_for(sys.argv[1]).decode(packed):
    out += len(piece)
    if out > cap:
        break
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(out > cap, out < cap + (1 << 20), grown)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="only Unix reports the memory of a process")
@pytest.mark.parametrize("coding", PACKED)
def test_a_bomb_takes_no_more_memory_than_its_window(coding: str, tmp_path):
    (tmp_path / "bomb").write_bytes(PACKED[coding](bytes(100 * MB)))

    output = subprocess.run(
        [sys.executable, "-c", BOMB, coding, str(tmp_path / "bomb")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert output[:2] == ["True", "True"]
    assert int(output[2]) < 40 * 1024, "kilobytes: the largest window is 16 MB, and there is a copy of it"

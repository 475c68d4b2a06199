"""How large a picture is, from its first bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from flowtui.previews.pixel_size import pixel_size


def encoded(format_: str, size: tuple[int, int] = (513, 257), **more: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (200, 30, 90)).save(stream, format_, **more)
    return stream.getvalue()


EXIF = Image.Exif()
EXIF[0x010E] = "x" * 60_000
PICTURES = {
    "png": encoded("PNG"),
    "gif": encoded("GIF"),
    "jpeg": encoded("JPEG"),
    "progressive": encoded("JPEG", progressive=True),
    "jpeg with metadata": encoded("JPEG", exif=EXIF.tobytes()),
    "webp": encoded("WEBP"),
    "lossless webp": encoded("WEBP", lossless=True),
    "webp with metadata": encoded("WEBP", exif=EXIF.tobytes()),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_size_is_that_of_the_picture(name: str) -> None:
    assert pixel_size(PICTURES[name]) == (513, 257)


@pytest.mark.parametrize("name", PICTURES)
def test_a_beginning_tells_the_size_or_nothing(name: str) -> None:
    whole = PICTURES[name]
    for length in (*range(64), *range(64, len(whole), 997)):
        assert pixel_size(whole[:length]) in ((513, 257), None)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8" + b"\xff" * 9, b"RIFF", b"<svg/>"])
def test_what_tells_no_size_has_none(data: bytes) -> None:
    assert pixel_size(data) is None

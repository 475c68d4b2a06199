"""Images, scaled down to what a pane can show."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews.errors import PreviewFailed
from flowtui.previews.parsers import pixels

if TYPE_CHECKING:
    from PIL.Image import Image

    from flowtui.store.values import JsonValue

EXTRA = "images"
LIBRARIES = ("PIL.Image", "PIL.WebPImagePlugin", "PIL.GifImagePlugin", "PIL.PngImagePlugin",
             "PIL.JpegImagePlugin", "PIL.BmpImagePlugin", "PIL.TiffImagePlugin",
             "PIL.AvifImagePlugin", "PIL.IcoImagePlugin", "PIL.PpmImagePlugin")  # fmt: skip
MAX_PIXELS = 100_000_000
MAX_DECODED_BYTES = 140_000_000
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_ENDS = {"PNG": (b"IEND", 64), "JPEG": (b"\xff\xd9", 64), "GIF": (b"\0;", 2)}
"""What a complete file ends with, and within how many bytes."""
_SIZES = {"WEBP": (4, 8), "BMP": (2, 0)}
"""Where a file states its size, and how many more bytes it has than that."""
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error)


def fitted(width: float, height: float, box_width: int, box_height: int) -> tuple[int, int]:
    """Return the largest size of the same aspect ratio inside a box, never an enlarged one."""
    scale = min(box_width / width, box_height / height, 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return a scaled image as RGB pixels; of a damaged one, what can be decoded."""
    from PIL import Image, ImageFile, UnidentifiedImageError

    # Sizes are checked here, and more strictly.
    Image.MAX_IMAGE_PIXELS = None
    kind = str(arguments["format"])
    damage = _damage(path, kind)
    cut = " The file is cut off." if damage.startswith("cut off:") else ""
    try:
        return _read(path, kind, arguments)
    except UnidentifiedImageError as error:
        raise PreviewFailed(f"The image is broken: its header cannot be read.{cut}") from error
    except _BROKEN as error:
        failed = PreviewFailed(f"The image cannot be decoded: {str(error).rstrip('.')}.{cut}")
        failed.__cause__ = error
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        values, data = _read(path, kind, arguments)
    except _BROKEN:
        raise failed from None
    if data == data[:3] * (len(data) // 3):
        # An image of one colour has no pixels that were decoded.
        raise failed
    notes = [note for note in (damage, values["note"]) if note]
    return values | {"note": ", ".join(map(str, notes))}, data


def _read(
    path: Path, kind: str, arguments: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], bytes]:
    from PIL import Image

    with Image.open(path, formats=[kind]) as image:
        return _scaled(image, arguments)


def _scaled(image: Image, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    size = image.size
    is_jpeg = image.format == "JPEG"
    # Any other kind may have to be decoded to know that, and must not be too large for it.
    turn = _orientation(image) if is_jpeg else 1
    box_width, box_height = _integers(arguments, "width", "height")
    if is_jpeg:
        upright, stored = _sizes(size, turn, box_width, box_height)
        image.draft("RGB", (stored[0] * 2, stored[1] * 2))
    _refuse_huge(image, *size)
    raw = pixels.raw_mode(image)
    if not is_jpeg:
        image.load()
        # Loading has turned a TIFF already.
        turn = 1 if image.format == "TIFF" else _orientation(image)
    upright, stored = _sizes(image.size if not is_jpeg else size, turn, box_width, box_height)
    clear = "wholly transparent" if pixels.is_clear(image) else ""
    small, notes = _levelled(image, raw, stored)
    shown, ground = pixels.on_ground(small, arguments)
    shown = _turned(shown.resize(stored), turn)
    values: dict[str, JsonValue] = {
        "width": shown.width,
        "height": shown.height,
        "source_width": upright[0],
        "source_height": upright[1],
        "total": getattr(image, "n_frames", 1),
        "note": ", ".join(filter(None, [*notes, ground, clear])),
    }
    return values, shown.tobytes()


def _levelled(image: Image, raw: str, size: tuple[int, int]) -> tuple[Image, list[str]]:
    """Return an image at about a size, with values larger than a byte scaled, and notes on it.

    Args:
        image: A loaded image, which cannot be used afterwards.
        raw: How its pixels are stored in the file.
        size: The final size, in pixels.
    """
    if image.mode in pixels.NUMBERS:
        small, scale = pixels.scaled(_reduced(image, size), _extremes(image))
        return small, [scale]
    if ";16" not in raw:
        return _reduced(image, size), []
    said = "16 bits a channel"
    is_colour = raw[:-1] in ("RGB;16", "RGBA;16")
    highest = pixels.highest(image) if is_colour else 255
    if highest > pixels.MOST_DARK:
        return _reduced(image, size), [said]
    from PIL import Image as images
    from PIL.ImageFile import ImageFile

    assert isinstance(image, ImageFile)
    upper = _sampled(image, size)
    # There is not enough memory for two of them.
    image.im = images.new(image.mode, (1, 1)).im
    with images.open(image.filename, formats=[str(image.format)]) as again:
        assert isinstance(again, ImageFile)
        pixels.with_lower_bytes(again, raw)
        small, scale = pixels.brightened(upper, _sampled(again, size), highest)
    return small, [said, scale]


def _damage(path: Path, kind: str) -> str:
    """Return what is wrong with a file that cannot be decoded as a whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        mark, within = _ENDS.get(kind, (b"", 1))
        file.seek(max(size - within, 0))
        is_cut = mark not in file.read()
    if kind not in (*_ENDS, *_SIZES):
        return "cut off or damaged: a part of it is missing"
    if kind in _SIZES:
        at, more = _SIZES[kind]
        is_cut = size < int.from_bytes(head[at : at + 4], "little") + more
    return "cut off: the rest of it is missing" if is_cut else "damaged: a part of it is missing"


def _orientation(image: Image) -> int:
    """Return how a camera held the image, 1 to 8 of EXIF; 1 where that cannot be read."""
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except (*_BROKEN, KeyError, OverflowError):
        return 1
    return turn if isinstance(turn, int) else 1


def _sizes(
    size: tuple[int, int], turn: int, box_width: int, box_height: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the size of an image when it is upright, and what it is scaled to as it is stored."""
    is_sideways = turn in _SIDEWAYS
    upright = size[::-1] if is_sideways else size
    target = fitted(*upright, box_width, box_height)
    return upright, target[::-1] if is_sideways else target


def _extremes(image: Image) -> tuple[float, float]:
    low, high = image.getextrema()
    assert isinstance(low, (int, float))
    assert isinstance(high, (int, float))
    return low, high


def _refuse_huge(image: Image, width: int, height: int) -> None:
    """Refuse an image that would not fit into memory; a JPEG is already reduced if it can be."""
    decoded = image.width * image.height
    needed = decoded * _BYTES_PER_PIXEL.get(image.mode, 4)
    if decoded > MAX_PIXELS or needed > MAX_DECODED_BYTES:
        megapixels = width * height / 1e6
        raise PreviewFailed(
            f"The image has {width:,} × {height:,} pixels, too many to show ({megapixels:,.0f} MP)."
        )


def _reduced(image: Image, size: tuple[int, int]) -> Image:
    """Return the image at no more than about four times a size."""
    factor = min(image.width // (size[0] * 2), image.height // (size[1] * 2))
    if factor <= 1:
        return image
    if image.mode in ("L", "RGB"):
        return image.reduce(factor)
    # Palette indexes cannot be averaged, and transparent pixels only in a copy of the image.
    sampled = _sampled(image, size)
    if image.mode == "P":
        return sampled.convert("RGBA" if "transparency" in image.info else "RGB")
    return sampled


def _sampled(image: Image, size: tuple[int, int]) -> Image:
    """Return a sample of an image's pixels, about four times a size in each direction."""
    least = min(size[0] * 4, image.width), min(size[1] * 4, image.height)
    return image.resize(least, resample=0)


def _turned(pixels: Image, orientation: int) -> Image:
    """Return an image turned upright from its EXIF orientation."""
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return pixels if turn is None else pixels.transpose(turn)


def _integers(arguments: Mapping[str, JsonValue], *names: str) -> list[int]:
    return [value for name in names if isinstance(value := arguments[name], int)]

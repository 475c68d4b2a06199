"""Images, scaled down to what a pane can show."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews import zooming
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
_MIRRORED_ACROSS, _MIRRORED_DOWN = (2, 3, 6, 7), (3, 4, 7, 8)
"""How the upright image has to be mirrored, before its sides change places, to be as stored."""
_ENDS = {"PNG": (b"IEND", 64), "JPEG": (b"\xff\xd9", 64), "GIF": (b"\0;", 2)}
"""What a complete file ends with, and within how many bytes."""
_SIZES = {"WEBP": (4, 8), "BMP": (2, 0)}
"""Where a file states its size, and how many more bytes it has than that."""
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error)


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
    from PIL.Image import Resampling

    size = image.size
    is_jpeg = image.format == "JPEG"
    # Any other kind may have to be decoded to know that, and must not be too large for it.
    turn = _orientation(image) if is_jpeg else 1
    if is_jpeg:
        seen = _seen(size, turn, arguments)
        # The library decodes to no less than this, and often to much less than all.
        across, down = seen.whole
        image.draft("RGB", (across * 2, down * 2))
    _refuse_huge(image, *size)
    raw = pixels.raw_mode(image)
    if not is_jpeg:
        image.load()
        # Loading has turned a TIFF already.
        turn = 1 if image.format == "TIFF" else _orientation(image)
    seen = _seen(image.size if not is_jpeg else size, turn, arguments)
    clear = "wholly transparent" if pixels.is_clear(image) else ""
    decoded = image.width
    small, notes = _levelled(image, raw, seen)
    shown, ground = pixels.on_ground(small, arguments)
    # Larger than they are, pixels are shown as what they are.
    is_enlarged = seen.size[0] > decoded * (seen.edges[2] - seen.edges[0])
    resample = Resampling.NEAREST if is_enlarged else Resampling.BICUBIC
    shown = _turned(shown.resize(seen.size, resample), turn)
    values: dict[str, JsonValue] = {
        "width": shown.width,
        "height": shown.height,
        "source_width": seen.upright[0],
        "source_height": seen.upright[1],
        "total": getattr(image, "n_frames", 1),
        "note": ", ".join(filter(None, [*notes, ground, clear])),
    }
    return values, shown.tobytes()


def _levelled(image: Image, raw: str, seen: _Seen) -> tuple[Image, list[str]]:
    """Return what is seen of an image at about its size, and notes on it.

    Values that are larger than a byte are scaled to the range of the whole image.

    Args:
        image: A loaded image, which cannot be used afterwards.
        raw: How its pixels are stored in the file.
        seen: What is seen of it.
    """
    if image.mode in pixels.NUMBERS:
        small, scale = pixels.scaled(_reduced(image, seen), _extremes(image))
        return small, [scale]
    if ";16" not in raw:
        return _reduced(image, seen), []
    said = "16 bits a channel"
    is_colour = raw[:-1] in ("RGB;16", "RGBA;16")
    highest = pixels.highest(image) if is_colour else 255
    if highest > pixels.MOST_DARK:
        return _reduced(image, seen), [said]
    from PIL import Image as images
    from PIL.ImageFile import ImageFile

    assert isinstance(image, ImageFile)
    upper = _sampled(image, seen)
    # There is not enough memory for two of them.
    image.im = images.new(image.mode, (1, 1)).im
    with images.open(image.filename, formats=[str(image.format)]) as again:
        assert isinstance(again, ImageFile)
        pixels.with_lower_bytes(again, raw)
        small, scale = pixels.brightened(upper, _sampled(again, seen), highest)
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is seen of an image as it is stored, which may be turned or mirrored."""

    upright: tuple[int, int]
    """The size of the whole when it is upright, in its pixels."""
    edges: tuple[float, float, float, float]
    """Left, top, right and bottom, as shares of the whole."""
    size: tuple[int, int]
    """What it is scaled to, in pixels of the screen."""

    @property
    def whole(self) -> tuple[int, int]:
        """What all of the image would be scaled to."""
        left, top, right, bottom = self.edges
        return round(self.size[0] / (right - left)), round(self.size[1] / (bottom - top))

    def region(self, image: Image) -> tuple[int, int, int, int]:
        """Return the pixels of an image, which may be decoded to fewer of them, that are seen."""
        left, top, right, bottom = self.edges
        x, y = int(left * image.width), int(top * image.height)
        return (
            min(x, image.width - 1), min(y, image.height - 1),
            min(max(math.ceil(right * image.width), x + 1), image.width),
            min(max(math.ceil(bottom * image.height), y + 1), image.height),
        )  # fmt: skip


def _seen(size: tuple[int, int], turn: int, arguments: Mapping[str, JsonValue]) -> _Seen:
    is_sideways = turn in _SIDEWAYS
    upright = size[::-1] if is_sideways else size
    seen = zooming.seen(upright, arguments, is_drawn=False)
    left, top, right, bottom = seen.left, seen.top, seen.right, seen.bottom
    # Turned back, the edges are those of the image as it is stored.
    if turn in _MIRRORED_ACROSS:
        left, right = 1 - right, 1 - left
    if turn in _MIRRORED_DOWN:
        top, bottom = 1 - bottom, 1 - top
    shown = seen.width_px, seen.height_px
    if is_sideways:
        return _Seen(upright, (top, left, bottom, right), shown[::-1])
    return _Seen(upright, (left, top, right, bottom), shown)


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


def _reduced(image: Image, seen: _Seen) -> Image:
    """Return what is seen of an image at no more than about four times its size."""
    region = seen.region(image)
    width, height = region[2] - region[0], region[3] - region[1]
    factor = min(width // (seen.size[0] * 2), height // (seen.size[1] * 2))
    if factor <= 1:
        return image if (width, height) == image.size else image.crop(region)
    if image.mode in ("L", "RGB"):
        return image.reduce(factor, region)
    # Palette indexes cannot be averaged, and transparent pixels only in a copy of the image.
    sampled = _sampled(image, seen)
    if image.mode == "P":
        return sampled.convert("RGBA" if "transparency" in image.info else "RGB")
    return sampled


def _sampled(image: Image, seen: _Seen) -> Image:
    """Return a sample of the pixels that are seen, about four times their size each way."""
    region = seen.region(image)
    width, height = region[2] - region[0], region[3] - region[1]
    least = min(seen.size[0] * 4, width), min(seen.size[1] * 4, height)
    return image.resize(least, resample=0, box=region)


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

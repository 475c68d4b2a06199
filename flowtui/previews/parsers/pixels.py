"""Pixels of every kind as RGB for a pane: numbers scaled, transparency on a background."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

    from flowtui.store.values import JsonValue

NUMBERS = ("I", "I;16", "I;16L", "I;16B", "F")
"""Modes with one number for each pixel, which may be larger than 255."""
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
_OTHER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
MOST_DARK = 127
"""The largest upper byte of an image that counts as dark and is scaled: below half of 16 bits."""
_UNLIKE = 48
"""The least difference in lightness, of 255, at which ink can be told from its background."""
_MOST_LOST = 0.1
"""The share of ink that may vanish on the pane's background before another one is used."""
_SEEN_FROM = 64
"""The opacity from which a pixel counts as ink."""


def scaled(image: Image, extremes: tuple[float, float]) -> tuple[Image, str]:
    """Return numbers as grey levels, the least black and the largest white, and a note about it.

    Args:
        image: A small image in one of the modes NUMBERS.
        extremes: Those of the whole image; where one is NaN or infinite, those of the finite
            numbers in the small image are used.
    """
    values = (image if image.mode == "F" else image.convert("I")).convert("F")
    low, high = extremes
    about = ""
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = [value for value in memoryview(values.tobytes()).cast("f") if math.isfinite(value)]
        low, high = min(finite, default=0.0), max(finite, default=0.0)
        about = "about "
    factor = 255 / (high - low) if high > low else 0.0
    grey = values.point(lambda value: value * factor - low * factor)
    return grey.convert("L"), f"{about}{low:,.6g} is black, {about}{high:,.6g} white"


def raw_mode(image: Image) -> str:
    """Return how the pixels of an image are stored in its file, in the library's names: `RGB;16B`.

    Args:
        image: An image that is opened and not loaded yet.
    """
    for _, _, _, arguments in getattr(image, "tile", []):
        return str(arguments if isinstance(arguments, str) else next(iter(arguments or ()), ""))
    return ""


def highest(image: Image) -> int:
    """Return the largest byte of the colours of an RGB or RGBA image."""
    # Unlike the extremes of a channel, a histogram is made without a copy of it.
    counts = image.histogram()[: 3 * 256]
    return max(at % 256 for at, count in enumerate(counts) if count)


def with_lower_bytes(image: ImageFile, raw: str) -> None:
    """Make an image that is opened a second time decode to the lower bytes of its colours.

    The library keeps the upper bytes; told the other byte order, it takes the lower ones for them.
    """
    other = raw[:-1] + _OTHER[raw[-1]]
    image.tile = [
        tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other)
        for tile in image.tile
    ]


def brightened(upper: Image, lower: Image, most: int) -> tuple[Image, str]:
    """Return 16-bit colours scaled to their range, and a note about it; hues and opacity stay.

    Args:
        upper: The upper bytes of the colours.
        lower: The lower bytes.
        most: The largest upper byte of the whole image.
    """
    from PIL import ImageChops

    white = most * 256 + 255
    opacity = [list(range(256)), [0] * 256] if "A" in upper.getbands() else [[], []]
    above = [min(round(byte * 256 * 255 / white), 255) for byte in range(256)] * 3
    below = [round(byte * 255 / white) for byte in range(256)] * 3
    sum_of = ImageChops.add(upper.point(above + opacity[0]), lower.point(below + opacity[1]))
    return sum_of, f"0 is black, {white:,} white"


def is_clear(image: Image) -> bool:
    """Say whether every pixel of a loaded image is transparent."""
    clear = image.info.get("transparency")
    if image.mode == "RGBA":
        return not any(image.histogram()[-256:][1:])
    if image.getbands()[-1] == "A":
        # Pillow 11 counts the wrong channel of LA.
        return not any(image.getchannel("A").histogram()[1:])
    if clear is None or image.mode not in ("P", "L", "RGB"):
        return False
    if isinstance(clear, bytes):
        # The opacity of the first colours of a palette; the others are opaque.
        seen = [count for at, count in enumerate(image.histogram()) if clear[at : at + 1] != b"\0"]
        return not any(seen)
    key = clear if isinstance(clear, tuple) else (clear,)
    counts = image.histogram()
    whole = image.width * image.height
    return all(
        level < 256 and counts[256 * band + level] == whole for band, level in enumerate(key)
    )


def on_ground(image: Image, arguments: Mapping[str, JsonValue]) -> tuple[Image, str]:
    """Return an image without transparency, and a note if its background is not the pane's."""
    from PIL import Image as images

    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB"), ""
    ink = image.convert("RGBA")
    ground, said = _ground(ink, background(arguments))
    solid = images.new("RGBA", image.size, (*ground, 255))
    return images.alpha_composite(solid, ink).convert("RGB"), said


def _ground(ink: Image, pane: tuple[int, int, int]) -> tuple[tuple[int, int, int], str]:
    """Return the background on which the least of an image vanishes; the pane's if little does."""
    seen = ink.getchannel("A").point(lambda opacity: 255 * (opacity >= _SEEN_FROM))
    levels = ink.convert("RGB").convert("L").histogram(seen)
    count = sum(levels)
    if _lost(levels, pane) <= count * _MOST_LOST:
        return pane, ""
    best = min((pane, WHITE, BLACK), key=lambda ground: _lost(levels, ground))
    return best, {WHITE: "on white", BLACK: "on black"}.get(best, "") if best != pane else ""


def _lost(levels: list[int], ground: tuple[int, int, int]) -> int:
    """Return how many pixels, counted by lightness, can hardly be seen on a background."""
    red, green, blue = ground
    lightness = (299 * red + 587 * green + 114 * blue) // 1000
    return sum(levels[max(lightness - _UNLIKE, 0) : lightness + _UNLIKE])


def background(arguments: Mapping[str, JsonValue]) -> tuple[int, int, int]:
    parts = arguments["background"]
    assert isinstance(parts, list)
    red, green, blue = (part if isinstance(part, int) else 0 for part in parts)
    return red, green, blue

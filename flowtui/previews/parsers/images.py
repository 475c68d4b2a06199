"""Images, scaled down to what a pane can show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from PIL.Image import Image

    from flowtui.store.values import JsonValue

EXTRA = "images"
LIBRARIES = ("PIL.Image", "PIL.WebPImagePlugin", "PIL.GifImagePlugin", "PIL.PngImagePlugin",
             "PIL.JpegImagePlugin", "PIL.BmpImagePlugin")  # fmt: skip
MAX_PIXELS = 100_000_000
MAX_DECODED_BYTES = 140_000_000
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)


def fitted(width: float, height: float, box_width: int, box_height: int) -> tuple[int, int]:
    """Return the largest size of the same aspect ratio inside a box, never an enlarged one."""
    scale = min(box_width / width, box_height / height, 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return a scaled image as RGB pixels."""
    from PIL import Image, UnidentifiedImageError

    # Sizes are looked at here, and more strictly.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path, formats=[str(arguments["format"])]) as image:
            return _scaled(image, arguments)
    except UnidentifiedImageError as error:
        raise PreviewFailed("The image is broken: its header cannot be read.") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise PreviewFailed(f"The image cannot be decoded: {error}.") from error


def _scaled(image: Image, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    width, height = image.size
    # Only a JPEG tells before it is decoded.
    turn = image.getexif().get(_ORIENTATION, 1) if image.format == "JPEG" else 1
    is_sideways = turn in _SIDEWAYS
    box_width, box_height = _integers(arguments, "width", "height")
    upright = (height, width) if is_sideways else (width, height)
    target = fitted(*upright, box_width, box_height)
    stored = target[::-1] if is_sideways else target
    if image.format == "JPEG":
        image.draft("RGB", (stored[0] * 2, stored[1] * 2))
    _refuse_huge(image, width, height)
    pixels = _on_background(_reduced(image, stored), arguments).resize(stored)
    pixels = _turned(pixels, turn)
    values: dict[str, JsonValue] = {
        "width": pixels.width,
        "height": pixels.height,
        "source_width": upright[0],
        "source_height": upright[1],
        "total": getattr(image, "n_frames", 1),
    }
    return values, pixels.tobytes()


def _refuse_huge(image: Image, width: int, height: int) -> None:
    """Refuse what would not fit into memory; a JPEG is smaller by now if it can be."""
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
    # Numbers of colours cannot be averaged, and transparent pixels only in a copy of the image.
    sampled = image.resize((size[0] * 4, size[1] * 4), resample=0)
    if image.mode == "P":
        return sampled.convert("RGBA" if "transparency" in image.info else "RGB")
    return sampled


def _on_background(image: Image, arguments: Mapping[str, JsonValue]) -> Image:
    from PIL import Image as images

    if image.mode == "RGB":
        return image
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    solid = images.new("RGBA", image.size, (*colour(arguments), 255))
    return images.alpha_composite(solid, image.convert("RGBA")).convert("RGB")


def _turned(pixels: Image, orientation: int) -> Image:
    """Return an image upright that a camera stored in an orientation of EXIF."""
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


def colour(arguments: Mapping[str, JsonValue]) -> tuple[int, int, int]:
    parts = arguments["background"]
    assert isinstance(parts, list)
    red, green, blue = (part if isinstance(part, int) else 0 for part in parts)
    return red, green, blue


def _integers(arguments: Mapping[str, JsonValue], *names: str) -> list[int]:
    return [value for name in names if isinstance(value := arguments[name], int)]

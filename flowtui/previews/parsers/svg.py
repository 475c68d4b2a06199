"""Drawings as pixels: nothing outside the file is read, and nesting is limited."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from flowtui.previews import zooming
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.parsers import pixels

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = "images"
LIBRARIES = ("resvg_py", "PIL.Image", "PIL.PngImagePlugin")
MAX_BYTES = 10_000_000
"""The most bytes of a drawing, before and after its entities are expanded."""
MAX_LEVELS = 200
DPI = 96
"""Pixels to an inch, as in CSS; without it the library makes inches and points 0."""
_LARGEST_SIDE = 1e6
_SIZE = re.compile(r"\s*\+?(\d*\.?\d+(?:[eE][+-]?\d+)?)\s*(px|pt|mm|cm|in|pc)?\s*")
_PIXELS_IN = {"px": 1.0, "pt": 4 / 3, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "pc": 16.0}


class Harmless:
    """A drawing rewritten without references that lead out of it."""

    def __init__(self, data: bytes) -> None:
        self.size = (100.0, 100.0)
        """Width and height in its own pixels."""
        self.left_out = 0
        """How many references to other files and addresses it had."""
        self._parts: list[str] = []
        self._length = 0
        self._level = 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise PreviewFailed(f"The drawing is broken: {error}.") from error

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._level += 1
        if self._level > MAX_LEVELS:
            raise PreviewFailed(f"The drawing is nested deeper than {MAX_LEVELS} levels.")
        if self._level == 1:
            self.size = _drawing_size(attributes)
        kept = {key: value for key, value in attributes.items() if not _leads_out(key, value)}
        self.left_out += len(attributes) - len(kept)
        written = "".join(f" {key}={quoteattr(value)}" for key, value in kept.items())
        self._write(f"<{name}{written}>")

    def _end(self, name: str) -> None:
        self._level -= 1
        self._write(f"</{name}>")

    def _characters(self, text: str) -> None:
        self._write(escape(text))

    def _write(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_BYTES:
            raise PreviewFailed("The drawing is too large to be shown.")
        self._parts.append(text)


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return a drawing as RGB pixels."""
    import resvg_py
    from PIL import Image

    data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    if data is None:
        raise PreviewFailed("The drawing is too large to be shown.")
    drawing = Harmless(data)
    seen = zooming.seen(drawing.size, arguments, is_drawn=True)
    width = round(seen.width_px / (seen.right - seen.left))
    height = round(seen.height_px / (seen.bottom - seen.top))
    try:
        png = resvg_py.svg_to_bytes(svg_string=drawing.text, width=width, height=height, dpi=DPI)
    except ValueError as error:
        raise PreviewFailed(f"The drawing cannot be shown: {error}.") from error
    with Image.open(io.BytesIO(png), formats=["PNG"]) as whole:
        left, top = round(seen.left * width), round(seen.top * height)
        image = whole.crop((left, top, left + seen.width_px, top + seen.height_px))
        drawn, ground = pixels.on_ground(image, arguments)
        clear = "nothing to be seen at this size" if pixels.is_clear(image) else ""
    left_out = f"references to elsewhere, not followed: {drawing.left_out:,}"
    values: dict[str, JsonValue] = {
        "width": drawn.width, "height": drawn.height, "total": 1,
        "source_width": round(drawing.size[0]), "source_height": round(drawing.size[1]),
        "note": ", ".join(filter(None, [left_out if drawing.left_out else "", ground, clear])),
    }  # fmt: skip
    return values, drawn.tobytes()


def _leads_out(key: str, value: str) -> bool:
    if key.rpartition(":")[2] != "href":
        return False
    return not value.strip().lower().startswith(("#", "data:"))


def _drawing_size(attributes: Mapping[str, str]) -> tuple[float, float]:
    sides = [_pixels(attributes.get(name, "")) for name in ("width", "height")]
    numbers = re.findall(r"[-+.\deE]+", attributes.get("viewBox", ""))[2:4]
    view = [_pixels(number) for number in numbers]
    width, height = sides if all(sides) else view if len(view) == 2 and all(view) else (100, 100)
    return width or 100.0, height or 100.0


def _pixels(text: str) -> float:
    match = _SIZE.fullmatch(text)
    if match is None:
        return 0.0
    value = float(match[1]) * _PIXELS_IN[match[2] or "px"]
    return min(value, _LARGEST_SIDE)

"""Which part of a picture is looked at, for those who ask for it and those who draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

MAX_DRAWN_ZOOM = 8
"""A drawing and a page are as sharp at any size, but all of it is drawn."""
MAX_PIXELS_A_PIXEL = 4
"""A pixel of an image is shown by at most so many in a row."""


@dataclass(frozen=True, slots=True)
class View:
    """How much larger than its pane a picture is, and which point of it is in the middle."""

    zoom: int = 1
    """1 shows all of it."""
    x: float = 0.5
    """From 0, the left edge, to 1."""
    y: float = 0.5


WHOLE = View()


@dataclass(frozen=True, slots=True)
class SeenPart:
    """What is seen of a picture: its edges as shares of the whole, and its size in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    width_px: int
    height_px: int


def window(
    size: tuple[float, float], box: tuple[int, int], view: View, *, is_drawn: bool
) -> SeenPart:
    """Return what is seen of a picture, which never leaves room in the box that it could fill.

    Args:
        size: Of the picture, upright, in its own units.
        box: The most pixels that can be shown, across and down.
        view: What is looked at.
        is_drawn: Whether the whole may be shown larger than it is, as a drawing without pixels.
    """
    scale = min(box[0] / size[0], box[1] / size[1])
    if not is_drawn:
        scale = min(scale, 1.0)
    sides = []
    for length, room, middle in zip(size, box, (view.x, view.y), strict=True):
        whole = max(round(length * scale), 1) * view.zoom
        shown = min(whole, room)
        share = shown / whole
        start = min(max(middle - share / 2, 0.0), 1.0 - share)
        sides.append((start, start + share, shown))
    (left, right, width), (top, bottom, height) = sides
    return SeenPart(left, top, right, bottom, width, height)


def most_zoom(size: tuple[float, float], box: tuple[int, int], *, is_drawn: bool) -> int:
    """Return how far it makes sense to zoom into a picture."""
    if is_drawn:
        return MAX_DRAWN_ZOOM
    scale = min(box[0] / size[0], box[1] / size[1], 1.0)
    zoom = 1
    while scale * zoom < MAX_PIXELS_A_PIXEL:
        zoom *= 2
    return zoom


def moved(view: View, seen: SeenPart, across: int, down: int) -> View:
    """Return a view that is moved by half of what is seen, as far as the picture goes."""
    width, height = seen.right - seen.left, seen.bottom - seen.top
    left = min(max(seen.left + across * width / 2, 0.0), 1.0 - width)
    top = min(max(seen.top + down * height / 2, 0.0), 1.0 - height)
    return replace(view, x=left + width / 2, y=top + height / 2)


def as_arguments(view: View) -> dict[str, JsonValue]:
    """Return a view as the process that draws is told of it."""
    return {"zoom": view.zoom, "x": view.x, "y": view.y}


def seen(
    size: tuple[float, float], arguments: Mapping[str, JsonValue], *, is_drawn: bool
) -> SeenPart:
    """Return what is seen of a picture by one who was told of the pane and the view."""
    return window(size, _box(arguments), _view(arguments), is_drawn=is_drawn)


def _view(arguments: Mapping[str, JsonValue]) -> View:
    zoom, x, y = (arguments.get(name) for name in ("zoom", "x", "y"))
    assert isinstance(zoom, int)
    assert isinstance(x, float)
    assert isinstance(y, float)
    return View(zoom, x, y)


def _box(arguments: Mapping[str, JsonValue]) -> tuple[int, int]:
    width, height = arguments["width"], arguments["height"]
    assert isinstance(width, int)
    assert isinstance(height, int)
    return width, height

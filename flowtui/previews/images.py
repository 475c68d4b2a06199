"""Pictures made of pixels, scaled down to what a pane can show."""

from __future__ import annotations

from flowtui.previews import isolated, zooming
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import Opened, Part, Picture, Request
from flowtui.store.values import JsonValue


def shown(opened: Opened, request: Request) -> Picture:
    """Return an image read in a child process, its first frame if it has several.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    reply = isolated.ask(
        "images", opened.path, {"format": opened.kind.name} | box(request), opened.cancelled
    )
    return from_reply(reply, "frame", 0)


def box_of(request: Request) -> tuple[int, int]:
    """Return the most pixels that fit a pane: a cell shows two, one above the other."""
    return max(request.width, 1), max(request.height * 2, 2)


def box(request: Request) -> dict[str, JsonValue]:
    """Return what a parser of pictures is told of the pane, and of the part that is wanted."""
    width, height = box_of(request)
    return {
        "width": width,
        "height": height,
        "background": list(request.background),
        **zooming.as_arguments(request.view),
    }


def from_reply(reply: isolated.Reply, unit: str, first: int) -> Picture:
    """Return the picture that a child answered with.

    Raises:
        PreviewFailed: The number of pixels is not what it says.
    """
    names = ("width", "height", "source_width", "source_height", "total")
    numbers = [reply.values.get(name) for name in names]
    width, height, source_width, source_height, total = (
        number if isinstance(number, int) else 0 for number in numbers
    )
    if not total or len(reply.data) != width * height * 3:
        raise PreviewFailed("The parser answered with no picture.")
    following = first + 1 if first + 1 < total and unit == "page" else None
    part = Part(unit, first, 1, total, following, first)
    note = reply.values.get("note")
    return Picture(
        width, height, reply.data, source_width, source_height, part,
        note if isinstance(note, str) else "",
    )  # fmt: skip

"""PDF page by page, as a picture or as text."""

from __future__ import annotations

from flowtui.previews import images, isolated
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import Line, Mode, Opened, Part, Picture, Request, TextPage


def shown(opened: Opened, request: Request) -> Picture | TextPage:
    """Return page `Request.position`, from 0, as a picture unless text is wanted.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    is_text = request.mode is Mode.TEXT
    arguments = images.box(request) | {
        "page": -1 if request.is_last else request.position,
        "is_text": is_text,
    }
    reply = isolated.ask("pdf", opened.path, arguments, opened.cancelled)
    number, total = reply.values.get("page"), reply.values.get("total")
    if not isinstance(number, int) or not isinstance(total, int):
        raise PreviewFailed("The parser answered with no page.")
    if not is_text:
        return images.from_reply(reply, "page", number)
    text = reply.data.decode("utf-8", "replace")
    lines = tuple(Line(line) for line in text.splitlines())
    note = "" if lines else "There is no text on this page."
    return TextPage(lines, Part.numbered("page", number, 1, total), encoding="PDF", note=note)

"""PDF page by page, as text or as a picture."""

from __future__ import annotations

import json

from flowtui.previews import images, isolated
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import Line, Mode, Opened, Part, Picture, Request, TextPage


def shown(opened: Opened, request: Request) -> Picture | TextPage:
    """Return page `Request.position`, from 0: as text where it has any, or as a picture.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    form = {Mode.TEXT: "text", Mode.PICTURE: "picture"}.get(request.mode, "best")
    arguments = images.box(request) | {
        "page": -1 if request.is_last else request.position,
        "form": form,
    }
    reply = isolated.ask("pdf", opened.path, arguments, opened.cancelled)
    number, total = reply.values.get("page"), reply.values.get("total")
    if not isinstance(number, int) or not isinstance(total, int):
        raise PreviewFailed("The parser answered with no page.")
    if "width" in reply.values:
        return images.from_reply(reply, "page", number)
    text = reply.data.decode("utf-8", "replace")
    lines = tuple(Line(line) for line in text.splitlines())
    note = "" if lines else "There is no text on this page."
    return TextPage(lines, Part.numbered("page", number, 1, total), encoding="PDF", note=note)


def texts(opened: Opened, first: int) -> tuple[list[str], int | None]:
    """Return the texts of pages from one on, and the page that comes after them, None at the end.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    reply = isolated.ask("pdf", opened.path, {"page": first, "form": "texts"}, opened.cancelled)
    found, total = json.loads(reply.data), reply.values.get("total")
    after = first + len(found)
    return found, after if found and isinstance(total, int) and after < total else None

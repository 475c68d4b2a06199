"""SVG as a picture: nothing outside the file is read, and nesting is limited."""

from __future__ import annotations

from pathlib import Path

from flowtui.previews import images, isolated
from flowtui.previews.values import Cancelled, Mode, Picture, Request


def picture(path: Path, request: Request, cancelled: Cancelled) -> Picture:
    """Return a drawing as large as fits, rendered in a child process.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    reply = isolated.ask("svg", path, images.box(request), cancelled, meanwhile=Mode.TEXT)
    return images.from_reply(reply, "page", 0)

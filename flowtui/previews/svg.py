"""SVG as a picture: nothing outside the file is read, and nesting is limited."""

from __future__ import annotations

from flowtui.previews import images, isolated
from flowtui.previews.values import Mode, Opened, Picture, Request


def shown(opened: Opened, request: Request) -> Picture:
    """Return a drawing as large as fits, rendered in a child process.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    reply = isolated.ask(
        "svg", opened.path, images.box(request), opened.cancelled, meanwhile=Mode.TEXT
    )
    return images.from_reply(reply, "page", 0)

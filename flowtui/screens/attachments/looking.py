"""Looks into the picture that is shown: how near, and where."""

from __future__ import annotations

from dataclasses import replace

from textual.binding import Binding

from flowtui.previews import zooming
from flowtui.previews.images import box_of
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Picture, Request
from flowtui.previews.zooming import WHOLE, View
from flowtui.screens.attachments import title
from flowtui.screens.attachments.searching import SearchedPanes

ZOOM_KEYS = (
    Binding("plus", "zoom(1)", "Zoom", show=False, key_display="+", id="preview.zoom_in",
            tooltip="Show the picture twice as large"),
    Binding("minus", "zoom(-1)", "Zoom out", show=False, key_display="-",
            id="preview.zoom_out", tooltip="Show the picture half as large"),
    Binding("0", "zoom(0)", "Whole picture", show=False, id="preview.zoom_whole",
            tooltip="Show all of the picture"),
    *(
        Binding(f"shift+{way}", f"pan({across}, {down})", f"Move {way}", show=False,
                id=f"preview.pan_{way}", tooltip=f"Look further {way} in the picture")
        for way, across, down in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1),
                                  ("down", 0, 1))
    ),
)  # fmt: skip


class PicturePanes(SearchedPanes):
    """The panes of a preview, with keys that look into a picture."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._wanted = self._request
        """The request under way, else the one that is shown; the next key builds on it."""

    @property
    def zoom_told(self) -> list[str]:
        """The key that looks into a picture, or that leads back to all of it."""
        if self._picture is None:
            return []
        return ["0 all of it"] if self._request.view.zoom > 1 else ["+ zoom"]

    @property
    def _amount(self) -> str:
        zoom = self._request.view.zoom if self._picture is not None else 1
        near = f"{zoom}× larger" if zoom > 1 else ""
        return title.SEPARATOR.join(filter(None, (super()._amount, near)))

    @property
    def kind(self) -> PreviewKind | None:
        """The kind of file, once it is known."""
        return self._parts[0].preview.kind if self._parts else None

    def can_look(self, action: str) -> bool:
        """Say whether there is a picture to zoom into, or to pan over."""
        return self._picture is not None and (action == "zoom" or self._wanted.view.zoom > 1)

    @property
    def _picture(self) -> Picture | None:
        """The picture that is shown, if one is that can be looked into."""
        shown = self._parts[0].preview.shown if self._parts else None
        return shown if isinstance(shown, Picture) and self.kind is not PreviewKind.WAV else None

    def action_zoom(self, by: int) -> None:
        if self._picture is not None:
            self._look(zoomed(self._picture, self._wanted, by, is_drawn=self._is_drawn))

    def action_pan(self, across: int, down: int) -> None:
        if self._picture is not None:
            self._look(panned(self._picture, self._wanted, across, down, is_drawn=self._is_drawn))

    def _look(self, view: View) -> None:
        if view != self._wanted.view:
            self.read_part(replace(self._wanted, view=view))

    @property
    def _is_drawn(self) -> bool:
        return self.kind in (PreviewKind.SVG, PreviewKind.PDF)


def zoomed(picture: Picture, request: Request, by: int, *, is_drawn: bool) -> View:
    """Return the view that is twice as near, half as near, or of the whole picture.

    Args:
        picture: What is shown.
        request: How it was asked for.
        by: 1, -1, or 0 for the whole.
        is_drawn: Whether the picture has no pixels of its own.
    """
    size, box = (picture.source_width, picture.source_height), box_of(request)
    zoom = request.view.zoom * 2 if by > 0 else request.view.zoom // 2
    if not by or zoom <= 1:
        return WHOLE
    most = zooming.most_zoom(size, box, is_drawn=is_drawn)
    # What is in the middle stays there, as far as the picture goes.
    nearer = replace(request.view, zoom=min(zoom, most))
    return zooming.moved(nearer, zooming.window(size, box, nearer, is_drawn=is_drawn), 0, 0)


def panned(picture: Picture, request: Request, across: int, down: int, *, is_drawn: bool) -> View:
    """Return the view that is moved by half of what is seen; `zoomed` tells of the rest."""
    size, box = (picture.source_width, picture.source_height), box_of(request)
    seen = zooming.window(size, box, request.view, is_drawn=is_drawn)
    return zooming.moved(request.view, seen, across, down)

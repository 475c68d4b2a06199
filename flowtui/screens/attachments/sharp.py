"""The picture that is shown, in the terminal's own resolution where it can be had in cells."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import Picture, Request
from flowtui.screens.attachments.folder import FolderPanes
from flowtui.screens.attachments.reading import FileSource
from flowtui.store.cancelling import is_left
from flowtui.terminal import placeholders
from flowtui.terminal.placeholders import PlacedPicture
from flowtui.widgets.documents.picture import PicturePane
from flowtui.widgets.lists.virtual_list import VirtualList


class SharpPanes(FolderPanes):
    """The panes of a preview, whose picture becomes sharp soon after it is shown."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sharpened: Picture | None = None
        """The picture that was asked for once more, or is shown so."""

    def on_unmount(self) -> None:
        self._flow.remove_picture()

    def show_parts(self, *, is_new: bool) -> None:
        self.soften()
        super().show_parts(is_new=is_new)
        self.sharpen()

    def _show_pane(self, pane: VirtualList) -> None:
        if not isinstance(pane, PicturePane):
            self.soften()
        super()._show_pane(pane)

    def sharpen(self) -> None:
        """Read the picture that is shown once more, as large as the terminal can show it."""
        shown = self._parts[0].preview.shown if self._parts else None
        pane = self.query_one(PicturePane)
        if not isinstance(shown, Picture) or shown is self._sharpened:
            return
        if pane.picture is not shown or self.kind is PreviewKind.WAV or self._source is None:
            return
        self._flow.with_pictures_in_cells(partial(self._sharpen, self._source, shown))

    def _sharpen(self, source: FileSource, shown: Picture) -> None:
        # Another picture may be shown by now, or none any more.
        is_shown = any(pane.picture is shown for pane in self.query(PicturePane))
        if not is_shown or shown is self._sharpened:
            return
        self._sharpened = shown
        columns, lines = shown.width_px, (shown.height_px + 1) // 2
        is_far = self._flow.session.is_ssh
        width, height = placeholders.box_px(columns, lines, self._flow.cell_px, is_far=is_far)
        request = replace(self._request, width=width, height=(height + 1) // 2)
        self.ask(
            partial(_placed, source, request, (columns, lines), is_far),
            partial(self._show_placed, shown),
            # It stays as it is.
            lambda _reason: None,
            group="sharp",
        )

    def _show_placed(self, shown: Picture, placed: PlacedPicture | None) -> None:
        pane = self.query_one(PicturePane)

        def show() -> None:
            if pane.picture is shown and self.current is pane:
                pane.place(placed)

        if placed is not None and pane.picture is shown and self.current is pane:
            self._flow.place_picture(placed, show)

    def soften(self) -> None:
        """Show half blocks again, and have the terminal forget the picture."""
        self._sharpened = None
        self.workers.cancel_group(self, "sharp")
        self.query_one(PicturePane).place(None)
        self._flow.remove_picture()


def _placed(
    source: FileSource, request: Request, cells: tuple[int, int], is_far: bool
) -> PlacedPicture | None:
    shown = preview(source.looked_at, source.name, request, is_left).shown
    if not isinstance(shown, Picture):
        return None
    return placeholders.placed(shown, *cells, is_far=is_far)

"""The pictures of a folder, small and side by side, in the place of a preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from textual import on
from textual.message import Message

from flowtui import format as fmt
from flowtui.previews.errors import MissingExtra, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import Picture, Request
from flowtui.screens.attachments.looking import PicturePanes
from flowtui.screens.attachments.reading import FileSource
from flowtui.store.attachments.values import FileNode, FileState, FolderNode
from flowtui.store.cancelling import check, is_left
from flowtui.store.errors import StoreError
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.picture_grid import GridPicture, PictureGrid

_ENDINGS = tuple(
    ending
    for kind in PreviewKind
    if kind.is_image or kind is PreviewKind.SVG
    for ending in kind.row.endings
)
_NO_PICTURE = "no picture"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with pictures."""

    path: str
    pictures: tuple[GridPicture, ...]
    """The key of each is the path of its file."""
    source: Callable[[str], FileSource]
    """Returns what to read, by the path."""


def pictures_in(folder: FolderNode) -> tuple[GridPicture, ...]:
    """Return the files right in a folder that are pictures by their names, in their order."""
    found = []
    for node in folder.children:
        if isinstance(node, FileNode) and node.attachment.state is FileState.PRESENT:
            file = node.attachment
            if PurePosixPath(file.path.lower()).suffix in _ENDINGS:
                version = file.size_bytes, file.at
                found.append(GridPicture(file.path, node.name, version))
    return tuple(found)


def small_picture(source: FileSource, request: Request) -> Picture | str:
    """Return a file as a picture for a pane of the size of the request, or why it is none.

    Raises:
        PreviewCancelled: Nobody waits any more.
    """
    try:
        shown = preview(source.looked_at, source.name, request, is_left).shown
    except MissingExtra as error:
        return f"needs {error.extra}: flow-tui doctor"
    except (PreviewFailed, StoreError) as error:
        check()
        return f"✗ {error}"
    return shown if isinstance(shown, Picture) else _NO_PICTURE


class FolderPanes(PicturePanes):
    """The panes of a preview, with one for the pictures of a folder.

    Posts `PictureOpened` for a picture that is to be shown alone.
    """

    @dataclass
    class PictureOpened(Message):
        """Sent by FolderPanes when a picture of the folder is chosen."""

        path: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._folder: Folder | None = None
        self._said = ""
        self._shown_folder = ""
        """The path of the folder that was shown last: its pictures are gone back to."""

    @property
    def _grid(self) -> PictureGrid:
        return self.query_one(PictureGrid)

    @property
    def folder(self) -> str | None:
        """The path of the folder whose pictures are shown."""
        return self._folder.path if self.current is self._grid and self._folder else None

    @property
    def can_show_pictures(self) -> bool:
        """Whether the terminal has what pictures are drawn with."""
        here = self._flow.session
        return here.is_utf8 and not here.is_monochrome

    def show_nothing(self) -> None:
        """Show no file; whoever calls this shows something else."""
        raise NotImplementedError

    def show_folder(self, folder: Folder, said: str) -> None:
        """Show the pictures of a folder.

        Args:
            folder: The folder.
            said: What is known of it, in words.
        """
        is_new = folder.path != self._shown_folder
        self.show_nothing()
        self._folder, self._shown_folder = folder, folder.path
        self._said = said
        self._show_pane(self._grid)
        self._show_title()
        self._grid.show(folder.pictures, is_new=is_new)
        self.refresh_bindings()

    def _show_title(self) -> None:
        if self._folder is None or self._status is not None:
            super()._show_title()
            return
        name = fmt.plain(self._folder.path.rpartition("/")[2], 300)
        self._title([Piece(f" {name}/", "title"), Piece(f"  {self._said}", "muted")])

    @on(PictureGrid.Needed)
    def read_pictures(self, event: PictureGrid.Needed) -> None:
        event.stop()
        if self._folder is None or self.current is not self._grid:
            return
        request = Request(width=event.width, height=event.height, background=self._background())
        source, grid = self._folder.source, self._grid

        def read() -> Iterator[tuple[str, Picture | str]]:
            for key in event.keys:
                check()
                yield key, small_picture(source(key), request)

        self.ask_each(read, lambda found: grid.fill(*found), group="pictures")

    @on(PictureGrid.Opened)
    def open_picture(self, event: PictureGrid.Opened) -> None:
        event.stop()
        self.post_message(self.PictureOpened(event.key))

    def _background(self) -> tuple[int, int, int]:
        raise NotImplementedError

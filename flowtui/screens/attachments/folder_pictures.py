"""A folder under the cursor of the Attachments tab: its pictures in the place of the preview."""

from __future__ import annotations

from functools import partial

from textual import on

from flowtui import format as fmt
from flowtui.screens.attachments.find_line import FindsInPreview
from flowtui.screens.attachments.folder import Folder, pictures_in
from flowtui.screens.attachments.preview import FilePreview
from flowtui.screens.attachments.reading import FileSource
from flowtui.store.attachments.values import FolderNode
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.widgets.documents.picture_grid import GridPicture
from flowtui.widgets.trees.file_tree import FileTree


class ShowsFolders(FindsInPreview):
    """A tab with a tree of files and a preview, which shows the pictures of a folder too."""

    def __init__(self, store: Store, run: OpenRun) -> None:
        super().__init__(store, run)
        self._opened = ""
        """The path of the picture that was opened among those of its folder."""

    @property
    def _files(self) -> FileTree:
        return self.query_one(FileTree)

    def rest_here(self) -> None:
        """Show what the cursor is on."""
        raise NotImplementedError

    def source_at(self, path: str) -> FileSource:
        """Return what to read of the file at a path."""
        raise NotImplementedError

    @property
    def shows_pictures(self) -> bool:
        """Whether the pictures of a folder are shown."""
        return self._preview.folder is not None

    def show_folder(self, node: FolderNode, said: str) -> None:
        """Show the pictures of a folder, or what is known of it if there are none.

        Args:
            node: The folder.
            said: What is known of it, in words.
        """
        if self._preview.folder != node.path:
            self._say(said)
        if self._preview.can_show_pictures:
            # A folder may have a hundred thousand files.
            self.ask(
                partial(pictures_in, node),
                partial(self._show_pictures, node, said),
                group="folder",
            )

    def _say(self, said: str) -> None:
        self._preview.show_source(None, f"{said}. w saves the whole folder.")

    def _show_pictures(
        self, node: FolderNode, said: str, pictures: tuple[GridPicture, ...]
    ) -> None:
        if node is not self._files.node:
            return
        if pictures:
            count = fmt.count(len(pictures), "picture")
            folder = Folder(node.path, pictures, self.source_at)
            self._preview.show_folder(folder, f"{count}, Enter shows one · {said}")
        elif self.shows_pictures:
            self._say(said)

    @on(FilePreview.PictureOpened)
    def open_picture(self, message: FilePreview.PictureOpened) -> None:
        if self._files.go_to(message.path):
            self._opened = message.path
            self.rest_here()

    def leave_picture(self) -> bool:
        """Go back from a picture to those of its folder, if it was opened there; say whether."""
        file = self._files.attachment
        is_here = file is not None and file.path == self._opened
        self._opened, path = "", self._opened
        if is_here and self._files.go_to_folder(path.rpartition("/")[0]):
            self.rest_here()
            return True
        return False

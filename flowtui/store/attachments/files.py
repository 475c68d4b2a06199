"""Where a run's attachments are: in a folder beside its database, or in an artifact."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flowtui.store.attachments.values import AttachmentRow, Attachments


class AttachmentFiles(Protocol):
    """The files of a run's attachments."""

    @property
    def folder(self) -> Path:
        """Where they are, for a person; it need not exist."""

    def listed(self, rows: Iterable[AttachmentRow]) -> Attachments:
        """Return rows with the state of their files, and the files that no row names."""

    def path(self, file_path: str) -> Path:
        """Return the path of a row's file.

        Raises:
            AttachmentRefused: The path leads elsewhere, is not a file, or cannot be copied out.
        """

    def glance(self, file_path: str) -> Path:
        """Return a path at which `previews.files.opened` finds the file, perhaps in pieces.

        Raises:
            AttachmentRefused: As `path` does.
        """


class AttachmentFolder:
    """The folder of a run in a store; it need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def listed(self, rows: Iterable[AttachmentRow]) -> Attachments:
        """Return rows with the state of their files; about 1 s for 100,000 files."""
        from flowtui.store.attachments import listing

        return listing.on_disk(rows, self.folder)

    def path(self, file_path: str) -> Path:
        """Return the path of an attachment; see `listing.resolved` for what it refuses."""
        from flowtui.store.attachments import listing

        return listing.resolved(self.folder, file_path)

    def glance(self, file_path: str) -> Path:
        return self.path(file_path)

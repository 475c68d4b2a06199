"""What the store returns about attachments; text in these values is untrusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from flowtui.store.errors import StoreError

MAX_LEVELS = 64
"""How deep the tree is; a file that is deeper keeps the rest of its path in its name."""


class AttachmentRefused(StoreError):
    """The path of an attachment leads out of its folder, or to something that is not a file."""


class FileState(StrEnum):
    """What is found at the path of an attachment."""

    PRESENT = "present"
    MISSING = "missing"
    REFUSED = "refused"
    """It is not touched: the path leads out of the folder, or the file is a special one."""


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """One row of exp.db: attachments, as stored."""

    id: str
    name: str
    file_path: str
    """Relative to the run's attachments folder; empty where the row has none."""
    created_at: datetime | None
    size_bytes: int | None
    """As the SDK wrote it; None before schema version 2."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attached file: a row with its file, or a file that no row names."""

    row: AttachmentRow | None
    """None for an orphan."""
    path: str
    """Relative to the attachments folder."""
    state: FileState
    disk_size_bytes: int | None = None
    modified_at: datetime | None = None
    problem: str | None = None
    """A sentence on what is wrong with its row or its file."""

    @property
    def name(self) -> str:
        return self.row.name if self.row is not None else self.path

    @property
    def size_bytes(self) -> int | None:
        """The size on disk, or the stored one where there is no file."""
        if self.disk_size_bytes is not None:
            return self.disk_size_bytes
        return self.row.size_bytes if self.row is not None else None

    @property
    def is_missing(self) -> bool:
        return self.state is FileState.MISSING

    @property
    def is_orphan(self) -> bool:
        return self.row is None

    @property
    def at(self) -> datetime | None:
        """When the file was last written or, without a file, its row."""
        if self.modified_at is not None:
            return self.modified_at
        return self.row.created_at if self.row is not None else None


# Without a repr, since Textual makes one of a worker's arguments, which took 1 s for 100,000 files.
@dataclass(frozen=True, slots=True, repr=False)
class Attachments:
    """All attachments of a run, by path."""

    files: tuple[Attachment, ...]
    orphans: tuple[Attachment, ...]
    problem: str | None = None
    """Why orphans may be missing from the list."""


@dataclass(frozen=True, slots=True)
class FileNode:
    """A file in the tree."""

    name: str
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class FolderNode:
    """A folder in the tree, with totals of what is below it at any depth."""

    name: str
    path: str
    """From the attachments folder; empty for that folder itself."""
    children: tuple[Node, ...]
    """Folders first, each kind in order."""
    file_count: int
    size_bytes: int
    latest_at: datetime | None


Node: TypeAlias = FolderNode | FileNode

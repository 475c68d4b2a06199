"""The files attached to one run: the rows of exp.db: attachments, and the files on the disk."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from flowtui.store import cancelling, decoding
from flowtui.store.attachments.values import (
    MAX_LEVELS,
    Attachment,
    AttachmentRefused,
    AttachmentRow,
    Attachments,
    FileNode,
    FileState,
    FolderNode,
    Node,
)
from flowtui.store.database import table_columns
from flowtui.store.natural import sort_key

By: TypeAlias = Literal["name", "size", "time"]
MAX_FILES = 300_000
"""How many files on the disk are listed; the rest is not."""
_COLUMNS = ("id", "name", "file_path", "created_at", "size")
_FILES_BETWEEN_CANCEL_CHECKS = 1_000
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file on the disk that was found without following a link."""

    size_bytes: int
    modified_ns: int
    mode: int


@dataclass(frozen=True, slots=True)
class _Disk:
    """What is below a folder, by path from there."""

    files: dict[str, _Found]
    """Links and special files included."""
    folders: set[str]
    searched: set[str]
    """Folders whose content is known completely; the outermost one is an empty text."""

    def lacks(self, path: str) -> bool:
        """Say whether it is known that there is nothing at a path."""
        above, _, name = path.rpartition("/")
        is_name = name not in ("", ".", "..") and "\0" not in name and path[0] != "/"
        return is_name and above in self.searched and path not in self.folders


def attachments(connection: sqlite3.Connection) -> tuple[AttachmentRow, ...] | None:
    """Return a run's attachments by path, or None where the schema has no such table.

    Source: exp.db attachments. `size` came with schema version 2.
    """
    present = table_columns(connection, "attachments")
    if not present:
        return None
    rows = connection.execute(
        f"select {decoding.select_list(_COLUMNS, present, 'attachments')} from attachments"
        " order by file_path, rowid"
    )
    return tuple(_row(*row) for row in rows)


def on_disk(rows: Iterable[AttachmentRow], folder: Path) -> Attachments:
    """Return rows with the state of their files, and the files that no row names.

    Args:
        rows: The rows of one run.
        folder: That run's attachments folder; it need not exist.

    Raises:
        ReadCancelled: Nobody waits any more, which is checked about every thousand files.
    """
    check = _checker()
    disk = _walked(folder, check)
    files = []
    named: set[str] = set()
    for row in rows:
        check()
        path = _normal(row.file_path)
        named.add(path)
        files.append(_attachment(row, path, folder, disk))
    orphans = [_attachment(None, path, folder, disk) for path in disk.files if path not in named]
    problem = None
    if len(disk.files) >= MAX_FILES:
        problem = f"there are more than {MAX_FILES:,} files; the rest is not listed"
    return Attachments(
        tuple(files), tuple(sorted(orphans, key=lambda file: sort_key(file.path))), problem
    )


def resolved(folder: Path, file_path: str) -> Path:
    """Return where a stored path leads inside the attachments folder; the file need not exist.

    Raises:
        AttachmentRefused: The path is empty, absolute or has `..` in it, a link on the way leads
            out of the folder, or the path is that of a folder or a special file.
    """
    path = PurePosixPath(file_path)
    if not path.parts or "\0" in file_path:
        raise AttachmentRefused("the row names no file")
    if path.is_absolute() or ".." in path.parts:
        raise AttachmentRefused("the path leads out of the attachments folder")
    try:
        real = folder.joinpath(path).resolve()
        is_inside = real.is_relative_to(folder.resolve())
        mode = real.stat().st_mode if is_inside else 0
    except (FileNotFoundError, NotADirectoryError):
        return real
    except (OSError, RuntimeError) as error:
        # Links in a circle are a RuntimeError before Python 3.13.
        reason = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise AttachmentRefused(f"the file cannot be reached: {reason}") from error
    if not is_inside:
        raise AttachmentRefused("a link leads out of the attachments folder")
    if not stat.S_ISREG(mode):
        raise AttachmentRefused("it is not a regular file")
    return real


def tree(files: Iterable[Attachment], by: By = "name", is_descending: bool = False) -> FolderNode:
    """Return attachments as a tree of folders with their totals, folders first.

    Args:
        files: Rows and orphans alike; refused ones are put in the outermost folder.
        by: What the children of each folder are sorted by, and then by name.
        is_descending: Whether the largest, the latest or the last by name comes first.
    """
    nodes: dict[tuple[str, ...], list[Node]] = defaultdict(list)
    nodes[()] = []
    for file in files:
        *above, name = _places(file)
        folder = tuple(above)
        nodes[folder].append(FileNode(name, file))
        while folder and folder[:-1] not in nodes:
            folder = folder[:-1]
            nodes[folder] = []
    # The deepest come first, so that each folder is complete when its parent takes it.
    for place in sorted(nodes, key=len, reverse=True):
        folder_node = _folder(place, nodes[place], by, is_descending)
        if not place:
            break
        nodes[place[:-1]].append(folder_node)
    return folder_node


def _folder(
    place: tuple[str, ...], children: list[Node], by: By, is_descending: bool
) -> FolderNode:
    is_by_name = by == "name"
    children.sort(key=lambda node: sort_key(node.name), reverse=is_descending and is_by_name)
    if not is_by_name:
        children.sort(key=_KEYS[by], reverse=is_descending)
    children.sort(key=lambda node: isinstance(node, FileNode))
    times = [time for node in children if (time := _latest(node)) is not None]
    return FolderNode(
        name=place[-1] if place else "",
        path="/".join(place),
        children=tuple(children),
        file_count=sum(node.file_count if isinstance(node, FolderNode) else 1 for node in children),
        size_bytes=sum(map(_size, children)),
        latest_at=max(times, default=None),
    )


def _size(node: Node) -> int:
    if isinstance(node, FolderNode):
        return node.size_bytes
    return node.attachment.size_bytes or 0


def _latest(node: Node) -> datetime | None:
    return node.latest_at if isinstance(node, FolderNode) else node.attachment.at


_KEYS: dict[By, Callable[[Node], int | datetime]] = {
    "size": _size,
    "time": lambda node: _latest(node) or _EARLIEST,
}


def _places(file: Attachment) -> list[str]:
    """Return the folders that a file is in, and its name."""
    if file.state is FileState.REFUSED or not file.path:
        return [file.path or file.name or "(no name)"]
    parts = file.path.split("/")
    return (
        [*parts[: MAX_LEVELS - 1], "/".join(parts[MAX_LEVELS - 1 :])]
        if len(parts) > MAX_LEVELS
        else parts
    )


def _row(
    attachment_id: object, name: object, file_path: object, created_at: object, size: object
) -> AttachmentRow:
    problems: list[str] = []
    return AttachmentRow(
        id=decoding.text(attachment_id),
        name=decoding.text(name),
        file_path=decoding.text(file_path),
        created_at=decoding.timestamp(created_at, "created_at", problems),
        size_bytes=decoding.integer(size, "size", problems),
        problem="; ".join(problems) or None,
    )


def _normal(file_path: str) -> str:
    """Return a stored path as the walk spells it, so that the two can be compared."""
    return str(PurePosixPath(file_path)) if file_path else ""


def _attachment(row: AttachmentRow | None, path: str, folder: Path, disk: _Disk) -> Attachment:
    state, problem = FileState.PRESENT, row.problem if row is not None else None
    found = disk.files.get(path)
    if found is None and disk.lacks(path):
        state = FileState.MISSING
    elif found is None or not stat.S_ISREG(found.mode):
        # Links, special files and paths through links are checked one by one, since they are few.
        try:
            found = _stated(resolved(folder, path))
            state = FileState.PRESENT if found is not None else FileState.MISSING
        except AttachmentRefused as error:
            state, problem, found = FileState.REFUSED, str(error), None
    if found is None:
        return Attachment(row, path, state, problem=problem)
    modified_at = _moment(found.modified_ns)
    return Attachment(row, path, state, found.size_bytes, modified_at, problem)


def _stated(path: Path) -> _Found | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return _Found(state.st_size, state.st_mtime_ns, state.st_mode)


def _moment(modified_ns: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(modified_ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _walked(folder: Path, check: Callable[[], None]) -> _Disk:
    """Return what is below a folder, without following links."""
    disk = _Disk({}, set(), set())
    waiting = [("", os.fspath(folder))]
    while waiting and len(disk.files) < MAX_FILES:
        prefix, place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    check()
                    path = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        disk.folders.add(path)
                        waiting.append((f"{path}/", entry.path))
                        continue
                    state = entry.stat(follow_symlinks=False)
                    disk.files[path] = _Found(state.st_size, state.st_mtime_ns, state.st_mode)
                    if len(disk.files) >= MAX_FILES:
                        return disk
        except OSError:
            # It has gone or may not be searched, which its rows will say one by one.
            continue
        disk.searched.add(prefix.rstrip("/"))
    return disk


def _checker() -> Callable[[], None]:
    count = 0

    def check() -> None:
        nonlocal count
        count += 1
        if count % _FILES_BETWEEN_CANCEL_CHECKS == 0:
            cancelling.check()

    return check

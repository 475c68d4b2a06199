"""Attachments that a filter or a folder holds, and why one has no preview."""

from __future__ import annotations

from fnmatch import fnmatchcase

from flowtui import format as fmt
from flowtui.store.attachments.values import Attachment, FolderNode


def matches(file: Attachment, needle: str) -> bool:
    """Say whether a file's path contains a text or matches a pattern."""
    return path_matches(file.path, needle)


def path_matches(path: str, needle: str) -> bool:
    """Say whether a path contains a text or matches a pattern."""
    if not needle:
        return True
    path, lowered = path.casefold(), needle.casefold()
    if any(char in lowered for char in "*?["):
        return fnmatchcase(path, lowered) or fnmatchcase(path.rpartition("/")[2], lowered)
    return lowered in path


def files_in(folder: FolderNode) -> list[Attachment]:
    """Return the files of a folder, at any depth."""
    files: list[Attachment] = []
    waiting = list(folder.children)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FolderNode):
            waiting.extend(node.children)
        else:
            files.append(node.attachment)
    return files


def why_not(file: Attachment) -> str:
    """Return why a file has no preview."""
    if file.is_missing:
        return "✗ The store has a row for this file, but the file is missing."
    return f"▲ Refused: {fmt.plain(file.problem or 'it may not be read', 300)}."

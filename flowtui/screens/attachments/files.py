"""Which attachments a filter leaves, which a folder has, and why one is not looked into."""

from __future__ import annotations

from fnmatch import fnmatchcase

from flowtui import format as fmt
from flowtui.store.attachments.values import Attachment, FolderNode


def matches(file: Attachment, needle: str) -> bool:
    """Return whether a file is among those that a text or a pattern leaves."""
    if not needle:
        return True
    path, lowered = file.path.casefold(), needle.casefold()
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
    """Return why a file is not looked into."""
    if file.is_missing:
        return "✗ The store has a row for this file, but there is no file."
    return f"▲ Refused: {fmt.plain(file.problem or 'it may not be read', 300)}."

"""Members of archives as files of their own, to be saved and opened outside."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from flowtui.previews import members
from flowtui.previews.document_blocks import Member
from flowtui.screens.attachments.reading import FileSource
from flowtui.store.cancelling import is_left
from flowtui.terminal import opener


def member_source(source: FileSource, inside: tuple[Member, ...]) -> FileSource:
    """Return a member of a file as a source; resolving it makes a private copy, each time anew.

    Args:
        source: The file.
        inside: The member, after those that it lies in.
    """
    key = "\n".join((source.key, *(f"{one.position} {one.name}" for one in inside)))
    return FileSource(key, inside[-1].name, partial(_copied, source, inside))


def _copied(source: FileSource, inside: tuple[Member, ...]) -> Path:
    path, name = source.resolve(), source.name
    return opener.copies().written(
        inside[-1].name, lambda out: members.copy(path, name, inside, out, is_left)
    )

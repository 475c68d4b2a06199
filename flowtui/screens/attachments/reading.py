"""Reads files for their previews; everything here runs in worker threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from flowtui.previews.errors import MissingExtra, PreviewFailed
from flowtui.previews.preview import preview
from flowtui.previews.values import (
    HexPage,
    Mode,
    Preview,
    PreviewKind,
    Request,
    TextPage,
)
from flowtui.store.cancelling import is_left
from flowtui.widgets.cells import Line
from flowtui.widgets.documents.preview_text import hex_lines, text_lines

KEPT_PREVIEWS = 16
"""How many parts of files are kept, so that going back to a file needs no read."""
PAGER_CHARS = 4_000_000
"""How much of a file a pager gets; to read the rest a person saves the file."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that can be previewed, opened and saved."""

    key: str
    """Identifies the file on its screen."""
    name: str
    resolve: Callable[[], Path]
    """Returns the path, from any thread; raises a StoreError if the file must not be read."""


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A part of a file, with its lines if it consists of lines."""

    preview: Preview
    lines: tuple[Line, ...] = ()
    missing_extra: str = ""
    """The extra that would show the file better, if it is not installed."""
    path: Path = Path()


_Key: TypeAlias = tuple[str, int, int, Request]


class Previews:
    """Reads parts of files from any thread, and keeps the most recent ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, ReadPart] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, source: FileSource, request: Request) -> ReadPart:
        """Return a part of a file; without the library that it needs, in the mode without.

        Raises:
            StoreError: the file must not be read.
            PreviewFailed: it cannot be shown so.
            PreviewCancelled: nobody waits any more.
        """
        path = source.resolve()
        key = _key(path, request)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        try:
            part = _painted(preview(path, source.name, request, is_left), request.mode)
        except MissingExtra as error:
            other = replace(request, mode=error.meanwhile)
            part = _painted(preview(path, source.name, other, is_left), other.mode)
            part = replace(part, missing_extra=error.extra)
        part = replace(part, path=path)
        with self._lock:
            self._kept[key] = part
            while len(self._kept) > KEPT_PREVIEWS:
                self._kept.popitem(last=False)
        return part


def _key(path: Path, request: Request) -> _Key:
    try:
        state = path.stat()
    except OSError as error:
        raise PreviewFailed("The file is missing.") from error
    return str(path), state.st_mtime_ns, state.st_size, request


def _painted(read: Preview, mode: Mode) -> ReadPart:
    match read.shown:
        case TextPage() as page if not is_rendered(read, mode):
            return ReadPart(read, tuple(text_lines(page)))
        case HexPage() as page:
            return ReadPart(read, tuple(hex_lines(page)))
    return ReadPart(read)


def is_rendered(read: Preview, mode: Mode) -> bool:
    """Say whether a text is rendered as Markdown, and not shown line by line."""
    return read.kind is PreviewKind.MARKDOWN and mode is Mode.BEST


def whole_text(source: FileSource, request: Request) -> str | None:
    """Return a file as safe lines for a pager, None where it is no text.

    Raises:
        StoreError, PreviewFailed, PreviewCancelled: As in `Previews.read`.
    """
    from flowtui import format as fmt

    path = source.resolve()
    texts: list[str] = []
    taken = 0
    position: int | None = 0
    while position is not None and taken < PAGER_CHARS:
        part = preview(path, source.name, replace(request, position=position), is_left)
        if not isinstance(part.shown, TextPage):
            return None
        for line in part.shown.lines:
            text = line.text.replace("\t", "    ")
            hidden = line.hidden_chars
            more = f"… {hidden:,} more characters" if hidden else ""
            texts.append(fmt.plain(text, len(text)) + more)
            taken += len(line.text)
        position = part.shown.part.next_position
    if position is not None:
        texts.append(f"… the first {taken:,} characters; save the file to have all of it")
    return "\n".join(texts) + "\n"

"""Reads files for their previews; everything here runs in worker threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from flowtui.previews.errors import MissingExtra, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import HexPage, Mode, Preview, Request, TextPage
from flowtui.previews.values import Line as FileLine
from flowtui.store.cancelling import is_left
from flowtui.widgets.cells import Line
from flowtui.widgets.documents.preview_text import hex_lines, more_characters, text_lines

OTHERWISE = "H shows its bytes, o opens it, w saves it."
KEPT_PREVIEWS = 16
"""How many parts of files are kept, so that going back to a file needs no read."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that can be previewed, opened and saved."""

    key: str
    """Identifies the file on its screen."""
    name: str
    resolve: Callable[[], Path]
    """Returns the path, from any thread; raises a StoreError if the file must not be read."""
    glance: Callable[[], Path] | None = None
    """Returns a path for previews, at which a file that is far away is read in pieces."""

    @property
    def looked_at(self) -> Path:
        """The path for previews; raises a StoreError if the file must not be read."""
        return (self.glance or self.resolve)()


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
        path = source.looked_at
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
        except PreviewFailed as error:
            raise PreviewFailed(f"{error} {OTHERWISE}") from error
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


def joined_lines(parts: Iterable[ReadPart]) -> list[Line]:
    """Return the lines of parts that follow each other; one that was cut in two is one line."""
    painted: list[Line] = []
    known: list[FileLine] = []
    for part in parts:
        page = part.preview.shown
        if not isinstance(page, TextPage):
            painted += part.lines
            continue
        added = add_lines(known, page)
        if added < len(part.lines):
            painted[-1] = [*painted[-1][:-1], more_characters(known[-1 - added].hidden_chars)]
        painted += part.lines[len(part.lines) - added :]
    return painted


def add_lines(lines: list[FileLine], page: TextPage) -> int:
    """Add the lines of the page that follows; return how many begin in it."""
    # A line is cut only where it is longer than what is shown of one.
    if not (page.starts_inside and page.lines and lines and lines[-1].hidden_chars):
        lines += page.lines
        return len(page.lines)
    rest = page.lines[0]
    hidden = lines[-1].hidden_chars + len(rest.text) + rest.hidden_chars
    lines[-1] = replace(lines[-1], hidden_chars=hidden)
    lines += page.lines[1:]
    return len(page.lines) - 1


def is_rendered(read: Preview, mode: Mode) -> bool:
    """Say whether a text is rendered as Markdown, and not shown line by line."""
    return read.kind is PreviewKind.MARKDOWN and mode is Mode.BEST

"""Finds a text in all of a file, page by page, from worker threads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

from flowtui.previews import encodings, files, text, unpacking
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import Opened, Preview, Request, TextPage
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.attachments.whole import pdf_texts
from flowtui.store.cancelling import check, is_left

MAX_PLACES = 100_000
"""How many lines with the text are found at most."""
TOLD_EVERY_S = 0.2
YIELD_S = 0.0005


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line in which the text stands."""

    position: int
    """Where the page begins that has the line, as `Request.position` takes it."""
    index: int | None
    """How many lines, or pages of a PDF, stand before that page."""
    line: int
    """Which line of the page it is."""


@dataclass(frozen=True, slots=True)
class FoundLines:
    """Places that follow the ones before, and whether there are no more."""

    places: tuple[FoundLine, ...]
    is_done: bool


def find(
    source: FileSource, request: Request, read: Preview, pattern: re.Pattern[str]
) -> Iterator[FoundLines]:
    """Yield the lines in which a pattern of plain text stands, as they are found.

    Args:
        source: The file.
        request: The form in which it is shown.
        read: The first part of it, in this form.
        pattern: What is searched for.

    Raises:
        StoreError, PreviewFailed, PreviewCancelled.
    """
    path = source.looked_at
    found: list[FoundLine] = []
    count = 0
    due = monotonic() + TOLD_EVERY_S
    for position, index, lines in _pages(path, source.name, request, read):
        check()
        # The interpreter is handed over, so that keys are not slow meanwhile.
        sleep(YIELD_S)
        found += [
            FoundLine(position, index, at) for at, line in enumerate(lines) if pattern.search(line)
        ]
        if monotonic() > due or count + len(found) >= MAX_PLACES:
            count += len(found)
            yield FoundLines(tuple(found), is_done=count >= MAX_PLACES)
            if count >= MAX_PLACES:
                return
            found, due = [], monotonic() + TOLD_EVERY_S
    yield FoundLines(tuple(found), is_done=True)


def _pages(
    path: Path, name: str, request: Request, read: Preview
) -> Iterator[tuple[int, int | None, Sequence[str]]]:
    if read.kind is PreviewKind.PDF and not request.inside:
        for number, page in enumerate(pdf_texts(path, name)):
            yield number, number, page.splitlines()
    elif read.kind.row.is_text and read.encoding is not None and not request.inside:
        with _unpacked(path, read) as file:
            yield from _text_pages(file, name, request, read)
    else:
        yield from _previewed(path, name, request)


@contextmanager
def _unpacked(path: Path, read: Preview) -> Iterator[BinaryIO]:
    """Open a file, or what is packed in it."""
    with files.opened(path) as file:
        if read.packing is None:
            yield file
            return
        pieces = unpacking.pieces(file, read.packing)
        with (
            unpacking.poured(pieces, is_left, unpacking.MAX_UNPACKED_BYTES) as inner,
            files.opened(inner.path) as plain,
        ):
            yield plain


def _text_pages(
    file: BinaryIO, name: str, request: Request, read: Preview
) -> Iterator[tuple[int, int | None, Sequence[str]]]:
    encoding = read.encoding.name if read.encoding else encodings.FALLBACK
    inner = unpacking.inner_name(name) if read.packing is not None else name
    opened = Opened(Path(), file, read.kind, inner, is_left, encoding)
    return _followed(partial(text.shown, opened), request)


def _previewed(
    path: Path, name: str, request: Request
) -> Iterator[tuple[int, int | None, Sequence[str]]]:
    return _followed(lambda wanted: preview(path, name, wanted, is_left).shown, request)


def _followed(
    page_of: Callable[[Request], object], request: Request
) -> Iterator[tuple[int, int | None, Sequence[str]]]:
    """Yield each page of a text: its position, the lines before it, and its lines."""
    wanted = replace(request, position=0, index=0, is_last=False)
    while isinstance(page := page_of(wanted), TextPage):
        part = page.part
        yield part.position, part.first, [line.text for line in page.lines]
        if part.next_position is None:
            return
        index = None if part.first is None else part.first + part.count
        wanted = replace(wanted, position=part.next_position, index=index)

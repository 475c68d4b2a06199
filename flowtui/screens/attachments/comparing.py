"""Reads two files to show how they differ; everything here runs in worker threads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from flowtui import format as fmt
from flowtui.previews.document_blocks import Code, Member, Table
from flowtui.previews.errors import MissingExtra, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import (
    Arrays,
    DocumentPage,
    EmptyFile,
    JsonRecords,
    JsonTree,
    Listing,
    Mode,
    Picture,
    Preview,
    Request,
    Shown,
    TablePage,
    TextPage,
)
from flowtui.screens.attachments.reading import FileSource
from flowtui.store.cancelling import check, is_left
from flowtui.store.compare.files import FileDigests
from flowtui.store.values import JsonValue
from flowtui.widgets.documents.line_differences import (
    LineDifference,
    json_difference,
    line_difference,
)
from flowtui.widgets.documents.preview_documents import shape

MAX_CHARS = 1_000_000
"""How much of each file is compared as text; the rest is compared by its digest alone."""
PAGE_LINES = 2_000
CELL_GAP = " │ "


class FileEnd(NamedTuple):
    """One of two files that are compared."""

    letter: str
    """What a person calls it: the letter of its run."""
    name: str
    """Its name, as stored."""
    source: FileSource


@dataclass(slots=True)
class FileContent:
    """What was read of a file, as far as it can be compared."""

    kind: PreviewKind
    size_bytes: int
    lines: list[str] = field(default_factory=list)
    value: JsonValue = None
    """The value of a JSON file that was read whole."""
    has_value: bool = False
    picture: Picture | None = None
    is_rows: bool = False
    """Whether the lines are the rows of a table."""
    is_whole: bool = True
    """Whether the lines are all that is in the file."""
    is_opaque: bool = False
    """Whether nothing of it can be shown as lines."""


@dataclass(frozen=True, slots=True)
class FileComparison:
    """How two files differ, as far as their contents can be shown."""

    kinds: tuple[PreviewKind, PreviewKind]
    sizes: tuple[int, int]
    difference: LineDifference | None = None
    pictures: tuple[Picture, Picture] | None = None
    note: str = ""


def compare(one: FileEnd, other: FileEnd, request: Request) -> FileComparison:
    """Return how two files differ; each is read as its preview is, within bounds.

    Raises:
        StoreError: One of them must not be read.
        PreviewFailed: One of them is missing or cannot be shown.
        PreviewCancelled, ReadCancelled: Nobody waits any more.
    """
    contents = _content(one.source, request), _content(other.source, request)
    left, right = contents
    if left.is_rows != right.is_rows or left.has_value != right.has_value:
        as_text = replace(request, mode=Mode.TEXT)
        left, right = _content(one.source, as_text), _content(other.source, as_text)
    kinds, sizes = (left.kind, right.kind), (left.size_bytes, right.size_bytes)
    if left.picture is not None and right.picture is not None:
        return FileComparison(kinds, sizes, pictures=(left.picture, right.picture))
    if left.is_opaque or right.is_opaque or left.picture or right.picture:
        said = "Their contents cannot be shown side by side: only sizes and contents are compared."
        return FileComparison(kinds, sizes, note=said)
    letters = one.letter, other.letter
    if left.has_value and right.has_value:
        return FileComparison(kinds, sizes, json_difference(left.value, right.value, letters))
    check()
    noun = "row" if left.is_rows else "line"
    difference = line_difference(left.lines, right.lines, letters, noun)
    note = ""
    if not (left.is_whole and right.is_whole):
        note = f"only the first {MAX_CHARS:,} characters are compared {noun} by {noun}"
    return FileComparison(kinds, sizes, difference, note=note)


def _content(source: FileSource, request: Request) -> FileContent:
    wanted = replace(request, count=PAGE_LINES)
    first = _read(source, wanted)
    if first.kind is PreviewKind.PDF and wanted.mode is Mode.BEST:
        wanted = replace(wanted, mode=Mode.TEXT)
        first = _read(source, wanted)
    shown = first.shown
    if isinstance(shown, TablePage) and len(shown.columns) < shown.column_count:
        # A preview has some of the columns only; all of them are to be compared.
        wanted = replace(wanted, mode=Mode.TEXT)
        first = _read(source, wanted)
        shown = first.shown
    found = FileContent(first.kind, first.size_bytes)
    if isinstance(shown, Picture):
        found.picture = shown
    elif isinstance(shown, JsonTree) and shown.part.next_position is None and not shown.problem:
        found.value, found.has_value = shown.value, True
    elif isinstance(shown, JsonTree):
        return _content(source, replace(request, mode=Mode.TEXT))
    elif isinstance(shown, EmptyFile):
        pass
    elif _lines_of(shown) is None:
        found.is_opaque = True
    else:
        found.is_rows = isinstance(shown, TablePage)
        _take_all(found, source, wanted, first)
    return found


def _read(source: FileSource, request: Request) -> Preview:
    path = source.resolve()
    try:
        return preview(path, source.name, request, is_left)
    except MissingExtra as error:
        return preview(path, source.name, replace(request, mode=error.meanwhile), is_left)


def _take_all(found: FileContent, source: FileSource, request: Request, first: Preview) -> None:
    """Take the lines of a file, page by page, as far as they are compared."""
    shown = first.shown
    taken = 0
    if isinstance(shown, TablePage):
        found.lines.append(CELL_GAP.join(column.name for column in shown.columns))
    while True:
        lines = _lines_of(shown) or []
        starts_inside = isinstance(shown, TextPage) and shown.starts_inside and found.lines
        if starts_inside and lines:
            found.lines[-1] += lines.pop(0)
        found.lines += lines
        taken += sum(map(len, lines))
        position = None if isinstance(shown, EmptyFile) else shown.part.next_position
        is_sheet = isinstance(shown, TablePage) and shown.sheet + 1 < len(shown.sheets)
        if position is None and is_sheet and taken < MAX_CHARS:
            request = replace(request, sheet=request.sheet + 1)
            shown = _read(source, replace(request, position=0, index=0)).shown
            if isinstance(shown, TablePage):
                found.lines.append(f"── {shown.sheets[shown.sheet]}")
                found.lines.append(CELL_GAP.join(column.name for column in shown.columns))
            continue
        if position is None:
            found.is_whole = first.is_unpacked_whole and not is_sheet
            return
        if taken >= MAX_CHARS:
            found.is_whole = False
            return
        check()
        first_row = None if isinstance(shown, EmptyFile) else shown.part.first
        index = None if first_row is None else first_row + len(lines)
        shown = _read(source, replace(request, position=position, index=index)).shown


def _lines_of(shown: Shown) -> list[str] | None:
    """Return a part of a file as lines; None if it has none."""
    match shown:
        case TextPage(lines=lines):
            # A line that is cut must not be taken for one that only begins like it.
            return [
                line.text + (f"… {line.hidden_chars:,} more" if line.hidden_chars else "")
                for line in lines
            ]
        case TablePage(rows=rows):
            return [CELL_GAP.join(row) for row in rows]
        case JsonRecords(records=records):
            return [json.dumps(one.value, ensure_ascii=False) for one in records]
        case Arrays(arrays=arrays, metadata=metadata):
            told = [f"{one.name}  {one.dtype}  {shape(one.shape)}" for one in arrays]
            about = json.dumps(metadata, ensure_ascii=False, indent=2) if metadata else ""
            return told + about.splitlines()
        case Listing(members=members):
            return [f"{one.name}  {one.type}  {one.size_bytes:,} bytes" for one in members]
        case DocumentPage():
            return list(_document_lines(shown))
    return None


def _document_lines(page: DocumentPage) -> Iterator[str]:
    for block in page.blocks:
        match block:
            case Table(rows=rows):
                yield from (CELL_GAP.join(row) for row in rows)
            case Member(name, size_bytes):
                yield f"{name}  {size_bytes:,} bytes"
            case Code(text=text, hidden_chars=hidden) if hidden:
                yield from f"{text}… {hidden:,} more".split("\n")
            case _:
                yield from block.text.split("\n")


def verdict(
    one: FileEnd,
    other: FileEnd,
    digests: FileDigests,
    told: Callable[[int, int], None],
) -> str:
    """Return in words whether two files are equal, by their sizes or else by all their bytes.

    Args:
        one: The one file.
        other: The other.
        digests: Where digests are kept.
        told: Is told how many bytes were read, and of how many.

    Raises:
        StoreError: One of them cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    paths = one.source.resolve(), other.source.resolve()
    try:
        sizes = [path.stat().st_size for path in paths]
    except OSError as error:
        raise PreviewFailed("The file is missing.") from error
    if sizes[0] != sizes[1]:
        # A size that reads alike is told in bytes.
        texts = [fmt.size(size) for size in sizes]
        if texts[0] == texts[1]:
            texts = [f"{size:,} B" for size in sizes]
        return f"≠ differ in size: {one.letter} {texts[0]}, {other.letter} {texts[1]}"
    done = 0

    def count(piece_bytes: int) -> None:
        nonlocal done
        done += piece_bytes
        told(done, sum(sizes))

    found = [digests.read(path, count) for path in paths]
    size = fmt.size(sizes[0])
    if found[0] == found[1]:
        return f"= equal: {size}, sha256 {found[0][:12]}…"
    shown = f"sha256 {found[0][:8]}… and {found[1][:8]}…"
    return f"≠ differ: both {size}, {shown}"

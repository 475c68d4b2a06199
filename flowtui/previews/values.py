"""What a preview is asked with and what it answers: frozen values that say nothing of widgets.

Text in them is untrusted and reaches a terminal only through `flowtui.format.plain`. Sizes are
in bytes of the file, or of what it unpacks to where `Preview.packing` names a packing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from flowtui.previews.document_blocks import DocumentBlock, Member
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.zooming import WHOLE, View
from flowtui.store.values import JsonValue

Cancelled: TypeAlias = Callable[[], bool]
Origin: TypeAlias = Literal["known", "guessed", "chosen"]


def never() -> bool:
    """Return False, for a read that nobody cancels."""
    return False


class Mode(StrEnum):
    """How a file is to be shown."""

    BEST = "best"
    PICTURE = "picture"
    TEXT = "text"
    HEX = "hex"
    STATISTICS = "statistics"
    """Arrays with their least and largest number, their mean and how many are NaN."""


@dataclass(frozen=True, slots=True)
class Request:
    """How much of a file is wanted, in which form."""

    width: int = 80
    """The width of the pane, in cells."""
    height: int = 24
    mode: Mode = Mode.BEST
    position: int = 0
    """Where the part begins: `Part.next_position` of the part before, or 0."""
    index: int | None = 0
    """How many units stand before `position`; None if that is not known."""
    count: int = 1_000
    """How many lines, rows, blocks or members at most."""
    is_last: bool = False
    """Whether the end is wanted, whatever `position` says."""
    background: tuple[int, int, int] = (0, 0, 0)
    """The colour under transparent pixels."""
    view: View = WHOLE
    """Which part of a picture is wanted, how large."""
    first_column: int = 0
    """For a table: how many columns stand before those that are wanted."""
    encoding: str | None = None
    """The encoding to read a text in; None for the one that it seems to have."""
    sheet: int = 0
    """Which sheet of a workbook is wanted."""
    inside: tuple[Member, ...] = ()
    """The member of the file that is wanted, after those that it lies in."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open to be read, and what is known of it."""

    path: Path
    file: BinaryIO
    kind: PreviewKind
    name: str
    cancelled: Cancelled
    encoding: str | None = None
    """The encoding of a text, or of the names in a ZIP file that are not marked as UTF-8."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a file is shown."""

    unit: str
    """line, row, page, byte, block, item, member or array."""
    first: int | None
    """How many units stand before the part; None if that is not known."""
    count: int
    total: int | None
    """How many units there are; None if that is not known."""
    next_position: int | None
    """Where the next part begins; None after the last one."""
    position: int = 0

    @classmethod
    def numbered(cls, unit: str, first: int, count: int, total: int) -> Part:
        """Return a part of units whose total is known, with its number as its position."""
        end = first + count
        return cls(unit, first, count, total, end if end < total else None, first)


@dataclass(frozen=True, slots=True)
class Style:
    """The style that a log gave to a run of text: a colour by palette number or RGB."""

    colour: int | tuple[int, int, int] | None = None
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class StyleRun:
    """Characters `start` to `end` of a line that have a style."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its end."""

    text: str
    runs: tuple[StyleRun, ...] = ()
    hidden_chars: int = 0
    """How many more characters the line has, at least."""


@dataclass(frozen=True, slots=True)
class TextPage:
    lines: tuple[Line, ...]
    part: Part
    encoding: str
    language: str | None = None
    """The name of a Pygments lexer, for source and for JSON that is shown as text."""
    starts_inside: bool = False
    """Whether the first line began before this page."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class TableColumn:
    name: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class TablePage:
    """Rows of texts. A row may be shorter than `columns`, never longer."""

    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    part: Part
    column_count: int
    """How many columns there are; `columns` are some of them."""
    first_column: int = 0
    """How many columns stand before `columns`; rows begin at the same column."""
    has_header: bool = True
    """Whether the names of the columns come from the file."""
    delimiter: str | None = None
    encoding: str | None = None
    is_as_written: bool = True
    """Whether the positions of its parts are those in the file itself."""
    note: str = ""
    sheets: tuple[str, ...] = ()
    """The names of the sheets of a workbook."""
    sheet: int = 0
    """Which of them this is a part of."""


@dataclass(frozen=True, slots=True)
class Picture:
    """RGB pixels, row by row. A cell shows two of them, one above the other."""

    width_px: int
    height_px: int
    rgb: bytes
    source_width: int
    """The width of the original in its own units: pixels, or points of a page."""
    source_height: int
    part: Part
    """Which frame or page this is."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class JsonTree:
    """One JSON value, or those of its first items that were read."""

    value: JsonValue
    part: Part
    note: str = ""
    problem: str | None = None
    """What the file says that the value does not."""


@dataclass(frozen=True, slots=True)
class JsonRecord:
    """One line of JSONL; `value` is the text of a broken one, else what can be shown of it."""

    value: JsonValue
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class JsonRecords:
    records: tuple[JsonRecord, ...]
    part: Part
    encoding: str


@dataclass(frozen=True, slots=True)
class DocumentPage:
    blocks: tuple[DocumentBlock, ...]
    part: Part
    note: str = ""


@dataclass(frozen=True, slots=True)
class Array:
    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int | None
    """The size of its data; None where the type does not tell."""
    statistics: tuple[str, ...] = ()
    """The least and the largest number, the mean, and how many are NaN, if they were asked for."""


@dataclass(frozen=True, slots=True)
class Arrays:
    arrays: tuple[Array, ...]
    part: Part
    metadata: JsonValue = None


@dataclass(frozen=True, slots=True)
class Listing:
    members: tuple[Member, ...]
    part: Part
    manifest: JsonValue = None
    """What manifest.json holds, if it is among the first members."""


@dataclass(frozen=True, slots=True)
class HexRow:
    position: int
    data: bytes


@dataclass(frozen=True, slots=True)
class HexPage:
    rows: tuple[HexRow, ...]
    row_bytes: int
    part: Part


@dataclass(frozen=True, slots=True)
class EmptyFile:
    """A file with nothing in it."""


Shown: TypeAlias = (
    TextPage
    | TablePage
    | Picture
    | JsonTree
    | JsonRecords
    | DocumentPage
    | Arrays
    | Listing
    | HexPage
    | EmptyFile
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding that a text was read in."""

    name: str
    origin: Origin
    """`known` means by its mark or its bytes alone."""
    choices: tuple[tuple[str, str], ...] = ()
    """The encodings that it can be read in, the likeliest first, each with its first words."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A part of a file, as what it is."""

    kind: PreviewKind
    shown: Shown
    size_bytes: int
    """The size of the file on disk."""
    modes: tuple[Mode, ...] = (Mode.BEST, Mode.HEX)
    """The modes in which the file can be asked for."""
    packing: PreviewKind | None = None
    """GZIP or ZSTD where the file was unpacked to be read."""
    unpacked_bytes: int | None = None
    is_unpacked_whole: bool = True
    """False where only the first `unpacked_bytes` were unpacked."""
    encoding: Encoding | None = None
    """The encoding of a text, of what is made from one, or of unmarked names in a ZIP file."""

"""The title line of a preview: the file's name, its kind, and how much of it is shown."""

from __future__ import annotations

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import (
    Arrays,
    EmptyFile,
    HexPage,
    Listing,
    Part,
    Picture,
    Preview,
    TablePage,
    TextPage,
)
from flowtui.widgets.cells import Line, Piece, fit, width_of

SEPARATOR = " · "
MIN_NOTE_CELLS = 20
"""The width that words about the file keep, or are left out."""
MIN_NAME_CELLS = 20
"""The width that a file's name keeps before words about the file are left out."""


def title(name: str, read: Preview, amount: str, keys: str, width: int) -> Line:
    """Return the title line; if space is short, the name is cut before anything else.

    Args:
        name: The file's name, made safe.
        read: The first part of the file.
        amount: How much of the file is shown, as `shown_part` says it.
        keys: The keys that show the file in other forms.
        width: The width in cells.
    """
    name_cells = cell_len(name)
    words = [word for word in (*_kind_words(read), amount) if word]
    note, size = note_of(read), fmt.size(read.size_bytes)
    least = min(name_cells, MIN_NAME_CELLS)

    def left_beside(*more: str) -> int:
        return width - 3 - least - cell_len(SEPARATOR.join((*words, *filter(None, more))))

    # What also stands in the tree or below is left out first; what is to be said is cut.
    kept = next(
        (more for more in ((note, size, keys), (note, keys)) if left_beside(*more) >= 0), (note,)
    )
    if left_beside(*kept) >= 0:
        words += filter(None, kept)
    elif left_beside("x") >= MIN_NOTE_CELLS:
        words.append(fit(note, left_beside("x")).rstrip())
    while len(words) > 2 and left_beside() < 0:
        words.pop()
    right = [Piece("  " + SEPARATOR.join(words), "muted")]
    room = max(width - width_of(right) - 2, least)
    return [Piece(" "), Piece(fit(name, min(name_cells, room)), "title"), *right]


def _kind_words(read: Preview) -> list[str]:
    words = [_name_of_kind(read)]
    if read.packing is not None or not read.is_unpacked_whole:
        unpacked = fmt.size(read.unpacked_bytes or 0)
        words.append(f"{unpacked} unpacked" if read.is_unpacked_whole else f"first {unpacked}")
    match read.shown:
        case Picture(source_width=width, source_height=height) if read.kind not in (
            PreviewKind.PDF,
            PreviewKind.WAV,
        ):
            words.append(f"{width:,} × {height:,}")
        case TablePage(column_count=count, sheets=sheets, sheet=sheet):
            if sheets:
                words.append(f"sheet {sheet + 1:,} of {len(sheets):,}")
                words.append(fmt.plain(sheets[sheet], 40))
            words.append(fmt.count(count, "column"))
    encoding = read.encoding
    if encoding is not None and (encoding.name, encoding.origin) != ("UTF-8", "known"):
        words.append(encoding.name + ("" if encoding.origin == "known" else f" {encoding.origin}"))
    return words


def _name_of_kind(read: Preview) -> str:
    name = read.kind.row.name
    if isinstance(read.shown, TextPage) and read.kind is PreviewKind.SOURCE:
        name = read.shown.language or name
    if isinstance(read.shown, HexPage) and read.kind is not PreviewKind.BINARY:
        name += " as bytes"
    return name if read.packing is None else f"{name} in {read.packing.row.name}"


def shown_part(part: Part, count: int, before: int = 0) -> str:
    """Return how much is shown: `page 2 of 9`, `first 1,000 of 5,000 lines`, `120 lines`.

    Args:
        part: The last part that was read.
        count: How many units are shown in all.
        before: How many units stand before them.
    """
    if part.unit == "page" and part.total == 1:
        return ""
    if part.unit == "page":
        return f"page {(part.first or 0) + 1:,} of {part.total or 0:,}"
    if part.unit == "frame":
        return f"first of {part.total:,} frames" if (part.total or 1) > 1 else ""
    if before and part.unit == "line":
        return f"lines {before + 1:,} to {before + count:,}"
    if part.unit == "byte" and part.next_position is None and part.total == count:
        return ""
    if part.next_position is None and (part.total is None or part.total <= count):
        return fmt.count(count, part.unit)
    if part.total is None:
        return f"first {fmt.count(count, part.unit)}"
    return f"first {count:,} of {fmt.count(part.total, part.unit)}"


def count_of(parts: list[Preview]) -> int:
    """Return how many units the parts of a file are together, one that is in two of them once."""
    first, last = _part(parts[0]), _part(parts[-1])
    if first.first is None or last.first is None:
        return sum(_part(read).count for read in parts)
    return last.first + last.count - first.first


def _part(read: Preview) -> Part:
    return Part("byte", 0, 0, 0, None) if isinstance(read.shown, EmptyFile) else read.shown.part


def part_of(read: Preview) -> Part:
    """Return which part of its file is shown, also for an empty file."""
    return _part(read)


def note_of(read: Preview) -> str:
    """Return what is to be said about what is shown, made safe."""
    if isinstance(read.shown, (EmptyFile, HexPage, Arrays, Listing)):
        return ""
    return fmt.plain(getattr(read.shown, "note", ""), 200)

"""Text of any encoding and length, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from flowtui.previews import ansi, encodings, files, kinds, overwriting
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Line, Opened, Part, Request, TextPage

PAGE_BYTES = 128 * 1024
LINE_CHARS = 4_000
"""How much of one line is shown; a longer one says how many more characters it has."""
WIDEST_UNIT = 4


@dataclass(slots=True)
class _Lines:
    """Lines as they stand in a file, and how many bytes they are."""

    texts: list[str]
    used: int
    left_out: int = 0
    """How many parts of the last line are left out because others overwrite them."""


def shown(opened: Opened, request: Request) -> TextPage:
    """Return the wanted lines of a text, as `page` does, in the language of its kind or name."""
    language = opened.kind.row.language or kinds.language_of(opened.name)
    is_overwritten = opened.kind in (PreviewKind.TEXT, PreviewKind.ANSI)
    encoding = opened.encoding or encodings.FALLBACK
    return page(opened.file, request, encoding, language, is_overwritten=is_overwritten)


def page(
    file: BinaryIO,
    request: Request,
    encoding: str,
    language: str | None = None,
    max_bytes: int = PAGE_BYTES,
    line_chars: int = LINE_CHARS,
    is_overwritten: bool = False,
) -> TextPage:
    """Return lines from a byte position, or the last ones.

    A page ends after `Request.count` lines or `max_bytes`. The number of lines is known on the page
    that reaches the end, if it is known how many stand before that page.

    Args:
        is_overwritten: Whether what follows a carriage return overwrites what stands before it.
    """
    size = files.size_of(file)
    mark = encodings.mark_bytes(files.read_at(file, 0, WIDEST_UNIT), encoding)
    start = (
        _last_start(file, size, encoding, mark, max_bytes) if request.is_last else request.position
    )
    start = max(start, mark)
    index = 0 if start == mark else (None if request.is_last else request.index)
    starts_inside = _starts_inside(file, start, encoding, mark)
    if starts_inside and index:
        # The line that goes on here was counted where it begins.
        index -= 1
    data = files.read_at(file, start, max_bytes)
    lines = _lines(data, encoding, request, start + len(data) >= size, is_overwritten)
    if is_overwritten and len(lines.texts) < request.count and start + len(data) < size:
        _read_on(file, start, data, encoding, lines)
    end = start + lines.used
    is_end = end >= size
    shown, left_out = _styled(lines.texts, line_chars, is_overwritten)
    left_out += lines.left_out
    if request.is_last:
        skipped = max(len(shown) - request.count, 0)
        shown, index = shown[skipped:], None if skipped or index is None else index
    total = index + len(shown) if is_end and index is not None else None
    return TextPage(
        lines=tuple(shown),
        part=Part("line", index, len(shown), total, None if is_end else end, start),
        encoding=encoding,
        language=language,
        starts_inside=starts_inside,
        note=f"overwritten parts left out: {left_out:,}" if left_out else "",
    )


def _lines(
    data: bytes, encoding: str, request: Request, is_end: bool, is_overwritten: bool
) -> _Lines:
    """Return the lines of a page that end in it."""
    whole = len(data) if is_end else encodings.last_line_end(data, encoding)
    if not whole:
        if is_overwritten and overwriting.is_progress(encodings.decode(data, encoding)):
            return _Lines([], 0)
        # Lines of an old Macintosh, or a line longer than a page, which goes on on the next page.
        whole = encodings.last_line_end(data, encoding, "\r") or encodings.whole_bytes(
            data, encoding
        )
    kept = data[:whole]
    text = encodings.decode(kept, encoding)
    if "\r" in text and "\n" not in text and not (is_overwritten and overwriting.is_progress(text)):
        # Old Macintoshes ended lines like this.
        lines = text.split("\r")
    else:
        lines = [line.rstrip("\r") for line in text.split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    if request.is_last or len(lines) <= request.count:
        return _Lines(lines, whole)
    return _Lines(lines[: request.count], _bytes_of_lines(kept, encoding, request.count))


def _read_on(file: BinaryIO, start: int, data: bytes, encoding: str, lines: _Lines) -> None:
    """Complete the line that is cut by the end of a page, if it is a progress bar.

    Only its last state counts, and that may be many pages further on.
    """
    begun = data[lines.used :]
    if not overwriting.is_progress(encodings.decode(begun, encoding)):
        return
    line = overwriting.read_line(file, start + lines.used, encoding)
    lines.texts.append(encodings.decode(line.tail, encoding).rstrip("\r\n"))
    lines.used += line.size_bytes
    lines.left_out = line.left_out


def _bytes_of_lines(data: bytes, encoding: str, count: int) -> int:
    mark = encodings.encoded("\n", encoding)
    if mark not in data:
        mark = encodings.encoded("\r", encoding)
    end = 0
    while count:
        found = encodings.find(data, mark, end)
        if found < 0:
            return len(data)
        end = found + len(mark)
        count -= 1
    return end


def _styled(lines: list[str], line_chars: int, is_overwritten: bool) -> tuple[list[Line], int]:
    """Return lines as they are shown, and how many parts of them others overwrite."""
    shown = []
    left_out = 0
    style = ansi.PLAIN
    for line in lines:
        if is_overwritten and overwriting.moves(line):
            left_out += overwriting.part_count(line) - 1
            text, runs, style = overwriting.shown(line, style)
            runs = tuple(run for run in runs if run.end <= line_chars)
            shown.append(Line(text[:line_chars], runs, max(len(text) - line_chars, 0)))
            continue
        hidden = max(len(line) - line_chars, 0)
        text, runs, style = ansi.parsed(line[:line_chars], style)
        shown.append(Line(text, runs, hidden))
    return shown, left_out


def _last_start(file: BinaryIO, size: int, encoding: str, mark: int, max_bytes: int) -> int:
    """Return where the last page begins: at a line, if one begins within it."""
    unit = encodings.UNIT_BYTES.get(encoding, 1)
    start = size - max_bytes
    start -= start % unit
    if start <= mark:
        return mark
    data = files.read_at(file, start, max_bytes)
    end = _bytes_of_lines(data, encoding, 1)
    if end < len(data):
        return start + end
    if encoding == "UTF-8":
        while data and data[0] & 0xC0 == 0x80:
            data, start = data[1:], start + 1
    return start


def _starts_inside(file: BinaryIO, start: int, encoding: str, mark: int) -> bool:
    if start <= mark:
        return False
    end = encodings.encoded("\n", encoding)
    before = files.read_at(file, start - len(end), len(end))
    return before != end and before != encodings.encoded("\r", encoding)

"""Text of any encoding and length, page by page."""

from __future__ import annotations

from typing import BinaryIO

from flowtui.previews import ansi, encodings, files
from flowtui.previews.values import Line, Part, Request, TextPage

PAGE_BYTES = 128 * 1024
LINE_CHARS = 4_000
"""Of one line; a longer one says how many more characters it has."""
WIDEST_UNIT = 4


def page(
    file: BinaryIO,
    request: Request,
    encoding: str,
    language: str | None = None,
    max_bytes: int = PAGE_BYTES,
    line_chars: int = LINE_CHARS,
) -> TextPage:
    """Return lines from a byte position on, or the last ones.

    A page ends after `Request.count` lines or `max_bytes`. How many lines there are is known
    on the page that reaches the end, if it is known how many lie before it.
    """
    size = files.size_of(file)
    mark = encodings.mark_bytes(files.read_at(file, 0, WIDEST_UNIT), encoding)
    start = (
        _last_start(file, size, encoding, mark, max_bytes) if request.is_last else request.position
    )
    start = max(start, mark)
    index = 0 if start == mark else (None if request.is_last else request.index)
    data = files.read_at(file, start, max_bytes)
    lines, used = _lines(data, encoding, request, is_end=start + len(data) >= size)
    end = start + used
    is_end = end >= size
    shown = _styled(lines, line_chars)
    if request.is_last:
        skipped = max(len(shown) - request.count, 0)
        shown, index = shown[skipped:], None if skipped or index is None else index
    total = index + len(shown) if is_end and index is not None else None
    return TextPage(
        lines=tuple(shown),
        part=Part("line", index, len(shown), total, None if is_end else end, start),
        encoding=encoding,
        language=language,
        starts_inside=_starts_inside(file, start, encoding, mark),
    )


def _lines(data: bytes, encoding: str, request: Request, is_end: bool) -> tuple[list[str], int]:
    """Return the lines of a page and how many bytes they are."""
    whole = len(data) if is_end else encodings.last_line_end(data, encoding)
    if not whole:
        # One line is longer than a page: it goes on, on the next one.
        whole = encodings.whole_bytes(data, encoding)
    kept = data[:whole]
    if "\r" in (text := encodings.decode(kept, encoding)) and "\n" not in text:
        lines = text.split("\r")
    else:
        lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    if request.is_last or len(lines) <= request.count:
        return lines, whole
    lines = lines[: request.count]
    return lines, _bytes_of_lines(kept, encoding, request.count)


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


def _styled(lines: list[str], line_chars: int) -> list[Line]:
    shown = []
    style = ansi.PLAIN
    for line in lines:
        hidden = max(len(line) - line_chars, 0)
        text, runs, style = ansi.parsed(line[:line_chars], style)
        shown.append(Line(text, runs, hidden))
    return shown


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

"""JSON as a tree, the first items of it where it is large; JSONL line by line."""

from __future__ import annotations

import json
import re
from typing import BinaryIO

from flowtui.previews import encodings, files, text
from flowtui.previews.values import (
    JsonRecord,
    JsonRecords,
    JsonTree,
    Part,
    Request,
    TextPage,
)
from flowtui.store import bounded_json
from flowtui.store.values import JsonValue

WHOLE_BYTES = 2_000_000
"""As much is parsed at once; it holds the interpreter for some 25 ms."""
FIRST_ITEMS_BYTES = 1_000_000
"""Of a larger value."""
RECORD_BYTES = 1_000_000
_SPACE = re.compile(r"[ \t\r\n]*")


def tree(file: BinaryIO, request: Request, encoding: str) -> JsonTree | TextPage:
    """Return the value of a JSON file, the first items of a large one, or text if it is broken."""
    size = files.size_of(file)
    is_whole = size <= WHOLE_BYTES
    data = files.read_at(file, 0, WHOLE_BYTES if is_whole else FIRST_ITEMS_BYTES)
    source = encodings.decode(data[encodings.mark_bytes(data, encoding) :], encoding)
    problem: str | None
    if is_whole:
        value, problem = bounded_json.parsed(source)
        if problem is None:
            length = len(value) if isinstance(value, (list, dict)) else 1
            return JsonTree(value, Part("item", 0, length, length, None))
    else:
        first = first_items(source)
        if first:
            note = f"the first {len(first):,} items; the file is too large to be read whole"
            return JsonTree(first, Part("item", 0, len(first), None, None), note)
        problem = "is too large to be shown as a tree"
    page = text.page(file, request, encoding, language="json")
    note = f"The file {problem}."
    return TextPage(page.lines, page.part, page.encoding, "json", page.starts_inside, note)


def first_items(source: str) -> list[JsonValue] | dict[str, JsonValue] | None:
    """Return as many items of the list or object that a text begins with as are whole in it.

    Items that go wrong, or nest too deeply, end it.
    """
    decoder = json.JSONDecoder()
    position = _after_space(source, 0)
    opening = source[position : position + 1]
    if opening not in ("[", "{"):
        return None
    items: list[JsonValue] = []
    pairs: dict[str, JsonValue] = {}
    position += 1
    try:
        while True:
            position = _after_space(source, position)
            if opening == "{":
                key, position = decoder.raw_decode(source, position)
                position = _after_space(source, position)
                if source[position : position + 1] != ":" or not isinstance(key, str):
                    break
                position = _after_space(source, position + 1)
            value, position = decoder.raw_decode(source, position)
            position = _after_space(source, position)
            if position >= len(source):
                # A number may go on behind the end.
                break
            if opening == "{":
                pairs[key] = value
            else:
                items.append(value)
            if source[position] != ",":
                break
            position += 1
    except (ValueError, RecursionError):
        pass
    return pairs if opening == "{" else items


def records(file: BinaryIO, request: Request, encoding: str) -> JsonRecords:
    """Return the values of lines from a byte position on, or of the last lines."""
    page = text.page(file, request, encoding, max_bytes=RECORD_BYTES, line_chars=RECORD_BYTES)
    found = tuple(_record(line.text) for line in page.lines)
    part = page.part
    renamed = Part("record", part.first, part.count, part.total, part.next_position, part.position)
    return JsonRecords(found, renamed, page.encoding)


def _record(line: str) -> JsonRecord:
    value, problem = bounded_json.parsed(line.strip())
    return JsonRecord(value, problem)


def _after_space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    return match.end() if match is not None else position

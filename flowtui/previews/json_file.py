"""JSON as a tree, the first items of it where it is large; JSONL line by line."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import BinaryIO

from flowtui.previews import encodings, files, text
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import (
    JsonRecord,
    JsonRecords,
    JsonTree,
    Opened,
    Part,
    Request,
    TextPage,
)
from flowtui.store import bounded_json
from flowtui.store.values import JsonValue

WHOLE_BYTES = 2_000_000
"""How much is parsed at once, which holds the interpreter for some 50 ms."""
FIRST_ITEMS_BYTES = 1_000_000
"""How much of a larger value is parsed."""
RECORD_BYTES = 1_000_000
_KEY_CHARS = 40
_SPACE = re.compile(r"[ \t\r\n]*")
_NOT_ZERO = re.compile(r"-?[0.]*[1-9]")


class _Losses:
    """What a JSON text says that its value loses: a key given twice, a number too large or small.

    Such a number becomes infinite, or zero.
    """

    def __init__(self) -> None:
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self.object_of, parse_float=self._float_of
        )
        self._key: str | None = None
        self._number: str | None = None

    @property
    def problem(self) -> str | None:
        said = []
        if self._key is not None:
            key = json.dumps(self._key[:_KEY_CHARS], ensure_ascii=False)
            said.append(f"gives the key {key} more than once, of which the last value is shown")
        if self._number is not None:
            said.append(f"has the number {self._number[:_KEY_CHARS]}, beyond what a double holds")
        return " and ".join(said) or None

    def object_of(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        value = dict(pairs)
        if len(value) < len(pairs) and self._key is None:
            counts = Counter(key for key, _ in pairs)
            self._key = next(key for key, count in counts.items() if count > 1)
        return value

    def _float_of(self, text: str) -> float:
        value = float(text)
        if math.isinf(value) or (value == 0 and _NOT_ZERO.match(text)):
            self._number = self._number or text
        return value


def shown(opened: Opened, request: Request) -> JsonTree | JsonRecords | TextPage:
    """Return JSON as `tree` does, and JSONL as `records` does."""
    read = tree if opened.kind is PreviewKind.JSON else records
    return read(opened.file, request, opened.encoding or encodings.FALLBACK)


def tree(file: BinaryIO, request: Request, encoding: str) -> JsonTree | TextPage:
    """Return the value of a JSON file, the first items of a large one, or text if it is broken."""
    size = files.size_of(file)
    is_whole = size <= WHOLE_BYTES
    data = files.read_at(file, 0, WHOLE_BYTES if is_whole else FIRST_ITEMS_BYTES)
    source = encodings.decode(data[encodings.mark_bytes(data, encoding) :], encoding)
    problem: str | None
    losses = _Losses()
    if is_whole:
        value, problem = bounded_json.parsed(source, decoder=losses.decoder)
        if problem is None:
            length = len(value) if isinstance(value, (list, dict)) else 1
            return JsonTree(value, Part("item", 0, length, length, None), problem=losses.problem)
    else:
        first = first_items(source, losses)
        if first:
            note = f"the first {len(first):,} items; the file is too large to be read whole"
            part = Part("item", 0, len(first), None, None)
            return JsonTree(first, part, note, losses.problem)
        problem = "is too large to be shown as a tree"
    page = text.page(file, request, encoding, language="json")
    note = f"The file {problem}."
    return TextPage(page.lines, page.part, page.encoding, "json", page.starts_inside, note)


def first_items(
    source: str, losses: _Losses | None = None
) -> list[JsonValue] | dict[str, JsonValue] | None:
    """Return the complete items of the list or object at the beginning of a text.

    An item that is broken, or nests too deeply, ends it.
    """
    losses = losses or _Losses()
    decoder = losses.decoder
    position = _after_space(source, 0)
    opening = source[position : position + 1]
    if opening not in ("[", "{"):
        return None
    items: list[JsonValue] = []
    pairs: list[tuple[str, JsonValue]] = []
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
                # A number may go on after the end.
                break
            if opening == "{":
                pairs.append((key, value))
            else:
                items.append(value)
            if source[position] != ",":
                break
            position += 1
    except (ValueError, RecursionError):
        pass
    return losses.object_of(pairs) if opening == "{" else items


def records(file: BinaryIO, request: Request, encoding: str) -> JsonRecords:
    """Return the values of lines from a byte position, or of the last lines."""
    page = text.page(file, request, encoding, max_bytes=RECORD_BYTES, line_chars=RECORD_BYTES)
    found = tuple(_record(line.text) for line in page.lines)
    part = page.part
    renamed = Part("record", part.first, part.count, part.total, part.next_position, part.position)
    return JsonRecords(found, renamed, page.encoding)


def _record(line: str) -> JsonRecord:
    losses = _Losses()
    value, problem = bounded_json.parsed(line.strip(), decoder=losses.decoder)
    return JsonRecord(value, problem or losses.problem)


def _after_space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    return match.end() if match is not None else position

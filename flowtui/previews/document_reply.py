"""The blocks of a document as a child process writes them: lists, each begun by a word."""

from __future__ import annotations

import json

from flowtui.previews.document_blocks import (
    Code,
    DocumentBlock,
    Heading,
    Item,
    Markdown,
    Member,
    Paragraph,
    Problem,
    Table,
)
from flowtui.previews.errors import PreviewFailed
from flowtui.store.values import JsonValue


def blocks_of(data: bytes) -> tuple[DocumentBlock, ...]:
    """Return the blocks that a child process has written as JSON.

    Raises:
        PreviewFailed: They are none.
    """
    return tuple(_block(values) for values in json.loads(data))


def _block(values: list[JsonValue]) -> DocumentBlock:
    match values:
        case ["heading", int(level), str(text)]:
            return Heading(level, text)
        case ["item", str(text), int(level), bool(is_numbered)]:
            return Item(text, level, is_numbered)
        case ["table", list(rows), int(row_count)]:
            cells = tuple(tuple(map(str, row)) for row in rows if isinstance(row, list))
            return Table(cells, row_count)
        case ["paragraph", str(text)]:
            return Paragraph(text)
        case ["quote", str(text)]:
            return Paragraph(text, is_quoted=True)
        case ["code", str(text), str(language), str(label), int(hidden)]:
            return Code(text, language, label, hidden)
        case ["problem", str(text)]:
            return Problem(text)
        case ["markdown", str(text)]:
            return Markdown(text)
        case ["member", str(name), int(size_bytes), int(position)]:
            return Member(name, size_bytes, "file", position)
    raise PreviewFailed("The parser answered with an unknown block.")

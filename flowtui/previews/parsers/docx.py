"""Word documents as blocks: lists of a word and what the block of that kind holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from docx.table import Table as DocxTable
    from docx.text.paragraph import Paragraph as DocxParagraph

    from flowtui.store.values import JsonValue

EXTRA = "docx"
LIBRARIES = ("docx",)
BLOCK_CHARS = 20_000
TABLE_ROWS = 50
TABLE_COLUMNS = 30
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return blocks as lists of a word and what the block of that kind holds."""
    from zipfile import BadZipFile

    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table as table_type

    try:
        document = docx.Document(str(path))
        content = list(document.iter_inner_content())
    except (
        PackageNotFoundError, BadZipFile, SyntaxError, KeyError, ValueError, AttributeError,
    ) as error:  # fmt: skip
        raise PreviewFailed("The document is broken, too large, or none of Word's.") from error
    position, count = arguments["position"], arguments["count"]
    assert isinstance(position, int)
    assert isinstance(count, int)
    first = max(len(content) + position, 0) if position < 0 else min(position, len(content))
    blocks: list[JsonValue] = [
        _table(item) if isinstance(item, table_type) else _paragraph(item)
        for item in islice(content, first, first + count)
    ]
    return {"first": first, "total": len(content)}, json.dumps(blocks).encode()


def _paragraph(paragraph: DocxParagraph) -> list[JsonValue]:
    text = paragraph.text[:BLOCK_CHARS]
    name = (paragraph.style.name or "") if paragraph.style is not None else ""
    heading = _HEADING.match(name)
    if heading is not None or name == "Title":
        return ["heading", int(heading[1]) if heading is not None else 0, text]
    has_numbering = bool(paragraph._p.xpath("./w:pPr/w:numPr"))
    if not has_numbering and not name.startswith("List"):
        return ["paragraph", text]
    levels = paragraph._p.xpath("./w:pPr/w:numPr/w:ilvl/@w:val")
    # "List Bullet 2" is the second level.
    level = int(levels[0]) if levels else int(name[-1]) - 1 if name[-1:].isdigit() else 0
    return ["item", text, max(level, 0), "Number" in name]


def _table(table: DocxTable) -> list[JsonValue]:
    rows: list[JsonValue] = [
        [cell.text[:BLOCK_CHARS] for cell in row.cells[:TABLE_COLUMNS]]
        for row in islice(table.rows, TABLE_ROWS)
    ]
    return ["table", rows, len(table.rows)]

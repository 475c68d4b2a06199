"""A page of a sheet of a workbook, read by calamine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = "excel"
LIBRARIES = ("python_calamine",)
MAX_SHEETS = 1_000


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return the names of the sheets, and a page of one of them as texts."""
    import python_calamine

    position, count, is_last = (arguments[name] for name in ("position", "count", "is_last"))
    number, first_column, most = (arguments[name] for name in ("sheet", "first_column", "columns"))
    chars, most_cells = arguments["cell_chars"], arguments["cells"]
    assert isinstance(position, int)
    assert isinstance(count, int)
    assert isinstance(number, int)
    assert isinstance(first_column, int)
    assert isinstance(most, int)
    assert isinstance(chars, int)
    assert isinstance(most_cells, int)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = book.sheet_names
        if not sheets:
            raise PreviewFailed("The workbook has no sheets.")
        number = min(number, len(sheets) - 1)
        rows = book.get_sheet_by_index(number).to_python(skip_empty_area=True)
    except python_calamine.PasswordError as error:
        raise PreviewFailed("The workbook is encrypted: it takes a password.") from error
    except python_calamine.CalamineError as error:
        raise PreviewFailed("The workbook is broken, or none of Excel's.") from error
    width = max(map(len, rows), default=0)
    heads, has_header = _heads(rows, width)
    body = rows[has_header:]
    count = max(min(count, most_cells // max(min(width, most), 1)), 1)
    first = max(len(body) - count, 0) if is_last else min(position, len(body))
    shown = [
        [_text(cell)[:chars] for cell in row[first_column:][:most]]
        for row in body[first : first + count]
    ]
    values: dict[str, JsonValue] = {
        "first": first, "total": len(body), "width": width, "has_header": has_header,
        "sheets": [*sheets[:MAX_SHEETS]], "sheet": number,
    }  # fmt: skip
    return values, json.dumps(
        [[head[:chars] for head in heads[first_column:][:most]], shown]
    ).encode()


def _heads(rows: Sequence[Sequence[object]], width: int) -> tuple[list[str], bool]:
    """Return the names of columns, and whether they are those of the first row."""
    first = rows[0] if rows else []
    texts = [cell for cell in first if isinstance(cell, str) and cell]
    if len(texts) == width and len(set(texts)) == width and len(rows) > 1:
        return texts, True
    return [_letters(number) for number in range(width)], False


def _letters(number: int) -> str:
    """Return the name that Excel gives a column: A to Z, AA, AB ..."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)

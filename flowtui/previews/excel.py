"""Workbooks of Excel and OpenDocument as tables, a sheet at a time, read in a child process."""

from __future__ import annotations

import json

from flowtui.previews import isolated
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.tables import CELL_CHARS, MANY_ROWS, MAX_COLUMNS, cells_at_once
from flowtui.previews.values import Opened, Part, Request, TableColumn, TablePage


def shown(opened: Opened, request: Request) -> TablePage:
    """Return rows of sheet `Request.sheet`, beginning with number `Request.position`.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    reply = isolated.ask(
        "excel",
        opened.path,
        {
            "position": request.position,
            "count": min(request.count, MANY_ROWS),
            "cells": cells_at_once(request.count),
            "is_last": request.is_last,
            "sheet": request.sheet,
            "first_column": request.first_column,
            "columns": MAX_COLUMNS,
            "cell_chars": CELL_CHARS,
        },
        opened.cancelled,
    )
    first, total, width, number = (
        reply.values.get(name) for name in ("first", "total", "width", "sheet")
    )
    sheets = reply.values.get("sheets")
    if not (
        isinstance(first, int) and isinstance(total, int) and isinstance(width, int)
        and isinstance(number, int) and isinstance(sheets, list)
    ):  # fmt: skip
        raise PreviewFailed("The parser answered with no table.")
    columns, rows = json.loads(reply.data)
    return TablePage(
        columns=tuple(map(TableColumn, columns)),
        rows=tuple(tuple(row) for row in rows),
        part=Part.numbered("row", first, len(rows), total),
        column_count=width,
        first_column=min(request.first_column, width),
        has_header=bool(reply.values["has_header"]),
        sheets=tuple(map(str, sheets)),
        sheet=number,
    )

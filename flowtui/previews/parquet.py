"""Parquet files as tables, read by DuckDB in a child process."""

from __future__ import annotations

import json

from flowtui.previews import isolated
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.tables import CELL_CHARS, MANY_ROWS, MAX_COLUMNS, cells_at_once
from flowtui.previews.values import Opened, Part, Request, TableColumn, TablePage
from flowtui.store.values import JsonValue


def shown(opened: Opened, request: Request) -> TablePage:
    """Return rows, beginning with number `Request.position`.

    Raises:
        MissingExtra, PreviewFailed, PreviewCancelled.
    """
    arguments: dict[str, JsonValue] = {
        "position": request.position,
        "count": min(request.count, MANY_ROWS),
        "cells": cells_at_once(request.count),
        "is_last": request.is_last,
        "first_column": request.first_column,
        "columns": MAX_COLUMNS,
        "cell_chars": CELL_CHARS,
    }
    reply = isolated.ask("parquet", opened.path, arguments, opened.cancelled)
    first, total, width = (reply.values.get(name) for name in ("first", "total", "width"))
    if not isinstance(first, int) or not isinstance(total, int) or not isinstance(width, int):
        raise PreviewFailed("The parser answered with no table.")
    columns, rows = json.loads(reply.data)
    return TablePage(
        columns=tuple(TableColumn(name, type_) for name, type_ in columns),
        rows=tuple(tuple(row) for row in rows),
        part=Part.numbered("row", first, len(rows), total),
        column_count=width,
        first_column=min(request.first_column, width),
    )

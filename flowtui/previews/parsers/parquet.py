"""A page of a Parquet file, read by DuckDB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = "parquet"
LIBRARIES = ("duckdb",)
_DATABASE_LIMIT = "100MB"


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return a page of rows as texts, and how many rows and columns there are."""
    import duckdb

    position, count, is_last = (arguments[name] for name in ("position", "count", "is_last"))
    first_column = arguments["first_column"]
    most_cells = arguments["cells"]
    max_columns, cell_chars = arguments["columns"], arguments["cell_chars"]
    assert isinstance(first_column, int)
    assert isinstance(position, int)
    assert isinstance(count, int)
    assert isinstance(most_cells, int)
    assert isinstance(max_columns, int)
    assert isinstance(cell_chars, int)
    source = {"path": _literal(path)}
    try:
        with duckdb.connect(config=_settings()) as database:
            described = database.execute(
                "describe select * from read_parquet($path)", source
            ).fetchall()
            columns = [(name, type_) for name, type_, *_ in described]
            shown = columns[first_column:][:max_columns]
            count = max(min(count, most_cells // max(len(shown), 1)), 1)
            counted = database.execute("select count(*) from read_parquet($path)", source)
            ((total,),) = counted.fetchall()
            first = max(total - count, 0) if is_last else min(position, total)
            rows = database.execute(
                f"select {', '.join(_as_text(name, cell_chars) for name, _ in shown)}"
                " from read_parquet($path) limit $count offset $first",
                source | {"count": count, "first": first},
            ).fetchall()
    except duckdb.OutOfMemoryException as error:
        raise MemoryError from error
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(str(path), path.name)
        raise PreviewFailed(f"The Parquet file cannot be read: {reason[:200]}") from error
    data = json.dumps([shown, rows]).encode()
    return {"first": first, "total": total, "width": len(columns)}, data


def _settings() -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": 1,
        "memory_limit": _DATABASE_LIMIT,
        "temp_directory": "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def _literal(path: Path) -> str:
    """Return a path in which no character is a wildcard."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def _as_text(name: str, chars: int) -> str:
    quoted = name.replace('"', '""')
    return f"""coalesce(left(cast("{quoted}" as varchar), {chars}), '')"""

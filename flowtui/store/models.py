"""The logged models of one run (meta.db: models)."""

from __future__ import annotations

import sqlite3

from flowtui.store import reading
from flowtui.store.database import table_columns
from flowtui.store.values import Model

_COLUMNS = ("id", "name", "created_at", "tags", "path", "size", "source", "description")


def models(connection: sqlite3.Connection, run_id: str) -> tuple[Model, ...] | None:
    """Return a run's models, oldest first, or None where the schema has no such table.

    Source: meta.db models. `size` came with schema version 3, `source` and `description` with 4.
    """
    present = table_columns(connection, "models")
    if not present:
        return None
    rows = connection.execute(
        f"select {reading.select_list(_COLUMNS, present, 'models')} from models"
        " where experiment_id = cast(:run_id as text) order by created_at, rowid",
        {"run_id": reading.as_sql(run_id)},
    )
    return tuple(_model(*row) for row in rows)


def _model(
    model_id: object,
    name: object,
    created_at: object,
    tags: object,
    path: object,
    size: object,
    source: object,
    description: object,
) -> Model:
    problems: list[str] = []
    return Model(
        id=reading.text(model_id),
        name=reading.text(name),
        created_at=reading.timestamp(created_at, "created_at", problems),
        tags=reading.text_list(tags, "tags", problems),
        path=reading.optional_text(path),
        size_bytes=reading.integer(size, "size", problems),
        source=reading.optional_text(source),
        description=reading.optional_text(description),
        problem="; ".join(problems) or None,
    )

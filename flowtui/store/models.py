"""The logged models of one run (meta.db: models)."""

from __future__ import annotations

import sqlite3

from flowtui.store import decoding
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
        f"select {decoding.select_list(_COLUMNS, present, 'models')} from models"
        " where experiment_id = cast(:run_id as text) order by created_at, rowid",
        {"run_id": decoding.as_sql(run_id)},
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
        id=decoding.text(model_id),
        name=decoding.text(name),
        created_at=decoding.timestamp(created_at, "created_at", problems),
        tags=decoding.text_list(tags, "tags", problems),
        path=decoding.optional_text(path),
        size_bytes=decoding.integer(size, "size", problems),
        source=decoding.optional_text(source),
        description=decoding.optional_text(description),
        problem="; ".join(problems) or None,
    )

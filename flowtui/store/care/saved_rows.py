"""The rows of a run that is deleted, saved in a file in its folder and restored from there."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from flowtui.store import decoding
from flowtui.store.care import folders, rows
from flowtui.store.care.values import NotDeleted, RawValue, RecordGone
from flowtui.store.files import asking

ROWS = "deleted.json"
"""The file's name."""
_FORMAT = 1
_MOST_BYTES = 64_000_000
_TABLES = ("experiments", "models", "remote_artifacts", "experiment_groups")


def saved(connection: sqlite3.Connection, run_id: str, now: datetime) -> dict[str, Any]:
    """Return the rows of a run; its group's too, which may be gone when it is restored."""
    experiments = rows.select(connection, "experiments", "id", run_id)
    if not experiments:
        raise RecordGone("the run is not in the store any more")
    models = rows.select(connection, "models", "experiment_id", run_id)
    artifacts = _artifacts(connection, run_id, "experiment")
    for model in models:
        artifacts += _artifacts(connection, decoding.text(model["id"]), "model")
    group = experiments[0].get("group_id")
    groups = rows.select(connection, "experiment_groups", "id", decoding.text(group))
    return {
        "format": _FORMAT,
        "deleted_at": now.isoformat(),
        "experiments": experiments,
        "models": models,
        "remote_artifacts": artifacts,
        "experiment_groups": groups,
    }


def _artifacts(
    connection: sqlite3.Connection, local_id: str, kind: str
) -> list[dict[str, RawValue]]:
    found = rows.select(connection, "remote_artifacts", "local_id", local_id)
    return [row for row in found if row["local_type"] == kind]


def _delete_of(
    connection: sqlite3.Connection, table: str, column: str, value: str, kind: str = ""
) -> None:
    if not rows.select(connection, table, column, value):
        return
    of_kind = "and local_type = :kind" if kind else ""
    connection.execute(
        f"delete from {table} where {column} = cast(:value as text) {of_kind}",
        {"value": decoding.as_sql(value), "kind": kind},
    )


def delete_rows(connection: sqlite3.Connection, run_id: str, document: Mapping[str, Any]) -> None:
    """Delete the rows of a run that were saved; its group's stays."""
    for model in document["models"]:
        model_id = decoding.text(model["id"])
        _delete_of(connection, "remote_artifacts", "local_id", model_id, "model")
    _delete_of(connection, "remote_artifacts", "local_id", run_id, "experiment")
    _delete_of(connection, "models", "experiment_id", run_id)
    _delete_of(connection, "experiments", "id", run_id)


def insert_rows(connection: sqlite3.Connection, run_id: str, document: Mapping[str, Any]) -> None:
    """Insert the rows of a run again, unless its row is still there.

    Raises:
        NotDeleted: The store has another run of its id, or a model of the id of one of its models.
    """
    (run,) = document["experiments"]
    there = rows.select(connection, "experiments", "id", run_id)
    if there and there[0].get("created_at") != run.get("created_at"):
        raise NotDeleted(f"the store has a run {run_id} already: nothing was restored")
    if there:
        # Deleting it was interrupted before its rows were gone.
        return
    for group in document["experiment_groups"]:
        found = rows.select(connection, "experiment_groups", "id", decoding.text(group["id"]))
        named = rows.select(
            connection, "experiment_groups", "name", decoding.text(group.get("name"))
        )
        if not found and named:
            run = {**run, "group_id": named[0]["id"]}
        elif not found:
            rows.insert(connection, "experiment_groups", group)
    rows.insert(connection, "experiments", run)
    for model in document["models"]:
        if rows.select(connection, "models", "id", decoding.text(model["id"])):
            raise NotDeleted(f"the store has a model {model['id']} already: nothing was restored")
        rows.insert(connection, "models", model)
    for artifact in document["remote_artifacts"]:
        rows.insert(connection, "remote_artifacts", artifact, unless_there=True)


def write_file(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file with the rows of a run, whole or not at all."""
    saved = {key: rows.to_json(value) if key in _TABLES else value
             for key, value in document.items()}  # fmt: skip
    beside = path.with_name(f"{path.name}.new")
    # What an earlier try left; a link there, which would be followed, goes too.
    beside.unlink(missing_ok=True)
    try:
        with beside.open("x", encoding="ascii") as out:
            json.dump(saved, out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folders.sync(path.parent)


def read_file(path: Path) -> dict[str, Any]:
    """Return the rows of a run in the trash.

    Raises:
        NotDeleted: The file is missing or not what was written.
        OSError: It cannot be read.
    """
    if not folders.exists(path):
        raise NotDeleted("its rows are missing: emptying the trash was interrupted")
    data = asking.head(path, _MOST_BYTES)
    try:
        parsed = json.loads(data)
        document = {table: rows.from_json(parsed[table]) for table in _TABLES}
        (run,) = document["experiments"]
        if decoding.text(run["id"]) != path.parent.name or parsed["format"] != _FORMAT:
            raise ValueError("not the rows of this run")
        return {**document, "deleted_at": parsed["deleted_at"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotDeleted(f"{ROWS} is not what flow-tui writes: {error}") from error

"""Deletes logged models: their rows, and their files where luml-sdk put them (meta.db: models)."""

from __future__ import annotations

import os
import sqlite3
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from flowtui.store.care import folders, rows
from flowtui.store.care.values import RecordGone
from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql, optional_text
from flowtui.store.store import Store
from flowtui.store.transaction import PATIENCE, Patience, write

FOLDER = "models"
"""The folder of a run into which luml-sdk copies models."""


@dataclass(frozen=True, slots=True)
class ModelDeleted:
    """What became of a model's file."""

    freed_bytes: int = 0
    why_file_stays: str = ""
    """Why the file was left where it is; empty if it is gone, or if there was none."""


def delete_model(store: Store, model_id: str, patience: Patience = PATIENCE) -> ModelDeleted:
    """Delete a model for good: its row, where it was uploaded to, and its file.

    A file that is elsewhere than in the folder of its run's models stays, since its row may name
    anything, and so does one that another row names.

    Raises:
        RecordGone: It is not in the store any more.
        DatabaseError: The store cannot be written.
    """
    bound = [as_sql(model_id)]

    def change(connection: sqlite3.Connection) -> tuple[str, str, bool]:
        found = rows.select(connection, "models", "id", model_id)
        if not found:
            raise RecordGone("the model is not in the store any more")
        path = optional_text(found[0].get("path")) or ""
        run_id = optional_text(found[0].get("experiment_id")) or ""
        connection.execute("delete from models where id = cast(? as text)", bound)
        if table_columns(connection, "remote_artifacts"):
            connection.execute(
                "delete from remote_artifacts"
                " where local_type = 'model' and local_id = cast(? as text)",
                bound,
            )
        return path, run_id, bool(path and rows.select(connection, "models", "path", path))

    path, run_id, is_shared = write(store.meta, change, patience)
    if not path:
        return ModelDeleted()
    if is_shared:
        return ModelDeleted(why_file_stays="another model has the same file")
    # After the rows: a file without a row is only a leftover, and a row without its file a loss.
    return _remove(store.directory, run_id, path)


def _remove(directory: Path, run_id: str, path: str) -> ModelDeleted:
    parts = PurePosixPath(path).parts
    is_own = len(parts) > 2 and parts[:2] == (run_id, FOLDER) and ".." not in parts
    if (
        not is_own
        or "\0" in path
        or folders.why_not_moved(directory, run_id, folders.RunFolders(()))
    ):
        return ModelDeleted(why_file_stays="it is not in the folder of the run's models")
    above = [directory.joinpath(*parts[:end]) for end in range(1, len(parts))]
    try:
        if not all(folders.is_folder(folder) for folder in above):
            return ModelDeleted(why_file_stays="there is a link on its path, or nothing")
        file = directory.joinpath(*parts)
        found = os.lstat(file)
        if not stat.S_ISREG(found.st_mode):
            return ModelDeleted(why_file_stays="it is not a regular file")
        file.unlink()
    except FileNotFoundError:
        return ModelDeleted()
    except OSError as error:
        return ModelDeleted(why_file_stays=error.strerror or str(error))
    return ModelDeleted(freed_bytes=found.st_size)

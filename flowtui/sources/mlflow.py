"""MLflow: a folder `mlruns/`, or the database of a tracking store, `mlflow.db`."""

from __future__ import annotations

import os
from pathlib import Path

from flowtui.sources.mlflow_database import MlflowDatabase, is_tracking_store
from flowtui.sources.mlflow_folder import MlflowFolder, is_store
from flowtui.sources.mlflow_reads import is_database

_FOLDER, _DATABASE = "mlruns", "mlflow.db"
_ENDS = (".db", ".sqlite", ".sqlite3")
_MOST_DATABASES = 20
"""How many databases of a folder are asked whether they are MLflow's."""


def recognise(path: Path) -> MlflowFolder | MlflowDatabase | None:
    """Return the source at a path, None if MLflow keeps nothing there.

    Of a folder that has both a database and files, it is the database, whose runs may have their
    artifacts among the files.
    """
    if path.is_file():
        return MlflowDatabase(path) if _is_mlflows(path) else None
    for name in _databases(path):
        if _is_mlflows(path / name):
            return MlflowDatabase((path / name).resolve())
    for folder in (path, path / _FOLDER):
        if folder.is_dir() and is_store(folder):
            return MlflowFolder(folder.resolve())
    return None


def _databases(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(_ENDS))
    except OSError:
        return []
    return sorted(names, key=lambda name: name != _DATABASE)[:_MOST_DATABASES]


def _is_mlflows(path: Path) -> bool:
    return is_database(path) and is_tracking_store(path)

"""MLflow: a folder `mlruns/`, or the database of a tracking store, `mlflow.db`."""

from __future__ import annotations

from pathlib import Path

from flowtui.sources.mlflow_folder import MlflowFolder, is_store

_FOLDER = "mlruns"


def recognise(path: Path) -> MlflowFolder | None:
    """Return the source at a path, None if MLflow keeps nothing there."""
    for folder in (path, path / _FOLDER):
        if folder.is_dir() and is_store(folder):
            return MlflowFolder(folder.resolve())
    return None

"""The files of logged models: where they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from flowtui.screens.attachments.reading import FileSource
from flowtui.store.attachments.listing import resolved
from flowtui.store.attachments.values import AttachmentRefused
from flowtui.store.files.fingerprint import is_of_database
from flowtui.store.store import Store
from flowtui.store.values import Model


def model_source(store: Store, model: Model) -> FileSource | None:
    """Return the file of a model; None if its row names no file."""
    if not model.path:
        return None
    return FileSource(model.path, model.path, partial(_resolved, store.directory, model.path))


def _resolved(directory: Path, path: str) -> Path:
    """Return the path of a model's file inside the store.

    Raises:
        AttachmentRefused: The path leads out of the store, or to something other than a file.
    """
    try:
        real = resolved(directory, path)
    except AttachmentRefused as error:
        raise AttachmentRefused("Refused: this path is not a file in the store.") from error
    if is_of_database(real, directory.resolve()):
        raise AttachmentRefused("Refused: this path is a database of the store, not a model.")
    return real

"""Which tool a folder or file is of, by what is in it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from flowtui.sources import files
from flowtui.sources.records import SourceError
from flowtui.sources.source import RunSource

_READERS = ("mlflow", "wandb", "inspect_log", "trackio", "tensorboard")
"""Modules of this package with a function `recognise`, the most certain first."""
_BY_ENDING = {
    ".yaml": ("mlflow",),
    ".db": ("mlflow", "trackio"),
    ".sqlite": ("mlflow",),
    ".sqlite3": ("mlflow",),
    ".wandb": ("wandb",),
    ".eval": ("inspect_log",),
    ".json": ("inspect_log",),
}
"""By how the name of a file ends: the readers that find nothing in a folder without such names."""
_DEPTH = 8
"""As deep as any of these looks."""
LOOKED_FOR = (
    "a LUML store: a folder with meta.db, or a .luml file",
    "Weights & Biases: a folder with run-*.wandb files, or one such file",
    "MLflow: a folder mlruns/ or one of its experiments, or a database such as mlflow.db",
    "Inspect: a folder with logs of evaluations (.eval, .json), or one such log",
    "Trackio: a folder with databases of projects (PROJECT.db), or one of them",
    "TensorBoard: a folder with event files (events.out.tfevents.*), or one such file",
)
"""What can be opened, a line each."""
_LOOK_S = 1.0
"""How long to look around in a folder."""


def recognise(path: Path) -> RunSource | None:
    """Return the source at a path, None if no tool that is known has written it.

    Raises:
        SourceError: It may not be read, or is of a tool and cannot be read.
    """
    try:
        path = path.resolve(strict=True)
        if path.is_dir():
            next(path.iterdir(), None)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path} cannot be read: {reason}") from error
    for name in _worth_asking(path):
        reader: Callable[[Path], RunSource | None] = import_module(
            f"flowtui.sources.{name}"
        ).recognise
        source = reader(path)
        if source is not None:
            return source
    return None


def _worth_asking(path: Path) -> Sequence[str]:
    """Return the readers that may find something at a path, so that no others need be loaded."""
    if not path.is_dir():
        return _READERS
    absent = {name for names in _BY_ENDING.values() for name in names}
    count = 0
    for _, entries in files.walk(path, _DEPTH, files.TO_RECOGNISE):
        count += len(entries)
        for entry in entries:
            absent.difference_update(_BY_ENDING.get(os.path.splitext(entry.name)[1], ()))
        if not absent or count >= files.TO_RECOGNISE:
            # The walk may have ended before what there is was met.
            return _READERS
    return [name for name in _READERS if name not in absent]


class SeenRuns(NamedTuple):
    """Runs of another tool that are in a folder."""

    path: Path
    tool: str
    run_count: int

    @property
    def command(self) -> str:
        """The command that opens them, where one is in that folder."""
        name = self.path.name
        # A dash would begin an option.
        return f"flow-tui {quote(name if re.match('[A-Za-z0-9_.]', name) else './' + name)}"


def seen_in(folder: Path) -> list[SeenRuns]:
    """Return which runs the folders and files right inside a folder have, by name.

    Those that a second does not suffice for are left out.
    """
    until_s = time.monotonic() + _LOOK_S
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
    found: list[SeenRuns] = []
    for path in inside:
        if time.monotonic() > until_s:
            break
        try:
            source = recognise(path)
            count = 0 if source is None else len(source.runs())
        except SourceError:
            continue
        if source is not None and count:
            found.append(SeenRuns(path, source.tool, count))
    return found

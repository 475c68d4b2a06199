"""What tests of sources ask of a run."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flowtui.sources.private_store import SourceStore
from flowtui.store.lost_records import lost_records
from flowtui.store.open_run import OpenRun
from flowtui.store.params import params
from flowtui.store.values import JsonValue

Points = dict[str, list[tuple[int, str]]]


def points(run: OpenRun) -> Points:
    """Return (step, repr of the value) of all points by key, in the order of steps."""
    rows = run.database.read(
        lambda db: db.execute(
            "select key, step, value from dynamic_metrics order by key, step"
        ).fetchall()
    )
    found: Points = {}
    for key, step, value in rows:
        found.setdefault(key, []).append((step, "nan" if value is None else repr(value)))
    return found


def parameters(run: OpenRun) -> dict[str, JsonValue]:
    return {param.key: param.value for param in run.ask(params) or ()}


def problems(store: SourceStore, run: OpenRun) -> list[str]:
    return lost_records(store.meta, run)


def names(run: OpenRun) -> set[str]:
    """Return the names of the attachments whose files are there."""
    listed = run.attachments()
    assert listed is not None
    return {file.row.name for file in listed.files if file.row and file.state.name == "PRESENT"}


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    """Return the bytes and the time of every file below a folder."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

"""What tests of Inspect's logs ask of a run, and how they write logs of their own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from flowtui.sources import zip_entries
from flowtui.sources.private_store import SourceStore
from flowtui.store import runs
from flowtui.store.open_run import OpenRun


def samples(run: OpenRun) -> dict[str, dict[str, Any]]:
    """Return the columns of all samples by their ids, parsed."""
    rows = run.database.read(
        lambda db: db.execute(
            "select id, dataset_id, inputs, outputs, refs, scores, metadata from evals"
        ).fetchall()
    )
    columns = ("inputs", "outputs", "refs", "scores", "metadata")
    return {
        row[0]: {"dataset": row[1]}
        | {name: json.loads(text or "null") for name, text in zip(columns, row[2:], strict=True)}
        for row in rows
    }


def spans(run: OpenRun, sample: str) -> list[dict[str, Any]]:
    """Return the spans of the trace of a sample, in the order of writing."""
    rows = run.database.read(
        lambda db: db.execute(
            "select trace_id, span_id, parent_span_id, name, status_code, attributes, events"
            " from spans where trace_id = (select trace_id from eval_traces_bridge"
            " where eval_id = ?) order by rowid",
            (sample,),
        ).fetchall()
    )
    return [
        {
            "trace": row[0], "id": row[1], "parent": row[2], "name": row[3], "status": row[4],
            "attributes": json.loads(row[5] or "{}"), "events": json.loads(row[6] or "[]"),
        }
        for row in rows
    ]  # fmt: skip


def only(store: SourceStore) -> OpenRun:
    """Return the only run of a store, read to its end."""
    (run_id,) = store.ask(runs.ids).values()
    row = store.ask(runs.run, run_id)
    assert row is not None
    return store.opened(row)


def entries(log: Path) -> list[tuple[str, bytes]]:
    """Return the names and the contents of a log's entries, in order."""
    with log.open("rb") as file:
        found = zip_entries.entries(file, log.stat().st_size)
        return [
            (entry.name, zip_entries.content(file, entry, 1 << 20))
            for entry in found.by_name.values()
        ]


def write(log: Path, parts: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(log, "w", method) as archive:
        for name, data in parts:
            archive.writestr(name, data)

"""Regenerates the golden stores: `python -m tests.sdk.make_golden`.

Each of them is what `write_store.py` makes with the real SDK of that version, in small pages; the
store "pre2" is made here, in the schema from before meta.db's version 2. Ids and times of the
former differ from one making to the next.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.sdk.conftest import GOLDEN
from tests.sdk.environments import VERSIONS, environment, run_writer, save_expected
from tests.sdk.write_store import START_NS, metric_summary, trace_summary

PRE2_META = """
create table experiments (
    id text primary key, name text, created_at timestamp default current_timestamp,
    status text default 'active', group_name text, tags text
);
create table experiment_groups (
    id text primary key, name text, description text,
    created_at timestamp default current_timestamp
);
"""
PRE2_EXPERIMENT = """
create table static_params (key text primary key, value text, value_type text);
create table dynamic_metrics (
    key text, value real, step integer, logged_at timestamp default current_timestamp,
    primary key (key, step)
);
create table attachments (
    id text primary key, name text not null, file_path text,
    created_at timestamp default current_timestamp
);
create table spans (
    trace_id text not null, span_id text not null, parent_span_id text, name text not null,
    kind integer, dfs_span_type integer not null default 0,
    start_time_unix_nano bigint not null, end_time_unix_nano bigint not null,
    status_code integer, status_message text, attributes text, events text, links text,
    trace_flags integer, created_at timestamp default current_timestamp,
    primary key (trace_id, span_id)
);
create table evals (
    id text not null, dataset_id text not null, inputs text not null, outputs text, refs text,
    scores text, metadata text, created_at timestamp default current_timestamp,
    updated_at timestamp default current_timestamp, primary key (dataset_id, id)
);
create table eval_traces_bridge (
    id text primary key, eval_dataset_id text not null, eval_id text not null,
    trace_id text not null, created_at timestamp default current_timestamp
);
"""
PRE2_TIME = "2024-05-01 08:00:00"
PRE2_PARAMS: dict[str, tuple[str, Any]] = {
    "learning_rate": ("float", 0.01),
    "epochs": ("int", 3),
    "name": ("str", "[b]é[/b]"),
}
PRE2_LOSS = {0: 1.0, 1: 0.5, 2: 0.75}
PRE2_TRACE = "a" * 32
PRE2_SPANS: list[dict[str, Any]] = [
    {
        "trace_id": PRE2_TRACE,
        "span_id": span_id,
        "parent_span_id": parent,
        "name": name,
        "start_time_unix_nano": START_NS,
        "end_time_unix_nano": START_NS + duration_ns,
    }
    for span_id, parent, name, duration_ns in (
        ("b" * 16, None, "root", 5_000_000),
        ("c" * 16, "b" * 16, "call", 4_000_000),
    )
]
PRE2_NOTE = b"An attachment whose row has no size.\n"


def main() -> None:
    for version in VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            store = run_writer(environment(version), Path(folder))
            _keep(store, version)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        save_expected(store.parent, write_pre2(store))
        _keep(store, "pre2")


def write_pre2(store: Path) -> dict[str, Any]:
    """Writes a store of the oldest schema: one run in a group, one active in none.

    Returns:
        The document of it, in the shape that `write_store.py` describes.
    """
    store.mkdir()
    runs = {
        "complete": ("old-1", "first run", "completed", "legacy", '["old"]'),
        "active": ("old-2", "second run", "active", None, None),
    }
    with closing(sqlite3.connect(store / "meta.db")) as meta, meta:
        meta.executescript(PRE2_META)
        _insert(meta, "experiment_groups", [("g1", "legacy", "Before groups had ids", PRE2_TIME)])
        rows = [(id_, name, PRE2_TIME, *rest) for id_, name, *rest in runs.values()]
        _insert(meta, "experiments", rows)
    documents = {}
    for label, (id_, name, status, group, tags) in runs.items():
        documents[label] = _blank_document() | {
            "id": id_, "name": name, "status": status, "group": group,
            "tags": json.loads(tags or "[]"),
        }  # fmt: skip
        (store / id_ / "attachments").mkdir(parents=True)
        with closing(sqlite3.connect(store / id_ / "exp.db")) as experiment, experiment:
            experiment.executescript(PRE2_EXPERIMENT)
            if label == "complete":
                documents[label] |= _fill_pre2(experiment, store / id_ / "attachments")
    return {"sdk": None, "groups": ["legacy"], "runs": documents}


def _blank_document() -> dict[str, Any]:
    absent: dict[str, Any] = dict.fromkeys(("description", "source", "metadata", "upload_status"))
    annotations: dict[str, list[Any]] = {"span": [], "sample": []}
    empty: dict[str, Any] = {"params": {}, "metrics": {}, "traces": {}, "evals": {}, "links": []}
    return absent | empty | {"annotations": annotations, "attachments": {}, "models": []}


def _fill_pre2(experiment: sqlite3.Connection, attachments: Path) -> dict[str, Any]:
    """Logs a little of each kind, and gives the part of the document that it changes."""
    params = [(key, str(value), kind) for key, (kind, value) in PRE2_PARAMS.items()]
    _insert(experiment, "static_params", params)
    points = [("loss", value, step, PRE2_TIME) for step, value in PRE2_LOSS.items()]
    _insert(experiment, "dynamic_metrics", points)
    experiment.executemany(
        "insert into spans (trace_id, span_id, parent_span_id, name, start_time_unix_nano,"
        " end_time_unix_nano) values (:trace_id, :span_id, :parent_span_id, :name,"
        " :start_time_unix_nano, :end_time_unix_nano)",
        PRE2_SPANS,
    )
    experiment.execute(
        "insert into evals (id, dataset_id, inputs, scores) values (?, ?, ?, ?)",
        ("s1", "old", '{"text": "hello"}', '{"accuracy": 0.5}'),
    )
    _insert(experiment, "eval_traces_bridge", [("l1", "old", "s1", PRE2_TRACE, PRE2_TIME)])
    (attachments / "note.txt").write_bytes(PRE2_NOTE)
    _insert(experiment, "attachments", [("a1", "note.txt", "note.txt", PRE2_TIME)])
    return {
        "params": {key: {"type": kind, "value": v} for key, (kind, v) in PRE2_PARAMS.items()},
        "metrics": {"loss": metric_summary(PRE2_LOSS)},
        "traces": {PRE2_TRACE: trace_summary(PRE2_SPANS)},
        "evals": {"old": {"s1": {"accuracy": 0.5}}},
        "links": [["old", "s1", PRE2_TRACE]],
        "attachments": {"note.txt": len(PRE2_NOTE)},
    }


def _insert(database: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    database.executemany(f"insert into {table} values ({marks})", rows)


def _keep(store: Path, version: str) -> None:
    """Puts a store and its expected.json in the place of the golden ones of that version."""
    for database in store.rglob("*.db"):
        _shrink(database)
    # git keeps no empty folder: what is tested here is what a fresh clone has.
    for folder in sorted(store.rglob("*/"), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    shutil.rmtree(GOLDEN / version, ignore_errors=True)
    shutil.copytree(store.parent, GOLDEN / version)


def _shrink(database: Path) -> None:
    """Rewrites a database in pages of 512 bytes, an eighth of what its many tables else take."""
    with closing(sqlite3.connect(database)) as connection:
        # The page size of a database in WAL mode is fixed.
        connection.execute("pragma journal_mode = delete")
        connection.execute("pragma page_size = 512")
        connection.execute("vacuum")
        connection.execute("pragma journal_mode = wal")


if __name__ == "__main__":
    main()

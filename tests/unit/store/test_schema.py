"""The tables of the databases that are made, against those that the SDK makes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.store.schema import (
    EXPERIMENT_VERSION,
    META_VERSION,
    StoreWriter,
    create_experiment_db,
    create_store,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

# What `describe` says of a meta.db and an exp.db that luml-sdk 0.4.0 made.
META = {
    "experiment_groups": [
        "id TEXT PK 1",
        "name TEXT",
        "description TEXT",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "tags TEXT",
        "last_modified TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "c index idx_experiment_groups_name (name) unique",
        "pk index sqlite_autoindex_experiment_groups_1 (id) unique",
    ],
    "experiments": [
        "id TEXT PK 1",
        "name TEXT",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "status TEXT DEFAULT 'active'",
        "tags TEXT",
        "group_id TEXT",
        "static_params TEXT",
        "dynamic_params TEXT",
        "duration REAL",
        "description TEXT",
        "source TEXT",
        "metadata TEXT",
        "upload_status TEXT",
        "pk index sqlite_autoindex_experiments_1 (id) unique",
        "foreign key 0.0 group_id -> experiment_groups.id update NO ACTION delete NO ACTION",
    ],
    "models": [
        "id TEXT PK 1",
        "name TEXT",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "tags TEXT",
        "path TEXT",
        "experiment_id TEXT",
        "size INTEGER",
        "source TEXT",
        "description TEXT",
        "pk index sqlite_autoindex_models_1 (id) unique",
        "foreign key 0.0 experiment_id -> experiments.id update NO ACTION delete CASCADE",
    ],
    "remote_artifacts": [
        "local_type TEXT NOT NULL PK 1",
        "local_id TEXT NOT NULL PK 2",
        "orbit_id TEXT NOT NULL PK 3",
        "artifact_id TEXT NOT NULL",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "pk index sqlite_autoindex_remote_artifacts_1 (local_type, local_id, orbit_id) unique",
    ],
    "schema_migrations": [
        "version INTEGER PK 1",
        "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ],
}

EXPERIMENT = {
    "attachments": [
        "id TEXT PK 1",
        "name TEXT NOT NULL",
        "file_path TEXT",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "size INTEGER",
        "pk index sqlite_autoindex_attachments_1 (id) unique",
    ],
    "dynamic_metrics": [
        "key TEXT PK 1",
        "value REAL",
        "step INTEGER PK 2",
        "logged_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "pk index sqlite_autoindex_dynamic_metrics_1 (key, step) unique",
    ],
    "eval_annotations": [
        "id TEXT PK 1",
        "dataset_id TEXT NOT NULL",
        "eval_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "annotation_kind TEXT NOT NULL",
        "value_type TEXT NOT NULL",
        "value TEXT NOT NULL",
        "user TEXT NOT NULL",
        "rationale TEXT",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "pk index sqlite_autoindex_eval_annotations_1 (id) unique",
        "foreign key 0.0 dataset_id -> evals.dataset_id update NO ACTION delete NO ACTION",
        "foreign key 0.1 eval_id -> evals.id update NO ACTION delete NO ACTION",
    ],
    "eval_traces_bridge": [
        "id TEXT PK 1",
        "eval_dataset_id TEXT NOT NULL",
        "eval_id TEXT NOT NULL",
        "trace_id TEXT NOT NULL",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "pk index sqlite_autoindex_eval_traces_bridge_1 (id) unique",
    ],
    "evals": [
        "id TEXT NOT NULL PK 2",
        "dataset_id TEXT NOT NULL PK 1",
        "inputs TEXT NOT NULL",
        "outputs TEXT",
        "refs TEXT",
        "scores TEXT",
        "metadata TEXT",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "pk index sqlite_autoindex_evals_1 (dataset_id, id) unique",
    ],
    "exp_schema_migrations": [
        "version INTEGER PK 1",
        "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ],
    "span_annotations": [
        "id TEXT PK 1",
        "trace_id TEXT NOT NULL",
        "span_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "annotation_kind TEXT NOT NULL",
        "value_type TEXT NOT NULL",
        "value TEXT NOT NULL",
        "user TEXT NOT NULL",
        "rationale TEXT",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "pk index sqlite_autoindex_span_annotations_1 (id) unique",
        "foreign key 0.0 trace_id -> spans.trace_id update NO ACTION delete NO ACTION",
        "foreign key 0.1 span_id -> spans.span_id update NO ACTION delete NO ACTION",
    ],
    "spans": [
        "trace_id TEXT NOT NULL PK 1",
        "span_id TEXT NOT NULL PK 2",
        "parent_span_id TEXT",
        "name TEXT NOT NULL",
        "kind INTEGER",
        "dfs_span_type INTEGER NOT NULL DEFAULT 0",
        "start_time_unix_nano BIGINT NOT NULL",
        "end_time_unix_nano BIGINT NOT NULL",
        "status_code INTEGER",
        "status_message TEXT",
        "attributes TEXT",
        "events TEXT",
        "links TEXT",
        "trace_flags INTEGER",
        "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        "pk index sqlite_autoindex_spans_1 (trace_id, span_id) unique",
    ],
    "static_params": [
        "key TEXT PK 1",
        "value TEXT",
        "value_type TEXT",
        "pk index sqlite_autoindex_static_params_1 (key) unique",
    ],
}


def describe(path: Path) -> dict[str, list[str]]:
    """Lists each table's columns, indices and foreign keys, one line each."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "select name from sqlite_master where type = 'table' order by name"
        ).fetchall()
        return {
            name: [
                *columns(connection, name),
                *indices(connection, name),
                *foreign_keys(connection, name),
            ]
            for (name,) in names
        }


def columns(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    for _, name, kind, not_null, default, pk in connection.execute(f"pragma table_info({table})"):
        words = [name, kind]
        words += ["NOT NULL"] if not_null else []
        words += [f"DEFAULT {default}"] if default else []
        words += [f"PK {pk}"] if pk else []
        yield " ".join(words)


def indices(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    found = connection.execute(f"pragma index_list({table})").fetchall()
    for _, name, unique, origin, partial in sorted(found, key=lambda row: str(row[1])):
        over = ", ".join(row[2] for row in connection.execute(f"pragma index_info({name})"))
        yield f"{origin} index {name} ({over})" + " unique" * unique + " partial" * partial


def foreign_keys(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    for row in connection.execute(f"pragma foreign_key_list({table})"):
        number, part, target, here, there, update, delete, _ = row
        arrow = f"{here} -> {target}.{there}"
        yield f"foreign key {number}.{part} {arrow} update {update} delete {delete}"


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_meta_db_has_the_tables_of_the_sdk(tmp_path: Path) -> None:
    create_store(tmp_path / "new" / "store")
    assert describe(tmp_path / "new" / "store" / "meta.db") == META


def test_exp_db_has_the_tables_of_the_sdk(tmp_path: Path) -> None:
    create_experiment_db(tmp_path / "run" / "exp.db")
    assert describe(tmp_path / "run" / "exp.db") == EXPERIMENT


def test_migrations_read_as_if_all_had_run(tmp_path: Path) -> None:
    create_store(tmp_path, applied_at=NOW)
    create_experiment_db(tmp_path / "exp.db", applied_at=NOW)
    when = "2026-03-04 05:06:07"
    assert META_VERSION == 6
    assert EXPERIMENT_VERSION == 2
    assert rows(tmp_path / "meta.db", "select * from schema_migrations") == [
        (version, when) for version in range(1, 7)
    ]
    assert rows(tmp_path / "exp.db", "select * from exp_schema_migrations") == [
        (version, when) for version in range(1, 3)
    ]
    assert rows(tmp_path / "meta.db", "pragma user_version") == [(0,)]
    assert rows(tmp_path / "exp.db", "pragma user_version") == [(2,)]


def test_databases_stay_in_wal_mode_and_leave_no_side_files(tmp_path: Path) -> None:
    create_store(tmp_path)
    create_experiment_db(tmp_path / "exp.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exp.db", "meta.db"]
    for name in ("exp.db", "meta.db"):
        # Bytes 18 and 19 of the header: the write and read version, 2 in WAL mode.
        assert (tmp_path / name).read_bytes()[18:20] == b"\x02\x02"


def test_an_existing_store_is_not_touched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "meta.db")) as connection:
        connection.execute("create table experiments (id text primary key, name text)")
    before = (tmp_path / "meta.db").read_bytes()
    create_store(tmp_path)
    assert (tmp_path / "meta.db").read_bytes() == before


@pytest.mark.parametrize("table", ["eval_annotations", "span_annotations"])
@pytest.mark.parametrize(
    ("kind", "value_type"), [("opinion", "bool"), ("feedback", "float"), ("Feedback", "bool")]
)
def test_annotation_tables_refuse_unknown_kinds_and_types(
    tmp_path: Path, table: str, kind: str, value_type: str
) -> None:
    create_experiment_db(tmp_path / "exp.db")
    with (
        closing(sqlite3.connect(tmp_path / "exp.db")) as connection,
        pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"),
    ):
        connection.execute(
            f"insert into {table} values ('i', 'a', 'b', 'n', ?, ?, 'v', 'u', null, null)",
            (kind, value_type),
        )


def test_a_run_can_be_added_to_an_older_store_without_migrating_it(tmp_path: Path) -> None:
    create_store(tmp_path)
    with closing(sqlite3.connect(tmp_path / "meta.db")) as connection:
        for column in ("source", "metadata", "upload_status"):
            connection.execute(f"alter table experiments drop column {column}")
    before = describe(tmp_path / "meta.db")
    with StoreWriter(tmp_path) as writer:
        writer.start_run("r", "new", source="train.py")
    assert rows(tmp_path / "meta.db", "select id, name, status from experiments") == [
        ("r", "new", "active")
    ]
    assert describe(tmp_path / "meta.db") == before

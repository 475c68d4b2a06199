"""What an upload records in the store (meta.db: experiments.upload_status, remote_artifacts)."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from flowtui.store import decoding
from flowtui.store.database import Database, table_columns
from flowtui.store.schema.rows import timestamp
from flowtui.store.transaction import write
from flowtui.store.uploaded import FAILED, UPLOADED, LocalType


def record_upload(
    meta: Database, kind: LocalType, local_id: str, orbit_id: str, artifact_id: str, now: datetime
) -> None:
    """Record that a run or model is in the registry, as far as an older schema has columns for it.

    A run's upload_status becomes `uploaded`. In one orbit, a later artifact replaces an earlier
    one.

    Raises:
        DatabaseError: The store is busy, full or read-only; see `transaction.write`.
    """

    def change(connection: sqlite3.Connection) -> None:
        values = {
            "kind": str(kind),
            "id": decoding.as_sql(local_id),
            "orbit": orbit_id,
            "artifact": artifact_id,
            "now": timestamp(now),
        }
        if kind is LocalType.EXPERIMENT:
            _set_status(connection, local_id, UPLOADED)
        if table_columns(connection, "remote_artifacts"):
            connection.execute(
                "insert into remote_artifacts"
                " (local_type, local_id, orbit_id, artifact_id, created_at)"
                " values (:kind, cast(:id as text), :orbit, :artifact, :now)"
                " on conflict (local_type, local_id, orbit_id) do update set"
                " artifact_id = excluded.artifact_id, created_at = excluded.created_at",
                values,
            )

    write(meta, change)


def record_failure(meta: Database, run_id: str) -> None:
    """Record that an upload of a run failed, unless an earlier one is in the registry.

    Raises:
        DatabaseError: As for `record_upload`.
    """
    write(meta, lambda connection: _set_status(connection, run_id, FAILED))


def _set_status(connection: sqlite3.Connection, run_id: str, status: str) -> None:
    if "upload_status" not in table_columns(connection, "experiments"):
        return
    connection.execute(
        "update experiments set upload_status = :status where id = cast(:id as text)"
        " and (:status = 'uploaded' or upload_status is not 'uploaded')",
        {"status": status, "id": decoding.as_sql(run_id)},
    )

"""What an upload leaves in the store (meta.db: experiments.upload_status, remote_artifacts)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flowtui.store import reading
from flowtui.store.database import Database, table_columns
from flowtui.store.schema.rows import timestamp
from flowtui.store.transaction import write


class LocalType(StrEnum):
    """What of the store an artifact was made of: remote_artifacts.local_type."""

    EXPERIMENT = "experiment"
    MODEL = "model"


UPLOADED = "uploaded"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RemoteArtifact:
    """One row of remote_artifacts: where something of the store is in the registry."""

    local_type: str
    local_id: str
    orbit_id: str
    artifact_id: str
    created_at: datetime | None


def remote_artifacts(
    connection: sqlite3.Connection, local_id: str
) -> tuple[RemoteArtifact, ...] | None:
    """Return where a run or model was uploaded, latest first, None where the schema has no table.

    Source: meta.db remote_artifacts, of schema version 6.
    """
    if not table_columns(connection, "remote_artifacts"):
        return None
    rows = connection.execute(
        "select local_type, local_id, orbit_id, artifact_id, created_at from remote_artifacts"
        " where local_id = cast(:id as text) order by created_at desc, rowid desc",
        {"id": reading.as_sql(local_id)},
    )
    return tuple(
        RemoteArtifact(
            reading.text(kind),
            reading.text(of),
            reading.text(orbit_id),
            reading.text(artifact_id),
            reading.timestamp(created_at, "created_at", []),
        )
        for kind, of, orbit_id, artifact_id, created_at in rows
    )


def record_upload(
    meta: Database, kind: LocalType, local_id: str, orbit_id: str, artifact_id: str, now: datetime
) -> None:
    """Note that a run or model is in the registry; older schemas take what they have columns for.

    A run's upload_status becomes `uploaded`. In the same orbit, a later artifact takes the place of
    an earlier one.

    Raises:
        DatabaseError: the store is busy, full or read-only; see `transaction.write`.
    """

    def change(connection: sqlite3.Connection) -> None:
        values = {
            "kind": str(kind),
            "id": reading.as_sql(local_id),
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
    """Note that an upload of a run failed, unless an earlier one is in the registry.

    Raises:
        DatabaseError: as `record_upload` does.
    """
    write(meta, lambda connection: _set_status(connection, run_id, FAILED))


def _set_status(connection: sqlite3.Connection, run_id: str, status: str) -> None:
    if "upload_status" not in table_columns(connection, "experiments"):
        return
    connection.execute(
        "update experiments set upload_status = :status where id = cast(:id as text)"
        " and (:status = 'uploaded' or upload_status is not 'uploaded')",
        {"status": status, "id": reading.as_sql(run_id)},
    )

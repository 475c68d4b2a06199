"""Where runs and models were uploaded (meta.db: remote_artifacts)."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from flowtui.store import decoding
from flowtui.store.database import table_columns


class LocalType(StrEnum):
    """What an artifact was made from: remote_artifacts.local_type."""

    EXPERIMENT = "experiment"
    MODEL = "model"


UPLOADED = "uploaded"
FAILED = "failed"


class RemoteArtifact(NamedTuple):
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
        {"id": decoding.as_sql(local_id)},
    )
    return tuple(
        RemoteArtifact(
            decoding.text(kind),
            decoding.text(of),
            decoding.text(orbit_id),
            decoding.text(artifact_id),
            decoding.timestamp(created_at, "created_at", []),
        )
        for kind, of, orbit_id, artifact_id, created_at in rows
    )

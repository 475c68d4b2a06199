"""Writes runs into a store's meta.db and folders, row for row as the SDK does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from flowtui.store.closing import Closes
from flowtui.store.database import table_columns
from flowtui.store.errors import RunNotFound
from flowtui.store.schema.create import (
    create_experiment_db,
    create_store,
    make_folder,
    open_for_writing,
    writing,
)
from flowtui.store.schema.experiment import ExperimentWriter, utc_now, uuid4
from flowtui.store.schema.rows import timestamp


class StoreWriter(Closes):
    """Adds groups, runs and models to a store, which it makes where there is none.

    Every method is one transaction and raises `DatabaseError` if SQLite refuses it. Columns that an
    older store does not have are left out; nothing is migrated.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = uuid4,
        durable: bool = True,
    ) -> None:
        """Open meta.db.

        Args:
            directory: The store's folder.
            clock: Returns the time for what is written without one.
            new_id: Makes the ids of groups, models, attachments, links and annotations.
            durable: Whether every commit waits for the disk; what can be made again need not.
        """
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._durable = durable
        create_store(directory, applied_at=clock(), durable=durable)
        self._path = directory / "meta.db"
        self._database = open_for_writing(self._path, durable=durable)

    def close(self) -> None:
        """Close meta.db; the last one to close it removes its -wal and -shm."""
        self._database.close()

    def ids(self) -> set[str]:
        """Return the ids of all runs: experiments.id."""
        with writing(self._database, self._path) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM experiments")}

    def group(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Sequence[str] = (),
        created_at: datetime | None = None,
    ) -> str:
        """Return the id of the group of a name, which is made if it is missing.

        Source: experiment_groups.id.
        """
        with writing(self._database, self._path) as connection:
            found = connection.execute(
                "SELECT id FROM experiment_groups WHERE name = ?", (name,)
            ).fetchone()
        if found:
            return str(found[0])
        group_id = self._new_id()
        when = timestamp(created_at or self._clock())
        self._insert(
            "experiment_groups",
            {
                "id": group_id,
                "name": name,
                "description": description,
                "created_at": when,
                "tags": _tags(tags),
                "last_modified": when,
            },
        )
        return group_id

    def start_run(
        self,
        run_id: str,
        name: str,
        *,
        group: str = "default",
        tags: Sequence[str] = (),
        description: str | None = None,
        source: str | None = None,
        created_at: datetime | None = None,
    ) -> None:
        """Add an active run: its row in experiments, its folder, an empty exp.db.

        A group that does not exist yet is made.

        Raises:
            ValueError: The id, which is any string, cannot be the name of a folder.
        """
        folder = self._run_folder(run_id)
        when = created_at or self._clock()
        group_id = self.group(group, created_at=when)
        # The folder comes before the row: a run without room for it must not look as if it went on.
        make_folder(folder / "attachments")
        create_experiment_db(folder / "exp.db", applied_at=when, durable=self._durable)
        self._insert(
            "experiments",
            {
                "id": run_id,
                "name": name,
                "created_at": timestamp(when),
                "status": "active",
                "tags": _tags(tags),
                "group_id": group_id,
                "description": description,
                "source": source,
                "upload_status": "not_uploaded",
            },
        )

    def experiment(self, run_id: str) -> ExperimentWriter:
        """Open one run's exp.db for writing; the caller closes it, best by `with`.

        Raises:
            DatabaseError: There is no such exp.db.
        """
        return ExperimentWriter(
            self._run_folder(run_id) / "exp.db",
            clock=self._clock,
            new_id=self._new_id,
            durable=self._durable,
        )

    def end_run(self, run_id: str, *, status: str, duration: float | None) -> None:
        """Mark a run as ended and, if it is completed, copy its params and last metrics.

        The copies are the JSON objects experiments.static_params and .dynamic_params; a run that
        failed has none. The group's last_modified moves to the end of a completed run.

        Args:
            run_id: The run.
            status: Completed, or error.
            duration: Seconds from created_at to the end; None where it is not known.

        Raises:
            RunNotFound: The store has no such run.
        """
        changes: dict[str, object] = {"status": status, "duration": duration}
        if status == "completed":
            with self.experiment(run_id) as experiment:
                changes["static_params"] = _copy(experiment.param_copy())
                changes["dynamic_params"] = _copy(experiment.last_values())
        self._update_run(run_id, changes)
        if status == "completed" and duration is not None:
            with writing(self._database, self._path) as connection:
                connection.execute(
                    "UPDATE experiment_groups SET last_modified = max(last_modified,"
                    " (SELECT datetime(created_at, duration || ' seconds')"
                    " FROM experiments WHERE id = :id))"
                    " WHERE id = (SELECT group_id FROM experiments WHERE id = :id)",
                    {"id": run_id},
                )

    def model(
        self,
        run_id: str,
        file_name: str,
        data: bytes,
        *,
        name: str | None = None,
        tags: Sequence[str] = (),
        description: str | None = None,
        source: str | None = None,
        created_at: datetime | None = None,
    ) -> str:
        """Write a model file into the run's models/ and its row in models; return the row's id.

        Raises:
            ValueError: The file name has folders in it.
        """
        if Path(file_name).name != file_name:
            raise ValueError(f"{file_name!r} is not a plain file name")
        folder = self._run_folder(run_id) / "models"
        folder.mkdir(exist_ok=True)
        file = folder / file_name
        file.write_bytes(data)
        model_id = self._new_id()
        self._insert(
            "models",
            {
                "id": model_id,
                "name": name or file.stem,
                "created_at": timestamp(created_at or self._clock()),
                "tags": _tags(tags),
                "path": str(file.relative_to(self._directory)),
                "experiment_id": run_id,
                "size": len(data),
                "source": source,
                "description": description,
            },
        )
        return model_id

    def uploaded(
        self, run_id: str, *, orbit_id: str, artifact_id: str, created_at: datetime | None = None
    ) -> None:
        """Record that a run is in the registry: experiments.upload_status, remote_artifacts.

        Raises:
            RunNotFound: The store has no such run.
        """
        self._update_run(run_id, {"upload_status": "uploaded"})
        self._insert(
            "remote_artifacts",
            {
                "local_type": "experiment",
                "local_id": run_id,
                "orbit_id": orbit_id,
                "artifact_id": artifact_id,
                "created_at": timestamp(created_at or self._clock()),
            },
        )

    def _run_folder(self, run_id: str) -> Path:
        if not run_id or run_id in (".", "..") or Path(run_id).name != run_id:
            raise ValueError(f"{run_id!r} cannot be the name of a run's folder")
        return self._directory / run_id

    def _insert(self, table: str, row: Mapping[str, object]) -> None:
        with writing(self._database, self._path) as connection:
            known = table_columns(connection, table)
            columns = [column for column in row if column in known]
            connection.execute(
                f"INSERT OR REPLACE INTO {table} ({', '.join(columns)})"
                f" VALUES ({', '.join(':' + column for column in columns)})",
                row,
            )

    def _update_run(self, run_id: str, changes: Mapping[str, object]) -> None:
        assignments = ", ".join(f"{column} = :{column}" for column in changes)
        with writing(self._database, self._path) as connection:
            changed = connection.execute(
                f"UPDATE experiments SET {assignments} WHERE id = :id", {**changes, "id": run_id}
            ).rowcount
        if not changed:
            raise RunNotFound(f"{self._directory} has no run {run_id}")


def _tags(tags: Sequence[str]) -> str | None:
    return json.dumps(list(tags)) if tags else None


def _copy(values: Mapping[str, object]) -> str | None:
    return json.dumps(values) if values else None

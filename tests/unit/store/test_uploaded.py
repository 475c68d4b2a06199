"""What an upload leaves in the store, of every schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.store import runs as run_rows
from flowtui.store import upload_record, uploaded
from flowtui.store.uploaded import LocalType, RemoteArtifact
from tests.unit.stores import NOW, execute, one_run, opened


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    one_run(tmp_path / "store")
    return tmp_path / "store"


def status(directory: Path) -> object:
    with closing(sqlite3.connect(directory / "meta.db")) as connection:
        return connection.execute("select upload_status from experiments").fetchone()[0]


def test_an_upload_is_noted_with_where_it_went(directory: Path) -> None:
    with opened(directory) as store:
        upload_record.record_upload(
            store.meta, LocalType.EXPERIMENT, "run-1", "orbit", "first", NOW
        )
        upload_record.record_upload(
            store.meta, LocalType.EXPERIMENT, "run-1", "orbit", "second", NOW
        )
        upload_record.record_upload(store.meta, LocalType.MODEL, "model-1", "orbit", "third", NOW)
        assert store.ask(uploaded.remote_artifacts, "run-1") == (
            RemoteArtifact("experiment", "run-1", "orbit", "second", NOW),
        )
        assert [
            one.artifact_id for one in store.ask(uploaded.remote_artifacts, "model-1") or ()
        ] == ["third"]
    assert status(directory) == "uploaded"
    assert {path.name for path in directory.glob("meta.db*")} == {"meta.db"}


def test_a_failure_does_not_hide_an_earlier_upload(directory: Path) -> None:
    with opened(directory) as store:
        upload_record.record_failure(store.meta, "run-1")
        assert status(directory) == "failed"
        upload_record.record_upload(
            store.meta, LocalType.EXPERIMENT, "run-1", "orbit", "first", NOW
        )
        upload_record.record_failure(store.meta, "run-1")
    assert status(directory) == "uploaded"


def test_an_older_schema_takes_what_it_has_columns_for(directory: Path) -> None:
    execute(directory / "meta.db", "drop table remote_artifacts")
    with opened(directory) as store:
        assert store.ask(uploaded.remote_artifacts, "run-1") is None
        upload_record.record_upload(
            store.meta, LocalType.EXPERIMENT, "run-1", "orbit", "first", NOW
        )
    assert status(directory) == "uploaded"
    execute(directory / "meta.db", "alter table experiments drop column upload_status")
    with opened(directory) as store:
        upload_record.record_upload(
            store.meta, LocalType.EXPERIMENT, "run-1", "orbit", "first", NOW
        )
        upload_record.record_failure(store.meta, "run-1")
        run = store.ask(run_rows.run, "run-1")
        assert run is not None
        assert run.upload_status is None

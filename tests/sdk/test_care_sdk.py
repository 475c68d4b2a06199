"""Edits and deletions beside the real luml-sdk: what it reads of them, also while a run is live."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowtui.store import models as logged_models
from flowtui.store import runs as run_rows
from flowtui.store.care import editing, models, states, trash
from flowtui.store.care.values import NotDeleted, RecordEdit, RecordTable
from flowtui.store.store import Store
from tests.sdk.environments import VERSIONS
from tests.unit.stores import opened

NEWEST = VERSIONS[-1]
_SDK = """
import json, sys
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker("sqlite://" + sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(json.dumps(eval(line), default=str), flush=True)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
"""
_LUMLFLOW = """
import json, os, sys, warnings

warnings.simplefilter("ignore")
os.environ["LUML_BACKEND_STORE_URI"] = "sqlite://" + sys.argv[1]
from fastapi.testclient import TestClient
from lumlflow.server import app

client = TestClient(app)


def get(path):
    answer = client.get("/api/" + path)
    return answer.json() if answer.status_code == 200 else answer.status_code


print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
"""
RECORD = (
    "(lambda r: [r.name, r.description, sorted(r.tags or []), r.group_name if hasattr(r,"
    " 'group_name') else None, r.status])(tracker.get_experiment_record({id!r}))"
)
GROUPS = "{g.id: [g.name, g.description, g.tags] for g in tracker.list_groups()}"


class Sdk:
    """A process with a tracker that evaluates expressions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, expression: str) -> Any:
        """Return what an expression gives, by way of JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(expression + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def sdk(python: Path, directory: Path, script: str = _SDK) -> Iterator[Sdk]:
    pipe = subprocess.PIPE
    command = [python, "-X", "utf8", "-c", script, str(directory)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Sdk(process)
        finally:
            process.kill()


@pytest.fixture
def newest(sdk_python: Callable[[str], Path], tmp_path: Path) -> Iterator[Sdk]:
    with sdk(sdk_python(NEWEST), tmp_path / "store") as tracker:
        yield tracker


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


def edit(store: Store, run_id: str, wanted: RecordEdit) -> None:
    assert editing.edit(store.meta, RecordTable.RUNS, [run_id], wanted) is not None


def started(tracker: Sdk, name: str, **more: object) -> str:
    arguments = ", ".join(f"{key}={value!r}" for key, value in more.items())
    run_id = tracker(f"tracker.start_experiment(name={name!r}, {arguments})")
    assert isinstance(run_id, str), run_id
    for step in range(3):
        assert tracker(f"tracker.log_dynamic('loss', 0.5, step={step})") is None
    return run_id


def test_an_edit_under_a_live_run_survives_its_end(newest: Sdk, directory: Path) -> None:
    run_id = started(newest, "begun", tags=["a"])
    with opened(directory) as store:
        edit(store, run_id, RecordEdit("renamed", "été", ("b", "c"), group="sweep"))
        assert newest("tracker.log_dynamic('loss', 0.1, step=9)") is None
        row = newest(RECORD.format(id=run_id))
        assert (row[0], row[1], row[2], row[4]) == ("renamed", "été", ["b", "c"], "active")
        assert newest(f"tracker.end_experiment({run_id!r})") is None
        found = store.ask(run_rows.run, run_id)
        assert found is not None
        assert (found.name, found.description, found.tags) == ("renamed", "été", ("b", "c"))
        assert (found.group_name, found.status) == ("sweep", "completed")
        row = newest(RECORD.format(id=run_id))
        assert (row[0], row[4]) == ("renamed", "completed")
        listed = newest(
            "[e.name for g in tracker.list_groups() if g.name == 'sweep'"
            " for e in tracker.list_group_experiments_pagination(g.id).items]"
        )
        assert listed == ["renamed"]


def test_what_the_sdk_edits_meanwhile_is_not_overwritten_unseen(
    newest: Sdk, directory: Path
) -> None:
    run_id = started(newest, "begun")
    with opened(directory) as store:
        known = store.ask(states.states, RecordTable.RUNS, [run_id])
        newest(f"tracker.update_experiment({run_id!r}, name='theirs')")
        with pytest.raises(Exception, match="somebody else has changed its name"):
            editing.edit(
                store.meta, RecordTable.RUNS, [run_id], RecordEdit(name="mine"), known=known
            )


def test_groups_are_read_as_they_were_edited(newest: Sdk, directory: Path) -> None:
    run_id = started(newest, "begun", group="first")
    with opened(directory) as store:
        row = store.ask(run_rows.run, run_id)
        assert row is not None
        assert row.group_id is not None
        wanted = RecordEdit("renamed", "all of them", ("x", "y"))
        editing.edit(store.meta, RecordTable.GROUPS, [row.group_id], wanted)
        assert newest(GROUPS)[row.group_id] == ["renamed", "all of them", ["x", "y"]]
        edit(store, run_id, RecordEdit(group="another"))
        editing.delete_group(store.meta, row.group_id)
        assert row.group_id not in newest(GROUPS)
        assert newest(f"tracker.end_experiment({run_id!r})") is None


def test_models_are_read_as_they_were_edited(newest: Sdk, directory: Path, tmp_path: Path) -> None:
    run_id = started(newest, "begun")
    (directory / run_id / "models").mkdir()
    (directory / run_id / "models" / "net.luml").write_bytes(b"weights")
    with opened(directory) as store:
        with closing(sqlite3.connect(directory / "meta.db")) as connection, connection:
            connection.execute(
                "insert into models (id, name, tags, path, experiment_id, size)"
                " values ('m', 'net', '[]', ?, ?, 7)",
                [f"{run_id}/models/net.luml", run_id],
            )
        editing.edit(store.meta, RecordTable.MODELS, ["m"], RecordEdit("best", "# Card", ("v1",)))
        read = newest(f"[[m.name, m.tags] for m in tracker.get_models({run_id!r})]")
        assert read == [["best", ["v1"]]]
        assert models.delete_model(store, "m").freed_bytes == len(b"weights")
        assert newest(f"tracker.get_models({run_id!r})") == []
        assert store.ask(logged_models.models, run_id) == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_live_run_is_never_deleted_and_a_killed_one_is(
    sdk_python: Callable[[str], Path], directory: Path, version: str
) -> None:
    with sdk(sdk_python(version), directory) as tracker:
        run_id = started(tracker, "living")
        with opened(directory) as store:
            with pytest.raises(NotDeleted, match="a process has its database open"):
                trash.delete(store, run_id, datetime.now(UTC))
            assert tracker("tracker.log_dynamic('loss', 0.5, step=7)") is None
            tracker.kill()
            trash.delete(store, run_id, datetime.now(UTC))
            assert store.ask(run_rows.run, run_id) is None
            trash.restore(store, run_id)
            last = store.run(run_id).metrics.last_points()["loss"]
            assert last is not None
            assert last.step == 7


def test_deleting_and_restoring_beside_a_live_writer(newest: Sdk, directory: Path) -> None:
    ended = started(newest, "ended", tags=["a"])
    assert newest(f"tracker.end_experiment({ended!r})") is None
    record = newest(RECORD.format(id=ended))
    living = started(newest, "living")
    with opened(directory) as store:
        trash.delete(store, ended, datetime.now(UTC))
        assert newest(RECORD.format(id=ended)).keys() == {"error"}
        assert newest("[e.id for e in tracker.list_experiments()]") == [living]
        assert newest("tracker.log_dynamic('loss', 0.5, step=7)") is None
        trash.restore(store, ended)
        assert newest(RECORD.format(id=ended)) == record
        data = newest(f"tracker.get_experiment({ended!r}).dynamic_metrics")
        assert len(data["loss"]) == 3
        assert newest(f"tracker.end_experiment({living!r})") is None
        # It is sound for the SDK's own deletion, too.
        assert newest(f"tracker.delete_experiment({ended!r})") is None
        assert trash.trashed_runs(store) == []


def test_the_browser_app_reads_edits_and_deletions_while_a_run_is_live(
    newest: Sdk, directory: Path, lumlflow_python: Path
) -> None:
    ended = started(newest, "ended", tags=["a"])
    assert newest(f"tracker.end_experiment({ended!r})") is None
    living = started(newest, "living")
    with sdk(lumlflow_python, directory, _LUMLFLOW) as lumlflow, opened(directory) as store:
        wanted = RecordEdit("renamed", "été", added_tags=("b",), group="sweep")
        for run_id in (ended, living):
            edit(store, run_id, wanted)
            read = lumlflow(f"get('experiments/{run_id}')")
            assert (read["name"], read["description"]) == ("renamed", "été")
            assert (read["tags"][-1], read["group_name"]) == ("b", "sweep")
        groups = {one["name"] for one in lumlflow("get('groups')")["items"]}
        assert groups == {"default", "sweep"}
        before = lumlflow(f"get('experiments/{ended}')")
        trash.delete(store, ended, datetime.now(UTC))
        assert lumlflow(f"get('experiments/{ended}')") == 404
        assert newest("tracker.log_dynamic('loss', 0.5, step=7)") is None
        trash.restore(store, ended)
        assert lumlflow(f"get('experiments/{ended}')") == before
        assert len(lumlflow(f"get('experiments/{ended}/metrics/loss')")["history"]) == 3
        # It keeps open what it has read of a run.
        with pytest.raises(NotDeleted, match="a viewer such as lumlflow"):
            trash.delete(store, ended, datetime.now(UTC))
        assert newest(f"tracker.end_experiment({living!r})") is None
        read = lumlflow(f"get('experiments/{living}')")
        assert (read["name"], read["status"]) == ("renamed", "completed")


@pytest.mark.parametrize("version", ["pre2", *VERSIONS])
def test_runs_of_every_schema_are_edited_deleted_and_restored(
    golden_store: Callable[[str], Path], version: str
) -> None:
    directory = golden_store(version)
    with opened(directory) as store:
        for run_id in store.ask(run_rows.ids).values():
            before = store.ask(run_rows.run, run_id)
            assert before is not None
            state = store.ask(states.state, RecordTable.RUNS, run_id)
            assert state is not None
            wanted = RecordEdit(name="edited", added_tags=("new",), group="moved")
            change = editing.edit(store.meta, RecordTable.RUNS, [run_id], wanted)
            assert change is not None
            editing.revert(store.meta, change)
            now = store.ask(run_rows.run, run_id)
            assert now == before
            if before.is_active:
                continue
            trash.delete(store, run_id, datetime.now(UTC))
            trash.restore(store, run_id)
            now = store.ask(run_rows.run, run_id)
            assert now is not None
            assert (now.id, now.name, now.tags) == (before.id, before.name, before.tags)
            assert (now.group_name, now.created_at) == (before.group_name, before.created_at)

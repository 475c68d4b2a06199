"""Artifacts against the real luml-sdk: it reads what is packed here, and what it packs is read."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flowtui.store import counts as counting
from flowtui.store import runs as run_rows
from flowtui.store.archive import models, packing
from flowtui.store.archive.opening import open_artifact
from flowtui.store.values import Model
from tests.sdk.environments import expected
from tests.unit.stores import opened

StoreOf = Callable[[str], Path]
EXPORTS = 20

READ = r"""
import hashlib, io, json, sqlite3, sys, tarfile, tempfile, zipfile
from pathlib import Path
from luml.artifacts.experiment import ExperimentReference

reference = ExperimentReference(sys.argv[1])
manifest = reference.get_manifest()
index = json.loads(reference.extract_file("attachments.index.json"))
tar = reference.extract_file("attachments.tar")
folder = Path(tempfile.mkdtemp(dir=sys.argv[2]))
zipfile.ZipFile(io.BytesIO(reference.extract_file("exp.db.zip"))).extractall(folder)
connection = sqlite3.connect(folder / "exp.db")
tables = [name for (name,) in connection.execute(
    "select name from sqlite_master where type = 'table' order by name")]
print(json.dumps({
    "valid": reference.validate(),
    "files": reference.list_files(),
    "payload": manifest.payload.model_dump(),
    "name": manifest.name,
    "attachments": {name: hashlib.sha256(tar[at:at + size]).hexdigest()
                    for name, (at, size) in index.items()},
    "rows": {table: hashlib.sha256(repr(connection.execute(
        f"select * from {table} order by rowid").fetchall()).encode()).hexdigest()
        for table in tables},
    "version": connection.execute("pragma user_version").fetchone()[0],
}))
connection.close()
"""
SAVE = r"""
import sys
from luml.artifacts.experiment import save_experiment
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker("sqlite://" + sys.argv[1])
save_experiment(tracker, sys.argv[2], sys.argv[3])
"""
LINK = r"""
import io, json, sys, tarfile
from luml.artifacts.model import ModelReference
from luml.experiments.tracker import ExperimentTracker

manifest = json.dumps({"artifact_type": "model", "variant": "pyfunc", "name": "m",
    "producer_name": "x", "producer_version": "1", "producer_tags": [], "payload": {}}).encode()
with tarfile.open(sys.argv[3], "w") as tar:
    info = tarfile.TarInfo("manifest.json")
    info.size = len(manifest)
    tar.addfile(info, io.BytesIO(manifest))
tracker = ExperimentTracker("sqlite://" + sys.argv[1])
tracker.link_to_model(ModelReference(sys.argv[3]), sys.argv[2])
"""
# Logs as fast as it can until its standard input ends; what SQLite refuses counts as an error.
WRITE = r"""
import json, sqlite3, sys, threading
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker("sqlite://" + sys.argv[1])
run = tracker.start_experiment(name="live")
print(run, flush=True)
asked = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), asked.set()), daemon=True).start()
count, errors = 0, 0
while not asked.is_set():
    try:
        tracker.log_dynamic("loss", 1.0, step=count)
        tracker.log_span(f"{count:032x}", f"{count:016x}", "root", 1, 2)
        tracker.log_attachment(f"{count % 50}.txt", "x" * 1000)
        count += 1
    except sqlite3.Error:
        errors += 1
tracker.end_experiment(run)
print(json.dumps([count, errors]), flush=True)
"""
MODEL_FILES = r"""
import json, sys
from luml.artifacts._base import DiskReference

reference = DiskReference(sys.argv[1])
print(json.dumps([reference.get_manifest()["name"], reference.list_files()]))
"""


def ask(python: Path, code: str, *arguments: object) -> Any:
    """Gives what a script prints in JSON, None where it prints nothing."""
    command = [python, "-X", "utf8", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) if done.stdout else None


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fullest(directory: Path) -> str:
    return str(expected(directory)["runs"]["complete"]["id"])


@pytest.mark.parametrize("version", ["0.3.0", "0.4.0"])
def test_the_sdk_reads_rows_and_attachments_as_they_are(
    sdk_store: StoreOf, sdk_python: StoreOf, tmp_path: Path, version: str
) -> None:
    directory = sdk_store(version)
    run_id = fullest(directory)
    with opened(directory) as store:
        artifact = packing.write_artifact(store, run_id, tmp_path / "run.luml")
        run = store.ask(run_rows.run, run_id)
        listed = store.run(run_id).attachments()
        assert run is not None
        assert listed is not None
        files = {
            f"attachments/{file.path}": digest(store.run(run_id).files.path(file.path))
            for file in listed.files
            if not file.is_missing
        }
        names = "select name from sqlite_master where type = 'table' order by name"
        tables = store.run(run_id).database.read(lambda db: db.execute(names).fetchall())
        rows = {
            table: store.run(run_id).database.read(
                lambda db, table=table: hashlib.sha256(
                    repr(db.execute(f"select * from {table} order by rowid").fetchall()).encode()
                ).hexdigest()
            )
            for (table,) in tables
        }
    told = ask(sdk_python(version), READ, artifact.path, tmp_path)
    assert told["valid"]
    assert told["files"] == list(artifact.members)
    assert told["name"] == run.name
    assert told["payload"] == {
        "local_experiment_id": run_id,
        "status": run.status,
        "group": run.group_id,
        "tags": list(run.tags),
    }
    assert files
    assert told["attachments"] == files
    assert told["rows"] == rows


def test_what_the_sdk_packed_is_read_here(
    sdk_store: StoreOf, sdk_python: StoreOf, tmp_path: Path
) -> None:
    directory = sdk_store("0.4.0")
    run_id = fullest(directory)
    target = tmp_path / "sdk.luml"
    ask(sdk_python("0.4.0"), SAVE, directory, run_id, target)
    with opened(directory) as store, closing(open_artifact(target)) as read:
        assert read.run_id == run_id
        assert read.run(run_id).ask(counting.counts) == store.run(run_id).ask(counting.counts)
        listed, own = read.run(run_id).attachments(), store.run(run_id).attachments()
        assert listed is not None
        assert own is not None
        assert [(file.path, file.size_bytes) for file in listed.files] == [
            (file.path, file.size_bytes) for file in own.files
        ]
        for file in listed.files:
            if not file.is_missing:
                copy = read.run(run_id).files.path(file.path)
                assert digest(copy) == digest(store.run(run_id).files.path(file.path))


def test_beside_the_sdk_every_export_is_intact_and_nothing_fails_it(
    sdk_python: StoreOf, tmp_path: Path
) -> None:
    command = [sdk_python("0.4.0"), "-c", WRITE, tmp_path / "store"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as sdk:
        assert sdk.stdin is not None
        assert sdk.stdout is not None
        run_id = sdk.stdout.readline().strip()
        points = []
        with opened(tmp_path / "store") as store:
            for number in range(EXPORTS):
                target = tmp_path / f"{number}.luml"
                packing.write_artifact(store, run_id, target)
                with closing(open_artifact(target)) as read:
                    check = read.run(run_id).database.read(
                        lambda db: db.execute("pragma integrity_check").fetchall()
                    )
                    assert check == [("ok",)]
                    counts = read.run(run_id).ask(counting.counts)
                    last = read.run(run_id).metrics.last_points().get("loss")
                    assert last is None or (counts.spans or 0) in (last.step, last.step + 1)
                    points.append(-1 if last is None else last.step)
        sdk.stdin.close()
        written, errors = json.loads(sdk.stdout.read())
    assert errors == 0
    assert points == sorted(points)
    assert 0 < points[-1] < written
    left = sorted(path.name for path in (tmp_path / "store").rglob("*.db*"))
    assert left == ["exp.db", "meta.db"]


def test_a_model_that_the_sdk_linked_is_read_and_one_linked_here_is_alike(
    sdk_store: StoreOf, sdk_python: StoreOf, tmp_path: Path
) -> None:
    directory = sdk_store("0.4.0")
    run_id = fullest(directory)
    python = sdk_python("0.4.0")
    theirs, plain = tmp_path / "theirs.luml", directory / "plain.luml"
    ask(python, LINK, directory, run_id, theirs)
    with closing(open_artifact(theirs)) as read, opened(directory) as store:
        assert read.run(read.run_id).ask(counting.counts) == store.run(run_id).ask(counting.counts)
        assert "a run inside a model" in read.why_read_only
        plain.write_bytes(_only_manifest(theirs))
        model = Model("m", "m", None, (), "plain.luml", None, None, None)
        try:
            own = models.write_model_artifact(store, run_id, model, tmp_path / "own.luml")
        finally:
            plain.unlink()
    name, files = ask(python, MODEL_FILES, own.path)
    their_name, their_files = ask(python, MODEL_FILES, theirs)
    assert name == their_name == "m"
    assert [_without_ids(one) for one in files] == [_without_ids(one) for one in their_files]


def _only_manifest(path: Path) -> bytes:
    """Gives the tar as it was before the SDK added to it: a header, a block, the end."""
    return path.read_bytes()[:1024] + bytes(tarfile.RECORDSIZE - 1024)


def _without_ids(name: str) -> str:
    return "".join("#" if char in "0123456789abcdef" else char for char in name)

"""Artifacts: what is written, beside a writer too, and what is left when it cannot be."""

from __future__ import annotations

import json
import sqlite3
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from flowtui.store import counts as counting
from flowtui.store import models as logged_models
from flowtui.store import runs as run_rows
from flowtui.store.archive import models, packing
from flowtui.store.archive.opening import open_artifact
from flowtui.store.archive.values import ArtifactError, ArtifactInfo
from flowtui.store.errors import ReadCancelled
from flowtui.store.store import Store
from tests.conftest import open_store
from tests.unit.stores import NOW, contents, one_run, opened, process, writer

LONG = "deep/" * 40 + "ünïcode.txt"
FILES = {"a.bin": bytes(range(256)) * 9, "plots/b.txt": b"b", "empty": b"", LONG: b"long"}

WRITE = """
import sqlite3, sys, threading
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma journal_mode = wal")
step = 0
print("ready", flush=True)
while not done.is_set():
    db.execute("begin")
    for key in ("left", "right"):
        db.execute("insert into dynamic_metrics (key, value, step) values (?, ?, ?)",
                   (key, step, step))
    db.execute("commit")
    step += 1
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store with one run, four attachments, one that is missing, and one that leads out."""
    with writer(tmp_path / "store") as store:
        store.start_run("run-1", "résumé", group="vision", tags=["a", "b"])
        with store.experiment("run-1") as experiment:
            experiment.params({"lr": 0.1})
            experiment.metrics(("loss", 1 / (step + 1), step, NOW) for step in range(1_000))
            for name, data in FILES.items():
                experiment.attachment(name, data)
            experiment.attachment("gone.txt", b"x").unlink()
            leak = experiment.attachment("leak", b"x")
    leak.unlink()
    leak.symlink_to("/etc/passwd")
    return tmp_path / "store"


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with opened(directory) as found:
        yield found


@pytest.fixture
def artifact(store: Store, tmp_path: Path) -> ArtifactInfo:
    return packing.write_artifact(store, "run-1", tmp_path / "run.luml")


def members(path: Path) -> dict[str, bytes]:
    """Gives the files of a tar as tarfile itself reads them."""
    with tarfile.open(path, "r:") as tar:
        return {one.name: _data(tar, one) for one in tar if one.isfile()}


def _data(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def rows(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_members_are_in_their_order_and_indexed(artifact: ArtifactInfo) -> None:
    whole = artifact.path.read_bytes()
    found = members(artifact.path)
    names = ["manifest.json", "exp.db.zip", "attachments.tar", "attachments.index.json"]
    assert list(found) == names == list(artifact.members)
    for name, data in found.items():
        part = artifact.members[name]
        assert whole[part.offset : part.offset + part.size_bytes] == data
    assert artifact.size_bytes == len(whole)
    assert len(whole) % tarfile.RECORDSIZE == 0


def test_the_manifest_says_what_luml_expects(artifact: ArtifactInfo, store: Store) -> None:
    manifest = json.loads(members(artifact.path)["manifest.json"])
    assert manifest == artifact.manifest
    assert manifest.pop("producer_version").startswith("flow-tui ")
    run = store.ask(run_rows.run, "run-1")
    assert run is not None
    assert manifest == {
        "artifact_type": "experiment",
        "variant": "default",
        "name": "résumé",
        "description": None,
        "version": "1",
        "producer_name": "luml.ai",
        "producer_tags": ["luml.ai::experiment_snapshot:v1"],
        "payload": {
            "local_experiment_id": "run-1",
            "status": "active",
            "group": run.group_id,
            "tags": ["a", "b"],
        },
    }


def test_the_database_is_whole_by_itself(
    artifact: ArtifactInfo, directory: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(BytesIO(members(artifact.path)["exp.db.zip"])) as packed:
        assert packed.namelist() == ["exp.db"]
        assert packed.infolist()[0].compress_type == zipfile.ZIP_DEFLATED
        copy = Path(packed.extract("exp.db", tmp_path / "out"))
    source = directory / "run-1" / "exp.db"
    for sql in ("select * from dynamic_metrics", "pragma user_version", "pragma integrity_check"):
        assert rows(copy, sql) == rows(source, sql)
    assert rows(copy, "pragma journal_mode") == [("delete",)]


def test_attachments_are_found_by_the_index(artifact: ArtifactInfo) -> None:
    found = members(artifact.path)
    inner = found["attachments.tar"]
    index = json.loads(found["attachments.index.json"])
    expected = {f"attachments/{name}": data for name, data in FILES.items()}
    assert {name: inner[at : at + size] for name, (at, size) in index.items()} == expected
    with tarfile.open(fileobj=BytesIO(inner)) as tar:
        assert tar.getmembers()[0].name == "attachments"
        assert {one.name: _data(tar, one) for one in tar if one.isfile()} == expected


def test_attachments_without_a_file_are_left_out_and_told(artifact: ArtifactInfo) -> None:
    assert artifact.attachment_count == len(FILES)
    assert set(artifact.missing_attachments) == {"gone.txt", "leak"}


def test_the_store_is_as_it_was_and_nothing_is_left(
    store: Store, directory: Path, tmp_path: Path
) -> None:
    before = contents(directory)
    packing.write_artifact(store, "run-1", tmp_path / "run.luml")
    assert contents(directory) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.luml", "store"]


def test_a_file_that_is_there_is_replaced_whole_and_keeps_its_mode(
    store: Store, tmp_path: Path
) -> None:
    target = tmp_path / "run.luml"
    target.write_bytes(b"before")
    target.chmod(0o640)
    packing.write_artifact(store, "run-1", target)
    assert target.stat().st_mode & 0o777 == 0o640
    assert "manifest.json" in members(target)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_cancelling_leaves_nothing(store: Store, tmp_path: Path, share: float) -> None:
    reached = threading.Event()

    def progress(done: int, total: int) -> None:
        if done >= share * total:
            reached.set()

    target = tmp_path / "run.luml"
    target.write_bytes(b"before")
    with pytest.raises(ReadCancelled):
        packing.write_artifact(store, "run-1", target, reached.is_set, progress)
    assert target.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.luml", "store"]


def test_progress_never_goes_back_and_ends_whole(store: Store, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    packing.write_artifact(
        store, "run-1", tmp_path / "x", progress=lambda done, total: told.append((done, total))
    )
    done = [one for one, _ in told]
    assert done == sorted(done)
    assert told[-1][0] == told[-1][1]
    assert len({total for _, total in told}) == 1


def test_a_disk_without_room_is_found_before_anything_is_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = packing.contents(store, "run-1").room_bytes
    files = sum(map(len, FILES.values()))
    assert needed < 2 * store.run("run-1").database.path.stat().st_size + files + 200_000
    usage = type("Usage", (), {"free": needed - 1})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    said = rf"not enough room in .*: {needed / 1e6:.1f} MB are needed, "
    with pytest.raises(ArtifactError, match=said):
        packing.write_artifact(store, "run-1", tmp_path / "run.luml")
    assert not (tmp_path / "run.luml").exists()
    usage.free = needed
    packing.write_artifact(store, "run-1", tmp_path / "run.luml")


def test_a_folder_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nowhere"):
        packing.write_artifact(store, "run-1", tmp_path / "nowhere" / "run.luml")


def test_the_work_is_done_where_only_its_owner_may_look(store: Store, tmp_path: Path) -> None:
    modes = set()

    def progress(done: int, total: int) -> None:
        modes.update(path.stat().st_mode & 0o777 for path in tmp_path.glob(".flow-tui-*"))

    packing.write_artifact(store, "run-1", tmp_path / "run.luml", progress=progress)
    assert modes == {0o700}


@pytest.mark.slow
def test_beside_a_writer_the_database_is_of_one_moment(tmp_path: Path) -> None:
    database = one_run(tmp_path / "store")
    with process(WRITE, database), opened(tmp_path / "store") as store:
        before = {path.name for path in database.parent.iterdir()}
        for number in range(20):
            target = tmp_path / f"{number}.luml"
            packing.write_artifact(store, "run-1", target)
            with closing(open_artifact(target)) as read:
                copy = read.run("run-1").database.path
                assert rows(copy, "pragma integrity_check") == [("ok",)]
                left, right = rows(copy, "select count(*) from dynamic_metrics group by key") or (
                    (0,),
                    (0,),
                )
                assert left == right
        assert {path.name for path in database.parent.iterdir()} == before


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert packing.sha256(tmp_path / "x").startswith("ba7816bf8f01cfea")
    with pytest.raises(ReadCancelled):
        packing.sha256(tmp_path / "x", lambda: True)


def test_a_model_is_an_artifact_as_it_lies_there(demo_directory: Path) -> None:
    with closing(open_store(demo_directory)) as store:
        run = store.resolve("resnet50-cosine").row
        model = (store.ask(logged_models.models, run.id) or ())[0]
        artifact = models.model_artifact(store, model)
        assert artifact.path == demo_directory / (model.path or "")
        assert list(artifact.members) == list(members(artifact.path))
        assert artifact.manifest["artifact_type"] == "model"


def test_a_run_embedded_in_a_model_is_read_from_there(demo_directory: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.luml"
    with closing(open_store(demo_directory)) as store:
        run = store.resolve("resnet50-cosine").row
        model = (store.ask(logged_models.models, run.id) or ())[0]
        artifact = models.write_model_artifact(store, run.id, model, target)
        found = members(target)
        alone = members(models.model_path(store, model))
        assert {name: found[name] for name in alone} == alone
        assert list(artifact.members) == list(found)
        with closing(open_artifact(target)) as read:
            assert read.run(read.run_id).ask(counting.counts) == store.run(run.id).ask(
                counting.counts
            )
            listed = read.run(read.run_id).attachments()
            assert listed is not None
            assert len(listed.files) == 26
    (meta,) = [name for name in found if name.startswith("meta-")]
    (entry,) = json.loads(found[meta])
    assert entry["tags"] == ["dataforce.studio::experiment_snapshot:v1"]
    assert f"meta_artifacts/{entry['id']}/exp.db.zip" in found

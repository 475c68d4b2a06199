"""Artifacts as stores: everything is there, nothing can be written, nothing in them is trusted."""

from __future__ import annotations

import io
import json
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.store import counts as counting
from flowtui.store import params as logged_params
from flowtui.store import upload_record
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import AnnotationKind, Draft, SpanTarget
from flowtui.store.archive import contents as archive_contents
from flowtui.store.archive import packing
from flowtui.store.archive.opening import open_artifact
from flowtui.store.archive.values import ArtifactError, ArtifactTooLarge
from flowtui.store.attachments.values import AttachmentRefused, FileState
from flowtui.store.changes import Watcher
from flowtui.store.errors import DatabaseCorrupt, DatabaseReadOnly
from flowtui.store.liveness.standing import Activity, Standing
from flowtui.store.lost_records import lost_records
from flowtui.store.samples import listing as sample_rows
from flowtui.store.traces import listing as trace_rows
from tests.conftest import open_store
from tests.unit.artifacts import tar, unpacked, zipped
from tests.unit.stores import one_run, opened, writer

RUN = "resnet50-cosine"


@pytest.fixture
def exported(demo_directory: Path, tmp_path: Path) -> Path:
    with closing(open_store(demo_directory)) as store:
        path = tmp_path / "run.luml"
        packing.write_artifact(store, store.resolve(RUN).id, path)
    return path


def test_everything_of_the_run_is_there(exported: Path, demo_directory: Path) -> None:
    with closing(open_store(demo_directory)) as store, closing(open_artifact(exported)) as read:
        run, copy = store.resolve(RUN).row, read.resolve("latest").row
        assert (copy.id, copy.name, copy.status, copy.tags) == (
            run.id, run.name, run.status, run.tags
        )  # fmt: skip
        assert read.run(run.id).ask(counting.counts) == store.run(run.id).ask(counting.counts)
        assert read.run(run.id).ask(logged_params.params) == store.run(run.id).ask(
            logged_params.params
        )
        assert read.run(run.id).metrics.last_points() == store.run(run.id).metrics.last_points()
        keys = store.run(run.id).ask(trace_rows.ordered)
        assert read.run(run.id).ask(trace_rows.at, keys) == store.run(run.id).ask(
            trace_rows.at, keys
        )
        samples = store.run(run.id).ask(sample_rows.ordered)
        assert read.run(run.id).ask(sample_rows.at, samples) == store.run(run.id).ask(
            sample_rows.at, samples
        )
        figures, copied = (
            store.list.figures([run.id])[run.id],
            read.list.figures([run.id])[run.id],
        )
        assert copied.metrics == figures.metrics
        assert copied.params == figures.params
        assert Watcher(read.meta, read.run(run.id)).look().kinds == frozenset()


def test_attachments_are_listed_without_being_unpacked(
    exported: Path, demo_directory: Path
) -> None:
    with closing(open_store(demo_directory)) as store, closing(open_artifact(exported)) as read:
        run_id = store.resolve(RUN).id
        there, here = store.run(run_id).attachments(), read.run(run_id).attachments()
        assert there is not None
        assert here is not None
        for mine, own in zip(here.files, there.files, strict=True):
            assert (mine.path, mine.state, mine.size_bytes) == (own.path, own.state, own.size_bytes)
        assert not list(read.run_directory(run_id).glob("attachments"))
        first = here.files[0].path
        copy = read.run(run_id).files.path(first)
        assert copy.read_bytes() == store.run(run_id).files.path(first).read_bytes()
        assert copy.name == Path(first).name
        assert read.run(run_id).files.path(first) == copy
        with pytest.raises(AttachmentRefused, match="no such file"):
            read.run(run_id).files.path("../../etc/passwd")


def test_nothing_can_be_written_and_the_reason_is_told(exported: Path) -> None:
    before = exported.read_bytes()
    draft = Draft("quality", AnnotationKind.FEEDBACK, True, None, "ana")
    with closing(open_artifact(exported)) as read:
        assert "run.luml is an exported run, a copy" in read.why_read_only
        with pytest.raises(DatabaseReadOnly, match="annotate the run itself"):
            annotating.add(read.run(read.run_id).database, SpanTarget("a", "b"), draft)
        with pytest.raises(DatabaseReadOnly):
            upload_record.record_failure(read.meta, read.run_id)
    assert exported.read_bytes() == before


def test_a_folder_can_be_written(demo_directory: Path) -> None:
    with closing(open_store(demo_directory)) as store:
        assert store.why_read_only == ""


def test_closing_removes_what_was_unpacked(exported: Path) -> None:
    read = open_artifact(exported)
    folder = read.run(read.run_id).database.path.parent.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    read.close()
    assert not folder.exists()


def test_a_damaged_index_is_done_without(exported: Path, tmp_path: Path) -> None:
    members = unpacked(exported)
    for index in (b"{", b'{"attachments/x": [0, 99999999999]}', b'{"attachments/x": [-1, 1]}'):
        members["attachments.index.json"] = index
        with closing(open_artifact(tar(tmp_path / "x.luml", members))) as read:
            listed = read.run(read.run_id).attachments()
            assert listed is not None
            assert {file.state for file in listed.files} == {FileState.PRESENT}


def test_names_in_an_artifact_lead_nowhere(tmp_path: Path) -> None:
    with writer(tmp_path / "store") as store:
        store.start_run("run-1", "x")
        with store.experiment("run-1") as experiment:
            experiment.attachment("a", b"secret")
    with opened(tmp_path / "store") as source:
        path = packing.write_artifact(source, "run-1", tmp_path / "x.luml").path
    members = unpacked(path)
    index = json.loads(members["attachments.index.json"])
    place = index["attachments/a"]
    bad = ["../../out", "/tmp/out", "..", "a/../../out", "x\0y", "n" * 300, ""]
    members["attachments.index.json"] = json.dumps(
        {f"attachments/{name}": place for name in bad}
    ).encode()
    manifest = json.loads(members["manifest.json"])
    manifest["payload"]["local_experiment_id"] = "../../../outside"
    members["manifest.json"] = json.dumps(manifest).encode()
    with closing(open_artifact(tar(tmp_path / "bad.luml", members))) as read:
        folder = read.run(read.run_id).database.path.parent.parent
        assert read.run_id == "../../../outside"
        assert read.resolve("latest").id == read.run_id
        assert read.run(read.run_id).ask(counting.counts).attachments == 1
        for name in bad[:-1]:
            try:
                copy = read.run(read.run_id).files.path(name)
            except AttachmentRefused:
                continue
            assert copy.resolve().is_relative_to(folder)
            assert copy.read_bytes() == b"secret"
    assert not (tmp_path / "out").exists()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:30_000])


def test_a_file_that_is_cut_off_shows_what_of_it_is_there(tmp_path: Path) -> None:
    files = {"a.bin": b"a" * 3_000, "b.bin": b"b" * 3_000}
    with writer(tmp_path / "store") as store:
        store.start_run("run-1", "x")
        with store.experiment("run-1") as experiment:
            for name, data in files.items():
                experiment.attachment(name, data)
    with opened(tmp_path / "store") as source:
        path = packing.write_artifact(source, "run-1", tmp_path / "x.luml").path
    data = path.read_bytes()
    ends = {"a.bin": data.rindex(b"a" * 100), "b.bin": data.rindex(b"b" * 100)}
    begins = {name: data.index(content) for name, content in files.items()}
    tar_at = data.index(b"attachments.tar\0")
    whole = {"": tar_at + 100, "a.bin": begins["b.bin"] + 2_000, "b.bin": ends["b.bin"] + 600}
    for last, end in whole.items():
        path.write_bytes(data[:end])
        expected = {name for name in files if last and name <= last}
        with closing(open_artifact(path)) as read:
            run = read.run("run-1")
            listed = run.attachments()
            assert listed is not None
            states = {file.path: file.state for file in listed.files}
            there = {name for name, state in states.items() if state is FileState.PRESENT}
            assert there == expected
            for name in there:
                assert run.files.path(name).read_bytes() == files[name]
            said = lost_records(read.meta, run)
            assert [text for text in said if "cut off" in text and "attachments" in text]
    path.write_bytes(data[: data.index(b"exp.db.zip\0") + 600])
    with pytest.raises(ArtifactError, match="cut off"):
        open_artifact(path)


def not_a_tar(path: Path) -> None:
    path.write_bytes(b"PK\3\4" + b"x" * 2_000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def without_manifest(path: Path) -> None:
    tar(path, {"x": b"y"})


def broken_manifest(path: Path) -> None:
    tar(path, unpacked(path) | {"manifest.json": b"{"})


def deep_manifest(path: Path) -> None:
    tar(path, unpacked(path) | {"manifest.json": b"[" * 100_000})


def of_a_dataset(path: Path) -> None:
    tar(path, {"manifest.json": b'{"artifact_type": "dataset", "payload": {}}'})


def zip_of_something_else(path: Path) -> None:
    tar(path, unpacked(path) | {"exp.db.zip": zipped(b"x", "other")})


def no_zip(path: Path) -> None:
    tar(path, unpacked(path) | {"exp.db.zip": b"no zip"})


def zip_with_a_wrong_sum(path: Path) -> None:
    data = bytearray(unpacked(path)["exp.db.zip"])
    data[len(data) // 2] ^= 0xFF
    tar(path, unpacked(path) | {"exp.db.zip": bytes(data)})


def bomb(path: Path) -> None:
    data = bytearray(zipped(b"\0" * 1_000))
    at = data.index(b"PK\1\2")
    data[at + 24 : at + 28] = b"\xfe\xff\xff\xff"
    tar(path, unpacked(path) | {"exp.db.zip": bytes(data)})


def negative_size(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[124:136] = b"\xff" * 12
    checksum = sum(data[:148]) + sum(data[156:512]) + 8 * 32
    data[148:156] = b"%06o\0 " % checksum
    path.write_bytes(data)


def huge_pax_header(path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"1 x=y\n" * 1_000)


def many_pax_headers(path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 6
    header = info.tobuf(tarfile.GNU_FORMAT) + b"6 x=y\n".ljust(tarfile.BLOCKSIZE, b"\0")
    path.write_bytes(header * 3_000 + path.read_bytes())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_off, "cut off"),
        (not_a_tar, "not a tar"),
        (empty, "not a tar|not a LUML artifact"),
        (without_manifest, "not a LUML artifact: it has no manifest.json"),
        (broken_manifest, "manifest.json cannot be read"),
        (deep_manifest, "manifest.json cannot be read"),
        (of_a_dataset, "is a LUML dataset without an experiment"),
        (zip_of_something_else, "cannot be unpacked"),
        (no_zip, "cannot be unpacked"),
        (zip_with_a_wrong_sum, "cannot be unpacked|shorter"),
        (bomb, "unpacks to|cannot be unpacked|shorter"),
        (negative_size, "not a tar|make no sense"),
        (huge_pax_header, "too large"),
        (many_pax_headers, "too many headers"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_damaged_or_foreign_file_is_one_clear_line(
    exported: Path,
    damage: Callable[[Path], None],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    damage(exported)
    with pytest.raises(ArtifactError, match=message) as caught:
        open_artifact(exported)
    assert "\n" not in str(caught.value)
    assert str(exported) in str(caught.value)
    assert not list((tmp_path / "temporary").iterdir())


def test_what_is_packed_in_place_of_a_database_is_said(exported: Path) -> None:
    pointer = zipped(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n")
    path = tar(exported, unpacked(exported) | {"exp.db.zip": pointer})
    with closing(open_artifact(path)) as read, pytest.raises(DatabaseCorrupt) as caught:
        read.run(read.run_id).ask(logged_params.params)
    assert "exp.db is not a SQLite database: it is a Git LFS pointer" in str(caught.value)


def test_of_an_exported_run_that_was_active_nothing_is_said_to_go_on(tmp_path: Path) -> None:
    one_run(tmp_path / "store", {"a": 1})
    with opened(tmp_path / "store") as source:
        path = packing.write_artifact(source, "run-1", tmp_path / "x.luml").path
    with closing(open_artifact(path)) as read:
        run = read.resolve("latest").row
        now = datetime(2199, 1, 1, tzinfo=UTC)
        assert run.is_active
        assert read.standings([run], now)[run.id] == Standing(Activity.ACTIVE, None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"none\.luml cannot be read: No such file"):
        open_artifact(tmp_path / "none.luml")


def test_a_database_larger_than_the_disk_is_not_unpacked(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 20_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    data = unpacked(exported) | {"exp.db.zip": zipped(b"\0" * 30_000_000)}
    with pytest.raises(ArtifactError, match=r"unpacks to 30\.0 MB, and 20\.0 MB are free in"):
        open_artifact(tar(exported, data))


def test_a_database_larger_than_is_likely_is_unpacked_only_if_it_is_allowed(
    exported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(archive_contents, "SMALL_BYTES", 1_000_000)
    members = unpacked(exported)
    dense = members | {"exp.db.zip": zipped(b"\0" * 3_000_000)}
    tar(tmp_path / "dense.luml", dense)
    with pytest.raises(ArtifactTooLarge, match=r"unpacks to 3 MB, 1,0\d\d times what it takes"):
        open_artifact(tmp_path / "dense.luml")
    assert list(tmp_path.glob("flow-tui-*")) == []
    open_artifact(tmp_path / "dense.luml", allow_large=True).close()
    open_artifact(exported).close()
    monkeypatch.setattr(archive_contents, "LARGE_BYTES", 100_000)
    with pytest.raises(ArtifactTooLarge, match=r"times what it takes packed"):
        open_artifact(exported)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_database_whose_pieces_have_no_bound_is_not_unpacked(exported: Path, method: int) -> None:
    packed = zipped(b"\0" * 50_000_000, method=method)
    assert len(packed) < 20_000
    path = tar(exported, unpacked(exported) | {"exp.db.zip": packed})
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match="compressed by an unknown method"):
            open_artifact(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_directory_without_an_end_is_not_read(exported: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("exp.db", b"x")
        for number in range(400):
            packed.writestr(zipfile.ZipInfo(f"{number:03}" + "x" * 3_000), b"")
    path = tar(exported, unpacked(exported) | {"exp.db.zip": out.getvalue()})
    with pytest.raises(ArtifactError, match="its database cannot be unpacked"):
        open_artifact(path)


def test_an_older_run_without_attachments_opens(tmp_path: Path) -> None:
    one_run(tmp_path / "store", {"a": 1})
    with opened(tmp_path / "store") as source:
        path = packing.write_artifact(source, "run-1", tmp_path / "x.luml").path
    members = unpacked(path)
    del members["attachments.tar"], members["attachments.index.json"]
    with closing(open_artifact(tar(path, members))) as read:
        assert [param.value for param in read.run("run-1").ask(logged_params.params) or ()] == [1]
        assert read.run("run-1").attachments() is not None

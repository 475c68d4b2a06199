"""Stores on file systems of several machines: a writer there, a reader here, no common memory."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flowtui.cli import target_run
from flowtui.cli.doctor import findings
from flowtui.store import errors
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import AnnotationKind, Draft, SampleTarget
from flowtui.store.database import Database
from flowtui.store.files import asking, shared
from flowtui.store.files.file_systems import Sharing, sharing
from flowtui.store.files.fingerprint import DatabaseFiles, Fingerprint, Route
from flowtui.store.otlp.ingesting import Batch, SpanWriter
from flowtui.store.otlp.items import Origin, OtlpSpan
from flowtui.store.schema import EvalRow
from flowtui.store.transaction import write
from tests.unit.situations import COMMITTED, WAL_HOLDER, Situation, closed, killed, live, wal
from tests.unit.store.test_database import LOGGER, values
from tests.unit.stores import (
    age,
    contents,
    execute,
    held,
    mounted,
    one_run,
    opened,
    process,
    writer,
)

DRAFT = Draft("quality", AnnotationKind.FEEDBACK, True, None, "ana")
SAMPLE = SampleTarget("set", "1")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives where a database is to be, on a disk that other machines share."""
    folder = tmp_path / "run"
    folder.mkdir()
    mounted(folder, "nfs4", monkeypatch)
    return folder / "exp.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(path, "run/exp.db")) as one:
        yield one


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        *((kind, Sharing.LOCAL) for kind in ("ext4", "xfs", "btrfs", "tmpfs", "zfs")),
        ("overlay", Sharing.LAYERED),
        *(
            (kind, Sharing.SHARED)
            for kind in ("nfs", "nfs4", "lustre", "gpfs", "beegfs", "cifs", "smb3", "fuse.sshfs")
        ),
        *((kind, Sharing.SHARED) for kind in ("9p", "virtiofs", "fuse", "what comes next year")),
    ],
)
def test_whom_a_disk_is_shared_with_is_known_by_its_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, who: Sharing
) -> None:
    mounted(tmp_path, kind.replace(" ", "_"), monkeypatch)
    assert sharing(str(tmp_path / "exp.db")) is who


# Reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("situation", [closed, live, killed])
def test_a_log_is_never_joined(
    path: Path, database: Database, situation: Situation, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    connect = sqlite3.connect

    def noted(name: object, *given: Any, **options: Any) -> sqlite3.Connection:
        connected.append(str(name))
        return connect(name, *given, **options)  # type: ignore[call-overload, no-any-return]

    with situation(path):
        before = contents(path.parent)
        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", noted)
            assert database.read(values) == COMMITTED
        assert contents(path.parent) == before
    assert connected
    # Read-only, no file of the store's is anything but the database, alone.
    assert all("immutable=1" in name for name in connected if str(path) in name)


# Over a network a commit takes its time. At full speed here, the log begins anew every 0.2 ms, and
# whether any copy fits in between depends on the machine.
LOGGER_ELSEWHERE = f"import time\n{LOGGER}".replace(
    "        written += 1\n", "        written += 1\n        time.sleep(0.0001)\n"
)


def test_a_reader_beside_a_fast_writer_elsewhere_loses_nothing_and_never_goes_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "KNOWN_FOR_S", 0.0)
    monkeypatch.setattr(shared, "REST_AFTER_COPY", 0)

    def count_and_sum(connection: sqlite3.Connection) -> tuple[int, int]:
        found = connection.execute("select count(*), coalesce(sum(x), 0) from t").fetchone()
        return found[0], found[1]

    answers: list[tuple[int, int]] = []
    with (
        process(LOGGER_ELSEWHERE, path) as logger,
        closing(Database(path, "run/exp.db")) as database,
    ):
        while len(answers) < 12 or answers[-1][0] < 500:
            answers.append(database.read(count_and_sum))
        assert logger.stdin is not None
        assert logger.stdout is not None
        logger.stdin.close()
        written, failed = map(int, logger.stdout.read().split())
        assert failed == 0
        assert database.read(count_and_sum)[0] == written
    assert answers == sorted(answers)
    assert all(total == count * (count + 1) // 2 for count, total in answers)


class Copies:
    """Counts the copies that are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        copy = asking.copy

        def counted(
            files: DatabaseFiles, folder: Path, cancelled: asking.Cancelled
        ) -> Fingerprint | None:
            self.count += 1
            return copy(files, folder, cancelled)

        monkeypatch.setattr(asking, "copy", counted)


def test_there_is_one_copy_in_some_seconds_and_what_is_known_is_as_old_as_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Copies(monkeypatch)
    now_s = 100.0
    with process(WAL_HOLDER, path), closing(Database(path, "run/exp.db")) as database:
        database._shared = shared.SharedFiles(lambda: now_s)
        assert database.read(values) == COMMITTED
        of = database.fingerprint()
        execute_live(path, 4)
        assert database.read(values) == COMMITTED
        assert database.fingerprint() == of
        assert copies.count == 1
        now_s += shared.KNOWN_FOR_S
        assert database.fingerprint() != of
        assert database.read(values) == [*COMMITTED, 4]
        assert copies.count == 2


def execute_live(path: Path, value: int) -> None:
    """Writes beside who holds the database, so that the log stays."""
    execute(path, "insert into t values (?)", [(value,)])


def test_what_is_too_large_to_be_copied_is_shown_as_of_its_last_checkpoint_with_a_word(
    path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Copies(monkeypatch)
    with process(WAL_HOLDER, path):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("pragma wal_checkpoint(passive)")
        execute_live(path, 4)
        monkeypatch.setattr(shared, "COPY_LIMIT_BYTES", 1000)
        monkeypatch.setattr(shared, "KNOWN_FOR_S", 0.0)
        age(path.parent)
        assert database.read(values) == COMMITTED
        (said,) = database.remarks()
        assert said.startswith("run/exp.db is 0.0 GB on nfs4, too large to be copied")
        assert "without what was written since 2023-11-14" in said
    assert copies.count == 0
    assert database.remarks() == ()
    assert database.read(values) == [*COMMITTED, 4]


def test_damage_is_only_said_after_a_second_look(
    path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Copies(monkeypatch)
    monkeypatch.setattr(shared, "SECOND_LOOK_S", 0.0)
    failures = iter([True, False])

    def ask(connection: sqlite3.Connection) -> list[int]:
        if next(failures):
            raise sqlite3.DatabaseError("database disk image is malformed")
        return values(connection)

    with live(path):
        assert database.read(ask) == COMMITTED
        assert copies.count == 2
        with pytest.raises(errors.DatabaseCorrupt, match="malformed"):
            database.read(always_malformed)
    with pytest.raises(errors.DatabaseCorrupt, match="malformed"):
        database.read(always_malformed)


def always_malformed(connection: sqlite3.Connection) -> None:
    raise sqlite3.DatabaseError("database disk image is malformed")


def test_a_file_that_cannot_be_opened_for_a_moment_is_tried_again(
    path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = asking.look
    answers = iter([OSError(116, "Stale file handle"), None])

    def look_late(files: DatabaseFiles) -> Fingerprint:
        match next(answers, "there"):
            case OSError() as error:
                raise error
            case None:
                return Fingerprint(None, None, None, 0)
        return look(files)

    with closed(path):
        monkeypatch.setattr(asking, "look", look_late)
        monkeypatch.setattr(shared, "RETRY_S", 0.0)
        assert database.read(values) == COMMITTED


def test_a_file_that_is_not_there_is_missing_at_once(database: Database) -> None:
    with pytest.raises(errors.DatabaseMissing):
        database.read(values)


def test_a_copy_needs_the_same_salts_before_and_after(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowtui.store.files import child

    tries = 0
    copy_file = child._copy_file

    def copy_while_the_log_begins_anew(source: bytes, target: bytes) -> None:
        nonlocal tries
        copy_file(source, target)
        if source.endswith(b"-wal") and tries < 2:
            tries += 1
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("pragma wal_checkpoint(restart)")
                connection.execute("insert into t values (?)", [tries])

    monkeypatch.setattr(child, "_copy_file", copy_while_the_log_begins_anew)
    with live(path):
        names = {"main": path, "wal": wal(path), "journal": path.with_name("exp.db-journal")}
        found = child.copy(folder=str(tmp_path), **{k: str(v) for k, v in names.items()})
        assert found is not None
        assert tries == 2
        assert wal(tmp_path / "exp.db").read_bytes() == wal(path).read_bytes()
        monkeypatch.setattr(child, "GIVE_UP_S", 0.0)
        tries = 0
        assert child.copy(folder=str(tmp_path), **{k: str(v) for k, v in names.items()}) is None


def test_no_room_for_a_copy_says_where_and_what_to_set(
    path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(asking, "copy", refuse)
    with live(path), pytest.raises(errors.DatabaseError) as found:
        database.read(values)
    assert str(found.value).endswith(
        f"there is no room in {tempfile.gettempdir()};"
        " free some, or set TMPDIR to a folder that has it"
    )


# Writing ----------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "store"
    one_run(directory)
    with writer(directory) as made:
        with made.experiment("run-1") as experiment:
            experiment.evals([EvalRow(dataset_id="set", id="1", inputs={})])
        made.end_run("run-1", status="completed", duration=1.0)
    mounted(directory, "lustre", monkeypatch)
    return directory


def test_an_ended_run_is_annotated_without_an_index_that_others_would_map(store: Path) -> None:
    with opened(store) as one:
        added = annotating.add(one.run("run-1").database, SAMPLE, DRAFT)
        assert one.run("run-1").ask(annotation_rows.of_target, SAMPLE) == (added.annotation,)
    assert [file.name for file in (store / "run-1").glob("exp.db*")] == ["exp.db"]


def test_there_is_no_index_while_an_annotation_is_written(store: Path) -> None:
    path = store / "run-1" / "exp.db"

    def change(connection: sqlite3.Connection) -> list[str]:
        connection.execute("update evals set outputs = 'x'")
        return sorted(file.name for file in path.parent.glob("exp.db*"))

    assert write(Database(path, "run/exp.db"), change) == ["exp.db", "exp.db-wal"]


def test_nothing_is_written_while_somebody_may_have_it_open(store: Path) -> None:
    with held(store / "run-1" / "exp.db"), opened(store) as one:
        before = contents(store)
        with pytest.raises(errors.DatabaseReadOnly, match="on lustre, and somebody has it open"):
            annotating.add(one.run("run-1").database, SAMPLE, DRAFT)
        assert contents(store) == before
    execute(store / "meta.db", "update experiments set status = 'active'")
    with opened(store) as one, pytest.raises(errors.DatabaseReadOnly, match="its run is active"):
        annotating.add(one.run("run-1").database, SAMPLE, DRAFT)


SPAN = OtlpSpan("1" * 32, "2" * 16, None, "s", 0, 1, 2, 0, None, {}, (), (), 0, Origin({}, {}))


def test_spans_are_written_into_a_new_run_that_this_process_holds(store: Path) -> None:
    with target_run.target(None, "new", None, str(store)) as target:
        # As `collect` looks whether anything can be written.
        write(target.database, lambda _: None)
        with SpanWriter(target.database) as into:
            into.add(SPAN)
    assert into.written.new == 1
    assert [file.name for file in (store / target.run_id).glob("exp.db*")] == ["exp.db"]


def test_spans_are_written_into_an_ended_run_without_an_index_that_others_would_map(
    store: Path,
) -> None:
    def files() -> list[str]:
        return sorted(file.name for file in (store / "run-1").glob("exp.db*"))

    with target_run.target("run-1", None, None, str(store)) as target:
        with SpanWriter(target.database) as into:
            into.add(SPAN)
            into.flush()
            assert files() == ["exp.db"]
        batch = Batch()
        batch.add(SPAN)
        assert batch.write(target.database).same == 1
    assert (into.written.new, files()) == (1, ["exp.db"])


def test_no_spans_are_written_while_somebody_may_have_the_run_open(store: Path) -> None:
    batch = Batch()
    batch.add(SPAN)
    with (
        held(store / "run-1" / "exp.db"),
        target_run.target("run-1", None, None, str(store)) as target,
    ):
        before = contents(store)
        for refused in (lambda: SpanWriter(target.database), lambda: batch.write(target.database)):
            with pytest.raises(errors.DatabaseReadOnly, match="on lustre, and somebody has it"):
                refused()
        assert contents(store) == before
    execute(store / "meta.db", "update experiments set status = 'active'")
    with target_run.target("run-1", None, None, str(store)) as target:
        for refused in (lambda: SpanWriter(target.database), lambda: batch.write(target.database)):
            with pytest.raises(errors.DatabaseReadOnly, match="its run is active"):
                refused()


def test_doctor_says_that_the_disk_is_shared(store: Path) -> None:
    found = [one.line for one in findings({}, str(store), store, store)]
    assert any("on lustre, which others may share" in line for line in found)


# Links and layers -------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["file", "folder", "chain"])
def test_a_link_leads_to_the_log_of_what_it_leads_to(tmp_path: Path, what: str) -> None:
    real = tmp_path / "real"
    real.mkdir()
    link = tmp_path / "run" / "exp.db"
    if what == "folder":
        link.parent.symlink_to(real)
    else:
        link.parent.mkdir()
        link.symlink_to(real / "exp.db")
    if what == "chain":
        link = tmp_path / "other.db"
        link.symlink_to(tmp_path / "run" / "exp.db")
    with live(real / "exp.db"), closing(Database(link, "run/exp.db")) as database:
        assert database.has_shm
        assert database.fingerprint().has_log
        assert database.read(values) == COMMITTED
        write(database, lambda db: db.execute("insert into t values (4)"))
        assert database.read(values) == [*COMMITTED, 4]
        assert wal(real / "exp.db").exists()
        assert not wal(link).is_symlink()
        assert wal(link).exists() is (what == "folder")


def test_on_an_overlay_a_log_is_joined_only_where_its_writer_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    mounted(folder, "overlay", monkeypatch)
    copies = Copies(monkeypatch)
    path = folder / "exp.db"
    with live(path), closing(Database(path, "run/exp.db")) as database:
        assert database.read(values) == COMMITTED
        assert database._route(database.files, database.fingerprint()) is Route.LIVE
        assert copies.count == 0
    path.unlink()
    with killed(path), closing(Database(path, "run/exp.db")) as database:
        age(folder)
        before = contents(folder)
        assert database.read(values) == COMMITTED
        assert database.read(values) == COMMITTED
        assert copies.count == 1
        assert contents(folder) == before

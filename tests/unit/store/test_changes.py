"""The watcher: which kind of record a write changed, and that none is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest

from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.changes import Changes, Watcher
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseCorrupt, DatabaseDenied, DatabaseError
from flowtui.store.schema import (
    EvalAnnotationRow,
    EvalRow,
    ExperimentWriter,
    LinkRow,
    SpanAnnotationRow,
    SpanRow,
    StoreWriter,
)
from flowtui.store.store import Store
from flowtui.store.values import Kind
from tests.unit.annotated import feedback
from tests.unit.stores import (
    LONG_AGO_NS,
    NOW,
    age,
    as_another_user,
    execute,
    one_run,
    opened,
    writer,
)

TRACE, SPAN = "a" * 32, "b" * 16
EVAL = EvalRow(dataset_id="set", id="1", inputs={"q": 1}, scores={"ok": True})


def span(span_id: str = SPAN) -> SpanRow:
    return SpanRow(trace_id=TRACE, span_id=span_id, name="root", start_ns=1, end_ns=2)


def span_note(value: bool = True) -> SpanAnnotationRow:
    return SpanAnnotationRow(
        trace_id=TRACE, span_id=SPAN, name="quality", kind="feedback", value=value, user="ana"
    )


def sample_note() -> EvalAnnotationRow:
    return EvalAnnotationRow(
        dataset_id="set", eval_id="1", name="stars", kind="expectation", value=3, user="sam"
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store with one active run that has one record of each kind; all its files look old."""
    with writer(tmp_path) as store:
        store.start_run("run-1", "first")
        store.model("run-1", "model.luml", b"weights")
        with store.experiment("run-1") as experiment:
            experiment.params({"lr": 0.1, "seed": 1})
            experiment.metrics([("loss", 1.0, 0, NOW), ("loss", 0.5, 1, NOW)])
            experiment.spans([span()])
            experiment.evals([EVAL])
            experiment.links([LinkRow(dataset_id="set", eval_id="1", trace_id=TRACE)])
            experiment.span_annotations([span_note()])
            experiment.eval_annotations([sample_note()])
            experiment.attachment("a.txt", b"text")
    age(tmp_path)
    return tmp_path


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with opened(directory) as store:
        yield store


@pytest.fixture
def watcher(store: Store) -> Watcher:
    watcher = Watcher(store.meta, store.run("run-1"))
    assert not watcher.look()
    return watcher


def settled(directory: Path, watcher: Watcher) -> None:
    """Lets the watcher see all there is, first as of now and then as of long ago."""
    watcher.look()
    age(directory)
    watcher.look()


WRITES: dict[str, tuple[Kind, Callable[[ExperimentWriter], object]]] = {
    "a new parameter": (Kind.PARAMS, lambda run: run.params({"epochs": 3})),
    "another value of a parameter": (Kind.PARAMS, lambda run: run.params({"lr": 0.2})),
    "another value of the last parameter": (Kind.PARAMS, lambda run: run.params({"seed": 2})),
    "a new point": (Kind.METRICS, lambda run: run.metrics([("loss", 0.4, 2, NOW)])),
    "a point logged again": (Kind.METRICS, lambda run: run.metrics([("loss", 0.9, 0, NOW)])),
    "the last point again": (Kind.METRICS, lambda run: run.metrics([("loss", 0.9, 1, NOW)])),
    "a new metric": (Kind.METRICS, lambda run: run.metrics([("acc", 0.4, 0, NOW)])),
    "a new span": (Kind.SPANS, lambda run: run.spans([span("c" * 16)])),
    "a new sample": (
        Kind.SAMPLES,
        lambda run: run.evals([EvalRow(dataset_id="set", id="2", inputs={})]),
    ),
    "a sample logged again": (Kind.SAMPLES, lambda run: run.evals([EVAL])),
    "a new link": (
        Kind.SAMPLES,
        lambda run: run.links([LinkRow(dataset_id="set", eval_id="1", trace_id="c" * 32)]),
    ),
    "a span's annotation": (
        Kind.ANNOTATIONS,
        lambda run: run.span_annotations([span_note(False)]),
    ),
    "a sample's annotation": (
        Kind.ANNOTATIONS,
        lambda run: run.eval_annotations([sample_note()]),
    ),
    "a new attachment": (Kind.ATTACHMENTS, lambda run: run.attachment("b.txt", b"")),
    "an attachment that grew": (Kind.ATTACHMENTS, lambda run: run.attachment("a.txt", b"texts")),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_write_is_reported_once_and_as_its_kind(
    directory: Path, watcher: Watcher, what: str
) -> None:
    kind, write = WRITES[what]
    with ExperimentWriter(directory / "run-1" / "exp.db", durable=False) as run:
        write(run)
        assert watcher.look() == Changes(kinds=frozenset({kind}))
        assert not watcher.look()
    settled(directory, watcher)
    assert not watcher.look()


@pytest.mark.parametrize(
    "sql",
    [
        "update span_annotations set value = 'false'",
        "update span_annotations set rationale = 'why'",
        "update eval_annotations set value = '4'",
        "delete from eval_annotations",
        "delete from span_annotations",
    ],
)
def test_an_annotation_that_was_edited_or_deleted_is_reported(
    directory: Path, watcher: Watcher, sql: str
) -> None:
    execute(directory / "run-1" / "exp.db", sql)
    assert watcher.look() == Changes(kinds=frozenset({Kind.ANNOTATIONS}))
    assert not watcher.look()


def test_annotations_that_are_written_here_are_nothing_new(
    directory: Path, store: Store, watcher: Watcher
) -> None:
    database = store.run("run-1").database
    change = annotating.add(database, SpanTarget(TRACE, SPAN), feedback(name="own"))
    assert not watcher.look()
    edited = annotating.edit(database, change.annotation, False, "why")
    annotating.revert(database, edited)
    annotating.delete(database, change.annotation)
    assert not watcher.look()
    settled(directory, watcher)
    assert not watcher.look()


@pytest.mark.parametrize("is_first", [True, False])
def test_what_somebody_else_annotates_beside_it_is_reported(
    directory: Path, store: Store, watcher: Watcher, is_first: bool
) -> None:
    def other() -> None:
        execute(directory / "run-1" / "exp.db", "update eval_annotations set value = '4'")

    target = SpanTarget(TRACE, SPAN)
    database = store.run("run-1").database
    if is_first:
        other()
    annotating.add(database, target, feedback(name="own"))
    if not is_first:
        other()
    assert watcher.look() == Changes(kinds=frozenset({Kind.ANNOTATIONS}))
    # The own one is not taken for the next.
    annotating.add(database, target, feedback(name="more"))
    assert not watcher.look()


def test_an_own_annotation_that_somebody_else_takes_back_is_reported(
    directory: Path, store: Store, watcher: Watcher
) -> None:
    annotating.add(store.run("run-1").database, SpanTarget(TRACE, SPAN), feedback(name="own"))
    execute(directory / "run-1" / "exp.db", "delete from span_annotations where name = 'own'")
    assert watcher.look() == Changes(kinds=frozenset({Kind.ANNOTATIONS}))
    assert not watcher.look()


def test_a_write_that_changes_nothing_is_not_reported(directory: Path, watcher: Watcher) -> None:
    execute(directory / "run-1" / "exp.db", "create table other (x)")
    execute(directory / "meta.db", "create table other (x)")
    assert not watcher.look()


def test_a_new_model_is_reported_for_its_own_run_only(
    directory: Path, store: Store, watcher: Watcher
) -> None:
    one_run(directory, run_id="run-2")
    settled(directory, watcher)
    with writer(directory) as writing:
        writing.model("run-2", "other.luml", b"")
        assert not watcher.look()
        writing.model("run-1", "second.luml", b"")
        assert watcher.look() == Changes(kinds=frozenset({Kind.MODELS}))


def test_runs_that_come_and_go_are_reported(directory: Path, watcher: Watcher) -> None:
    one_run(directory, run_id="run-2")
    assert watcher.look() == Changes(added=frozenset({"run-2"}))
    execute(directory / "meta.db", "delete from experiments where id = 'run-2'")
    assert watcher.look() == Changes(removed=frozenset({"run-2"}))
    execute(directory / "meta.db", "delete from experiments where id = 'run-1'")
    gone = watcher.look()
    assert (gone.removed, gone.kinds) == (frozenset({"run-1"}), frozenset({Kind.RUN}))
    assert gone.touches_list


def end(writing: StoreWriter, run_id: str, status: str) -> None:
    writing.end_run(run_id, status=status, duration=1.0)


@pytest.mark.parametrize("status", ["completed", "error"])
def test_a_run_that_ends_is_reported_as_ended(
    directory: Path, watcher: Watcher, status: str
) -> None:
    one_run(directory, run_id="run-2")
    settled(directory, watcher)
    with writer(directory) as writing:
        end(writing, "run-2", status)
        ended = frozenset({"run-2"})
        assert watcher.look() == Changes(ended=ended, updated=ended)
        end(writing, "run-1", status)
        ended = frozenset({"run-1"})
        assert watcher.look() == Changes(ended=ended, updated=ended, kinds=frozenset({Kind.RUN}))


def test_an_update_of_a_run_is_not_its_end(directory: Path, watcher: Watcher) -> None:
    execute(directory / "meta.db", "update experiments set description = 'x'")
    updated = frozenset({"run-1"})
    assert watcher.look() == Changes(updated=updated, kinds=frozenset({Kind.RUN}))
    execute(directory / "meta.db", "update experiment_groups set name = 'renamed'")
    assert watcher.look() == Changes(updated=updated, kinds=frozenset({Kind.RUN}))
    execute(directory / "meta.db", "update experiment_groups set last_modified = 'later'")
    assert not watcher.look()


def test_what_is_written_before_the_first_look_is_reported(directory: Path, store: Store) -> None:
    watcher = Watcher(store.meta, store.run("run-1"))
    with ExperimentWriter(directory / "run-1" / "exp.db") as run:
        run.params({"epochs": 3})
    execute(directory / "meta.db", "update experiments set description = 'x'")
    found = watcher.look()
    assert Kind.PARAMS in found.kinds
    assert "run-1" in found.updated | found.added


@pytest.mark.parametrize("of", ["meta.db", "exp.db"])
def test_what_is_written_during_the_first_look_is_reported(
    directory: Path, store: Store, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    watcher = Watcher(store.meta, store.run("run-1"))
    database = store.meta if of == "meta.db" else store.run("run-1").database
    read = database.read

    def written_first(question: Callable[[Connection], object]) -> object:
        """Write when the look has taken the state of the files, and not yet read them."""
        monkeypatch.undo()
        if of == "meta.db":
            execute(directory / of, "update experiments set description = 'x'")
        else:
            execute(directory / "run-1" / of, "update static_params set value = '2'")
        return read(question)

    monkeypatch.setattr(database, "read", written_first)
    found = watcher.look()
    assert (Kind.RUN if of == "meta.db" else Kind.PARAMS) in found.kinds
    assert not watcher.look()


def test_a_watcher_without_a_run_watches_the_list_alone(directory: Path, store: Store) -> None:
    watcher = Watcher(store.meta)
    assert not watcher.look()
    with ExperimentWriter(directory / "run-1" / "exp.db") as run:
        run.params({"epochs": 3})
    assert not watcher.look()
    execute(directory / "meta.db", "update experiments set name = 'x'")
    assert watcher.look() == Changes(updated=frozenset({"run-1"}))


def test_a_database_that_appears_is_reported_and_one_that_goes_too(
    directory: Path, store: Store
) -> None:
    exp = directory / "run-1" / "exp.db"
    kept = exp.rename(exp.with_name("kept"))
    watcher = Watcher(store.meta, store.run("run-1"))
    assert not watcher.look()
    kept.rename(exp)
    everything = {
        Kind.PARAMS, Kind.METRICS, Kind.SPANS, Kind.SAMPLES, Kind.ANNOTATIONS, Kind.ATTACHMENTS
    }  # fmt: skip
    assert watcher.look() == Changes(kinds=frozenset(everything))
    exp.unlink()
    assert watcher.look() == Changes(kinds=frozenset(everything))
    assert not watcher.look()


def test_a_damaged_database_does_not_hide_what_happens_to_the_runs(
    directory: Path, watcher: Watcher
) -> None:
    exp = directory / "run-1" / "exp.db"
    sound = exp.read_bytes()
    exp.write_bytes(b"damaged" * 1000)
    execute(directory / "meta.db", "update experiments set status = 'error'")
    assert watcher.look().ended == {"run-1"}
    with pytest.raises(DatabaseCorrupt):
        watcher.look()
    with pytest.raises(DatabaseCorrupt):
        watcher.look()
    exp.write_bytes(sound)
    assert not watcher.look()


def test_a_run_that_may_not_be_read_is_denied(folder: Path) -> None:
    one_run(folder)
    (folder / "run-1").chmod(0)

    def outcome() -> str:
        try:
            with opened(folder) as store:
                Watcher(store.meta, store.run("run-1")).look()
        except DatabaseDenied as error:
            return str(error)
        return "read"

    assert "permission denied" in as_another_user(outcome)
    (folder / "run-1").chmod(0o700)


def test_no_write_is_missed_however_soon_it_follows_a_look(
    directory: Path, watcher: Watcher
) -> None:
    with ExperimentWriter(directory / "run-1" / "exp.db", durable=False) as run:
        for number in range(300):
            run.params({"lr": number})
            assert Kind.PARAMS in watcher.look().kinds


@pytest.mark.slow
def test_no_write_in_place_is_missed_however_soon_it_follows_a_look(
    directory: Path, watcher: Watcher
) -> None:
    exp = directory / "run-1" / "exp.db"
    execute(exp, "pragma journal_mode = delete")
    watcher.look()
    for number in range(100):
        execute(exp, "update span_annotations set value = ?", [(f"{number:04}",)])
        assert watcher.look().kinds == {Kind.ANNOTATIONS}


def test_the_last_write_is_that_of_the_log_while_there_is_one(
    directory: Path, store: Store
) -> None:
    database = store.run("run-1").database
    assert database.fingerprint().last_write_ns == LONG_AGO_NS
    with ExperimentWriter(directory / "run-1" / "exp.db") as run:
        run.params({"epochs": 3})
        log = (directory / "run-1" / "exp.db-wal").stat()
        assert database.fingerprint().last_write_ns == log.st_mtime_ns


def test_a_file_that_may_not_be_looked_at_is_told_by_the_first_look(tmp_path: Path) -> None:
    (tmp_path / "exp.db").symlink_to(tmp_path / "exp.db")
    watcher = Watcher(Database(tmp_path / "exp.db", "exp.db"))
    for _ in range(2):
        with pytest.raises(DatabaseError, match="symbolic links"):
            watcher.look()

"""The store as a whole: opening, run folders, names of runs, figures and summaries that follow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowtui.store import counts as counting
from flowtui.store import models as logged_models
from flowtui.store import params as logged_params
from flowtui.store import runs as run_rows
from flowtui.store.cancelling import cancelling
from flowtui.store.changes import Watcher
from flowtui.store.errors import (
    DatabaseCorrupt,
    DatabaseError,
    DatabaseMissing,
    RunAmbiguous,
    RunNotFound,
    StoreError,
    StoreNotFound,
)
from flowtui.store.schema import EvalAnnotationRow, EvalRow, ExperimentWriter, SpanRow
from flowtui.store.store import Store
from flowtui.store.values import Counts, Figures, MetricSummary, Point, StoreLocation
from tests.unit.stores import NOW, age, contents, execute, one_run, opened, writer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one_run(tmp_path, {"lr": 0.1}, {"loss": {0: 1.0, 1: 0.5}})
    with opened(tmp_path) as store:
        yield store


def test_a_folder_without_meta_db_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFound):
        Store(StoreLocation(tmp_path, "--store"))


@pytest.mark.parametrize("sql", ["create table notes (x)", "pragma user_version = 1"])
def test_any_other_database_is_no_store(tmp_path: Path, sql: str) -> None:
    execute(tmp_path / "meta.db", sql)
    with pytest.raises(DatabaseCorrupt, match="not a LUML store: it has no experiments table"):
        Store(StoreLocation(tmp_path, "--store"))


@pytest.mark.parametrize("content", [b"", b"text", bytes(8192)])
def test_a_file_that_is_no_database_is_no_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "meta.db").write_bytes(content)
    with pytest.raises(DatabaseCorrupt, match=r"^meta\.db is"):
        Store(StoreLocation(tmp_path, "--store"))


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "../other", "a/../../b", "/etc", "//x", "nul\0", "a/..", "./.."]
)
def test_a_run_id_cannot_lead_out_of_the_store(store: Store, run_id: str) -> None:
    with pytest.raises(DatabaseError, match="is not a path inside the store"):
        store.run_directory(run_id)
    with pytest.raises(StoreError):
        store.run(run_id).ask(logged_params.params)


@pytest.mark.parametrize("run_id", ["run-1", "nightly 7", "日本", "..x", "a\\b", "x" * 300, "~"])
def test_any_other_run_id_is_a_folder_of_the_store(store: Store, run_id: str) -> None:
    assert store.run_directory(run_id) == store.directory / run_id


@pytest.mark.parametrize("run_id", ["absent", "meta.db"])
def test_a_run_without_a_database_says_that_it_is_missing(store: Store, run_id: str) -> None:
    with pytest.raises(DatabaseMissing, match=f"^{run_id}/exp.db is missing$"):
        store.run(run_id).ask(counting.counts)


def test_reading_everything_leaves_the_store_as_it_was(store: Store) -> None:
    age(store.directory)
    before = contents(store.directory)
    store.ask(run_rows.identities)
    store.ask(run_rows.groups)
    store.list.figures(["run-1"])
    store.run("run-1").ask(logged_params.params)
    store.ask(logged_models.models, "run-1")
    store.run("run-1").ask(counting.counts)
    store.run("run-1").metrics.last_points()
    list(store.run("run-1").metrics.summaries({}))
    Watcher(store.meta, store.run("run-1")).look()
    assert contents(store.directory) == before


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Store]:
    with writer(tmp_path / "named") as writing:
        for run_id, name in (
            ("aa11", "resnet"),
            ("aa22", "bert"),
            ("bb33", "twice"),
            ("cc44", "twice"),
            ("resnet", "an id that is a name"),
        ):
            writing.start_run(run_id, name)
    with opened(tmp_path / "named") as store:
        yield store


@pytest.mark.parametrize(
    ("word", "run_id"),
    [
        ("aa11", "aa11"),
        ("aa2", "aa22"),
        ("bert", "aa22"),
        ("b", "bb33"),
        ("resnet", "resnet"),
        ("latest", "resnet"),
    ],
)
def test_a_run_is_named_by_id_prefix_name_or_latest(named: Store, word: str, run_id: str) -> None:
    assert named.resolve(word).id == run_id


@pytest.mark.parametrize("word", ["aa", "twice"])
def test_a_word_for_several_runs_names_none(named: Store, word: str) -> None:
    with pytest.raises(RunAmbiguous) as caught:
        named.resolve(word)
    assert len(caught.value.matches) == 2


@pytest.mark.parametrize("word", ["", "a_", "%", "BERT", "zz", "a\0"])
def test_a_word_is_no_pattern_and_keeps_its_case(named: Store, word: str) -> None:
    with pytest.raises(RunNotFound):
        named.resolve(word)


def test_the_latest_run_of_an_empty_store_is_not_found(tmp_path: Path) -> None:
    with (
        writer(tmp_path),
        opened(tmp_path) as store,
        pytest.raises(RunNotFound, match="which has no runs yet"),
    ):
        store.resolve("latest")


def test_a_run_that_is_called_latest_is_found_by_its_name(tmp_path: Path) -> None:
    with writer(tmp_path) as writing:
        writing.start_run("1", "latest")
        writing.start_run("2", "newer")
    with opened(tmp_path) as store:
        assert store.resolve("latest").id == "1"


def test_figures_follow_what_an_active_run_logs(store: Store) -> None:
    assert store.list.figures(["run-1"]) == {"run-1": Figures({"lr": 0.1}, {"loss": 0.5})}
    with ExperimentWriter(store.directory / "run-1" / "exp.db") as run:
        for step in range(2, 50):
            run.metrics([("loss", 1 / step, step, NOW)])
            assert store.list.figures(["run-1"])["run-1"].metrics == {"loss": 1 / step}
        run.params({"lr": 0.2})
        assert store.list.figures(["run-1"])["run-1"].params == {"lr": 0.2}


def test_figures_of_a_run_that_rests_are_read_once(store: Store) -> None:
    age(store.directory)
    first = store.list.figures(["run-1"])["run-1"]
    assert store.list.figures(["run-1"])["run-1"] is first


def test_figures_that_another_write_may_have_followed_at_once_are_read_again(
    store: Store,
) -> None:
    exp = store.directory / "run-1" / "exp.db"
    execute(exp, "pragma journal_mode = delete")
    for number in range(50):
        execute(exp, "update static_params set value = ?", [(f"{number / 100:.2f}",)])
        assert store.list.figures(["run-1"])["run-1"].params == {"lr": number / 100}


def test_figures_come_from_the_copy_once_a_run_has_completed(store: Store) -> None:
    with writer(store.directory) as writing:
        writing.end_run("run-1", status="completed", duration=1.0)
    (store.directory / "run-1" / "exp.db").unlink()
    assert store.list.figures(["run-1"]) == {"run-1": Figures({"lr": 0.1}, {"loss": 0.5})}


def merged(store: Store, known: dict[str, MetricSummary]) -> list[str]:
    """Brings `known` up to date and gives the keys that were yielded."""
    news = list(store.run("run-1").metrics.summaries(dict(known)))
    known |= {summary.key: summary for summary in news}
    return [summary.key for summary in news]


def test_summaries_follow_and_only_those_that_changed_are_yielded(store: Store) -> None:
    known: dict[str, MetricSummary] = {}
    with ExperimentWriter(store.directory / "run-1" / "exp.db") as run:
        assert merged(store, known) == ["loss"]
        for step in range(30):
            run.metrics([("acc", step / 30, step, NOW)])
            assert merged(store, known) == ["acc"]
            assert merged(store, known) == []
        run.metrics([("loss", math.nan, 0, NOW)])
        assert merged(store, known) == ["loss"]
    assert known["acc"].count == 30
    assert known["acc"].maximum == Point(29, 29 / 30)
    assert known["loss"].nan_count == 1
    fresh = {summary.key: summary for summary in store.run("run-1").metrics.summaries({})}
    assert {key: summary.count for key, summary in fresh.items()} == {"acc": 30, "loss": 2}


def test_a_metric_that_rests_does_not_make_the_others_rows_be_read_again(store: Store) -> None:
    known: dict[str, MetricSummary] = {}
    merged(store, known)
    with ExperimentWriter(store.directory / "run-1" / "exp.db") as run:
        run.metrics(("acc", 1.0, step, NOW) for step in range(20_000))
    merged(store, known)
    merged(store, known)
    calls = 0

    def count() -> bool:
        nonlocal calls
        calls += 1
        return False

    with cancelling(count):
        list(store.run("run-1").metrics.summaries(dict(known)))
    # Two a read without a step of SQLite's; 20,000 rows would take a dozen more.
    assert calls <= 4


def test_older_summaries_than_the_last_ones_are_brought_up_to_date_too(store: Store) -> None:
    known: dict[str, MetricSummary] = {}
    merged(store, known)
    old = dict(known)
    with ExperimentWriter(store.directory / "run-1" / "exp.db") as run:
        run.metrics([("loss", 0.25, 2, NOW)])
        assert merged(store, known) == ["loss"]
        assert merged(store, known) == []
        assert merged(store, old) == ["loss"]
    assert old == known


def test_counts_are_of_every_kind_of_record(tmp_path: Path) -> None:
    one_run(tmp_path, {"lr": 1, "seed": 2}, {"a": {0: 1.0, 1: 2.0}, "b": {0: math.nan}})
    with ExperimentWriter(tmp_path / "run-1" / "exp.db") as run:
        run.spans(
            SpanRow(trace_id=trace, span_id=f"{number:016x}", name="s", start_ns=0, end_ns=1)
            for number, trace in enumerate(["a" * 32, "a" * 32, "b" * 32])
        )
        run.evals([EvalRow(dataset_id="d", id="1", inputs={})])
        run.eval_annotations(
            EvalAnnotationRow(
                dataset_id="d", eval_id="1", name=name, kind="feedback", value=True, user="ana"
            )
            for name in ("x", "y")
        )
        run.attachment("a.txt", b"")
    with opened(tmp_path) as store:
        assert store.run("run-1").ask(counting.counts) == Counts(
            params=2, metrics=2, traces=2, spans=3, samples=1, attachments=1, annotations=2
        )


def test_counts_of_what_a_schema_lacks_are_none(tmp_path: Path) -> None:
    exp = one_run(tmp_path)
    for table in ("span_annotations", "eval_annotations", "evals"):
        execute(exp, f"drop table {table}")
    with opened(tmp_path) as store:
        found = store.run("run-1").ask(counting.counts)
    assert (found.annotations, found.samples, found.spans) == (None, None, 0)


def test_models_come_oldest_first_with_what_is_broken(tmp_path: Path) -> None:
    one_run(tmp_path)
    with writer(tmp_path) as writing:
        writing.model("run-1", "b.luml", b"12345", tags=["v1"], description="best")
        writing.model("run-1", "a.luml", b"")
    execute(tmp_path / "meta.db", "update models set size = 'big' where name = 'a'")
    with opened(tmp_path) as store:
        models = store.ask(logged_models.models, "run-1")
        assert store.ask(logged_models.models, "absent") == ()
    assert models is not None
    first, second = models
    assert (first.name, first.size_bytes, first.tags) == ("b", 5, ("v1",))
    assert (first.path, first.created_at, first.problem) == ("run-1/models/b.luml", NOW, None)
    assert (second.size_bytes, second.problem) == (None, "size is not a whole number: 'big'")

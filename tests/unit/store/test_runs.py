"""The list of runs: order, conditions, groups, and rows that are broken."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui.store import models as logged_models
from flowtui.store import runs
from flowtui.store import runs as run_rows
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.filters import run_condition
from flowtui.store.runs import RunOrder
from flowtui.store.store import Store
from flowtui.store.values import Figures, Group
from tests.unit.stores import NOW, execute, opened, writer

LONG_KEY = "key/" * 1250


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three runs: `b` has completed, `a` failed in another group, `c` is active and newest."""
    with writer(tmp_path) as store:
        for index, (run_id, name, group, tags) in enumerate(
            [("b", "Beta", "two", ["x"]), ("a", "alpha", "One", []), ("c", "gamma", "two", ["w"])]
        ):
            store.start_run(
                run_id, name, group=group, tags=tags, created_at=NOW + timedelta(hours=index)
            )
            with store.experiment(run_id) as experiment:
                experiment.params({"lr": [0.1, 3.0, 0.2][index], LONG_KEY: index})
                experiment.metrics(
                    ("val/acc", value, step, NOW)
                    for step, value in enumerate([[0.9, 0.5], [0.7], [0.1, 0.6]][index])
                )
                if run_id == "c":
                    experiment.params({"only": "c"})
        store.end_run("b", status="completed", duration=60.0)
        store.end_run("a", status="error", duration=5.0)
    return tmp_path


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with opened(directory) as store:
        yield store


def listed(store: Store, order: RunOrder | None = None, expression: str = "") -> str:
    """Gives the ids of the runs in order, as one word."""
    condition = run_condition(expression) if expression else None
    rowids = store.list.ordered(condition, order)
    found = store.ask(run_rows.at, rowids)
    return "".join(found[rowid].id for rowid in rowids)


@pytest.mark.parametrize(
    ("column", "ascending", "descending"),
    [
        ("created", "bac", "cab"),
        ("name", "abc", "cba"),
        ("status", "cba", "abc"),
        ("duration", "abc", "bac"),
        ("group", "acb", "cba"),
        ("tags", "cba", "bca"),
        ("id", "abc", "cba"),
        ("param.lr", "bca", "acb"),
        ("metric.val/acc", "bca", "acb"),
        ("param.only", "cab", "cab"),
        (f"param.{LONG_KEY}", "bac", "cab"),
        ("metric.absent", "cab", "cab"),
    ],
)
def test_runs_sort_by_any_column_with_the_missing_last(
    store: Store, column: str, ascending: str, descending: str
) -> None:
    assert listed(store, RunOrder(column, descending=False)) == ascending
    assert listed(store, RunOrder(column, descending=True)) == descending


def test_every_sortable_column_sorts(store: Store) -> None:
    for column in runs.SORTABLE:
        assert sorted(listed(store, RunOrder(column))) == ["a", "b", "c"]


def test_newest_comes_first_unless_asked_otherwise(store: Store) -> None:
    assert listed(store) == "cab"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('name LIKE "%a%"', "cab"),
        ('status = "active"', "c"),
        ("metric.val/acc > 0.55", "ca"),
        ("param.lr < 1 and metric.val/acc > 0.4", "cb"),
        ('param.only = "c"', "c"),
        (f"param.`{LONG_KEY}` = 1", "a"),
    ],
)
def test_a_condition_sees_the_figures_of_active_and_failed_runs(
    store: Store, expression: str, expected: str
) -> None:
    assert listed(store, None, expression) == expected


@pytest.mark.parametrize(
    ("order", "expression", "expected"),
    [
        (RunOrder("name"), "", False),
        (RunOrder("name"), 'name = "x"', False),
        (RunOrder("param.lr"), "", True),
        (RunOrder("metric.a"), "", True),
        (RunOrder("name"), "param.lr = 1", True),
        (RunOrder("name"), "metric.a = 1", True),
    ],
)
def test_figures_are_read_only_where_they_are_asked_for(
    order: RunOrder, expression: str, expected: bool
) -> None:
    condition = run_condition(expression) if expression else None
    assert runs.needs_figures(condition, order) is expected


def set_copies(directory: Path, run_id: str, params: str | None, metrics: str | None) -> None:
    execute(
        directory / "meta.db",
        "update experiments set static_params = ?, dynamic_params = ? where id = ?",
        [(params, metrics, run_id)],
    )


@pytest.mark.parametrize(
    ("metrics", "value"),
    [
        ('{"val/acc": NaN}', math.nan),
        ('{"val/acc": Infinity}', math.inf),
        ('{"val/acc": -Infinity}', -math.inf),
        ('{"val/acc": -' + "9" * 400 + "}", -math.inf),
        ('{"val/acc": null}', math.nan),
        ('{"val/acc": 0.25, "text": "no number"}', 0.25),
    ],
)
def test_copies_with_what_json_does_not_have_are_understood(
    directory: Path, store: Store, metrics: str, value: float
) -> None:
    set_copies(directory, "b", '{"lr": NaN}', metrics)
    found = store.list.figures(["b"])["b"]
    assert repr(found.metrics) == repr({"val/acc": value})
    assert repr(found.params) == "{'lr': nan}"


def test_infinities_sort_at_the_ends_and_nan_is_missing(directory: Path, store: Store) -> None:
    set_copies(directory, "b", None, '{"val/acc": Infinity}')
    assert listed(store, RunOrder("metric.val/acc", descending=False)) == "cab"
    assert listed(store, None, "metric.val/acc > 1e300") == "b"
    set_copies(directory, "b", None, '{"val/acc": -Infinity}')
    assert listed(store, RunOrder("metric.val/acc", descending=False)) == "bca"
    set_copies(directory, "b", None, '{"val/acc": NaN}')
    assert listed(store, RunOrder("metric.val/acc", descending=False)) == "cab"
    assert listed(store, RunOrder("metric.val/acc", descending=True)) == "acb"


@pytest.mark.parametrize(
    "broken", ['{"lr": ', "[1, 2]", '"text"', "7", "[" * 100_000], ids=range(5)
)
def test_a_broken_copy_gives_way_to_the_runs_own_database(
    directory: Path, store: Store, broken: str
) -> None:
    set_copies(directory, "b", broken, broken)
    assert store.list.figures(["b"])["b"].metrics == {"val/acc": 0.5}
    assert listed(store, RunOrder("param.lr", descending=False)) == "bca"
    assert listed(store, None, "metric.val/acc = 0.5") == "b"


def test_a_run_without_a_database_has_a_problem_and_no_figures(
    directory: Path, store: Store
) -> None:
    (directory / "c" / "exp.db").unlink()
    assert store.list.figures(["c"]) == {"c": Figures(problem="c/exp.db is missing")}
    assert listed(store, RunOrder("param.lr")) == "abc"


def test_keys_of_figures_come_most_common_first(directory: Path, store: Store) -> None:
    assert store.ask(run_rows.figure_keys) == (sorted([LONG_KEY, "lr"]), ["val/acc"])
    set_copies(directory, "a", '{"lr": 1}', '{"zz": 1, "val/acc": 1, "é": 2}')
    assert store.ask(run_rows.figure_keys) == (["lr", LONG_KEY], ["val/acc", "zz", "é"])
    set_copies(directory, "a", '{"lr": NaN', "5")
    assert store.ask(run_rows.figure_keys)[1] == ["val/acc"]


def test_groups_have_their_runs_and_those_without_one_come_last(
    directory: Path, store: Store
) -> None:
    execute(directory / "meta.db", "insert into experiment_groups (id, name) values ('e', 'none')")
    execute(directory / "meta.db", "insert into experiments (id) values ('lone')")
    one, two, lone = store.ask(run_rows.groups)
    assert (one.name, one.run_count) == ("One", 1)
    assert (two.name, two.run_count) == ("two", 2)
    assert lone == Group(None, "", 1)
    assert store.ask(run_rows.run, "a").group_id == one.id  # type: ignore[union-attr]


def test_a_row_of_nulls_is_a_run_without_a_name(directory: Path, store: Store) -> None:
    execute(
        directory / "meta.db",
        "insert into experiments (id, name, status, created_at) values ('n', null, null, null)",
    )
    run = store.ask(run_rows.run, "n")
    assert run is not None
    assert (run.name, run.status, run.created_at, run.tags) == ("", "", None, ())
    assert (run.duration_s, run.group_id, run.problems) == (None, None, ())
    assert not run.is_active
    for column in runs.SORTABLE[:-1]:
        assert listed(store, RunOrder(column, descending=False)).endswith("n")
        assert listed(store, RunOrder(column, descending=True)).endswith("n")


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("tags", '["a", ', "tags is broken JSON: '[\"a\", '"),
        ("tags", '{"a": 1}', "tags is not a JSON list: '{\"a\": 1}'"),
        ("tags", "[" * 100_000, f"tags is broken JSON: '{'[' * 40}'"),
        ("created_at", "yesterday", "created_at is not a time: 'yesterday'"),
        (
            "created_at",
            "0001-01-01 00:00:00+10:00",
            "created_at is not a time: '0001-01-01 00:00:00+10:00'",
        ),
        ("duration", "long", "duration is not a number: 'long'"),
    ],
)
def test_a_broken_value_is_a_problem_of_its_run_only(
    directory: Path, store: Store, column: str, value: str, problem: str
) -> None:
    execute(
        directory / "meta.db", f"update experiments set {column} = ? where id = 'b'", [(value,)]
    )
    found = {run.id: run for run in store.ask(run_rows.at, store.list.ordered()).values()}
    assert found["b"].problems == (problem,)
    assert found["b"].name == "Beta"
    assert found["a"].problems == found["c"].problems == ()


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, ()),
        ("", ()),
        ("[]", ()),
        ('["a", "日本"]', ("a", "日本")),
        ('[1, null, {"k": true}]', ("1", "null", '{"k": true}')),
    ],
)
def test_tags_are_the_texts_of_a_json_list(
    directory: Path, store: Store, tags: str | None, expected: Sequence[str]
) -> None:
    execute(directory / "meta.db", "update experiments set tags = ? where id = 'b'", [(tags,)])
    run = store.ask(run_rows.run, "b")
    assert run is not None
    assert (run.tags, run.problems) == (expected, ())


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("2026-06-01 12:00:00", NOW),
        ("2026-06-01T12:00:00.250000", NOW + timedelta(milliseconds=250)),
        ("2026-06-01 14:00:00+02:00", NOW),
        ("2026-06-01", datetime(2026, 6, 1, tzinfo=UTC)),
    ],
)
def test_times_are_in_utc(directory: Path, store: Store, stored: str, expected: datetime) -> None:
    execute(
        directory / "meta.db", "update experiments set created_at = ? where id = 'b'", [(stored,)]
    )
    run = store.ask(run_rows.run, "b")
    assert run is not None
    assert run.created_at == expected
    assert run.created_at.utcoffset() == timedelta()


def test_an_id_that_is_not_utf8_names_its_run(directory: Path, store: Store) -> None:
    execute(
        directory / "meta.db",
        "insert into experiments (id, name, status)"
        " values (cast(x'78ff' as text), 'odd', 'active')",
    )
    run = store.ask(run_rows.run, "x\udcff")
    assert run is not None
    assert (run.id, run.name) == ("x\udcff", "odd")
    assert store.resolve("x").row.id == "x\udcff"
    assert store.resolve("x\udcff").row.name == "odd"
    assert store.ask(logged_models.models, "x\udcff") == ()
    assert store.list.figures(["x\udcff"])["x\udcff"].problem is not None
    assert len(store.list.ordered(None, RunOrder("param.lr"))) == 4


def test_rows_that_are_gone_are_left_out(directory: Path, store: Store) -> None:
    rowids = store.list.ordered()
    execute(directory / "meta.db", "delete from experiments where id = 'a'")
    assert [run.id for run in store.ask(run_rows.at, rowids).values()] == ["b", "c"]
    assert store.ask(run_rows.run, "a") is None
    assert store.ask(run_rows.at, []) == {}


def test_a_list_that_is_left_is_not_read_on(store: Store) -> None:
    with cancelling(lambda: True), pytest.raises(ReadCancelled):
        store.list.ordered(None, RunOrder("param.lr"))

"""The table of facts: what differs between runs, against plain Python."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.compare import parameters
from flowtui.store.compare.directions import Direction
from flowtui.store.compare.fact_reading import FactAnswers, read_all
from flowtui.store.compare.fact_values import (
    Change,
    FactValue,
    MetricFigures,
    Missing,
    delta,
)
from flowtui.store.compare.facts import (
    FactKind,
    FactRow,
    FactTable,
    Sameness,
    fact_table,
    metric_rows,
    paired,
    parameter_rows,
)
from flowtui.store.compare.parameters import joined, whole_params
from flowtui.store.compare.paths import Path as ValuePath
from flowtui.store.compare.paths import path_texts
from flowtui.store.compare.run_set import RunSet
from flowtui.store.equality import is_equal
from flowtui.store.errors import DatabaseMissing, StoreError
from flowtui.store.schema import ddl
from flowtui.store.values import JsonValue, Point
from tests.unit.stores import execute, one_run, opened, writer

keys = st.text(st.sampled_from('ab.["]'), max_size=3)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([1.0, 0.5, math.nan, math.inf])
    | st.sampled_from(["", "1", "true", "x"])
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
parameter_sets = st.lists(st.dictionaries(keys, json_values, max_size=4), min_size=2, max_size=4)


def in_plain_python(one: JsonValue) -> object:
    """Return a value whose `==` is what the comparison promises: of types, of NaN, of 1 and 1.0."""
    if isinstance(one, bool) or one is None or isinstance(one, str):
        return type(one).__name__, one
    if isinstance(one, (int, float)):
        return "number", "NaN" if one != one else one
    if isinstance(one, list):
        return "list", tuple(in_plain_python(item) for item in one)
    return "object", frozenset((key, in_plain_python(item)) for key, item in one.items())


def rows(*runs: Mapping[str, JsonValue] | StoreError | None) -> tuple[FactRow, ...]:
    return parameter_rows(
        [
            {key: FactValue(value) for key, value in run.items()}
            if isinstance(run, Mapping)
            else run
            for run in runs
        ]
    )


def put_together(found: Mapping[ValuePath, JsonValue]) -> JsonValue:
    """Return the value that has these values under these paths."""
    if () in found:
        return found[()]
    steps = {path[0]: None for path in found}
    inside = {
        step: put_together({path[1:]: one for path, one in found.items() if path[0] == step})
        for step in steps
    }
    if all(isinstance(step, int) for step in steps):
        return [inside[index] for index in range(len(inside))]
    return {str(step): one for step, one in inside.items()}


@given(one=json_values, other=json_values)
def test_values_are_equal_as_plain_python_says(one: JsonValue, other: JsonValue) -> None:
    assert is_equal(one, other) == (in_plain_python(one) == in_plain_python(other))
    assert is_equal(one, one)


def test_values_that_are_nested_deeper_than_the_stack_are_compared() -> None:
    def deep(innermost: JsonValue) -> JsonValue:
        value = innermost
        for _ in range(50_000):
            value = [value]
        return value

    assert is_equal(deep(1), deep(1.0))
    assert not is_equal(deep(1), deep(True))


@given(runs=parameter_sets)
def test_the_rows_hold_all_that_each_run_has_and_nothing_else(
    runs: list[dict[str, JsonValue]],
) -> None:
    found = rows(*runs)
    for index, run in enumerate(runs):
        values: dict[ValuePath, JsonValue] = {}
        for row in found:
            cell = row.cells[index]
            if isinstance(cell, FactValue):
                values[row.path] = cell.value
        made = put_together(values) if values else {}
        assert in_plain_python(made) == in_plain_python(dict(run))


@given(runs=parameter_sets)
def test_runs_differ_where_they_do(runs: list[dict[str, JsonValue]]) -> None:
    found = rows(*runs)
    first = in_plain_python(dict(runs[0]))
    are_equal = all(in_plain_python(dict(run)) == first for run in runs[1:])
    assert all(row.sameness is Sameness.EQUAL for row in found) == are_equal
    for row in found:
        present = [cell for cell in row.cells if isinstance(cell, FactValue)]
        kinds = {in_plain_python(cell.value) for cell in present}
        wanted = Sameness.DIFFERS if len(kinds) > 1 else Sameness.EQUAL
        if len(kinds) == 1 and len(present) < len(runs):
            wanted = Sameness.ONLY_IN_SOME
        assert row.sameness is wanted
        assert len(row.letters) == len(present)
    counts = FactTable(found).counts()
    assert counts.all == len(found)
    assert counts.equal == sum(row.sameness is Sameness.EQUAL for row in found)
    assert counts.unequal == sum(row.sameness is not Sameness.EQUAL for row in found)


@given(runs=parameter_sets, at=st.integers(1, 3))
def test_a_pair_alone_is_compared_as_if_the_others_were_not_there(
    runs: list[dict[str, JsonValue]], at: int
) -> None:
    index = min(at, len(runs) - 1)
    pair = paired(FactTable(rows(*runs)), index)
    two = rows(runs[0], runs[index])
    assert all(one.letters for one in pair.rows)
    differing = [one for one in pair.rows if one.sameness is not Sameness.EQUAL]
    assert bool(differing) == any(one.sameness is not Sameness.EQUAL for one in two)
    for one in pair.rows:
        cells = [cell for cell in (one.cells[0], one.cells[index]) if isinstance(cell, FactValue)]
        kinds = {in_plain_python(cell.value) for cell in cells}
        wanted = Sameness.EQUAL if len(cells) == 2 else Sameness.ONLY_IN_SOME
        assert one.sameness is (Sameness.DIFFERS if len(kinds) == 2 else wanted)


@given(paths=st.lists(st.lists(keys | st.integers(0, 2), min_size=1, max_size=3), max_size=12))
def test_no_two_paths_read_alike(paths: list[list[str | int]]) -> None:
    different = list(dict.fromkeys(tuple(path) for path in paths))
    texts = path_texts(different)
    assert len(set(texts)) == len(different)


def test_a_key_with_a_dot_is_told_from_a_value_inside() -> None:
    (dotted, nested) = rows({"a.b": 1, "a": {"b": 1}}, {"a.b": 2, "a": {"b": 1}})
    assert {dotted.name, nested.name} == {'"a.b"', "a.b"}
    assert {row.name: row.sameness for row in (dotted, nested)} == {
        '"a.b"': Sameness.DIFFERS,
        "a.b": Sameness.EQUAL,
    }
    (alone,) = rows({"optimizer.lr": 1}, {"optimizer.lr": 2})
    assert alone.name == "optimizer.lr"


def test_a_missing_value_is_not_null_and_numbers_are_no_texts() -> None:
    named = {
        row.name: row.sameness
        for row in rows(
            {"a": None, "b": 1, "c": 1, "d": True, "e": math.nan, "f": {}, "g": []},
            {"b": 1.0, "c": "1", "d": 1, "e": math.nan, "f": [], "g": []},
        )
    }
    assert named == {
        "a": Sameness.ONLY_IN_SOME,
        "b": Sameness.EQUAL,
        "c": Sameness.DIFFERS,
        "d": Sameness.DIFFERS,
        "e": Sameness.EQUAL,
        "f": Sameness.DIFFERS,
        "g": Sameness.EQUAL,
    }


def test_nested_values_are_compared_by_path() -> None:
    found = rows({"sched": {"kind": "cos", "warmup": 0}}, {"sched": {"kind": "cos", "warmup": 100}})
    assert [(row.name, row.sameness) for row in found] == [
        ("sched.kind", Sameness.EQUAL),
        ("sched.warmup", Sameness.DIFFERS),
    ]
    found = rows({"layers": [64, 32]}, {"layers": [64, 32, 16]})
    assert [(row.name, row.letters) for row in found] == [
        ("layers[0]", "AB"), ("layers[1]", "AB"), ("layers[2]", "B"),
    ]  # fmt: skip
    # Where one run has something else than an object, there is nothing to go into.
    (whole,) = rows({"sched": {"kind": "cos"}}, {"sched": "cos"})
    assert (whole.name, whole.sameness) == ("sched", Sameness.DIFFERS)


def test_a_parameter_with_more_values_than_anybody_reads_is_one_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parameters, "MAX_LEAVES", 5)
    (row,) = rows({"big": list(range(9))}, {"big": [*range(8), 0]})
    assert (row.name, row.sameness) == ("big", Sameness.DIFFERS)
    (row,) = rows({"big": list(range(9))}, {"big": list(range(9))})
    assert row.sameness is Sameness.EQUAL


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        for table in ddl.EXPERIMENT_TABLES:
            connection.execute(table)
        yield connection


def stored(database: sqlite3.Connection, value: object, kind: str = "str") -> FactValue:
    """Return what is read of a parameter with that value and value_type."""
    database.execute("delete from static_params")
    database.execute("insert into static_params values ('key', ?, ?)", (value, kind))
    return whole_params(database)["key"]


def test_texts_are_compared_to_their_last_byte(database: sqlite3.Connection) -> None:
    for size in (999_999, 1_000_000, 3_000_000):
        one, same = stored(database, "x" * size), stored(database, "x" * size)
        other = stored(database, "x" * (size - 1) + "y")
        assert one.is_same(same)
        assert not one.is_same(other)
        assert one.is_whole == (size <= 1_000_000)
        assert bool(one.problem) == (size > 1_000_000)


def test_a_long_text_is_not_a_long_value_of_another_type(database: sqlite3.Connection) -> None:
    text = json.dumps("x" * 2_000_000)
    assert not stored(database, text, "str").is_same(stored(database, text, "json"))


def test_what_is_broken_is_equal_only_to_what_is_broken_alike(
    database: sqlite3.Connection,
) -> None:
    broken = stored(database, "abc", "int")
    assert broken.problem
    assert broken.is_same(stored(database, "abc", "int"))
    assert not broken.is_same(stored(database, "abc", "str"))
    assert not broken.is_same(stored(database, "abd", "int"))
    assert not stored(database, None, "json").is_same(stored(database, "null", "json"))


def test_a_key_that_is_not_text_is_no_other_key(database: sqlite3.Connection) -> None:
    database.execute("insert into static_params values (x'6c72', '1', 'int')")
    database.execute("insert into static_params values ('b''lr''', '1', 'int')")
    found = whole_params(database)
    assert len(found) == 2
    assert len(set(path_texts([(root,) for root in found]))) == 2
    assert len(list(joined([found, {}]))) == 2


def test_a_schema_without_parameters_has_none() -> None:
    with closing(sqlite3.connect(":memory:")) as empty:
        assert whole_params(empty) == {}


# Metrics -------------------------------------------------------------------------------------

numbers = st.floats() | st.sampled_from([0.0, 1.0, 1.0 + 2**-40])


@given(one=numbers, other=numbers, direction=st.sampled_from([*Direction, None]))
def test_deltas_are_those_of_plain_python(
    one: float, other: float, direction: Direction | None
) -> None:
    made = delta(Point(1, one), Point(2, other), direction)
    if one == other or (one != one and other != other):
        assert made.change is Change.SAME
    elif not (math.isfinite(one) and math.isfinite(other)):
        assert made.change is Change.INCOMPARABLE
        assert made.value is None
    else:
        assert made.value == other - one
        if direction is None:
            assert made.change is Change.CHANGED
        else:
            is_better = other > one if direction is Direction.HIGHER else other < one
            assert made.change is (Change.BETTER if is_better else Change.WORSE)
    assert delta(None, Point(1, one), direction).change is Change.INCOMPARABLE
    assert delta(Point(1, one), None, direction).change is Change.INCOMPARABLE


def table_of(directory: Path, *run_ids: str, chosen: Mapping[str, str] | None = None) -> FactTable:
    with opened(directory) as store:
        runs = RunSet.of([(store, store.resolve(run_id)) for run_id in run_ids])
        return fact_table(read_all(runs), chosen)


def named(table: FactTable, kind: FactKind) -> dict[str, FactRow]:
    return {row.name: row for row in table.rows if row.kind is kind}


def test_metrics_have_their_last_and_best_and_a_delta(tmp_path: Path) -> None:
    one_run(tmp_path, points={"loss": {1: 0.9, 2: 0.4, 3: 0.5}, "lr": {1: 0.1}}, run_id="a")
    one_run(tmp_path, points={"loss": {1: 0.8, 2: 0.7}, "lr": {1: 0.2}}, run_id="b")
    found = named(table_of(tmp_path, "a", "b"), FactKind.METRICS)
    loss, lr = found["loss"], found["lr"]
    assert list(found) == ["loss", "lr"]
    assert loss.direction is Direction.LOWER
    assert loss.sameness is lr.sameness is Sameness.DIFFERS
    one, other = loss.cells
    assert isinstance(one, MetricFigures)
    assert isinstance(other, MetricFigures)
    assert one.last == Point(3, 0.5)
    assert one.best(loss.direction) == Point(2, 0.4)
    last, best = loss.last_delta(1), loss.best_delta(1)
    assert last is not None
    assert best is not None
    assert (last.change, last.value) == (Change.WORSE, 0.7 - 0.5)
    assert (best.change, best.value) == (Change.WORSE, 0.7 - 0.4)
    changed = lr.last_delta(1)
    assert changed is not None
    assert (changed.change, changed.value) == (Change.CHANGED, 0.1)
    assert lr.best_delta(1) is None


def test_a_chosen_direction_decides_which_value_is_best(tmp_path: Path) -> None:
    one_run(tmp_path, points={"lr": {1: 0.1, 2: 0.3}}, run_id="a")
    one_run(tmp_path, points={"lr": {1: 0.2, 2: 0.3}}, run_id="b")
    row = named(table_of(tmp_path, "a", "b", chosen={"lr": "higher"}), FactKind.METRICS)["lr"]
    best = row.best_delta(1)
    assert best is not None
    assert best.change is Change.SAME
    row = named(table_of(tmp_path, "a", "b", chosen={"lr": "lower"}), FactKind.METRICS)["lr"]
    best = row.best_delta(1)
    assert best is not None
    assert best.change is Change.WORSE


def test_absent_and_nan_are_said_and_not_compared(tmp_path: Path) -> None:
    one_run(tmp_path, points={"loss": {1: 0.5}, "acc": {1: 0.5}, "f1": {1: math.nan}}, run_id="a")
    one_run(tmp_path, points={"loss": {1: 0.5, 2: math.nan}, "f1": {1: math.nan}}, run_id="b")
    found = named(table_of(tmp_path, "a", "b"), FactKind.METRICS)
    assert {key: row.sameness for key, row in found.items()} == {
        "acc": Sameness.ONLY_IN_SOME,
        "f1": Sameness.EQUAL,
        "loss": Sameness.DIFFERS,
    }
    assert found["acc"].cells[1] is Missing.ABSENT
    deltas = {key: row.last_delta(1) for key, row in found.items()}
    assert {key: one and one.change for key, one in deltas.items()} == {
        "acc": Change.INCOMPARABLE,
        "f1": Change.SAME,
        "loss": Change.INCOMPARABLE,
    }


def test_metrics_whose_points_are_not_all_read_are_not_called_equal() -> None:
    figures = {"loss": MetricFigures(Point(1, 0.5))}
    (row,) = metric_rows([figures, figures])
    assert row.sameness is Sameness.NOT_COMPARED
    (row,) = metric_rows([figures, {"loss": MetricFigures(Point(1, 0.6))}])
    assert row.sameness is Sameness.DIFFERS


# Runs ----------------------------------------------------------------------------------------


def test_a_run_compared_with_itself_is_equal(tmp_path: Path) -> None:
    one_run(tmp_path, {"lr": 0.1, "p": {"a": [1, math.nan]}}, {"loss": {1: math.nan, 2: 1.0}}, "a")
    table = table_of(tmp_path, "a", "a")
    counts = table.counts()
    assert (counts.differ, counts.only, counts.not_compared) == (0, {}, 0)
    assert counts.equal == len(table.rows)


def test_facts_and_models_of_runs_are_rows(tmp_path: Path) -> None:
    with writer(tmp_path) as store:
        for run_id, tags in (("a", ["x", "y"]), ("b", ["y", "x"])):
            store.start_run(run_id, run_id, tags=tags)
            store.experiment(run_id).close()
    for run_id, size, of_both in (("a", 10, 7), ("b", 20, 7)):
        execute(
            tmp_path / "meta.db",
            "insert into models (id, name, created_at, tags, path, size, experiment_id)"
            " values (?, ?, '2026-06-01', '[]', 'p', ?, ?)",
            [(f"{run_id}{n}", name, number, run_id)
             for n, (name, number) in enumerate([("net", size), ("same", of_both)])],
        )  # fmt: skip
    execute(tmp_path / "meta.db", "update experiments set description = 'x' where id = ?", [("b",)])
    table = table_of(tmp_path, "a", "b")
    about = named(table, FactKind.ABOUT)
    assert about["status"].sameness is Sameness.EQUAL
    assert about["tags"].sameness is Sameness.EQUAL
    assert about["description"].letters == "B"
    models = named(table, FactKind.MODELS)
    assert models["net"].sameness is Sameness.DIFFERS
    # Two files of one size may hold other weights.
    assert models["same"].sameness is Sameness.NOT_COMPARED


def test_a_run_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    for run_id, value in (("a", 1), ("b", 2), ("c", 1)):
        one_run(tmp_path, {"lr": value}, run_id=run_id)
    with ExitStack() as stack:
        store = stack.enter_context(opened(tmp_path))
        runs = RunSet.of([(store, store.resolve(run_id)) for run_id in "abc"])
        execute(tmp_path / "meta.db", "delete from experiments where id = 'b'")
        (tmp_path / "b" / "exp.db").unlink()
        table = fact_table(read_all(runs))
    row = named(table, FactKind.PARAMETERS)["lr"]
    assert row.cells[1] is Missing.UNREAD
    assert row.sameness is Sameness.EQUAL
    assert any("B cannot be read" in text and "any more" in text for text in table.problems)


def test_with_one_run_left_nothing_is_compared() -> None:
    gone = DatabaseMissing(Path("exp.db"), "it is gone")
    (row,) = rows({"lr": 1}, gone)
    assert row.sameness is Sameness.NOT_COMPARED
    (row,) = rows({"lr": 1}, None)
    assert row.sameness is Sameness.NOT_COMPARED
    nothing = FactAnswers((gone, None), (None, None), (None, None), (None, None))
    assert fact_table(nothing).problems == ("A cannot be read: it is gone",)


def test_configuration_under_one_path_is_a_row_and_other_files_are_none(folder: Path) -> None:
    contents = {"old": b"limit: 5\n", "new": b"limit: 1\n", "third": b"limit: 5\n"}
    with writer(folder) as store:
        for name, content in contents.items():
            store.start_run(name, name)
            with store.experiment(name) as run:
                run.attachment("config.yaml", content)
                run.attachment("same.py", b"x = 1\n")
                run.attachment("weights.bin", content)
                if name == "old":
                    run.attachment("only.py", b"y = 1\n")
    with opened(folder) as store:
        opened_runs = [(store, store.resolve(name)) for name in contents]
        rows = fact_table(read_all(RunSet.of(opened_runs))).rows
    files = {row.name: row.sameness for row in rows if row.kind is FactKind.FILES}
    assert files == {"config.yaml": Sameness.DIFFERS, "same.py": Sameness.EQUAL}


def test_files_that_were_not_read_are_equal_only_if_that_is_certain() -> None:
    size = {"size_bytes": 5}
    unread = FactValue(size, is_certain=False)
    read = FactValue(size, stored=("a",))
    assert unread.is_same(read) is None
    assert unread.is_same(FactValue({"size_bytes": 6}, is_certain=False)) is False
    assert read.is_same(FactValue(size, stored=("b",))) is False
    assert read.is_same(FactValue(size, stored=("a",))) is True

"""Which texts are numbers, and the order of names, in Python and in SQL."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.store import params as logged_params
from flowtui.store import runs as run_rows
from flowtui.store.attachments.listing import tree
from flowtui.store.attachments.values import FolderNode
from flowtui.store.natural import number, number_sql, order_sql, register_order, sort_key
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.scores import score_sets
from flowtui.store.schema import EvalRow
from tests.unit.stores import NOW, opened, writer

NUMBERS = {
    "1": 1, "-3": -3, "+5": 5, "1e-3": 0.001, "1E3": 1000, ".5": 0.5, "-.5e1": -5, "2.": 2,
    " 7\n": 7, "007": 7, "9007199254740993": 9007199254740993, "1e999": math.inf, "inf": math.inf,
    "-Infinity": -math.inf, "+INF": math.inf,
}  # fmt: skip
TEXTS = (
    "", " ", "a", "nan", "-nan", "0x10", "1_000", "1,000", "1e", "e5", ".", "+", "--1", "1 2",
    "2s", "10%", "v2", "true", "١", "²", "infin", "++inf", "1e-3x", "None",
)  # fmt: skip
NEARLY = st.text("0123456789+-.eEinfINFty _x\n", max_size=12)


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    register_order(opened)
    yield opened
    opened.close()


def in_sql(connection: sqlite3.Connection, text: str) -> int | float | None:
    sql = f"select {number_sql('value')} from (select :text as value)"
    (found,) = connection.execute(sql, {"text": text}).fetchone()
    return found if isinstance(found, (int, float)) else None


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_text_that_is_wholly_a_number_is_that_number(
    connection: sqlite3.Connection, text: str, value: float
) -> None:
    assert number(text) == value
    assert in_sql(connection, text) == value


@pytest.mark.parametrize("text", TEXTS)
def test_other_text_is_no_number(connection: sqlite3.Connection, text: str) -> None:
    assert number(text) is None
    assert in_sql(connection, text) is None


@given(text=st.one_of(NEARLY, st.floats().map(repr), st.integers().map(str), st.text(max_size=8)))
@settings(deadline=None)
def test_sqlite_and_python_take_the_same_texts_for_numbers(
    connection: sqlite3.Connection, text: str
) -> None:
    if "\0" in text or len(text.encode("utf-8", "surrogatepass")) != len(text):
        return
    found, wanted = in_sql(connection, text), number(text)
    assert (found is None) == (wanted is None)
    # SQLite rounds some numbers of many digits to the one beside the nearest.
    assert found is None or wanted is None or math.isclose(found, wanted, rel_tol=1e-14)


IN_ORDER = (
    "-2", "0.25", "0.5", "1e0", "9", "10", "1e3",
    "", "-inf", "_", "A", "a", "b", "inf", "Infinity", "run",
    "run-02", "run-2", "Run-3", "run-10", "run-10a", "run-10b", "run-100",
    "v1.9.1", "v1.10", "v1.10.2", "x007", "x8", "z²",
)  # fmt: skip


def test_names_are_in_the_order_that_a_person_looks_for_them_in(
    connection: sqlite3.Connection,
) -> None:
    shuffled = random.Random(7).sample(IN_ORDER, len(IN_ORDER))
    assert tuple(sorted(shuffled, key=sort_key)) == IN_ORDER
    connection.execute("create temp table name (value)")
    connection.executemany("insert into name values (?)", [(text,) for text in shuffled])
    connection.execute("insert into name values (null), (9.5)")
    for descending in (False, True):
        sql = f"select value from name order by {order_sql('value', descending, are_names=True)}"
        found = [value for (value,) in connection.execute(sql)]
        numbers: list[object] = [*IN_ORDER[:5], 9.5, *IN_ORDER[5:7]]
        texts: list[object] = [*IN_ORDER[7:]]
        if descending:
            numbers.reverse()
            texts.reverse()
        assert found == [*numbers, *texts, None]


def test_infinities_among_values_are_numbers(connection: sqlite3.Connection) -> None:
    values = ["-inf", "2", "10", "Infinity", "a"]
    rows = ", ".join(f"('{value}')" for value in reversed(values))
    sql = f"with one(value) as (values {rows}) select value from one order by {order_sql('value')}"
    assert [value for (value,) in connection.execute(sql)] == values


LETTERS = st.one_of(
    st.characters(codec="utf-8", exclude_characters="\0"), st.sampled_from("aAéÉ12")
)
WORDS = st.one_of(st.text(LETTERS, max_size=6), st.sampled_from(["inf", "-Infinity", "Inf", "1e9"]))


@given(texts=st.lists(WORDS))
@settings(deadline=None)
def test_sqlite_and_python_sort_the_same(connection: sqlite3.Connection, texts: list[str]) -> None:
    marks = ", ".join("(?)" for _ in texts) or "(null)"
    sql = f"with name(value) as (values {marks}) select value from name order by"
    found = [
        value
        for (value,) in connection.execute(f"{sql} {order_sql('value', are_names=True)}", texts)
    ]
    assert found == (sorted(texts, key=sort_key) or [None])


def test_ids_of_random_digits_are_sorted_as_they_stand() -> None:
    ids = ["2" + "b" * 31, "10" + "A" * 30, "0f8fad5b-d9cb-469f-a165-70867728950e"]
    assert sorted(ids, key=sort_key) == sorted(ids)


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    assert sort_key("a" * 300 + "2")[2] == sort_key("a" * 300 + "10")[2]


def test_text_that_is_no_unicode_is_sorted_all_the_same(connection: sqlite3.Connection) -> None:
    sql = f"select 1 from (select cast(x'ff32' as text) as value) order by {order_sql('value')}"
    assert connection.execute(sql).fetchall() == [(1,)]


def numbered(name: str) -> list[str]:
    return [f"{name}{n}" for n in (10, 9, 100, 1)]


def test_every_list_is_in_the_order_of_names(tmp_path: Path) -> None:
    with writer(tmp_path) as writing:
        for group in numbered("group "):
            writing.start_run(f"run of {group}", group, group=group)
        writing.start_run("run", "run", group="group 1")
        with writing.experiment("run") as experiment:
            experiment.params(dict.fromkeys(numbered("layer"), 1))
            experiment.metrics((key, 1.0, 0, NOW) for key in numbered("train/x"))
            for name in numbered("image"):
                experiment.attachment(f"folder/{name}.png", b"")
            experiment.evals(
                EvalRow(dataset_id=set_, id="a", inputs={}, scores=dict.fromkeys(numbered("q"), 1))
                for set_ in numbered("set-")
            )
        writing.end_run("run", status="completed", duration=1.0)

    def in_order(name: str) -> list[str]:
        return [f"{name}{n}" for n in (1, 9, 10, 100)]

    with opened(tmp_path) as store:
        assert [group.name for group in store.ask(run_rows.groups)] == in_order("group ")
        assert [
            param.key for param in store.run("run").ask(logged_params.params) or ()
        ] == in_order("layer")
        assert list(store.run("run").metrics.last_points()) == in_order("train/x")
        summaries = store.run("run").metrics.summaries({})
        assert [one.key for one in summaries] == in_order("train/x")
        assert store.ask(run_rows.figure_keys) == (in_order("layer"), in_order("train/x"))
        found = store.run("run").attachments()
        assert found is not None
        (folder,) = tree(found.files).children
        assert isinstance(folder, FolderNode)
        assert [node.name for node in folder.children] == [f"{n}.png" for n in in_order("image")]
        (folder,) = tree(found.files, is_descending=True).children
        assert isinstance(folder, FolderNode)
        assert folder.children[0].name == "image100.png"
        assert [one.id for one in store.run("run").ask(sample_rows.datasets)] == in_order("set-")
        every, *sets = store.run("run").ask(score_sets)
        assert [one.dataset for one in sets] == in_order("set-")
        assert [score.key for score in every.scores] == in_order("q")
        assert [
            key.key for key in store.run("run").ask(sample_keys.keys, None, ("scores",))
        ] == in_order("q")
        groups = store.run("run").ask(sample_keys.groups, "dataset").groups
        assert [group.value for group in groups] == in_order("set-")

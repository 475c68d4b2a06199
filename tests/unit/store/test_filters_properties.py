"""Any text is a filter or an error of the filter, and a comparison means what Python says."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowtui.store.errors import FilterError
from flowtui.store.filters import parse, run_condition
from tests.unit.store.test_filters import RUNS, matching, open_runs

bounded = settings(
    max_examples=100,
    deadline=None,
    # Every example only reads the one table.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

PIECES = st.sampled_from(
    "( ) , = != < > <= >= ~ ! && || AND OR NOT IN IS NULL LIKE BETWEEN name status duration "
    "created_at CONTAINS "
    "tags param. params.lr metric.accuracy accuracy attr. metadata.a.b annotations.x errors "
    "annotated 5 0.1 2s 10MB inf true 2025-03-01 'x' \"y\" `z` ' \" ` '%' ; -- {0} :filter_1 {e} "
    "é . .' \\ 1e999 999999999999999999999".split(" ")
)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(codec=None), max_size=20),
    st.lists(PIECES, max_size=14).map(" ".join),
    st.lists(PIECES, max_size=14).map("".join),
)


@pytest.fixture
def runs() -> Iterator[sqlite3.Connection]:
    connection = open_runs(*RUNS)
    yield connection
    connection.close()


@given(text=TEXTS)
@bounded
def test_any_text_runs_or_is_an_error_with_a_place(runs: sqlite3.Connection, text: str) -> None:
    try:
        ids, position = matching(runs, text), 0
    except FilterError as error:
        ids, position = "", error.position
    assert set(ids) <= {"a", "b", "c"}
    assert 0 <= position <= len(text)
    assert runs.execute("SELECT count(*) FROM run").fetchone() == (3,)


@given(text=TEXTS)
@bounded
def test_not_leaves_exactly_the_other_runs(runs: sqlite3.Connection, text: str) -> None:
    try:
        expression = parse(text)
        found = matching(runs, f"({text})") if expression else "abc"
        others = matching(runs, f"NOT ({text})") if expression else ""
    except FilterError:
        return
    assert sorted(found + others) == ["a", "b", "c"]


@given(value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
@bounded
def test_quoted_text_and_keys_are_taken_literally(value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    key = "`" + value.replace("`", "``") + "`"
    connection = open_runs(
        {"id": "a", "name": value, "tags": [value], "params": {value: 1}}, {"id": "b"}
    )
    assert matching(connection, f"name = {quoted}") == "a"
    assert matching(connection, f"name IN ({quoted})") == "a"
    assert matching(connection, f"tags = {quoted}") == "a"
    if value:
        assert matching(connection, f"params.{key} = 1") == "a"
        assert "a" in matching(connection, quoted)
    assert quoted not in run_condition(f"name = {quoted}").sql or value == ""
    connection.close()


STORED = st.sampled_from(
    ["", "a", "B", "10", "é", "1e-3", " 2 ", "-.5", "2.", "nan", "0x1", "1_0", "1.0a", "²", "+INF"]
)
SIGNS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.floats(-3, 3, allow_nan=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.one_of(st.none(), NUMBERS, STORED, NUMBERS.map(repr))


def holds(value: Any, sign: str, literal: Any) -> bool:
    """What a comparison means, in Python: a text that is a number is one beside a number.

    Other types never mix in an order, nothing equals nothing.
    """
    if value is None or value != value:
        return False
    if isinstance(value, str) and not isinstance(literal, str):
        # Python takes more than a person means by a number.
        with suppress(ValueError):
            value = value if value in ("nan", "1_0", "²") else float(value)
    if isinstance(value, str) != isinstance(literal, str):
        return sign == "!="
    return bool(SIGNS[sign](value, literal))


CONDITIONS = st.tuples(
    st.sampled_from(["param.x", "params.y", "metric.x"]),
    st.sampled_from(sorted(SIGNS)),
    st.one_of(NUMBERS, STORED),
)


@given(
    rows=st.lists(st.fixed_dictionaries({"x": VALUES, "y": VALUES, "m": NUMBERS}), max_size=6),
    conditions=st.lists(CONDITIONS, min_size=1, max_size=4),
    joins=st.lists(st.sampled_from(["AND", "OR"]), min_size=3, max_size=3),
    negations=st.lists(st.booleans(), min_size=4, max_size=4),
)
@bounded
def test_comparisons_agree_with_python(
    rows: list[dict[str, Any]],
    conditions: list[tuple[str, str, Any]],
    joins: list[str],
    negations: list[bool],
) -> None:
    conditions = [
        (field, sign, 1.5 if field == "metric.x" and isinstance(literal, str) else literal)
        for field, sign, literal in conditions
    ]
    text = ""
    for index, (field, sign, literal) in enumerate(conditions):
        shown = f'"{literal}"' if isinstance(literal, str) else repr(literal)
        text += f" {joins[index - 1]} " if index else ""
        text += f"{'NOT ' if negations[index] else ''}{field} {sign} {shown}"

    def expected(row: dict[str, Any]) -> bool:
        cells = {"param.x": row["x"], "params.y": row["y"], "metric.x": row["m"]}
        groups = [[True]]
        for index, (field, sign, literal) in enumerate(conditions):
            if index and joins[index - 1] == "OR":
                groups.append([])
            groups[-1].append(holds(cells[field], sign, literal) is not negations[index])
        return any(map(all, groups))

    connection = open_runs(
        *(
            {
                "id": str(index),
                "params": {key: row[key] for key in ("x", "y") if row[key] is not None},
                "metrics": {"x": row["m"]},
            }
            for index, row in enumerate(rows)
        )
    )
    assert matching(connection, text) == "".join(
        str(index) for index, row in enumerate(rows) if expected(row)
    )
    connection.close()

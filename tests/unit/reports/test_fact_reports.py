"""The table of facts as text, Markdown, CSV and JSON: nothing left out, nothing that misleads."""

from __future__ import annotations

import csv
import io
import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui.reports.comparison.fact_texts import (
    count_words,
    cut_apart,
    delta_text,
    json_value_text,
    value_texts,
    whole_text,
)
from flowtui.reports.comparison.facts import (
    counts_document,
    fact_documents,
    markdown_lines,
    text_lines,
    write_csv,
)
from flowtui.reports.runs import dumps
from flowtui.store.compare.fact_reading import Answer, FactAnswers
from flowtui.store.compare.fact_values import Change, Delta, FactValue, MetricFigures
from flowtui.store.compare.facts import FactTable, fact_table
from flowtui.store.compare.paths import Root
from flowtui.store.errors import RunNotFound
from flowtui.store.values import Buckets, JsonValue, MetricSummary, Point

scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=6)
    | st.sampled_from(["1", "true", "null", "absent", "NaN", "", "a\x1bb", "=1", "@x|y"])
)  # fmt: skip
parameter_sets = st.lists(
    st.dictionaries(st.text(min_size=1, max_size=3), scalars, max_size=4), min_size=2, max_size=4
)


def figures(*values: float) -> MetricFigures:
    """Return what is read of a metric with these values."""
    points = [Point(step, value) for step, value in enumerate(values)]
    finite = [point for point in points if math.isfinite(point.value)]
    summary = MetricSummary(
        key="",
        count=len(points),
        nan_count=sum(value != value for value in values),
        pos_inf_count=0,
        neg_inf_count=0,
        first=points[0],
        last=points[-1],
        minimum=min(finite, key=lambda point: point.value, default=None),
        maximum=max(finite, key=lambda point: point.value, default=None),
        buckets=Buckets(),
        bucket_steps=1,
        mark=1,
    )
    return MetricFigures(points[-1], summary)


def compared(
    *runs: dict[str, JsonValue], metrics: tuple[dict[str, MetricFigures], ...] = ()
) -> FactTable:
    of_params: tuple[Answer[Root, FactValue], ...] = tuple(
        {key: FactValue(value) for key, value in run.items()} for run in runs
    )
    nothing: tuple[Answer[Root, FactValue], ...] = ({},) * len(runs)
    return fact_table(FactAnswers(of_params, metrics or ({},) * len(runs), nothing, nothing))


def test_the_table_as_text() -> None:
    table = compared(
        {"lr": 0.001, "seed": 1, "s": "1"},
        {"lr": 0.0003, "seed": 1, "s": 1, "amp": None},
        metrics=({"loss": figures(0.5, 0.25, 0.5)}, {"loss": figures(0.75)}),
    )
    assert list(text_lines(table, 2)) == [
        "3 differ, 1 equal, 1 only in B",
        "",
        "Parameters  2 differ · 1 equal · 1 only in B",
        "       A       B",
        "  lr   0.001   0.0003  changed",
        '  s    "1"     1       changed',
        "  amp  absent  null    only in B",
        "",
        "Metrics  1 differ",
        "          A     B",
        "  loss    0.5   0.75  ▲ 0.25 worse",
        "    best  0.25  0.75  ▲ 0.5 worse",
    ]
    assert any("seed" in line for line in text_lines(table, 2, shows_all=True))
    assert list(text_lines(compared({}, {}), 2)) == ["Nothing differs."]


def test_a_run_that_cannot_be_read_is_said_everywhere() -> None:
    gone = RunNotFound("it is gone")
    parts: tuple[Answer[Root, FactValue], ...] = ({"lr": FactValue(1)}, gone)
    table = fact_table(FactAnswers(parts, ({}, gone), ({}, gone), ({}, gone)))
    assert "▲ B cannot be read: it is gone" in list(text_lines(table, 2))
    assert any("it is gone" in line for line in markdown_lines(table.rows, ["a", "b"], table))
    (row,) = fact_documents(table.rows)
    assert (row["unread"], row["state"]) == (["B"], "not_compared")


@given(runs=parameter_sets)
def test_json_has_every_value_as_it_is(runs: list[dict[str, JsonValue]]) -> None:
    table = compared(*runs)
    documents = fact_documents(table.rows)
    read = json.loads(dumps(documents))
    for index, run in enumerate(runs):
        letter = "ABCD"[index]
        found = {row["path"][0]: row["values"][letter] for row in read if letter in row["values"]}
        assert found == json.loads(dumps(run))
    counts = counts_document(table)["all"]
    assert isinstance(counts, dict)
    assert counts["differ"] == sum(row["state"] == "differs" for row in documents)
    assert counts["equal"] == sum(row["state"] == "equal" for row in documents)


@given(runs=parameter_sets)
def test_csv_and_markdown_have_a_row_each_and_nothing_that_acts(
    runs: list[dict[str, JsonValue]],
) -> None:
    table = compared(*runs)
    names = [f"=run {index}" for index in range(len(runs))]
    out = io.StringIO()
    write_csv(table.rows, names, out)
    found = list(csv.reader(io.StringIO(out.getvalue())))
    assert len(found) == len(table.rows) + 1
    assert all(len(row) == len(found[0]) for row in found)
    number = re.compile(r"-?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|Infinity)")
    for cell in (cell for row in found for cell in row):
        assert not cell.startswith(("=", "+", "@")) or not cell
        assert not cell.startswith("-") or number.fullmatch(cell)
        assert "\x1b" not in cell
    lines = "".join(markdown_lines(table.rows, names, table)).splitlines()
    assert sum(line.startswith("| ") for line in lines) == len(table.rows) + (
        2 if table.rows else 0
    )
    assert not any("\x1b" in line for line in [*lines, *text_lines(table, len(runs), True)])


@given(one=scalars, other=scalars)
def test_values_of_different_types_never_read_alike(one: JsonValue, other: JsonValue) -> None:
    if type(one) is not type(other) and not {type(one), type(other)} <= {int, float}:
        texts = value_texts(compared({"p": one}, {"p": other}).rows[0])
        assert texts[0] != texts[1]
    assert json_value_text(one) != "absent"


@given(one=scalars, other=scalars)
def test_values_of_different_types_differ_in_csv(one: JsonValue, other: JsonValue) -> None:
    if type(one) is not type(other) and not {type(one), type(other)} <= {int, float}:
        out = io.StringIO()
        write_csv(compared({"p": one}, {"p": other}).rows, ["a", "b"], out)
        *_, before, after, _ = list(csv.reader(io.StringIO(out.getvalue())))[1]
        assert before != after
        assert "" not in (before, after)


@given(
    texts=st.lists(
        st.sampled_from(["a", "ab", "x" * 50, "x" * 50 + "y", "日本語" * 9, "日本語" * 8]),
        min_size=2,
        max_size=5,
    ),
    room=st.integers(8, 60),
)
def test_texts_that_are_cut_and_differ_never_read_alike(texts: list[str], room: int) -> None:
    cut = cut_apart(texts, [room] * len(texts))
    assert len(set(cut)) == len(set(texts))
    assert all(cell_len(text) <= room for text in cut)


def test_deltas_in_words() -> None:
    assert delta_text(Delta(Change.WORSE, 0.25)) == "▲ 0.25 worse"
    assert delta_text(Delta(Change.BETTER, -0.25)) == "▼ 0.25 better"
    assert delta_text(Delta(Change.CHANGED, -0.25)) == "-0.25 changed"
    assert delta_text(Delta(Change.CHANGED, 0.25)) == "+0.25 changed"
    assert delta_text(Delta(Change.SAME, 0.0)) == "same"
    assert delta_text(Delta(Change.INCOMPARABLE)) == ""
    assert delta_text(None) == ""


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Delta(Change.WORSE, 0.007551), "▲ 0.00755 worse"),
        (Delta(Change.BETTER, -0.00755123), "▼ 0.00755 better"),
        (Delta(Change.CHANGED, -123456789.25), "-1.2e+08 changed"),
        (Delta(Change.WORSE, 1234567.0), "▲ 1.2e+06 worse"),
        (Delta(Change.WORSE, 0.25), "▲ 0.25 worse"),
        (Delta(Change.SAME, 0.0), "same"),
    ],
)
def test_a_difference_leaves_room_for_its_word(change: Delta, text: str) -> None:
    assert delta_text(change, 16) == text
    assert len(text) <= 16


def test_many_sets_of_letters_are_summed_up() -> None:
    runs: list[dict[str, JsonValue]] = [{letter: 1} for letter in "abcdef"]
    said = count_words(compared(*runs).counts())
    assert said == ["1 only in A", "1 only in B", "1 only in C", "3 only in some"]


def test_runs_that_lack_something_are_named_where_they_are_fewer() -> None:
    table = compared({"a": 1, "b": 1, "c": 1}, {"a": 1, "c": 1}, {"a": 1, "b": 1}, {"a": 1})
    assert count_words(table.counts()) == ["1 equal", "1 only in A and B", "1 only in A and C"]
    table = compared({"a": 1}, {"a": 1}, {})
    assert count_words(table.counts()) == ["1 not in C"]
    only = counts_document(table)["all"]
    assert isinstance(only, dict)
    assert only["only"] == {"AB": 1}


def test_what_is_copied_is_whole() -> None:
    text = "x" * 5_000
    assert whole_text(FactValue(text)) == text
    assert whole_text(FactValue({"a": [1, None]})) == '{"a": [1, null]}'
    assert whole_text(figures(1 / 3)) == repr(1 / 3)


@pytest.mark.parametrize("count", [2, 5, 8])
def test_every_run_has_a_column(count: int) -> None:
    runs: list[dict[str, JsonValue]] = [{"lr": index} for index in range(count)]
    (_counts, _blank, _section, heads, row) = text_lines(compared(*runs), count)
    assert heads.split() == list("ABCDEFGH"[:count])
    assert row.split()[1] == "0"

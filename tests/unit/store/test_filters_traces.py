"""Filters over the list of traces: what luml-sdk takes, and what is added to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from flowtui.store.errors import FilterError
from flowtui.store.filters import trace_condition
from flowtui.store.schema import LinkRow, SpanAnnotationRow, SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from tests.unit.stores import NOW, execute, opened, writer

RUN = "run-1"
MS = 1_000_000


def _spans() -> Iterator[SpanRow]:
    """Traces a (ok), e (failed), p (no root yet) and u (no status), the shortest first."""
    parents = {"a": None, "e": "", "p": "gone", "u": "0" * 16}
    codes = {"a": 1, "e": 2, "p": 1, "u": 0}
    for index, trace in enumerate("aepu"):
        yield SpanRow(
            trace_id=trace,
            span_id="1",
            name=f"Root {trace}",
            start_ns=index + 1,
            end_ns=index + 1 + 100 * MS * (index + 1),
            parent_span_id=parents[trace],
            status_code=codes[trace],
            status_message="it broke" if trace == "e" else None,
            attributes={"http.method": "GET", "code": 200 + index, "deep": {"w": "naïve"}},
        )
    yield SpanRow(
        trace_id="a", span_id="2", name="child", start_ns=2, end_ns=3, parent_span_id="1",
        attributes={"http.method": "POST", "only": 'quo"ted', "flag": True},
        events=[{"name": "e", "timestamp": 1, "attributes": {"exception.message": "Überlauf"}}],
    )  # fmt: skip


def _note(trace: str, name: str, value: bool | int | str) -> SpanAnnotationRow:
    is_feedback = isinstance(value, bool) and name != "wanted"
    kind: Literal["feedback", "expectation"] = "feedback" if is_feedback else "expectation"
    return SpanAnnotationRow(
        trace_id=trace, span_id="1", name=name, kind=kind, value=value, user="ana"
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory = tmp_path_factory.mktemp("traces")
    with writer(directory) as writing:
        writing.start_run(RUN, RUN)
        with writing.experiment(RUN) as experiment:
            experiment.spans(_spans())
            experiment.links(
                LinkRow(dataset_id="set", eval_id=id_, trace_id=trace)
                for id_, trace in (("eval-1", "a"), ("eval-2", "a"), ("eval-2", "e"))
            )
            experiment.span_annotations(
                [
                    _note("a", "good", True),
                    _note("a", "good", False),
                    _note("e", "good", False),
                    _note("p", "calls", 3),
                    _note("u", "answer key", "a Bird"),
                    _note("u", "wanted", True),
                ]
            )
    path = directory / RUN / "exp.db"
    stamps = [
        (f"{NOW + timedelta(days=index):%Y-%m-%d %H:%M:%S}", t) for index, t in enumerate("aepu")
    ]
    execute(path, "update spans set created_at = ? where trace_id = ?", stamps)
    with opened(directory) as opened_store:
        yield opened_store


def fitting(store: Store, text: str) -> str:
    """Gives the ids of the traces that fit a filter, as one word."""
    keys = store.run(RUN).ask(trace_rows.ordered, trace_condition(text))
    traces = store.run(RUN).ask(trace_rows.at, keys)
    return "".join(sorted(traces[key].trace_id for key in keys))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", "aepu"),
        ('trace_id = "a"', "a"),
        ("id IN ('a', 'p')", "ap"),
        ("id LIKE '%E%'", "e"),
        ('state = "ok"', "a"),
        ("state = ERROR", "e"),
        ("state = 2", "e"),
        ("state = in_progress", "p"),
        ("state = 3", "p"),
        ("state = unspecified", "u"),
        ("state = unset", "u"),
        ("state = 0", "u"),
        ("state != ok", "epu"),
        ('state IN ("ok", error)', "ae"),
        ('state NOT IN ("ok", 2)', "pu"),
        ("execution_time > 250ms", "pu"),
        ("execution_time = 100000000", "a"),
        ("duration <= 0.2s", "ae"),
        ("span_count >= 2", "a"),
        ("error_count = 1", "e"),
        ("sample_count = 2", "a"),
        ("annotation_count > 1", "au"),
        ("created_at >= '2026-06-03'", "pu"),
        ("created_at = 2026-06-02", "e"),
        ('name = "Root p"', "p"),
    ],
)
def test_columns_of_traces(store: Store, text: str, ids: str) -> None:
    assert fitting(store, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('evals = "eval-2"', "ae"),
        ('evals != "eval-1"', "epu"),
        ('evals LIKE "EVAL%"', "ae"),
        ('evals CONTAINS "-1"', "a"),
        ('evals IN ("eval-1", "none")', "a"),
        ('evals NOT IN ("eval-1")', "epu"),
        ("evals IS NULL", "pu"),
    ],
)
def test_linked_samples(store: Store, text: str, ids: str) -> None:
    assert fitting(store, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('attributes.http.method = "POST"', "a"),
        ('attributes.http.method != "GET"', "a"),
        ("attributes.code >= 202", "pu"),
        ("attributes.`only` = 'quo\"ted'", "a"),
        ("attributes.flag = true", "a"),
        ('attributes.http.method ~ "^PO"', "a"),
        ("attributes.only IS NOT NULL", "a"),
        ("attributes.none IS NULL", "aepu"),
        ("code > 202", "u"),
        ("NOT attributes.code > 201", "ae"),
    ],
)
def test_attributes_of_any_span(store: Store, text: str, ids: str) -> None:
    assert fitting(store, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("annotations.good = true", "a"),
        ('annotations.good = "true"', "a"),
        ("annotations.good = 1", "a"),
        ("annotations.good = false", "ae"),
        ("annotations.good != true", "ae"),
        ('annotations.good IN ("true", "x")', "a"),
        ("annotations.feedback.good = 0", "ae"),
        ("annotations_feedback.good = true", "a"),
        ("annotations.expectation.good = true", ""),
        ("annotations.expectations.wanted = true", "u"),
        ("annotations_expectation.wanted = true", "u"),
        ("annotations_expectations.calls > 2", "p"),
        ("annotations.calls = 3", "p"),
        ('annotations.calls = "3"', "p"),
        ('annotations.good LIKE "TR%"', "a"),
        ('annotations.feedback.good ~ "^f"', "ae"),
        ('annotations.`answer key` = "a Bird"', "u"),
        ('annotations."answer key" CONTAINS "bird"', "u"),
        ("annotations.good IS NOT NULL", "ae"),
        ("good = true", "a"),
        ("NOT (annotations.good = true OR annotations.calls = 3)", "eu"),
    ],
)
def test_annotations_in_all_their_spellings(store: Store, text: str, ids: str) -> None:
    assert fitting(store, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("child", "a"),
        ("ROOT", "aepu"),
        ('"it broke"', "e"),
        ("http.method", "aepu"),
        ("post", "a"),
        ("203", "u"),
        ("naïve", "aepu"),
        ("'quo\"ted'", "a"),
        ("überlauf", "a"),
        ("errors", "e"),
        ('"errors"', ""),
        ("annotated", "aepu"),
        ("errors AND annotated", "e"),
        ("nowhere", ""),
    ],
)
def test_words(store: Store, text: str, ids: str) -> None:
    assert fitting(store, text) == ids


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("state = bad", 8, "in_progress"),
        ('state LIKE "o%"', 6, "numbers"),
        ("execution_time > soon", 17, "nanoseconds"),
        ("created_at > soon", 13, "date"),
        ('attributes.x ~ "("', 16, "regular expression"),
    ],
)
def test_an_error_names_the_place_and_what_was_expected(
    text: str, position: int, part: str
) -> None:
    with pytest.raises(FilterError, match=part) as caught:
        trace_condition(text)
    assert caught.value.position == position


def test_conditions_hold_in_stores_with_broken_json_and_without_tables(tmp_path: Path) -> None:
    with writer(tmp_path) as writing:
        writing.start_run(RUN, RUN)
        with writing.experiment(RUN) as experiment:
            experiment.spans(_spans())
    path = tmp_path / RUN / "exp.db"
    execute(path, "update spans set attributes = '{broken words', events = '{'")
    for table in ("span_annotations", "eval_traces_bridge"):
        execute(path, f"drop table {table}")
    with opened(tmp_path) as store:
        assert fitting(store, "words") == "aepu"
        assert fitting(store, "attributes.broken = 1") == ""
        assert fitting(store, "annotated") == ""
        assert fitting(store, "annotations.good = true") == ""
        assert fitting(store, 'evals != "x"') == "aepu"

"""Which spans of a trace a search finds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import AnnotationKind, Draft, SpanTarget
from flowtui.store.errors import FilterError
from flowtui.store.filters import span_condition
from flowtui.store.schema import SpanRow, StoreWriter
from flowtui.store.schema.ddl import EXPERIMENT_TABLES
from flowtui.store.store import Store
from flowtui.store.traces import search as span_search
from flowtui.store.traces.search import matching
from tests.conftest import NOW, open_store

TRACE, OTHER = "a" * 32, "b" * 32
SPANS = {
    "1" * 16: {"name": "agent", "end_ns": 5_000_000_000, "attributes": {"user.id": "ana"}},
    "2" * 16: {"name": "chat", "status_code": 2, "status_message": "Rate limit"},
    "3" * 16: {"name": "tool", "attributes": {"n": 3, "args": {"city": "ZÜRICH"}}},
    "4" * 16: {"name": "retry", "events": [{"name": "exception", "attributes": {"t": "boom"}}]},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.spans(
                [
                    SpanRow(
                        trace_id=trace,
                        span_id=id_,
                        parent_span_id=None,
                        start_ns=1,
                        **{"end_ns": 1_000, **said},  # type: ignore[arg-type]  # as listed
                    )
                    for trace in (TRACE, OTHER)
                    for id_, said in SPANS.items()
                ]
            )
    return open_store(tmp_path)


def found(store: Store, text: str) -> str:
    """Return the first digits of the ids that a search in the one trace finds."""
    ids = store.run("run").ask(span_search.matching, TRACE, span_condition(text))
    return "".join(sorted(id_[0] for id_ in ids))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CHAT", "2"),
        ("rate limit", "2"),
        ("zürich", "3"),
        ("boom", "4"),
        ("errors", "2"),
        ("NOT errors", "134"),
        ("duration > 1s", "1"),
        ("n = 3", "3"),
        ('attributes.user.id = "ana"', "1"),
        ("state = error or n >= 3", "23"),
        ("/^(chat|tool)$/", "23"),
        ("/z.rich", "3"),
        ("annotated", ""),
        ("", "1234"),
    ],
)
def test_a_search_finds_spans_of_the_trace(store: Store, text: str, expected: str) -> None:
    assert found(store, text) == expected


def test_annotations_are_searched_too(store: Store) -> None:
    draft = Draft("quality", AnnotationKind.FEEDBACK, False, None, "ana")
    annotating.add(store.run("run").database, SpanTarget(TRACE, "3" * 16), draft)
    assert found(store, "annotated") == "3"
    assert found(store, "annotations.quality = false") == "3"
    assert found(store, "quality = true") == ""


def test_a_broken_expression_says_where(store: Store) -> None:
    with pytest.raises(FilterError) as caught:
        span_condition("/a(/")
    assert caught.value.position >= 1


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_search_or_a_mistake_and_never_bad_sql(text: str) -> None:
    try:
        condition = span_condition(text)
    except FilterError:
        return
    connection = sqlite3.connect(":memory:")
    try:
        for table in EXPERIMENT_TABLES:
            connection.execute(table)
        assert matching(connection, TRACE, condition) == frozenset()
    finally:
        connection.close()

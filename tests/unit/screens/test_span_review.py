"""Which spans a review begins with, and how one of them is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.screens.review.spans import SpanReview
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.filters import trace_condition
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.store.traces.listing import TraceOrder
from tests.conftest import open_store
from tests.unit.annotated import feedback
from tests.unit.stores import execute, writer

RUN = "run-1"


def span(trace: int, number: int, parent: int | None = None, **more: object) -> SpanRow:
    return SpanRow(
        trace_id=f"{trace:032x}",
        span_id=f"{number:016x}",
        parent_span_id=None if parent is None else f"{parent:016x}",
        name=f"call {number}",
        end_ns=10_000 * trace + number + 100,
        **{"start_ns": 10_000 * trace + number, **more},  # type: ignore[arg-type]  # as asked
    )


SPANS = [
    span(1, 13, 11),
    span(1, 12, 11, attributes={"note": "pending_span"}),
    span(1, 11),
    span(1, 14, 11, attributes={"logfire.span_type": "pending_span"}),
    span(2, 22, start_ns=25_000),
    span(2, 21),
    span(3, 31, 99),
    span(4, 41),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with writer(tmp_path) as made:
        made.start_run(RUN, "first")
        with made.experiment(RUN) as experiment:
            experiment.spans(SPANS)
    with closing(open_store(tmp_path)) as store:
        yield store


def target(trace: int, number: int) -> SpanTarget:
    return SpanTarget(f"{trace:032x}", f"{number:016x}")


def titles(source: SpanReview) -> list[str]:
    read = [source.read(item) for item in source.items()]
    return [one.title for one in read if one is not None]


def of_trace(store: Store, search: str = "", user: str = "ana") -> SpanReview:
    return SpanReview.of_trace(store.run(RUN), f"{1:032x}", search, user)


def test_a_trace_gives_its_spans_by_start_without_placeholders(store: Store) -> None:
    assert titles(of_trace(store)) == ["call 11", "call 12", "call 13"]
    assert titles(of_trace(store, "slowest")) == ["call 11", "call 12", "call 13"]


def test_a_search_leaves_what_it_finds(store: Store) -> None:
    assert titles(of_trace(store, "call 12")) == ["call 12"]
    assert titles(of_trace(store, "/call 1[13]/")) == ["call 11", "call 13"]


def test_only_what_the_author_annotated_is_left_out(store: Store) -> None:
    annotating.add(store.run(RUN).database, target(1, 11), feedback(user="ana"))
    annotating.add(store.run(RUN).database, target(1, 12), feedback(user="sam"))
    assert titles(of_trace(store)) == ["call 12", "call 13"]
    assert titles(of_trace(store, user="sam")) == ["call 11", "call 13"]


def test_a_store_without_annotations_leaves_everything(store: Store) -> None:
    execute(store.run(RUN).database.path, "drop table span_annotations")
    assert titles(of_trace(store)) == ["call 11", "call 12", "call 13"]
    assert len(SpanReview.of_list(store.run(RUN), None, TraceOrder(), "ana").items()) == 3


@pytest.mark.parametrize("descending", [False, True])
def test_a_list_gives_the_earliest_root_of_each_trace_in_its_order(
    store: Store, descending: bool
) -> None:
    source = SpanReview.of_list(store.run(RUN), None, TraceOrder(descending=descending), "ana")
    expected = ["call 11", "call 21", "call 41"]
    assert titles(source) == (expected[::-1] if descending else expected)


def test_a_list_gives_what_its_filter_leaves(store: Store) -> None:
    annotating.add(store.run(RUN).database, target(4, 41), feedback())
    condition = trace_condition("span_count = 2 or span_count = 1")
    assert titles(SpanReview.of_list(store.run(RUN), condition, TraceOrder(), "ana")) == ["call 21"]


def test_a_span_that_is_gone_is_none(store: Store) -> None:
    source = of_trace(store)
    first, *_ = source.items()
    execute(store.run(RUN).database.path, f"delete from spans where rowid = {first}")
    assert source.read(first) is None


def test_names_in_use_are_asked_for_by_author(store: Store) -> None:
    annotating.add(store.run(RUN).database, target(1, 11), feedback(name="mine", user="ana"))
    annotating.add(store.run(RUN).database, target(1, 11), feedback(name="theirs", user="sam"))
    assert [one.name for one in store.run(RUN).ask(annotation_rows.names, "ana")] == ["mine"]
    assert {one.name for one in store.run(RUN).ask(annotation_rows.names)} == {"mine", "theirs"}

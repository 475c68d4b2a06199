"""The list of traces: what each is, and the orders that it comes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.genai import Usage
from flowtui.store.schema import LinkRow, SpanAnnotationRow, SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces.listing import SORTABLE, TraceOrder
from flowtui.store.traces.values import Trace, TraceState
from tests.unit.stores import execute, opened, writer

RUN = "run-1"


def row(trace: str, span: str, start: int, end: int, parent: str | None, **more: Any) -> SpanRow:
    return SpanRow(
        trace_id=trace,
        span_id=span,
        name=more.pop("name", f"{trace}{span}"),
        start_ns=start,
        end_ns=end,
        parent_span_id=parent,
        **more,
    )


def tokens(count: int) -> dict[str, object]:
    return {"gen_ai.usage.input_tokens": count}


ROWS = (
    # Children before parents, as spans are written when they end.
    row("b", "2", 20, 30, "1", status_code=2, attributes=tokens(5)),
    row("a", "2", 110, 120, "1", status_code=1),
    row("b", "3", 21, 29, "1", attributes=tokens(6)),
    row("b", "1", 10, 90, None, status_code=1, attributes=tokens(11), name="Beta"),
    row("a", "1", 100, 150, "0" * 16, status_code=2, name="alpha"),
    row("c", "2", 50, 60, "1", status_code=1, attributes=tokens(3), name="gamma"),
    row("d", "1", 40, 41, "", name="delta"),
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Four traces: a failed, b is ok with a failed child, c has no root, d set no status."""
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.spans(ROWS)
            experiment.links(
                LinkRow(dataset_id="set", eval_id=id_, trace_id=trace)
                for id_, trace in (("1", "c"), ("2", "c"), ("2", "c"), ("3", "a"))
            )
            experiment.span_annotations(
                SpanAnnotationRow(
                    trace_id="b", span_id=span, name="n", kind="feedback", value=True, user="ana"
                )
                for span in ("1", "1", "3")
            )
    return tmp_path


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with opened(directory) as store:
        yield store


def found(directory: Path, rows: Iterable[SpanRow]) -> dict[str, Trace]:
    """Writes spans into a new store and gives its traces by id."""
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.spans(rows)
    with opened(directory) as opened_store:
        traces = opened_store.run(RUN).ask(
            trace_rows.at, opened_store.run(RUN).ask(trace_rows.ordered)
        )
    return {trace.trace_id: trace for trace in traces.values()}


def listed(store: Store, order: TraceOrder = trace_rows.LATEST_FIRST) -> str:
    keys = store.run(RUN).ask(trace_rows.ordered, None, order)
    traces = store.run(RUN).ask(trace_rows.at, keys)
    return "".join(traces[key].trace_id for key in keys)


def test_a_trace_is_what_its_spans_add_up_to(store: Store) -> None:
    traces = {
        trace.trace_id: trace for trace in store.run(RUN).ask(trace_rows.at, range(100)).values()
    }
    assert traces["b"] == Trace(
        trace_id="b",
        root_name="Beta",
        state=TraceState.OK,
        start_ns=10,
        end_ns=90,
        span_count=3,
        error_count=1,
        usage=Usage(input_tokens=11),
        sample_count=0,
        annotation_count=3,
    )
    assert traces["c"].root_name == "gamma"
    assert {id_: trace.state for id_, trace in traces.items()} == {
        "a": TraceState.ERROR,
        "b": TraceState.OK,
        "c": TraceState.IN_PROGRESS,
        "d": TraceState.UNSET,
    }
    assert {id_: trace.sample_count for id_, trace in traces.items()} == {
        "a": 1,
        "b": 0,
        "c": 2,
        "d": 0,
    }
    assert traces["a"].duration_ns == 50
    assert traces["d"].usage is None


@pytest.mark.parametrize(
    ("column", "ascending", "descending"),
    [
        ("start", "bdca", "acdb"),
        ("name", "abdc", "cdba"),
        ("state", "dbac", "cabd"),
        ("duration", "dcab", "bacd"),
        ("spans", "cdab", "bacd"),
        ("errors", "cdab", "abcd"),
        ("tokens", "cbad", "bcad"),
        ("samples", "dbac", "cadb"),
        ("annotations", "acdb", "bacd"),
    ],
)
def test_traces_are_sorted_by_any_column_and_by_start_among_equals(
    store: Store, column: str, ascending: str, descending: str
) -> None:
    assert listed(store, TraceOrder(column, descending=False)) == ascending
    assert listed(store, TraceOrder(column)) == descending


def test_the_newest_trace_comes_first_unless_another_order_is_given(store: Store) -> None:
    assert listed(store) == listed(store, TraceOrder("start"))


def test_the_key_of_a_trace_stays_when_it_grows(directory: Path, store: Store) -> None:
    before = list(store.run(RUN).ask(trace_rows.ordered))
    with writer(directory) as writing, writing.experiment(RUN) as experiment:
        experiment.spans([row("c", "1", 45, 70, None, status_code=1, name="root")])
    assert list(store.run(RUN).ask(trace_rows.ordered, None, TraceOrder("start"))) == before
    grown = store.run(RUN).ask(trace_rows.at, before)[before[1]]
    assert (grown.trace_id, grown.root_name, grown.state) == ("c", "root", TraceState.OK)


def test_keys_that_are_gone_are_left_out(store: Store) -> None:
    assert store.run(RUN).ask(trace_rows.at, [10_000]) == {}


def test_of_several_roots_the_worst_and_the_earliest_count(tmp_path: Path) -> None:
    traces = found(
        tmp_path,
        [
            row("t", "1", 5, 6, None, status_code=1, name="second"),
            row("t", "2", 1, 2, None, status_code=2, name="first"),
        ],
    )
    assert (traces["t"].state, traces["t"].root_name) == (TraceState.ERROR, "first")


def test_a_root_without_a_status_is_a_root(tmp_path: Path) -> None:
    found(tmp_path, [row("t", "1", 1, 2, None)])
    execute(tmp_path / RUN / "exp.db", "update spans set status_code = null")
    with opened(tmp_path) as store:
        (trace,) = (
            store.run(RUN).ask(trace_rows.at, store.run(RUN).ask(trace_rows.ordered)).values()
        )
    assert trace.state is TraceState.UNSET


def test_usage_counts_the_lowest_spans_through_those_without(tmp_path: Path) -> None:
    traces = found(
        tmp_path,
        [
            row("t", "3", 1, 2, "2", attributes=tokens(4)),
            row("t", "2", 1, 2, "1"),
            row("t", "1", 1, 2, None, attributes=tokens(4)),
            row("u", "1", 1, 2, "1", attributes=tokens(9)),
        ],
    )
    assert traces["t"].usage == Usage(input_tokens=4)
    assert traces["u"].usage == Usage(input_tokens=9)


def test_a_root_whose_name_is_a_template_has_the_title_that_it_became(tmp_path: Path) -> None:
    said = {"logfire.msg": "job 3", "logfire.msg_template": "job {x}"}
    traces = found(tmp_path, [row("t", "1", 1, 2, None, name="job {x}", attributes=said)])
    assert traces["t"].root_name == "job 3"


def test_a_call_that_two_instrumentations_reported_is_counted_once(tmp_path: Path) -> None:
    def call(scope: str) -> dict[str, object]:
        return {**tokens(4), "gen_ai.response.id": "r", "otel.scope": {"name": scope}}

    traces = found(
        tmp_path,
        [
            row("t", "2", 11, 19, "1", attributes=call("one")),
            row("t", "3", 12, 18, "1", attributes=call("another")),
            row("t", "1", 10, 20, None),
        ],
    )
    assert traces["t"].usage == Usage(input_tokens=4)


def test_broken_attributes_and_times_do_not_fail_the_list(directory: Path) -> None:
    path = directory / RUN / "exp.db"
    execute(path, "update spans set attributes = 'gen_ai.usage.{' where trace_id = 'b'")
    execute(path, "update spans set start_time_unix_nano = 'soon' where trace_id = 'a'")
    with opened(directory) as store:
        assert sorted(listed(store, TraceOrder("tokens"))) == list("abcd")
        traces = {
            trace.trace_id: trace
            for trace in store.run(RUN).ask(trace_rows.at, range(100)).values()
        }
    assert traces["b"].usage is None
    assert traces["a"].start_ns is None


def test_stores_without_bridge_and_annotation_tables_are_listed(directory: Path) -> None:
    path = directory / RUN / "exp.db"
    execute(path, "drop table span_annotations")
    execute(path, "drop table eval_traces_bridge")
    with opened(directory) as store:
        assert listed(store, TraceOrder("annotations")) == "acdb"
        assert listed(store, TraceOrder("samples")) == "acdb"
        counts = {
            (trace.sample_count, trace.annotation_count)
            for trace in store.run(RUN)
            .ask(trace_rows.at, store.run(RUN).ask(trace_rows.ordered))
            .values()
        }
    assert counts == {(0, 0)}


def test_a_run_without_a_table_of_spans_has_no_traces(directory: Path) -> None:
    path = directory / RUN / "exp.db"
    execute(path, "drop table span_annotations")
    execute(path, "drop table spans")
    with opened(directory) as store:
        assert list(store.run(RUN).ask(trace_rows.ordered)) == []
        assert store.run(RUN).ask(trace_rows.at, [1]) == {}


@pytest.mark.parametrize("column", SORTABLE)
def test_a_read_of_the_list_can_be_left(store: Store, column: str) -> None:
    with cancelling(lambda: True):
        with pytest.raises(ReadCancelled):
            store.run(RUN).ask(trace_rows.ordered, None, TraceOrder(column))
        with pytest.raises(ReadCancelled):
            store.run(RUN).ask(trace_rows.at, [1])

"""Spans whose times are none: no start, no end, neither, the wrong way round, out of the world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowtui import format as fmt
from flowtui.reports import otlp_json
from flowtui.reports import traces as trace_report
from flowtui.reports.trace_list import print_traces
from flowtui.reports.trace_markdown import trace_markdown
from flowtui.screens.traces.columns import cells
from flowtui.screens.traces.reading import ReadTrace, read_trace
from flowtui.screens.traces.summary import summary
from flowtui.store import runs as run_rows
from flowtui.store.filters import span_condition, trace_condition
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import details as span_details
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces import search as span_search
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.listing import SORTABLE, TraceOrder
from flowtui.store.traces.times import FAR_FUTURE_NS
from flowtui.store.traces.tree import span_tree
from flowtui.store.traces.values import Trace
from flowtui.widgets.documents.blocks import copied
from flowtui.widgets.documents.span_sections import span_sections
from flowtui.widgets.lists.virtual_table import Column
from flowtui.widgets.trees.span_row import TreeView, span_row, widths
from flowtui.widgets.trees.waterfall import whole_window
from tests.unit.stores import execute, opened, writer

RUN, TRACE = "run-1", "a" * 32
NOW = 1_764_000_000_000_000_000
S = 1_000_000_000
Times = tuple[Any, Any]


def store_with(directory: Path, times: dict[str, list[Times]]) -> Path:
    """Make a store whose traces have spans with these times: a root, then its children."""
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.spans(
                SpanRow(
                    trace_id=trace,
                    span_id=f"s{at}",
                    name=f"span {at}",
                    start_ns=NOW,
                    end_ns=NOW,
                    parent_span_id=None if at == 0 else "s0",
                )
                for trace, all_times in times.items()
                for at in range(len(all_times))
            )
    path = directory / RUN / "exp.db"
    # The SDK's own table refuses NULL; a table that somebody else made does not.
    execute(path, "alter table spans rename to strict_spans")
    execute(path, "create table spans as select * from strict_spans")
    for trace, all_times in times.items():
        for at, (start, end) in enumerate(all_times):
            execute(
                path,
                "update spans set start_time_unix_nano = ?, end_time_unix_nano = ?"
                " where trace_id = ? and span_id = ?",
                [(start, end, trace, f"s{at}")],
            )
    return directory


def known(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < FAR_FUTURE_NS else None


def expected(times: list[Times]) -> tuple[int | None, int | None]:
    """Return first start and duration of a trace, in plain Python."""
    begun = [(known(start), known(end)) for start, end in times if known(start) is not None]
    first = min((start for start, _ in begun if start is not None), default=None)
    if first is None or not any(end is not None and end >= (start or 0) for start, end in begun):
        return first, None
    return first, max(max(start or 0, end or 0) for start, end in begun) - first


def listed(store: Store) -> dict[str, Trace]:
    keys = store.run(RUN).ask(trace_rows.ordered)
    return {trace.trace_id: trace for trace in store.run(RUN).ask(trace_rows.at, keys).values()}


ODD = st.sampled_from(
    [0, None, -1, -(2**63), 1, NOW, NOW + 5 * S, NOW + 9 * S, FAR_FUTURE_NS, 2**63 - 1, "soon"]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.tuples(ODD, ODD), min_size=1, max_size=4), min_size=1, max_size=4))
@example([[(0, 0)], [(0, 0), (0, 0)], [(NOW, 0)], [(0, NOW)], [(NOW + S, NOW)]])
def test_list_and_tree_agree_with_plain_python(
    tmp_path_factory: pytest.TempPathFactory, traces: list[list[Times]]
) -> None:
    named = {f"{at:032x}": times for at, times in enumerate(traces)}
    with opened(store_with(tmp_path_factory.mktemp("times"), named)) as store:
        found = listed(store)
        for trace_id, times in named.items():
            start, duration = expected(times)
            one, tree = found[trace_id], span_tree(store.run(RUN).ask(span_rows.spans, trace_id))
            assert (one.start_ns, one.duration_ns) == (start, duration)
            assert (tree.start_ns, tree.duration_ns) == (start, duration)


KINDS: dict[str, list[Times]] = {
    "good": [(NOW, NOW + 3 * S), (NOW + S, NOW + 2 * S)],
    "root0": [(0, NOW + 3 * S), (NOW + S, NOW + 2 * S)],
    "open": [(NOW, 0), (NOW + S, NOW + 2 * S)],
    "none": [(0, 0), (None, None)],
    "back": [(NOW + S, NOW)],
    "far": [(NOW, 2**63 - 1), (NOW, NOW + S)],
}


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with opened(store_with(tmp_path, KINDS)) as store:
        yield store


def read(store: Store, trace_id: str) -> ReadTrace:
    return read_trace(store.run(RUN), trace_id, None)


def rows(store: Store, trace_id: str) -> list[str]:
    tree = read(store, trace_id).tree
    view = TreeView(tree, whole_window(tree))
    return [
        "".join(piece.text for piece in span_row(view, at, widths(100, True)))
        for at in range(len(tree))
    ]


def test_the_list_shows_no_time_where_there_is_none(store: Store) -> None:
    times = [Column("duration", "duration", 10), Column("start", "started", 19)]
    shown = {
        id_: [piece.text for piece in cells(trace, times)] for id_, trace in listed(store).items()
    }
    assert {id_: texts[0] for id_, texts in shown.items()} == {
        "good": "3.0 s", "root0": "1.0 s", "open": "2.0 s", "none": "no times",
        "back": "not ended", "far": "1.0 s",
    }  # fmt: skip
    assert shown["none"][1] == ""
    assert not any("1970" in text or " d" in text for texts in shown.values() for text in texts)


@pytest.mark.parametrize("column", SORTABLE)
def test_what_has_no_time_comes_last_in_every_order_by_time(store: Store, column: str) -> None:
    shown = store.run(RUN).ask(trace_rows.at, store.run(RUN).ask(trace_rows.ordered))
    keys = {trace.trace_id: key for key, trace in shown.items()}
    for descending in (True, False):
        order = list(store.run(RUN).ask(trace_rows.ordered, None, TraceOrder(column, descending)))
        assert sorted(order) == sorted(keys.values())
        if column in ("start", "duration"):
            assert order[-1] == keys["none"]


def test_filters_leave_out_what_has_no_duration(store: Store) -> None:
    def fitting(text: str) -> set[str]:
        keys = store.run(RUN).ask(trace_rows.ordered, trace_condition(text))
        return {trace.trace_id for trace in store.run(RUN).ask(trace_rows.at, keys).values()}

    assert fitting("duration > 1d") == set()
    assert fitting("execution_time < 0s") == set()
    assert fitting("execution_time >= 2s") == {"good", "open"}
    assert fitting("execution_time IS NULL") == {"none", "back"}
    assert store.run(RUN).ask(span_search.matching, "far", span_condition("duration > 1s")) == set()
    assert (
        store.run(RUN).ask(span_search.matching, "root0", span_condition("duration > 1s")) == set()
    )


def test_a_row_says_why_it_has_no_bar(store: Store) -> None:
    no_start, child = rows(store, "root0")
    assert "no start" in no_start
    assert "▲" in no_start
    assert "█" not in no_start
    assert "█" in child
    assert "not ended" in rows(store, "open")[0]
    assert "▲" not in rows(store, "open")[0]
    assert all("no times" in row and "█" not in row for row in rows(store, "none"))
    assert "-1.0 s" in rows(store, "back")[0]
    assert all(" d " not in row for id_ in KINDS for row in rows(store, id_))


def head(store: Store, trace_id: str, span_id: str = "s0") -> str:
    detail = store.run(RUN).ask(span_details.detail, trace_id, span_id)
    assert detail is not None
    tree = read(store, trace_id).tree
    node = next(node for node in tree if node.id == span_id)
    return copied(span_sections(detail, node, tree.duration_ns)[0])


def test_the_detail_says_what_is_stored(store: Store) -> None:
    assert "no start is stored" in head(store, "root0")
    assert "9,223,372,036,854,775,807 ns is not a time" in head(store, "far")
    assert "▲" not in head(store, "open")
    assert "ends before it starts" in head(store, "back")
    assert not any("1970" in head(store, id_) or " d " in head(store, id_) for id_ in KINDS)


def test_the_totals_leave_it_out(store: Store) -> None:
    def line(id_: str) -> str:
        return "".join(piece.text for piece in summary(read(store, id_), "", 100))

    assert " 1.0 s · 2 spans" in line("root0")
    assert " no times · 2 spans" in line("none")
    assert " not ended · 1 span" in line("back")
    assert "1970" not in "".join(map(line, KINDS))


def test_a_script_gets_null_where_there_is_no_time(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run = store.ask(run_rows.run, RUN)
    assert run is not None
    print_traces(store.opened(run), style="json")
    documents = {one["trace_id"]: one for one in json.loads(capsys.readouterr().out)}
    none = documents["none"]
    assert [none[name] for name in ("started_at", "start_ns", "end_ns", "duration_ns")] == [
        None
    ] * 4
    assert documents["root0"]["duration_ns"] == S
    trace_report.print_trace(store.opened(run), "root0", as_json=True)
    (root,) = json.loads(capsys.readouterr().out)["spans"]
    assert (root["started_at"], root["start_ns"], root["duration_ns"]) == (None, 0, None)
    trace_report.print_trace(store.opened(run), "open")
    assert "not ended" in capsys.readouterr().out


def test_exports_keep_what_is_stored(store: Store) -> None:
    detail = store.run(RUN).ask(span_details.detail, "far", "s0")
    assert detail is not None
    document = otlp_json.span(detail)
    assert document["endTimeUnixNano"] == str(2**63 - 1)
    trace = listed(store)["none"]
    lines = list(trace_markdown(trace, read(store, "none").tree, (), lambda _: None))
    assert "- duration: no times" in lines
    assert "1970" not in "\n".join(lines)


@pytest.mark.parametrize("stored", [0, -1, 2**63 - 1])
def test_an_event_at_no_time_says_so(tmp_path: Path, stored: int) -> None:
    path = store_with(tmp_path, {TRACE: [(NOW, NOW + S)]}) / RUN / "exp.db"
    events = [{"name": "e", "timestamp": stored}, {"name": "f", "timestamp": NOW + S}]
    execute(path, "update spans set events = ?", [(json.dumps(events),)])
    with opened(tmp_path) as store:
        detail = store.run(RUN).ask(span_details.detail, TRACE, "s0")
    assert detail is not None
    section = next(one for one in span_sections(detail) if one.key == "events")
    assert [getattr(block, "note", None) for block in section.blocks] == ["at no time", "+1.0 s"]


def test_words_for_a_duration_that_is_not_known() -> None:
    assert fmt.took(None, None) == "no times"
    assert fmt.took(None, 5) == "no start"
    assert fmt.took(5, None) == "not ended"
    assert fmt.took(S, 3 * S) == "2.0 s"


def resource(**said: str) -> str:
    return json.dumps({"x": 1, "otel.resource": said})


@pytest.mark.parametrize(
    ("above", "below", "disagree"),
    [
        (resource(**{"host.name": "a"}), resource(**{"host.name": "b"}), True),
        (resource(**{"host.name": "a"}), resource(**{"host.name": "a"}), False),
        (resource(**{"service.instance.id": "1"}), '{"service.instance.id": "2"}', True),
        (resource(**{"service.name": "a"}), resource(**{"service.name": "b"}), False),
        ("{}", "{}", False),
        ('{"host.name": broken', resource(**{"host.name": "b"}), False),
    ],
)
def test_clocks_disagree_only_where_there_are_two(
    tmp_path: Path, above: str, below: str, disagree: bool
) -> None:
    store_with(tmp_path, {TRACE: [(NOW + S, NOW + 3 * S), (NOW, NOW + 4 * S)]})
    path = tmp_path / RUN / "exp.db"
    execute(
        path, "update spans set attributes = ? where span_id = ?", [(above, "s0"), (below, "s1")]
    )
    with opened(tmp_path) as store:
        tree = read(store, TRACE).tree
        child = next(node for node in tree if node.id == "s1")
        assert child.do_clocks_disagree is disagree
        detail = store.run(RUN).ask(span_details.detail, TRACE, "s1")
        assert detail is not None
        text = copied(span_sections(detail, child, None, frozenset(), tree[0].span)[0])
    assert ("clocks disagree" in text) is disagree
    assert "begins before its parent" in text
    assert "outlives its parent" in text

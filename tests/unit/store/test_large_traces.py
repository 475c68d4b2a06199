"""What a trace of any size costs: bytes a span, and nothing twice of a trace that grows."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flowtui.screens.traces import reading
from flowtui.screens.traces.reading import ReadTrace, read_trace
from flowtui.screens.traces.span_reading import ReadSpan
from flowtui.store.attachments.values import Attachments
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.genai import Usage
from flowtui.store.schema import SpanAnnotationRow, SpanRow
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.columns import Spans
from flowtui.store.traces.tree import span_tree
from flowtui.widgets.trees.waterfall import bar, whole_window
from tests.unit.span_columns import columns, tree_of
from tests.unit.store import test_span_tree
from tests.unit.store.test_spans import RUN, TRACE, span, written
from tests.unit.stores import execute, opened, writer

COUNT = 2_000
BYTES_A_SPAN = 500


def rows(count: int) -> list[SpanRow]:
    chat = {"gen_ai.operation.name": "chat"}
    return [
        span(
            f"{at:016x}",
            at + 1,
            at + 9,
            name=f"span {at}",
            parent_span_id=f"{at // 3:016x}" if at else None,
            attributes={**chat, "gen_ai.usage.input_tokens": 1_000 + at} if at % 2 else {},
        )
        for at in range(count)
    ]


def added(directory: Path, more: list[SpanRow]) -> None:
    with writer(directory) as store, store.experiment(RUN) as experiment:
        experiment.spans(more)


def read(directory: Path, known: Spans | None = None) -> tuple[Spans, int]:
    """Return the spans, and how many hundreds of steps SQLite took for them."""
    steps = 0

    def one_more() -> bool:
        nonlocal steps
        steps += 1
        return False

    with opened(directory) as store:

        def question(db: sqlite3.Connection) -> Spans:
            db.set_progress_handler(one_more, 100)
            return span_rows.told(db, span_rows.skeleton(db, TRACE, known))

        return store.run(RUN).ask(question), steps


def test_a_span_takes_few_bytes(tmp_path: Path) -> None:
    written(tmp_path, rows(COUNT))
    with opened(tmp_path) as store:
        read_trace(store.run(RUN), TRACE, None)
        tracemalloc.start()
        trace = read_trace(store.run(RUN), TRACE, None)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(trace.tree) == COUNT
    # Textual has one of all that a worker is given, at every step of the cursor.
    assert len(repr(trace)) < 1_000
    assert held < COUNT * BYTES_A_SPAN


def test_what_is_large_and_given_to_a_worker_has_a_short_repr() -> None:
    large = Attachments((), (), "x" * 10_000)
    shown = ReadSpan(tree_of([test_span_tree.span("s")])[0], (), {"text": "x" * 10_000})
    assert max(len(repr(large)), len(repr(shown))) < 200


def test_of_a_trace_that_has_grown_only_what_is_new_is_read(tmp_path: Path) -> None:
    written(tmp_path, rows(COUNT))
    known, all_steps = read(tmp_path)
    added(tmp_path, [span("before all", 0, 3), span("x", 50, 60, parent_span_id="before all")])
    grown, steps = read(tmp_path, known)
    assert len(grown) == COUNT + 2
    assert list(grown) == list(read(tmp_path)[0])
    assert steps < all_steps / 2


@pytest.mark.parametrize(
    "change",
    [
        "delete from spans where span_id = '0000000000000003'",
        "insert or replace into spans select * from spans where span_id = '0000000000000003'",
        "update spans set name = 'other', attributes = '{}' where rowid = 9",
        "delete from spans",
    ],
)
def test_what_is_replaced_or_gone_is_not_kept(tmp_path: Path, change: str) -> None:
    """The ninth is the last; when it is written again, it may get the rowid that it had."""
    path = written(tmp_path, rows(9))
    known, _ = read(tmp_path)
    execute(path, change)
    assert list(read(tmp_path, known)[0]) == list(read(tmp_path)[0])


def test_a_trace_that_is_written_rests_and_shows_its_annotations_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, rows(9))
    now_s = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    with opened(tmp_path) as store:
        first = replace(read_trace(store.run(RUN), TRACE, None), took_s=1.0)
        added(tmp_path, [span("new", 20)])
        note = SpanAnnotationRow(
            trace_id=TRACE, span_id="new", name="good", kind="feedback", value=True, user="ana"
        )
        again = replace(note, span_id=f"{0:016x}")
        with writer(tmp_path) as other, other.experiment(RUN) as experiment:
            experiment.span_annotations([note, again])
        now_s = 3.9
        resting = read_trace(store.run(RUN), TRACE, first, may_rest=True)
        assert (len(resting.tree), resting.tree.annotation_count) == (9, 1)
        now_s = 4.1
        grown = read_trace(store.run(RUN), TRACE, resting, may_rest=True)
        assert (len(grown.tree), grown.tree.annotation_count) == (10, 2)


def read_large(
    directory: Path, monkeypatch: pytest.MonkeyPatch, show: Callable[[ReadTrace], object]
) -> ReadTrace:
    monkeypatch.setattr(reading, "LARGE_SPANS", 2)
    with opened(directory) as store:
        return read_trace(store.run(RUN), TRACE, None, show)


def test_a_large_trace_shows_before_its_attributes_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = {"gen_ai.usage.input_tokens": 12}
    written(tmp_path, [span("s", 3, 8, attributes=used), span("t", 4, 9, parent_span_id="s")])
    shown: list[ReadTrace] = []
    whole = read_large(tmp_path, monkeypatch, shown.append)
    (first,) = shown
    assert first.tree.spans.said is None
    assert first.tree.usage is None
    assert [node.id for node in first.tree] == [node.id for node in whole.tree] == ["s", "t"]
    assert whole.tree.usage == Usage(input_tokens=12)
    assert whole.tree.layout is first.tree.layout


def test_a_placeholder_comes_to_its_place_when_it_is_known_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"logfire.span_type": "pending_span", "logfire.pending_parent_id": "root"}
    announces = span("p", 3, 3, parent_span_id="agent", attributes=said)
    written(tmp_path, [span("root", 1, 9), announces, span("chat", 4, parent_span_id="agent")])
    whole = read_large(tmp_path, monkeypatch, lambda _: None)
    assert [(node.id, node.depth) for node in whole.tree] == [
        ("root", 0),
        ("agent", 1),
        ("chat", 2),
    ]


def test_a_tree_can_be_left_at_any_time_while_it_is_made() -> None:
    spans = columns([test_span_tree.span("a"), test_span_tree.span("b", "a")])
    asked = 0

    def never() -> bool:
        nonlocal asked
        asked += 1
        return False

    with cancelling(never):
        span_tree(spans)
    assert asked >= 7
    for count in range(asked):
        answers = iter([False] * count + [True])
        with cancelling(lambda answers=answers: next(answers)), pytest.raises(ReadCancelled):
            span_tree(spans)


def test_the_bar_of_a_wide_span_is_not_worked_out_at_each_drawing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    children = [test_span_tree.span(f"{at}", "r", 2 * at, 2 * at + 1) for at in range(1, 3_000)]
    tree = tree_of([test_span_tree.span("r", None, 1, 6_000), *children])
    window = whole_window(tree)
    first = bar(tree, 0, window, 60)
    asked: list[int] = []
    times = type(tree).times

    def counted(self: object, at: int) -> tuple[int, int] | None:
        asked.append(at)
        return times(tree, at)

    monkeypatch.setattr(type(tree), "times", counted)
    assert bar(tree, 0, window, 60) == first
    assert len(asked) == 1

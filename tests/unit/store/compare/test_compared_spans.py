"""What spans of each name add up to, and traces in pairs, against plain sums."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.annotations.values import SampleTarget
from flowtui.store.compare.aligning import aligned
from flowtui.store.compare.spans import span_changes, span_totals
from flowtui.store.compare.traces import (
    NamedTrace,
    differing_sides,
    named_traces,
    paired_traces,
)
from flowtui.store.genai import SpanKind
from flowtui.store.traces import listing
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.tree import span_tree
from tests.unit.compared import SECOND, Step, add_run, run_set
from tests.unit.stores import opened


def call(tokens: int, text: str = "hello", cost: float | None = None) -> dict[str, object]:
    found: dict[str, object] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": 1,
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": text}]),
    }
    return found if cost is None else {**found, "llm.cost.total": cost}


AGENT = [Step(0, "agent", 9.0, {"gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 2})]


def test_spans_of_a_name_are_counted_and_each_call_once(folder: Path) -> None:
    add_run(
        folder,
        "one",
        [
            [*AGENT, Step(1, "chat", 1.0, call(10)), Step(1, "chat", 3.0, call(20), status=2)],
            [Step(0, "chat", 2.0, call(5, cost=0.25))],
        ],
    )
    with opened(folder) as store:
        run = store.resolve("one")
        totals = run.ask(span_totals)
        listed = run.ask(listing.at, run.ask(listing.ordered))
    chat = totals["chat"]
    assert (chat.count, chat.error_count, chat.tokens, chat.cost) == (3, 1, 38, 0.25)
    assert (chat.percentile_ns(0.5), chat.percentile_ns(0.95)) == (2 * SECOND, 3 * SECOND)
    # The agent only repeats what its calls took.
    assert (totals["agent"].tokens, totals["agent"].count) == (None, 1)
    assert chat.kinds == {SpanKind.CHAT: 3}
    whole = sum(trace.usage.total or 0 for trace in listed.values() if trace.usage is not None)
    assert sum(one.tokens or 0 for one in totals.values()) == whole == 38


def test_names_with_the_largest_change_of_time_come_first(folder: Path) -> None:
    add_run(folder, "one", [[Step(0, "agent", 9.0), Step(1, "chat", 4.0), Step(1, "tool", 1.0)]])
    add_run(folder, "two", [[Step(0, "agent", 9.5), Step(1, "chat", 2.0), Step(1, "new", 0.2)]])
    with opened(folder) as store:
        first, second = (store.resolve(name).ask(span_totals) for name in ("one", "two"))
    changes = span_changes(first, second)
    assert [change.name for change in changes] == ["chat", "tool", "agent", "new"]
    assert [change.only_in_one for change in changes] == [False, True, False, True]
    assert changes[0].total_ns_change == -2 * SECOND


def named(rowid: int, name: str, sample: str = "") -> NamedTrace:
    target = SampleTarget("faq", sample) if sample else None
    return NamedTrace(rowid, f"t{rowid}", name, target)


def test_traces_are_paired_by_their_sample_then_by_name_and_order() -> None:
    one = [named(1, "agent", "q1"), named(2, "agent", "q2"), named(3, "cron"), named(4, "cron")]
    other = [named(7, "agent", "q2"), named(8, "cron"), named(9, "bot", "q1"), named(10, "x")]
    pairs = paired_traces(one, other)
    keys = [
        (pair.baseline and pair.baseline.rowid, pair.candidate and pair.candidate.rowid)
        for pair in pairs
    ]
    assert keys == [(1, 9), (2, 7), (3, 8), (4, None), (None, 10)]
    assert [pair.sample and pair.sample.eval_id for pair in pairs] == ["q1", "q2", None, None, None]


NAMED = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["", "q1", "q2", "q3"])), max_size=9
)


@given(NAMED, NAMED)
def test_no_trace_is_lost_or_paired_twice_and_none_with_another_sample_of_both(
    first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    one = [named(number, *of) for number, of in enumerate(first)]
    other = [named(100 + number, *of) for number, of in enumerate(second)]
    pairs = paired_traces(one, other)
    assert [pair.baseline for pair in pairs if pair.baseline] == one
    found = [pair.candidate for pair in pairs if pair.candidate]
    assert sorted(found, key=lambda of: of.rowid) == other
    for pair in pairs:
        if pair.baseline and pair.candidate and pair.baseline.sample != pair.candidate.sample:
            assert None in (pair.baseline.sample, pair.candidate.sample)


def test_spans_differ_on_the_sides_on_which_they_say_something_else(folder: Path) -> None:
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    for name, limit, text in (("one", 5, "hello"), ("two", 1, "hello")):
        arguments = {**tool, "gen_ai.tool.call.arguments": f'{{"limit": {limit}}}'}
        steps = [
            Step(0, "agent"),
            Step(1, "chat", 1, call(5, text)),
            Step(1, "search", 1, arguments),
        ]
        add_run(folder, name, [steps], {1: "q1"})
    with opened(folder) as store:
        one, two = run_set(store, "one", "two").runs
        traces = [run.run.ask(named_traces) for run in (one, two)]
        assert traces[0][0].sample == SampleTarget("faq", "q1")
        trees = aligned(
            *(span_tree(run.run.ask(span_rows.spans, f"{1:032x}")) for run in (one, two))
        )
        assert differing_sides(one.run, two.run, trees, range(3)) == {2: ("arguments",)}

"""Token totals by the lowest spans that carry usage, against hand-made sums."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.genai import Usage
from flowtui.store.traces import roll_up
from flowtui.store.traces.layout import laid_out


class SpanUsage(NamedTuple):
    span_id: str
    parent_id: str | None
    usage: Usage | None


class RolledUp(NamedTuple):
    """What a trace took, and by id what its spans took with all below them."""

    total: Usage | None
    by_span: dict[str, Usage]


def rolled_up(given: Iterable[SpanUsage]) -> RolledUp:
    spans = list(given)
    ids, parent_ids = [one.span_id for one in spans], [one.parent_id for one in spans]
    own = {row: one.usage for row, one in enumerate(spans) if one.usage is not None}
    layout = laid_out(ids, parent_ids, [0] * len(ids))
    places = {at: own[row] for at, row in enumerate(layout.rows) if row in own}
    found = roll_up.rolled_up(layout.parents, places)
    return RolledUp(
        roll_up.taken(ids, parent_ids, own),
        {layout.ids[at]: usage for at, usage in found.items()},
    )


def span(span_id: str, parent: str | None = None, tokens: int | None = None) -> SpanUsage:
    return SpanUsage(span_id, parent, None if tokens is None else Usage(tokens, 0))


def totals(rolled: RolledUp) -> dict[str, int | None]:
    return {span_id: usage.total for span_id, usage in rolled.by_span.items()}


def total(rolled: RolledUp) -> int | None:
    return rolled.total.total if rolled.total is not None else None


def test_a_parent_that_repeats_its_children_is_not_counted() -> None:
    rolled = rolled_up(
        [
            span("agent", None, 300),
            span("chain", "agent", 300),
            span("chat 1", "chain", 100),
            span("tool", "chain"),
            span("chat 2", "chain", 200),
        ]
    )
    assert total(rolled) == 300
    assert totals(rolled) == {"agent": 300, "chain": 300, "chat 1": 100, "chat 2": 200}


def test_usage_counts_where_nothing_below_carries_any() -> None:
    rolled = rolled_up(
        [
            span("root", None, 999),
            span("left", "root", 40),
            span("left tool", "left"),
            span("right", "root", 77),
            span("right chat", "right", 5),
        ]
    )
    assert total(rolled) == 45
    assert totals(rolled)["left"] == 40
    assert totals(rolled)["right"] == 5


def test_a_wrapper_that_agrees_with_nobody_still_yields_to_its_calls() -> None:
    assert total(rolled_up([span("agent", None, 1_000), span("chat", "agent", 10)])) == 10


def test_children_may_come_before_their_parents_and_orphans_count_as_roots() -> None:
    rolled = rolled_up(
        [span("chat", "agent", 10), span("lost", "nobody", 7), span("agent", None, 10)]
    )
    assert total(rolled) == 17


def test_zeros_below_do_not_hide_what_the_parent_says() -> None:
    rolled = rolled_up([span("chat", None, 120), span("stream", "chat", 0)])
    assert total(rolled) == 120
    assert totals(rolled)["stream"] == 0


def test_zeros_alone_are_zero_and_no_usage_is_none() -> None:
    assert total(rolled_up([span("a", None, 0), span("b", "a", 0)])) == 0
    assert rolled_up([span("a"), span("b", "a")]) == RolledUp(None, {})
    assert rolled_up([]) == RolledUp(None, {})


def test_the_cost_of_a_parent_counts_when_only_it_has_one() -> None:
    rolled = rolled_up(
        [
            SpanUsage("agent", None, Usage(30, 6, cost=0.5)),
            SpanUsage("chat 1", "agent", Usage(10, 2)),
            SpanUsage("chat 2", "agent", Usage(20, 4)),
        ]
    )
    assert rolled.total == Usage(30, 6, cost=0.5)


def test_the_cost_of_children_wins_over_the_parents() -> None:
    rolled = rolled_up(
        [
            SpanUsage("agent", None, Usage(30, 6, cost=9.0)),
            SpanUsage("chat", "agent", Usage(10, 2, cost=0.25)),
        ]
    )
    assert rolled.total == Usage(10, 2, cost=0.25)


def test_cached_and_reasoning_tokens_are_summed_apart() -> None:
    rolled = rolled_up(
        [
            SpanUsage("agent", None, Usage(99, 99, 99, 99, 99)),
            SpanUsage("chat 1", "agent", Usage(10, 4, 8, None, 3)),
            SpanUsage("chat 2", "agent", Usage(20, 6, 2, 5, None)),
        ]
    )
    assert rolled.total == Usage(30, 10, 10, 5, 3)
    assert rolled.total.total == 40


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    rolled = rolled_up([span("self", "self", 3), span("child", "self", 2)])
    assert total(rolled) == 2


def test_a_ring_is_cut_at_its_first_span_and_counted_once() -> None:
    # a is below b, b below c, c below a: cut above a, the order from the bottom is b, c, a.
    rolled = rolled_up(
        [
            span("a", "b", 1),
            span("b", "c", 2),
            span("c", "a", 4),
            span("leaf", "c", 8),
            span("apart", None, 16),
        ]
    )
    assert total(rolled) == 26
    assert totals(rolled) == {"leaf": 8, "b": 2, "c": 10, "a": 10, "apart": 16}


def test_a_chain_of_thirty_thousand_spans_is_rolled_up() -> None:
    spans = [span(str(n), str(n - 1) if n else None, 5) for n in range(30_000)]
    assert total(rolled_up(spans)) == 5
    assert total(rolled_up(reversed(spans))) == 5


@pytest.mark.slow
def test_two_hundred_thousand_spans_are_rolled_up() -> None:
    spans = [span("root", None, 1)]
    spans += [span(f"{n}", "root" if n < 450 else f"{n % 450}", 1) for n in range(200_000)]
    assert total(rolled_up(spans)) == 200_000 - 450


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.none() | st.integers(0, 14), st.none() | st.integers(0, 9)
        ),
        max_size=16,
        unique_by=lambda item: item[0],
    )
)
def test_any_shape_is_answered_and_its_total_is_that_of_its_roots(shape: list) -> None:
    spans = [span(str(i), None if p is None else str(p), t) for i, p, t in shape]
    rolled = rolled_up(spans)
    carrying = [item.usage.total for item in spans if item.usage is not None]
    assert (rolled.total is None) == (not carrying)
    assert (total(rolled) or 0) <= sum(carrying)
    assert all(item.span_id in rolled.by_span for item in spans if item.usage is not None)

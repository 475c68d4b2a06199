"""The tree of a trace: every span has one place, whatever the parents and the clocks say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.genai import SpanKind, Usage
from flowtui.store.traces.tree import (
    Node,
    SpanTree,
    ancestors,
    annotated,
    folded_to,
    visible,
)
from flowtui.store.traces.values import Span
from tests.unit.span_columns import tree_of


def span(span_id: str, parent: str | None = None, start: int = 1, end: int = 10) -> Span:
    return Span(
        trace_id="trace",
        span_id=span_id,
        parent_id=parent,
        name=span_id,
        kind=0,
        span_type=0,
        genai_kind=SpanKind.OTHER,
        start_ns=start,
        end_ns=end,
        status_code=0,
        usage=None,
        annotation_count=0,
        is_pending=False,
        pending_parent_id=None,
    )


def pending(span_id: str, announced: str, parent: str | None, start: int = 1) -> Span:
    placeholder = span(span_id, announced, start, start)
    return placeholder._replace(is_pending=True, pending_parent_id=parent)


def ids(tree: SpanTree) -> list[str]:
    return [node.id for node in tree]


def node(tree: SpanTree, id_: str) -> Node:
    return next(node for node in tree if node.id == id_)


def own_ns(tree: SpanTree, id_: str) -> int:
    at = tree.place_of(id_)
    assert at is not None
    return tree.own_ns(at)


def critical(tree: SpanTree) -> set[str]:
    return {node.id for node in tree if node.is_critical}


IDS = st.sampled_from("abcdefgh")
SPANS = st.lists(
    st.builds(span, IDS, st.none() | IDS, st.integers(0, 30), st.integers(0, 30)), max_size=14
)


@given(SPANS)
def test_every_span_is_there_once_and_after_its_parent(spans: list[Span]) -> None:
    tree = tree_of(spans)
    assert sorted((node.span for node in tree if node.span), key=repr) == sorted(spans, key=repr)
    assert tree.span_count == len(spans)
    for at, here in enumerate(tree):
        assert (here.parent is None) == (at in tree.roots) == (here.depth == 0)
        if here.parent is not None:
            above = tree[here.parent]
            assert here.parent < at
            assert at in tree.children(here.parent)
            assert here.depth == above.depth + 1
            assert here.span is not None
            assert here.span.parent_id == above.id
        below = list(tree)[at : at + here.descendant_count + 1]
        assert list(ancestors(tree, at)) == [
            index for index in range(at) if index < at <= index + tree[index].descendant_count
        ]
        times = [each.span for each in below if each.span is not None and each.span.start_ns > 0]
        assert here.start_ns == min((each.start_ns for each in times), default=None)
        assert here.end_ns == max((max(each.start_ns, each.end_ns) for each in times), default=None)
        assert 0 <= tree.own_ns(at) <= (here.end_ns or 0) - (here.start_ns or 0)


@given(SPANS)
def test_a_root_has_no_parent_or_is_missing_or_is_where_a_ring_was_cut(spans: list[Span]) -> None:
    tree = tree_of(spans)
    known = {each.span_id for each in spans}
    missing = [each.id for each in tree if each.span is None]
    assert sorted(missing) == sorted({s.parent_id for s in spans if s.parent_id} - known)
    for root in (tree[at] for at in tree.roots):
        parent = root.span.parent_id if root.span is not None else None
        assert root.is_cycle == (parent is not None)
    assert not any(each.is_cycle for each in tree if each.depth)


@given(SPANS, st.sets(st.integers(0, 20)))
def test_a_node_shows_when_none_above_it_is_folded(spans: list[Span], wanted: set[int]) -> None:
    tree = tree_of(spans)
    folded = {at for at in wanted if at < len(tree)}
    assert list(visible(tree, folded)) == [
        at for at in range(len(tree)) if not any(above in folded for above in ancestors(tree, at))
    ]


@given(SPANS, st.integers(0, 5))
def test_folding_to_a_level_shows_what_is_not_deeper(spans: list[Span], level: int) -> None:
    tree = tree_of(spans)
    shown = visible(tree, folded_to(tree, level))
    assert list(shown) == [at for at, each in enumerate(tree) if each.depth <= level]


def test_children_and_roots_come_by_start_then_id() -> None:
    spans = [span("z", "r", 2), span("b", "r", 3), span("a", "r", 3), span("r"), span("q", None, 9)]
    assert ids(tree_of(spans)) == ["r", "z", "a", "b", "q"]


def test_nothing_is_a_tree_too() -> None:
    tree = tree_of([])
    assert (list(tree), tree.roots, tree.usage) == ([], (), None)
    assert (tree.start_ns, tree.end_ns, tree.duration_ns) == (None, None, None)
    assert list(visible(tree, set())) == []


def test_orphans_of_one_parent_share_a_node_that_has_no_span() -> None:
    tree = tree_of(
        [span("r", None, 2, 9), span("b", "gone", 5, 8), span("a", "gone", 3, 6), span("c", "lost")]
    )
    assert ids(tree) == ["lost", "c", "r", "gone", "a", "b"]
    gone = node(tree, "gone")
    assert (gone.span, gone.start_ns, gone.end_ns) == (None, 3, 8)
    assert (own_ns(tree, "gone"), gone.descendant_count, tree.span_count) == (0, 2, 4)
    assert not any(each.do_clocks_disagree for each in tree)


def test_a_ring_is_cut_at_its_earliest_span() -> None:
    tree = tree_of([span("a", "c", 5), span("b", "a", 2), span("c", "b", 7), span("tail", "c", 1)])
    assert ids(tree) == ["b", "c", "tail", "a"]
    assert [each.id for each in tree if each.is_cycle] == ["b"]


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    tree = tree_of([span("a", "a"), span("b", "a", 1)])
    assert [(each.id, each.depth, each.is_cycle) for each in tree] == [
        ("a", 0, True),
        ("b", 1, False),
    ]


def test_spans_with_one_id_keep_a_row_each_and_the_earliest_has_the_children() -> None:
    tree = tree_of([span("a", None, 4), span("a", None, 1), span("b", "a", 5)])
    assert [(each.id, each.start_ns) for each in tree] == [("a", 1), ("b", 5), ("a", 4)]


def test_a_placeholder_stands_where_its_span_will_be() -> None:
    tree = tree_of([span("r"), pending("p", "agent", "r", 2), span("chat", "agent", 3, 7)])
    assert [(each.id, each.depth) for each in tree] == [("r", 0), ("agent", 1), ("chat", 2)]
    agent = node(tree, "agent")
    assert agent.span is not None
    assert agent.span.span_id == "p"
    assert (agent.start_ns, agent.end_ns, own_ns(tree, "agent")) == (2, 7, 0)
    assert not node(tree, "chat").do_clocks_disagree


def test_a_placeholder_goes_when_its_span_comes() -> None:
    agent = span("agent", "r", 2, 8)
    tree = tree_of([span("r"), pending("p", "agent", "r", 2), span("chat", "agent", 3), agent])
    assert ids(tree) == ["r", "agent", "chat"]
    assert node(tree, "agent").span == agent
    assert tree.span_count == 3


def test_own_time_is_what_no_child_covers() -> None:
    spans = [
        span("r", None, 100, 200),
        span("before", "r", 90, 110),
        span("one", "r", 120, 150),
        span("within one", "r", 125, 130),
        span("overlaps one", "r", 140, 160),
        span("after", "r", 190, 230),
        span("deeper", "one", 120, 145),
    ]
    tree = tree_of(spans)
    # Left of 100 to 200: 110 to 120 and 160 to 190.
    assert own_ns(tree, "r") == 40
    assert own_ns(tree, "one") == 5
    assert own_ns(tree, "deeper") == 25


def test_the_critical_path_goes_back_through_what_ended_last() -> None:
    spans = [
        span("early root", None, 1, 50),
        span("r", None, 1, 100),
        span("last", "r", 60, 90),
        span("beside last", "r", 50, 80),
        span("before last", "r", 20, 55),
        span("short", "r", 5, 20),
        span("in last", "last", 65, 85),
        span("in last, beside", "last", 66, 84),
    ]
    assert critical(tree_of(spans)) == {"r", "last", "in last", "before last", "short"}


def test_on_the_critical_path_a_child_ends_with_its_parent_at_the_latest() -> None:
    spans = [
        span("r", None, 10, 100),
        span("goes on", "r", 80, 300),
        span("starts too late", "r", 150, 400),
        span("was over before", "r", 1, 5),
        span("first", "r", 10, 80),
    ]
    assert critical(tree_of(spans)) == {"r", "goes on", "first"}


HERE, THERE = {"host.name": "here", "service.instance.id": "1"}, {"host.name": "there"}


@pytest.mark.parametrize(
    ("start", "end", "above", "below", "disagree"),
    [
        (9, 15, HERE, THERE, True),
        (9, 15, HERE, {"service.instance.id": "2"}, True),
        (10, 20, HERE, THERE, False),
        (15, 21, HERE, THERE, False),
        (9, 15, HERE, {"host.name": "here"}, False),
        (9, 15, HERE, {"host.id": "4"}, False),
        (9, 15, HERE, None, False),
        (9, 15, None, THERE, False),
        (0, 15, HERE, THERE, False),
    ],
)
def test_clocks_disagree_where_a_child_begins_before_its_parent_in_another_process(
    start: int,
    end: int,
    above: dict[str, str] | None,
    below: dict[str, str] | None,
    disagree: bool,
) -> None:
    root = span("r", None, 10, 20)._replace(process=above)
    tree = tree_of([root, span("c", "r", start, end)._replace(process=below)])
    assert node(tree, "c").do_clocks_disagree is disagree
    assert not node(tree, "r").do_clocks_disagree


def test_errors_annotations_and_usage_add_up() -> None:
    tree = tree_of(
        [
            span("r")._replace(usage=Usage(30, 0), annotation_count=1),
            span("a", "r", 1)._replace(usage=Usage(10, 0), status_code=2, annotation_count=2),
            span("b", "r", 2)._replace(usage=Usage(20, 0)),
            span("c", "gone", 3)._replace(status_code=2),
            span("plain", "b", 4),
        ]
    )
    root = node(tree, "r")
    assert (root.error_count, root.annotation_count, tree.error_count) == (1, 3, 2)
    assert (node(tree, "gone").error_count, node(tree, "b").error_count) == (1, 0)
    assert {tree[at].id: taken for at, taken in tree.usages.items()} == {
        "r": Usage(30, 0),
        "a": Usage(10, 0),
        "b": Usage(20, 0),
    }
    assert tree.usage == Usage(30, 0)


@pytest.mark.parametrize("first_parent", [None, "29999"])
def test_a_chain_as_long_as_a_trace_has_a_tree(first_parent: str | None) -> None:
    count = 30_000
    spans = [
        span(str(at), str(at - 1) if at else first_parent, at + 1, 2 * count - at)
        for at in range(count)
    ]
    tree = tree_of(spans)
    assert tree[-1].depth == count - 1
    assert tree[0].is_cycle == (first_parent is not None)
    assert len(ancestors(tree, count - 1)) == count - 1
    assert len(visible(tree, folded_to(tree, 200))) == 201


@given(SPANS, st.dictionaries(IDS, st.integers(1, 3)))
def test_new_annotations_give_the_tree_that_reading_it_again_would(
    spans: list[Span], counts: dict[str, int]
) -> None:
    again = [each._replace(annotation_count=counts.get(each.span_id, 0)) for each in spans]
    assert list(annotated(tree_of(spans), counts)) == list(tree_of(again))

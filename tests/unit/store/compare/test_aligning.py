"""Two traces side by side, and where they part first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.compare.aligning import ABSENT, AlignedTrees, aligned, first_parting
from flowtui.store.genai import SpanKind
from flowtui.store.traces.tree import SpanTree
from flowtui.store.traces.values import Span
from tests.unit.span_columns import tree_of


def tree(*names: tuple[int, str]) -> SpanTree:
    """Return a trace of spans, given with their levels in the order in which they are shown."""
    spans: list[Span] = []
    above: list[str] = []
    for number, (level, name) in enumerate(names):
        id_ = f"{number:016x}"
        del above[level:]
        parent = above[-1] if above else None
        start = 1_000 + number
        spans.append(
            Span(
                "t",
                id_,
                parent,
                name,
                0,
                0,
                SpanKind.OTHER,
                start,
                start + 1,
                1,
                None,
                0,
                False,
                None,
            )
        )
        above.append(id_)
    return tree_of(spans)


def shown(trees: AlignedTrees) -> list[tuple[int, str, str]]:
    """Return level, name and which of the two has it, by row."""
    marks = {(True, True): "both", (True, False): "A", (False, True): "B"}
    return [
        (
            trees.depths[row],
            trees.name(row),
            marks[trees.ones[row] != ABSENT, trees.others[row] != ABSENT],
        )
        for row in range(len(trees))
    ]


def test_what_only_one_has_stands_where_it_is_in_its_trace() -> None:
    one = tree((0, "agent"), (1, "chat"), (1, "tool"), (1, "chat"))
    other = tree((0, "agent"), (1, "retrieve"), (2, "embed"), (1, "chat"), (1, "chat"))
    assert shown(aligned(one, other)) == [
        (0, "agent", "both"),
        (1, "retrieve", "B"),
        (2, "embed", "B"),
        (1, "chat", "both"),
        (1, "tool", "A"),
        (1, "chat", "both"),
    ]


def test_roots_with_other_names_are_not_a_pair() -> None:
    assert shown(aligned(tree((0, "a"), (1, "x")), tree((0, "b"), (1, "x")))) == [
        (0, "a", "A"), (1, "x", "A"), (0, "b", "B"), (1, "x", "B"),
    ]  # fmt: skip


NAMES = st.lists(st.sampled_from("abcd"), max_size=12)
LEVELLED = st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abc")), max_size=25)


def levelled(given: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return names whose levels rise by at most one."""
    found: list[tuple[int, str]] = []
    for level, name in given:
        found.append((min(level, found[-1][0] + 1 if found else 0), name))
    return found


@given(LEVELLED, LEVELLED)
def test_each_span_of_both_has_one_row_and_pairs_have_one_name(
    first: list[tuple[int, str]], second: list[tuple[int, str]]
) -> None:
    one, other = tree(*levelled(first)), tree(*levelled(second))
    trees = aligned(one, other)
    assert sorted(at for at in trees.ones if at != ABSENT) == list(range(len(one)))
    assert sorted(at for at in trees.others if at != ABSENT) == list(range(len(other)))
    for row in range(len(trees)):
        if trees.is_in_both(row):
            a, b = one[trees.ones[row]], other[trees.others[row]]
            assert a.span is not None
            assert b.span is not None
            assert (a.span.name, a.depth) == (b.span.name, b.depth)
        below = trees.below[row]
        deeper = [trees.depths[after] > trees.depths[row] for after in range(row + 1, len(trees))]
        assert all(deeper[:below])
        assert not any(deeper[below : below + 1])


@given(LEVELLED)
def test_a_trace_beside_itself_has_only_pairs(given: list[tuple[int, str]]) -> None:
    trees = aligned(tree(*levelled(given)), tree(*levelled(given)))
    assert trees.shared_count == len(trees) == len(given)
    assert first_parting(trees, {}) is None


def test_of_very_many_children_those_of_one_name_are_paired_in_order() -> None:
    many = [(1, f"n{number % 7}") for number in range(1_000)]
    trees = aligned(tree((0, "root"), *many), tree((0, "root"), *many[:-1]))
    assert trees.shared_count == 1_000
    assert trees.others[len(trees) - 1] == ABSENT


CALLS = ((0, "agent"), (1, "chat"), (1, "tool"), (1, "chat"))


def test_traces_part_where_a_span_is_given_something_else() -> None:
    trees = aligned(tree(*CALLS), tree(*CALLS))
    sides = {0: ("output",), 2: ("arguments", "result"), 3: ("input", "output")}
    assert first_parting(trees, sides) == 2


def test_what_a_span_makes_counts_when_it_ends() -> None:
    trees = aligned(tree(*CALLS), tree(*CALLS))
    assert first_parting(trees, {0: ("output",), 1: ("output",), 2: ("arguments",)}) == 1
    assert first_parting(trees, {0: ("output",)}) == 0
    assert first_parting(trees, {0: ("input", "output"), 1: ("input",)}) == 0


def test_a_span_that_only_one_has_is_where_they_part() -> None:
    trees = aligned(tree(*CALLS), tree(*CALLS[:2], *CALLS[3:]))
    assert first_parting(trees, {0: ("output",)}) == 2

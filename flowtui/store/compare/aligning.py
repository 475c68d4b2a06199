"""Two trees of spans side by side: which span of one stands where one of the other does."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from flowtui.store.cancelling import check
from flowtui.store.compare.span_content import GIVEN
from flowtui.store.traces.tree import SpanTree

ABSENT = -1
"""Stands for a node that one of the trees does not have."""
WIDE = 400
"""With more children in both than this, order is not searched: the search is quadratic."""
_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AlignedTrees:
    """The nodes of two trees in one order, each parent right before its first child."""

    baseline: SpanTree
    candidate: SpanTree
    ones: array[int]
    """By row: the index of the baseline's node, `ABSENT` for none."""
    others: array[int]
    """By row: the index of the candidate's node, `ABSENT` for none."""
    depths: array[int]
    below: array[int]
    """By row: how many of the following rows are below it."""

    def __len__(self) -> int:
        return len(self.ones)

    def name(self, row: int) -> str:
        """Return the name of the span in a row."""
        at, other = self.ones[row], self.others[row]
        return _name(self.baseline, at) if at != ABSENT else _name(self.candidate, other)

    def is_in_both(self, row: int) -> bool:
        return ABSENT not in (self.ones[row], self.others[row])

    @property
    def shared_count(self) -> int:
        """How many rows both have."""
        return sum(map(self.is_in_both, range(len(self))))


def aligned(baseline: SpanTree, candidate: SpanTree) -> AlignedTrees:
    """Return two trees side by side, level by level, by the names and the order of children.

    Children of a pair are paired where the order of their names agrees; what one has more stands
    where it is in its tree. Of very many children those of one name are paired in their order.

    Raises:
        ReadCancelled: Nobody waits any more.
    """
    ones, others, depths = array("q"), array("q"), array("q")
    waiting: list[tuple[int, int, int]] = []

    def push(pairs: Sequence[_Pair], depth: int) -> None:
        waiting.extend((one, other, depth) for one, other in reversed(pairs))

    push(_paired(baseline, baseline.roots, candidate, candidate.roots), 0)
    while waiting:
        one, other, depth = waiting.pop()
        if not len(ones) % 1_000:
            check()
        ones.append(one)
        others.append(other)
        depths.append(depth)
        first = tuple(baseline.children(one)) if one != ABSENT else ()
        second = tuple(candidate.children(other)) if other != ABSENT else ()
        push(_paired(baseline, first, candidate, second), depth + 1)
    return AlignedTrees(baseline, candidate, ones, others, depths, _below(depths))


def first_parting(trees: AlignedTrees, differing: Mapping[int, Sequence[str]]) -> int | None:
    """Return the row in which two traces part first, None if they do not.

    What a span is given counts when it begins and what it makes when it ends, since the answer of
    the outermost span differs last, though it stands in the first row.

    Args:
        trees: The two traces.
        differing: By row: on which sides two spans differ, as `span_content.differing` says.
    """
    ending: list[int] = []
    for row in range(len(trees)):
        while ending and trees.depths[ending[-1]] >= trees.depths[row]:
            if _is_any_made(differing.get(ending[-1], ())):
                return ending[-1]
            ending.pop()
        if not trees.is_in_both(row) or any(side in GIVEN for side in differing.get(row, ())):
            return row
        ending.append(row)
    return next((row for row in reversed(ending) if _is_any_made(differing.get(row, ()))), None)


def _is_any_made(sides: Sequence[str]) -> bool:
    return any(side not in GIVEN for side in sides)


def _paired(
    tree: SpanTree, children: Sequence[int], other_tree: SpanTree, others: Sequence[int]
) -> list[_Pair]:
    if not children or not others:
        return [*((at, ABSENT) for at in children), *((ABSENT, at) for at in others)]
    names = [_name(tree, at) for at in children]
    other_names = [_name(other_tree, at) for at in others]
    if max(len(names), len(other_names)) > WIDE:
        matches = _by_occurrence(names, other_names)
    else:
        blocks = SequenceMatcher(None, names, other_names, autojunk=False).get_matching_blocks()
        matches = [(a + n, b + n) for a, b, size in blocks for n in range(size)]
    return [
        (children[a] if a != ABSENT else ABSENT, others[b] if b != ABSENT else ABSENT)
        for a, b in _merged(matches, len(children), len(others))
    ]


def _by_occurrence(names: Sequence[str], others: Sequence[str]) -> list[_Pair]:
    """Pair each name with the next equal one that keeps the order."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, name in enumerate(others):
        places[name].append(place)
    pairs: list[_Pair] = []
    reached = -1
    for place, name in enumerate(names):
        queue = places[name]
        while queue and queue[0] <= reached:
            queue.popleft()
        if queue:
            reached = queue.popleft()
            pairs.append((place, reached))
    return pairs


def _merged(matches: Sequence[_Pair], count: int, other_count: int) -> Iterator[_Pair]:
    """Yield the matches in order, with what only one side has in between."""
    at = other_at = 0
    for one, other in (*matches, (count, other_count)):
        yield from ((place, ABSENT) for place in range(at, one))
        yield from ((ABSENT, place) for place in range(other_at, other))
        if one < count:
            yield one, other
        at, other_at = one + 1, other + 1


def _name(tree: SpanTree, at: int) -> str:
    """Return the stored name of a span; a missing parent has none."""
    row = tree.layout.rows[at]
    return "" if row < 0 else tree.spans.names[row]


def _below(depths: Sequence[int]) -> array[int]:
    below = array("q", bytes(8 * len(depths)))
    open_rows: list[int] = []
    for row, depth in enumerate(depths):
        while open_rows and depths[open_rows[-1]] >= depth:
            done = open_rows.pop()
            below[done] = row - done - 1
        open_rows.append(row)
    for done in open_rows:
        below[done] = len(depths) - done - 1
    return below

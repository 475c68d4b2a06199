"""The tree of one trace in the order in which its rows are shown, with what each row shows.

Whatever the parents are, every span has one place: cycles are cut, and orphans are gathered under a
node that stands for the missing parent. Times are Unix nanoseconds. Nothing here recurses: a chain
may be as long as a trace.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from flowtui.store.genai import Usage
from flowtui.store.traces.columns import Spans
from flowtui.store.traces.layout import NONE, Layout, laid_out, watched
from flowtui.store.traces.repeats import counted_once
from flowtui.store.traces.roll_up import rolled_up, summed
from flowtui.store.traces.times import FAR_FUTURE_NS, known, sortable
from flowtui.store.traces.values import Span

ERROR = 2
"""The status code of a span that failed."""
WIDE = 500
"""How many children a node needs for their times to be computed once and not at each drawing."""


class Node(NamedTuple):
    """One row of the tree; counts and times of a subtree include the node itself."""

    id: str
    """The id that children name as parent; a placeholder has that of the span it announces."""
    span: Span | None
    """None for a missing parent."""
    parent: int | None
    depth: int
    """0 for a root."""
    is_cycle: bool
    """Whether it is a root only because its parents lead back to it."""
    start_ns: int | None
    """The start of the subtree; None if no span of it has one."""
    end_ns: int | None
    """The end of the subtree, the last moment that is known of it; never before its start."""
    descendant_count: int
    """The subtree is the node and this many nodes after it."""
    error_count: int
    annotation_count: int
    is_critical: bool
    """Whether the trace would have ended earlier without it; see `span_tree`."""
    do_clocks_disagree: bool
    """Whether it begins before its parent, which ran in another process or on another host."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Some nodes, each with a number, which can be summed over any subtree."""

    places: array[int]
    """Rising."""
    totals: array[int]
    """Running totals of the numbers, beginning with zero."""

    @classmethod
    def of(cls, numbers: Mapping[int, int]) -> Marked:
        """Return the numbers of nodes, given by ascending index."""
        return cls(array("q", numbers), array("q", accumulate(numbers.values(), initial=0)))

    def sum(self, begin: int, end: int) -> int:
        """Return the sum over the nodes from one index up to another."""
        first, last = bisect_left(self.places, begin), bisect_left(self.places, end)
        return self.totals[last] - self.totals[first]


@dataclass(frozen=True, eq=False, repr=False)
class SpanTree:
    """The nodes of one trace in display order: each parent right before its first child.

    `tree[index]` is a node, made when it is asked for.
    """

    spans: Spans
    layout: Layout
    starts: array[int]
    """The starts of subtrees by index; `FAR_FUTURE_NS` for none."""
    ends: array[int]
    """The ends of subtrees by index; 0 for none."""
    errors: Marked
    annotations: Marked
    usages: dict[int, Usage]
    """The usage of nodes with everything below them, by index and the rule of `roll_up`."""
    critical: bytearray
    """By index, 1 for nodes on the critical path."""
    _covered: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """When the children of wide nodes ran, by index."""

    def __len__(self) -> int:
        return len(self.layout.rows)

    def __iter__(self) -> Iterator[Node]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> Node:
        layout = self.layout
        at = range(len(self))[index]
        row, parent = layout.rows[at], layout.parents[at]
        start, end = self.starts[at], self.ends[at]
        return Node(
            layout.ids[at],
            None if row == NONE else self.spans[row],
            None if parent == NONE else parent,
            layout.depths[at],
            at in layout.cut,
            None if start == FAR_FUTURE_NS else start,
            end or None,
            layout.below[at],
            self.error_count_of(at),
            self.annotations.sum(at, self._behind(at)),
            bool(self.critical[at]),
            self._do_clocks_disagree(at),
        )

    @cached_property
    def roots(self) -> tuple[int, ...]:
        """The roots by start, then id."""
        return tuple(self._beside(0, len(self)))

    def children(self, at: int) -> Iterator[int]:
        """Yield the children of a node, by start, then id."""
        return self._beside(at + 1, self._behind(at))

    def _beside(self, at: int, end: int) -> Iterator[int]:
        below = self.layout.below
        while at < end:
            yield at
            at += below[at] + 1

    def error_count_of(self, at: int) -> int:
        """Return how many spans of a subtree failed."""
        return self.errors.sum(at, self._behind(at))

    def _behind(self, at: int) -> int:
        return at + self.layout.below[at] + 1

    def place_of(self, node_id: str) -> int | None:
        """Return the index of the first node with an id."""
        ids = self.layout.ids
        return ids.index(node_id) if node_id in ids else None

    def places_of(self, node_ids: AbstractSet[str]) -> list[int]:
        """Return the indices of the nodes with these ids."""
        ids = self.layout.ids
        return [at for at, id_ in enumerate(ids) if id_ in node_ids] if node_ids else []

    # What the whole of it adds up to ---------------------------------------------------------

    @cached_property
    def span_count(self) -> int:
        """How many nodes are spans, and not missing parents."""
        return len(self) - self.layout.rows.count(NONE)

    @property
    def error_count(self) -> int:
        return self.errors.totals[-1]

    @property
    def annotation_count(self) -> int:
        return self.annotations.totals[-1]

    @property
    def unread_count(self) -> int:
        """How many spans are left out of `usage`, since their attributes are too long to parse."""
        return 0 if self.spans.said is None else len(self.spans.said.unread)

    @cached_property
    def start_ns(self) -> int | None:
        """The first start; None if no span has one."""
        start = min((self.starts[root] for root in self.roots), default=FAR_FUTURE_NS)
        return None if start == FAR_FUTURE_NS else start

    @cached_property
    def end_ns(self) -> int | None:
        """The last moment that is known; None if no span has a start."""
        return max((self.ends[root] for root in self.roots), default=0) or None

    @cached_property
    def duration_ns(self) -> int | None:
        """From the first start to the last moment; None if no span has a start and an end."""
        start, end = self.start_ns, self.end_ns
        if start is None or end is None or not any(map(self._has_run, range(len(self)))):
            return None
        return end - start

    def _has_run(self, at: int) -> bool:
        row = self.layout.rows[at]
        if row == NONE:
            return False
        begun, ended = self._begun(row), self._ended(row)
        return begun is not None and ended is not None and begun <= ended

    # When nodes ran --------------------------------------------------------------------------

    def _begun(self, row: int) -> int | None:
        return known(self.spans.starts[row])

    def _ended(self, row: int) -> int | None:
        return None if self.spans.is_placeholder(row) else known(self.spans.ends[row])

    def times(self, at: int) -> tuple[int, int] | None:
        """Return start and end of a span, or of its subtree if it has not ended or is missing.

        It is None for a span without a start, which is not part of the waterfall.
        """
        row = self.layout.rows[at]
        if row != NONE:
            begun, ended = self._begun(row), self._ended(row)
            if begun is None:
                return None
            if ended is not None:
                return begun, max(begun, ended)
        return None if self.starts[at] == FAR_FUTURE_NS else (self.starts[at], self.ends[at])

    def covered(self, at: int) -> list[tuple[int, int]]:
        """Return when any of the children of a node ran, in order and without overlaps."""
        if at in self._covered:
            return self._covered[at]
        found: list[tuple[int, int]] = []
        count = 0
        for child in self.children(at):
            count += 1
            times = self.times(child)
            if times is None:
                continue
            if found and times[0] <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], times[1])
            else:
                found.append(times)
        if count >= WIDE:
            self._covered[at] = found
        return found

    def own_ns(self, at: int) -> int:
        """Return how long a span ran without its children; 0 if it has no start or no end."""
        row, times = self.layout.rows[at], self.times(at)
        if row == NONE or times is None or self._ended(row) is None:
            return 0
        start, end = times
        covered = (min(end, last) - max(start, first) for first, last in self.covered(at))
        return end - start - sum(ns for ns in covered if ns > 0)

    def _do_clocks_disagree(self, at: int) -> bool:
        row, parent = self.layout.rows[at], self.layout.parents[at]
        above = NONE if parent == NONE else self.layout.rows[parent]
        if NONE in (row, above) or (said := self.spans.said) is None:
            return False
        rowids = self.spans.rowids
        here, there = said.processes.get(rowids[row]), said.processes.get(rowids[above])
        begun, before = self._begun(row), self._begun(above)
        if here is None or there is None or begun is None or before is None or begun >= before:
            return False
        return any(there.get(name, value) != value for name, value in here.items())

    @cached_property
    def usage(self) -> Usage | None:
        """The usage of the trace; None if no span reports any."""
        return summed(self.roots, self.usages)


def span_tree(spans: Spans) -> SpanTree:
    """Return the tree of the spans of one trace, whatever their parents are.

    - Of several spans with one id the earliest has the children.
    - A cycle of parents is cut at its earliest span, which becomes a root.
    - A placeholder takes the place of the span that it announces until that one is written.
    - The critical path starts at the end of the root that ends last, and goes back through the
      child that ended last before the moment, then on from that child's start. A child counts
      as ending with its parent where it ends later.
    - A span without a start is left out of all times, and one that has not ended, or ends before
      it starts, counts up to its start.

    Raises:
        ReadCancelled: Nobody waits any more.
    """
    layout = _laid_out(spans)
    starts, ends = _times(spans, layout)
    statuses = spans.statuses
    failed = [at for at, row in enumerate(layout.rows) if row != NONE and statuses[row] == ERROR]
    tree = SpanTree(
        spans,
        layout,
        starts,
        ends,
        errors=Marked.of(dict.fromkeys(failed, 1)),
        annotations=_annotations(spans, layout),
        usages=_usages(spans, layout),
        critical=bytearray(len(starts)),
    )
    for at in _critical(tree):
        tree.critical[at] = 1
    # Roots are drawn first, and may have as many children as there are spans.
    for root in tree.roots:
        if layout.below[root] >= WIDE:
            tree.covered(root)
    return tree


def no_spans() -> SpanTree:
    """Return the tree of no trace."""
    return span_tree(Spans.none(""))


def with_said(tree: SpanTree, spans: Spans) -> SpanTree:
    """Return the tree of the same spans when their attributes have been read."""
    # Only spans that turn out to be placeholders get another place.
    if spans.said is not None and spans.said.placeholders:
        return span_tree(spans)
    return replace(tree, spans=spans, usages=_usages(spans, tree.layout))


def annotated(tree: SpanTree, counts: Mapping[str, int]) -> SpanTree:
    """Return a tree with these numbers of annotations, by span id, in place of the old ones.

    Otherwise it is the same tree, so it need not be read and laid out again.
    """
    if counts == tree.spans.notes:
        return tree
    spans = replace(tree.spans, notes=counts)
    return replace(tree, spans=spans, annotations=_annotations(spans, tree.layout))


def visible(
    tree: SpanTree, folded: AbstractSet[int], begin: int = 0, end: int | None = None
) -> array[int]:
    """Return the indices of the nodes that have no folded node above them, in display order.

    Args:
        tree: The tree of one trace.
        folded: The nodes whose children are hidden.
        begin: The first node to look at.
        end: The node after the last one to look at.
    """
    below = tree.layout.below
    end = len(tree) if end is None else end
    shown = array("q")
    at = begin
    for fold in sorted(fold for fold in folded if begin <= fold < end):
        if fold >= at:
            shown.extend(range(at, fold + 1))
            at = fold + below[fold] + 1
    shown.extend(range(at, end))
    return shown


def folded_to(tree: SpanTree, level: int) -> set[int]:
    """Return the nodes to fold so that nothing deeper than `level` shows; 0 leaves the roots.

    Hidden nodes are folded too, so that unfolding a node shows one level more.
    """
    columns = zip(tree.layout.depths, tree.layout.below, strict=True)
    return {at for at, (depth, below) in enumerate(columns) if below and depth >= level}


def ancestors(tree: SpanTree, index: int) -> tuple[int, ...]:
    """Return the indices of the nodes above a node, its root first."""
    above: list[int] = []
    parent = tree.layout.parents[index]
    while parent != NONE:
        above.append(parent)
        parent = tree.layout.parents[parent]
    return tuple(reversed(above))


def _laid_out(spans: Spans) -> Layout:
    starts = [sortable(start) for start in spans.starts]
    placeholders = {} if spans.said is None else spans.said.placeholders
    if not placeholders:
        return laid_out(spans.ids, spans.parent_ids, starts)
    rows = range(len(spans))
    ended = {id_ for row, id_ in enumerate(spans.ids) if not spans.is_placeholder(row)}
    entries: list[tuple[int, str, int, str | None]] = []
    for row in rows:
        id_, parent_id = spans.ids[row], spans.parent_ids[row]
        if spans.is_placeholder(row):
            id_, parent_id = parent_id or id_, placeholders[spans.rowids[row]]
            if id_ in ended:
                continue
        entries.append((starts[row], id_, row, parent_id))
    entries.sort(key=lambda entry: entry[:3])
    firsts, ids, entered, parent_ids = zip(*entries, strict=True) if entries else ((), (), (), ())
    layout = laid_out(ids, parent_ids, firsts)
    return replace(
        layout, rows=array("q", (NONE if row == NONE else entered[row] for row in layout.rows))
    )


def _times(spans: Spans, layout: Layout) -> tuple[array[int], array[int]]:
    """Return first start and last end of each subtree."""
    parents = layout.parents
    starts = array("q", [FAR_FUTURE_NS]) * len(parents)
    ends = array("q", [0]) * len(parents)
    for at in watched(range(len(parents) - 1, -1, -1)):
        row = layout.rows[at]
        # Written without calls, since this is done 200,000 times before a large trace shows.
        if row != NONE and 0 < (begun := spans.starts[row]) < FAR_FUTURE_NS:
            starts[at] = min(starts[at], begun)
            ended = spans.ends[row]
            has_ended = begun < ended < FAR_FUTURE_NS and not spans.is_placeholder(row)
            ends[at] = max(ends[at], ended if has_ended else begun)
        parent = parents[at]
        if parent != NONE:
            if starts[at] < starts[parent]:
                starts[parent] = starts[at]
            if ends[at] > ends[parent]:
                ends[parent] = ends[at]
    return starts, ends


def _usages(spans: Spans, layout: Layout) -> dict[int, Usage]:
    if spans.said is None:
        return {}
    usages, rowids = spans.said.usages, spans.rowids
    own = {
        at: usages[rowids[row]]
        for at, row in enumerate(layout.rows)
        if row != NONE and rowids[row] in usages
    }
    if not own:
        return {}
    rows = layout.rows
    once = counted_once(own, lambda at: (spans.starts[rows[at]], spans.ends[rows[at]]))
    return rolled_up(layout.parents, once)


def _annotations(spans: Spans, layout: Layout) -> Marked:
    notes, ids = spans.notes, spans.ids
    if not notes:
        return Marked.of({})
    found = {
        at: notes[ids[row]]
        for at, row in enumerate(layout.rows)
        if row != NONE and ids[row] in notes
    }
    return Marked.of(found)


def _critical(tree: SpanTree) -> Iterator[int]:
    """Yield the nodes on the critical path; of those that end together, the first to start."""

    def ran(at: int) -> tuple[int, int]:
        return tree.times(at) or (tree.starts[at], tree.ends[at])

    def last_first(at: int) -> tuple[int, int]:
        start, end = ran(at)
        return -end, start

    if not tree.roots:
        return
    last = min(tree.roots, key=last_first)
    stack = [(last, ran(last)[1])] if ran(last)[1] else []
    for _ in watched(range(len(tree))):
        if not stack:
            return
        at, end = stack.pop()
        yield at
        moment, start = end, ran(at)[0]
        for child in sorted(tree.children(at), key=last_first):
            child_start, child_end = ran(child)
            stop = min(child_end, end)
            if start <= stop <= moment and child_start <= end:
                stack.append((child, stop))
                moment = child_start

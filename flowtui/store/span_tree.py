"""The tree of one trace, in the order in which its rows are shown, with what each row says.

Whatever the parents say, every span has one place: rings are cut, and orphans are gathered under
a node that stands for the parent that is not there. Times are Unix nanoseconds. Nothing here
recurses: a chain may be as long as a trace.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import NamedTuple

from flowtui.store.genai import Usage
from flowtui.store.roll_up import RolledUp, lowest
from flowtui.store.span_layout import NO_PARENT, Layout, entries_of, laid_out
from flowtui.store.trace_values import Span

ERROR = 2
"""The status code of a span that failed."""


class Node(NamedTuple):
    """One row of the tree; counts and times of a subtree include the node itself.

    A tuple, since 30,000 frozen dataclasses of this size take longer to make than all the rest.
    """

    id: str
    """What children name as their parent; a placeholder has the id of the span it announces."""
    span: Span | None
    """None for a parent that is not there."""
    missing_id: str | None
    """The id of a parent that is not there."""
    parent: int | None
    children: tuple[int, ...]
    """By start, then id."""
    depth: int
    """0 for a root."""
    is_cycle: bool
    """Whether it is a root only because its parents lead back to it."""
    start_ns: int
    end_ns: int
    """Of the subtree; never before its start."""
    own_ns: int
    """How long nothing right below it ran; 0 where there is no span that has ended."""
    descendant_count: int
    """The subtree is the node and that many nodes after it."""
    error_count: int
    annotation_count: int
    is_critical: bool
    """Whether the trace would have ended earlier without it; see `span_tree`."""
    is_outside: bool
    """Whether it starts before or ends after its parent, as where clocks disagree."""


@dataclass(frozen=True, slots=True)
class SpanTree:
    """The nodes of one trace in display order: each parent right before its first child."""

    nodes: tuple[Node, ...]
    roots: tuple[int, ...]
    """By start, then id."""
    span_count: int
    """Without parents that are not there."""
    error_count: int
    usage: Usage | None
    """By the rule of `roll_up`; None where no span carries any."""
    usage_by_id: Mapping[str, Usage]
    """Of a node with all below it, by `Node.id`."""

    @property
    def start_ns(self) -> int:
        """The first start; 0 where there are no spans."""
        return min((self.nodes[root].start_ns for root in self.roots), default=0)

    @property
    def end_ns(self) -> int:
        """The last end; 0 where there are no spans."""
        return max((self.nodes[root].end_ns for root in self.roots), default=0)


def span_tree(spans: Sequence[Span]) -> SpanTree:
    """Return the tree of the spans of one trace, whatever their parents say.

    - Of several spans with one id the earliest has the children.
    - A ring of parents is cut at its earliest span, which becomes a root.
    - A placeholder has the place of the span that it announces until that one is there.
    - The critical path starts at the end of the root that ends last, and goes back through the
      child that ended last before the moment, then on from that child's start. A child counts
      as ending with its parent where it ends later.
    """
    entries = entries_of(spans)
    layout = laid_out(entries)
    times = _times(layout)
    rolled = _rolled(layout)
    roots = tuple(at for at, parent in enumerate(layout.parents) if parent == NO_PARENT)
    return SpanTree(
        nodes=_nodes(layout, times, _critical(layout, times, roots)),
        roots=roots,
        span_count=len(entries),
        error_count=sum(times.errors[root] for root in roots),
        usage=rolled.total,
        usage_by_id=rolled.by_span,
    )


def annotated(tree: SpanTree, counts: Mapping[str, int]) -> SpanTree:
    """Return a tree whose spans have so many annotations, by span id, and no others.

    What is in all other respects the same tree need not be read and laid out again.
    """
    totals = [0 if node.span is None else counts.get(node.span.span_id, 0) for node in tree.nodes]
    owns = totals.copy()
    for at in range(len(totals) - 1, -1, -1):
        above = tree.nodes[at].parent
        if above is not None and totals[at]:
            totals[above] += totals[at]
    nodes = tuple(
        node
        if node.annotation_count == total
        and (node.span is None or node.span.annotation_count == own)
        else _annotated(node, own, total)
        for node, own, total in zip(tree.nodes, owns, totals, strict=True)
    )
    return replace(tree, nodes=nodes)


def _annotated(node: Node, own: int, total: int) -> Node:
    span = None if node.span is None else node.span._replace(annotation_count=own)
    return node._replace(span=span, annotation_count=total)


def visible(tree: SpanTree, folded: AbstractSet[str]) -> array[int]:
    """Return the indices of the nodes that have no folded ancestor, in display order.

    Args:
        tree: of one trace.
        folded: `Node.id` of the nodes whose children are hidden; others in it do not matter.
    """
    nodes = tree.nodes
    if not folded:
        return array("q", range(len(nodes)))
    shown = array("q")
    at, end = 0, len(nodes)
    while at < end:
        shown.append(at)
        node = nodes[at]
        # Spans that share an id share the fold; only the one with the children has any to hide.
        at += node.descendant_count + 1 if node.id in folded else 1
    return shown


def folded_to(tree: SpanTree, level: int) -> frozenset[str]:
    """Return what to fold so that nothing deeper than `level` shows; 0 leaves the roots.

    What is hidden is folded too, so that unfolding a node shows one level more.
    """
    return frozenset(node.id for node in tree.nodes if node.children and node.depth >= level)


def ancestors(tree: SpanTree, index: int) -> tuple[int, ...]:
    """Return the indices of the nodes above a node, its root first."""
    above: list[int] = []
    parent = tree.nodes[index].parent
    while parent is not None:
        above.append(parent)
        parent = tree.nodes[parent].parent
    return tuple(reversed(above))


@dataclass(frozen=True, slots=True)
class _Times:
    """Times and counts by node: `from_ns` and `to_ns` of itself, all others of its subtree."""

    from_ns: list[int]
    to_ns: list[int]
    """Where a node has not ended or has no span, the end of its subtree."""
    starts: list[int]
    ends: list[int]
    below: list[int]
    errors: list[int]
    annotations: list[int]


def _rolled(layout: Layout) -> RolledUp:
    """Roll up the usage of the nodes, from the last to the first; see `roll_up`."""
    below: dict[int, Usage] = {}
    by_id: dict[str, Usage] = {}
    total: Usage | None = None
    for at in range(len(layout.spans) - 1, -1, -1):
        span = layout.spans[at]
        own = None if span is None else span.usage
        if own is None and at not in below:
            continue
        taken = lowest(below.pop(at, None), own)
        assert taken is not None
        by_id[layout.ids[at]] = taken
        parent = layout.parents[at]
        if parent == NO_PARENT:
            total = taken if total is None else total + taken
        else:
            below[parent] = below[parent] + taken if parent in below else taken
    return RolledUp(total, by_id)


def _times(layout: Layout) -> _Times:
    spans = layout.spans
    # A parent that is not there has a child right after it, and takes its times to start with.
    known = [span or spans[at + 1] for at, span in enumerate(spans)]
    starts = [span.start_ns for span in known if span is not None]
    ends = [max(span.start_ns, span.end_ns) for span in known if span is not None]
    times = _Times(
        from_ns=starts.copy(),
        to_ns=ends.copy(),
        starts=starts,
        ends=ends,
        below=[0] * len(spans),
        errors=[int(span is not None and span.status_code == ERROR) for span in spans],
        annotations=[0 if span is None else span.annotation_count for span in spans],
    )
    _sum_up(layout.parents, times)
    for at, span in enumerate(spans):
        if span is None or span.is_pending:
            times.from_ns[at], times.to_ns[at] = starts[at], ends[at]
    return times


def _sum_up(parents: list[int], times: _Times) -> None:
    """Add what each node has to its parent, from the last node to the first."""
    starts, ends, below = times.starts, times.ends, times.below
    errors, annotations = times.errors, times.annotations
    for at in range(len(parents) - 1, -1, -1):
        parent = parents[at]
        if parent == NO_PARENT:
            continue
        below[parent] += below[at] + 1
        if errors[at]:
            errors[parent] += errors[at]
        if annotations[at]:
            annotations[parent] += annotations[at]
        if starts[at] < starts[parent]:
            starts[parent] = starts[at]
        if ends[at] > ends[parent]:
            ends[parent] = ends[at]


def _own_ns(layout: Layout, times: _Times) -> list[int]:
    """Return the own time of each node; one pass will do, as children come by start."""
    from_ns, to_ns = times.from_ns, times.to_ns
    own = [end - start for start, end in zip(from_ns, to_ns, strict=True)]
    covered_to = from_ns.copy()
    for at, parent in enumerate(layout.parents):
        if parent == NO_PARENT:
            continue
        start, end = from_ns[at], to_ns[at]
        if start < covered_to[parent]:
            start = covered_to[parent]
        if end > to_ns[parent]:
            end = to_ns[parent]
        if end > start:
            own[parent] -= end - start
            covered_to[parent] = end
    for at, span in enumerate(layout.spans):
        if span is None or span.is_pending:
            own[at] = 0
    return own


def _critical(layout: Layout, times: _Times, roots: tuple[int, ...]) -> set[int]:
    """Return the nodes on the critical path; of those that end at once, the earlier start."""
    if not roots:
        return set()
    from_ns, to_ns = times.from_ns, times.to_ns
    critical: set[int] = set()
    last = max(roots, key=lambda root: (to_ns[root], -from_ns[root]))
    stack = [(last, to_ns[last])]
    while stack:
        at, end = stack.pop()
        critical.add(at)
        moment = end
        for child in sorted(layout.children[at], key=lambda child: (-to_ns[child], from_ns[child])):
            stop = min(to_ns[child], end)
            if from_ns[at] <= stop <= moment and from_ns[child] <= end:
                stack.append((child, stop))
                moment = from_ns[child]
    return critical


def _nodes(layout: Layout, times: _Times, critical: set[int]) -> tuple[Node, ...]:
    spans, parents = layout.spans, layout.parents
    from_ns, to_ns = times.from_ns, times.to_ns
    columns = zip(
        layout.ids,
        spans,
        [id_ if span is None else None for id_, span in zip(layout.ids, spans, strict=True)],
        [None if parent == NO_PARENT else parent for parent in parents],
        layout.children,
        layout.depths,
        layout.are_cut,
        times.starts,
        times.ends,
        _own_ns(layout, times),
        times.below,
        times.errors,
        times.annotations,
        [at in critical for at in range(len(spans))],
        [
            parent != NO_PARENT and (from_ns[at] < from_ns[parent] or to_ns[at] > to_ns[parent])
            for at, parent in enumerate(parents)
        ],
        strict=True,
    )
    return tuple(map(Node._make, columns))

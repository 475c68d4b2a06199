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
from flowtui.store.traces.layout import NO_PARENT, TreeLayout, entries_of, laid_out
from flowtui.store.traces.roll_up import RolledUp, lowest
from flowtui.store.traces.times import FAR_FUTURE_NS
from flowtui.store.traces.values import Span

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
    start_ns: int | None
    """Of the subtree; None where no span of it has a start."""
    end_ns: int | None
    """Of the subtree, never before its start: the last moment that is known of it."""
    own_ns: int
    """How long nothing right below it ran; 0 where there is no span with a start and an end."""
    descendant_count: int
    """The subtree is the node and that many nodes after it."""
    error_count: int
    annotation_count: int
    is_critical: bool
    """Whether the trace would have ended earlier without it; see `span_tree`."""
    do_clocks_disagree: bool
    """Whether it begins before its parent, which ran in another process or on another host."""


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
    unread_count: int = 0
    """How many spans are left out of `usage`, since their attributes are too long to be parsed."""

    @property
    def start_ns(self) -> int | None:
        """The first start; None where no span has one."""
        starts = (self.nodes[root].start_ns for root in self.roots)
        return min((start for start in starts if start is not None), default=None)

    @property
    def end_ns(self) -> int | None:
        """The last moment that is known; None where no span has a start."""
        ends = (self.nodes[root].end_ns for root in self.roots)
        return max((end for end in ends if end is not None), default=None)

    @property
    def duration_ns(self) -> int | None:
        """From the first start to the last moment; None where no span has a start and an end."""
        start, end = self.start_ns, self.end_ns
        took = (node.span.duration_ns for node in self.nodes if node.span is not None)
        if start is None or end is None or not any(ns is not None and ns >= 0 for ns in took):
            return None
        return end - start


def span_tree(spans: Sequence[Span]) -> SpanTree:
    """Return the tree of the spans of one trace, whatever their parents say.

    - Of several spans with one id the earliest has the children.
    - A ring of parents is cut at its earliest span, which becomes a root.
    - A placeholder has the place of the span that it announces until that one is there.
    - The critical path starts at the end of the root that ends last, and goes back through the
      child that ended last before the moment, then on from that child's start. A child counts
      as ending with its parent where it ends later.
    - A span without a start is left out of all times, and one that has not ended, or ends before
      it starts, counts up to its start.
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
        unread_count=sum(entry[3].is_unread for entry in entries),
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
    """Times and counts by node: `from_ns` and `to_ns` of itself, all others of its subtree.

    What has no start has `FAR_FUTURE_NS` for it, and 0 for its end, which change no sum.
    """

    from_ns: list[int]
    to_ns: list[int]
    """Where a node has not ended or has no start or no span, the end of its subtree."""
    are_timed: list[bool]
    """Whether a node has a start and has ended."""
    starts: list[int]
    ends: list[int]
    below: list[int]
    errors: list[int]
    annotations: list[int]


def _rolled(layout: TreeLayout) -> RolledUp:
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


def _times(layout: TreeLayout) -> _Times:
    spans = layout.spans
    # A parent that is not there has a child right after it, and takes its times to start with.
    starts: list[int] = []
    ends: list[int] = []
    are_timed: list[bool] = []
    for at, span in enumerate(spans):
        one = span or spans[at + 1]
        assert one is not None
        # Spelled out, as this is done 30,000 times before a large trace shows.
        begun, ended = one.start_ns, one.end_ns
        has_begun = 0 < begun < FAR_FUTURE_NS
        has_ended = 0 < ended < FAR_FUTURE_NS and not one.is_pending
        starts.append(begun if has_begun else FAR_FUTURE_NS)
        ends.append(0 if not has_begun else ended if has_ended and ended > begun else begun)
        are_timed.append(span is not None and has_begun and has_ended)
    times = _Times(
        from_ns=starts.copy(),
        to_ns=ends.copy(),
        are_timed=are_timed,
        starts=starts,
        ends=ends,
        below=[0] * len(spans),
        errors=[int(span is not None and span.status_code == ERROR) for span in spans],
        annotations=[0 if span is None else span.annotation_count for span in spans],
    )
    _sum_up(layout.parents, times)
    for at, is_timed in enumerate(are_timed):
        if not is_timed:
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


def _own_ns(layout: TreeLayout, times: _Times) -> list[int]:
    """Return the own time of each node; one pass will do, as children come by start."""
    from_ns, to_ns = times.from_ns, times.to_ns
    own = [end - start for start, end in zip(from_ns, to_ns, strict=True)]
    covered_to = from_ns.copy()
    spans = layout.spans
    for at, parent in enumerate(layout.parents):
        if parent == NO_PARENT or (not times.are_timed[at] and not _has_begun(spans[at])):
            continue
        start, end = from_ns[at], to_ns[at]
        if start < covered_to[parent]:
            start = covered_to[parent]
        if end > to_ns[parent]:
            end = to_ns[parent]
        if end > start:
            own[parent] -= end - start
            covered_to[parent] = end
    for at, is_timed in enumerate(times.are_timed):
        if not is_timed:
            own[at] = 0
    return own


def _has_begun(span: Span | None) -> bool:
    return span is not None and span.begun_ns is not None


def _critical(layout: TreeLayout, times: _Times, roots: tuple[int, ...]) -> set[int]:
    """Return the nodes on the critical path; of those that end at once, the earlier start."""
    if not roots:
        return set()
    from_ns, to_ns = times.from_ns, times.to_ns
    critical: set[int] = set()
    last = max(roots, key=lambda root: (to_ns[root], -from_ns[root]))
    stack = [(last, to_ns[last])] if to_ns[last] else []
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


def _nodes(layout: TreeLayout, times: _Times, critical: set[int]) -> tuple[Node, ...]:
    spans, parents = layout.spans, layout.parents
    columns = zip(
        layout.ids,
        spans,
        [id_ if span is None else None for id_, span in zip(layout.ids, spans, strict=True)],
        [None if parent == NO_PARENT else parent for parent in parents],
        layout.children,
        layout.depths,
        layout.are_cut,
        [None if start == FAR_FUTURE_NS else start for start in times.starts],
        [end or None for end in times.ends],
        _own_ns(layout, times),
        times.below,
        times.errors,
        times.annotations,
        [at in critical for at in range(len(spans))],
        [
            span is not None
            and span.process is not None
            and parent != NO_PARENT
            and _do_clocks_disagree(span, spans[parent])
            for span, parent in zip(spans, parents, strict=True)
        ],
        strict=True,
    )
    return tuple(map(Node._make, columns))


def _do_clocks_disagree(span: Span, parent: Span | None) -> bool:
    if parent is None or span.process is None or parent.process is None:
        return False
    begun, before = span.begun_ns, parent.begun_ns
    if begun is None or before is None or begun >= before:
        return False
    here, there = span.process, parent.process
    return any(there.get(name, value) != value for name, value in here.items())

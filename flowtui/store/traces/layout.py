"""Where the spans of one trace stand in its tree, whatever their parents say.

Every span has one row: rings of parents are cut, and orphans stand under a row for the parent that
is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from flowtui.store.traces.times import FAR_FUTURE_NS, sortable
from flowtui.store.traces.values import Span

NO_PARENT = -1
"""The parent of a root."""

Entry = tuple[int, str, str | None, Span]
"""Start, the id that children name, the id of the parent, and the span; see `entries_of`."""


@dataclass(frozen=True, slots=True)
class TreeLayout:
    """The nodes in display order, a list for each thing known."""

    ids: list[str]
    spans: list[Span | None]
    parents: list[int]
    depths: list[int]
    children: list[tuple[int, ...]]
    are_cut: list[bool]


def entries_of(spans: Sequence[Span]) -> list[Entry]:
    """Return the spans that have a row, by start and id; those without a start come last."""
    entries: list[Entry] = [
        (sortable(span.start_ns), span.span_id, span.parent_id, span)
        for span in spans
        if not span.is_pending
    ]
    if len(entries) < len(spans):
        ended = {entry[1] for entry in entries}
        for span in spans:
            announced = span.span_id if span.parent_id is None else span.parent_id
            if span.is_pending and announced not in ended:
                entries.append((sortable(span.start_ns), announced, span.pending_parent_id, span))
    entries.sort(key=itemgetter(0, 1))
    return entries


def laid_out(entries: list[Entry]) -> TreeLayout:
    parents, missing = _parents(entries)
    cut = _cut_rings(parents)
    ids = [entry[1] for entry in entries] + list(missing)
    spans: list[Span | None] = [entry[3] for entry in entries]
    spans += [None] * len(missing)
    below: dict[int, list[int]] = {}
    roots: list[tuple[int, str, int]] = []
    for row, parent in enumerate(parents):
        if parent != NO_PARENT:
            below.setdefault(parent, []).append(row)
    for row, parent in enumerate(parents):
        if parent == NO_PARENT:
            start = entries[row][0]
            if start == FAR_FUTURE_NS and row in below:
                # A root without a start has the place of what is below it.
                start = entries[below[row][0]][0]
            roots.append((start, ids[row], row))
    roots += [(entries[below[row][0]][0], ids[row], row) for row in missing.values()]
    parents += [NO_PARENT] * len(missing)
    order, places = _preorder([row for _, _, row in sorted(roots)], below, len(ids))
    up = [places[parents[row]] for row in order]
    depths: list[int] = []
    for parent in up:
        depths.append(0 if parent == NO_PARENT else depths[parent] + 1)
    return TreeLayout(
        ids=[ids[row] for row in order],
        spans=[spans[row] for row in order],
        parents=up,
        depths=depths,
        children=[
            tuple([places[child] for child in below[row]]) if row in below else () for row in order
        ],
        are_cut=[row in cut for row in order],
    )


def _preorder(
    roots: list[int], below: Mapping[int, list[int]], count: int
) -> tuple[list[int], list[int]]:
    """Return the rows in display order, and the place of each row in it."""
    order: list[int] = []
    # The last one is what the index `NO_PARENT` finds: no parent, so no place.
    places = [NO_PARENT] * (count + 1)
    stack = roots[::-1]
    while stack:
        row = stack.pop()
        places[row] = len(order)
        order.append(row)
        if row in below:
            stack += below[row][::-1]
    return order, places


def _parents(entries: list[Entry]) -> tuple[list[int], dict[str, int]]:
    """Return the row of each entry's parent, and rows after the last for parents not there."""
    rows: dict[str, int] = {}
    for row, entry in enumerate(entries):
        rows.setdefault(entry[1], row)
    missing: dict[str, int] = {}
    parents: list[int] = []
    for row, (_, id_, parent, _) in enumerate(entries):
        if parent is None:
            parents.append(NO_PARENT)
        elif parent == id_:
            parents.append(row)
        elif parent in rows:
            parents.append(rows[parent])
        else:
            parents.append(missing.setdefault(parent, len(entries) + len(missing)))
    return parents, missing


def _cut_rings(parents: list[int]) -> set[int]:
    """Make the first row of each ring a root in `parents`, and return those rows."""
    cut: set[int] = set()
    count = len(parents)
    # By row: the walk that came by first.
    walks = [NO_PARENT] * count
    for start in range(count):
        row = start
        # Rows after the last are parents that are not there, which have none.
        while 0 <= row < count and walks[row] == NO_PARENT:
            walks[row] = start
            row = parents[row]
        if 0 <= row < count and walks[row] == start:
            first, on = row, parents[row]
            while on != row:
                first, on = min(first, on), parents[on]
            parents[first] = NO_PARENT
            cut.add(first)
    return cut

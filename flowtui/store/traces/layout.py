"""Where the spans of one trace stand in its tree, whatever their parents say.

Every span has one place: cycles of parents are cut, and orphans stand under a place for the missing
parent.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from flowtui.store import cancelling
from flowtui.store.traces.times import FAR_FUTURE_NS

NONE = -1
"""The parent of a root, and the row of a missing parent."""
_ROWS_BETWEEN_CANCEL_CHECKS = 20_000


@dataclass(frozen=True, slots=True)
class Layout:
    """A tree in display order, with a column for each property of a place."""

    rows: array[int]
    ids: list[str]
    parents: array[int]
    depths: array[int]
    below: array[int]
    """How many of the following places are below this one."""
    cut: frozenset[int]
    """Nodes that are roots only because their parents lead back to them."""


def watched(rows: range) -> Iterator[int]:
    """Yield rows, and check for cancelling now and then, at no noticeable cost.

    Raises:
        ReadCancelled: Nobody waits any more.
    """

    def parts() -> Iterator[range]:
        for start in range(0, len(rows), _ROWS_BETWEEN_CANCEL_CHECKS):
            cancelling.check()
            yield rows[start : start + _ROWS_BETWEEN_CANCEL_CHECKS]

    return chain.from_iterable(parts())


def laid_out(ids: Sequence[str], parent_ids: Sequence[str | None], starts: Sequence[int]) -> Layout:
    """Return the layout of rows; children are in the order of their rows, roots by start and id.

    Args:
        ids: The ids by row. Of several rows with one id the first has the children.
        parent_ids: The ids of parents by row.
        starts: The starts by row, ascending; `FAR_FUTURE_NS` for none.
    """
    up, missing = _parents(ids, parent_ids)
    cut = _cut_rings(up, len(ids))
    count = len(up)
    first, after = _children(up)
    names = [*ids, *missing]
    places, rows = _in_display_order(_roots(up, first, names, starts), first, after)
    parents, depths = array("q"), array("q")
    for at in watched(range(count)):
        parent = up[rows[at]]
        parents.append(NONE if parent == NONE else places[parent])
        depths.append(0 if parent == NONE else depths[places[parent]] + 1)
    below = [0] * count
    for at in watched(range(count - 1, -1, -1)):
        if (parent := parents[at]) != NONE:
            below[parent] += below[at] + 1
    return Layout(
        array("q", [row if row < len(ids) else NONE for row in rows]),
        list(map(names.__getitem__, rows)),
        parents,
        depths,
        array("q", below),
        frozenset(places[row] for row in cut),
    )


def _parents(ids: Sequence[str], parent_ids: Sequence[str | None]) -> tuple[list[int], list[str]]:
    """Return the row of each row's parent, and the ids of missing parents, whose rows follow the
    last.

    The rows of missing parents are in the first list too, as roots.
    """
    backwards = watched(range(len(ids) - 1, -1, -1))
    row_of = dict(zip(reversed(ids), backwards, strict=True))
    missing: list[str] = []
    up: list[int] = []
    for row in watched(range(len(ids))):
        parent_id = parent_ids[row]
        if parent_id is None:
            up.append(NONE)
        elif parent_id == ids[row]:
            up.append(row)
        else:
            parent = row_of.get(parent_id)
            if parent is None:
                parent = row_of[parent_id] = len(ids) + len(missing)
                missing.append(parent_id)
            up.append(parent)
    return up + [NONE] * len(missing), missing


def _cut_rings(up: list[int], count: int) -> list[int]:
    """Make the first row of each cycle a root in `up`, and return those rows."""
    cut: list[int] = []
    walks: dict[int, int] = {}
    """The walk that visited a row first."""
    # Each cycle has a row whose parent is not before it; most traces have no such row at all.
    for start in [row for row in range(count) if up[row] >= row]:
        row = start
        while row != NONE and row not in walks:
            walks[row] = start
            row = up[row]
        if row != NONE and walks[row] == start:
            first, on = row, up[row]
            while on != row:
                first, on = min(first, on), up[on]
            up[first] = NONE
            cut.append(first)
    return cut


def _children(up: list[int]) -> tuple[list[int], list[int]]:
    """Return the first child and the next sibling of each row."""
    first = [NONE] * len(up)
    after = [NONE] * len(up)
    for row in watched(range(len(up) - 1, -1, -1)):
        if (parent := up[row]) != NONE:
            after[row] = first[parent]
            first[parent] = row
    return first, after


def _roots(up: list[int], first: list[int], ids: list[str], starts: Sequence[int]) -> list[int]:
    """Return the roots; one without a start is sorted by what is below it."""
    found: list[tuple[int, str, int]] = []
    for row, parent in enumerate(up):
        if parent == NONE:
            start = starts[row] if row < len(starts) else FAR_FUTURE_NS
            if start == FAR_FUTURE_NS and first[row] != NONE:
                start = starts[first[row]]
            found.append((start, ids[row], row))
    return [row for _, _, row in sorted(found)]


def _in_display_order(
    roots: list[int], first: list[int], after: list[int]
) -> tuple[list[int], list[int]]:
    """Return the place of each row, and the rows by place, each parent before its children."""
    places = [NONE] * len(first)
    rows: list[int] = []
    waiting = roots[::-1]
    # Each row is visited once.
    for at in watched(range(len(first))):
        row = waiting.pop()
        places[row] = at
        rows.append(row)
        if after[row] != NONE:
            waiting.append(after[row])
        if first[row] != NONE:
            waiting.append(first[row])
    return places, rows

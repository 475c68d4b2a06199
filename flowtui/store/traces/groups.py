"""The traces of a run in groups: by name, session, user or model (exp.db: spans).

A trace is in one group, see `belongings`; traces that belong to nothing are a group of their own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from flowtui.store.database import table_columns
from flowtui.store.genai import Usage
from flowtui.store.traces import listing
from flowtui.store.traces.belongings import belongings

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

NAME = "name"
GROUPED_BY = (NAME, "session", "user", "model")
"""What traces are grouped by."""


@dataclass(frozen=True, slots=True)
class TraceGroup:
    """The traces that have one name, or belong to one session, user or set of models."""

    value: str | None
    """None for the traces that belong to nothing."""
    keys: tuple[int, ...]
    """The keys of its traces, see `listing`; the latest first."""
    error_count: int
    """How many of its traces have a span that failed."""
    middle_ns: int | None
    """The median of the durations that are known (p50): one of them, of two the shorter."""
    high_ns: int | None
    """The duration that 95 % of them do not exceed (p95), and one of them does not."""
    last_ns: int | None
    """The latest start of its traces."""
    usage: Usage | None = None
    """What its traces took together; None if none reports any, or it is not counted yet."""
    is_counted: bool = False
    """Whether the usage was read."""
    unread_count: int = 0
    """How many spans are left out of `usage`, since their attributes are too long to be parsed."""


def groups(
    connection: sqlite3.Connection, by: str, condition: Condition | None = None
) -> tuple[TraceGroup, ...]:
    """Return the groups of the traces that meet a condition, those with the most traces first.

    They have no usage yet, which `with_usage` adds: it takes longer.

    Args:
        connection: A connection to exp.db.
        by: One of GROUPED_BY.
        condition: Which traces; None for all.
    """
    if not table_columns(connection, "spans"):
        return ()
    rows = listing.sums(connection, condition, has_name=by == NAME)
    values = {} if by == NAME else belongings(connection, by)
    members: dict[str | None, list[tuple[int, int | None, int | None, bool]]] = {}
    for rowid, start, took, error_count, name in rows:
        value = name if by == NAME else values.get(rowid)
        members.setdefault(value, []).append((rowid, start, took, error_count > 0))
    found = [_group(value, some) for value, some in members.items()]
    # Of equal ones the latest comes first; those that belong to nothing come last.
    found.sort(key=lambda one: (one.value is None, -len(one.keys), -(one.last_ns or 0)))
    return tuple(found)


def _group(
    value: str | None, members: Sequence[tuple[int, int | None, int | None, bool]]
) -> TraceGroup:
    took = sorted(one for _, _, one, _ in members if one is not None)
    starts = [start for _, start, _, _ in members if start is not None]
    return TraceGroup(
        value,
        tuple(rowid for rowid, *_ in members),
        sum(has_failed for *_, has_failed in members),
        percentile(took, 0.5),
        percentile(took, 0.95),
        max(starts, default=None),
    )


def percentile(ordered: Sequence[int], share: float) -> int | None:
    """Return the lowest of some ordered numbers that this share of them does not exceed."""
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None


def with_usage(
    connection: sqlite3.Connection, found: Sequence[TraceGroup]
) -> tuple[TraceGroup, ...]:
    """Return groups with what their traces took, which their spans' attributes say."""
    if not found:
        return ()
    at = {key: place for place, group in enumerate(found) for key in group.keys}
    totals: list[Usage | None] = [None] * len(found)
    unread = [0] * len(found)
    for key, usage, count in listing.usages(connection, list(at)):
        place = at[key]
        unread[place] += count
        before = totals[place]
        if usage is not None:
            totals[place] = usage if before is None else before + usage
    return tuple(
        replace(group, usage=usage, unread_count=count, is_counted=True)
        for group, usage, count in zip(found, totals, unread, strict=True)
    )

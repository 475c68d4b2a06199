"""The traces of a run in groups: by name, session, user or model (exp.db: spans).

A trace is in one group, see `belongings`; traces that belong to nothing are a group of their own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from flowtui.store.annotations import judgements
from flowtui.store.annotations.listing import SPANS
from flowtui.store.annotations.values import Value
from flowtui.store.database import table_columns
from flowtui.store.filter_text import equals, quoted_key
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
        by: One of GROUPED_BY, or a field of what people said: a trace of which they said several
            things is in several groups then.
        condition: Which traces; None for all.
    """
    if not table_columns(connection, "spans"):
        return ()
    rows = listing.sums(connection, condition, has_name=by == NAME)
    is_said = by.startswith(judgements.PREFIX)
    values = {} if by == NAME or is_said else belongings(connection, by)
    members: dict[str | None, list[tuple[int, int | None, int | None, bool]]] = {}
    found_rows = list(rows) if is_said else rows
    said = _said(connection, by, [row[0] for row in found_rows]) if is_said else {}
    for rowid, start, took, error_count, name in found_rows:
        value = name if by == NAME else values.get(rowid)
        for one in said.get(rowid, (None,)) if is_said else (value,):
            members.setdefault(one, []).append((rowid, start, took, error_count > 0))
    found = [_group(value, some) for value, some in members.items()]
    # Of equal ones the latest comes first; those that belong to nothing come last.
    found.sort(key=lambda one: (one.value is None, -len(one.keys), -(one.last_ns or 0)))
    return tuple(found)


def _said(
    connection: sqlite3.Connection, field: str, rowids: Sequence[int]
) -> dict[int, Sequence[str]]:
    """Return by key all that people said of traces under a name."""
    return {
        rowid: [as_text(value) for value, _ in of[field].counts]
        for rowid, of in judgements.of_rows(connection, SPANS, rowids).items()
        if field in of
    }


def as_text(value: Value) -> str:
    """Return what was said as filters compare it, which is as it is stored."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def group_filter(by: str, value: str | None) -> str:
    """Return the expression for the traces of a group."""
    prefix, dot, key = by.partition(".")
    return equals(f"{prefix}.{quoted_key(key)}" if dot else by, value)


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
    places: dict[int, list[int]] = {}
    for place, group in enumerate(found):
        for key in group.keys:
            places.setdefault(key, []).append(place)
    totals: list[Usage | None] = [None] * len(found)
    unread = [0] * len(found)
    for key, usage, count in listing.usages(connection, list(places)):
        for place in places[key]:
            unread[place] += count
            before = totals[place]
            if usage is not None:
                totals[place] = usage if before is None else before + usage
    return tuple(
        replace(group, usage=usage, unread_count=count, is_counted=True)
        for group, usage, count in zip(found, totals, unread, strict=True)
    )

"""What a source yields: its runs, and batches of records that belong to one of them.

All text in them is as hostile as what it was read from.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from flowtui.store.errors import StoreError
from flowtui.store.schema.mirror import RunRow
from flowtui.store.schema.rows import (
    EvalRow,
    LinkRow,
    MetricRow,
    ParamValue,
    SpanAnnotationRow,
    SpanRow,
)
from flowtui.store.values import JsonValue

Mark: TypeAlias = "dict[str, JsonValue]"
"""How far a run was read: JSON that only its source understands; empty before the first read."""

_FIRST_S, _LAST_S = 0, 253_402_300_799
"""The times that a date can say: from 1970 to the end of the year 9999."""


class SourceError(StoreError):
    """A source cannot be read; `str()` says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One run of a source, as listing tells it."""

    row: RunRow
    """What the list of runs shows; reading the run may replace it."""
    state: tuple[object, ...]
    """What `stat` says of its files: while it is equal, there is nothing new to read."""
    size_bytes: int = 0
    """Of all that is to be read; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a run, which becomes an attachment."""

    name: str
    """Its name among the attachments, with folders: relative, without `..`."""
    data: bytes | None = None
    """What is in it, where it is not a file of its own in the source."""
    path: Path | None = None
    """Where it is in the source, inside its root; it stays there."""
    created_at: datetime | None = None
    is_appended: bool = False
    """Whether `data` is added to the end of the file of that name."""


@dataclass(slots=True)
class SourceBatch:
    """Some records of one run, and the mark after them; it is written as a whole."""

    mark: Mark | None
    """None where the mark before it goes on to hold, since more of the same part follows."""
    read_bytes: int = 0
    """How much of the run was read by then, of its `size_bytes`."""
    starts_anew: bool = False
    """Whether all that was read before is void, since the source was written anew."""
    restarts_at: int | None = None
    """The step from which the points before this batch are void: the program went back to it."""
    row: RunRow | None = None
    """What the list is to show from now on, if that has changed."""
    params: dict[str, ParamValue] = field(default_factory=dict)
    points: list[MetricRow] = field(default_factory=list)
    spans: list[SpanRow] = field(default_factory=list)
    judged: dict[str, list[SpanAnnotationRow]] = field(default_factory=dict)
    """By trace id: all annotations of its spans as of now, in place of those before."""
    samples: list[EvalRow] = field(default_factory=list)
    links: list[LinkRow] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """How many more records have no place, by what they are: `records of the plugin mesh`.
    Where some are gone it is below zero."""
    notes: dict[str, str] = field(default_factory=dict)
    """Sentences that hold as of now, by what they are about; an empty one no longer holds."""


@lru_cache(4096)
def moment(seconds: int) -> datetime:
    """Return a Unix time as an aware moment in UTC; one that no date can say is moved to one."""
    return datetime.fromtimestamp(min(max(seconds, _FIRST_S), _LAST_S), UTC)

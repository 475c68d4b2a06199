"""The spans of one trace as columns: an object for each would take five times the memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from flowtui.store.genai import SpanKind, Usage, span_kind
from flowtui.store.traces.values import Process, Span

T = TypeVar("T")
BEFORE_ALL = -(1 << 63)
"""A rowid below that of any row."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the attributes of spans say, by rowid; only spans that say something are in these."""

    kinds: dict[int, SpanKind] = field(default_factory=dict)
    usages: dict[int, Usage] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    """What spans are called whose name is a template."""
    placeholders: dict[int, str | None] = field(default_factory=dict)
    """Spans that only announce another one, with the parent of that one."""
    unread: set[int] = field(default_factory=set)
    """Spans whose attributes are too long to be parsed."""
    processes: dict[int, Process | None] = field(default_factory=dict)
    """The processes of spans that begin before their parent, and of these parents."""
    last: int = BEFORE_ALL
    """The last rowid that was read."""

    def but_for_the_last(self) -> Said:
        """Return a copy to add to, without the span with the last rowid."""
        last = self.last

        def kept(by_rowid: dict[int, T]) -> dict[int, T]:
            return {rowid: one for rowid, one in by_rowid.items() if rowid != last}

        return Said(
            kept(self.kinds),
            kept(self.usages),
            kept(self.titles),
            kept(self.placeholders),
            self.unread - {last},
            kept(self.processes),
            last,
        )


# Without a repr, since Textual makes one of a worker's arguments, which would be a hundred
# megabytes.
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Spans:
    """The spans of one trace by their start, then id; those without a start come last.

    Each row is a span, and `spans[row]` all of it.
    """

    trace_id: str
    notes: Mapping[str, int]
    """How many annotations spans have, by span id."""
    said: Said | None
    """None until the attributes are read: kinds are guesses then, and usage is not known."""
    rowids: array[int]
    ids: list[str]
    parent_ids: list[str | None]
    names: list[str]
    kinds: array[int]
    types: array[int]
    starts: array[int]
    ends: array[int]
    statuses: array[int]

    @classmethod
    def none(cls, trace_id: str) -> Spans:
        """Return a trace without spans."""
        numbers: list[Any] = [array("q") for _ in range(5)]
        return cls(trace_id, {}, None, array("q"), [], [], [], *numbers)

    @property
    def columns(self) -> list[Any]:
        """The columns that are read from the spans themselves, from `rowids` to `statuses`."""
        numbers = self.kinds, self.types, self.starts, self.ends, self.statuses
        return [self.rowids, self.ids, self.parent_ids, self.names, *numbers]

    def __len__(self) -> int:
        return len(self.rowids)

    def __iter__(self) -> Iterator[Span]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, row: int) -> Span:
        rowid, said = self.rowids[row], self.said
        return Span(
            self.trace_id,
            self.ids[row],
            self.parent_ids[row],
            self.names[row] if said is None else said.titles.get(rowid, self.names[row]),
            self.kinds[row],
            self.types[row],
            self.genai_kind(row),
            self.starts[row],
            self.ends[row],
            self.statuses[row],
            None if said is None else said.usages.get(rowid),
            self.notes.get(self.ids[row], 0),
            self.is_placeholder(row),
            None if said is None else said.placeholders.get(rowid),
            None if said is None else said.processes.get(rowid),
            said is not None and rowid in said.unread,
        )

    def genai_kind(self, row: int) -> SpanKind:
        """Return the kind of the span in a row."""
        named = None if self.said is None else self.said.kinds.get(self.rowids[row])
        return named or _guessed_kind(self.types[row])

    def is_placeholder(self, row: int) -> bool:
        """Say whether the span in a row only announces its parent."""
        return self.said is not None and self.rowids[row] in self.said.placeholders


@lru_cache(maxsize=64)
def _guessed_kind(span_type: int) -> SpanKind:
    return span_kind({}, span_type)

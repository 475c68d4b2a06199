"""Samples of eval sets, as stored; texts are bounded where a list of them is read.

Text in them is untrusted, like everything out of a store. JSON of any shape may stand in any
column, with NaN and infinities, which the SDK writes as Python does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from flowtui.store.annotations.values import SampleTarget
from flowtui.store.values import JsonValue


@dataclass(frozen=True, slots=True)
class Dataset:
    """One eval set."""

    id: str
    sample_count: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of evals; a column that is NULL or missing is None."""

    rowid: int
    dataset_id: str
    id: str
    inputs: JsonValue
    outputs: JsonValue
    refs: JsonValue
    scores: JsonValue
    metadata: JsonValue
    trace_ids: tuple[str, ...]
    """First linked first; the traces need not be there."""
    annotation_count: int
    created_at: datetime | None
    updated_at: datetime | None
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Characters of the stored text by column."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """By path (`inputs.question`, `outputs.items[3]`, `refs`): how many characters the text has,
    or items the list or object, of which only the first are here."""
    unparsed: frozenset[str] = frozenset()
    """Columns whose value is the stored text, since it is no JSON that can be read."""
    problems: tuple[str, ...] = ()

    @property
    def target(self) -> SampleTarget:
        """What an annotation of the sample points at."""
        return SampleTarget(self.dataset_id, self.id)

    def value(self, column: str) -> JsonValue:
        """Return a JSON column by its name: one of `JSON_COLUMNS`."""
        value: JsonValue = getattr(self, column)
        return value


JSON_COLUMNS = ("inputs", "outputs", "refs", "scores", "metadata")
"""The columns of a sample that hold JSON."""


class SamplesView(StrEnum):
    """What a key shows the samples as; see `sample_views`."""

    ALL = "all"
    FAILING_FIRST = "failing first"
    DIFFERING = "differing from reference"
    ERRORS = "errors"
    NOT_ANNOTATED = "not annotated"


class KeyType(StrEnum):
    """What a value under a key is."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    LIST = "list"
    OBJECT = "object"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """A key at the top of one JSON column, as its samples have it."""

    column: str
    key: str
    types: Mapping[KeyType, int]
    """How many samples have a value of each type; a NaN counts as null."""

    @property
    def name(self) -> str:
        """As filters and orders call it: `scores.accuracy`."""
        return f"{self.column}.{self.key}"

    @property
    def count(self) -> int:
        """How many samples have the key."""
        return sum(self.types.values())


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """The samples that have one value under a key."""

    value: JsonValue
    """None for samples without one, with null, or with NaN; of a text the first part."""
    count: int
    is_json: bool = False
    """Whether `value` is the JSON text of a list or object."""


@dataclass(frozen=True, slots=True)
class SampleGroups:
    """Samples by their values under a key."""

    groups: tuple[SampleGroup, ...]
    """The largest first."""
    other_groups: int
    """How many more values there are."""
    other_count: int
    """How many samples have those."""

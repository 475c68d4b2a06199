"""Samples of eval sets, as stored; texts are bounded where a list of them is read.

Text in them is untrusted, like everything from a store. Any column may hold JSON of any shape, with
NaN and infinities, which the SDK writes as Python does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from flowtui.store.annotations.judgements import Judgement
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
    """First linked first; the traces need not exist."""
    annotation_count: int
    created_at: datetime | None
    updated_at: datetime | None
    cut: Mapping[str, int] = field(default_factory=dict)
    """What is cut, by path (`inputs.question`, `outputs.items[3]`, `refs`): how many characters the
    whole text has, or how many items the whole list or object."""
    unparsed: frozenset[str] = frozenset()
    """Columns whose value is the stored text, since it cannot be read as JSON."""
    problems: tuple[str, ...] = ()
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    """What people said, by the field that names it, if that was read."""

    @property
    def target(self) -> SampleTarget:
        """The target of annotations of this sample."""
        return SampleTarget(self.dataset_id, self.id)

    def value(self, column: str) -> JsonValue:
        """Return a JSON column by its name: one of `JSON_COLUMNS`."""
        value: JsonValue = getattr(self, column)
        return value


JSON_COLUMNS = ("inputs", "outputs", "refs", "scores", "metadata")
"""The columns of a sample that hold JSON."""


class SamplesView(StrEnum):
    """The views of the samples that one key switches between; see `views`."""

    ALL = "all"
    FAILING_FIRST = "failing first"
    DIFFERING = "differing from reference"
    ERRORS = "errors"
    NOT_ANNOTATED = "not annotated"


class KeyType(StrEnum):
    """The type of a value under a key."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    LIST = "list"
    OBJECT = "object"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """A key at the top of one JSON column of samples."""

    column: str
    key: str
    types: Mapping[KeyType, int]
    """How many samples have a value of each type; a NaN counts as null."""

    @property
    def name(self) -> str:
        """Its name in filters and orders: `scores.accuracy`."""
        return f"{self.column}.{self.key}"

    @property
    def count(self) -> int:
        """How many samples have the key."""
        return sum(self.types.values())


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """The samples that have one value under a key."""

    value: JsonValue
    """None for samples without a value, with null, or with NaN; the first part of a text."""
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
    """How many samples have those values."""

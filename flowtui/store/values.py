"""What the store returns: frozen values, raw as stored, with the unit in the name.

Text in them is untrusted: it reaches a terminal only through `flowtui.format.plain`.
Times are aware and in UTC. A `problem` is a sentence for a person about a value that is stored
but broken; the value beside it is then the best that could be read.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, overload

from flowtui.store.metrics.steps import Step

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


class Status(StrEnum):
    """The statuses that the SDK writes; `Run.status` may hold any other text."""

    ACTIVE = "active"
    COMPLETED = "completed"
    ERROR = "error"


class Kind(StrEnum):
    """Kinds of record of one run: what can change, and what a screen reads again."""

    RUN = "run"
    PARAMS = "params"
    METRICS = "metrics"
    MODELS = "models"
    SPANS = "spans"
    SAMPLES = "samples"
    ANNOTATIONS = "annotations"
    ATTACHMENTS = "attachments"


class StoreLocation(NamedTuple):
    """Where a store is and how it was found."""

    directory: Path
    source: str
    """What named it, for a person: `--store`, `LUML_BACKEND_STORE_URI in .env`, `the default`."""


class Group(NamedTuple):
    """One row of experiment_groups, or the runs that have none (`id` is None)."""

    id: str | None
    name: str
    run_count: int


class Run(NamedTuple):
    """One row of experiments. Columns that the store's schema lacks are None."""

    rowid: int
    id: str
    name: str
    status: str
    created_at: datetime | None
    duration_s: float | None
    """None until the run ends or fails."""
    description: str | None
    tags: tuple[str, ...]
    group_id: str | None
    group_name: str | None
    source: str | None
    upload_status: str | None
    problems: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        return self.status == Status.ACTIVE


class ReadSoFar(NamedTuple):
    """How far a run was read that is not wholly read yet."""

    done_bytes: int
    size_bytes: int
    """0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The parameters and last metric values of one run, as a list of runs shows them."""

    params: dict[str, JsonValue] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    """Last value by key; NaN where the last value is NaN, None where no point has a step."""
    problem: str | None = None


class Param(NamedTuple):
    """One row of static_params."""

    key: str
    type: str
    """str, int, float, bool or json; anything else is shown as it stands."""
    value: JsonValue
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One logged point of a metric."""

    step: Step
    """A finite number, whole or real, as luml-sdk was given it."""
    value: float
    """NaN is stored as NULL in dynamic_metrics.value and is NaN here."""


@dataclass(frozen=True, slots=True)
class LoggedPoint(Point):
    """A point and when it was logged."""

    logged_at: datetime | None
    """To the second, as SQLite stamps it; None where the stored value is not a time."""


class Bucket(NamedTuple):
    """The extremes of the finite points in one of equally wide ranges of steps."""

    low: float
    high: float


class Buckets(Sequence[Bucket | None]):
    """Buckets in 16 bytes each: a run of thousands of metrics has fifty of them for each."""

    __slots__ = ("_ends",)

    def __init__(self, buckets: Iterable[Bucket | None] = ()) -> None:
        # What has nothing finite is kept with its ends the wrong way round.
        nothing = (math.inf, -math.inf)
        self._ends = array("d", [end for one in buckets for end in one or nothing])

    def __len__(self) -> int:
        return len(self._ends) // 2

    @overload
    def __getitem__(self, index: int) -> Bucket | None: ...
    @overload
    def __getitem__(self, index: slice) -> list[Bucket | None]: ...
    def __getitem__(self, index: int | slice) -> Bucket | list[Bucket | None] | None:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        bucket = Bucket(self._ends[2 * at], self._ends[2 * at + 1])
        return bucket if bucket.low <= bucket.high else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buckets) and self._ends == other._ends

    def __hash__(self) -> int:
        return hash(self._ends.tobytes())

    def __repr__(self) -> str:
        return f"Buckets({list(self)})"


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """Everything that one line about a metric shows."""

    key: str
    count: int
    """Rows logged, NaN, infinite and unreadable ones included."""
    nan_count: int
    pos_inf_count: int
    neg_inf_count: int
    first: Point | None
    """None if no row has a step; so is `last` then."""
    last: Point | None
    minimum: Point | None
    """The lowest finite point, the earliest of several; None if no point is finite."""
    maximum: Point | None
    buckets: Buckets
    """Extremes over ranges of `bucket_steps` from `first.step` on; None where nothing is finite."""
    bucket_steps: Step
    mark: int
    """The highest dynamic_metrics.rowid that this covers."""
    unreadable_count: int = 0
    """Rows whose value or step is not a number: a broken store."""
    stepless_count: int = 0
    """Those of them whose step is not one: they appear nowhere but in `count`."""
    float32_count: int = 0
    """Steps of four bytes that were taken for a float32."""
    doubled_count: int = 0
    """Rows that share their step with one before, kept as another type."""

    @property
    def inf_count(self) -> int:
        return self.pos_inf_count + self.neg_inf_count


class Model(NamedTuple):
    """One row of models. Columns that the store's schema lacks are None."""

    id: str
    name: str
    created_at: datetime | None
    tags: tuple[str, ...]
    path: str | None
    """Relative to the store's directory, as written."""
    size_bytes: int | None
    source: str | None
    description: str | None
    problem: str | None = None


class Counts(NamedTuple):
    """How many records of each kind a run has; None where its schema has no such table."""

    params: int | None = None
    metrics: int | None = None
    models: int | None = None
    traces: int | None = None
    spans: int | None = None
    samples: int | None = None
    attachments: int | None = None
    annotations: int | None = None

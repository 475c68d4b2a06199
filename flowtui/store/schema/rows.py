"""What can be written into a run, as values, and the text forms that the SDK gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, TypeAlias

ParamValue: TypeAlias = (
    str | int | float | bool | Sequence["ParamValue"] | Mapping[str, "ParamValue"] | None
)
MetricRow: TypeAlias = tuple[str, float, int, datetime]
"""Key, value, step, time of logging."""

Document: TypeAlias = Mapping[str, object]

# dfs_span_type, by gen_ai.operation.name. The SDK decides it once, while writing.
_SPAN_TYPES = {"chat": 1, "invoke_agent": 2, "execute_tool": 3, "embeddings": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """One finished span, for exp.db's spans."""

    trace_id: str
    """32 lower-case hex digits."""
    span_id: str
    """16 lower-case hex digits."""
    name: str
    start_ns: int
    """Unix time in nanoseconds."""
    end_ns: int
    parent_span_id: str | None = None
    kind: int = 0
    status_code: int = 0
    status_message: str | None = None
    attributes: Document | None = None
    events: Sequence[Document] | None = None
    links: Sequence[Document] | None = None
    trace_flags: int = 0

    @property
    def span_type(self) -> int:
        """The dfs_span_type that the SDK guesses for these attributes."""
        attributes = self.attributes or {}
        if attributes.get("llm.request.type") == "chat":
            return _SPAN_TYPES["chat"]
        return _SPAN_TYPES.get(str(attributes.get("gen_ai.operation.name")), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRow:
    """One sample of an eval set, for exp.db's evals."""

    dataset_id: str
    id: str
    inputs: Document
    outputs: Document | None = None
    refs: Document | None = None
    scores: Document | None = None
    metadata: Document | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """The trace that produced one sample, for exp.db's eval_traces_bridge."""

    dataset_id: str
    eval_id: str
    trace_id: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnnotationRow:
    name: str
    kind: Literal["feedback", "expectation"]
    value: bool | int | str
    user: str
    rationale: str | None = None
    created_at: datetime | None = None
    id: str | None = None
    """None for a new one."""

    def __post_init__(self) -> None:
        if self.kind == "feedback" and not isinstance(self.value, bool):
            raise ValueError("feedback is true or false")

    @property
    def value_type(self) -> str:
        """The value_type column; bool comes first because True is an int."""
        if isinstance(self.value, bool):
            return "bool"
        return "int" if isinstance(self.value, int) else "string"

    @property
    def value_text(self) -> str:
        """The value column."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return str(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalAnnotationRow(_AnnotationRow):
    """A person's annotation of one sample, for exp.db's eval_annotations."""

    dataset_id: str
    eval_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanAnnotationRow(_AnnotationRow):
    """A person's annotation of one span, for exp.db's span_annotations."""

    trace_id: str
    span_id: str


@lru_cache(maxsize=4096)
def timestamp(moment: datetime) -> str:
    """Return a moment in the text form of SQLite's CURRENT_TIMESTAMP: UTC, whole seconds.

    Cached because the metrics of one step share their time.

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

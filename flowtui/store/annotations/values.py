"""Annotations of spans and samples by people: as stored, as drafted, and as changed.

Text in them is untrusted, like everything from a store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from flowtui.store.errors import InvalidAnnotation

INT64 = range(-(2**63), 2**63)
"""What fits an SQLite integer and every other reader of the store."""

Value: TypeAlias = bool | int | str


class AnnotationKind(StrEnum):
    """The kinds that the SDK writes; `Annotation.kind` may hold any other text."""

    FEEDBACK = "feedback"
    EXPECTATION = "expectation"


class ValueType(StrEnum):
    """The types that the SDK writes; `Annotation.value_type` may hold any other text."""

    BOOL = "bool"
    INT = "int"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class SpanTarget:
    """One span of a run."""

    trace_id: str
    span_id: str

    @property
    def key(self) -> tuple[str, str]:
        return self.trace_id, self.span_id

    def __str__(self) -> str:
        return f"span {self.span_id}"


@dataclass(frozen=True, slots=True)
class SampleTarget:
    """One sample of a run's eval sets."""

    dataset_id: str
    eval_id: str

    @property
    def key(self) -> tuple[str, str]:
        return self.dataset_id, self.eval_id

    def __str__(self) -> str:
        return f"sample {self.eval_id}"


Target: TypeAlias = SpanTarget | SampleTarget


class Annotation(NamedTuple):
    """One row of span_annotations or eval_annotations; equal only if every column is."""

    id: str
    target: Target
    name: str
    kind: str
    value_type: str
    value: Value
    """What `raw_value` stands for; the raw text itself where it is not a value of its type."""
    raw_value: str
    user: str
    rationale: str | None
    created_at: datetime | None
    raw_created_at: str | None
    """As stored, so that an annotation that is restored is the same to the last digit."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class AnnotationName:
    """A name that annotations of the run have, with one kind and type of value."""

    name: str
    kind: str
    value_type: str
    count: int
    """How many annotations have it."""


class Draft(NamedTuple):
    """An annotation that is about to be added."""

    name: str
    kind: AnnotationKind
    value: Value
    rationale: str | None
    user: str

    @property
    def value_type(self) -> ValueType:
        return type_of(self.value)

    def check(self) -> None:
        """Raise for a draft that must not be written.

        Raises:
            InvalidAnnotation: The draft is invalid; the error names the field and what is wrong.
        """
        if not self.name.strip():
            raise InvalidAnnotation("name", "the name is empty")
        if len(self.name.splitlines()) > 1:
            raise InvalidAnnotation("name", "a name has one line only")
        if not self.user.strip():
            raise InvalidAnnotation("user", "the author is empty; --user NAME sets it")
        if self.kind not in tuple(AnnotationKind):
            message = f"the kind is feedback or expectation, not {self.kind!r}"
            raise InvalidAnnotation("kind", message)
        check_value(self.value, self.kind, self.value_type)
        for field, text in (("name", self.name), ("user", self.user)):
            check_text(field, text)
        check_text("rationale", self.rationale or "")


@dataclass(frozen=True, slots=True)
class Added:
    """An annotation that was not there before."""

    annotation: Annotation


@dataclass(frozen=True, slots=True)
class Edited:
    """An annotation whose value or rationale was set."""

    before: Annotation
    after: Annotation


@dataclass(frozen=True, slots=True)
class Deleted:
    """An annotation that was deleted."""

    annotation: Annotation


Change: TypeAlias = Added | Edited | Deleted


def type_of(value: Value) -> ValueType:
    """Return the type that a value is stored as; bool comes first because True is an int."""
    if isinstance(value, bool):
        return ValueType.BOOL
    return ValueType.INT if isinstance(value, int) else ValueType.STRING


def raw_text(value: Value) -> str:
    """Return the text that a value is stored as: true or false, decimal digits, or itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def whole_number(text: str) -> int:
    """Return the number that a person typed.

    Raises:
        InvalidAnnotation: The text is more than a sign and the digits 0 to 9, or the number
            does not fit 64 bits.
    """
    stripped = text.strip()
    digits = stripped[1:] if stripped.startswith(("-", "+")) else stripped
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidAnnotation("value", "the value must be a whole number, such as 4 or -12")
    # Python refuses to convert thousands of digits, and nineteen are the most that can fit.
    significant = digits.lstrip("0") or "0"
    if len(significant) > 19:
        raise _too_big()
    number = -int(significant) if stripped.startswith("-") else int(significant)
    if number not in INT64:
        raise _too_big()
    return number


def check_value(value: Value, kind: str, value_type: str) -> None:
    """Raise for a value that an annotation of this kind and type cannot have.

    Raises:
        InvalidAnnotation: The value is invalid; the text says what it can be.
    """
    if kind == AnnotationKind.FEEDBACK and not isinstance(value, bool):
        raise InvalidAnnotation("value", "feedback is true or false; other values are expectations")
    if not isinstance(value, (bool, int, str)) or type_of(value) != value_type:
        needed = {"bool": "true or false", "int": "a whole number", "string": "a text"}
        raise InvalidAnnotation("value", f"the value must be {needed.get(value_type, value_type)}")
    if isinstance(value, str):
        check_text("value", value)
    elif value not in INT64:
        raise _too_big()


def check_text(field: str, text: str) -> None:
    """Raise for a text that other readers of the store could not decode.

    Raises:
        InvalidAnnotation: The text holds half a character.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        message = f"the {field} holds a broken character at position {error.start + 1}"
        raise InvalidAnnotation(field, message) from error


def _too_big() -> InvalidAnnotation:
    return InvalidAnnotation("value", f"the number must be from {INT64.start} to {INT64.stop - 1}")

"""Describes what the rows of a list can be asked about, for the compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Final, TypeAlias

from flowtui.store.filters.literals import duration_ns, size_bytes


class UnknownField(LookupError):
    """The list has no field of this name; `str()` is the sentence for the person who asked."""


class FieldKind(Enum):
    """What the values of a field are."""

    TEXT = "text"
    NUMBER = "numbers"
    TIME = "times"
    """Text `YYYY-MM-DD HH:MM:SS`, UTC."""
    ANY = "values of any type"
    """Numbers and text, told apart by SQLite's own type: what a JSON object holds."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a field's numbers, and how a quantity such as `2s` is read into it."""

    name: str
    example: str
    read: Callable[[str], Fraction | None]
    """Converts a quantity to nanoseconds or bytes."""
    scale: int = 1
    """How many nanoseconds or bytes one of this unit is."""

    @property
    def expected(self) -> str:
        return f"a number of {self.name}, such as {self.example}"

    def value(self, text: str) -> float | None:
        """Return the quantity in this unit, None if the text is not such a quantity."""
        amount = self.read(text)
        return None if amount is None else float(amount / self.scale)


SECONDS = Unit("seconds", "2s, 90m or 1.5h", duration_ns, 1_000_000_000)
NANOSECONDS = Unit("nanoseconds", "500ms or 2s", duration_ns)
BYTES = Unit("bytes", "10MB or 4KiB", size_bytes)


@dataclass(frozen=True, slots=True)
class FilterField:
    """One thing that the rows of a list can be asked about."""

    name: str
    """Its name in messages."""
    kind: FieldKind
    sql: str
    """An expression over the list's row or, where `rows`, a SELECT of one column `value`."""
    args: tuple[str, ...] = ()
    """The values of `{0}`, `{1}` ... in `sql`; always bound, never written into the SQL."""
    rows: bool = False
    """Whether a row has any number of values; a comparison holds if it holds for one of them."""
    excludes: bool = False
    """Whether `!=` and NOT IN ask that no value fits, rather than that one differs."""
    unit: Unit | None = None
    what: str = ""
    """The word for a key that records may lack (`score`); empty for what all of them have."""
    present: str = ""
    """SQL that says whether a record has the key, even with null; where it is empty, the record has
    the key if `sql` gives any row."""


PREFIXES: Final = frozenset(
    "metric metrics dynamic_params param params parameter parameters static_params tag tags"
    " attribute attr attributes metadata inputs outputs refs scores annotations"
    " annotations_feedback annotations_expectation annotations_expectations".split()
)
"""The prefixes of all lists: a word that begins with one is not the name of a file."""

FieldMaker: TypeAlias = Callable[[str], FilterField]


@dataclass(frozen=True, slots=True)
class FieldSet:
    """The fields of one list.

    A name is a prefix with a key (`param.lr`), else a column or the head of one in a table, else a
    bare key.
    """

    columns: Mapping[str, FilterField]
    """The fields of columns, by lower-case name."""
    prefixes: Mapping[str, FieldMaker]
    """Makers of fields by the lower-case part before the first dot; may raise UnknownField."""
    bare: tuple[FieldMaker, ...]
    """What a key without a prefix may stand for; a condition holds if it holds for one of these."""
    searched: tuple[FilterField, ...]
    """The fields that a search looks into."""
    unescaped: tuple[FilterField, ...] = ()
    """Further ones, for a text that JSON inside JSON may write with escapes."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Words with a meaning of their own: lower-case word to SQL condition."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Words with a meaning in other lists only: lower-case word to the sentence that says so."""

    heads: Mapping[str, FilterField] = field(default_factory=dict)
    """Columns by their lower-case names in tables and JSON documents, where these differ. As values
    (`name = created`) such names are plain text."""

    def knows(self, name: str) -> bool:
        """Say whether a name is a column's or begins with a prefix, and so is not plain text."""
        prefix, _, key = name.partition(".")
        return name.lower() in self.columns or (bool(key) and prefix.lower() in self.prefixes)

    def resolve(self, name: str) -> tuple[FilterField, ...]:
        """Return the fields that a name may stand for, at least one.

        Raises:
            UnknownField: The list has no such field.
        """
        prefix, _, key = name.partition(".")
        if key and prefix.lower() in self.prefixes:
            return (self.prefixes[prefix.lower()](key),)
        if name.lower() in self.columns:
            return (self.columns[name.lower()],)
        if name.lower() in self.heads:
            return (self.heads[name.lower()],)
        if not name or not self.bare:
            known = ", ".join([*self.columns, *(f"{prefix}.<key>" for prefix in self.prefixes)])
            raise UnknownField(f"There is no field '{name}'; expected one of {known}.")
        return tuple(make(name) for make in self.bare)

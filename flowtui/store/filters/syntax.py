"""The tree that a filter expression is parsed into; every part carries its position in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "CONTAINS", "~"]


@dataclass(frozen=True, slots=True)
class Name:
    """A field's name without its quotes."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Word:
    """An unquoted value: a number, a quantity, a boolean, a field's name or plain text.

    Which of these it is depends on the field that it is compared with. Only the parts of a quantity
    and of a moment have a space between them: `1 h 30 m`, `2025-03-01 10:30`.
    """

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quoted value without its quotes."""

    text: str
    position: int


Literals: TypeAlias = Word | Quoted
Operand: TypeAlias = Name | Word | Quoted


@dataclass(frozen=True, slots=True)
class Search:
    """A word or quoted text that stands alone."""

    text: str
    position: int
    quoted: bool
    """Quoted text is always a search; a bare word may have a meaning of its own (`errors`)."""
    is_after_value: bool = False
    """Whether only a space separates it from the value of a comparison."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator operand`, or `field NOT LIKE operand` where `negated`."""

    field: Name
    operator: Operator
    operand: Operand
    position: int
    """Where the operator stands."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """`field IN (values)`, or `field NOT IN (values)` where `negated`."""

    field: Name
    values: tuple[Literals, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """`field BETWEEN low AND high`, or `field NOT BETWEEN ...` where `negated`; ends included."""

    field: Name
    low: Literals
    high: Literals
    negated: bool = False


@dataclass(frozen=True, slots=True)
class NullTest:
    """`field IS NULL`, or `field IS NOT NULL` where `negated`."""

    field: Name
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """Everything that the operand does not match."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more operands."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more operands."""

    operands: tuple[Expression, ...]


Leaf: TypeAlias = Search | Comparison | Membership | Range | NullTest
Expression: TypeAlias = Leaf | Not | And | Or

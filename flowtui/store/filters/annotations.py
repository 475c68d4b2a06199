"""What lists of annotated things can be asked about annotations.

A row holds its annotations in one column, a JSON array of [name, kind, text, value]. The text is as
stored, the value what it is compared as: 1 for `true`, 0 for `false`, a number for whole numbers,
else the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from flowtui.store.filters.fields import FieldKind, FieldMaker, FilterField
from flowtui.store.filters.syntax import (
    And,
    Comparison,
    Expression,
    Literals,
    Membership,
    Name,
    Not,
    Or,
    Quoted,
    Word,
)

_KINDS: Final = {
    "feedback": "feedback",
    "expectation": "expectation",
    "expectations": "expectation",
}
_PREFIXES: Final = {
    "annotations": "",
    "annotations_feedback": "feedback.",
    "annotations_expectation": "expectation.",
    "annotations_expectations": "expectation.",
}
_TEXT_PREFIX: Final = "annotation_text"
_PATTERNS: Final = frozenset({"LIKE", "ILIKE", "CONTAINS", "~"})
_PLAIN = re.compile(r"true|false|-?\d{1,18}", re.ASCII)


def annotation_prefixes(column: str) -> Mapping[str, FieldMaker]:
    """Return the prefixes of a list whose rows have annotations in a column."""

    def maker(prefix: str, index: int) -> FieldMaker:
        return lambda key: annotation(column, prefix + key, index)

    values = {name: maker(prefix, 3) for name, prefix in _PREFIXES.items()}
    return {**values, _TEXT_PREFIX: maker("", 2)}


def annotation(column: str, key: str, index: int = 3) -> FilterField:
    """Return the field of the annotations of a name, before which a kind and a dot may stand."""
    first, _, rest = key.partition(".")
    kind = _KINDS.get(first.lower()) if rest else None
    name = key if kind is None else rest
    sql = (
        f"SELECT json_extract(note.value, '$[{index}]') AS value FROM json_each({column}) AS note"
        " WHERE json_extract(note.value, '$[0]') = {0}"
    )
    if kind is not None:
        sql += f" AND json_extract(note.value, '$[1]') = '{kind}'"
    value_kind = FieldKind.TEXT if index == 2 else FieldKind.ANY
    return FilterField(f"annotations.{key}", value_kind, sql, (name,), rows=True, what="annotation")


def with_annotation_values(expression: Expression | None) -> Expression | None:
    """Return an expression that compares annotations as luml-sdk does, with their texts.

    In luml-sdk `"true"`, `true` and `1` all match the stored text true, and patterns match that
    text.
    """
    return None if expression is None else _changed(expression)


def _changed(expression: Expression) -> Expression:
    match expression:
        case Not(operand):
            return Not(_changed(operand))
        case And(operands):
            return And(tuple(map(_changed, operands)))
        case Or(operands):
            return Or(tuple(map(_changed, operands)))
        case Comparison() if _is_annotation(expression.field):
            return _compared(expression)
        case Membership(name, values) if _is_annotation(name):
            return replace(expression, values=tuple(map(_plain, values)))
        case _:
            return expression


def _compared(comparison: Comparison) -> Comparison:
    if comparison.operator in _PATTERNS:
        return replace(comparison, field=_text_name(comparison.field))
    if isinstance(comparison.operand, Name):
        return comparison
    return replace(comparison, operand=_plain(comparison.operand))


def _is_annotation(name: Name) -> bool:
    prefix, _, key = name.text.partition(".")
    return bool(key) and prefix.lower() in _PREFIXES


def _text_name(name: Name) -> Name:
    prefix, _, key = name.text.partition(".")
    return Name(f"{_TEXT_PREFIX}.{_PREFIXES[prefix.lower()]}{key}", name.position)


def _plain(literal: Literals) -> Literals:
    is_plain = isinstance(literal, Quoted) and _PLAIN.fullmatch(literal.text)
    return Word(literal.text, literal.position) if is_plain else literal

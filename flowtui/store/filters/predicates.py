"""What a comparison of one value means, as a small piece of SQL and what to bind into it.

Where luml-sdk accepts a comparison, its result is the same: `=` and `<` are SQLite's own, LIKE
ignores the case of ASCII letters (so does ILIKE), `true` is 1, a date is the text it is stored as,
and NULL matches nothing, `!=` included. A stored text that as a whole is a number is compared with
numbers as one; any other is never larger or smaller than a number. Quoted text is compared as text,
and two fields are equal only if both hold a number or both a text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flowtui.store.errors import FilterError
from flowtui.store.filters import functions
from flowtui.store.filters.fields import FieldKind, FilterField
from flowtui.store.filters.literals import moment_prefix, number
from flowtui.store.filters.syntax import Comparison, Literals, Operator, Quoted, Range, Word
from flowtui.store.natural import number_sql

MAX_PATTERN_CHARS: Final = 10_000
"""SQLite refuses a LIKE pattern of more than 50,000 bytes."""

_IS_NUMBER = "typeof({e}) IN ('integer', 'real')"
_IS_TEXT = "typeof({e}) = 'text'"
_NUMBER = number_sql("{e}")
_ORDERING = frozenset({"<", "<=", ">", ">="})
_PATTERNS = frozenset({"LIKE", "ILIKE", "CONTAINS", "~"})


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition on one value: `{e}` stands for the value, `{v}` for what is bound."""

    sql: str
    bound: object


def comparison_test(field: FilterField, node: Comparison, literal: Literals) -> Predicate:
    """Return the test of `field operator literal`, with `node.negated` already in it.

    Raises:
        FilterError: The operator or the literal does not suit the field.
    """
    if node.operator in _PATTERNS:
        return _pattern_test(field, node, literal)
    if field.kind is FieldKind.TIME:
        return _time_test(field, node.operator, literal)
    _refuse_name(field, node.operator, literal)
    bound = _bound(field, literal)
    if field.kind is FieldKind.TEXT or node.operator not in _ORDERING:
        return Predicate(f"{_compared(field, bound)} {node.operator} {{v}}", bound)
    if isinstance(bound, str):
        _refuse_bare(field, literal, node.operator)
        return Predicate(f"{_IS_TEXT} AND {{e}} {node.operator} {{v}}", bound)
    if field.kind is FieldKind.ANY:
        return Predicate(f"{_NUMBER} {node.operator} {{v}}", bound)
    if not field.rows:
        return Predicate(f"{{e}} {node.operator} {{v}}", bound)
    return Predicate(f"{_IS_NUMBER} AND {{e}} {node.operator} {{v}}", bound)


def range_test(field: FilterField, node: Range) -> Predicate:
    """Return the test of `field BETWEEN low AND high`, with `node.negated` already in it.

    Its ends are bound as a JSON array. All of the last day or month of a range of dates is within
    it.

    Raises:
        FilterError: An end does not suit the field or the other end, or the range is empty.
    """
    low, high = _bound(field, node.low), _bound(field, node.high)
    if field.kind is FieldKind.ANY:
        for literal, bound in ((node.low, low), (node.high, high)):
            if isinstance(bound, str):
                _refuse_bare(field, literal, "BETWEEN")
    first, last = "json_extract({v}, '$[0]')", "json_extract({v}, '$[1]')"
    value, known = "{e}", "TRUE"
    within = "{value} BETWEEN {first} AND {last}"
    if isinstance(low, str) and isinstance(high, str):
        is_empty = low > high
        if field.kind is FieldKind.ANY:
            known = _IS_TEXT
        elif field.kind is FieldKind.TIME:
            is_empty = is_empty and not low.startswith(high)
            # See `_time_test` for the plus.
            within = "+{value} >= {first} AND (+{value} <= {last} OR instr({value}, {last}) = 1)"
    elif isinstance(low, str) or isinstance(high, str):
        raise FilterError("Expected two numbers or two texts for BETWEEN.", node.high.position)
    else:
        is_empty = low > high
        value = _NUMBER if field.kind is FieldKind.ANY else value
    if is_empty:
        raise FilterError("Expected the lower value first after BETWEEN.", node.low.position)
    test = within.format(value=value, first=first, last=last)
    # NULL and values of another type match neither form.
    sql = f"{known} AND {'NOT ' if node.negated else ''}({test})"
    return Predicate(sql, f"[{_json(low)},{_json(high)}]")


def membership_test(
    field: FilterField, literals: Sequence[Literals], *, negated: bool
) -> Predicate:
    """Return the test of `field IN (literals)`; the list is bound as one JSON array.

    Raises:
        FilterError: A literal does not suit the field.
    """
    listed = "SELECT listed.value FROM json_each({v}) AS listed"
    sql = f"{{e}} {'NOT IN' if negated else 'IN'} ({listed})"
    if field.kind is FieldKind.ANY:
        # The number that a text stands for counts too; it does not equal any text of the list.
        sql += f" {'AND' if negated else 'OR'} coalesce({_NUMBER}, {{e}})"
        sql += f" {'NOT IN' if negated else 'IN'} ({listed})"
    if field.kind is FieldKind.TIME:
        exists = "NOT EXISTS" if negated else "EXISTS"
        sql = (
            f"{{e}} IS NOT NULL AND {exists} "
            f"({listed} WHERE listed.value = substr({{e}}, 1, length(listed.value)))"
        )
    return Predicate(sql, f"[{','.join(_json(_bound(field, literal)) for literal in literals)}]")


def contains_test(text: str) -> Predicate:
    """Return the test of a search: the text occurs in the value, ignoring case."""
    if text.isascii():
        return Predicate("instr(lower({e}), {v}) > 0", text.lower())
    return Predicate("contains_folded({v}, CAST({e} AS BLOB))", text)


def pair_test(node: Comparison, position: int) -> str:
    """Return the SQL that compares the values `{e}` and `{v}` of two fields.

    Raises:
        FilterError: The operator needs a literal.
    """
    if node.operator == "~":
        raise FilterError("Expected a quoted regular expression after ~.", position)
    if node.operator == "CONTAINS":
        sql = "instr(lower({e}), lower({v})) > 0"
    elif node.operator in _PATTERNS:
        sql = "{e} LIKE {v}"
    else:
        sql = f"{{e}} {node.operator} {{v}}"
    if node.operator in _ORDERING:
        number, other = f"({_NUMBER})", f"({number_sql('{v}')})"
        return (
            f"({number} IS NULL) = ({other} IS NULL)"
            f" AND coalesce({number}, {{e}}) {node.operator} coalesce({other}, {{v}})"
        )
    return f"NOT ({sql})" if node.negated else sql


def _compared(field: FilterField, bound: object) -> str:
    """Return the value that `=` and `!=` compare: a text that is a number counts as one."""
    if field.kind is not FieldKind.ANY or isinstance(bound, str):
        return "{e}"
    return f"coalesce({_NUMBER}, {{e}})"


def _bound(field: FilterField, literal: Literals) -> str | int | float:
    """Return the value of a literal as it is compared with a field."""
    text = literal.text
    if field.kind is FieldKind.TIME:
        return _moment(field, literal)
    if field.unit is None:
        _refuse_words(field, literal)
    if field.kind is FieldKind.TEXT:
        return text
    if field.kind is FieldKind.ANY and isinstance(literal, Quoted):
        return text
    value = number(text)
    if value is None and field.unit is not None:
        value = field.unit.value(text)
    if value is not None:
        return value
    if field.kind is FieldKind.ANY:
        return text
    expected = "a number" if field.unit is None else field.unit.expected
    raise FilterError(f"Expected {expected} for {field.name}.", literal.position)


def _refuse_words(field: FilterField, literal: Literals) -> None:
    """Refuse a quantity or a moment for a field that is not measured in one."""
    if isinstance(literal, Word) and " " in literal.text:
        raise FilterError(
            f"Expected one value for {field.name}, found '{literal.text[:30]}'; "
            "text with spaces stands in quotes.",
            literal.position,
        )


def _refuse_name(field: FilterField, operator: Operator, literal: Literals) -> None:
    """Refuse a word where a number is compared, and say how a field's name is written there."""
    is_any = field.kind is FieldKind.ANY and operator in _ORDERING
    if not is_any and (field.kind is not FieldKind.NUMBER or field.unit is not None):
        return
    text = literal.text
    if isinstance(literal, Word) and text[0].isalpha() and number(text) is None:
        raise FilterError(
            f"Expected a number{' or quoted text' if is_any else ''} for {field.name}; "
            f"a field to compare it with stands in backticks: `{text[:60]}`.",
            literal.position,
        )


def _refuse_bare(field: FilterField, literal: Literals, operator: str) -> None:
    """Refuse a bare word where numbers are compared in order: most often it is a misspelled number.

    The field's name in the message tells how it was understood.
    """
    if isinstance(literal, Word):
        raise FilterError(
            f"Expected a number or quoted text for {field.name} after {operator}, "
            f"found '{literal.text[:30]}'.",
            literal.position,
        )


def _moment(field: FilterField, literal: Literals) -> str:
    prefix = moment_prefix(literal.text)
    if prefix is None:
        raise FilterError(
            f"Expected a date such as 2025-03-01 or 2025-03-01 10:30 for {field.name}.",
            literal.position,
        )
    return prefix


def _time_test(field: FilterField, operator: Operator, literal: Literals) -> Predicate:
    """Return the test of a time: for `=` and `!=` a date is its whole span, else its start."""
    prefix = _moment(field, literal)
    if operator in _ORDERING:
        # The plus takes the type off the column: luml-sdk declares it so that '2025' turns into a
        # number, which every text is larger than.
        return Predicate(f"+{{e}} {operator} {{v}}", prefix)
    return Predicate(f"substr({{e}}, 1, length({{v}})) {operator} {{v}}", prefix)


def _pattern_test(field: FilterField, node: Comparison, literal: Literals) -> Predicate:
    if field.kind is FieldKind.NUMBER:
        raise FilterError(
            f"{field.name} holds numbers; expected one of = != < <= > >= IN.", node.position
        )
    _refuse_words(field, literal)
    pattern = literal.text
    if node.operator == "~":
        _check_regex(literal)
        fits = "regexp({v}, CAST({e} AS BLOB))"
        return Predicate(f"{{e}} IS NOT NULL AND NOT {fits}" if node.negated else fits, pattern)
    if len(pattern) > MAX_PATTERN_CHARS:
        raise FilterError(
            f"The pattern is too long; expected at most {MAX_PATTERN_CHARS} characters.",
            literal.position,
        )
    if node.operator == "CONTAINS":
        pattern = pattern if pattern.startswith("%") else "%" + pattern
        pattern = pattern if pattern.endswith("%") else pattern + "%"
    return Predicate(f"{{e}} {'NOT LIKE' if node.negated else 'LIKE'} {{v}}", pattern)


def _check_regex(literal: Literals) -> None:
    try:
        functions.compile_pattern(literal.text)
    except functions.PatternError as error:
        offset = error.offset + isinstance(literal, Quoted)
        raise FilterError(
            f"This regular expression cannot be used: {error}.", literal.position + offset
        ) from None


def _json(value: str | int | float) -> str:
    """Return a value as JSON, which has no infinity; SQLite reads a number too large as one."""
    if value in (float("inf"), float("-inf")):
        return "9e999" if value == float("inf") else "-9e999"
    return json.dumps(value)

"""Compiles the tree of a filter expression into one parameterised SQL condition.

NOT matches exactly the rows that its operand does not: a run without the metric matches
`NOT accuracy > 0.9`, while `accuracy != 0.9` asks for a value that differs. It is pushed down to
the single conditions, so that SQL nests no deeper than AND and OR do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias, TypeGuard

from flowtui.store.errors import FilterError
from flowtui.store.filters.fields import PREFIXES, FieldSet, FilterField, UnknownField
from flowtui.store.filters.predicates import (
    Predicate,
    comparison_test,
    contains_test,
    membership_test,
    pair_test,
    range_test,
)
from flowtui.store.filters.syntax import (
    And,
    Comparison,
    Expression,
    Leaf,
    Literals,
    Membership,
    Name,
    Not,
    NullTest,
    Or,
    Range,
    Search,
    Word,
)

_NEVER_ESCAPED = re.compile(r"[\w .,:;!?()-]*", re.ASCII)
"""Texts that every program writes into JSON as they are."""
Sides: TypeAlias = tuple[FilterField, FilterField | None]


@dataclass(frozen=True, slots=True)
class AskedKey:
    """A key in an expression, which a record may have or lack."""

    name: str
    """As it was typed, without its quotes: `scores.accuracy`, `lr`."""
    fields: tuple[FilterField, ...]
    """The fields that it may stand for."""
    sql: str
    """Tests whether a record has it; its parameters are those of the condition."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A SQL condition over one row of a list, and the values of its named parameters."""

    sql: str
    """It can stand beside AND, OR and NOT as it is."""
    params: Mapping[str, object]
    asked: tuple[AskedKey, ...] = ()
    """The keys in it, each once."""
    words: tuple[str, ...] = ()
    """Words that are searched for and might have been meant otherwise: several side by side, or
    one that is a field's name."""

    @property
    def asks_annotations(self) -> bool:
        """Whether other annotations may make it hold of other rows."""
        # All columns that are made of them are named so; what a person types is a parameter.
        return "annotation" in self.sql


def compile_filter(
    expression: Expression | None, fields: FieldSet, prefix: str = "filter"
) -> Condition:
    """Return the condition of an expression over the rows that `fields` describes.

    None gives a condition that is always true. Parameters are named `<prefix>_1`, `<prefix>_2` ...;
    the connection needs `register_functions`.

    Raises:
        FilterError: A field is unknown, or an operator or value does not suit it.
    """
    if expression is None:
        return Condition("TRUE", {})
    compiler = _Compiler(fields, prefix)
    sql = compiler.condition(expression, negated=False)
    asked = tuple(compiler.asked.values())
    return Condition(f"({sql})", compiler.params, asked, doubtful_words(expression, fields))


def sort_value(
    name: str, fields: FieldSet, prefix: str = "sort"
) -> tuple[str, Mapping[str, object]]:
    """Return SQL for the value of a name that rows are sorted by, and its parameters.

    Of several values or several fields, it takes the first one that exists.

    Raises:
        FilterError: The field is unknown.
    """
    compiler = _Compiler(fields, prefix)
    return compiler.first_value(Name(name, 0)), compiler.params


def values_sql(
    name: Name, fields: FieldSet, prefix: str = "value"
) -> tuple[str, Mapping[str, object]]:
    """Return a SELECT of all values of a name in a row, a column `value`, and its parameters.

    Raises:
        FilterError: The field is unknown.
    """
    compiler = _Compiler(fields, prefix)
    return compiler.all_values(name), compiler.params


def asked_key(name: str, fields: FieldSet, prefix: str = "sort") -> Condition | None:
    """Return the condition that a row has what a name stands for, None if all rows have it.

    Raises:
        FilterError: The field is unknown.
    """
    found = compile_filter(NullTest(Name(name, 0), negated=True), fields, prefix)
    return found if found.asked else None


class _Compiler:
    """Writes the SQL of one expression and collects what is bound into it."""

    def __init__(self, fields: FieldSet, prefix: str) -> None:
        self._fields = fields
        self._prefix = prefix
        self.params: dict[str, object] = {}
        self.asked: dict[str, AskedKey] = {}

    def condition(self, expression: Expression, *, negated: bool) -> str:
        match expression:
            case Not(operand):
                return self.condition(operand, negated=not negated)
            case And(operands) | Or(operands):
                parts = (self.condition(operand, negated=negated) for operand in operands)
                if isinstance(expression, And) is negated:
                    return " OR ".join(parts)
                return " AND ".join(
                    f"({part})" if _is_any(operand, negated) else part
                    for part, operand in zip(parts, operands, strict=True)
                )
            case _:
                sql = self._leaf(expression)
                return f"{sql} IS NOT TRUE" if negated else sql

    def _leaf(self, leaf: Leaf) -> str:
        """Return the SQL of one condition, in parentheses where needed."""
        match leaf:
            case Search():
                return self._search(leaf)
            case Comparison():
                return self._comparison(leaf)
            case Membership(name, values, negated):
                return _any_of(
                    self._alternatives(
                        ((field, None) for field in self._resolve(name)),
                        lambda field, _: self._membership(field, values, negated),
                    )
                )
            case Range(name):
                return _any_of(
                    self._alternatives(
                        ((field, None) for field in self._resolve(name)),
                        lambda field, _: self._range(field, leaf),
                    )
                )
            case NullTest(name, negated):
                present = _any_of([self._present(field) for field in self._resolve(name)])
                return present if negated else f"(NOT {present})"

    def _search(self, node: Search) -> str:
        word = node.text.lower()
        if not node.quoted and word in self._fields.refusals:
            raise FilterError(self._fields.refusals[word], node.position)
        if not node.quoted and word in self._fields.words:
            return f"({self._fields.words[word]})"
        refuse_after_value(node)
        test = contains_test(node.text)
        name = self._bind(test.bound)
        fields = self._fields.searched
        if not _NEVER_ESCAPED.fullmatch(node.text):
            fields += self._fields.unescaped
        return _any_of([self._holds(field, test.sql, name) for field in fields])

    def _comparison(self, node: Comparison) -> str:
        lefts = self._resolve(node.field)
        operand = node.operand
        if isinstance(operand, Name) or (
            isinstance(operand, Word) and self._fields.knows(operand.text)
        ):
            rights = self._resolve(Name(operand.text, operand.position))
            return _any_of(
                self._alternatives(
                    product(lefts, rights),
                    lambda left, right: self._pair(node, left, right or left),
                )
            )
        literal: Literals = operand
        return _any_of(
            self._alternatives(
                ((field, None) for field in lefts),
                lambda field, _: self._with_literal(field, node, literal),
            )
        )

    def _alternatives(
        self, sides: Iterable[Sides], compile_one: Callable[[FilterField, FilterField | None], str]
    ) -> list[str]:
        """Compile a condition for each field that a name may stand for and that it suits."""
        conditions: list[str] = []
        refusals: list[FilterError] = []
        for left, right in sides:
            try:
                conditions.append(compile_one(left, right))
            except FilterError as error:
                refusals.append(error)
        if not conditions:
            # The last field accepts the most, so its refusal says the most.
            raise refusals[-1]
        return conditions

    def _with_literal(self, field: FilterField, node: Comparison, literal: Literals) -> str:
        if field.excludes and _is_negative(node):
            return f"(NOT {self._with_literal(field, _positive(node), literal)})"
        return self._tested(field, comparison_test(field, node, literal))

    def _membership(self, field: FilterField, values: tuple[Literals, ...], negated: bool) -> str:
        if field.excludes and negated:
            return f"(NOT {self._membership(field, values, False)})"
        return self._tested(field, membership_test(field, values, negated=negated))

    def _range(self, field: FilterField, node: Range) -> str:
        if field.excludes and node.negated:
            return f"(NOT {self._range(field, replace(node, negated=False))})"
        return self._tested(field, range_test(field, node))

    def _pair(self, node: Comparison, left: FilterField, right: FilterField) -> str:
        if left.excludes and _is_negative(node):
            return f"(NOT {self._pair(_positive(node), left, right)})"
        sql = pair_test(node, node.operand.position)
        if not left.rows and not right.rows:
            return f"({sql.format(e=self._sql(left), v=self._sql(right))})"
        sources = f"({self._values(left)}) AS item, ({self._values(right)}) AS other"
        return (
            f"EXISTS (SELECT 1 FROM {sources} WHERE {sql.format(e='item.value', v='other.value')})"
        )

    def _tested(self, field: FilterField, test: Predicate) -> str:
        return self._holds(field, test.sql, self._bind(test.bound))

    def _present(self, field: FilterField) -> str:
        return self._holds(field, "{e} IS NOT NULL", "")

    def _has(self, field: FilterField) -> str:
        if field.present:
            return f"({field.present.format(*(self._bind(arg) for arg in field.args))})"
        return f"EXISTS ({self._sql(field)})"

    def first_value(self, name: Name) -> str:
        values = [f"(SELECT value FROM ({self._values(field)}))" for field in self._resolve(name)]
        return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"

    def all_values(self, name: Name) -> str:
        return " UNION ALL ".join(self._values(field) for field in self._resolve(name))

    def _holds(self, field: FilterField, test: str, bound: str) -> str:
        """Return the SQL of a test of a field's value, or of any of its values."""
        if not field.rows:
            return f"({test.format(e=self._sql(field), v=bound)})"
        condition = test.format(e="item.value", v=bound)
        return f"EXISTS (SELECT 1 FROM ({self._sql(field)}) AS item WHERE {condition})"

    def _values(self, field: FilterField) -> str:
        sql = self._sql(field)
        return sql if field.rows else f"SELECT {sql} AS value"

    def _sql(self, field: FilterField) -> str:
        return field.sql.format(*(self._bind(arg) for arg in field.args))

    def _resolve(self, name: Name) -> tuple[FilterField, ...]:
        try:
            found = self._fields.resolve(name.text)
        except UnknownField as error:
            raise FilterError(str(error), name.position) from None
        if name.text not in self.asked and all(field.what for field in found):
            sql = _any_of([self._has(field) for field in found])
            self.asked[name.text] = AskedKey(name.text, found, sql)
        return found

    def _bind(self, value: object) -> str:
        name = f"{self._prefix}_{len(self.params) + 1}"
        self.params[name] = value
        return f":{name}"


def _is_any(expression: Expression, negated: bool) -> bool:
    """Say whether the SQL of an expression is a bare OR."""
    while isinstance(expression, Not):
        expression, negated = expression.operand, not negated
    return isinstance(expression, And if negated else Or)


def doubtful_words(expression: Expression, fields: FieldSet) -> tuple[str, ...]:
    """Return the words for `Condition.words`."""
    match expression:
        case Not(operand):
            return doubtful_words(operand, fields)
        case And(operands) | Or(operands):
            words = [one.text for one in operands if _is_text(one, fields)]
            if isinstance(expression, And) and len(words) > 1:
                operands = tuple(one for one in operands if not isinstance(one, Search))
            else:
                words = []
            return (*words, *(word for one in operands for word in doubtful_words(one, fields)))
        case Search(text) if _is_text(expression, fields):
            prefix, _, key = text.partition(".")
            is_name = fields.knows(text) or (bool(key) and prefix.lower() in PREFIXES)
            return (text,) if is_name else ()
        case _:
            return ()


def refuse_after_value(node: Search) -> None:
    """Refuse a word that may be part of the value before it, such as an unknown unit.

    Raises:
        FilterError: The word is one.
    """
    if node.is_after_value and not node.quoted:
        raise FilterError(
            f"Expected AND or OR before '{node.text[:30]}', or quotes around a value with spaces.",
            node.position,
        )


def _is_text(node: Expression, fields: FieldSet) -> TypeGuard[Search]:
    return isinstance(node, Search) and not node.quoted and node.text.lower() not in fields.words


def _is_negative(node: Comparison) -> bool:
    return node.negated or node.operator == "!="


def _positive(node: Comparison) -> Comparison:
    return replace(node, operator="=" if node.operator == "!=" else node.operator, negated=False)


def _any_of(conditions: list[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"

"""The fields of the list of samples.

Conditions are over a row called `sample`, as `sample_relation` makes it, and need the functions
that it registers in addition to those of filters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from flowtui.store.filters.annotations import (
    annotation,
    annotation_prefixes,
    with_annotation_values,
)
from flowtui.store.filters.compiler import (
    Condition,
    compile_filter,
    doubtful_words,
    refuse_after_value,
)
from flowtui.store.filters.fields import FieldKind, FieldMaker, FieldSet, FilterField
from flowtui.store.filters.parser import parse
from flowtui.store.filters.syntax import And, Comparison, Expression, Name, Not, Or, Search, Word
from flowtui.store.filters.traces import PLAIN_KEY
from flowtui.store.samples.relation import value_sql
from flowtui.store.samples.values import JSON_COLUMNS

# How the SDK marks a sample that could not be evaluated, or on which a scorer failed.
_FAILED_SCORES = (
    "EXISTS (SELECT 1 FROM json_each(sample.scores) AS score WHERE score.key = 'error'"
    " OR substr(score.key, 1, 9) = '__error__')"
)
_NOTES = (
    "SELECT json_extract(note.value, '$[0]') || char(10) || json_extract(note.value, '$[2]')"
    " AS value FROM json_each(sample.annotations) AS note"
)
_UNESCAPED = re.compile(r"[a-z0-9 ]+", re.IGNORECASE | re.ASCII)
_SHOWN = "shown_text"
_SHOWS = "shows({{1}}, CAST({column} AS BLOB))"
_NO_ERROR = "('', 0, '[]', '{}')"
_ERROR_KEYS = ("error", "exception")
_WHAT = {
    "inputs": "input",
    "outputs": "output",
    "refs": "reference",
    "scores": "score",
    "metadata": "metadata",
}


def _any_value(column: str) -> FieldMaker:
    def maker(key: str) -> FilterField:
        name = f"sample.{column}"
        if PLAIN_KEY.fullmatch(key) and "." not in key:
            # Searching the text is faster than parsing it, and most columns do not have the key.
            present = f"CASE WHEN instr({name}_text, {{1}}) THEN {name} END"
            (sql, args), (type_, _) = value_sql(present, key), value_sql(present, key, "type")
            args = (*args, f'"{key}"')
        else:
            (sql, args), (type_, _) = value_sql(name, key), value_sql(name, key, "type")
        return FilterField(
            f"{column}.{key}",
            FieldKind.ANY,
            f"SELECT {sql} AS value",
            args,
            rows=True,
            what=_WHAT[column],
            present=f"{type_} IS NOT NULL",
        )

    return maker


def _any_annotation(key: str) -> FilterField:
    return annotation("sample.annotations", key)


def _shown(key: str) -> FilterField:
    """Return the field that says whether a sample shows a text: in ids, annotations, keys or
    values.

    JSON is searched as it is shown, its escapes resolved. Python does that, so a part of the text
    that cannot be written with escapes must be there as it is stored.
    """
    text = key[1:]
    part = max(_UNESCAPED.findall(text), key=len, default="").lower()
    if text.isascii():
        text = text.lower()
        test = "instr(lower({column}), {{1}}) > 0"
        json_test = f"CASE WHEN instr({{column}}, '\\') THEN {_SHOWS} ELSE {test} END"
    else:
        test, json_test = "contains_folded({{1}}, CAST({column} AS BLOB))", _SHOWS
    # SQLite may evaluate both sides of AND and OR, but of CASE only what it needs.
    found = f"WHEN CASE WHEN instr(lower({{column}}), {{{{0}}}}) > 0 THEN {json_test} END THEN 1"
    cases = [
        *(f"WHEN {test} THEN 1".format(column=column) for column in ("sample.id", _DATASET.sql)),
        *(found.format(column=f"sample.{column}_text") for column in JSON_COLUMNS),
        f"WHEN EXISTS (SELECT 1 FROM ({_NOTES}) AS shown"
        f" WHERE {test.format(column='shown.value')}) THEN 1",
    ]
    return FilterField("text", FieldKind.NUMBER, f"CASE {' '.join(cases)} ELSE 0 END", (part, text))


def _has_error(column: str, key: str) -> str:
    value = f"json_extract(sample.{column}, '$.{key}')"
    return f"coalesce({value} NOT IN {_NO_ERROR}, FALSE)"


_ID = FilterField("id", FieldKind.TEXT, "sample.id")
_DATASET = FilterField("dataset_id", FieldKind.TEXT, "sample.dataset_id")
_CREATED = FilterField("created_at", FieldKind.TIME, "sample.created_at")
_UPDATED = FilterField("updated_at", FieldKind.TIME, "sample.updated_at")
_ANNOTATION_COUNT = FilterField("annotation_count", FieldKind.NUMBER, "sample.annotation_count")
_TRACE_COUNT = FilterField("trace_count", FieldKind.NUMBER, "sample.trace_count")
_MAKERS: Mapping[str, FieldMaker] = {column: _any_value(column) for column in JSON_COLUMNS}
ERRORS_SQL: Final = " OR ".join(
    [
        _FAILED_SCORES,
        *(_has_error(column, key) for column in ("outputs", "metadata") for key in _ERROR_KEYS),
    ]
)
"""A score `error` or `__error__<scorer>`; an `error` or `exception` in outputs or metadata that is
not empty, zero, false or null."""
ANNOTATED_SQL: Final = "sample.annotation_count > 0"

_WORDS: Final = {"errors": ERRORS_SQL, "annotated": ANNOTATED_SQL}

SAMPLE_FIELDS: Final = FieldSet(
    columns={
        "id": _ID,
        "dataset_id": _DATASET,
        "dataset": _DATASET,
        "created_at": _CREATED,
        "updated_at": _UPDATED,
        "annotation_count": _ANNOTATION_COUNT,
        "trace_count": _TRACE_COUNT,
    },
    prefixes={**_MAKERS, **annotation_prefixes("sample.annotations"), _SHOWN: _shown},
    bare=(
        *(_MAKERS[column] for column in ("scores", "metadata", "inputs", "outputs", "refs")),
        _any_annotation,
    ),
    searched=(),
    words=_WORDS,
    heads={
        "sample": _ID,
        "set": _DATASET,
        "created": _CREATED,
        "updated": _UPDATED,
        "annotations": _ANNOTATION_COUNT,
        "traces": _TRACE_COUNT,
    },
)


def sample_condition(text: str, prefix: str = "filter") -> Condition:
    """Return the condition of a filter over the list of samples; a blank one is always true.

    Raises:
        FilterError: The filter is not understood; the error says what was expected, and where.
    """
    expression = parse(text)
    if expression is None:
        return compile_filter(None, SAMPLE_FIELDS, prefix)
    return condition_of_samples(expression, prefix)


def condition_of_samples(expression: Expression, prefix: str = "filter") -> Condition:
    """Return the condition of an expression over the list of samples.

    Raises:
        FilterError: As `sample_condition` does.
    """
    expression = with_annotation_values(expression) or expression
    condition = compile_filter(_with_searches(expression), SAMPLE_FIELDS, prefix)
    return replace(condition, words=doubtful_words(expression, SAMPLE_FIELDS))


def _with_searches(expression: Expression) -> Expression:
    """Return an expression whose searches are comparisons of `_shown` fields."""
    match expression:
        case Not(operand):
            return Not(_with_searches(operand))
        case And(operands):
            return And(tuple(map(_with_searches, operands)))
        case Or(operands):
            return Or(tuple(map(_with_searches, operands)))
        case Search(text, position, quoted) if quoted or text.lower() not in _WORDS:
            refuse_after_value(expression)
            # The sign keeps the key from being empty.
            name = Name(f"{_SHOWN}.={text}", position)
            return Comparison(name, "=", Word("true", position), position)
        case _:
            return expression

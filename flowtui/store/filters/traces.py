"""The fields of the list of traces.

Conditions are over a row called `trace` with the columns trace_id, name, state (0 unset, 1 ok, 2
error, 3 in progress), start (Unix ns), execution_time (ns), span_count, error_count, created_at
(text `YYYY-MM-DD HH:MM:SS`, UTC), sample_count, evals (JSON array of sample ids), annotation_count
and annotations (JSON array, see `annotations`), the table `spans`, and the functions trace_input,
trace_output, trace_session, trace_user and trace_model of `trace.rowid` (`traces/functions.py`).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from flowtui.store.decoding import if_json
from flowtui.store.filters.annotations import (
    annotation,
    annotation_prefixes,
    with_annotation_values,
)
from flowtui.store.filters.compiler import Condition, compile_filter
from flowtui.store.filters.fields import NANOSECONDS, FieldKind, FieldSet, FilterField, Unit
from flowtui.store.filters.parser import parse
from flowtui.store.genai.belonging import BELONGINGS

_STATES: Final = {
    "unspecified": 0,
    "state_unspecified": 0,
    "unset": 0,
    "ok": 1,
    "error": 2,
    "in_progress": 3,
}
_OF_TRACE = "FROM spans WHERE spans.trace_id = trace.trace_id"
PLAIN_KEY: Final = re.compile(r"[\w.:/ -]+", re.ASCII)
"""Keys that are written without escapes in JSON."""


def json_atoms(column: str, joined: str = "") -> str:
    """Return a SELECT of keys and values at every level, each key on a line above its value.

    Args:
        column: An expression; of one that is not JSON, its text is the only value.
        joined: A table that its values are joined to, with the words of the join.
    """
    sound = f"coalesce({if_json(column)}, json_quote(cast({column} as text)))"
    return (
        "SELECT coalesce(node.key, '') || char(10) || node.atom AS value"
        f" FROM {joined}json_tree({sound}) AS node"
        f" WHERE {column} IS NOT NULL AND node.atom IS NOT NULL"
    )


def inner_json_texts(column: str, joined: str = "") -> str:
    """Return a SELECT of the texts inside those values that are JSON with escapes themselves.

    The arguments are those of `json_atoms`.
    """
    return (
        "SELECT inner_texts(CAST(node.atom AS BLOB)) AS value"
        f" FROM {joined}json_tree({if_json(column)}) AS node"
        f" WHERE {column} IS NOT NULL AND typeof(node.atom) = 'text' AND instr(node.atom, '\\') > 0"
    )


def _state(text: str) -> Fraction | None:
    number = _STATES.get(text.lower())
    return None if number is None else Fraction(number)


class _States(Unit):
    """The states of a trace, which are numbers with names."""

    @property
    def expected(self) -> str:
        return f"{self.example}, or its number"


STATE_NAMES = _States("states", "ok, error, in_progress or unspecified", _state)


def _attribute(key: str) -> FilterField:
    """Return the field of an attribute of any span; what is not a JSON object has none."""
    sql = (
        "SELECT pair.value AS value FROM spans CROSS JOIN json_each("
        f"{if_json('spans.attributes')}) AS pair"
        " WHERE spans.trace_id = trace.trace_id AND pair.key = {0}"
    )
    if PLAIN_KEY.fullmatch(key):
        # Searching the text is faster than parsing it.
        sql += " AND instr(spans.attributes, {0}) > 0"
    return FilterField(f"attributes.{key}", FieldKind.ANY, sql, (key,), rows=True, what="attribute")


def _any_annotation(key: str) -> FilterField:
    return annotation("trace.annotations", key)


def _number(column: str) -> FilterField:
    return FilterField(column, FieldKind.NUMBER, f"trace.{column}")


def _in_spans(column: str) -> FilterField:
    return FilterField(
        column, FieldKind.TEXT, f"SELECT spans.{column} AS value {_OF_TRACE}", rows=True
    )


def _in_json(column: str) -> FilterField:
    atoms = json_atoms(f"spans.{column}", "spans CROSS JOIN ")
    return FilterField(
        column, FieldKind.TEXT, f"{atoms} AND spans.trace_id = trace.trace_id", rows=True
    )


def _inside_json(column: str) -> FilterField:
    texts = inner_json_texts(f"spans.{column}", "spans CROSS JOIN ")
    return FilterField(
        column, FieldKind.TEXT, f"{texts} AND spans.trace_id = trace.trace_id", rows=True
    )


_TRACE_ID = FilterField("trace_id", FieldKind.TEXT, "trace.trace_id")
_TIME = FilterField("execution_time", FieldKind.NUMBER, "trace.execution_time", unit=NANOSECONDS)

# It has parts of a second, all of which match a time without them.
_START = FilterField(
    "start", FieldKind.TIME, "strftime('%Y-%m-%d %H:%M:%f', trace.start / 1e9, 'unixepoch')"
)
_SPAN_COUNT = _number("span_count")
_ERROR_COUNT = _number("error_count")
_SAMPLE_COUNT = _number("sample_count")
_ANNOTATION_COUNT = _number("annotation_count")
_INPUT = FilterField("input", FieldKind.TEXT, "trace_input(trace.rowid)")
_OUTPUT = FilterField("output", FieldKind.TEXT, "trace_output(trace.rowid)")
_BELONGINGS = {
    what: FilterField(what, FieldKind.TEXT, f"trace_{what}(trace.rowid)") for what in BELONGINGS
}

TRACE_FIELDS: Final = FieldSet(
    columns={
        "trace_id": _TRACE_ID,
        "id": _TRACE_ID,
        "name": FilterField("name", FieldKind.TEXT, "trace.name"),
        "state": FilterField("state", FieldKind.NUMBER, "trace.state", unit=STATE_NAMES),
        "execution_time": _TIME,
        "duration": _TIME,
        "span_count": _SPAN_COUNT,
        "error_count": _ERROR_COUNT,
        "sample_count": _SAMPLE_COUNT,
        "annotation_count": _ANNOTATION_COUNT,
        "created_at": FilterField("created_at", FieldKind.TIME, "trace.created_at"),
        "evals": FilterField(
            "evals",
            FieldKind.TEXT,
            "SELECT sample.value AS value FROM json_each(trace.evals) AS sample",
            rows=True,
            excludes=True,
        ),
    },
    prefixes={"attributes": _attribute, **annotation_prefixes("trace.annotations")},
    bare=(_attribute, _any_annotation),
    searched=(
        _TRACE_ID,
        _in_spans("name"),
        _in_spans("status_message"),
        _in_json("attributes"),
        _in_json("events"),
    ),
    unescaped=(_inside_json("attributes"), _inside_json("events")),
    words={"errors": "trace.error_count > 0", "annotated": "trace.annotation_count > 0"},
    heads={
        "trace": _TRACE_ID,
        "start": _START,
        "started": _START,
        "started_at": _START,
        "duration_ns": _TIME,
        "spans": _SPAN_COUNT,
        "errors": _ERROR_COUNT,
        "samples": _SAMPLE_COUNT,
        "annotations": _ANNOTATION_COUNT,
        # These are common words, which stay text on the right of a comparison.
        "input": _INPUT,
        "output": _OUTPUT,
        **_BELONGINGS,
    },
)


def trace_condition(text: str, prefix: str = "filter") -> Condition:
    """Return the condition of a filter over the list of traces; a blank one is always true.

    Raises:
        FilterError: The filter is not understood; the error says what was expected, and where.
    """
    return compile_filter(with_annotation_values(parse(text)), TRACE_FIELDS, prefix)

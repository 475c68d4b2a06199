"""The fields of a search in one trace: the same words as in the list of traces, about its spans.

Conditions are over a row called `span` with the columns span_id, name, title (what it is shown as),
state (status_code), duration (ns), status_message, attributes, events, annotation_count and
annotations (JSON array, see `annotations`).
"""

from __future__ import annotations

from typing import Final

from flowtui.store.decoding import if_json
from flowtui.store.errors import FilterError
from flowtui.store.filters.annotations import (
    annotation,
    annotation_prefixes,
    with_annotation_values,
)
from flowtui.store.filters.compiler import Condition, compile_filter
from flowtui.store.filters.fields import NANOSECONDS, FieldKind, FieldSet, FilterField
from flowtui.store.filters.functions import IGNORING_CASE, PatternError, compile_pattern
from flowtui.store.filters.parser import parse
from flowtui.store.filters.syntax import Comparison, Name, Quoted
from flowtui.store.filters.traces import (
    PLAIN_KEY,
    STATE_NAMES,
    inner_json_texts,
    json_atoms,
)


def _attribute(key: str) -> FilterField:
    sql = (
        "SELECT pair.value AS value FROM json_each("
        f"{if_json('span.attributes')}) AS pair"
        " WHERE pair.key = {0}"
    )
    if PLAIN_KEY.fullmatch(key):
        sql += " AND instr(span.attributes, {0}) > 0"
    return FilterField(f"attributes.{key}", FieldKind.ANY, sql, (key,), rows=True, what="attribute")


def _any_annotation(key: str) -> FilterField:
    return annotation("span.annotations", key)


def _json(column: str) -> FilterField:
    return FilterField(column, FieldKind.TEXT, json_atoms(f"span.{column}"), rows=True)


_ID = FilterField("span_id", FieldKind.TEXT, "span.span_id")
_NAME = FilterField("name", FieldKind.TEXT, "span.title")
_STORED_NAME = FilterField("name", FieldKind.TEXT, "span.name")
_MESSAGE = FilterField("status_message", FieldKind.TEXT, "span.status_message")
_TIME = FilterField("duration", FieldKind.NUMBER, "span.duration", unit=NANOSECONDS)
_TEXT = FilterField(
    "text",
    FieldKind.TEXT,
    "SELECT span.name AS value UNION ALL SELECT span.status_message"
    f" UNION ALL {json_atoms('span.attributes')} UNION ALL {json_atoms('span.events')}",
    rows=True,
)

_INNER_TEXT = FilterField(
    "text",
    FieldKind.TEXT,
    f"{inner_json_texts('span.attributes')} UNION ALL {inner_json_texts('span.events')}",
    rows=True,
)

SPAN_FIELDS: Final = FieldSet(
    columns={
        "span_id": _ID,
        "id": _ID,
        "name": _NAME,
        "state": FilterField("state", FieldKind.NUMBER, "span.state", unit=STATE_NAMES),
        "duration": _TIME,
        "execution_time": _TIME,
        "status_message": _MESSAGE,
        "text": _TEXT,
        "annotation_count": FilterField(
            "annotation_count", FieldKind.NUMBER, "span.annotation_count"
        ),
    },
    prefixes={"attributes": _attribute, **annotation_prefixes("span.annotations")},
    bare=(_attribute, _any_annotation),
    # What a name is shown as stands among the attributes, where it differs.
    searched=(_ID, _STORED_NAME, _MESSAGE, _json("attributes"), _json("events")),
    unescaped=(_INNER_TEXT,),
    words={"errors": "span.state = 2", "annotated": "span.annotation_count > 0"},
)


def span_condition(text: str, prefix: str = "filter") -> Condition:
    """Return the condition of a search: an expression, text, or a /regular expression/.

    Raises:
        FilterError: The search is not understood; the error says what was expected, and where.
    """
    if text.startswith("/") and len(text) > 1:
        body = text[1:].removesuffix("/")
        try:
            compile_pattern(body)
        except PatternError as error:
            raise FilterError(str(error), error.offset + 1) from None
        matches = Comparison(Name("text", 0), "~", Quoted(IGNORING_CASE + body, 1), 0)
        return compile_filter(matches, SPAN_FIELDS, prefix)
    return compile_filter(with_annotation_values(parse(text)), SPAN_FIELDS, prefix)

"""The spans of one trace (exp.db: spans): the skeleton of all, everything of some."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from flowtui.store import reading
from flowtui.store.annotation_values import SampleTarget
from flowtui.store.annotations import span_counts
from flowtui.store.database import table_columns
from flowtui.store.genai import SpanKind, Usage, is_pending, pending_parent, span_kind, usage
from flowtui.store.trace_values import Attributes, Span, SpanDetail, SpanEvent, SpanLink
from flowtui.store.values import JsonValue

TEXT_CHARS = 500_000
"""An attribute's text is kept up to here: more than anybody reads without a pager."""

_DECODER = json.JSONDecoder()
_SKELETON = (
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "dfs_span_type",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "status_code",
    "attributes",
)
_DETAIL = (*_SKELETON, "status_message", "events", "links", "trace_flags", "created_at")


def spans(connection: sqlite3.Connection, trace_id: str) -> tuple[Span, ...]:
    """Return all spans of a trace by their start, what started together by its end, last first.

    Attributes that are no JSON say nothing, and do not fail the read.

    Source: spans, span_annotations.
    """
    present = table_columns(connection, "spans")
    if not present:
        return ()
    columns = reading.select_list(_SKELETON, present, "spans")
    # Sorted here: SQLite's sorter would copy all the attributes.
    rows = connection.execute(
        f"select {columns} from spans where trace_id = cast(? as text)",
        [reading.as_sql(trace_id)],
    )
    annotated = span_counts(connection, trace_id)
    counts = {target.span_id: count for target, count in annotated.items()}
    found = [_span(trace_id, row, counts) for row in rows]
    found.sort(key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
    return tuple(found)


def mark(connection: sqlite3.Connection, trace_id: str) -> tuple[int, int]:
    """Return how many spans a trace has and the last rowid: what new spans change."""
    if not table_columns(connection, "spans"):
        return 0, 0
    count, last = connection.execute(
        "select count(*), coalesce(max(rowid), 0) from spans where trace_id = cast(? as text)",
        [reading.as_sql(trace_id)],
    ).fetchone()
    return count, last


def samples(connection: sqlite3.Connection, trace_id: str) -> tuple[SampleTarget, ...]:
    """Return the samples of eval sets that are linked to a trace, in the order of linking.

    Source: eval_traces_bridge.
    """
    if not table_columns(connection, "eval_traces_bridge"):
        return ()
    rows = connection.execute(
        "select eval_dataset_id, eval_id from eval_traces_bridge"
        " where trace_id = cast(? as text) group by eval_dataset_id, eval_id order by min(rowid)",
        [reading.as_sql(trace_id)],
    )
    return tuple(SampleTarget(reading.text(dataset), reading.text(id_)) for dataset, id_ in rows)


def detail(
    connection: sqlite3.Connection, trace_id: str, span_id: str, text_chars: int | None = TEXT_CHARS
) -> SpanDetail | None:
    """Return everything of one span, None if there is no such span.

    Args:
        connection: exp.db's.
        trace_id: which trace.
        span_id: which span of it.
        text_chars: attribute texts are cut after so many characters; None for none of them.
    """
    return details(connection, trace_id, [span_id], text_chars).get(span_id)


def details(
    connection: sqlite3.Connection,
    trace_id: str,
    span_ids: Sequence[str],
    text_chars: int | None = TEXT_CHARS,
) -> dict[str, SpanDetail]:
    """Return everything of some spans by id; those that are not there are left out."""
    present = table_columns(connection, "spans")
    if not present:
        return {}
    of_trace = (
        f"select {reading.select_list(_DETAIL, present, 'spans')} from spans"
        " where trace_id = cast(? as text) and"
    )
    sql = f"{of_trace} span_id = cast(? as text)"
    found: dict[str, SpanDetail] = {}
    for span_id in span_ids:
        rows = connection.execute(sql, [reading.as_sql(trace_id), reading.as_sql(span_id)])
        for values in rows:
            found[span_id] = _detail(trace_id, dict(zip(_DETAIL, values, strict=True)), text_chars)
    missing = frozenset(span_ids) - found.keys()
    if missing:
        # Of an id that is no text, a text was made to show it.
        odd = f"{of_trace} typeof(span_id) <> 'text'"
        for values in connection.execute(odd, [reading.as_sql(trace_id)]):
            row = dict(zip(_DETAIL, values, strict=True))
            if (shown := _shown_id(row["span_id"])) in missing:
                found[shown] = _detail(trace_id, row, text_chars)
    return found


def own_usage(raw: object) -> Usage | None:
    """Return the usage that a text of attributes reports; most report none and are not parsed."""
    return usage(_object(raw)) if isinstance(raw, str) and _may_have_usage(raw) else None


def parent(value: object) -> str | None:
    """Return a parent's id; an empty one and one of zeros stand for none."""
    text = reading.text(value)
    return text if text.strip("0") else None


def whole(value: object) -> int:
    """Return an integer column; what is none counts as zero."""
    return value if isinstance(value, int) else 0


def _shown_id(value: object) -> str:
    """Return an id as text; none at all differs from an empty one."""
    return "NULL" if value is None else reading.text(value)


def whole_sql(column: str) -> str:
    """Return SQL for an integer column, NULL where it is none."""
    return f"case typeof({column}) when 'integer' then {column} end"


def _may_have_usage(raw: str) -> bool:
    """Say whether `genai.usage` may find something; a search takes a tenth of parsing."""
    return "usage." in raw or "token_count." in raw or "tokenUsage" in raw or "llm.cost" in raw


def _may_name_kind(raw: str) -> bool:
    """Say whether `genai.span_kind` or `genai.is_pending` may find something."""
    return (
        "gen_ai.operation.name" in raw
        or "span.kind" in raw
        or "llm.request.type" in raw
        or "mlflow.spanType" in raw
        or "pending_span" in raw
    )


@lru_cache(maxsize=64)
def _guessed_kind(span_type: int) -> SpanKind:
    return span_kind({}, span_type)


def _span(trace_id: str, row: Sequence[object], annotated: Mapping[str, int]) -> Span:
    span_id, parent_id, name, *numbers, raw = row
    # One loop, not a call for each: this is done 30,000 times before a large trace shows.
    kind, type_, start, end, status = [n if isinstance(n, int) else 0 for n in numbers]
    text = raw if isinstance(raw, str) else ""
    has_usage = _may_have_usage(text)
    attributes = _object(text) if has_usage or _may_name_kind(text) else {}
    pending = is_pending(attributes)
    id_ = span_id if isinstance(span_id, str) else _shown_id(span_id)
    return Span(
        trace_id,
        id_,
        parent(parent_id),
        reading.text(name),
        kind,
        type_,
        span_kind(attributes, type_) if attributes else _guessed_kind(type_),
        start,
        end,
        status,
        usage(attributes) if has_usage else None,
        annotated.get(id_, 0),
        pending,
        pending_parent(attributes) if pending else None,
    )


def _object(raw: str) -> dict[str, JsonValue]:
    try:
        parsed = _DECODER.decode(raw)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _detail(trace_id: str, row: Mapping[str, object], text_chars: int | None) -> SpanDetail:
    problems: list[str] = []
    unparsed: dict[str, str] = {}

    def parsed(column: str, kind: type[Any], noun: str) -> Any:
        value, problem = _parsed(row[column], kind, noun)
        if problem is not None:
            problems.append(f"{column} {problem}")
            unparsed[column] = reading.text(row[column])[:text_chars]
        return kind() if value is None else value

    attributes: dict[str, JsonValue] = parsed("attributes", dict, "an object")
    events: list[JsonValue] = parsed("events", list, "a list")
    links: list[JsonValue] = parsed("links", list, "a list")

    if not isinstance(row["span_id"], str):
        problems.append("span_id is no text, so that the span cannot be annotated")

    def number(column: str, is_needed: bool = False) -> int:
        value = reading.integer(row[column], column, problems)
        if row[column] is None and is_needed:
            problems.append(f"{column} is missing")
        return value or 0

    span_type = number("dfs_span_type")
    return SpanDetail(
        trace_id=trace_id,
        span_id=_shown_id(row["span_id"]),
        parent_id=parent(row["parent_span_id"]),
        name=reading.text(row["name"]),
        kind=number("kind"),
        span_type=span_type,
        genai_kind=span_kind(attributes, span_type),
        start_ns=number("start_time_unix_nano", is_needed=True),
        end_ns=number("end_time_unix_nano", is_needed=True),
        status_code=number("status_code"),
        status_message=reading.optional_text(row["status_message"]),
        attributes=_bounded(attributes, text_chars),
        events=tuple(_event(event, text_chars, problems) for event in events),
        links=tuple(_link(link, text_chars, problems) for link in links),
        trace_flags=reading.integer(row["trace_flags"], "trace_flags", problems),
        created_at=reading.timestamp(row["created_at"], "created_at", problems),
        usage=usage(attributes),
        sizes={name: len(reading.text(row[name])) for name in ("attributes", "events", "links")},
        unparsed=unparsed,
        problems=tuple(problems),
    )


def _parsed(value: object, kind: type[Any], noun: str) -> tuple[Any, str | None]:
    """Return the object or list that a column holds, None for nothing, and what is wrong."""
    if value is None or value == "":
        return None, None
    try:
        parsed = json.loads(reading.text(value))
    except json.JSONDecodeError as error:
        return None, f"is broken JSON at character {error.pos + 1:,}"
    except (ValueError, RecursionError):
        return None, "is JSON that is nested too deeply or holds too long a number"
    if parsed is None or isinstance(parsed, kind):
        return parsed, None
    return None, f"is JSON, and not {noun}"


def _bounded(values: object, text_chars: int | None) -> Attributes:
    if not isinstance(values, dict):
        return Attributes()
    cut = {
        key: len(value)
        for key, value in values.items()
        if text_chars is not None and isinstance(value, str) and len(value) > text_chars
    }
    return Attributes(
        {key: value[:text_chars] if key in cut else value for key, value in values.items()}, cut
    )


def _event(event: JsonValue, text_chars: int | None, problems: list[str]) -> SpanEvent:
    if not isinstance(event, dict):
        problems.append("events holds an item that is no object")
        return SpanEvent("", None, Attributes({"value": event}))
    moment = event.get("timestamp")
    if isinstance(moment, bool) or not isinstance(moment, int):
        problems.append("events holds an event without a time")
        moment = None
    name = event.get("name")
    attributes = _bounded(event.get("attributes"), text_chars)
    return SpanEvent(name if isinstance(name, str) else "", moment, attributes)


def _link(link: JsonValue, text_chars: int | None, problems: list[str]) -> SpanLink:
    if not isinstance(link, dict):
        problems.append("links holds an item that is no object")
        return SpanLink("", "", Attributes({"value": link}))
    trace_id, span_id = link.get("trace_id"), link.get("span_id")
    return SpanLink(
        trace_id if isinstance(trace_id, str) else "",
        span_id if isinstance(span_id, str) else "",
        _bounded(link.get("attributes"), text_chars),
    )

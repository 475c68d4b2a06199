"""Samples as SQL sees them: one row a sample, with JSON columns that SQLite can read.

The SDK writes NaN and infinities as Python does, and SQLite's JSON functions fail on such a text.
Only those texts go through Python: `sound_json` returns them with null for NaN, and with a number
that overflows for an infinity.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from typing import Final, Literal

from flowtui.store import decoding
from flowtui.store.annotations.listing import AS_FILTERED
from flowtui.store.database import table_columns
from flowtui.store.samples.values import JSON_COLUMNS
from flowtui.store.values import JsonValue

PLAIN: Final = ("id", "dataset_id", "created_at", "updated_at")
_INDEX = re.compile(r"(?P<key>.+?)(?P<index>(?:\[(?:\d{1,9}|#-\d{1,9})\])+)", re.DOTALL)
# In a path, SQLite ends a quoted key at the first quote, escaped or not.
_NO_PATH = re.compile(r'["\\\x00-\x1f]')
_ESCAPES = re.compile(r"(?:\\(?:u[0-9a-fA-F]{4}|[^u]))+", re.DOTALL)

# Neither table has an index on the sample, so a query for each sample would read all of it each
# time.
_ANNOTATIONS = f"""(select dataset_id, eval_id, count(*) as annotation_count,
  {AS_FILTERED} as annotations
  from eval_annotations group by dataset_id, eval_id) as annotated
  on annotated.dataset_id = evals.dataset_id and annotated.eval_id = evals.id"""
_TRACES = """(select eval_dataset_id, eval_id, count(distinct trace_id) as trace_count
  from eval_traces_bridge group by eval_dataset_id, eval_id) as traced
  on traced.eval_dataset_id = evals.dataset_id and traced.eval_id = evals.id"""
_JOINED: Final = {
    "annotation_count": (
        "eval_annotations",
        _ANNOTATIONS,
        "coalesce(annotated.annotation_count, 0)",
        "0",
    ),
    "annotations": ("eval_annotations", _ANNOTATIONS, "annotated.annotations", "null"),
    "trace_count": ("eval_traces_bridge", _TRACES, "coalesce(traced.trace_count, 0)", "0"),
}


def relation(connection: sqlite3.Connection, used: str, dataset: str | None = None) -> str:
    """Return the WITH clause that makes `sample`: one row a sample, the same in any schema.

    Columns: rowid, id, dataset_id, created_at, updated_at; inputs, outputs, refs, scores,
    metadata as sound JSON or NULL; inputs_text ... as stored; annotation_count, trace_count;
    annotations (JSON array, see `filters.annotations`).

    Args:
        connection: A connection to an exp.db with the table evals; needs `register_functions`.
        used: SQL that names the columns it needs as `sample.<column>`; no others are computed.
        dataset: The eval set of the samples, bound as `:dataset`; None for all.
    """
    present = table_columns(connection, "evals")
    columns = ["evals.rowid as rowid", decoding.select_list(PLAIN, present, "evals")]
    joins: dict[str, str] = {}
    for name in JSON_COLUMNS:
        if f"sample.{name}" in used:
            stored = f"evals.{name}" if name in present else "null"
            columns += [f"{sound(stored)} as {name}", f"{stored} as {name}_text"]
    for name, (table, subquery, sql, without) in _JOINED.items():
        if f"sample.{name}" not in used:
            continue
        if table_columns(connection, table):
            joins[table] = f"left join {subquery}"
            columns.append(f"{sql} as {name}")
        else:
            columns.append(f"{without} as {name}")
    where = "" if dataset is None else "where evals.dataset_id = cast(:dataset as text)"
    return f"""with sample as (
  select {", ".join(columns)} from evals {" ".join(joins.values())} {where})"""


def dataset_parameter(dataset: str | None) -> dict[str, object]:
    """Return the parameters of `relation`."""
    return {} if dataset is None else {"dataset": decoding.as_sql(dataset)}


def sound(column: str) -> str:
    """Return SQL for a JSON text that SQLite can read, NULL where it is broken."""
    return (
        f"case when typeof({column}) <> 'blob' and json_valid({column}) then {column}"
        f" when {column} is not null then sound_json(cast({column} as blob)) end"
    )


def value_sql(
    column: str, key: str, part: Literal["value", "type"] = "value"
) -> tuple[str, tuple[str, ...]]:
    """Return SQL for the value under a key of a JSON object, and the values of `{0}`, `{1}` ...

    If there is no such key, it is the value at the path that dots and `[n]` in it spell. A key that
    holds a quote or a backslash is found only at the top.

    Args:
        column: An expression for sound JSON.
        key: The key, which may be any text.
        part: The value, or its type as SQLite names it (`true`, `text`, `object` ...).
    """
    if _NO_PATH.search(key):
        text = key.encode("utf-8", "replace").decode()
        return f"(SELECT {part} FROM json_each({column}) WHERE key = {{0}})", (text,)
    levels = key.split(".")
    paths = _spellings([f'"{key}"'])
    nested = [_level(level) for level in levels]
    if nested != [f'"{key}"']:
        paths += _spellings(nested)
    function = "json_extract" if part == "value" else "json_type"
    values = [f"{function}({column}, {{{n}}})" for n in range(len(paths))]
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})", tuple(paths)


def _level(key: str) -> str:
    match = _INDEX.fullmatch(key)
    return f'"{key}"' if match is None else f'"{match["key"]}"{match["index"]}'


def _spellings(levels: list[str]) -> list[str]:
    """Return a path spelled with and without escapes, since SQLite may not unescape keys."""
    path = "$." + ".".join(levels)
    if path.isascii():
        return [path]
    escaped = json.dumps(path)[1:-1].replace('\\"', '"')
    try:
        path.encode()
    except UnicodeEncodeError:
        return [escaped]
    return [escaped, path]


def register_functions(connection: sqlite3.Connection) -> None:
    """Register the functions that `relation` and conditions over it need."""
    connection.create_function("sound_json", 1, sound_json, deterministic=True)
    connection.create_function("shows", 2, shows, deterministic=True)
    connection.create_function("differs", 2, differs, deterministic=True)


def sound_json(raw: bytes) -> str | None:
    """Return a JSON text without NaN and infinities, None if it is not JSON."""
    try:
        return json.dumps(_sound(json.loads(raw.decode("utf-8", "replace"))))
    except (ValueError, RecursionError):
        return None


def shows(needle: str, raw: bytes) -> bool:
    """Say whether a JSON text, as a person reads it, contains a text, ignoring case."""
    return needle.casefold() in unescaped(raw.decode("utf-8", "replace")).casefold()


def unescaped(text: str) -> str:
    """Return a JSON text with the escapes in its texts resolved."""
    # All of it is parsed as one JSON text, which takes a tenth of the time of one escape after
    # another.
    quoted = text.replace("\\\\", "\0").replace('\\"', '"').replace('"', '\\"')
    try:
        whole: str = json.loads(f'"{quoted.replace(chr(0), chr(92) * 2)}"', strict=False)
    except ValueError:
        return _ESCAPES.sub(_resolved, text)
    return whole


def differs(outputs: bytes | None, refs: bytes | None) -> bool:
    """Say whether an output is not what the reference asks for.

    Of two objects, the values under the keys that both have are compared; if they share none and
    each has only one value, these two are. Everything else is compared as a whole. Spaces around
    texts do not count; `1` equals `1.0`, but not `true`. Without a reference nothing differs.
    """
    if refs is None:
        return False
    expected = _loaded(refs)
    if expected is None or expected == {}:
        return False
    actual = None if outputs is None else _loaded(outputs)
    if not isinstance(actual, dict) or not isinstance(expected, dict):
        return not _same(actual, expected)
    shared = actual.keys() & expected.keys()
    if not shared and len(actual) == len(expected) == 1:
        return not _same([*actual.values()], [*expected.values()])
    return not all(_same(actual[key], expected[key]) for key in shared)


def _resolved(match: re.Match[str]) -> str:
    try:
        text: str = json.loads(f'"{match.group()}"', strict=False)
    except ValueError:
        return match.group()
    return text


def _loaded(raw: bytes) -> JsonValue:
    """Return the value of a JSON text; a broken one is returned as text."""
    text = raw.decode("utf-8", "replace")
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def _same(value: JsonValue, other: JsonValue) -> bool:
    if isinstance(value, str) and isinstance(other, str):
        return value.strip() == other.strip()
    return _comparable(value) == _comparable(other)


def _comparable(value: JsonValue) -> object:
    match value:
        case str():
            return value.strip()
        case bool():
            return ("bool", value)
        case float() if math.isnan(value):
            return ("nan",)
        case list():
            return [_comparable(item) for item in value]
        case dict():
            return {key: _comparable(item) for key, item in value.items()}
        case _:
            return value


def _sound(value: JsonValue) -> JsonValue:
    match value:
        case float() if math.isnan(value):
            return None
        case float() if math.isinf(value):
            return 10**400 if value > 0 else -(10**400)
        case list():
            return [_sound(item) for item in value]
        case dict():
            return {key: _sound(item) for key, item in value.items()}
        case _:
            return value

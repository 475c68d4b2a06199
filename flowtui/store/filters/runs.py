"""The fields of the list of runs.

Conditions are over a row called `run` with the columns id, name, status, description, group_id,
group_name, created_at (text `YYYY-MM-DD HH:MM:SS`, UTC), duration (seconds), tags (JSON list),
source, upload_status, metadata, params and metrics (JSON objects; last value per metric). JSON
columns hold valid JSON or NULL.
"""

from __future__ import annotations

from typing import Final

from flowtui.store.decoding import if_json
from flowtui.store.filters.compiler import Condition, compile_filter
from flowtui.store.filters.fields import SECONDS, FieldKind, FieldSet, FilterField, UnknownField
from flowtui.store.filters.parser import parse

MAX_KEY_LEVELS: Final = 16
"""How deep keys may be: each level joins one more table, of which SQLite takes 64."""


def _text(name: str) -> FilterField:
    return FilterField(name, FieldKind.TEXT, f"run.{name}")


# The list as it is stored counts as one more tag: luml-sdk's patterns such as '%"prod"%' are
# written against it. An empty list is no tag at all. SQLite may replace `run.tags` by the text that
# tags are compared with, which then need not be JSON.
_TAG_LIST = f"SELECT value FROM json_each({if_json('run.tags')})"
_TAGS = FilterField(
    "tags",
    FieldKind.TEXT,
    f"{_TAG_LIST} UNION ALL SELECT run.tags WHERE run.tags != '[]'",
    rows=True,
    excludes=True,
)

_ATTRIBUTES = {
    name: _text(name)
    for name in (
        "id",
        "name",
        "status",
        "description",
        "group_id",
        "group_name",
        "source",
        "upload_status",
    )
} | {
    "created_at": FilterField("created_at", FieldKind.TIME, "run.created_at"),
    "duration": FilterField("duration", FieldKind.NUMBER, "run.duration", unit=SECONDS),
}


def _attribute(key: str) -> FilterField:
    if key.lower() not in _ATTRIBUTES:
        known = ", ".join(_ATTRIBUTES)
        raise UnknownField(f"Runs have no attribute '{key}'; expected one of {known}.")
    return _ATTRIBUTES[key.lower()]


def _tag(_key: str) -> FilterField:
    """Return the tags for any key, as luml-sdk does: a tag is a word without a value."""
    return _TAGS


def _metric(key: str) -> FilterField:
    sql = "SELECT value FROM json_each(run.metrics) WHERE key = {0}"
    return FilterField(f"metric.{key}", FieldKind.NUMBER, sql, (key,), rows=True, what="metric")


def _param(key: str) -> FilterField:
    return _json_field(f"param.{key}", "run.params", key, "parameter")


def _metadata(key: str) -> FilterField:
    return _json_field(f"metadata.{key}", "run.metadata", key, "metadata")


def _json_field(name: str, column: str, key: str, what: str) -> FilterField:
    """Return the field of a key of a JSON object, or of the path that its dots spell."""
    levels = key.split(".")
    if len(levels) > MAX_KEY_LEVELS:
        raise UnknownField(f"The key is too deep; expected at most {MAX_KEY_LEVELS} levels.")
    literal = f"SELECT value FROM json_each({column}) WHERE key = {{0}}"
    if len(levels) == 1:
        return FilterField(name, FieldKind.ANY, literal, (key,), rows=True, what=what)
    tables = [f"json_each({column}) AS level1"]
    for n in range(1, len(levels)):
        inside = f"CASE level{n}.type WHEN 'object' THEN level{n}.value END"
        tables.append(f"json_each({inside}) AS level{n + 1}")
    keys = " AND ".join(f"level{n}.key = {{{n}}}" for n in range(1, len(levels) + 1))
    nested = (
        f"SELECT level{len(levels)}.value FROM {' CROSS JOIN '.join(tables)} "
        f"WHERE {keys} AND NOT EXISTS ({literal})"
    )
    sql = f"{literal} UNION ALL {nested}"
    return FilterField(name, FieldKind.ANY, sql, (key, *levels), rows=True, what=what)


def _annotations(_key: str) -> FilterField:
    raise UnknownField("Runs have no annotations; expected a field of runs. Spans and samples do.")


def _keys_and_text(column: str) -> FilterField:
    sql = (
        f"SELECT key AS value FROM json_tree({column}) WHERE typeof(key) = 'text' UNION ALL "
        f"SELECT atom FROM json_tree({column}) WHERE type = 'text'"
    )
    return FilterField(column, FieldKind.TEXT, sql, rows=True)


RUN_FIELDS: Final = FieldSet(
    columns=_ATTRIBUTES | {"group": _ATTRIBUTES["group_name"], "tags": _TAGS, "tag": _TAGS},
    prefixes={
        **dict.fromkeys(("metric", "metrics", "dynamic_params"), _metric),
        **dict.fromkeys(("param", "params", "parameter", "parameters", "static_params"), _param),
        **dict.fromkeys(("tag", "tags"), _tag),
        **dict.fromkeys(("attribute", "attr"), _attribute),
        "metadata": _metadata,
        **dict.fromkeys(
            (
                "annotations",
                "annotations_feedback",
                "annotations_expectation",
                "annotations_expectations",
            ),
            _annotations,
        ),
    },
    bare=(_metric, _param),
    searched=(
        *(_text(name) for name in ("name", "id", "status", "description", "group_name", "source")),
        FilterField("tags", FieldKind.TEXT, _TAG_LIST, rows=True),
        _keys_and_text("run.params"),
        _keys_and_text("run.metrics"),
    ),
    words={"errors": "run.status = 'error'"},
    heads={"created": _ATTRIBUTES["created_at"], "duration_s": _ATTRIBUTES["duration"]},
    refusals={
        "annotated": "Runs have no annotations; expected a condition on runs. To search for the "
        'word, write "annotated".'
    },
)


def run_condition(text: str, prefix: str = "filter") -> Condition:
    """Return the condition of a filter over the list of runs; a blank one is always true.

    Raises:
        FilterError: The filter is not understood; the error says what was expected, and where.
    """
    return compile_filter(parse(text), RUN_FIELDS, prefix)

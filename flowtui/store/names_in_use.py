"""The keys that records use, for filters: the ones that can be suggested while a person types, and
the ones that a filter asks for and no record has.

Looking for a key stops at the first record that has it. A key that none has is looked for in a
limited number of records, as the remark says; names to suggest come from far fewer.

Source: exp.db evals, spans, eval_annotations, span_annotations; meta.db experiments.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flowtui.store import decoding
from flowtui.store.closest import closest
from flowtui.store.database import table_columns
from flowtui.store.natural import sort_key

if TYPE_CHECKING:
    from flowtui.store.filters.compiler import AskedKey, Condition
    from flowtui.store.values import Figures

LOOKED_AT: Final = 200_000
"""How many records a key is looked for in: a quarter of a second where none has it."""
NAMED_BY: Final = 2_000
"""How many records the suggested keys come from."""
SUGGESTED: Final = 3
LIKENESS: Final = 0.6
_PREFIX_OF: Final = {
    "metric": "metric",
    "parameter": "param",
    "metadata": "metadata",
    "attribute": "attributes",
    "annotation": "annotations",
    "score": "scores",
    "input": "inputs",
    "output": "outputs",
    "reference": "refs",
}
"""The prefix in the filter language for what a field's `what` says."""


@dataclass(frozen=True, slots=True)
class NameInUse:
    """A key that some record has."""

    prefix: str
    """Its prefix in the filter language: `scores`, `attributes`; empty for a column's name."""
    key: str

    @property
    def whole(self) -> str:
        return f"{self.prefix}.{self.key}" if self.prefix else self.key


@dataclass(frozen=True, slots=True)
class Records:
    """The records whose keys a condition asks for, in SQL and in words for a person."""

    relation: str
    """The WITH clause that makes `row`."""
    row: str
    """The name of the condition's rows in SQL."""
    parameters: Mapping[str, object]
    """The parameters of `relation`."""
    name: str
    """The word for them: `samples`."""
    place: str
    """The words for where all of them are: `this run`."""
    is_bounded: bool = True
    """Whether only the first `LOOKED_AT` records are looked at."""


def remarks(
    connection: sqlite3.Connection,
    condition: Condition,
    records: Records,
    columns: Iterable[str],
    names: Callable[[], Sequence[NameInUse]],
) -> tuple[str, ...]:
    """Return a sentence for each key of a condition that no record has.

    Args:
        connection: A connection that has the functions of the relation and the condition.
        condition: The condition whose keys are looked for.
        records: The records in which they are looked for.
        columns: The names that all records have.
        names: Returns the keys in use; called where some may be suggested.
    """
    limit = LOOKED_AT if records.is_bounded else sys.maxsize - 1
    bound = {**condition.params, **records.parameters, "looked_at": limit}
    looked_at = f"(select * from {records.row} limit :looked_at) as {records.row}"
    missing = []
    for asked in condition.asked:
        (has,) = connection.execute(
            f"{records.relation} select exists (select 1 from {looked_at} where {asked.sql})",
            bound,
        ).fetchone()
        if not has:
            missing.append(asked)
    if not missing:
        return ()
    (count,) = connection.execute(
        f"{records.relation} select count(*) from"
        f" (select 1 from {records.row} limit :looked_at + 1)",
        bound,
    ).fetchone()
    place = f"in {records.place}"
    if count > limit:
        place = f"among the first {limit:,} {records.name}"
    known = [*(NameInUse("", column) for column in columns), *names()]
    return tuple(_sentence(asked, known, place) for asked in missing)


def keys(
    connection: sqlite3.Connection,
    prefix: str,
    objects: str,
    parameters: Mapping[str, object] | None = None,
) -> Iterator[NameInUse]:
    """Yield the keys at the top of JSON objects.

    Args:
        connection: A connection that has the functions of `objects`.
        prefix: The prefix of the names.
        objects: A SELECT of one column `object`, of sound JSON or NULL, with its LIMIT.
        parameters: The parameters of `objects`.
    """
    rows = connection.execute(
        f"select distinct pair.key from ({objects}) as of_record, json_each(of_record.object)"
        " as pair where typeof(pair.key) = 'text'",
        parameters or {},
    )
    found = sorted((decoding.text(key) for (key,) in rows), key=sort_key)
    return (NameInUse(prefix, key) for key in found)


def annotation_names(connection: sqlite3.Connection, table: str) -> Iterator[NameInUse]:
    """Yield the names of annotations."""
    if not table_columns(connection, table):
        return
    for (name,) in connection.execute(f"select distinct name from {table} order by name"):
        yield NameInUse("annotations", decoding.text(name))


def of_runs(
    connection: sqlite3.Connection,
    copied: tuple[Iterable[str], Iterable[str]],
    figures: Mapping[str, Figures],
) -> list[NameInUse]:
    """Return the metrics and parameters of runs, and the keys of their metadata.

    Args:
        connection: A connection to meta.db.
        copied: The keys of the parameters and of the metrics that meta.db has copies of.
        figures: The figures of the runs that meta.db has no copies of.
    """
    params, metrics = (dict.fromkeys(keys) for keys in copied)
    for of_run in figures.values():
        params |= dict.fromkeys(of_run.params)
        metrics |= dict.fromkeys(of_run.metrics)
    found = [NameInUse("metric", key) for key in metrics]
    found += [NameInUse("param", key) for key in params]
    if "metadata" in table_columns(connection, "experiments"):
        objects = "select case when json_valid(metadata) then metadata end as object"
        found += keys(connection, "metadata", f"{objects} from experiments limit {NAMED_BY}")
    return found


def of_spans(connection: sqlite3.Connection, trace_id: str | None = None) -> list[NameInUse]:
    """Return the attributes of spans of a run or of a trace, and the names of annotations."""
    found: list[NameInUse] = []
    if "attributes" in table_columns(connection, "spans"):
        where = "" if trace_id is None else "where trace_id = cast(:trace as text)"
        objects = (
            "select case when json_valid(attributes) then attributes end as object"
            f" from spans {where} limit {NAMED_BY}"
        )
        bound = {} if trace_id is None else {"trace": decoding.as_sql(trace_id)}
        found += keys(connection, "attributes", objects, bound)
    return [*found, *annotation_names(connection, "span_annotations")]


def span_names(connection: sqlite3.Connection, trace_id: str | None = None) -> tuple[str, ...]:
    """Return the names that a filter of traces, or a search in one trace, may ask for."""
    return tuple(name.whole for name in of_spans(connection, trace_id))


def of_samples(connection: sqlite3.Connection) -> list[NameInUse]:
    """Return the keys at the top of the JSON columns of samples, and the names of annotations."""
    from flowtui.store.samples.relation import register_functions, sound
    from flowtui.store.samples.values import JSON_COLUMNS

    register_functions(connection)
    present = table_columns(connection, "evals")
    found: list[NameInUse] = []
    for column in ("scores", "metadata", "inputs", "outputs", "refs"):
        if column in present and column in JSON_COLUMNS:
            objects = f"select {sound(column)} as object from evals limit {NAMED_BY}"
            found += keys(connection, column, objects)
    return [*found, *annotation_names(connection, "eval_annotations")]


def as_text(condition: Condition) -> tuple[str, ...]:
    """Return a sentence on the words that are searched for as text, where that is in doubt."""
    words = [f'"{word}"' for word in condition.words]
    if not words:
        return ()
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return (f"{listed} {'is' if len(words) == 1 else 'are'} searched for as text",)


def _sentence(asked: AskedKey, known: Sequence[NameInUse], place: str) -> str:
    kinds = list(dict.fromkeys(field.what for field in asked.fields))
    key, what = asked.name, "field" if len(kinds) > 2 else " or ".join(kinds)
    if len(kinds) == 1:
        # For an annotation, the kind may stand before the name too.
        is_annotation = kinds[0] == "annotation"
        key = asked.fields[0].args[0] if is_annotation else key.partition(".")[2]
    prefixes = {_PREFIX_OF[kind] for kind in kinds}
    same = [name.key for name in known if len(kinds) > 1 or name.prefix in prefixes]
    near = closest(key, same, SUGGESTED, LIKENESS)
    if not near:
        near = [name.whole for name in known if name.key.lower() == key.lower()][:SUGGESTED]
    return f'no {what} "{key}" {place}' + (f"; closest: {', '.join(near)}" if near else "")

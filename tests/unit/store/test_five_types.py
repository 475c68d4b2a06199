"""Every column that is read, with every type that SQLite can keep in it, before every reader.

SQLite keeps in a column what it is given. A store is made whose tables have no constraint; beside
sound rows it has, for one column, a row with each of `VALUES` in it. No reader may fail, the sound
rows must read as they do without the others, and a row that is in no list must be spoken of.
"""

from __future__ import annotations

import io
import json
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowtui.reports import runs as report
from flowtui.reports import samples as sample_report
from flowtui.reports import series
from flowtui.reports import traces as trace_report
from flowtui.reports.run_table import ListRequest, print_runs
from flowtui.reports.trace_list import print_traces
from flowtui.reports.usage import PrintedInPart
from flowtui.store import counts as counting
from flowtui.store import models as logged_models
from flowtui.store import params as logged_params
from flowtui.store import runs as run_rows
from flowtui.store import uploaded
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.agreement import agreement
from flowtui.store.annotations.values import SampleTarget, SpanTarget
from flowtui.store.changes import Watcher
from flowtui.store.errors import StoreError
from flowtui.store.filters import run_condition, sample_condition, span_condition, trace_condition
from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.runs import SORTABLE, RunOrder
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples import orders
from flowtui.store.samples.scores import score_sets
from flowtui.store.schema import ddl
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces import search as span_search
from flowtui.store.traces import spans as span_rows
from tests.unit.stores import opened

pytestmark = pytest.mark.slow

REFUSED = "refused: "
AT = "2026-06-01 12:00:00"


class Undecodable:
    """Stands for a TEXT that is no UTF-8."""


NO_TEXT = b"\x00\xff\x80"
VALUES: tuple[Any, ...] = (
    None,
    7,
    -(2**63),
    2**63 - 1,
    0.5,
    math.inf,
    -math.inf,
    "word",
    "",
    "[1",
    "12.5",
    "a\0b",
    "\u202e\x1b[2J",
    Undecodable,
    b"",
    b"word",
    NO_TEXT,
    (3).to_bytes(8, "little"),
)

RUN_JSON = json.dumps({"lr": 0.1})
SOUND: dict[str, dict[str, Any]] = {
    "experiment_groups": {
        "id": "{n}-group", "name": "{n} group", "description": "d", "created_at": AT,
        "tags": '["t"]', "last_modified": AT,
    },
    "experiments": {
        "id": "{n}-run", "name": "{n} run", "created_at": AT, "status": "completed",
        "tags": '["t"]', "group_id": "{n}-group", "static_params": RUN_JSON,
        "dynamic_params": '{"loss": 0.5}', "duration": 3.5, "description": "d", "source": "s",
        "metadata": "{}", "upload_status": "uploaded",
    },
    "models": {
        "id": "{n}-model", "name": "{n} model", "created_at": AT, "tags": '["t"]',
        "path": "sound-run/models/m", "experiment_id": "sound-run", "size": 5, "source": "s",
        "description": "d",
    },
    "remote_artifacts": {
        "local_type": "experiment", "local_id": "sound-run", "orbit_id": "{n}-orbit",
        "artifact_id": "{n}-artifact", "created_at": AT,
    },
    "static_params": {"key": "{n}-param", "value": "0.5", "value_type": "float"},
    "dynamic_metrics": {"key": "{n}-metric", "value": 0.5, "step": 3, "logged_at": AT},
    "attachments": {
        "id": "{n}-file", "name": "{n} file", "file_path": "{n}.txt", "created_at": AT, "size": 5,
    },
    "spans": {
        "trace_id": "{n}-trace", "span_id": "{n}-span", "parent_span_id": None,
        "name": "{n} span", "kind": 1, "dfs_span_type": 0, "start_time_unix_nano": 10**18,
        "end_time_unix_nano": 10**18 + 10**9, "status_code": 1, "status_message": "m",
        "attributes": '{"gen_ai.usage.input_tokens": 5}', "events": "[]", "links": "[]",
        "trace_flags": 1, "created_at": AT,
    },
    "evals": {
        "id": "{n}-sample", "dataset_id": "{n}-set", "inputs": '{"q": "x"}',
        "outputs": '{"a": "y"}', "refs": '{"a": "z"}', "scores": '{"judge": 0.5}',
        "metadata": '{"lang": "de"}', "created_at": AT, "updated_at": AT,
    },
    "eval_traces_bridge": {
        "id": "{n}-link", "eval_dataset_id": "sound-set", "eval_id": "sound-sample",
        "trace_id": "sound-trace", "created_at": AT,
    },
    "eval_annotations": {
        "id": "{n}-noted", "dataset_id": "sound-set", "eval_id": "sound-sample",
        "name": "{n} quality", "annotation_kind": "feedback", "value_type": "bool",
        "value": "true", "user": "{n}", "rationale": "r", "created_at": AT,
    },
    "span_annotations": {
        "id": "{n}-noted", "trace_id": "sound-trace", "span_id": "sound-span",
        "name": "{n} quality", "annotation_kind": "feedback", "value_type": "bool",
        "value": "true", "user": "{n}", "rationale": "r", "created_at": AT,
    },
}  # fmt: skip
TOGETHER = {"spans": {"trace_id": "odd-trace"}, "evals": {"dataset_id": "odd-set"}}
"""What the odd rows of a table share."""
META = frozenset(("experiment_groups", "experiments", "models", "remote_artifacts"))
COLUMNS = [(table, column) for table, row in SOUND.items() for column in row]


def without_constraints(sql: str, has_types: bool) -> str:
    """Gives a table that takes anything; without types SQLite keeps all values as they are."""
    name, body = re.fullmatch(r"CREATE TABLE (\w+) \((.*)\)", sql, re.DOTALL).groups()  # type: ignore[union-attr]  # these are tables
    columns = []
    for line in body.splitlines():
        words = line.split()
        if words and words[0] not in ("PRIMARY", "FOREIGN"):
            columns.append(" ".join(words[:2]).rstrip(",") if has_types else words[0])
    keys = re.search(r"PRIMARY KEY (\(.*?\))", body)
    key = f", PRIMARY KEY {keys[1]}" if keys and has_types else ""
    return f"CREATE TABLE {name} ({', '.join(columns)}{key})"


def insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    marks = ["cast(x'62ff61' as text)" if row[name] is Undecodable else f":{name}" for name in row]
    given = {name: None if value is Undecodable else value for name, value in row.items()}
    sql = f"insert into {table} ({', '.join(row)}) values ({', '.join(marks)})"
    db.execute(sql, given)


def named(table: str, name: str, odd: Mapping[str, Any] | None = None) -> dict[str, Any]:
    row = {
        column: value.replace("{n}", name) if isinstance(value, str) else value
        for column, value in SOUND[table].items()
    }
    return {**row, **(odd or {})}


def make_store(folder: Path, columns: Iterable[tuple[str, str]], has_types: bool) -> None:
    """Makes a store of sound rows and, of each of some columns, a row with each value."""
    (folder / "sound-run" / "attachments").mkdir(parents=True)
    for path, tables in (
        (folder / "meta.db", ddl.META_TABLES),
        (folder / "sound-run" / "exp.db", ddl.EXPERIMENT_TABLES),
    ):
        with closing(sqlite3.connect(path)) as db, db:
            for sql in tables:
                if sql.startswith("CREATE TABLE"):
                    db.execute(without_constraints(sql, has_types))
            for table in SOUND:
                if (table in META) != (path.name == "meta.db"):
                    continue
                insert(db, table, named(table, "sound"))
                for column in (column for other, column in columns if other == table):
                    for place, value in enumerate(VALUES):
                        odd = {**TOGETHER.get(table, {}), column: value}
                        insert(db, table, named(table, f"odd{place}-{column}", odd))


def printed(ask: Callable[..., object], *given: Any, **named: Any) -> str:
    out = io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            ask(*given, **named)
    except PrintedInPart:
        # Only the databases of some runs are there.
        return out.getvalue()
    except StoreError as error:
        return refused(error)
    return out.getvalue()


def loaded(ask: Callable[..., object], *given: Any, **named: Any) -> Any:
    text = printed(ask, *given, **named)
    assert not text.startswith(REFUSED), text
    return json.loads(text)


def refused(error: StoreError) -> str:
    """Gives what a person reads of a failure, and asserts that it is one line."""
    assert "\n" not in str(error)
    return f"{REFUSED}{error}"


@dataclass(frozen=True)
class Answers:
    """What a store's readers say of all records."""

    runs: list[Any]
    shown: Any
    metrics: list[Any]
    traces: list[Any]
    samples: list[Any]
    scores: list[Any]
    params: list[Any]
    models: list[Any]
    attachments: list[Any]
    annotations: list[Any]


def ask_all(store: Store) -> Answers:
    """Asks every reader of a store; none may fail but with a line for a person."""
    run = store.resolve("sound-run")
    runs = loaded(print_runs, store, ListRequest(style="json"))
    printed(print_runs, store, ListRequest())
    for column in (*SORTABLE, "param.lr", "metric.loss"):
        for sign in ("", "-"):
            printed(print_runs, store, ListRequest(sort=f"{sign}{column}"))
    for text in RUN_FILTERS:
        printed(print_runs, store, ListRequest(text))
    shown = loaded(report.print_run, store, run, as_json=True)
    printed(report.print_run, store, run)
    ask_rest(store)
    metrics = loaded(series.print_metrics, run, [], "json")
    for style in ("text", "csv"):
        printed(series.print_metrics, run, [], style)
    for key in run.metrics.last_points():
        printed(series.print_metrics, run, [key], "text", 8)
        run.metrics.ask(key, metric_series.series, key, None, 9)
        run.metrics.ask(key, metric_points.point_at, key, 3)
    return Answers(
        runs,
        shown,
        metrics,
        ask_traces(store),
        ask_samples(store),
        loaded(sample_report.print_scores, run, sample_report.SampleRequest(), as_json=True),
        [param._asdict() for param in run.ask(logged_params.params) or ()],
        [repr(model) for model in store.ask(logged_models.models, run.id) or ()],
        ask_attachments(store),
        ask_annotations(store),
    )


RUN_FILTERS = (
    "sound", "name = 'sound run'", "lr < 1", "loss < 1", "status = completed", "duration > 1s",
    "tags contains 't'", "not created_at > '2020'", "group = 'x'", "source ~ 's'",
    "description is null",
)  # fmt: skip
TRACE_FILTERS = (
    "sound", "errors", "execution_time > 1ms", "state = ok", "span_count > 0", "annotated",
    "attributes.x = 1", "evals contains 'x'", "annotations.feedback.quality = true",
    "created_at > '2020'", "not name ~ 'x'",
)  # fmt: skip
SPAN_FILTERS = ("sound", "errors", "duration > 1ms", "attributes.x = 1", "annotated", "name ~ 'x'")
SAMPLE_FILTERS = (
    "sound", "judge < 1", "scores.judge is null", "metadata.lang = de", "inputs.q = x", "annotated",
    "errors", "outputs.a != refs.a", "annotations.feedback.quality = true", "created_at > '2020'",
    "id = 'x'", "dataset_id = 'x'",
)  # fmt: skip


def ask_traces(store: Store) -> list[Any]:
    run = store.resolve("sound-run")
    for column in trace_rows.SORTABLE:
        for sign in ("", "-"):
            printed(print_traces, run, sort=f"{sign}{column}")
    for text in TRACE_FILTERS:
        trace_condition(text)
        printed(print_traces, run, text)
    found = json.loads(printed(print_traces, run, style="json"))
    keys = run.ask(trace_rows.ordered)
    assert len(run.ask(trace_rows.at, keys)) == len(keys)
    wholes = []
    for trace in found:
        printed(trace_report.print_trace, run, trace["trace_id"])
        whole = printed(trace_report.print_trace, run, trace["trace_id"], True)
        assert not whole.startswith(REFUSED), whole
        wholes.append(json.loads(whole))
        for text in SPAN_FILTERS:
            run.ask(span_search.matching, trace["trace_id"], span_condition(text))
        run.ask(span_rows.mark, trace["trace_id"])
        run.ask(annotation_rows.of_trace, trace["trace_id"])
        run.ask(annotation_rows.span_counts, trace["trace_id"], "sound")
        run.ask(span_rows.samples, trace["trace_id"])
        for rowid in run.ask(span_search.unannotated, trace["trace_id"], None, "somebody"):
            target = run.ask(span_search.target_at, rowid)
            assert target is not None
            run.ask(annotation_rows.of_target, target)
    run.ask(span_search.unannotated_roots, keys, "somebody")
    return wholes


def ask_samples(store: Store) -> list[Any]:
    run = store.resolve("sound-run")
    wanted = sample_report.SampleRequest
    columns = (*orders.SORTABLE, "scores.judge", "metadata.lang", "inputs.q")
    for column in columns:
        for sign in ("", "-"):
            printed(sample_report.print_samples, run, wanted(sort=f"{sign}{column}"))
    for text in SAMPLE_FILTERS:
        sample_condition(text)
        printed(sample_report.print_samples, run, wanted(filter_text=text))
        printed(sample_report.print_scores, run, wanted(filter_text=text))
    printed(sample_report.print_samples, run, wanted(), "csv")
    keys = run.ask(sample_rows.ordered)
    for sample in run.ask(sample_rows.at, keys).values():
        target = SampleTarget(sample.dataset_id, sample.id)
        run.ask(sample_rows.detail, target)
        run.ask(annotation_rows.of_target, target)
        run.ask(annotation_rows.sample_counts, [target])
    for dataset in run.ask(sample_rows.datasets):
        run.ask(sample_rows.ordered, dataset.id)
        run.ask(score_sets, dataset.id)
        run.ask(agreement, dataset.id)
    run.ask(sample_keys.keys)
    for key in ("dataset", "metadata.lang", "scores.judge"):
        run.ask(sample_keys.groups, key)
    run.ask(sample_rows.annotated_by, "sound")
    return list(json.loads(printed(sample_report.print_samples, run, wanted(), "json")))


def ask_attachments(store: Store) -> list[Any]:
    from flowtui.store.attachments.listing import tree

    found = store.run("sound-run").attachments()
    assert found is not None
    for by in ("name", "size", "time"):
        tree([*found.files, *found.orphans], by)  # type: ignore[arg-type]  # they are of the literals
    return [repr(file) for file in found.files]


def ask_annotations(store: Store) -> list[Any]:
    store.run("sound-run").ask(annotation_rows.names)
    store.run("sound-run").ask(annotation_rows.names, "sound")
    store.run("sound-run").ask(annotation_rows.authors)
    store.run("sound-run").ask(agreement)
    span = SpanTarget("sound-trace", "sound-span")
    sample = SampleTarget("sound-set", "sound-sample")
    return [
        repr(one)
        for target in (span, sample)
        for one in store.run("sound-run").ask(annotation_rows.of_target, target)
    ]


def ask_rest(store: Store) -> None:
    rowids = store.list.ordered(None, RunOrder())
    found = store.ask(run_rows.at, rowids)
    assert len(found) == len(rowids)
    for run in found.values():
        assert store.ask(run_rows.run, run.id) is not None or run.problems
        printed(store.ask, logged_models.models, run.id)
        for question in (counting.counts, logged_params.params):
            printed(lambda run_id, asked: store.run(run_id).ask(asked), run.id, question)
        store.ask(uploaded.remote_artifacts, run.id)
    store.ask(run_rows.groups)
    store.ask(run_rows.figure_keys)
    store.ask(run_rows.identities)
    for text in RUN_FILTERS:
        store.list.ordered(run_condition(text))
    watcher = Watcher(store.meta, store.run("sound-run"))
    watcher.look()
    watcher.look()


@contextmanager
def store_with(
    folder: Path, columns: Iterable[tuple[str, str]], has_types: bool
) -> Iterator[Store]:
    make_store(folder, columns, has_types)
    with opened(folder) as store:
        yield store


def sound_of(records: list[Any]) -> set[str]:
    """Gives the sound ones among records, as text."""
    texts = [json.dumps(one, sort_keys=True) for one in records]
    return {text for text in texts if "sound" in text and "odd" not in text}


ATTACHED = {
    "traces": ("span_annotations", "eval_traces_bridge"),
    "samples": ("eval_annotations", "eval_traces_bridge"),
}
"""Tables whose rows show with a sound record."""
NAMES = {
    "dynamic_metrics": ("key",),
    "spans": ("trace_id",),
    "eval_traces_bridge": ("eval_dataset_id", "eval_id", "trace_id"),
    "eval_annotations": ("dataset_id", "eval_id"),
    "span_annotations": ("trace_id", "span_id"),
    "models": ("experiment_id",),
}
"""Columns that say what a row belongs to."""
MEANT = {
    "spans": [
        name for name in SOUND["spans"] if name.split("_")[-1] not in ("id", "name", "message")
    ],
    "evals": list(SOUND["evals"]),
    "static_params": ["key", "value"],
}
"""Columns in which bytes are nothing that can be shown as what was meant."""


def nameless(folder: Path, table: str) -> int:
    """Gives how many rows of a table do not say what they belong to."""
    if table not in NAMES or table in META:
        return 0
    with closing(sqlite3.connect(folder / "sound-run" / "exp.db")) as db:
        odd = " or ".join(f"typeof({column}) <> 'text'" for column in NAMES[table])
        return int(db.execute(f"select count(*) from {table} where {odd}").fetchone()[0])


def assert_none_is_lost(table: str, answers: Answers, lost_count: int) -> None:
    """Asserts that each row of a table is in what its readers say, or is spoken of."""
    lost = [text for text in answers.shown["problems"] if " belong to " in text]
    said = sum(int(text.split()[0]) for text in lost)
    assert said == lost_count
    counts = {
        "experiments": len(answers.runs),
        "static_params": len(answers.params),
        "dynamic_metrics": sum(one["count"] + one["stepless_count"] for one in answers.metrics),
        "spans": sum(len(list(all_spans(one["spans"]))) for one in answers.traces),
        "evals": len(answers.samples),
        "attachments": len(answers.attachments),
        "models": len(answers.models),
        # The sound ones are one of a span and one of a sample.
        "span_annotations": len(answers.annotations) - 1,
        "eval_annotations": len(answers.annotations) - 1,
    }
    if table in counts:
        columns = len(SOUND[table])
        if table.endswith("_annotations") or table == "models":
            # Those that belong to something else are with that, if it is there.
            columns, said = columns - len(NAMES[table]), 0
        assert counts[table] + said == 1 + columns * len(VALUES)


def all_spans(spans: list[Any]) -> Iterator[Any]:
    for span in spans:
        yield span
        yield from all_spans(span["children"])


def assert_bytes_are_spoken_of(column: str, answers: Answers) -> None:
    name = f"odd{VALUES.index(NO_TEXT)}-{column}-"
    records = [
        *answers.samples,
        *(span for one in answers.traces for span in all_spans(one["spans"])),
        *answers.params,
    ]
    holds = [one for one in records if name in json.dumps(one)]
    # Where the column is the key itself, it is shown as what it is.
    holds = holds or [one for one in records if repr(NO_TEXT) in (one.get("id"), one.get("key"))]
    assert holds
    assert all(one.get("problems") or one.get("problem") for one in holds), holds


@pytest.fixture(scope="module")
def sound_answers(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Answers]:
    """Gives what is said of sound rows alone, by whether their columns have types."""
    answers = {}
    for has_types in (True, False):
        with store_with(tmp_path_factory.mktemp("sound"), (), has_types) as store:
            answers[has_types] = ask_all(store)
    return answers


@pytest.mark.parametrize("has_types", [True, False], ids=["typed", "bare"])
@pytest.mark.parametrize("table", SOUND)
def test_a_column_may_hold_anything(
    sound_answers: dict[bool, Answers], tmp_path: Path, table: str, has_types: bool
) -> None:
    sound = sound_answers[has_types]
    columns = [(table, column) for column in SOUND[table]]
    with store_with(tmp_path, columns, has_types) as store:
        odd = ask_all(store)
    for part in ("runs", "metrics", "traces", "samples", "params", "models", "attachments"):
        if table not in ATTACHED.get(part, ()):
            assert sound_of(getattr(sound, part)) <= sound_of(getattr(odd, part))
    assert_none_is_lost(table, odd, nameless(tmp_path, table))
    for column in MEANT.get(table, ()):
        assert_bytes_are_spoken_of(column, odd)

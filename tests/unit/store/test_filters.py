"""What a filter finds: the meaning of every form of the language, on a small list of runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from flowtui.store.filters import (
    BYTES,
    NANOSECONDS,
    FieldKind,
    FieldSet,
    FilterField,
    compile_filter,
    parse,
    regexp,
    register_functions,
    run_condition,
)

COLUMNS = (
    "id name status description group_id group_name created_at duration tags source "
    "upload_status metadata params metrics"
).split()


def open_runs(*runs: dict[str, Any]) -> sqlite3.Connection:
    """Returns a connection to a table `run` that holds these runs; absent columns are NULL."""
    connection = sqlite3.connect(":memory:")
    register_functions(connection)
    types = {"duration": "REAL", "created_at": "TIMESTAMP"}
    columns = ", ".join(f"{column} {types.get(column, 'TEXT')}" for column in COLUMNS)
    connection.execute(f"CREATE TABLE run ({columns})")
    marks = ", ".join("?" * len(COLUMNS))
    for run in runs:
        cells = (run.get(column) for column in COLUMNS)
        values = [json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in cells]
        connection.execute(f"INSERT INTO run VALUES ({marks})", values)
    return connection


def matching(connection: sqlite3.Connection, text: str) -> str:
    """Returns the ids of the runs that a filter finds, in order, as one string."""
    condition = run_condition(text)
    sql = f"SELECT id FROM run WHERE {condition.sql} ORDER BY id"
    return "".join(row[0] for row in connection.execute(sql, condition.params))


RUNS = (
    {
        "id": "a",
        "name": "bert-base",
        "status": "completed",
        "description": "Baseline of the Москва set",
        "group_id": "g1",
        "group_name": "nightly",
        "created_at": "2025-03-01 10:30:15",
        "duration": 90.0,
        "tags": ["prod", "Überlauf"],
        "source": "train.py",
        "upload_status": "uploaded",
        "metadata": {"host": "node-7"},
        "params": {
            "lr": 0.001,
            "optimizer": "adam",
            "amp": True,
            "sched": {"warmup": 3, "kind": "cosine"},
            "my key": "x",
            "seed": 9007199254740993,
            "first": 1,
            "second": 2,
        },
        "metrics": {"accuracy": 0.91, "val/accuracy": 0.95, "eval.loss": 0.2, "точность": 0.5},
    },
    {
        "id": "b",
        "name": "50%_off",
        "status": "error",
        "group_name": "50%_off",
        "created_at": "2025-03-02 00:00:00",
        "duration": 5400.0,
        "tags": [],
        "params": {
            "lr": 0.1,
            "optimizer": "sgd",
            "sched.warmup": 7,
            "accuracy": 0.8,
            "first": "2",
            "second": 1,
        },
        "metrics": {"accuracy": 0.4, "val/accuracy": 0.3},
    },
    {"id": "c", "name": "it's", "status": "active", "created_at": "2024-12-31 23:59:59"},
)


@pytest.fixture
def runs() -> Iterator[sqlite3.Connection]:
    connection = open_runs(*RUNS)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        # Columns
        ("", "abc"),
        ("  \t", "abc"),
        ("id = 'a'", "a"),
        ("name = bert-base", "a"),
        ("NAME == 'bert-base'", "a"),
        ("name = 'BERT-base'", ""),
        ("name <> 'bert-base'", "bc"),
        ("attribute.name != 'bert-base' and ATTR.status = 'error'", "b"),
        ("group = nightly or group_name = nightly", "a"),
        ("upload_status = uploaded", "a"),
        ("source LIKE '%.py'", "a"),
        ("status in ('error', 'active',)", "bc"),
        ("status NOT IN (error)", "ac"),
        ("group_id NOT IN ('other')", "a"),
        ("'name' = \"it's\"", "c"),
        ("name = 'it''s'", "c"),
        ("name = 'it''s'AND(status='active')", "c"),
        # Patterns
        ("name LIKE 'BERT%'", "a"),
        ("name ILIKE 'bert_base'", "a"),
        ("name CONTAINS 'RT-b'", "a"),
        ("name CONTAINS '%base'", "a"),
        ("name NOT LIKE '%base'", "bc"),
        ("group_id NOT CONTAINS 'zzz'", "a"),
        ("name ~ '^bert-(base|large)$'", "a"),
        (r"name ~ \d+", "b"),
        ("name ~ '^BERT'", ""),
        ("name ~ '(?i)^BERT'", "a"),
        ("param.optimizer ~ 'ad|sg'", "ab"),
        # Numbers
        ("duration > 90", "b"),
        ("duration >= +90.0", "ab"),
        ("duration>1e3", "b"),
        ("duration = 90", "a"),
        ("duration > .5", "ab"),
        ("duration < inf", "ab"),
        ("duration IN (90, 5400)", "ab"),
        # Durations
        ("duration > 2s", "ab"),
        ("duration = 90m", "b"),
        ("duration >= '1.5h'", "b"),
        ("duration = 1m30s", "a"),
        ("duration < 90500ms", "a"),
        ("duration > -1d", "ab"),
        ("duration > 1 h", "b"),
        ("duration = 1 h 30 m", "b"),
        ("duration = 1h 30m", "b"),
        ("duration = '1 h 30 m' OR duration = 1 m  30s", "ab"),
        ("duration > -1 d", "ab"),
        ("duration < 90500 ms and bert", "a"),
        ("duration between 1 m and 1 h 40 m", "ab"),
        ("duration IN (90 s, 1 h 30 m)", "ab"),
        ("duration > 1 h errors", "b"),
        ("duration > 60 lr > 0.05", "b"),
        # Moments
        ("created_at > '2025-03-01'", "ab"),
        ("created_at < 2025-03-01", "c"),
        ("created_at = 2025-03-01", "a"),
        ("created_at != 2025-03-01", "bc"),
        ("created_at = 2025", "ab"),
        ("created_at = 2024-12", "c"),
        ("created_at >= 2025", "ab"),
        ("created_at > 2026", ""),
        ("created_at < 2025", "c"),
        ("created_at = '2025-03-01 10:30'", "a"),
        ("created_at = 2025-03-01T11:30:15+01:00", "a"),
        ("created_at >= '2025-03-01T10:30:16Z'", "b"),
        ("created_at <= '2025-03-01 10:30:15'", "ac"),
        ("created_at > 2025-03-01 10:30", "ab"),
        ("created_at > 2025-03-01 10:31", "b"),
        ("created_at = 2025-03-01 10:30:15", "a"),
        ("created_at = 2025-03-01 11:30+01:00", "a"),
        ("created_at BETWEEN 2025-03-01 10:00 AND 2025-03-01 11:00", "a"),
        ("created_at IN (2025-03-01 10:30, 2024)", "ac"),
        ("created_at IN (2024, 2025-03-02)", "bc"),
        ("created_at NOT IN (2024)", "ab"),
        ("created_at LIKE '%23:59:59'", "c"),
        # Tags
        ("tags = prod", "a"),
        ("tag.any = prod", "a"),
        ("tags != prod", "bc"),
        ("tags LIKE 'pro%'", "a"),
        ("tags LIKE '%\"prod\"%'", "a"),
        ("tags = Überlauf", "a"),
        ("tag IN (prod, test)", "a"),
        ("tags NOT IN (prod)", "bc"),
        ("tags NOT LIKE 'p%'", "bc"),
        ("tags IS NULL", "bc"),
        ("tags IS NOT NULL", "a"),
        # Params and metadata
        ("param.lr = 0.001", "a"),
        ("PARAMS.lr <= 1e-1", "ab"),
        ("static_params.lr < 0.01", "a"),
        ("parameters.lr != 0.1", "a"),
        ("param.LR = 0.1", ""),
        ("param.amp = true", "a"),
        ("param.amp = 1", "a"),
        ("param.amp = FALSE", ""),
        ("param.optimizer = adam", "a"),
        ("param.optimizer > 5", ""),
        ("param.optimizer > 'b'", "b"),
        ("param.lr > 'a'", ""),
        ("param.optimizer IN ('adam', 5)", "a"),
        ("param.lr IN (0.1, inf)", "b"),
        ("param.lr NOT IN (0.1)", "a"),
        ("param.seed = 9007199254740993", "a"),
        ("param.seed = 9007199254740992", ""),
        ("params.`my key` = x", "a"),
        ("params.'my key' = x", "a"),
        ("`params.my key` = x", "a"),
        ("`params`.`my key` = x", "a"),
        ("param.sched.kind = cosine", "a"),
        ("param.sched.warmup = 3", "a"),
        ("param.sched.warmup = 7", "b"),
        ("param.sched.warmup.more = 7", ""),
        ("param.sched CONTAINS cosine", "a"),
        ("param.lr LIKE '0.0%'", "a"),
        ("metadata.host = node-7", "a"),
        ("param.lr IS NULL", "c"),
        ("param.sched.kind IS NOT NULL", "a"),
        # Metrics
        ("metric.accuracy > 0.5", "a"),
        ("metrics.val/accuracy>0.5", "a"),
        ("dynamic_params.accuracy < 1", "ab"),
        ("metric.eval.loss = 0.2", "a"),
        ("metric.точность >= 0.5", "a"),
        # A key without a prefix is a metric or a parameter
        ("accuracy >= 0.8", "ab"),
        ("accuracy < 0.5", "b"),
        ("accuracy >= 0.8 and lr < 1e-2", "a"),
        ("optimizer = sgd", "b"),
        ("'my key' = x", "a"),
        ("eval.loss < 1", "a"),
        ("accuracy IS NULL", "c"),
        ("accuracy IS NOT NULL", "ab"),
        # FilterField against field
        ("param.first < param.second", "a"),
        ("param.first != param.second", "ab"),
        ("name = group_name", "b"),
        ("metric.accuracy < metric.val/accuracy", "a"),
        ("accuracy > `val/accuracy`", "b"),
        ("name CONTAINS param.optimizer", ""),
        ("group_name LIKE name", "b"),
        ("tags != status", "abc"),
        # Ranges
        ("duration BETWEEN 90 AND 5400", "ab"),
        ("duration between 91s and 2h", "b"),
        ("duration NOT BETWEEN 1m AND 2m", "b"),
        ("lr between 1e-4 and 1e-2", "a"),
        ("lr between 1e-4 and 1e-2 and status = completed or status = active", "ac"),
        ("param.optimizer BETWEEN 'a' AND 'b'", "a"),
        ("param.optimizer NOT BETWEEN 1 AND 2", ""),
        ("name BETWEEN a AND c", "a"),
        ("created_at between 2025-03-01 and 2025-03-02", "ab"),
        ("created_at between 2025 and 2025-03", "ab"),
        ("created_at between 2025-03-01 and 2025-03-01", "a"),
        ("created_at not between 2025-01-01 and 2025-03-01", "bc"),
        ("tags NOT BETWEEN 'p' AND 'q'", "bc"),
        # Signs for words
        ("accuracy > 0.3 && lr < 1", "ab"),
        ("status = error || status = active", "bc"),
        ("status=error||status=active&&bert", "b"),
        ("!errors", "ac"),
        ("! errors", "ac"),
        ("!!errors", "b"),
        ("!(status = error || accuracy > 0.9)", "c"),
        ("!accuracy > 0.9", "bc"),
        ("name !like '%base'", "bc"),
        ("name !~ '^bert'", "bc"),
        ("group_id NOT ~ 'x'", "a"),
        ("status !in (error)", "ac"),
        ("duration !between 1m and 2m", "b"),
        ("name != bert-base", "bc"),
        ("name = 'a&&b' || name = \"it's\"", "c"),
        # AND, OR, NOT
        ("status = error OR status = active AND name = nothing", "b"),
        ("(status = error OR status = active) AND name = nothing", ""),
        ("status = error or status = active", "bc"),
        ("NOT status = error", "ac"),
        ("not not status = error", "b"),
        ("NOT accuracy > 0.9", "bc"),
        ("NOT (status = error OR accuracy > 0.9)", "c"),
        ("NOT (status = error AND accuracy > 0.9)", "abc"),
        ("NOT tags = prod", "bc"),
        ("NOT tags != prod", "a"),
        ("NOT group_id IS NULL", "a"),
        ('status != error (name = "it\'s" OR bert)', "ac"),
        # Words of their own
        ("errors", "b"),
        ("ERRORS bert", ""),
        ("NOT errors", "ac"),
        ('"errors"', ""),
        ("errors = 5", ""),
    ],
)
def test_filter_finds_the_runs_that_it_describes(
    runs: sqlite3.Connection, text: str, ids: str
) -> None:
    assert matching(runs, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("bert", "a"),
        ("BERT", "a"),
        ("'Baseline of'", "a"),
        ("москва", "a"),
        ("überlauf", "a"),
        ("night", "a"),
        ("train.py", "a"),
        ("complet", "a"),
        ("prod", "a"),
        ("adam", "a"),
        ("cosine", "a"),
        ("warmup", "ab"),
        ("val/acc", "ab"),
        ("ТОЧНОСТЬ", "a"),
        ("%", "b"),
        ("_", "b"),
        ("bert adam", "a"),
        ("bert sgd", ""),
        ("bert OR sgd", "ab"),
        ("NOT bert", "bc"),
        ("NOT москва", "bc"),
        ("`my key`", "a"),
        ('"and"', ""),
        ("wow!", ""),
    ],
)
def test_bare_text_searches_everything_shown(runs: sqlite3.Connection, text: str, ids: str) -> None:
    assert matching(runs, text) == ids


TEXTS = (
    {"id": "a", "params": {"lr": "1e-3", "v": " 2 ", "w": 2}},
    {"id": "b", "params": {"lr": 0.01, "v": "10", "w": "9"}},
    {"id": "c", "params": {"lr": "0.5", "v": "inf", "w": "x"}},
    {"id": "d", "params": {"lr": "1e-2 ", "v": "v2", "w": "w10"}},
    {"id": "e", "params": {"lr": "cosine", "v": "nan", "w": "2.0"}},
    {"id": "f", "params": {"lr": "1_000", "v": "0x10", "w": "2"}},
    {"id": "g", "params": {"lr": True, "v": "", "w": None}},
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("lr < 1e-2", "a"),
        ("lr <= 1e-2", "abd"),
        ("lr > 0", "abcdg"),
        ("lr = 0.001", "a"),
        ("lr = .01", "bd"),
        ("lr != 0.01", "acefg"),
        ('lr = "1e-3"', "a"),
        ('lr = "0.001"', ""),
        ('lr > "1"', "adef"),
        ("lr IN (0.001, cosine)", "ae"),
        ("lr NOT IN (0.001, cosine)", "bcdfg"),
        ('lr IN ("1e-3", 0.01)', "abd"),
        ("lr BETWEEN 1e-3 AND 1e-2", "abd"),
        ("lr NOT BETWEEN 1e-3 AND 1e-2", "cg"),
        ("lr = true", "g"),
        ("lr LIKE '1e%'", "ad"),
        ("v > 1e300", "c"),
        ("v < 10", "a"),
        ("v >= 2 and v < inf", "ab"),
        ("v = 16", ""),
        ("v = inf", "c"),
        # Of two fields, a text is equal to texts only, as where an output differs from a reference.
        ("param.v = param.w", ""),
        ("param.v > param.w", "b"),
        ("param.w < param.v", "b"),
        ("param.w > param.v", "d"),
        ("param.lr < param.w", "ab"),
    ],
)
def test_text_that_is_a_number_is_compared_as_one(text: str, ids: str) -> None:
    connection = open_runs(*TEXTS)
    assert matching(connection, text) == ids
    connection.close()


SPANS = FieldSet(
    columns={
        "execution_time": FilterField(
            "execution_time", FieldKind.NUMBER, "execution_time", unit=NANOSECONDS
        ),
        "size": FilterField("size", FieldKind.NUMBER, "size", unit=BYTES),
    },
    prefixes={
        column: lambda key, column=column: FilterField(  # type: ignore[misc]
            key,
            FieldKind.ANY,
            f"SELECT value FROM json_each({column}) WHERE key = {{0}}",
            (key,),
            True,
        )
        for column in ("outputs", "refs", "annotations")
    },
    bare=(),
    searched=(),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("execution_time > 500ms", True),
        ("execution_time > 600ms", False),
        ("execution_time = 0.51s", True),
        ("execution_time = 510000us", True),
        ("execution_time = 510000µs", True),
        ("size > 10MB", True),
        ("size = 10485760", True),
        ("size = 10MiB", True),
        ("size < 0.5gb", True),
        ("outputs.answer != refs.answer", True),
        ("outputs.same != refs.same", False),
        ("annotations.good answer = true", True),
        ("annotations.good answer IS NOT NULL AND size > 1kb", True),
        ("annotations.`good answer` = false", False),
    ],
)
def test_another_list_brings_its_own_fields_and_units(text: str, found: bool) -> None:
    condition = compile_filter(parse(text), SPANS, "p")
    row = (510_000_000, 10_485_760, '{"answer": "4", "same": 1}', '{"answer": "5", "same": 1.0}')
    connection = sqlite3.connect(":memory:")
    columns = "execution_time, size, outputs, refs, annotations"
    connection.execute(f"CREATE TABLE span ({columns})")
    connection.execute("INSERT INTO span VALUES (?, ?, ?, ?, ?)", (*row, '{"good answer": true}'))
    count = connection.execute(f"SELECT count(*) FROM span WHERE {condition.sql}", condition.params)
    assert count.fetchone() == (found,)
    connection.close()


def test_blank_filter_has_no_expression() -> None:
    assert parse(" \n\t") is None


def test_parameters_bear_the_prefix_and_all_text_is_bound() -> None:
    condition = run_condition("name = 'Robert); DROP' OR `x'y` > 57", "left")
    assert all(name.startswith("left_") for name in condition.params)
    assert not any(text in condition.sql for text in ("Robert", "DROP", "x'y", "57"))
    assert {"Robert); DROP", "x'y", 57} <= set(condition.params.values())


def test_two_conditions_with_different_prefixes_share_a_statement(
    runs: sqlite3.Connection,
) -> None:
    one, two = run_condition("status = error OR bert", "one"), run_condition("lr < 1", "two")
    sql = f"SELECT count(*) FROM run WHERE {one.sql} AND NOT {two.sql}"
    assert runs.execute(sql, {**one.params, **two.params}).fetchone() == (0,)


def test_regexp_searches_the_whole_text() -> None:
    assert regexp("b$", "a" * 1_000_000 + "b")
    assert not regexp("b", None)
    assert regexp("^1.5$", 1.5)


def test_text_that_is_no_unicode_is_searched_all_the_same() -> None:
    connection = open_runs({"id": "a"})
    connection.execute("UPDATE run SET name = CAST(x'ff' || 'ключ' AS TEXT)")
    assert matching(connection, "ключ") == "a"
    assert matching(connection, "name ~ 'кл'") == "a"
    connection.close()

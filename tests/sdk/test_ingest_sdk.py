"""Spans that were ingested are the rows that the real luml-sdk's exporter writes for them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Any

import opentelemetry.sdk.trace

from flowtui.store.new_run import new_run
from flowtui.store.otlp import files
from flowtui.store.otlp.ingesting import SpanWriter
from flowtui.store.otlp.items import OtlpSpan
from flowtui.store.otlp.rows import COLUMNS
from tests.conftest import open_store
from tests.sdk.environments import WRITER
from tests.unit.otlp_samples import span, spans_of, traces

EXPORTER = Path(__file__).with_name("export_spans.py")
PACKAGES = Path(opentelemetry.sdk.trace.__file__).parents[3]


def rows(directory: Path, run_id: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(directory / run_id / "exp.db")) as connection:
        found = connection.execute(f"select {', '.join(COLUMNS)} from spans order by span_id")
        return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def test_the_rows_are_those_of_the_sdks_own_exporter(
    sdk_python: Callable[[str], Path], tmp_path: Path
) -> None:
    store, file = tmp_path / "store", tmp_path / "spans.pb"
    command: list[str | Path] = [sdk_python("0.4.0"), EXPORTER, store, file, PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    with (
        new_run(store, "ours") as run_id,
        file.open("rb") as stream,
        SpanWriter(open_store(store).run(run_id).database) as writer,
    ):
        for item in files.items(stream):
            assert isinstance(item, OtlpSpan)
            writer.add(item)
    theirs, ours = rows(store, done.stdout.split()[-1]), rows(store, run_id)
    assert len(theirs) == 10
    assert {row["dfs_span_type"] for row in theirs} == {0, 1, 2, 3, 4}
    for row in ours:
        attributes = json.loads(row["attributes"])
        assert attributes.pop("otel.resource") == {"service.name": "svc", "host.cpus": [1, 2]}
        assert attributes.pop("otel.scope") == {
            "name": "lib",
            "version": "1.2",
            "attributes": {"scoped": True},
        }
        row["attributes"] = json.dumps(attributes) if attributes else None
    for row in theirs:
        # OpenTelemetry's own encoder leaves the trace flags out. Whether an id is random (2) cannot
        # be known then; that the span is sampled (1) can, since it was exported.
        row["trace_flags"] &= 1
        links = json.loads(row["links"] or "[]")
        row["links"] = json.dumps([link | {"trace_flags": 0} for link in links]) if links else None
    assert ours == theirs


def test_a_new_run_is_as_the_sdk_leaves_one(
    sdk_store: Callable[[str], Path], tmp_path: Path
) -> None:
    theirs = sdk_store("0.4.0")
    with new_run(tmp_path / "store", "ours", "g") as run_id:
        pass

    def described(directory: Path, name: str) -> list[Any]:
        with closing(sqlite3.connect(directory / name)) as connection:
            tables = connection.execute("select name from sqlite_master where type = 'table'")
            return [
                (table, connection.execute(f"pragma table_info({table})").fetchall())
                for (table,) in sorted(tables)
            ]

    assert described(tmp_path / "store", "meta.db") == described(theirs, "meta.db")
    (other, *_) = (path.parent.name for path in theirs.glob("*/exp.db"))
    ours = described(tmp_path / "store", f"{run_id}/exp.db")
    assert ours == described(theirs, f"{other}/exp.db")


def test_a_training_process_is_not_hindered(
    sdk_python: Callable[[str], Path], tmp_path: Path
) -> None:
    command: list[str | Path] = [sdk_python("0.4.0"), WRITER, tmp_path, "--live", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        run_id = training.stdout.readline().strip()
        (made,) = spans_of(traces(span(1, text="x" * 500)).SerializeToString())
        numbers = count(1)
        with SpanWriter(open_store(tmp_path).run(run_id).database) as writer:
            while training.poll() is None:
                for number in islice(numbers, 1_000):
                    id_ = f"{number:032x}"
                    writer.add(made._replace(trace_id=id_, span_id=id_[16:]))
        report = json.loads(training.stdout.read())
    assert report["errors"] == 0
    assert report["written"] > 20
    assert report["slowest_ms"] < 3_000
    assert writer.written.new == next(numbers) - 1

"""What people said of traces and samples, against plain Python over the rows that were written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowtui.reports.samples import SampleRequest, print_samples
from flowtui.reports.trace_list import print_traces
from flowtui.screens.judgements import piece, tally_line
from flowtui.store.annotations import judgements
from flowtui.store.annotations.listing import SAMPLES, SPANS
from flowtui.store.filters import sample_condition, trace_condition
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.schema import EvalRow, SpanRow
from flowtui.store.traces import groups as trace_groups
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces.listing import TraceOrder
from tests.unit.stores import execute, opened, writer

HELPFUL, GRADE = "annotations.feedback.helpful", "annotations.expectation.grade"
# Of a target: the kind, the name, the type, the value, the author; the later ones were later.
SAID = {
    "q0": [("feedback", "helpful", "bool", "true", "ana")],
    "q1": [("feedback", "helpful", "bool", "true", "ana"),
           ("feedback", "helpful", "bool", "true", "bo")],
    "q2": [("feedback", "helpful", "bool", "true", "ana"),
           ("feedback", "helpful", "bool", "false", "bo"),
           ("feedback", "helpful", "bool", "false", "cy")],
    "q3": [("feedback", "helpful", "bool", "true", "ana"),
           ("feedback", "helpful", "bool", "false", "ana"),
           ("expectation", "grade", "int", "4", "ana"), ("expectation", "grade", "int", "5", "bo")],
    "q4": [],
}  # fmt: skip
COLUMNS = "id, {}, {}, name, annotation_kind, value_type, value, user, created_at"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenRun]:
    directory = tmp_path_factory.mktemp("said")
    with writer(directory) as writing:
        writing.start_run("run", "run")
        with writing.experiment("run") as experiment:
            experiment.evals(
                EvalRow(dataset_id="faq", id=id_, inputs={"n": 1}, outputs={"a": "=1"}, scores={})
                for id_ in SAID
            )
            experiment.spans(
                SpanRow(trace_id=id_, span_id=f"{id_}-{n}", name="step", start_ns=at + 1,
                        end_ns=at + 5, attributes={})
                for at, id_ in enumerate(SAID) for n in range(2)
            )  # fmt: skip
    rows = [(id_, number, note) for id_, notes in SAID.items() for number, note in enumerate(notes)]
    for table, keys in (("eval_annotations", SAMPLES.key), ("span_annotations", SPANS.key)):
        execute(
            directory / "run" / "exp.db",
            f"insert into {table} ({COLUMNS.format(*keys)}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (f"{table}-{id_}-{number}",
                 *(("faq", id_) if table == "eval_annotations" else (id_, f"{id_}-1")),
                 name, kind, type_, value, user, f"2026-01-01 00:00:0{number}")
                for id_, number, (kind, name, type_, value, user) in rows
            ],
        )  # fmt: skip
    with opened(directory) as store:
        yield store.resolve("run")


def cells(run: OpenRun, of_samples: bool, field: str) -> dict[str, str]:
    table = SAMPLES if of_samples else SPANS
    keys = run.ask(sample_rows.ordered if of_samples else trace_rows.ordered)
    said = run.ask(judgements.of_rows, table, keys)
    rows = run.ask(sample_rows.at if of_samples else trace_rows.at, keys)  # type: ignore[arg-type]
    names = {key: getattr(row, "id", getattr(row, "trace_id", "")) for key, row in rows.items()}
    return {names[key]: piece(said.get(key, {}), field).text for key in keys}


@pytest.mark.parametrize("of_samples", [True, False])
def test_a_cell_is_the_value_or_the_share_where_authors_differ(
    run: OpenRun, of_samples: bool
) -> None:
    assert cells(run, of_samples, HELPFUL) == {
        "q0": "✓ true", "q1": "✓ true ×2", "q2": "✓ 33 % of 3", "q3": "✗ false", "q4": "",
    }  # fmt: skip
    assert cells(run, of_samples, GRADE)["q3"] in ("4 50 % of 2", "5 50 % of 2")


def test_the_tally_counts_the_last_of_each_author(run: OpenRun) -> None:
    tallies = run.ask(judgements.tallies, SAMPLES)
    helpful, grade = tallies
    assert (helpful.field, helpful.count, helpful.true_share) == (HELPFUL, 7, 4 / 7)
    assert (grade.field, grade.mean, grade.true_share) == (GRADE, 4.5, None)
    line = "".join(piece.text for piece in tally_line(tallies))
    assert line == " verdicts   ✎ helpful 57 % of 7   ◇ grade mean 4.5 of 2"
    assert run.ask(judgements.tallies, SAMPLES, "other set") == ()
    assert run.ask(judgements.tallies, SPANS)[0].count == 7


def test_lists_are_sorted_and_filtered_by_it(run: OpenRun) -> None:
    traces = run.ask(trace_rows.ordered, None, TraceOrder(GRADE, descending=True))
    first = run.ask(trace_rows.at, traces[:1])[traces[0]]
    assert first.trace_id == "q3"
    samples = run.ask(sample_rows.ordered, None, None, SampleOrder(GRADE, descending=True))
    assert run.ask(sample_rows.at, samples[:1])[samples[0]].id == "q3"
    found = run.ask(trace_rows.ordered, trace_condition("annotations.helpful = false"))
    assert {run.ask(trace_rows.at, [key])[key].trace_id for key in found} == {"q2", "q3"}


def test_groups_lead_to_the_records_in_them(run: OpenRun) -> None:
    for group in run.ask(trace_groups.groups, HELPFUL):
        text = trace_groups.group_filter(HELPFUL, group.value)
        found = run.ask(trace_rows.ordered, trace_condition(text))
        if group.value != "true":
            # An author's earlier word counts for a filter, but not for a group.
            assert set(found) >= set(group.keys)
    sizes = {one.value: len(one.keys) for one in run.ask(trace_groups.groups, HELPFUL)}
    assert sizes == {"true": 3, "false": 2, None: 1}
    samples = run.ask(sample_keys.groups, HELPFUL)
    assert {(one.value, one.count) for one in samples.groups} == {(True, 3), (False, 2), (None, 1)}
    some = run.ask(sample_keys.groups, HELPFUL, None, sample_condition("id = q2"))
    assert {(one.value, one.count) for one in some.groups} == {(True, 1), (False, 1)}


def test_a_trace_in_two_groups_counts_in_both(run: OpenRun) -> None:
    found = run.ask(trace_groups.groups, HELPFUL)
    assert run.ask(trace_groups.with_usage, found)[0].is_counted


@pytest.mark.parametrize("of_samples", [True, False])
def test_json_and_csv_have_every_annotation(
    run: OpenRun, of_samples: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def printed(style: str) -> str:
        if of_samples:
            print_samples(run, SampleRequest(), style)  # type: ignore[arg-type]
        else:
            print_traces(run, style=style)  # type: ignore[arg-type]
        return capsys.readouterr().out

    for record in json.loads(printed("json")):
        wanted = SAID[record["id" if of_samples else "trace_id"]]
        assert [
            (one["kind"], one["name"], one["value_type"], str(one["value"]).lower(), one["user"])
            for one in record["annotations"]
        ] == wanted
        assert record["annotation_count"] == len(wanted)
        if not of_samples:
            assert all(one["span_id"].endswith("-1") for one in record["annotations"])
    rows = {row["id" if of_samples else "trace_id"]: row
            for row in csv.DictReader(io.StringIO(printed("csv")))}  # fmt: skip
    assert {id_: row[HELPFUL] for id_, row in rows.items()} == {
        "q0": "true", "q1": "true", "q2": "true; false; false", "q3": "true; false", "q4": "",
    }  # fmt: skip
    assert rows["q3"][GRADE] == "4; 5"


def test_a_store_without_annotations_has_none(tmp_path: Path) -> None:
    with writer(tmp_path) as writing:
        writing.start_run("run", "run")
    execute(tmp_path / "run" / "exp.db", "drop table eval_annotations")
    with opened(tmp_path) as store:
        run = store.resolve("run")
        assert run.ask(judgements.tallies, SAMPLES) == ()
        assert run.ask(judgements.of_rows, SAMPLES, [1]) == {}

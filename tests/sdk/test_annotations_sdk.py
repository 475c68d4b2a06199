"""Annotations against the real luml-sdk: in both directions, in old stores, and at once."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flowtui.store import counts as counting
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import (
    Annotation,
    AnnotationKind,
    Draft,
    Edited,
    SampleTarget,
    SpanTarget,
    Target,
)
from flowtui.store.errors import NoAnnotationTables
from flowtui.store.store import Store
from tests.sdk.environments import expected
from tests.unit.stores import opened

StoreOf = Callable[[str], Path]
SPAN = SpanTarget(f"{1:032x}", f"{0x12:016x}")
SAMPLE = SampleTarget("faq_v1", "q3")
OLD_SPAN = SpanTarget("a" * 32, "b" * 16)
AT_ONCE = 40
"""Annotations that each side writes while the other does."""

PRELUDE = """
import json, sys
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker("sqlite://" + sys.argv[1])
run, (first, second) = sys.argv[2], json.loads(sys.argv[3])

def told(records):
    print(json.dumps([
        [one.id, one.name, one.annotation_kind.value, one.value_type.value, one.value, one.user,
         one.rationale, one.created_at.isoformat()] for one in records
    ]))
"""
READ_SPAN = "told(tracker.get_span_annotations(run, first, second))"
READ_SAMPLE = "told(tracker.get_eval_annotations(run, first, second))"
CHANGE_SPAN = """
(one,) = tracker.get_span_annotations(run, first, second)
tracker.update_annotation(run, one.id, "span", value=False, rationale="the SDK's")
added = tracker.log_span_annotation(
    first, second, "stars", "expectation", "int", -4, "sam", experiment_id=run)
told([added])
"""
DELETE_SPAN = """
for one in tracker.get_span_annotations(run, first, second):
    tracker.delete_annotation(run, one.id, "span")
told([])
"""
MIGRATE = 'tracker.log_static("opened", True, experiment_id=run); told([])'

# Logs and annotates until its standard input ends; only what SQLite refuses counts as an error.
WRITE_AT_ONCE = """
import json, sqlite3, sys, threading
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker("sqlite://" + sys.argv[1])
run = tracker.start_experiment(name="live")
trace, span = sys.argv[2], sys.argv[3]
tracker.log_span(trace, span, "root", 1, 2)
print(run, flush=True)
asked = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), asked.set()), daemon=True).start()
points, ids, errors = 0, [], []
while not asked.is_set() or len(ids) < int(sys.argv[4]):
    try:
        tracker.log_dynamic("loss", 1.0, step=points)
        points += 1
        if points % 3 == 0:
            one = tracker.log_span_annotation(
                trace, span, "quality", "feedback", "bool", True, "sam", experiment_id=run)
            ids.append(one.id)
            tracker.update_annotation(run, one.id, "span", rationale="looked again")
    except sqlite3.Error as error:
        errors.append(repr(error))
tracker.end_experiment(run)
print(json.dumps({"points": points, "ids": ids, "errors": errors}), flush=True)
"""


def ask(python: Path, directory: Path, run_id: str, target: Target, code: str) -> list[Any]:
    """Runs code beside a tracker and gives the annotations that it tells of."""
    done = subprocess.run(
        [python, "-c", PRELUDE + code, directory, run_id, json.dumps(target.key)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    answer: list[Any] = json.loads(done.stdout)
    return answer


def as_told(annotation: Annotation) -> list[Any]:
    """Gives an annotation in the words of `told`."""
    assert annotation.created_at is not None
    return [
        annotation.id,
        annotation.name,
        annotation.kind,
        annotation.value_type,
        annotation.value,
        annotation.user,
        annotation.rationale,
        annotation.created_at.isoformat(),
    ]


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*.db*")}


@pytest.fixture
def written(sdk_store: StoreOf, tmp_path: Path) -> tuple[Path, str]:
    """A copy of a store that SDK 0.4.0 wrote, and the id of its fullest run."""
    directory = Path(shutil.copytree(sdk_store("0.4.0").parent, tmp_path / "copy")) / "store"
    return directory, str(expected(directory)["runs"]["complete"]["id"])


def drafts() -> list[Draft]:
    feedback, expectation = AnnotationKind.FEEDBACK, AnnotationKind.EXPECTATION
    return [
        Draft("quality", feedback, True, None, "ana"),
        Draft("quality", feedback, False, "[red]slow[/]\nvery", "ana"),
        Draft("stars", expectation, -(2**63), None, "ana"),
        Draft("answer", expectation, "日本 true", None, "sam"),
        Draft("empty", expectation, "", None, "sam"),
        Draft("safe", expectation, True, None, "sam"),
    ]


@pytest.mark.parametrize(
    ("target", "code"), [(SPAN, READ_SPAN), (SAMPLE, READ_SAMPLE)], ids=["span", "sample"]
)
def test_the_sdk_reads_what_is_written_here(
    written: tuple[Path, str], sdk_python: StoreOf, target: Target, code: str
) -> None:
    directory, run_id = written
    with opened(directory) as store:
        for draft in drafts():
            annotating.add(store.run(run_id).database, target, draft)
        last = store.run(run_id).ask(annotation_rows.of_target, target)[-1]
        edited = annotating.edit(store.run(run_id).database, last, False, "edited")
        assert isinstance(edited, Edited)
        deleted = annotating.delete(store.run(run_id).database, edited.after)
        assert deleted is not None
        annotating.restore(store.run(run_id).database, deleted.annotation)
        mine = [
            as_told(annotation)
            for annotation in store.run(run_id).ask(annotation_rows.of_target, target)
        ]
    assert len(mine) == len(drafts())
    told = ask(sdk_python("0.4.0"), directory, run_id, target, code)
    assert told == mine
    assert files(directory) == {"exp.db", "meta.db"}


@pytest.mark.parametrize("target", ["span", "sample"])
def test_what_the_sdk_wrote_is_read_here(written: tuple[Path, str], target: str) -> None:
    directory, run_id = written
    logged = expected(directory)["runs"]["complete"]["annotations"][target]
    places = {"span": ("trace_id", "span_id"), "sample": ("dataset_id", "eval_id")}[target]
    first, second = (logged[0][place] for place in places)
    place = SpanTarget(first, second) if target == "span" else SampleTarget(first, second)
    with opened(directory) as store:
        found = store.run(run_id).ask(annotation_rows.of_target, place)
    fields = ("name", "value_type", "value", "user", "rationale")
    assert [[getattr(one, field) for field in fields] for one in found] == [
        [one[field] for field in fields] for one in logged
    ]
    assert [one.kind for one in found] == [one["annotation_kind"] for one in logged]
    assert [one.problem for one in found] == [None] * len(logged)


def test_both_sides_change_what_the_other_wrote(
    written: tuple[Path, str], sdk_python: StoreOf
) -> None:
    directory, run_id = written
    python = sdk_python("0.4.0")
    with opened(directory) as store:
        mine = annotating.add(store.run(run_id).database, SPAN, drafts()[0]).annotation
        (told,) = ask(python, directory, run_id, SPAN, CHANGE_SPAN)
        changed, theirs = store.run(run_id).ask(annotation_rows.of_target, SPAN)
        assert (changed.id, changed.value, changed.rationale) == (mine.id, False, "the SDK's")
        assert as_told(theirs) == told
        edited = annotating.edit(store.run(run_id).database, theirs, 5, None)
        assert isinstance(edited, Edited)
        annotating.delete(store.run(run_id).database, changed)
        assert ask(python, directory, run_id, SPAN, READ_SPAN) == [as_told(edited.after)]
        ask(python, directory, run_id, SPAN, DELETE_SPAN)
        assert store.run(run_id).ask(annotation_rows.of_target, SPAN) == ()


@pytest.mark.parametrize("opened_by_the_sdk_first", [False, True])
def test_an_old_store_is_annotated_by_both_once_its_tables_are_made(
    golden_store: StoreOf, sdk_python: StoreOf, opened_by_the_sdk_first: bool
) -> None:
    directory, python = golden_store("pre2"), sdk_python("0.4.0")
    with closing(sqlite3.connect(directory / "meta.db")) as meta, meta:
        # The SDK's own migration of meta.db fails where there are groups.
        meta.execute("delete from experiment_groups")
        meta.execute("update experiments set group_name = 'gone'")
    if opened_by_the_sdk_first:
        # It counts such a run as migrated and yet makes no annotation tables in it.
        ask(python, directory, "old-1", OLD_SPAN, MIGRATE)
    with opened(directory) as store:
        with pytest.raises(NoAnnotationTables):
            annotating.add(store.run("old-1").database, OLD_SPAN, drafts()[0])
        annotating.create_tables(store.run("old-1").database)
        annotating.add(store.run("old-1").database, OLD_SPAN, drafts()[0])
        ask(python, directory, "old-1", OLD_SPAN, MIGRATE)
        (told,) = ask(python, directory, "old-1", OLD_SPAN, CHANGE_SPAN)
        assert as_told(store.run("old-1").ask(annotation_rows.of_target, OLD_SPAN)[1]) == told
    with closing(sqlite3.connect(directory / "old-1" / "exp.db")) as connection:
        assert connection.execute("pragma user_version").fetchone() == (2,)
        versions = connection.execute("select version from exp_schema_migrations").fetchall()
        assert versions == [(1,), (2,)]
        assert schema(connection) == made_by_the_sdk(python, directory.parent / "new")


def schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Gives the statements that made the annotation tables, without their line breaks."""
    rows = connection.execute(
        "select name, sql from sqlite_master where type = 'table' and name like '%annotations'"
    )
    return {name: " ".join(sql.split()) for name, sql in rows}


def made_by_the_sdk(python: Path, directory: Path) -> dict[str, str]:
    ask(python, directory, "new", OLD_SPAN, "tracker.start_experiment(experiment_id=run); told([])")
    with closing(sqlite3.connect(directory / "new" / "exp.db")) as connection:
        return schema(connection)


def annotate_meanwhile(store: Store, run_id: str, target: Target) -> set[str]:
    """Adds, edits, deletes and puts back annotations; gives the ids of those that stay."""
    kept = set()
    for number in range(AT_ONCE):
        one = annotating.add(store.run(run_id).database, target, drafts()[number % 2]).annotation
        edited = annotating.edit(store.run(run_id).database, one, not one.value, f"edit {number}")
        assert isinstance(edited, Edited)
        deleted = annotating.delete(store.run(run_id).database, edited.after)
        assert deleted is not None
        if number % 2:
            annotating.restore(store.run(run_id).database, deleted.annotation)
            kept.add(one.id)
    return kept


def test_nothing_is_lost_while_the_sdk_logs_and_annotates_at_the_same_time(
    sdk_python: StoreOf, tmp_path: Path
) -> None:
    python, target = sdk_python("0.4.0"), SPAN
    command: list[str | Path] = [python, "-c", WRITE_AT_ONCE, tmp_path, *target.key, str(AT_ONCE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as sdk:
        assert sdk.stdout is not None
        run_id = sdk.stdout.readline().strip()
        with opened(tmp_path) as store:
            kept = annotate_meanwhile(store, run_id, target)
            answer, _ = sdk.communicate()
            report = json.loads(answer)
            found = store.run(run_id).ask(annotation_rows.of_target, target)
            last = {point.value for point in store.run(run_id).metrics.last_points().values()}
            counts = store.run(run_id).ask(counting.counts)
    assert report["errors"] == []
    assert sdk.returncode == 0
    assert len(report["ids"]) >= AT_ONCE
    assert {one.id for one in found if one.user == "ana"} == kept
    assert {one.id for one in found if one.user == "sam"} == set(report["ids"])
    assert {one.rationale for one in found if one.user == "sam"} == {"looked again"}
    assert (last, counts.annotations) == ({1.0}, len(found))
    assert files(tmp_path) == {"exp.db", "meta.db"}

"""The reader against the real luml-sdk: what each version writes, while it writes, and back."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowtui.demo import make_demo
from flowtui.store import counts as counting
from flowtui.store import models as logged_models
from flowtui.store import params as logged_params
from flowtui.store import runs as run_rows
from flowtui.store.changes import Watcher
from flowtui.store.runs import SORTABLE, RunOrder
from flowtui.store.store import Store
from flowtui.store.values import Kind, MetricSummary, Point, StoreLocation
from tests.sdk.environments import VERSIONS, WRITER, expected
from tests.sdk.write_store import portable
from tests.unit.stores import contents, until

StoreOf = Callable[[str], Path]
LIVE_S = "1.5"
"""As long as the SDK logs: some thousand points."""
FOLLOWED = 20
"""As many times the reader reads meanwhile, in a fraction of that."""


@contextmanager
def opened(directory: Path) -> Iterator[Store]:
    with closing(Store(StoreLocation(directory, "a test"))) as store:
        yield store


@pytest.fixture(params=[*((version, "live") for version in VERSIONS),
                        *((version, "golden") for version in [*VERSIONS, "pre2"])],
                ids="-".join)  # fmt: skip
def written(request: pytest.FixtureRequest, golden_store: StoreOf, tmp_path: Path) -> Path:
    """A copy of a store that a version of the SDK wrote, with its expected.json beside it."""
    version, kind = request.param
    if kind == "golden":
        return golden_store(version)
    live: StoreOf = request.getfixturevalue("sdk_store")
    return Path(shutil.copytree(live(version).parent, tmp_path / version)) / "store"


def test_runs_are_as_the_sdk_wrote_them(written: Path) -> None:
    document = expected(written)
    with opened(written) as store:
        groups = {group.name for group in store.ask(run_rows.groups)} - {""}
        for run in document["runs"].values():
            found = store.ask(run_rows.run, run["id"])
            assert found is not None
            assert found.problems == ()
            assert found.created_at is not None
            for field in ("id", "name", "status", "description", "source", "upload_status"):
                assert getattr(found, field) == run[field], field
            assert found.tags == tuple(run["tags"])
            assert found.group_name == run["group"]
            assert found.group_name is None or found.group_name in groups
            assert found.is_active == (run["status"] == "active")
        assert groups <= set(document["groups"])
        assert len(store.list.ordered()) == len(document["runs"])


def test_params_are_as_the_sdk_wrote_them(written: Path) -> None:
    with opened(written) as store:
        for run in expected(written)["runs"].values():
            params = store.run(run["id"]).ask(logged_params.params)
            assert params is not None
            assert {
                param.key: {"type": param.type, "value": portable(param.value)} for param in params
            } == run["params"]
            assert [param for param in params if param.problem] == []


def assert_is_summary(found: MetricSummary, metric: dict[str, Any]) -> None:
    assert found.count == metric["count"]
    assert found.nan_count == metric["nan"]
    assert found.inf_count == metric["infinite"]
    assert found.unreadable_count == 0
    assert (found.last.step, portable(found.last.value)) == (metric["last_step"], metric["last"])
    for point, extreme in ((found.minimum, metric["min"]), (found.maximum, metric["max"])):
        if not isinstance(extreme, str):
            assert (None if point is None else point.value) == extreme
        elif point is not None:
            assert math.isfinite(point.value)


def test_metrics_are_as_the_sdk_wrote_them(written: Path) -> None:
    with opened(written) as store:
        for run in expected(written)["runs"].values():
            found = {item.key: item for item in store.run(run["id"]).metrics.summaries({})}
            assert found.keys() == run["metrics"].keys()
            for key, metric in run["metrics"].items():
                assert_is_summary(found[key], metric)
            points = store.run(run["id"]).metrics.last_points()
            last = {key: Point(point.step, point.value) for key, point in points.items()}
            assert repr(last) == repr({key: item.last for key, item in found.items()})


def test_infinite_points_do_not_hide_the_finite_extremes(written: Path) -> None:
    complete = expected(written)["runs"]["complete"]
    with opened(written) as store:
        for found in store.run(complete["id"]).metrics.summaries({}):
            if found.key == "grad/norm":
                assert found.minimum == Point(0, 1.5)
                assert found.maximum == Point(3, 2.5)
                assert (found.pos_inf_count, found.neg_inf_count) == (1, 1)


def test_figures_are_those_of_the_runs_own_database(written: Path) -> None:
    runs = expected(written)["runs"].values()
    with opened(written) as store:
        found = store.list.figures([run["id"] for run in runs])
    for run in runs:
        figures = found[run["id"]]
        assert figures.problem is None
        assert portable(dict(figures.metrics)) == {
            key: metric["last"] for key, metric in run["metrics"].items()
        }
        assert portable(dict(figures.params)) == {
            key: param["value"] for key, param in run["params"].items()
        }


def test_models_are_as_the_sdk_wrote_them(written: Path) -> None:
    has_table = written.parent.name != "pre2"
    with opened(written) as store:
        for run in expected(written)["runs"].values():
            found = store.ask(logged_models.models, run["id"])
            if not has_table:
                assert found is None
                continue
            assert found is not None
            assert [
                {
                    "name": model.name,
                    "path": model.path,
                    "size": model.size_bytes,
                    "tags": list(model.tags),
                }
                for model in found
            ] == run["models"]
            assert [model.problem for model in found if model.problem] == []


def test_counts_are_as_the_sdk_wrote_them(written: Path) -> None:
    has_annotations = written.parent.name != "pre2"
    with opened(written) as store:
        for run in expected(written)["runs"].values():
            found = store.run(run["id"]).ask(counting.counts)
            assert found.params == len(run["params"])
            assert found.metrics == len(run["metrics"])
            assert found.traces == len(run["traces"])
            assert found.spans == sum(trace["spans"] for trace in run["traces"].values())
            assert found.samples == sum(map(len, run["evals"].values()))
            assert found.attachments == len(run["attachments"])
            annotations = sum(map(len, run["annotations"].values()))
            assert found.annotations == (annotations if has_annotations else None)


def test_every_run_is_found_by_id_and_the_order_by_figures_is_total(written: Path) -> None:
    runs = expected(written)["runs"].values()
    with opened(written) as store:
        for run in runs:
            assert store.resolve(run["id"]).row.id == run["id"]
        for column in (*SORTABLE, "param.learning_rate", "metric.train/loss"):
            assert len(set(store.list.ordered(None, RunOrder(column)))) == len(runs)


def test_reading_leaves_a_store_of_any_version_as_it_was(written: Path) -> None:
    before = contents(written)
    with opened(written) as store:
        run_ids = [run_id for run_id, _ in store.ask(run_rows.identities)]
        store.list.figures(run_ids)
        store.ask(run_rows.figure_keys)
        for run_id in run_ids:
            store.run(run_id).ask(logged_params.params)
            store.ask(logged_models.models, run_id)
            store.run(run_id).ask(counting.counts)
            list(store.run(run_id).metrics.summaries({}))
            assert not Watcher(store.meta, store.run(run_id)).look().removed
    assert contents(written) == before


def test_a_reader_follows_the_sdk_while_it_logs_and_does_not_hurt_it(
    sdk_python: Callable[[str], Path], tmp_path: Path
) -> None:
    command: list[str | Path] = [sdk_python("0.4.0"), WRITER, tmp_path, "--live", LIVE_S]
    known: dict[str, MetricSummary] = {}
    counts: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sdk:
        assert sdk.stdout is not None
        run_id = sdk.stdout.readline().strip()
        with opened(tmp_path) as store:
            watcher = Watcher(store.meta, store.run(run_id))

            def follow() -> None:
                news = list(store.run(run_id).metrics.summaries(dict(known)))
                known.update({summary.key: summary for summary in news})
                counts.append(sum(summary.count for summary in known.values()))

            def has_followed() -> bool:
                if Kind.METRICS in watcher.look().kinds:
                    follow()
                return len(counts) > FOLLOWED

            until(has_followed, "the logging of points")
            # A read under way while the SDK closes the database would keep it from folding the log.
            report = json.loads(sdk.stdout.read())
            assert sdk.wait() == 0
            last = watcher.look()
            follow()
            (scratch,) = store.run(run_id).metrics.summaries({})
    loss = known["train/loss"]
    assert report["errors"] == 0
    assert counts == sorted(counts)
    assert len(set(counts)) > FOLLOWED / 2
    assert last.ended == {run_id}
    assert last.kinds == {Kind.RUN, Kind.METRICS}
    assert known.keys() == {"train/loss"}
    assert loss.count == report["written"]
    assert (loss.first, loss.last) == (Point(0, 1.0), Point(loss.count - 1, 1 / loss.count))
    assert (loss.minimum, loss.maximum) == (scratch.minimum, scratch.maximum)
    assert scratch.count == loss.count
    left = sorted(path.name for path in tmp_path.rglob("*.db*"))
    assert left == ["exp.db", "meta.db"]


ASK_THE_SDK = r"""
import hashlib, json, sys
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker(f"sqlite://{sys.argv[1]}")
groups = {group.id: group.name for group in tracker.list_groups()}
runs = {}
for run in tracker.list_experiments():
    data = tracker.get_experiment(run.id)
    spans = evals = notes = 0
    for trace in tracker.get_experiment_traces_all(run.id):
        details = tracker.get_trace(run.id, trace.trace_id)
        spans += len(details.spans)
        for span in details.spans:
            if span.annotation_count:
                notes += len(tracker.get_span_annotations(run.id, trace.trace_id, span.span_id))
    for sample in tracker.get_experiment_evals_all(run.id):
        evals += 1
        notes += len(tracker.get_eval_annotations(run.id, sample.dataset_id, sample.id))
    runs[run.id] = {
        "name": run.name, "status": run.status, "tags": run.tags, "duration": run.duration,
        "description": run.description, "source": run.source, "group": groups.get(run.group_id),
        "upload_status": run.upload_status,
        "params": {key: repr(value) for key, value in data.static_params.items()},
        "last": {key: repr(points[-1]["value"]) for key, points in data.dynamic_metrics.items()},
        "points": {key: len(points) for key, points in data.dynamic_metrics.items()},
        "attachments": {
            file.name: [file.size, hashlib.sha256(tracker.get_attachment(file.name, run.id)).hexdigest()]
            for file in tracker.list_attachments(run.id)
        },
        "models": [[model.name, model.size, model.tags] for model in tracker.get_models(run.id)],
        "spans": spans, "evals": evals, "annotations": notes,
    }
tracker.current_experiment_id = None
json.dump(runs, sys.stdout)
"""  # noqa: E501


def as_the_sdk_tells_it(store: Store, run_id: str) -> dict[str, Any]:
    """Gives what our reader says of a run in the words of ASK_THE_SDK."""
    run = store.ask(run_rows.run, run_id)
    assert run is not None
    counts = store.run(run_id).ask(counting.counts)
    summaries = list(store.run(run_id).metrics.summaries({}))
    folder = store.run_directory(run_id) / "attachments"
    return {
        "name": run.name,
        "status": run.status,
        "tags": list(run.tags),
        "duration": run.duration_s,
        "description": run.description,
        "source": run.source,
        "group": run.group_name,
        "upload_status": run.upload_status,
        "params": {
            param.key: repr(param.value)
            for param in store.run(run_id).ask(logged_params.params) or ()
        },
        "last": {
            item.key: repr(None if math.isnan(item.last.value) else item.last.value)
            for item in summaries
        },
        "points": {item.key: item.count for item in summaries},
        "attachments": {
            str(path.relative_to(folder)): [
                path.stat().st_size,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            ]
            for path in folder.rglob("*")
            if path.is_file()
        },
        "models": [
            [model.name, model.size_bytes, list(model.tags)]
            for model in store.ask(logged_models.models, run_id) or ()
        ],
        "spans": counts.spans,
        "evals": counts.samples,
        "annotations": counts.annotations,
    }


def test_the_sdk_reads_the_demo_store_as_we_do(
    sdk_python: Callable[[str], Path], tmp_path: Path
) -> None:
    make_demo(tmp_path / "store", datetime(2026, 6, 1, 12, tzinfo=UTC))
    ours = Path(shutil.copytree(tmp_path / "store", tmp_path / "ours"))
    command: list[str | Path] = [
        sdk_python("0.4.0"), "-X", "utf8", "-c", ASK_THE_SDK, tmp_path / "store"
    ]  # fmt: skip
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    theirs = json.loads(answer)
    with opened(ours) as store:
        assert {run_id for run_id, _ in store.ask(run_rows.identities)} == theirs.keys()
        for run_id, run in theirs.items():
            found = as_the_sdk_tells_it(store, run_id)
            assert found.keys() == run.keys()
            for field, value in run.items():
                assert found[field] == value, (run["name"], field)

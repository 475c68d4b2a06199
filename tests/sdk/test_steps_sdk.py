"""Steps of any type, as the real luml-sdk hands them on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.reports.runs import run_contents, whole_document
from flowtui.store import runs as run_rows
from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics.steps import HIGHEST, LOWEST
from flowtui.store.store import Store
from flowtui.widgets.charts.curve_pane import CurvePane
from tests.conftest import open_store
from tests.pilot.pilot import opened, screen_text, settled, until
from tests.sdk.conftest import go_without
from tests.sdk.environments import SdkUnavailable, environment_with

SCRIPT = """
import sys, time
import numpy
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker(f"sqlite://{sys.argv[1]}")
run_id = tracker.start_experiment(name="steps")
for i in range(100):
    tracker.log_dynamic("real", i / 100, step=i / 10)
    tracker.log_dynamic("epoch", i, step=i / 7)
    tracker.log_dynamic("float32", i, step=numpy.float32(i / 10))
for i in range(300):
    tracker.log_dynamic("int64", i, step=numpy.int64(i))
for i in range(-40, 40):
    tracker.log_dynamic("int32", i, step=numpy.int32(i * 1000))
    tracker.log_dynamic("int8", i, step=numpy.int8(i))
for word in ("12", "2.5", "ten"):
    tracker.log_dynamic("text", 1.0, step=word)
print(run_id, flush=True)
for line in sys.stdin:
    for _ in range(20):
        i += 1
        tracker.log_dynamic("real", i, step=10 + i / 10)
        tracker.log_dynamic("int64", i, step=numpy.int64(300 + i))
    print(i, flush=True)
tracker.end_experiment(run_id)
"""


class Writer:
    """A process that logs with the SDK."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.run_id = self.line()

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def log_more(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("more\n")
        self._process.stdin.flush()
        self.line()

    def end(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    try:
        python = environment_with("luml-sdk==0.4.0 numpy==2.3.5", "0.4.0-numpy")
    except SdkUnavailable as reason:
        go_without(str(reason))
    command: list[str | Path] = [python, "-c", SCRIPT, tmp_path / "store"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Writer(process)
        process.kill()


@pytest.fixture
def store(writer: Writer, tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store")) as found:
        yield found


def steps(store: Store, run_id: str, key: str) -> list[object]:
    return [point.step for point in store.run(run_id).metrics.points(key, (LOWEST, HIGHEST))]


def test_steps_that_the_sdk_hands_on_are_numbers(writer: Writer, store: Store) -> None:
    run_id = writer.run_id
    assert steps(store, run_id, "real") == [i / 10 for i in range(100)]
    assert steps(store, run_id, "epoch") == [i / 7 for i in range(100)]
    assert steps(store, run_id, "float32") == [i / 10 for i in range(100)]
    assert steps(store, run_id, "int64") == list(range(300))
    assert steps(store, run_id, "int32") == [i * 1000 for i in range(-40, 40)]
    assert steps(store, run_id, "int8") == list(range(-40, 40))
    assert steps(store, run_id, "text") == [2.5, 12]
    run = store.ask(run_rows.run, run_id)
    assert run is not None
    opened = store.opened(run)
    document = whole_document(store, opened, run_contents(store, opened))
    shown = json.loads(json.dumps(document))
    found = {key: metric["last"] for key, metric in shown["metrics"].items()}
    assert found["real"] == {"step": 9.9, "value": 0.99}
    assert found["int64"] == {"step": 299, "value": 299.0}
    assert shown["metrics"]["real"]["max"]["value"] == 0.99
    assert {key: one["unreadable_count"] for key, one in shown["metrics"].items()} == {
        "epoch": 0, "float32": 0, "int32": 0, "int64": 0, "int8": 0, "real": 0, "text": 1,
    }  # fmt: skip
    assert [text.partition(" rows have ")[0] for text in shown["problems"]] == [
        "metric float32: 99 of 100",
        "metric text: 1 of 3",
    ]
    writer.end()
    assert (
        store.run(run_id).metrics.ask("int64", metric_series.series, "int64", None, 10) is not None
    )


async def test_charts_of_such_steps_grow_beside_the_writer(writer: Writer, store: Store) -> None:
    for key in ("real", "int64"):
        async with opened(store, writer.run_id, tab="metrics") as pilot:
            grid = pilot.app.screen.query_one("ChartGrid")
            await until(lambda grid=grid: grid.key is not None, "the first chart")
            grid.put_cursor(key)
            await pilot.press("enter")
            pane = pilot.app.screen.query_one(CurvePane)
            await until(lambda pane=pane: pane.curve is not None, "the curve")
            seen = pane.curve.series.count
            writer.log_more()
            await until(
                lambda pane=pane, seen=seen: pane.curve.series.count == seen + 20, "its growth"
            )
            await settled(pilot)
            assert pane.crosshair == store.run(writer.run_id).metrics.last_points()[key]
            assert key in screen_text(pilot)
    writer.end()

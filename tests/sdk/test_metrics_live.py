"""The Metrics tab beside a training process of the real luml-sdk."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from flowtui.store.metrics import points as metric_points
from flowtui.widgets.charts.curve_pane import CurvePane
from flowtui.widgets.charts.grid import ChartGrid
from tests.conftest import open_store
from tests.pilot.pilot import opened, screen_text, settled, until
from tests.sdk.environments import WRITER


async def test_curves_grow_beside_the_real_writer_and_do_not_disturb_it(
    sdk_python: Callable[[str], Path], tmp_path: Path
) -> None:
    command: list[str | Path] = [sdk_python("0.4.0"), WRITER, tmp_path, "--live", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        run_id = writer.stdout.readline().strip()
        store = open_store(tmp_path)
        await until(lambda: bool(store.run(run_id).metrics.last_points()), "the first point")
        async with opened(store, run_id, tab="metrics") as pilot:
            grid = pilot.app.screen.query_one(ChartGrid)
            await until(lambda: grid.key is not None, "the first chart")
            await pilot.press("enter")
            pane = pilot.app.screen.query_one(CurvePane)
            await until(lambda: pane.curve is not None, "the curve")
            seen = pane.curve.series.count if pane.curve is not None else 0
            await until(
                lambda: pane.curve is not None and pane.curve.series.count > seen, "its growth"
            )
            report = json.loads(writer.stdout.read())
            await until(lambda: "completed" in screen_text(pilot), "the end of the run")
            await settled(pilot)
            assert pane.curve is not None
            key = pane.curve.series.key
            extent = store.run(run_id).metrics.ask(key, metric_points.extent, key)
            assert extent is not None
            await until(
                lambda: pane.curve is not None and pane.curve.series.count == extent.count,
                "the whole curve",
            )
            assert pane.crosshair == extent.last
    assert report["errors"] == 0

"""The Metrics tab of a comparison: curves of several runs over each other."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.charts.curve_pane import CurvePane
from flowtui.widgets.charts.grid import ChartGrid
from flowtui.widgets.charts.placing import window_of
from tests.conftest import NOW, open_store
from tests.pilot.pilot import compared, screen_lines, screen_text, settled, until

Points = Sequence[tuple[float, float]]
RUNS = ("one", "two", "three")


def write_store(
    folder: Path,
    runs: Mapping[str, Mapping[str, Points]],
    params: Mapping[str, Mapping[str, object]] | None = None,
    active: Sequence[str] = (),
) -> Store:
    """Return a store with these metrics by run; a run logs a step every second, every second run
    every two."""
    with StoreWriter(folder, clock=lambda: NOW, durable=False) as writer:
        for index, (run, metrics) in enumerate(runs.items()):
            run_id = f"run-{index}" if "\x1b" in run else run
            writer.start_run(run_id, run)
            with writer.experiment(run_id) as experiment:
                experiment.params((params or {}).get(run, {}))  # type: ignore[arg-type]
                for key, points in metrics.items():
                    experiment.metrics(
                        (key, value, step, NOW + timedelta(hours=index, seconds=step * (index + 1)))  # type: ignore[misc]
                        for step, value in points
                    )
            if run not in active:
                writer.end_run(run_id, status="completed", duration=1.0)
    return open_store(folder)


@pytest.fixture
def three(tmp_path: Path) -> Store:
    """Three runs: two repeat each other, and the last one is longer and logs every tenth step."""
    runs = {
        "one": {"loss": [(step, 4.0) for step in range(101)], "only/one": [(0, 1.0)]},
        "two": {"loss": [(step, 2.0 + step / 100) for step in range(101)]},
        "three": {"loss": [(step, 1.0) for step in range(0, 401, 10)], "acc": [(0, 0.5), (9, 0.7)]},
    }
    params = {
        "one": {"lr": 3e-4, "seed": 1},
        "two": {"lr": 3e-4, "seed": 2},
        "three": {"lr": 0.1, "seed": 1},
    }
    return write_store(tmp_path, runs, params)


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def zoomed(pilot: Pilot[None], key: str, *keys: str) -> None:
    pilot.app.screen.query_one(ChartGrid).put_cursor(key)
    await press(pilot, "enter", *keys)


def title(pilot: Pilot[None]) -> str:
    return screen_lines(pilot)[3]


def legend(pilot: Pilot[None]) -> str:
    """Return the lines below the step of the crosshair, with single blanks."""
    lines = screen_lines(pilot)
    at = max(index for index, line in enumerate(lines) if line.startswith(" step "))
    return re.sub(r"\s+", " ", " ".join(lines[at:-1])).strip()


# The grid ------------------------------------------------------------------------------------


async def test_the_grid_has_a_chart_a_metric_and_a_curve_a_run(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        text = screen_text(pilot)
        assert "2 Metrics 3" in text
        assert "A 4  B 3  C 1" in text
        assert "only A" in text
        assert "only C" in text


async def test_names_are_filtered_sorted_pinned_and_folded(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await press(pilot, "slash", *"los", "enter")
        assert "1 of 3" in screen_text(pilot)
        assert "only A" not in screen_text(pilot)
        await press(pilot, "slash", "ctrl+u", "enter")
        await press(pilot, "z")
        assert "A 4" not in screen_text(pilot)
        await press(pilot, "z", "down", "p")
        assert "★ pinned" in screen_text(pilot)


async def test_single_runs_are_switched_off_and_on(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await press(pilot, "v", "down", "space", "enter")
        text = screen_text(pilot)
        assert "A 4  C 1" in text
        assert re.search(r"B two\s+off", text)
        await zoomed(pilot, "loss")
        assert "2 runs" in title(pilot)
        await press(pilot, "v", "down", "space", "enter")
        assert "3 runs" in title(pilot)
        assert "B two" in legend(pilot)


async def test_where_all_runs_that_have_a_metric_are_off_it_says_so(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await press(pilot, "v", "space", "enter")
        assert "The runs that have it are off: v" in screen_text(pilot)


async def test_the_axis_of_the_grid_turns(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        before = screen_text(pilot)
        await press(pilot, "t", "t")
        assert "share %" in screen_text(pilot)
        grid = [line for line in screen_lines(pilot) if "\u28c0" in line or "⠒" in line]
        assert grid != [line for line in before.splitlines() if "\u28c0" in line or "⠒" in line]
        # One metric in full has the axis of the grid.
        await zoomed(pilot, "loss", "plus")
        assert "x share %" in title(pilot)
        curve = pilot.app.screen.query_one(CurvePane).curve
        assert curve is not None
        wide = {(one.last.step, one.end - one.start) for one in curve.all_series}
        assert wide == {(100, 50), (400, 200)}


# One metric in full --------------------------------------------------------------------------


async def test_the_crosshair_says_the_value_of_each_run_and_at_which_step(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await zoomed(pilot, "loss")
        assert legend(pilot) == "step 400 A one 4 @ 100 B two 3 @ 100 C three 1"
        await press(pilot, "colon", *"54", "enter")
        assert legend(pilot) == "step 54 A one 4 B two 2.54 C three 1 @ 50"
        await press(pilot, "right", "right")
        assert legend(pilot) == "step 56 A one 4 B two 2.56 C three 1 @ 60"


async def test_on_other_axes_the_nearest_point_there_counts(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await zoomed(pilot, "loss", "colon", *"50", "enter", "t")
        # C takes longest, three seconds a step; 150 s after its start B, at two a step, is at 75.
        assert "x time" in title(pilot)
        assert legend(pilot).startswith("step 50 of C 2 m 30 s in A one 4 @ 100 B two 2.75 @ 75")
        assert "C three 1 @ 50" in legend(pilot)
        await press(pilot, "t")
        assert "x share %" in title(pilot)
        assert legend(pilot).startswith("step 100 of A 100 % of the run")
        await press(pilot, "colon", *"50", "enter")
        assert "50 % of the run" in legend(pilot)
        assert "B two 2.5 @ 50" in legend(pilot)
        assert "C three 1 @ 200" in legend(pilot)
        # Zoomed in, each run shows the same part of itself.
        await press(pilot, "plus")
        curve = pilot.app.screen.query_one(CurvePane).curve
        assert curve is not None
        windows = [(one.start, one.end) for one in curve.all_series]
        assert windows == [(25, 75), (25, 75), (100, 300)]


async def test_the_crosshair_is_always_inside_the_axis(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await zoomed(pilot, "loss", "colon", *"400", "enter", "t")
        # A ends after 100 s and has no step 400, which only C has.
        assert legend(pilot).startswith("step 400 of C 20 m in A one 4 @ 100 B two 3 @ 100")
        pane = pilot.app.screen.query_one(CurvePane)
        for _ in range(4):
            curve = pane.curve
            assert curve is not None
            assert curve.crosshair in curve.points
            x, window = curve.x(curve.crosshair), window_of(curve)
            assert x is not None
            assert window.left <= x <= window.right
            await press(pilot, "t")
            # It stays where the legend says that the run is along which it goes then.
            if "x share %" in title(pilot):
                assert legend(pilot).startswith("step 100 of A 100 % of the run A one 4 @ 100")
                assert "C three 1 @ 400" in legend(pilot)
        # Without C another run takes the lead, and the crosshair goes to the end of the axis.
        await press(pilot, "v", "down", "down", "space", "enter")
        assert legend(pilot).startswith("step 100 of B 3 m 20 s in A one 4 @ 100 B two 3 @ 100")
        await press(pilot, "home")
        assert legend(pilot).startswith("step 0 of B 0 s in A one 4 @ 0 B two 2 @ 0")
        # Back on the axis of steps a difference has its own values.
        await press(pilot, "t", "t", "t", "i", "end")
        assert pane.curve is not None
        assert pane.curve.crosshair is not None
        assert pane.curve.crosshair.value == -1.0


async def test_the_difference_is_drawn_to_the_baseline_between_its_steps(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await zoomed(pilot, "loss", "i")
        assert "each minus A" in title(pilot)
        # C goes on to 400 and A ends at 100.
        assert legend(pilot).startswith("step 100 B two -1 C three -3")
        await press(pilot, "colon", *"54", "enter")
        assert legend(pilot).startswith("step 54 B two -1.46 C three -3 @ 50")
        await press(pilot, "escape")
        assert "B -1  C -3" in screen_text(pilot)
        # Neither the tab nor a chart may pass for what was logged.
        assert "2 Metrics 3 · each minus A" in screen_text(pilot)
        assert re.search(r"loss +each minus A", screen_text(pilot))
        assert "no other run has it at the steps of A" in screen_text(pilot)
        assert "A has no such metric" in screen_text(pilot)
        await press(pilot, "i")
        assert "A 4  B 3  C 1" in screen_text(pilot)


async def test_no_curve_is_shown_for_what_it_is_not(
    three: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from flowtui.store.compare.curves import FoldedSource

    go_on = threading.Event()
    series = FoldedSource.series

    def slow(self: FoldedSource, *given: object) -> object:
        go_on.wait(20)
        return series(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(FoldedSource, "series", slow)
    async with compared(three, *RUNS, tab="metrics") as pilot:
        assert "A 4  B 3  C 1" in screen_text(pilot)
        await pilot.press("i")
        await until(lambda: "each minus A" in screen_text(pilot), "the word")
        assert "A 4  B 3  C 1" not in screen_text(pilot)
        go_on.set()
        await until(lambda: "B -1  C -3" in screen_text(pilot), "the differences")
        go_on.clear()
        await press(pilot, "i")
        await zoomed(pilot, "loss")
        await pilot.press("i")
        await until(lambda: "reading…" in screen_text(pilot), "the word")
        go_on.set()
        await until(lambda: "each minus A" in title(pilot), "the differences")


async def test_repeats_fold_into_a_mean_with_its_band(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics", size=(160, 40)) as pilot:
        await press(pilot, "S")
        assert "AB 3.5  C 1" in screen_text(pilot)
        await zoomed(pilot, "loss", "colon", *"50", "enter")
        assert "repeats folded over seed" in title(pilot)
        assert "AB lr=3e-4 mean of 2 over seed" in legend(pilot)
        assert "3.25 2.5…4" in legend(pilot)
        assert "C three 1" in legend(pilot)
        await press(pilot, "i")
        assert "C three -2.25" in legend(pilot)
        assert "AB" not in legend(pilot)
        await press(pilot, "i", "S")
        assert "A one 4" in legend(pilot)


async def test_where_nothing_repeats_folding_says_so(three: Store) -> None:
    async with compared(three, "two", "three", tab="metrics") as pilot:
        await press(pilot, "S")
        assert "Nothing to fold" in screen_text(pilot)
        assert "A 3  B 1" in screen_text(pilot)


async def test_runs_are_called_by_what_they_differ_in(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics", size=(160, 40)) as pilot:
        await zoomed(pilot, "loss", "P")
        assert "A lr=3e-4 seed=1 4" in legend(pilot)
        assert "C lr=0.1 seed=1 1" in legend(pilot)
        await press(pilot, "P")
        assert "A one 4" in legend(pilot)


async def test_the_zoom_has_what_that_of_one_run_has(three: Store) -> None:
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await zoomed(pilot, "loss", "w", "o")
        assert "y log" in title(pilot)
        curve = pilot.app.screen.query_one(CurvePane).curve
        assert curve is not None
        assert [of.smoothed is not None for of in curve.overlays] == [True] * 3
        await press(pilot, "end", "plus", "plus")
        assert "part" in title(pilot)
        assert curve.ends[1].step == 400
        await press(pilot, "home", "comma", "comma", "comma", "comma", "comma", "comma")
        assert "C three 1" in legend(pilot)
        await press(pilot, "0", "M")
        assert legend(pilot).startswith("step 0 A one 4 B two 2 C three 1")
        await press(pilot, "right_square_bracket")
        assert "only/one" in title(pilot)
        await press(pilot, "left_square_bracket", "left_square_bracket")
        assert "acc" in title(pilot) or "loss" in title(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen.query_one(ChartGrid).display


async def test_the_values_of_all_runs_are_copied(
    three: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: copied.append(text))
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await zoomed(pilot, "loss", "colon", *"54", "enter", "y", "Y")
    assert copied[0] == "A\t4.0\nB\t2.54\nC\t1.0"
    points = [json.loads(line) for line in copied[1].splitlines()]
    assert [(point["key"], point["step"]) for point in points] == [("A", 54), ("B", 54), ("C", 50)]


@pytest.mark.parametrize("in_full", [True, False])
@pytest.mark.parametrize(("downs", "suffix"), [(0, "csv"), (1, "jsonl"), (2, "svg"), (3, "txt")])
async def test_exporting_writes_values_or_the_chart(
    three: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, downs: int, suffix: str,
    in_full: bool,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"compare-loss.{suffix}"
    async with compared(three, *RUNS, tab="metrics") as pilot:
        await press(pilot, "S")
        pilot.app.screen.query_one(ChartGrid).put_cursor("loss")
        await press(pilot, *(["enter", "x"] if in_full else ["x"]))
        await pilot.press(*["down"] * downs, "enter")
        await until(path.exists, "the export")
        await settled(pilot)
    text = path.read_text(encoding="utf-8")
    if suffix == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert len(rows) == 101 + 41
        row = rows[50]
        assert (row["letters"], row["step"], row["value"]) == ("AB", "50", "3.25")
        assert (row["lowest"], row["highest"], row["runs"]) == ("2.5", "4.0", "2")
        assert rows[101]["name"] == "three"
        assert (rows[101]["lowest"], rows[101]["runs"]) == ("", "1")
    elif suffix == "jsonl":
        first = json.loads(text.splitlines()[0])
        assert (first["letters"], first["value"], first["lowest"]) == ("AB", 3.0, 2.0)
        assert first["logged_at"].startswith("2026")
    elif suffix == "svg":
        assert text.startswith("<svg")
        assert ">AB</text>" in text
        assert "<polygon" in text
    else:
        assert "repeats folded over seed" in text.splitlines()[0]


async def test_the_line_on_top_promises_no_key_that_means_something_else(tmp_path: Path) -> None:
    names = list("abcdefg")
    store = write_store(tmp_path, {name: {"loss": [(0, 1.0)], "acc": [(0, 1.0)]} for name in names})
    async with compared(store, *names, tab="metrics", size=(80, 24)) as pilot:
        assert "candidate 1 of 6  [ ]" in screen_lines(pilot)[0]
        await press(pilot, "right_square_bracket")
        assert "candidate 2 of 6  [ ]" in screen_lines(pilot)[0]
        # In full, these keys show other metrics.
        await press(pilot, "enter")
        assert "candidate 2 of 6" in screen_lines(pilot)[0]
        assert "[ ]" not in screen_lines(pilot)[0]
        await press(pilot, "escape")
        assert "candidate 2 of 6  [ ]" in screen_lines(pilot)[0]


# Odd runs ------------------------------------------------------------------------------------


async def test_odd_values_names_and_runs_are_said(tmp_path: Path) -> None:
    runs: dict[str, dict[str, Points]] = {
        "a\x1b[31mred[/x]": {"loss[/]\x1b]0;x\x07": [(0, math.nan), (1, 1.0), (2, math.inf)]},
        "b": {"loss[/]\x1b]0;x\x07": [(0, math.nan)]},
        "none": {},
    }
    store = write_store(tmp_path, runs)
    async with compared(store, "run-0", "b", "none", tab="metrics") as pilot:
        assert "▲ 2 NaN 1 Inf" in screen_text(pilot)
        assert "only A B" in screen_text(pilot)
        await press(pilot, "enter", "home", "i", "i", "o", "t")
        assert "\x1b" not in screen_text(pilot)
        assert "A a␛[31mred[/x] NaN @ 0" in legend(pilot)
        assert "B b NaN @ 0" in legend(pilot)


async def test_runs_without_metrics_say_so(tmp_path: Path) -> None:
    store = write_store(tmp_path, {"a": {}, "b": {}})
    async with compared(store, "a", "b", tab="metrics") as pilot:
        assert "None of the runs has logged a metric." in screen_text(pilot)


async def test_the_same_run_twice_is_two_curves(three: Store) -> None:
    async with compared(three, "one", "one", tab="metrics") as pilot:
        assert "A 4  B 4" in screen_text(pilot)
        await zoomed(pilot, "loss", "i")
        assert "B one 0" in legend(pilot)


async def test_an_active_run_grows(tmp_path: Path) -> None:
    runs = {name: {"loss": [(step, 1.0) for step in range(50)]} for name in ("a", "b")}
    store = write_store(tmp_path, runs, active=["b"])
    async with compared(store, "a", "b", tab="metrics") as pilot:
        with StoreWriter(tmp_path, clock=lambda: NOW) as writer, writer.experiment("b") as grown:
            grown.metrics([("loss", 0.625, 50, NOW), ("new", 0.3, 0, NOW)])
        await until(lambda: "A 1  B 0.625" in screen_text(pilot), "the growth of the chart")
        await until(lambda: "only B" in screen_text(pilot), "the new metric")
        await zoomed(pilot, "loss", "i")
        assert "step 49 B b 0" in legend(pilot)
        with StoreWriter(tmp_path, clock=lambda: NOW) as writer, writer.experiment("a") as grown:
            grown.metrics([("loss", 1.0, 50, NOW)])
        await until(lambda: "step 50 B b -0.375" in legend(pilot), "the difference's growth")


async def test_a_deleted_run_says_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    runs = {name: {"loss": [(step, 1.0) for step in range(50)]} for name in ("a", "b", "c")}
    store = write_store(tmp_path, runs, active=["c"])
    async with compared(store, "a", "b", "c", tab="metrics") as pilot:
        _delete(tmp_path, "b")
        shutil.rmtree(tmp_path / "b", ignore_errors=True)
        await until(lambda: "deleted" in screen_text(pilot), "the word")
        await until(lambda: "A 1  B ✗  C 1" in screen_text(pilot), "the rest")
        await zoomed(pilot, "loss")
        assert "2 runs" in title(pilot)
        with StoreWriter(tmp_path, clock=lambda: NOW) as writer, writer.experiment("c") as grown:
            grown.metrics([("loss", 0.5, 50, NOW)])
        await until(lambda: "C c 0.5" in legend(pilot), "the growth of the rest")


def _delete(folder: Path, run: str) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "meta.db")) as meta, meta:
        meta.execute("delete from experiments where id = ?", (run,))


# Runs that cannot be read --------------------------------------------------------------------


@pytest.fixture
def four(tmp_path: Path) -> Store:
    runs: dict[str, dict[str, Points]] = {
        name: {"loss": [(step, at + 0.5) for step in range(50)]} for at, name in enumerate("abcd")
    }
    runs["a"]["own"] = [(0, 1.0)]
    return write_store(tmp_path, runs)


async def test_a_run_that_cannot_be_read_is_said_where_it_would_stand(
    four: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "b")
    async with compared(four, *"abcd", tab="metrics") as pilot:
        assert "A 0.5  B ✗  C 2.5  D 3.5" in screen_text(pilot)
        assert "B unreadable" in screen_text(pilot)
        # Whether B has the metric is not known.
        assert "only A, B unreadable" in screen_text(pilot)
        await zoomed(pilot, "loss")
        assert "3 runs · B unreadable" in title(pilot)
        assert "B b ✗ b/exp.db is missing" in legend(pilot)
        await press(pilot, "x")
        await pilot.press("enter")
        await until(lambda: (tmp_path / "compare-loss.csv").exists(), "the export")
        await settled(pilot)
        # The path before it may be of any length, and so its lines break anywhere.
        toast = "".join(re.findall("▌(.*)", screen_text(pilot)))
        assert "withoutB," in re.sub(r"\s+", "", toast)
        # One that is switched off is not missed.
        await press(pilot, "v", "down", "space", "enter")
        assert "unreadable" not in title(pilot)
        assert "✗" not in legend(pilot)


async def test_without_a_readable_baseline_there_is_no_difference(
    four: Store, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "a")
    async with compared(four, *"abcd", tab="metrics", size=(160, 40)) as pilot:
        assert "A ✗  B 1.5  C 2.5  D 3.5" in screen_text(pilot)
        await press(pilot, "i")
        assert "A cannot be read, so there is no difference to it" in screen_text(pilot)
        await zoomed(pilot, "loss")
        assert "A cannot be read, so there is no difference to it" in screen_text(pilot)


async def test_a_run_that_vanishes_between_two_reads_is_said(
    four: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The watch must not see it first.
    monkeypatch.setattr("flowtui.app.comparing.Comparing.look", lambda _self: None)
    async with compared(four, *"abcd", tab="metrics") as pilot:
        await zoomed(pilot, "loss")
        shutil.rmtree(tmp_path / "c")
        await press(pilot, "left")
        assert "C c ✗ cannot be read" in legend(pilot)
        await press(pilot, "w")
        assert "3 runs · C unreadable" in title(pilot)
        assert "C c ✗ c/exp.db is missing" in legend(pilot)
        await press(pilot, "escape")
        assert "A 0.5  B 1.5  C ✗  D 3.5" in screen_text(pilot)
        assert "only A" in screen_text(pilot)
        for name in "abd":
            shutil.rmtree(tmp_path / name)
        await press(pilot, "i")
        assert "exp.db is missing" in screen_text(pilot)


async def test_what_only_an_unreadable_run_may_have_is_not_denied(
    four: Store, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "a")
    async with compared(four, *"ab", tab="metrics") as pilot:
        # Its own metric is not listed now, and the count is not the whole one.
        assert "2 Metrics 1 · A unreadable" in screen_text(pilot)


async def test_metrics_of_an_unreadable_run_are_not_said_to_be_none(tmp_path: Path) -> None:
    store = write_store(tmp_path, {"a": {}, "b": {"loss": [(0, 1.0)]}})
    shutil.rmtree(tmp_path / "b")
    async with compared(store, "a", "b", tab="metrics") as pilot:
        text = screen_text(pilot)
        assert "None of the runs that can be read has logged a metric" in text
        assert "b/exp.db is missing" in text

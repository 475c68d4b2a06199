"""All points of metrics inside a window, as CSV and JSON into a stream."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from flowtui.reports.series import print_metrics, write_series
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.store import Store
from tests.unit.stores import one_run, opened

Window = tuple[int, int] | None
ODD = {0: 0.1, 5: math.nan, 10: math.inf, 15: -math.inf, 20: 1e-300}
POINTS = 25_000
"""More than two pages of one read each."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    loss = {step: 1 / (step + 1) for step in range(POINTS)}
    one_run(tmp_path, points={"val,acc": ODD, "loss": loss})
    with opened(tmp_path) as found:
        yield found


class Written:
    """What was written of some metrics."""

    def __init__(
        self,
        store: Store,
        *keys: str,
        style: Literal["csv", "json"],
        window: Window = None,
    ) -> None:
        out = io.StringIO()
        run = store.resolve("run-1")
        self.count = write_series(run, keys, window, style, out).point_count
        self.text = out.getvalue()

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text), strict=True))

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def test_all_points_are_written_and_counted(store: Store) -> None:
    as_csv = Written(store, "loss", "val,acc", style="csv")
    assert as_csv.count == len(as_csv.rows) == POINTS + 5
    assert [float(row["value"]) for row in as_csv.rows[:POINTS]] == [
        1 / (step + 1) for step in range(POINTS)
    ]
    as_json = Written(store, "loss", "val,acc", style="json")
    assert as_json.count == POINTS + 5
    assert [(one["key"], one["count"], len(one["points"])) for one in as_json.json] == [
        ("loss", POINTS, POINTS), ("val,acc", 5, 5),
    ]  # fmt: skip


@pytest.mark.parametrize("style", ["csv", "json"])
def test_the_formats_are_those_of_the_command(
    store: Store, style: Literal["csv", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    print_metrics(store.resolve("run-1"), ["val,acc", "loss"], style)
    assert Written(store, "val,acc", "loss", style=style).text == capsys.readouterr().out


def test_a_window_has_the_points_from_its_first_to_its_last_step(store: Store) -> None:
    rows = Written(store, "val,acc", "loss", style="csv", window=(5, 15)).rows
    assert [int(row["step"]) for row in rows] == [5, 10, 15, *range(5, 16)]
    assert [row["value"] for row in rows[:3]] == ["NaN", "Infinity", "-Infinity"]


def test_the_count_of_a_window_is_that_of_its_points(store: Store) -> None:
    written = Written(store, "val,acc", "loss", style="json", window=(6, 20_000))
    assert written.count == 3 + 19_995
    for metric in written.json:
        assert metric["count"] == len(metric["points"])
    assert [metric["count"] for metric in written.json] == [3, 19_995]


def test_a_metric_without_points_in_the_window_is_left_out(store: Store) -> None:
    beyond = (100, 200)
    (only,) = Written(store, "val,acc", "loss", style="json", window=beyond).json
    assert only["key"] == "loss"
    assert Written(store, "val,acc", style="json", window=beyond).text == "[]\n"
    nothing = Written(store, "val,acc", "no such", style="csv", window=beyond)
    assert (nothing.count, nothing.text) == (0, "key,step,value,logged_at\n")


def test_a_metric_named_twice_is_written_once(store: Store) -> None:
    assert Written(store, "val,acc", "val,acc", style="csv").count == 5


@pytest.mark.parametrize("window", [None, (0, POINTS)])
def test_a_reader_who_leaves_ends_it(store: Store, window: Window) -> None:
    with cancelling(lambda: True), pytest.raises(ReadCancelled):
        Written(store, "loss", style="csv", window=window)


def test_leaving_midway_is_noticed_at_the_next_page(store: Store) -> None:
    out = io.StringIO()

    def has_some() -> bool:
        return out.tell() > 1_000

    with cancelling(has_some), pytest.raises(ReadCancelled):
        write_series(store.resolve("run-1"), ["loss"], None, "csv", out)
    assert 1_000 < out.getvalue().count("\n") < POINTS

"""What a run shows in the columns of the list: no number is cut to its column."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.screens.runs import columns as run_columns
from flowtui.store.leaderboard import ParamShape
from flowtui.store.liveness.standing import Standing
from tests.unit.stores import one_run, opened

NUMBERS = [
    0.9999982, -1.2345678901e-05, 12_345_678.9, -123_456_789.5, 1.7e308, -5e-324, 3.0, 10**17 + 1,
]  # fmt: skip


def test_numbers_stand_at_the_right_and_columns_are_as_wide_as_their_values() -> None:
    lr = run_columns.column("param.lr", shape=ParamShape(chars=6))
    model = run_columns.column("param.model", shape=ParamShape(chars=15, is_number=False))
    assert (lr.align, lr.width) == ("right", 6)
    assert (model.align, model.width) == ("left", 15)


@pytest.mark.parametrize("value", NUMBERS)
def test_numbers_are_whole_in_columns_as_narrow_as_their_names(
    tmp_path: Path, value: float
) -> None:
    one_run(tmp_path, {"p": value}, {"m": {0: value}})
    columns = [run_columns.column(key) for key in ("param.p", "metric.m")]
    with opened(tmp_path) as store:
        run = store.resolve("run-1").row
        shown = run_columns.cells(
            run,
            run_columns.ListedFigures(store.list.figures([run.id])[run.id]),
            Standing(None, None),
            columns,
            run_columns.Bests(),
        )
    for piece, column in zip(shown, columns, strict=True):
        assert len(piece.text) <= column.width
        assert float(piece.text.replace(",", "")) == pytest.approx(value, rel=0.01, abs=0)
    assert (float(shown[1].text.replace(",", "")) == 1) == (value == 1)

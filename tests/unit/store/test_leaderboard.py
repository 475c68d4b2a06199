"""What tells listed runs apart, and which is the best of them, against plain Python."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowtui.reports.run_table import ListRequest, print_runs
from flowtui.reports.usage import WrongUsage
from flowtui.store import leaderboard
from flowtui.store.cancelling import cancelling
from flowtui.store.compare.directions import Direction
from flowtui.store.errors import ReadCancelled
from flowtui.store.filters import run_condition
from flowtui.store.runs import RunOrder
from flowtui.store.store import Store
from tests.unit.stores import NOW, opened, writer

RUNS = 12
LOWER, HIGHER = Direction.LOWER, Direction.HIGHER


def points(number: int) -> list[float]:
    """Return what a run logs; the last value is neither the lowest nor the highest."""
    values = random.Random(number)
    found = [values.uniform(0, 1) for _ in range(9)]
    return [*found, (min(found) + max(found)) / 2]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory = tmp_path_factory.mktemp("board")
    with writer(directory) as writing:
        for number in range(RUNS):
            run_id = f"run-{number}"
            writing.start_run(run_id, run_id, group="even" if number % 2 == 0 else "odd")
            with writing.experiment(run_id) as experiment:
                experiment.params({"lr": number / 10, "seed": number % 3, "arch": "cnn"})
                experiment.metrics(
                    ("val/loss", value, step, NOW) for step, value in enumerate(points(number))
                )
                experiment.metrics([("weird", math.nan, 0, NOW), ("weird", math.inf, 1, NOW)])
                if number == 0:
                    experiment.metrics([("rare", 1.0, 0, NOW)])
            # One run goes on: meta.db has no copies of what it logs.
            if number != 5:
                writing.end_run(run_id, status="completed", duration=1.0)
    with opened(directory) as opened_store:
        yield opened_store


def ids(store: Store, rowids: list[int]) -> list[str]:
    from flowtui.store import runs

    by_rowid = store.ask(runs.at, rowids)
    return [by_rowid[rowid].id for rowid in rowids]


def test_parameters_that_differ_and_metrics_that_most_share_are_told(store: Store) -> None:
    rowids = store.list.ordered()
    found = store.ask(leaderboard.telling_keys, rowids)
    assert found.params == ("lr", "seed")
    assert found.metrics[0] == "val/loss", "it has a direction"
    assert "rare" not in found.metrics
    same = store.ask(leaderboard.telling_keys, [rowids[0]])
    assert same.params == (), "one run differs from none"


def test_parameters_that_no_cell_can_show_are_no_columns(tmp_path: Path) -> None:
    with writer(tmp_path) as writing:
        for number in range(2):
            writing.start_run(f"run-{number}", f"run {number}")
            with writing.experiment(f"run-{number}") as experiment:
                experiment.params(
                    {"lr": 10.0**-number, "plan": {"n": number}, "by": f"me-{number}"}
                )
            writing.end_run(f"run-{number}", status="completed", duration=1.0)
    with opened(tmp_path) as store:
        found = store.ask(leaderboard.telling_keys, store.list.ordered())
    assert found.params == ("by", "lr", "plan"), "they still tell runs apart"
    assert found.columns == ["by", "lr"]
    assert found.shapes["lr"] == leaderboard.ParamShape(chars=3)
    assert not found.shapes["by"].is_number


def test_the_best_last_value_is_that_of_all_runs_also_of_one_that_goes_on(store: Store) -> None:
    rowids = store.list.ordered()
    lasts = [points(number)[-1] for number in range(RUNS)]
    assert store.list.best_runs(rowids, {"val/loss": LOWER}) == {"val/loss": min(lasts)}
    assert store.list.best_runs(rowids, {"val/loss": HIGHER}) == {"val/loss": max(lasts)}
    assert store.list.best_runs(rowids, {"weird": HIGHER}) == {}, "an infinity is not the best"
    odd = store.list.ordered(run_condition("group = odd"))
    assert store.list.best_runs(odd, {"val/loss": LOWER}) == {"val/loss": min(lasts[1::2])}


@pytest.mark.parametrize("better", [LOWER, HIGHER])
@pytest.mark.parametrize("descending", [True, False])
def test_runs_are_sorted_by_the_best_value_of_the_whole_run(
    store: Store, better: Direction, descending: bool
) -> None:
    best = min if better is LOWER else max
    wanted = sorted(range(RUNS), key=lambda number: best(points(number)), reverse=descending)
    order = RunOrder("best.val/loss", descending, better)
    told: list[tuple[int, int]] = []
    found = store.list.ordered(None, order, lambda done, total: told.append((done, total)))
    assert ids(store, list(found)) == [f"run-{number}" for number in wanted]
    assert told == [(0, RUNS)]
    # Runs without a finite value come last, newest first as without an order.
    none = store.list.ordered(None, RunOrder("best.weird", descending, better))
    assert none == store.list.ordered()


def test_sorting_by_the_best_can_be_left(store: Store) -> None:
    with cancelling(lambda: True), pytest.raises(ReadCancelled):
        store.list.ordered(None, RunOrder("best.val/loss"))


def test_groups_are_counted_and_summed_up_over_the_runs_that_match(store: Store) -> None:
    sums = store.list.group_sums(run_condition("lr >= 0.3"), "val/loss")
    for name, numbers in (("even", range(4, RUNS, 2)), ("odd", range(3, RUNS, 2))):
        lasts = [points(number)[-1] for number in numbers]
        found = next(of for (_, group), of in sums.items() if group == name)
        assert (found.run_count, found.number_count) == (len(lasts), len(lasts))
        assert (found.low, found.high) == (min(lasts), max(lasts))
        assert found.mean == pytest.approx(sum(lasts) / len(lasts), rel=1e-12)


def test_summaries_are_read_again_only_when_a_run_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writer(tmp_path) as writing, opened_with(tmp_path, writing) as store:
        bests = store.list.bests
        first = bests.summaries("run", ["loss"])
        assert first is not None
        assert (first["loss"].minimum, bests.extremes("run", "loss")) == (
            first["loss"].minimum, (1.0, 3.0),
        )  # fmt: skip
        with writing.experiment("run") as experiment:
            experiment.metrics([("loss", 0.5, 9, NOW)])
        second = bests.summaries("run", ["loss"])
        assert second is not None
        assert second["loss"].count == 4
        assert bests.extremes("run", "loss") == (0.5, 3.0)
        assert bests.summaries("gone", ["loss"]) is None


def opened_with(directory: Path, writing: object):  # type: ignore[no-untyped-def]
    assert hasattr(writing, "start_run")
    writing.start_run("run", "run")
    with writing.experiment("run") as experiment:  # type: ignore[attr-defined]
        experiment.metrics([("loss", value, step, NOW) for step, value in enumerate((3, 1, 2))])
    return opened(directory)


# Printing --------------------------------------------------------------------------------------


def test_chosen_columns_as_csv_have_whole_values(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = "name,lr,val/loss,best.val/loss"
    print_runs(store, ListRequest(sort="val/loss", columns=columns, style="csv"))
    head, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["name", "lr", "val/loss", "best.val/loss"]
    wanted = sorted(range(RUNS), key=lambda number: points(number)[-1])
    for number, (name, rate, last, best) in zip(wanted, rows, strict=True):
        assert name == f"run-{number}"
        assert (float(rate), float(last)) == (number / 10, points(number)[-1])
        assert float(best) == min(points(number))


def test_what_is_sorted_by_is_a_column_though_others_were_chosen(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    print_runs(store, ListRequest(sort="-best.val/loss", columns="name", limit=1))
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "best.val/loss", "↓"]
    worst = max(range(RUNS), key=lambda number: min(points(number)))
    assert row.split()[0] == f"run-{worst}"
    print_runs(store, ListRequest(columns="name,tags", style="json", limit=1))
    assert list(json.loads(capsys.readouterr().out)[0]) == ["name", "tags", "created"]


def test_the_best_of_all_is_marked_though_few_are_printed(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    print_runs(store, ListRequest(sort="val/loss", limit=2))
    lines = capsys.readouterr().out.splitlines()
    assert [line.count("★") for line in lines] == [0, 1, 0]
    print_runs(store, ListRequest(sort="-val/loss", limit=2))
    assert "★" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("name,nosuch", "--columns 'nosuch' is not one of"),
        ("best.nosuch", "--columns 'metric.nosuch' is not one of"),
        ("best.weird", "which value of 'weird' is best is not known"),
    ],
)
def test_a_column_that_there_is_not_is_said(store: Store, columns: str, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        print_runs(store, ListRequest(columns=columns))

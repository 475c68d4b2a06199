"""`flow-tui metrics`: what it prints in each format, how much of it, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from flowtui.reports import series
from flowtui.store.errors import StoreError
from tests.unit.peak import peak_kb
from tests.unit.stores import NOW, execute, one_run, opened, writer

TIMEOUT_S = 60


def strictly(text: str) -> Any:
    """Parse JSON as the standard has it: no NaN, no infinities."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def run(directory: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs `flow-tui metrics run-1` in a process of its own."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "flowtui",
            "metrics",
            "run-1",
            "-s",
            directory,
            *map(str, arguments),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


class Printed:
    """Prints metrics of one store in this process."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.capsys = capsys

    def __call__(self, *keys: str, style: series.Format = "text", limit: int | None = None) -> str:
        with opened(self.directory) as store:
            series.print_metrics(store.resolve("run-1"), keys, style, limit)
        return self.capsys.readouterr().out

    def csv(self, *keys: str, limit: int | None = None) -> list[dict[str, str]]:
        text = self(*keys, style="csv", limit=limit)
        return list(csv.DictReader(io.StringIO(text), strict=True))

    def json(self, *keys: str, limit: int | None = None) -> Any:
        return strictly(self(*keys, style="json", limit=limit))


@pytest.fixture
def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Printed:
    odd = {0: 0.1, 5: math.nan, 10: math.inf, 15: -math.inf, 20: 1e-300}
    one_run(tmp_path, points={"val,acc": odd, "loss": {step: 1 / (step + 1) for step in range(50)}})
    return Printed(tmp_path, capsys)


def test_without_a_key_each_metric_is_a_line(printed: Printed) -> None:
    head, loss, odd = (line.split() for line in printed().splitlines())
    assert head == ["key", "last", "min", "max", "points", "NaN", "Inf"]
    assert loss == ["loss", "0.02", "0.02", "1", "50"]
    assert odd == ["val,acc", "1.0e-300", "1.0e-300", "0.1", "5", "1", "2"]


def test_with_a_key_its_points_are_printed(printed: Printed) -> None:
    head, *points = printed("val,acc").splitlines()
    assert head == "val,acc  5 points"
    at = "2026-06-01T12:00:00Z"
    assert [line.split() for line in points] == [
        ["0", "0.1", at], ["5", "NaN", at], ["10", "Inf", at], ["15", "-Inf", at],
        ["20", "1e-300", at],
    ]  # fmt: skip
    assert len({line.index(at) for line in points}) == 1


def test_csv_has_all_points_in_full_precision(printed: Printed) -> None:
    assert printed("loss", style="csv").splitlines()[:2] == [
        "key,step,value,logged_at",
        "loss,0,1.0,2026-06-01T12:00:00Z",
    ]
    rows = printed.csv()
    assert [row["key"] for row in rows] == ["loss"] * 50 + ["val,acc"] * 5
    assert [float(row["value"]) for row in rows[:50]] == [1 / (step + 1) for step in range(50)]
    assert [row["value"] for row in rows[50:]] == ["0.1", "NaN", "Infinity", "-Infinity", "1e-300"]


def test_json_is_an_array_of_metrics_in_the_order_asked_for(printed: Printed) -> None:
    first, second = printed.json("val,acc", "loss", "val,acc")
    assert list(first) == ["key", "count", "stepless_count", "points"]
    assert (first["key"], first["count"]) == ("val,acc", 5)
    assert first["points"][1] == {
        "step": 5, "value": "NaN", "logged_at": "2026-06-01T12:00:00Z",
    }  # fmt: skip
    values = [point["value"] for point in first["points"]]
    assert values == [0.1, "NaN", "Infinity", "-Infinity", 1e-300]
    assert (second["key"], len(second["points"])) == ("loss", 50)
    assert [metric["key"] for metric in printed.json()] == ["loss", "val,acc"]


def test_fewer_points_keep_the_ends_and_the_extremes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {step: math.sin(step / 9) for step in range(1_000)} | {333: 50.0, 777: -50.0}
    one_run(tmp_path, points={"loss": values})
    printed = Printed(tmp_path, capsys)
    (metric,) = printed.json("loss", limit=40)
    steps = [point["step"] for point in metric["points"]]
    assert metric["count"] == 1_000
    assert 20 <= len(steps) <= 40
    assert steps == sorted(set(steps))
    assert {0, 333, 777, 999} <= set(steps)
    assert all(point["value"] == values[point["step"]] for point in metric["points"])
    assert [int(row["step"]) for row in printed.csv("loss", limit=40)] == steps
    assert printed("loss", limit=40).splitlines()[0] == "loss  1,000 points, the extremes of them:"
    assert len(printed.csv("loss", limit=1_000)) == 1_000


def test_times_that_are_none_are_left_empty(printed: Printed) -> None:
    path = printed.directory / "run-1" / "exp.db"
    execute(path, "update dynamic_metrics set logged_at = 'never' where key = 'val,acc'")
    assert {row["logged_at"] for row in printed.csv("val,acc")} == {""}
    (metric,) = printed.json("val,acc")
    assert {point["logged_at"] for point in metric["points"]} == {None}
    assert printed("val,acc").splitlines()[1] == "   0  0.1"


def test_a_run_without_metrics_prints_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one_run(tmp_path)
    printed = Printed(tmp_path, capsys)
    assert printed().split() == ["key", "last", "min", "max", "points", "NaN", "Inf"]
    assert printed(style="csv") == "key,step,value,logged_at\n"
    assert printed(style="json") == "[]\n"
    with pytest.raises(StoreError, match="no metric 'loss' in the run 'run-1', which has none"):
        printed("loss")


def test_keys_have_no_power_over_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = '\x1b[2J\x1b]0;x\x07\x9b31m\u202e\n"a", b'
    one_run(tmp_path, points={evil: {0: 1.0}})
    printed = Printed(tmp_path, capsys)
    texts = [printed(), printed(evil), printed(style="csv"), printed(style="json")]
    for text in texts:
        assert text.replace("\n", "").isprintable()
    assert printed.json()[0]["key"] == evil
    assert len(printed.csv()) == 1


def test_an_unknown_key_names_the_nearest_and_prints_nothing(printed: Printed) -> None:
    done = run(printed.directory, "loss", "val/acc", "--csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "flow-tui: no metric 'val/acc' in the run 'run-1'; closest: val,acc\n"


def test_the_command_prints_what_is_asked_for(printed: Printed) -> None:
    assert run(printed.directory).stdout == printed()
    assert run(printed.directory, "--csv").stdout == printed(style="csv")
    done = run(printed.directory, "loss", "--json", "--points", 8)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == printed("loss", style="json", limit=8)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--json", "--csv"], "flow-tui: --json and --csv are two formats: give one"),
        (["--points", "8"], "flow-tui: --points needs points: name a KEY, or give --json or --csv"),
        (["loss", "--points", "3"], "3 is not in the range 4<=x<=50000"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    printed: Printed, words: list[str], said: str
) -> None:
    done = run(printed.directory, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_points(tmp_path: Path) -> None:
    with writer(tmp_path) as store:
        store.start_run("run-1", "run-1")
        with store.experiment("run-1") as experiment:
            experiment.metrics(
                ("loss", step / 7, step, NOW + timedelta(seconds=step)) for step in range(200_000)
            )
            experiment.metrics(("short", 1.0, step, NOW) for step in range(10_000))
    for style in ("--csv", "--json"):
        # All points as values would take 30 MB.
        loss, short = (
            peak_kb("metrics", "run-1", key, style, "-s", tmp_path) for key in ("loss", "short")
        )
        assert loss - short < 5_000

"""`flow-tui compare`: which runs it opens, and its exit codes as a gate."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from flowtui.cli.compare import Gate, open_runs
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import RunAmbiguous, RunNotFound
from flowtui.store.schema import EvalRow
from tests.conftest import NOW
from tests.unit.cli.test_cli import Run, run
from tests.unit.stores import writer

__all__ = ["run"]


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Path, Path]:
    """Return two stores: the first has `old`, `new` and `live`, the second `other` and `x::y`."""
    first, second = tmp_path / "first", tmp_path / "second"
    add(first, "old", [True, True, False, True], loss=0.5)
    add(first, "new", [True, False, False, True], loss=0.4)
    add(first, "live", [True, True, True, True], loss=0.1, status="")
    add(first, "failed", [True, True, True, True], loss=0.1, status="error")
    add(second, "other", [True] * 4, loss=0.3)
    add(second, "x::y", [True] * 4, loss=0.2)
    return first, second


def add(
    folder: Path, name: str, passed: Sequence[bool], loss: float, *, status: str = "completed"
) -> None:
    with writer(folder) as store:
        store.start_run(f"id-{name}", name)
        with store.experiment(f"id-{name}") as experiment:
            experiment.params({"lr": loss / 10})
            experiment.metrics([("loss", loss, 1, NOW), ("speed_of_it", loss, 1, NOW)])
            experiment.evals(
                EvalRow(dataset_id="faq", id=f"q{n}", inputs={"q": n}, scores={"correct": one})
                for n, one in enumerate(passed)
            )
        if status:
            store.end_run(f"id-{name}", status=status, duration=1.0)


def ids(words: Sequence[str], store: Path | None) -> list[str]:
    return [of.id for _, of in open_runs(words, None if store is None else str(store))]


def test_runs_are_of_the_store_of_another_one_or_in_an_artifact(
    stores: tuple[Path, Path], run: Run, tmp_path: Path
) -> None:
    first, second = stores
    assert run("export", "new", "--store", first, "-o", tmp_path / "new.luml").code == 0
    words = ["old", "id-ne", f"{second}::other", str(tmp_path / "new.luml")]
    opened = open_runs(words, str(first))
    assert [of.name for _, of in opened] == ["old", "new", "other", "new"]
    assert opened[0][0] is opened[1][0]
    for store, _ in opened:
        store.close()


def test_a_run_of_that_name_comes_before_anything_else_that_a_word_may_mean(
    stores: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = stores
    monkeypatch.chdir(tmp_path)
    add(tmp_path / "x", "y", [True], 0.1)
    assert ids(["x::y", "other"], second) == ["id-x::y", "id-other"]
    with pytest.raises(RunNotFound):
        ids(["old", "other"], second)
    with pytest.raises(RunAmbiguous):
        ids(["id-", "other"], second)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["old", "new", "--fail-on-regression", "correct"], 3,
         "REGRESSION  correct  A → B: fell from 0.75 to 0.5 over 4 samples"),
        (["old", "new", "--fail-on-regression", "correct", "--tolerance", "0.25"], 0,
         "ok  correct  A → B: fell from 0.75 to 0.5 over 4 samples, 0.25 is allowed"),
        (["old", "new", "--fail-on-regression", "loss"], 0, "ok  loss  A → B: fell"),
        (["new", "old", "--fail-on-regression", "loss", "--fail-on-regression", "correct"], 3,
         "REGRESSION  loss  A → B: rose from 0.4 to 0.5"),
        (["old", "new", "--fail-on-regression", "speed_of_it"], 2, "give --better"),
        (["old", "new", "--fail-on-regression", "speed_of_it", "--better", "higher"], 3, "fell"),
        (["old", "new", "--fail-on-regression", "metric.speed_of_it", "--better", "lower"], 0,
         "ok"),
        (["old", "new", "--fail-on-regression", "nothing"], 2, "no run has a score or a metric"),
        (["old", "live", "--fail-on-regression", "correct"], 1, "still active"),
        (["live", "old", "--fail-on-regression", "correct"], 1, "still active"),
        (["old", "live", "--fail-on-regression", "correct", "--allow-active"], 0, "ok  correct"),
        (["old", "failed", "--fail-on-regression", "correct"], 1, "has not ended well"),
        (["old", "failed", "--fail-on-regression", "correct", "--allow-active"], 0, "ok  correct"),
        (["old", "new", "--fail-on-regression", "loss", "--fail-on-regression", "speed_of_it",
          "--better", "lower"], 0, "ok  loss"),
        (["old", "new", "--fail-on-regression", "correct", "--better", "lower"], 3, "REGRESSION"),
        (["old", "new", "--fail-on-regression", "correct", "--tolerance", "nan"], 2, "tolerance"),
        (["old", "new", "--fail-on-regression", "correct", "--tolerance", "-1"], 2, "tolerance"),
        (["old", "new", "--fail-on-regression", "correct", "--better", "up"], 2, "higher"),
        (["old", "new", "--tolerance", "0.5"], 2, "need --fail-on-regression"),
        (["old"], 2, "2 to 8 can be compared"),
        (["old"] * 9, 2, "2 to 8 can be compared"),
        (["old", "gone"], 1, "no run 'gone'"),
        (["old", "nowhere::gone"], 1, "no store"),
    ],
)  # fmt: skip
def test_a_gate_says_what_fell_and_leaves_with_its_code(
    run: Run, stores: tuple[Path, Path], arguments: list[str], code: int, said: str
) -> None:
    done = run("compare", *arguments, "--store", stores[0])
    assert said in done.out + done.err
    assert done.code == code


def test_each_later_run_is_judged(run: Run, stores: tuple[Path, Path]) -> None:
    done = run("compare", "new", "old", f"{stores[1]}::other", "--store", stores[0],
               "--fail-on-regression", "loss")  # fmt: skip
    assert [line.split()[0] for line in done.out.splitlines()] == ["REGRESSION", "ok"]
    assert done.code == 3


def test_a_run_that_cannot_be_read_does_not_pass(run: Run, stores: tuple[Path, Path]) -> None:
    database = stores[0] / "id-new" / "exp.db"
    database.write_bytes(b"not a database, " * 500)
    done = run("compare", "old", "new", "--store", stores[0], "--fail-on-regression", "correct")
    assert done.code == 1


def test_a_comparison_is_printed_where_there_is_no_terminal(
    run: Run, stores: tuple[Path, Path]
) -> None:
    done = run("compare", "old", "new", "--store", stores[0])
    assert done.code == 0
    assert "A  old" in done.out
    assert "correct" in done.out
    assert "lr" in done.out


def test_json_has_the_runs_what_differs_and_the_scores(run: Run, stores: tuple[Path, Path]) -> None:
    done = run("compare", "old", "new", "--store", stores[0], "--json",
               "--fail-on-regression", "correct")  # fmt: skip
    found = json.loads(done.out)
    assert done.code == 3
    assert "REGRESSION" in done.err
    assert [of["letter"] for of in found["runs"]] == ["A", "B"]
    assert any(score["name"] == "correct" for score in found["scores"])


def test_a_gate_works_in_a_script(stores: tuple[Path, Path]) -> None:
    script = (
        f'"{sys.executable}" -m flowtui compare old new --store "{stores[0]}"'
        " --fail-on-regression correct || echo failed with $?"
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "failed with 3"


def test_wrong_usage_is_an_error_of_its_own() -> None:
    with pytest.raises(WrongUsage):
        Gate(("x",), tolerance=float("inf")).checked()

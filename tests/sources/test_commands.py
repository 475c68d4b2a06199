"""Runs of other tools on the command line: listed, completed, compared, exported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from flowtui.cli.commands import cli
from flowtui.cli.completing import complete_run
from flowtui.sources import files, recognising
from tests.sources.conftest import WRITTEN

FIRST, SECOND = "keras/train", "resnet"
LOGS = str(WRITTEN / "tensorboard")


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize(
    ("path", "count"), [("tensorboard", 3), ("wandb", 1), ("trackio", 2), ("inspect", 5)]
)
def test_the_runs_at_a_path_are_listed(path: str, count: int) -> None:
    rows = json.loads(run("list", str(WRITTEN / path), "--json"))
    assert len(rows) == count


def test_readers_of_what_a_folder_has_not_are_not_loaded() -> None:
    code = (
        "import sys; from pathlib import Path; from flowtui.sources import recognising;"
        f" print(recognising.recognise(Path({LOGS!r})).tool,"
        " *(name for name in ('mlflow', 'wandb', 'inspect_log', 'trackio')"
        " if f'flowtui.sources.{name}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["TensorBoard"], done.stderr


def test_what_a_short_look_does_not_meet_is_asked_for_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "TO_RECOGNISE", 1)
    source = recognising.recognise(WRITTEN / "mlruns")
    assert source is not None
    assert source.tool == "MLflow"


def test_that_runs_are_read_is_told_in_one_line() -> None:
    for words, said in (
        (("list", LOGS), "Reading 3 runs\n"),
        (("list", LOGS), ""),
        (("show", str(WRITTEN / "wandb")), "Reading first\n"),
    ):
        done = CliRunner().invoke(cli, words)
        assert (done.exit_code, done.stderr) == (0, said)


def test_runs_at_a_path_are_completed() -> None:
    class Context:
        params: ClassVar[dict[str, object]] = {}

    words = list(complete_run(Context(), f"{LOGS}::re"))  # type: ignore[arg-type]
    assert set(words) == {f"{LOGS}::resnet", f"{LOGS}::resumed"}
    assert list(complete_run(Context(), f"{LOGS}/nowhere::")) == []  # type: ignore[arg-type]


def test_runs_at_a_path_are_compared() -> None:
    said = run("compare", f"{LOGS}::{FIRST}", f"{LOGS}::{SECOND}")
    assert "keras/train" in said
    assert "resnet" in said
    document = json.loads(run("compare", f"{LOGS}::{FIRST}", f"{LOGS}::{SECOND}", "--json"))
    assert document


def test_a_run_at_a_path_is_shown_and_exported(tmp_path: Path) -> None:
    shown = json.loads(run("show", f"{LOGS}::{SECOND}", "--json"))
    assert shown["name"] == SECOND
    out = tmp_path / "one.luml"
    run("export", f"{LOGS}::{SECOND}", "-o", str(out))
    again = json.loads(run("show", str(out), "--json"))
    assert again["metrics"] == shown["metrics"]
    assert again["params"] == shown["params"]

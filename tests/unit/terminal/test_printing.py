"""What is printed where the locale has no UTF-8: ASCII for a person, all of it for a program."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.store.schema import EvalRow
from tests.terminal.terminal import environment
from tests.unit.stores import writer

pytestmark = pytest.mark.slow

NAME = "résumé-モデル 🚀"
KEY = "größe/损失"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("printing") / "store"
    now = datetime(2026, 6, 1, tzinfo=UTC)
    with writer(directory) as made:
        made.start_run("run-1", NAME, group=NAME, tags=[NAME], description=NAME)
        with made.experiment("run-1") as experiment:
            experiment.params({KEY: NAME})
            experiment.metrics((KEY, step / 7, step, now) for step in range(3))
            sample = EvalRow(id=NAME, dataset_id="set", inputs={"q": NAME}, scores={KEY: 0.5})
            experiment.evals([sample])
        made.end_run("run-1", status="completed", duration=3.0)
    return directory


def printed(store: Path, tmp_path: Path, *words: str, locale: str = "C") -> bytes:
    command = [sys.executable, "-m", "flowtui", *words]
    environ = environment(tmp_path, LC_ALL=locale, LUML_BACKEND_STORE_URI=str(store))
    done = subprocess.run(command, env=environ, capture_output=True, check=True, cwd=tmp_path)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    ["list", "show latest", "metrics latest", "traces latest", "evals latest", "doctor", "latest",
     "evals latest --aggregate", "--help", "list --help"],
)  # fmt: skip
def test_what_a_person_reads_is_ascii_with_stand_ins(
    store: Path, tmp_path: Path, words: str
) -> None:
    here = printed(store, tmp_path, *words.split())
    there = printed(store, tmp_path, *words.split(), locale="C.UTF-8")
    assert here.isascii()
    assert b"completed" not in there or b"+ completed" in here
    if words != "doctor":
        assert len(here.splitlines()) == len(there.splitlines())


def test_what_goes_wrong_is_told_in_ascii_too(store: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flowtui", "show", NAME + "?", "-s", str(store)]
    environ = environment(tmp_path, LC_ALL="C")
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.isascii()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_what_a_program_reads_is_whole_in_any_locale(
    store: Path, tmp_path: Path, locale: str
) -> None:
    (run,) = json.loads(printed(store, tmp_path, "list", "--json", locale=locale))
    assert run["name"] == NAME
    points = printed(store, tmp_path, "metrics", "latest", "--csv", locale=locale).decode("utf-8")
    assert [row["key"] for row in csv.DictReader(points.splitlines())] == [KEY] * 3
    samples = printed(store, tmp_path, "evals", "latest", "--csv", locale=locale)
    (sample,) = csv.DictReader(samples.decode("utf-8").splitlines())
    assert NAME in sample.values()

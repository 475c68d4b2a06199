"""`flow-tui evals`: samples as text, CSV and JSON, what scores add up to, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowtui.reports import samples as sample_report
from flowtui.reports.samples import SampleRequest
from flowtui.reports.usage import WrongUsage
from flowtui.store import runs as run_rows
from flowtui.store.errors import FilterError, StoreError
from flowtui.store.schema import EvalRow, LinkRow
from flowtui.store.store import Store
from flowtui.store.values import Run
from tests.unit.stores import opened, writer

RUN = "run-1"
TIMEOUT_S = 60
LONG = "x" * 5_000
ROWS = (
    EvalRow(
        dataset_id="faq", id="evil \x1b[31m\u202eid", inputs={"q": "é\x1b[0m", "lang": "en"},
        outputs={"answer": LONG}, refs={"answer": "4"},
        scores={"accuracy": 0.1, "correct": True, "why": "line\nline"},
        metadata={"cost": math.inf},
    ),
    EvalRow(
        dataset_id="faq", id="b", inputs={"q": "two"},
        scores={"accuracy": math.nan, "correct": False},
    ),
    EvalRow(dataset_id="math", id="b", inputs={"q": "three"}, scores={"accuracy": 1 / 3}),
)  # fmt: skip


def written(directory: Path, rows: tuple[EvalRow, ...] = ROWS) -> Path:
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.evals(rows)
            experiment.links([LinkRow(dataset_id="faq", eval_id="b", trace_id="t1")])
    return directory


class Printed:
    """Prints samples and scores of one store in this process."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.capsys = capsys

    def samples(self, style: sample_report.Format = "text", **named: Any) -> str:
        with opened(self.directory) as store:
            sample_report.print_samples(store.opened(_run(store)), SampleRequest(**named), style)
        return self.capsys.readouterr().out

    def scores(self, as_json: bool = False, **named: Any) -> str:
        with opened(self.directory) as store:
            sample_report.print_scores(store.opened(_run(store)), SampleRequest(**named), as_json)
        return self.capsys.readouterr().out


def _run(store: Store) -> Run:
    run = store.ask(run_rows.run, RUN)
    assert run is not None
    return run


@pytest.fixture
def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(written(tmp_path), capsys)


def test_samples_are_a_table_with_a_column_for_each_score(printed: Printed) -> None:
    head, _, second, _ = printed.samples().splitlines()
    assert head.split()[:5] == ["set", "sample", "accuracy", "correct", "why"]
    assert second.split() == ["faq", "b", "NaN", "false", "two", "1"]


def test_text_out_of_the_store_cannot_steer_the_terminal(printed: Printed) -> None:
    for text in (printed.samples(), printed.samples("csv"), printed.scores()):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_many_scores_are_announced_and_not_all_in_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {f"s{n:03}": n for n in range(200)}
    written(tmp_path, (EvalRow(dataset_id="d", id="1", inputs={}, scores=many),))
    printed = Printed(tmp_path, capsys)
    assert printed.samples().splitlines()[-1] == "  and 192 more scores: see --json or --csv"
    assert len(next(csv.reader(io.StringIO(printed.samples("csv"))))) == 210


def test_samples_as_json_are_an_array_of_whole_documents(printed: Printed) -> None:
    first, second, third = json.loads(printed.samples("json"))
    assert first == {
        "dataset_id": "faq",
        "id": "evil \x1b[31m\u202eid",
        "created_at": "2026-06-01T12:00:00Z",
        "updated_at": "2026-06-01T12:00:00Z",
        "inputs": {"q": "é\x1b[0m", "lang": "en"},
        "outputs": {"answer": LONG},
        "refs": {"answer": "4"},
        "scores": {"accuracy": 0.1, "correct": True, "why": "line\nline"},
        "metadata": {"cost": "Infinity"},
        "trace_ids": [],
        "annotation_count": 0,
        "annotations": [],
        "problems": [],
    }
    assert (second["scores"]["accuracy"], second["trace_ids"]) == ("NaN", ["t1"])
    assert third["scores"] == {"accuracy": 1 / 3}


def test_samples_as_csv_are_in_full_precision(printed: Printed) -> None:
    first, second, third = csv.DictReader(io.StringIO(printed.samples("csv")))
    assert list(first) == [
        *("dataset_id", "id", "created_at", "updated_at", "inputs", "outputs", "refs"),
        *("scores.accuracy", "scores.correct", "scores.why"),
        *("metadata", "trace_ids", "annotation_count"),
    ]
    assert json.loads(first["outputs"]) == {"answer": LONG}
    assert json.loads(first["metadata"]) == {"cost": "Infinity"}
    assert (first["scores.accuracy"], first["scores.correct"]) == ("0.1", "true")
    assert (second["scores.accuracy"], second["scores.why"]) == ("NaN", "")
    assert float(third["scores.accuracy"]) == 1 / 3


def test_a_set_a_filter_an_order_and_a_limit_shape_the_list(printed: Printed) -> None:
    def ids(**named: Any) -> list[tuple[str, str]]:
        samples = json.loads(printed.samples("json", **named))
        return [(sample["dataset_id"], sample["id"][:4]) for sample in samples]

    assert ids(dataset="math") == [("math", "b")]
    assert ids(filter_text="correct = true") == [("faq", "evil")]
    assert ids(sort="-scores.accuracy") == [("math", "b"), ("faq", "evil"), ("faq", "b")]
    assert ids(sort="failing", limit=1) == [("faq", "b")]
    assert ids(filter_text="nowhere") == []


def test_more_samples_than_a_page_are_all_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = sample_report.PAGE_SAMPLES + 1
    rows = (EvalRow(dataset_id="d", id=f"{n}", inputs={}) for n in range(count))
    written(tmp_path, tuple(rows))
    documents = json.loads(Printed(tmp_path, capsys).samples("json"))
    assert [document["id"] for document in documents] == [str(n) for n in range(count)]


def test_scores_are_a_table_for_all_sets_and_for_each(printed: Printed) -> None:
    lines = printed.scores().splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "all eval sets  3 samples", "faq  2 samples", "math  1 sample",
    ]  # fmt: skip
    correct = next(line for line in lines if line.strip().startswith("correct"))
    assert correct.split() == ["correct", "boolean", "2", "1", "50.0%"]


def test_scores_as_json_are_an_array_of_sets(printed: Printed) -> None:
    (found,) = json.loads(printed.scores(as_json=True, dataset="math"))
    assert found == {
        "dataset_id": "math",
        "sample_count": 1,
        "unreadable_count": 0,
        "scores": {
            "accuracy": {
                "types": {"number": 1},
                "count": 1,
                "missing": 0,
                "nan_count": 0,
                "inf_count": 0,
                "pass_count": None,
                "pass_rate": None,
                "numbers": {
                    "count": 1, "mean": 1 / 3, "min": 1 / 3, "max": 1 / 3, "median": 1 / 3,
                    "spread": None, "histogram": [1],
                },
                "texts": None,
            }
        },
    }  # fmt: skip
    every, _ = json.loads(printed.scores(as_json=True, filter_text="correct = true"))
    assert (every["dataset_id"], every["sample_count"]) == (None, 1)
    assert every["scores"]["why"]["texts"]["top"] == [{"text": "line\nline", "count": 1}]


def test_what_there_is_not_is_refused(printed: Printed) -> None:
    with pytest.raises(WrongUsage, match=r"not one of created, .*scores\.KEY"):
        printed.samples(sort="nope")
    with pytest.raises(FilterError):
        printed.samples(filter_text="correct = (")
    with pytest.raises(StoreError, match="no eval set 'nope' in the run 'run-1'; there are faq"):
        printed.samples(dataset="nope")
    with pytest.raises(StoreError, match="no eval set"):
        printed.scores(dataset="nope")


@pytest.mark.slow
def test_the_command_prints_and_refuses(tmp_path: Path) -> None:
    written(tmp_path)

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flowtui", "evals", RUN, "-s", str(tmp_path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    listed = command("--json", "--dataset", "faq", "--filter", "q = two", "--limit", "5")
    assert [sample["id"] for sample in json.loads(listed.stdout)] == ["b"]
    assert command("--csv", "--sort=-scores.accuracy").stdout.splitlines()[1][:6] == "math,b"
    assert "all eval sets  3 samples" in command("--aggregate").stdout
    for refused in (("--json", "--csv"), ("--aggregate", "--limit", "1"), ("--sort", "x")):
        done = command(*refused)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("flow-tui: --")
    unknown = command("--dataset", "zz")
    assert unknown.returncode == 1
    assert unknown.stderr == "flow-tui: no eval set 'zz' in the run 'run-1'; there are faq, math\n"

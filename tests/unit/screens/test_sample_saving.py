"""The samples of a view as CSV, JSON lines and Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowtui.reports.saving import SaveFailed
from flowtui.screens.dialogs.export import Export
from flowtui.screens.evals import saving
from flowtui.screens.evals.saving import FORMATS, save, value_of
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import AnnotationKind, Draft, SampleTarget
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.filters import sample_condition
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.schema import EvalRow, LinkRow
from flowtui.store.store import Store
from flowtui.store.values import JsonValue
from tests.unit.stores import opened, writer

RUN = "run-1"
HOSTILE = "=cmd|' /C calc'!A0\n\x1b[31m| `x` <b> \u202e @ana"
COLUMNS = ("id", "dataset", "inputs", "outputs.answer", "scores.s", "scores.a.b", "annotations")
TRACE = "a" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with writer(tmp_path / "store") as written:
        written.start_run(RUN, "run")
        with written.experiment(RUN) as experiment:
            experiment.evals(
                EvalRow(
                    dataset_id="set",
                    id=f"{n}",
                    inputs={"q": "x" * 5_000},
                    outputs={"answer": HOSTILE if n == 1 else f"ok {n}"},
                    scores={"s": math.nan if n == 0 else n, "a": {"b": True}, "a.b": n == 2},
                )
                for n in range(5)
            )
            experiment.links([LinkRow(dataset_id="set", eval_id="1", trace_id=TRACE)])
    with opened(tmp_path / "store") as found:
        draft = Draft("tone|x", AnnotationKind.EXPECTATION, "-1", "too\nshort", "ana")
        annotating.add(found.run(RUN).database, SampleTarget("set", "1"), draft)
        yield found


def saved(
    store: Store,
    path: Path,
    key: str,
    columns: tuple[str, ...] = COLUMNS,
    filter_text: str | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[str, str]:
    condition = None if filter_text is None else sample_condition(filter_text)
    order = SampleOrder("scores.s", descending=True)
    with cancelling(cancelled):
        export = Export(key, path)
        said = save(store.run(RUN), "set", condition, order, columns, export, progress)
    return said, path.read_text()


def test_json_lines_hold_all_values_whole_in_the_order_of_the_view(
    store: Store, tmp_path: Path
) -> None:
    said, text = saved(store, tmp_path / "out.jsonl", "jsonl", (*COLUMNS, "traces"))
    assert said.startswith("5 samples to ")
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["id"] for row in rows] == ["4", "3", "2", "1", "0"]
    assert [row["scores.s"] for row in rows] == [4, 3, 2, 1, "NaN"]
    assert [row["scores.a.b"] for row in rows] == [False, False, True, False, False]
    assert rows[3]["outputs.answer"] == HOSTILE
    assert rows[3]["inputs"] == {"q": "x" * 5_000}
    assert rows[3]["traces"] == [TRACE]
    (note,) = rows[3]["annotations"]
    assert (note["name"], note["value"]) == ("tone|x", "-1")
    assert (note["rationale"], note["user"]) == ("too\nshort", "ana")
    assert [row["annotations"] for row in rows[:3]] == [[], [], []]


def test_csv_has_nothing_that_a_spreadsheet_or_a_terminal_would_run(
    store: Store, tmp_path: Path
) -> None:
    _, text = saved(store, tmp_path / "out.csv", "csv")
    header, *rows = csv.reader(io.StringIO(text))
    assert tuple(header) == COLUMNS
    assert "\x1b" not in text
    assert "\u202e" not in text
    cell = rows[3][3]
    assert cell.startswith("'=cmd|' /C calc'!A0\n␛[31m")
    assert [row[4] for row in rows] == ["4", "3", "2", "1", "NaN"]
    assert json.loads(rows[3][2]) == {"q": "x" * 5_000}
    assert json.loads(rows[3][6])[0]["name"] == "tone|x"
    assert rows[0][6] == ""


def test_markdown_is_one_table_of_escaped_and_bounded_cells(store: Store, tmp_path: Path) -> None:
    _, text = saved(store, tmp_path / "out.md", "markdown")
    lines = text.splitlines()
    assert len(lines) == 7
    assert lines[1] == "| " + " | ".join(["---"] * len(COLUMNS)) + " |"
    assert all(line.replace("\\|", "").count("|") == len(COLUMNS) + 1 for line in lines)
    assert all(len(line) < 1_000 for line in lines)
    assert "\\`x\\` \\<b\\>" in lines[5]
    assert "&#64;ana" in lines[5]
    assert "tone\\|x -1 (ana)" in lines[5]


def test_a_filter_is_kept_to_and_progress_is_told_page_by_page(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "PAGE_SAMPLES", 2)
    told: list[tuple[int, int]] = []
    _, text = saved(
        store,
        tmp_path / "out.jsonl",
        "jsonl",
        ("id",),
        "scores.s >= 1",
        progress=lambda done, total: told.append((done, total)),
    )
    assert [json.loads(line)["id"] for line in text.splitlines()] == ["4", "3", "2", "1"]
    assert told == [(0, 4), (2, 4), (4, 4)]


def test_a_cancelled_export_leaves_no_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "PAGE_SAMPLES", 2)
    (tmp_path / "out").mkdir()
    told: list[int] = []
    for one in FORMATS:
        told.clear()
        with pytest.raises(ReadCancelled):
            saved(
                store,
                tmp_path / "out" / "file",
                one.key,
                cancelled=lambda: bool(told) and told[-1] >= 2,
                progress=lambda done, total: told.append(done),
            )
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(SaveFailed):
        saved(store, tmp_path / "none" / "file", "csv")


def test_a_column_is_a_field_a_key_or_a_nested_key(store: Store) -> None:
    (sample,) = (
        one
        for one in store.run(RUN)
        .ask(sample_rows.at, store.run(RUN).ask(sample_rows.ordered))
        .values()
        if one.id == "2"
    )
    found: dict[str, JsonValue] = {
        column: value_of(sample, column)
        for column in ("id", "dataset", "scores.a.b", "scores.a", "scores.none", "refs", "odd")
    }
    assert found == {
        "id": "2",
        "dataset": "set",
        "scores.a.b": True,
        "scores.a": {"b": True},
        "scores.none": None,
        "refs": None,
        "odd": None,
    }

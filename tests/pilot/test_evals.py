"""The Evals tab: sets, the table of samples, one sample, and how they go with traces."""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.annotate.form import AnnotationForm
from flowtui.screens.evals import reading
from flowtui.screens.evals.samples_pane import SamplesPane
from flowtui.store.errors import StoreError
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.score_values import ScoreSet
from flowtui.store.samples.scores import score_sets
from flowtui.store.samples.values import Sample
from flowtui.store.schema import EvalRow, LinkRow, SpanRow, StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.documents.document import Document
from flowtui.widgets.host import Options
from flowtui.widgets.lists.annotation_list import AnnotationList
from flowtui.widgets.lists.virtual_table import VirtualTable
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until

TRACE = "a" * 32


def sample(number: int, dataset: str = "faq", **more: object) -> EvalRow:
    """Return a sample that passes if its number is even."""
    passed = number % 2 == 0
    row = {
        "id": f"{dataset}-{number:03}",
        "dataset_id": dataset,
        "inputs": {"question": f"what is {number} + {number}?"},
        "outputs": {"answer": f"{2 * number if passed else 'no idea'}"},
        "refs": {"answer": f"{2 * number}"},
        "scores": {"correct": passed, "relevance": number / 10},
        "metadata": {"topic": "sums" if number < 3 else "more"},
    }
    return EvalRow(**{**row, **more})  # type: ignore[arg-type]  # as the caller chose


SAMPLES = [*(sample(number) for number in range(6)), sample(7, "hard")]


def written(directory: Path, samples: Sequence[EvalRow] = SAMPLES) -> Store:
    with StoreWriter(directory, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.evals(list(samples))
            experiment.spans(
                [
                    SpanRow(
                        trace_id=TRACE,
                        span_id="1" * 16,
                        parent_span_id=None,
                        name="answering",
                        start_ns=0,
                        end_ns=1_000,
                    )
                ]
            )
            if samples:
                link = LinkRow(dataset_id="faq", eval_id="faq-001", trace_id=TRACE)
                experiment.links([link])
    return open_store(directory)


def added(directory: Path, samples: Sequence[EvalRow]) -> None:
    with StoreWriter(directory, clock=lambda: NOW) as writer, writer.experiment("run") as more:
        more.evals(list(samples))


def rows(pilot: Pilot[None]) -> VirtualTable:
    return pilot.app.screen.query_one("#samples", VirtualTable)


def pane(pilot: Pilot[None]) -> SamplesPane:
    return pilot.app.screen.query_one(SamplesPane)


def ids(pilot: Pilot[None]) -> list[str]:
    """Return the ids of the samples, by line."""
    known = pane(pilot).known
    return [known[key].id for key in rows(pilot)._keys]


async def test_the_sets_and_the_samples_are_shown(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", size=(160, 40), tab="evals") as pilot:
        await until(lambda: "57 %" not in screen_text(pilot), "the scores")
        text = screen_text(pilot)
        assert "all sets" in text
        assert "50 % (3 ✗)" in text
        assert "0.250" in text
        assert "✗ faq-001" in text
        assert "what is 1 + 1?" in text
        assert "7 samples" in text


async def test_what_is_seen_first_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read = sample_rows.at

    def counted(
        connection: sqlite3.Connection, keys: Sequence[int], *more: Any
    ) -> dict[int, Sample]:
        reads.append(len(keys))
        return read(connection, keys, *more)

    monkeypatch.setattr(sample_rows, "at", counted)
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        assert "faq-005" in screen_text(pilot)
        assert reads == [len(SAMPLES)]


async def test_a_set_is_chosen_and_all_of_them_again(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("tab", "down", "down", "enter")
        await settled(pilot)
        assert ids(pilot) == ["hard-007"]
        assert "1 of 7" in screen_text(pilot)
        await pilot.press("tab", "g", "enter")
        await settled(pilot)
        assert rows(pilot).line_count == 7


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("7", ["faq-001", "faq-003", "faq-005", "hard-007", "faq-000", "faq-002", "faq-004"]),
        ("8", ["faq-001", "faq-003", "faq-005", "hard-007"]),
        ("9", []),
        ("0", ["faq-000", "faq-001", "faq-002", "faq-003", "faq-004", "faq-005", "hard-007"]),
    ],
)
async def test_one_key_shows_a_view(tmp_path: Path, key: str, expected: list[str]) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("G", key)
        await settled(pilot)
        assert ids(pilot) == expected
        assert rows(pilot).cursor == 0
        await pilot.press("6")
        await settled(pilot)
        assert rows(pilot).line_count == 7


async def test_an_annotated_sample_leaves_those_that_are_not(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("plus")
        await until(lambda: "✎1" in screen_text(pilot), "the mark")
        await pilot.press("0")
        await until(lambda: rows(pilot).line_count == 6, "one less")
        await pilot.press("u")
        await until(lambda: rows(pilot).line_count == 7, "all of them")


async def test_a_score_that_no_sample_has_is_named(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("slash", *"scores.corect = false")
        await settled(pilot)
        assert 'no score "corect" in this run; closest: correct' in screen_text(pilot)
        # It is named as soon as there is one, too.
        with StoreWriter(tmp_path, clock=lambda: NOW) as writer, writer.experiment("run") as more:
            more.evals([sample(8, scores={"corect": False})])
        await until(lambda: "faq-008" in screen_text(pilot), "the sample that came")
        assert "no score" not in screen_text(pilot)


async def test_filters_are_applied_as_they_are_typed_and_mistakes_pointed_at(
    tmp_path: Path,
) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("slash", *"relevance > 0.25")
        await settled(pilot)
        assert ids(pilot) == ["faq-003", "faq-004", "faq-005", "hard-007"]
        await pilot.press(*" and (")
        await settled(pilot)
        assert "^" in screen_text(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert rows(pilot).line_count == 7


async def test_a_name_is_completed_and_what_was_entered_comes_back(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("slash")
        line = pane(pilot).filter_line
        await until(lambda: "scores.relevance" in line.names, "the names")
        await pilot.press(*"scores.rel")
        await until(lambda: "scores.relevance" in screen_text(pilot), "the completion")
        await pilot.press("right", *" >= 0.5", "enter")
        await settled(pilot)
        assert ids(pilot) == ["faq-005", "hard-007"]
        await pilot.press("slash", "escape", "slash", "up")
        assert line.text == "scores.relevance >= 0.5"


async def test_sorting_by_a_score(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("s", "shift+tab", *"relev", "enter", "enter")
        await settled(pilot)
        assert ids(pilot)[:2] == ["hard-007", "faq-005"]
        assert "relevance ↓" in screen_text(pilot)


async def test_columns_are_chosen_widened_and_remembered(tmp_path: Path) -> None:
    store = written(tmp_path)
    async with opened(store, "run", tab="evals") as pilot:
        await pilot.press("c")
        await settled(pilot)
        await pilot.press("right", "down", "space", "enter")
        await settled(pilot)
        assert [column.key for column in rows(pilot).columns][:2] == ["id", "dataset"]
        assert rows(pilot).columns[0].width == 18
    async with opened(store, "run", tab="evals") as pilot:
        assert [column.key for column in rows(pilot).columns][:2] == ["id", "dataset"]
        await pilot.press("c")
        await settled(pilot)
        await pilot.press("0")
        await settled(pilot)
        assert rows(pilot).columns[0].width == 14


async def test_samples_are_counted_by_a_value_and_one_group_is_shown(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("b")
        await until(lambda: "Group by" in screen_text(pilot), "the keys")
        await pilot.press("shift+tab", *"topic", "enter", "enter")
        await until(lambda: "4 samples" in screen_text(pilot), "the groups")
        await pilot.press("enter")
        await settled(pilot)
        assert ids(pilot) == ["faq-003", "faq-004", "faq-005", "hard-007"]
        assert 'metadata.`topic` = "more"' in screen_text(pilot)


async def test_a_sample_shows_the_difference_and_steps_to_the_next(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("7", "enter")
        document = pilot.app.screen.query_one("#sample-detail", Document)
        await until(lambda: document.line_count > 0, "the sample")
        text = screen_text(pilot)
        assert "sample 1 of 7 · failing first" in text
        assert "no idea" in text
        assert "what is 1 + 1?" in text
        await pilot.press("right_square_bracket")
        await until(lambda: "what is 3 + 3?" in screen_text(pilot), "the next sample")
        await pilot.press("left_square_bracket")
        await until(lambda: "what is 1 + 1?" in screen_text(pilot), "the one before")
        await pilot.press("escape")
        await settled(pilot)
        assert rows(pilot).has_focus
        assert rows(pilot).cursor == 0


async def test_the_place_of_a_sample_is_that_of_the_table_while_others_come(
    tmp_path: Path,
) -> None:
    store = written(tmp_path)
    async with opened(store, "run", tab="evals") as pilot:
        await pilot.press("7", "enter")
        await until(lambda: "sample 1 of 7 · failing first" in screen_text(pilot), "the sample")
        key = rows(pilot).cursor_key
        added(tmp_path, [sample(9, scores={"correct": False, "relevance": -1.0})])
        await until(lambda: "of 8 · failing first" in screen_text(pilot), "its place by now")
        # A hidden table has the keys of its rows, and reads the records when it is shown.
        at = rows(pilot).cursor
        assert rows(pilot).cursor_key == key
        assert f"sample {at + 1} of 8" in screen_text(pilot)


async def test_ages_go_on_under_a_form(
    tmp_path: Path, stopped_clock: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(written(tmp_path), "run", size=(140, 40), tab="evals") as pilot:
        await pilot.press("enter", "minus")
        await until(lambda: "ana · now" in screen_text(pilot), "the note")
        notes = pilot.app.screen.query_one("#sample-annotations", AnnotationList)
        await pilot.press("a")
        await until(lambda: isinstance(pilot.app.screen, AnnotationForm), "the form")
        monkeypatch.setattr("flowtui.clock.now", lambda: stopped_clock + timedelta(seconds=8))
        await until(lambda: "ana · 8 s" in str(notes.line(0, 60)), "its age by now")


async def test_an_open_sample_is_annotated(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", size=(140, 40), tab="evals") as pilot:
        await pilot.press("down", "enter", "minus")
        await until(lambda: "✗ false" in screen_text(pilot).split("Annotations")[1], "the note")
        await pilot.press("escape")
        await settled(pilot)
        marked = [line for line in screen_lines(pilot) if "✎1" in line]
        assert len(marked) == 1
        assert "faq-001" in marked[0]


async def test_a_sample_leads_to_its_trace_and_back_and_the_trace_to_its_sample(
    tmp_path: Path,
) -> None:
    async with opened(written(tmp_path), "run", size=(140, 40), tab="evals") as pilot:
        await pilot.press("down", "enter")
        await settled(pilot)
        await pilot.press("t")
        await until(lambda: "answering" in screen_text(pilot), "the trace")
        await until(lambda: "Linked samples" in screen_text(pilot), "its samples")
        await pilot.press("escape")
        await until(lambda: "what is 1 + 1?" in screen_text(pilot), "the sample again")
        await pilot.press("escape", "3")
        await until(lambda: "started" in screen_text(pilot), "the list of traces")
        await pilot.press("enter")
        await until(lambda: "Linked samples" in screen_text(pilot), "the trace")
        await pilot.press("tab", "G", "enter")
        await until(lambda: "what is 1 + 1?" in screen_text(pilot), "the linked sample")
        await pilot.press("escape")
        await until(lambda: "Linked samples" in screen_text(pilot), "the trace again")


async def test_new_samples_come_without_moving_the_cursor(tmp_path: Path) -> None:
    store = written(tmp_path)
    async with opened(store, "run", tab="evals") as pilot:
        await pilot.press("down", "down")
        added(tmp_path, [sample(8), sample(9)])
        await pilot.press("r")
        await until(lambda: rows(pilot).line_count == 9, "the new samples")
        assert pane(pilot).sample is not None
        assert pane(pilot).sample.id == "faq-002"  # type: ignore[union-attr]  # just checked


async def test_a_sample_that_is_logged_again_keeps_the_cursor(tmp_path: Path) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("down")
        added(tmp_path, [sample(1, outputs={"answer": "2"})])
        await pilot.press("r")
        await until(lambda: ids(pilot)[rows(pilot).cursor] == "faq-001", "the same sample")
        await settled(pilot)
        assert pane(pilot).sample.outputs == {"answer": "2"}  # type: ignore[union-attr]


@pytest.mark.parametrize(("steps_down", "suffix"), [(0, "csv"), (1, "jsonl"), (2, "md")])
async def test_the_view_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps_down: int, suffix: str
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    store = written(tmp_path / "store")
    monkeypatch.chdir(target)
    async with opened(store, "run", size=(200, 40), tab="evals") as pilot:
        await pilot.press("8")
        await settled(pilot)
        await pilot.press("x")
        await until(lambda: bool(pilot.app.screen.query("Input")), "the form")
        await settled(pilot)
        await pilot.press(*["down"] * steps_down, "enter")
        await until(lambda: bool(list(target.glob(f"*.{suffix}"))), "the file")
        await settled(pilot)
    lines = next(target.glob(f"*.{suffix}")).read_text().splitlines()
    if suffix == "csv":
        assert [row["id"] for row in csv.DictReader(lines)][:2] == ["faq-001", "faq-003"]
    elif suffix == "jsonl":
        assert json.loads(lines[0])["id"] == "faq-001"
    assert len([line for line in lines if "faq" in line or "hard" in line]) == 4


async def test_the_review_goes_through_what_is_listed_and_undo_reaches_back(
    tmp_path: Path,
) -> None:
    async with opened(written(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("8")
        await settled(pilot)
        await pilot.press("R")
        await until(lambda: "1 of 4" in screen_text(pilot), "the review")
        await until(lambda: "what is 1 + 1?" in screen_text(pilot), "the first sample")
        await pilot.press("minus")
        await until(lambda: "what is 3 + 3?" in screen_text(pilot), "the second sample")
        await pilot.press("escape")
        await until(lambda: "✎1" in screen_text(pilot), "the mark in the table")
        await pilot.press("u")
        await until(lambda: "✎1" not in screen_text(pilot), "no mark")


async def test_a_sample_stays_in_sight_when_the_pager_cannot_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("the disk is gone")

    store = written(tmp_path)
    async with opened(store, "run", tab="evals") as pilot:
        await pilot.press("enter")
        await until(lambda: "what is 0 + 0?" in screen_text(pilot), "the sample")
        await settled(pilot)
        monkeypatch.setattr(sample_rows, "detail", fail)
        await pilot.press("p")
        await until(lambda: "the disk is gone" in screen_text(pilot), "the reason")
        await settled(pilot)
        assert "what is 0 + 0?" in screen_text(pilot)


async def test_without_samples_it_says_how_to_log_them(tmp_path: Path) -> None:
    async with opened(written(tmp_path, []), "run", tab="evals") as pilot:
        assert "log_eval_sample" in screen_text(pilot)


async def test_the_sets_are_there_before_their_scores_are_added_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(tmp_path)
    may_answer = threading.Event()

    def slow(connection: sqlite3.Connection) -> tuple[ScoreSet, ...]:
        may_answer.wait(20)
        return score_sets(connection)

    monkeypatch.setattr(reading, "score_sets", slow)
    app = FlowApp(store, store.resolve("run"), Options(tab="evals", user="ana"))
    async with app.run_test(size=(140, 40)) as pilot:
        await until(lambda: "all sets" in screen_text(pilot), "the sets")
        await until(lambda: "what is 1 + 1?" in screen_text(pilot), "the samples")
        assert "50 % (3 ✗)" not in screen_text(pilot)
        may_answer.set()
        await until(lambda: "50 % (3 ✗)" in screen_text(pilot), "the scores")


async def test_leaving_while_groups_are_looked_for_is_no_error(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def held(*_: object) -> list[object]:
        is_asked.set()
        may_answer.wait(10)
        return []

    try:
        async with opened(demo, "support-agent-v3", tab="evals") as pilot:
            monkeypatch.setattr(sample_keys, "keys", held)
            await pilot.press("b")
            await until(is_asked.is_set, "the question")
            await pilot.press("ctrl+c")
    finally:
        may_answer.set()
    assert not pilot.app.return_code

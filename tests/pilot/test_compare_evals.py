"""Evals of a comparison: what broke, one sample in all runs, annotating, growing runs."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from flowtui.screens.compare.evals import CompareEvals
from flowtui.screens.compare.evals_pane import ComparedPane
from flowtui.screens.review.review import ReviewScreen
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.compare.run_set import RunSet
from flowtui.store.values import Kind
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.lists.virtual_table import VirtualTable
from tests.pilot.pilot import compared, screen_lines, screen_text, settled, until
from tests.unit.compared_samples import Logged, agents, log_samples, other_questions, run_set
from tests.unit.stores import execute

BROKE = ["q003", "q007", "q021", "q033", "q048"]
MENDED = ["q005", "q009", "q030"]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunSet]:
    with run_set(tmp_path, agents()) as found:
        yield found


@asynccontextmanager
async def opened(
    runs: RunSet, size: tuple[int, int] = (120, 40), names: Sequence[str] = ()
) -> AsyncIterator[Pilot[None]]:
    chosen = names or [run.run.id for run in runs.runs]
    async with compared(runs.baseline.store, *chosen, size=size, tab="evals") as pilot:
        yield pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def screen(pilot: Pilot[None]) -> CompareEvals:
    return cast("CompareEvals", pilot.app.screen)


def pane(pilot: Pilot[None]) -> ComparedPane:
    return screen(pilot).pane


def ids(pilot: Pilot[None]) -> list[str]:
    """Return the ids of the listed samples, in their order."""
    listed = pane(pilot).listed
    assert listed is not None
    return [listed.samples.key(number)[1] for number in listed.numbers]


def opened_id(pilot: Pilot[None]) -> str:
    read = pane(pilot).view.read
    assert read is not None
    return read.sample.key[1]


def noted(runs: RunSet, id_: str) -> list[list[object]]:
    """Return the values of a sample's annotations in each run."""
    for sets in (["faq"], ["hard"]):
        found = [
            [one.value for one in
             run.run.ask(annotation_rows.of_target, SampleTarget(sets[0], id_))]
            for run in runs.runs
        ]  # fmt: skip
        if any(found):
            return found
    return [[] for _ in runs.runs]


async def filter_by(pilot: Pilot[None], text: str) -> None:
    await press(pilot, "slash")
    pilot.app.screen.query_one(FilterLine)._input.value = text  # type: ignore[union-attr]
    await settled(pilot)


# What is listed ------------------------------------------------------------------------------


async def test_what_broke_comes_first_with_its_scores_and_what_differs(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        assert ids(pilot)[:5] == BROKE
        text = screen_text(pilot)
        assert "4 Evals 5 worse 3 better" in screen_lines(pilot)[1]
        assert "5 worse, 3 better of 60: could be chance, p = 0.73" in text
        assert "60 joined on set and id · 1 only in A · 2 only in B · 6 scores tested" in text
        row = next(line for line in screen_lines(pilot) if "q003" in line)
        assert "✗ q003" in row
        assert "✓ → ✗" in row
        assert "1 → 0.25" in row
        assert "[-30 -]" in row


async def test_each_view_has_its_key(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "8")
        assert ids(pilot)[:3] == MENDED
        await press(pilot, "9")
        assert set(ids(pilot)) == {f"q{n:03}" for n in range(0, 60, 4)} | {*BROKE, *MENDED}
        await press(pilot, "0")
        assert ids(pilot) == ["old", "new1", "new2"]
        await press(pilot, "6")
        assert ids(pilot) == [*(f"q{n:03}" for n in range(60)), "old", "new1", "new2"]
        await press(pilot, "7")
        assert ids(pilot)[:5] == BROKE


async def test_counts_stay_where_there_is_little_room(runs: RunSet) -> None:
    async with opened(runs, size=(80, 24)) as pilot:
        await press(pilot, "1")
        await press(pilot, "2", "4")
        line = screen_lines(pilot)[1]
        assert "4 Evals 5✗ 3✓" in line
        assert "1 Overview 1≠   2 Metrics 0" in line
        await filter_by(pilot, "q00")
        [views] = [line for line in screen_lines(pilot) if "worse first" in line]
        assert "10 of 63   ✎ B" in views
        await pilot.click("#views", offset=(views.index("8 better"), 0))
        await settled(pilot)
        assert ids(pilot)[:2] == MENDED[:2]
        await press(pilot, "space", "less_than_sign")
        assert "Expected a value" in screen_text(pilot)
        assert "10 of 63   ✎ B" in screen_text(pilot)


async def test_samples_are_sorted_by_the_delta_of_a_score_and_back(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "s", "down", "enter")
        assert ids(pilot)[:5] == BROKE
        assert "similarity ↑" in screen_text(pilot)
        await press(pilot, "s", "enter")
        assert ids(pilot)[:3] == MENDED
        await press(pilot, "7")
        assert ids(pilot)[:5] == BROKE


async def test_a_score_of_a_set_lists_the_samples_of_the_set(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "shift+tab")
        assert pane(pilot).scores.has_focus
        # The last row is of the set `hard`.
        await press(pilot, "end", "enter")
        assert pane(pilot).rows.has_focus
        assert {int(id_[1:]) % 5 for id_ in ids(pilot)} == {0}
        assert "hard" in screen_lines(pilot)[13]


async def test_a_filter_compares_the_runs_by_their_letters(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        text = 'B.scores.correct < A.scores.correct and A.metadata.topic = "refund"'
        await filter_by(pilot, text)
        assert ids(pilot) == ["q003", "q021", "q033", "q048"]
        await filter_by(pilot, "C.correct = true")
        assert "There is no run C here: the runs are A and B." in screen_text(pilot)
        await filter_by(pilot, "B.scores.semi > 1")
        assert "B: " in screen_text(pilot)
        assert "samples match. / changes the filter." in screen_text(pilot)
        await press(pilot, "escape")
        assert len(ids(pilot)) == 63


async def test_a_direction_that_is_chosen_counts_at_once(runs: RunSet) -> None:
    execute(
        runs.runs[1].run.database.path,
        "update evals set scores = json_set(scores, '$.tokens', 99)"
        " where json_extract(scores, '$.tokens') is not null",
    )
    async with opened(runs) as pilot:
        assert "counts as better" not in screen_lines(pilot)[10]
        await press(pilot, "shift+tab", "down", "down")
        assert "neither direction counts as better: 29 changed, not tested" in screen_text(pilot)
        await press(pilot, "m", "home", "down", "enter")
        assert "29 worse, 0 better of 30: more got worse than better;" in screen_text(pilot)
        # What is remembered is forgotten again: other tests have the same home.
        await press(pilot, "m", "end", "enter")
        assert "29 worse" not in screen_text(pilot)


async def test_the_method_of_the_tests_is_told(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "T")
        assert "McNemar's exact test" in screen_text(pilot)


async def test_equal_inputs_join_where_ids_do_not(tmp_path: Path) -> None:
    made = agents()
    for sample in made["agent-new"]:
        cast("dict[str, object]", sample)["id"] = f"new {sample['id']}"
    with run_set(tmp_path, made) as runs:
        async with opened(runs) as pilot:
            assert "fewer than half: J joins on equal inputs" in screen_text(pilot)
            assert "0 joined on set and id" in screen_text(pilot)
            await press(pilot, "J")
            assert "61 joined on equal inputs" in screen_text(pilot)
            assert ids(pilot)[:5] == BROKE
            await press(pilot, "enter")
            assert "joined on its input; in B new q003" in screen_text(pilot)


async def test_samples_of_one_id_with_other_inputs_say_so(tmp_path: Path) -> None:
    with run_set(tmp_path, other_questions()) as found:
        async with opened(found) as pilot:
            words = "5 joined on set and id · ▲ inputs of 4 of 5 differ: J joins on equal inputs"
            await until(lambda: words in screen_text(pilot))
            row = next(line for line in screen_lines(pilot) if "101" in line)
            assert "≠ What is [-1-]" in row


async def test_runs_without_samples_say_so(tmp_path: Path) -> None:
    with run_set(tmp_path, {"one": [], "other": []}) as runs:
        async with opened(runs) as pilot:
            assert "None of these runs has evaluated samples." in screen_text(pilot)
            await press(pilot, "enter", "plus", "R", "x", "s", "t", "tab", "9", "escape")


# One sample ----------------------------------------------------------------------------------


async def test_a_sample_shows_its_input_once_and_the_outputs_side_by_side(runs: RunSet) -> None:
    async with opened(runs, size=(200, 50)) as pilot:
        await press(pilot, "enter")
        text = screen_text(pilot)
        assert text.count("It is about a refund.") == 1
        heads = next(line for line in screen_lines(pilot) if "A agent-base" in line and
                     "only here" in line)  # fmt: skip
        assert "B agent-new" in heads
        assert "B  It names the wrong deadline." in text
        assert "1 → 0.25 -0.75 worse" in text


async def test_brackets_step_from_one_that_broke_to_the_next(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "6", "end", "enter")
        assert opened_id(pilot) == "new2"
        await press(pilot, "left_square_bracket")
        assert opened_id(pilot) == "q048"
        await press(pilot, "left_square_bracket", "right_square_bracket")
        assert opened_id(pilot) == "q048"
        await press(pilot, "right_square_bracket")
        assert "There is no next sample of this kind" in screen_text(pilot)
        await press(pilot, "escape", "8", "enter", "right_square_bracket")
        assert opened_id(pilot) == MENDED[1]
        await press(pilot, "escape")
        assert pane(pilot).rows.has_focus


async def test_the_trace_of_a_sample_opens_in_both_runs(runs: RunSet) -> None:
    for run, trace in zip(runs.runs, ("a" * 32, "b" * 32), strict=True):
        execute(
            run.run.database.path,
            "insert into eval_traces_bridge (id, eval_dataset_id, eval_id, trace_id)"
            f" values ('1', 'faq', 'q003', '{trace}')",
        )
    async with opened(runs) as pilot:
        wanted: list[object] = []
        pilot.app.compare_traces = wanted.append  # type: ignore[attr-defined]
        await press(pilot, "t")
        await press(pilot, "enter", "t")
        assert wanted == [{"A": "a" * 32, "B": "b" * 32}] * 2
        await press(pilot, "right_square_bracket", "t")
        assert "No trace is linked" in screen_text(pilot)


# Annotating ----------------------------------------------------------------------------------


async def test_either_run_is_annotated_and_undone(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "minus")
        assert noted(runs, "q003") == [[], [False]]
        assert "✎0/1" in screen_text(pilot)
        await press(pilot, "tab", "plus")
        assert noted(runs, "q003") == [[True], [False]]
        await press(pilot, "u")
        assert noted(runs, "q003") == [[], [False]]
        await press(pilot, "tab", "u")
        assert noted(runs, "q003") == [[], []]
        assert "✎0" not in screen_text(pilot)


async def test_undo_takes_back_the_last_change_of_any_run_and_names_it(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "plus")
        assert "in B, q003   u undoes" in screen_text(pilot)
        await press(pilot, "tab", "minus")
        assert noted(runs, "q003") == [[False], [True]]
        await press(pilot, "u")
        assert "Undone in A, q003: added" in screen_text(pilot)
        assert noted(runs, "q003") == [[], [True]]
        await press(pilot, "u")
        assert "Undone in B, q003: added" in screen_text(pilot)
        assert noted(runs, "q003") == [[], []]
        # What was typed at once is undone in the same order.
        await press(pilot, "plus", "tab", "minus", "u")
        assert noted(runs, "q003") == [[True], []]
        await press(pilot, "u", "u")
        assert "There is nothing to undo." in screen_text(pilot)


async def test_keys_typed_at_once_annotate_the_run_that_each_was_meant_for(
    runs: RunSet,
) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "plus", "tab", "minus", "down", "plus")
        assert noted(runs, "q003") == [[False], [True]]
        assert noted(runs, "q007") == [[True], []]


async def test_an_open_sample_shows_the_annotations_of_each_run(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "enter", "plus", "tab", "minus")
        text = screen_text(pilot)
        assert "A agent-base  + - a annotate" in text
        assert "✓ true" in text
        assert "✗ false" in text
        assert noted(runs, "q003") == [[False], [True]]
        await press(pilot, "shift+tab", "d", "y", "enter")
        assert noted(runs, "q003")[1] == [True]


async def test_a_sample_that_a_run_lacks_is_not_annotated_there(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "0", "plus")
        assert "This sample is not in B. Tab takes another run." in screen_text(pilot)
        await press(pilot, "tab", "plus")
        assert noted(runs, "old") == [[True], []]


async def test_what_got_worse_is_reviewed(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "minus", "R")
        assert isinstance(pilot.app.screen, ReviewScreen)
        await press(pilot, "minus", "minus", "minus", "minus")
        await press(pilot, "escape")
        assert [noted(runs, id_)[1] for id_ in BROKE] == [[False]] * 5
        assert "✎0/1" in screen_text(pilot)


# Several candidates, growing and going runs ---------------------------------------------------


async def test_brackets_take_the_next_candidate(tmp_path: Path) -> None:
    made = agents()
    third = [{**one, "scores": {**one["scores"], "correct": True}} for one in made["agent-new"]]
    with run_set(tmp_path, {**made, "agent-third": third}) as runs:
        async with opened(runs, size=(80, 24)) as pilot:
            assert ids(pilot)[:5] == BROKE
            await press(pilot, "right_square_bracket")
            assert "0 worse" not in screen_lines(pilot)[4]
            assert "output C" in screen_text(pilot)
            await press(pilot, "right_square_bracket")
            assert "output B" in screen_text(pilot)
            await press(pilot, "enter")
            read = pane(pilot).view.read
            assert read is not None
            assert all(one is not None for one in read.sample.samples)
            # Any run is annotated here; in the table the two that it shows.
            await press(pilot, "tab", "plus", "escape", "minus")
            assert noted(runs, "q003") == [[], [False], [True]]


async def test_the_head_names_the_brackets_only_while_they_take_a_candidate(
    tmp_path: Path,
) -> None:
    made = agents()
    others = {f"agent-{n}": made["agent-new"] for n in range(4)}
    with run_set(tmp_path, {**made, **others}) as runs:
        async with opened(runs, size=(80, 24)) as pilot:
            assert "candidate 1 of 5  [ ]" in screen_lines(pilot)[0]
            await press(pilot, "enter")
            # Now they step from sample to sample.
            assert "candidate 1 of 5" in screen_lines(pilot)[0]
            assert "[ ]" not in screen_lines(pilot)[0]
            await press(pilot, "escape")
            assert "candidate 1 of 5  [ ]" in screen_lines(pilot)[0]
            await press(pilot, "0", "enter")
            assert opened_id(pilot) == "old"
            assert "▲ only in A" in screen_text(pilot)


async def test_a_run_that_grows_keeps_the_cursor_on_its_sample(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "down", "down")
        log_samples(
            runs.runs[1].run.database.path,
            [{"id": "q001", "dataset": "faq", "scores": {"correct": False}}],
        )
        await press(pilot, "r")
        await until(lambda: "q001" in ids(pilot)[:6], "a sample that broke meanwhile")
        assert pane(pilot).id_of(pane(pilot).record) == "q021"  # type: ignore[arg-type]
        assert "4 Evals 6 worse 3 better" in screen_lines(pilot)[1]


async def test_a_candidate_that_is_deleted_says_so_and_the_others_go_on(tmp_path: Path) -> None:
    made = agents()
    with run_set(tmp_path, {**made, "third": made["agent-new"]}) as runs:
        async with opened(runs) as pilot:
            shutil.rmtree(tmp_path / "third")
            await press(pilot, "r")
            assert ids(pilot)[:5] == BROKE
            assert "✗ C: " in screen_text(pilot)
            await press(pilot, "enter")
            assert "✗ C: " in screen_text(pilot)
            await press(pilot, "escape", "right_square_bracket")
            assert "✗ C: " in screen_text(pilot)
            assert not pilot.app.screen.query_one("#samples", VirtualTable).display
            await press(pilot, "left_square_bracket")
            assert ids(pilot)[:5] == BROKE


async def test_the_first_candidate_that_can_be_read_is_looked_at(tmp_path: Path) -> None:
    made = agents()
    with run_set(tmp_path, {**made, "third": made["agent-new"]}) as runs:
        async with compared(runs.baseline.store, *[run.run.id for run in runs.runs]) as pilot:
            shutil.rmtree(tmp_path / "agent-new")
            await press(pilot, "4")
            assert ids(pilot)[:5] == BROKE
            assert "output C" in screen_text(pilot)
            assert "✗ B: " in screen_text(pilot)
            await press(pilot, "right_square_bracket")
            assert "✗ B: " in screen_text(pilot)
            assert "] shows C." in screen_text(pilot)
            await press(pilot, "r", "right_square_bracket")
            assert ids(pilot)[:5] == BROKE


async def test_samples_that_the_watch_reports_are_joined_after_a_rest(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        for n in (0, 1):
            log_samples(
                runs.runs[1].run.database.path,
                [{"id": f"q00{n + 1}", "dataset": "faq", "scores": {"correct": False}}],
            )
            screen(pilot).store_changed({"B": frozenset({Kind.SAMPLES})})
            words = f"4 Evals {6 + n} worse"
            await until(lambda words=words: words in screen_lines(pilot)[1], words)  # type: ignore[misc]


async def test_an_open_sample_stays_open_when_it_leaves_the_list(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        await press(pilot, "0", "end", "enter")
        assert opened_id(pilot) == "new2"
        log_samples(runs.baseline.run.database.path, [{"id": "new2", "scores": {"correct": True}}])
        await press(pilot, "r")
        await until(lambda: len(ids(pilot)) == 2, "a sample that is in both meanwhile")
        await settled(pilot)
        assert opened_id(pilot) == "new2"
        assert "not in the list any more" in screen_text(pilot)


async def test_names_and_values_of_any_kind_are_shown_and_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    odd = "[b]x[/b]\x1b[31m\n\u202e"
    values = [True, 0, 1.5, math.nan, math.inf, 10**400, "good", "", None, [1, [2]], {"a": odd}]
    samples: dict[str, list[Logged]] = {"one": [], "other": []}
    for n, value in enumerate(values):
        for name, of_run in (("one", value), ("other", values[n - 1])):
            samples[name].append(
                {
                    "id": f"{odd}{n}",
                    "dataset": odd if n % 2 else "",
                    "inputs": odd if n % 3 else [odd],
                    "outputs": {"a": of_run} if n % 2 else of_run,
                    "scores": {odd: of_run, "": value, "__error__judge": odd},
                    "metadata": "no object",
                }
            )
    samples["other"].append({"id": "broken", "scores": "{", "outputs": "[" * 2_000})
    with run_set(tmp_path, samples) as runs:
        async with opened(runs, size=(160, 40)) as pilot:
            for view in "67890":
                await press(pilot, view)
                assert "\x1b" not in screen_text(pilot)
            assert "1 sample has scores that cannot be read" in screen_text(pilot)
            await press(pilot, "6", "home", "enter")
            for _ in values:
                assert "\x1b" not in screen_text(pilot)
                await press(pilot, "escape", "down", "enter")
            await press(pilot, "escape", "s", "enter", "right", "right", "x", "enter")
            assert len([*tmp_path.glob("*.csv")]) == 1
            await press(pilot, "x", "down", "enter")
            [lines] = tmp_path.glob("*.jsonl")
            assert len([json.loads(line) for line in lines.read_text().splitlines()]) == 12
            await press(pilot, "x", "down", "down", "enter")
            assert len([*tmp_path.glob("*.md")]) == 1


# Files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("downs", "suffix"), [(0, "csv"), (1, "jsonl"), (2, "md")])
async def test_the_table_that_is_seen_is_saved(
    runs: RunSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, downs: int, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(runs) as pilot:
        await press(pilot, "0", "x", *["down"] * downs, "enter")
        [samples] = tmp_path.glob(f"*samples*.{suffix}")
        text = samples.read_text()
        assert text.count("new2") == 1
        assert "q003" not in text
        if suffix == "jsonl":
            first = json.loads(text.splitlines()[0])
            assert first["in"] == ["A"]
            assert first["scores"]["correct"]["outcome"] == "only_baseline"
        await press(pilot, "shift+tab", "x", *["down"] * downs, "enter")
        [scores] = tmp_path.glob(f"*scores*.{suffix}")
        assert "5 worse, 3 better of 60" in scores.read_text()


async def test_a_sample_is_copied_with_all_runs(runs: RunSet) -> None:
    async with opened(runs) as pilot:
        copied: list[str] = []
        pilot.app.copy = copied.append  # type: ignore[attr-defined]
        await press(pilot, "y", "Y")
        assert copied[0] == "q003"
        assert sorted(json.loads(copied[1])["runs"]) == ["A", "B"]
        await press(pilot, "enter")
        assert pilot.app.screen.query_one(Document).has_focus

"""The Overview of a comparison: what differs, in the table, in full, filtered, copied and saved."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from flowtui.app.app import FlowApp
from flowtui.screens.compare.chosen_directions import choose
from flowtui.screens.compare.overview_table import FactRows
from flowtui.store import cancelling
from flowtui.store.archive import packing
from flowtui.store.archive.opening import open_artifact
from flowtui.store.compare import fact_reading
from flowtui.store.compare.parameters import Parameters, whole_params
from flowtui.store.schema import ParamValue
from flowtui.store.store import Store
from flowtui.widgets import remembered
from flowtui.widgets.host import Options
from tests.conftest import NOW, open_store
from tests.pilot.pilot import compared, screen_lines, screen_text, settled, until
from tests.unit.stores import execute, held, one_run, writer

COSINE, VIT = "resnet50-cosine", "vit-b16-mixup"


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was copied, oldest first."""
    texts: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: texts.append(text))
    return texts


def two_runs(
    folder: Path,
    one: Mapping[str, ParamValue],
    other: Mapping[str, ParamValue],
    points: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {}),
) -> Store:
    """Return a store with the runs `one` and `other`, with a point of each of these metrics."""
    for run_id, params, values in (("one", one, points[0]), ("other", other, points[1])):
        one_run(folder, params, {key: {1: value} for key, value in values.items()}, run_id)
        end_run(folder, run_id)
    return open_store(folder)


def sweep(folder: Path) -> list[str]:
    """Make a store with eight runs, and return their ids."""
    ids = [f"lr-{number}" for number in range(8)]
    for number, run_id in enumerate(ids):
        accuracy: dict[float, float] = {1: 0.5 + (number % 3) / 10}
        one_run(folder, {"lr": 0.1 * number}, {"val/accuracy": accuracy}, run_id)
        end_run(folder, run_id)
    return ids


def end_run(folder: Path, run_id: str) -> None:
    """End a run after a minute: how long an open one takes is not the same for each."""
    with writer(folder) as store:
        store.end_run(run_id, status="completed", duration=60.0)


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def line_with(pilot: Pilot[None], text: str) -> str:
    """Return the only line of the screen with a text in it."""
    (found,) = [line for line in screen_lines(pilot) if text in line]
    return " ".join(found.split())


def rows_of(pilot: Pilot[None]) -> FactRows:
    return pilot.app.screen.query_one(FactRows)


def under_cursor(pilot: Pilot[None]) -> str:
    row = rows_of(pilot).row
    assert row is not None
    return row.name


async def test_what_differs_is_shown_and_v_shows_all(tmp_path: Path) -> None:
    store = two_runs(
        tmp_path,
        {"lr": 0.001, "seed": 7, "sched": {"kind": "cos", "warmup": 0}},
        {"lr": 0.0003, "seed": 7, "sched": {"kind": "cos", "warmup": 100}, "amp": True},
    )
    with closing(store):
        async with compared(store, "one", "other") as pilot:
            assert line_with(pilot, "Parameters") == "Parameters 2 differ · 2 equal · 1 only in B"
            assert line_with(pilot, " lr ") == "≠ lr 0.001 0.0003 changed"
            assert line_with(pilot, "sched.warmup") == "≠ sched.warmup 0 100 changed"
            assert line_with(pilot, " amp ") == "≠ amp absent true only in B"
            assert " seed " not in screen_text(pilot)
            assert "3≠" in screen_lines(pilot)[1] or "4≠" in screen_lines(pilot)[1]
            assert under_cursor(pilot) == "lr"
            await press(pilot, "v")
            assert line_with(pilot, " seed ") == "seed 7 7 same"
            assert "all rows" in screen_lines(pilot)[3]
            assert under_cursor(pilot) == "lr"
            await press(pilot, "v")
            assert " seed " not in screen_text(pilot)


async def test_the_title_counts_all_rows(demo: Store) -> None:
    async with compared(demo, COSINE, VIT) as pilot:
        rows = pilot.app.screen._facts.rows  # type: ignore[attr-defined]
        states = [row.sameness.value for row in rows]
        title = screen_lines(pilot)[3]
        for word in ("differ", "equal"):
            assert f"{states.count(word)} {word}" in title
        for letter in "AB":
            count = sum(row.letters == letter for row in rows)
            assert f"{count} only in {letter}" in title


async def test_a_metric_has_its_last_its_best_and_an_arrow(tmp_path: Path) -> None:
    one_run(tmp_path, points={"loss": {1: 0.25, 2: 0.5}, "acc": {1: 0.5}}, run_id="one")
    one_run(tmp_path, points={"loss": {1: 0.75, 2: 0.625}, "acc": {1: 0.75}}, run_id="other")
    with closing(open_store(tmp_path)) as store:
        async with compared(store, "one", "other") as pilot:
            loss = line_with(pilot, " loss ")
            assert loss == "≠ loss 0.5 best 0.25 0.625 best 0.625 ▲ 0.125 worse"
            assert line_with(pilot, " acc ") == "≠ acc 0.5 best 0.5 0.75 best 0.75 ▲ 0.25 better"


async def test_nan_and_absent_are_said(tmp_path: Path) -> None:
    points = {"loss": 0.5, "acc": 0.5}, {"loss": math.nan}
    with closing(two_runs(tmp_path, {}, {}, points)) as store:
        async with compared(store, "one", "other") as pilot:
            assert line_with(pilot, " loss ") == (
                "≠ loss 0.5 best 0.5 NaN best none not comparable"
            )
            assert line_with(pilot, " acc ") == "≠ acc 0.5 best 0.5 absent only in A"


async def test_m_sets_the_direction_of_a_metric_for_good(tmp_path: Path) -> None:
    points = {"lr": 0.5, "loss": 0.5}, {"lr": 0.75, "loss": 0.5}
    with closing(two_runs(tmp_path, {"p": 1}, {"p": 2}, points)) as store:
        async with compared(store, "one", "other") as pilot:
            assert under_cursor(pilot) == "p"
            await press(pilot, "m")
            assert type(pilot.app.screen).__name__ == "CompareOverview"
            await press(pilot, "down")
            assert under_cursor(pilot) == "lr"
            assert line_with(pilot, " lr ").endswith("+0.25 changed")
            await press(pilot, "m", "home", "down", "enter")
            assert line_with(pilot, " lr ").endswith("▲ 0.25 worse")
            assert remembered.get("directions") == {"lr": "lower"}
            assert under_cursor(pilot) == "lr"
            await press(pilot, "m", "escape")
            assert line_with(pilot, " lr ").endswith("▲ 0.25 worse")
        async with compared(store, "one", "other") as pilot:
            assert line_with(pilot, " lr ").endswith("▲ 0.25 worse")
            await press(pilot, "down", "m", "end", "enter")
            assert line_with(pilot, " lr ").endswith("+0.25 changed")
            assert remembered.get("directions") is None


async def test_a_direction_that_is_chosen_elsewhere_is_taken(tmp_path: Path) -> None:
    points = {"lr": 0.5}, {"lr": 0.75}
    with closing(two_runs(tmp_path, {}, {}, points)) as store:
        async with compared(store, "one", "other") as pilot:
            await press(pilot, "3")
            choose("lr", "higher")
            await press(pilot, "1")
            assert line_with(pilot, " lr ").endswith("▲ 0.25 better")


@pytest.mark.parametrize("size", [(30, 8), (40, 10), (60, 15)])
async def test_a_small_screen_still_shows_rows(tmp_path: Path, size: tuple[int, int]) -> None:
    ids = sweep(tmp_path)
    with closing(open_store(tmp_path)) as store:
        async with compared(store, *ids, size=size) as pilot:
            assert line_with(pilot, " lr ").split()[:4] == ["≠", "lr", "0.0", "0.1"]
            await press(pilot, "right", "left", "end", "enter")
            # Below the last row there are titles of sections in which all is equal.
            assert "val/accuracy" in screen_text(pilot)
            assert not rows_of(pilot).display
            await press(pilot, "escape", "v")
            assert rows_of(pilot).has_focus


async def test_enter_shows_a_long_text_word_by_word(tmp_path: Path) -> None:
    text = "Be brief. " * 10
    store = two_runs(
        tmp_path, {"prompt": f"{text}You are cold."}, {"prompt": f"{text}You are kind."}
    )
    with closing(store):
        async with compared(store, "one", "other") as pilot:
            # Although they differ only after what there is room for, they do not read alike.
            _, before, after = line_with(pilot, " prompt ").split("…")[:3]
            assert before != after
            await press(pilot, "enter")
            shown = screen_text(pilot)
            assert "[-cold-]{+kind+}" in shown
            assert "[-only in A-]" in shown
            assert "{+only in B+}" in shown
            await press(pilot, "escape")
            assert under_cursor(pilot) == "prompt"
            assert rows_of(pilot).has_focus


async def test_enter_shows_a_nested_value_whole(demo: Store) -> None:
    async with compared(demo, COSINE, VIT) as pilot:
        await press(pilot, "slash", *"augmentation", "down", "enter")
        shown = screen_text(pilot)
        assert "only in A" in shown
        assert "random_resized_crop" in shown


async def test_the_filter_takes_names_and_values(demo: Store) -> None:
    async with compared(demo, COSINE, VIT) as pilot:
        await press(pilot, "slash", *"loss")
        names = {row.name for row in rows_of(pilot)._rows.values()}
        assert names == {"train/loss", "val/loss"}
        await press(pilot, "escape", "slash", *"vit_base")
        assert {row.name for row in rows_of(pilot)._rows.values()} == {"model"}
        await press(pilot, *"xyz")
        assert "No row that differs has this text." in screen_text(pilot)
        await press(pilot, "escape")
        assert "batch_size" in screen_text(pilot)


async def test_y_copies_the_row(tmp_path: Path, copied: list[str]) -> None:
    store = two_runs(tmp_path, {"lr": 0.001, "s": "a b"}, {"lr": 0.0003, "s": {"x": [1]}})
    with closing(store):
        async with compared(store, "one", "other") as pilot:
            await press(pilot, "y", "down", "y", "Y")
            assert copied[:2] == ["lr\t0.001\t0.0003", 's\ta b\t{"x": [1]}']
            found = json.loads(copied[2])
            assert found["values"] == {"A": "a b", "B": {"x": [1]}}
            assert found["state"] == "differs"
            await press(pilot, "enter", "Y")
            assert json.loads(copied[3]) == found


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "md"])
async def test_x_saves_the_rows_that_are_seen(tmp_path: Path, suffix: str) -> None:
    store = two_runs(
        tmp_path / "store", {"lr": 0.001, "seed": 1}, {"lr": "=1+1", "seed": 1},
        ({"loss": 0.5}, {"loss": math.nan}),
    )  # fmt: skip
    target = tmp_path / f"saved.{suffix}"
    with closing(store):
        async with compared(store, "one", "other") as pilot:
            await press(pilot, "x", *["down"] * ["csv", "jsonl", "md"].index(suffix))
            pilot.app.screen.query_one(Input).value = str(target)
            await press(pilot, "enter")
            await until(target.exists, "the file")
    text = target.read_text()
    if suffix == "csv":
        found = list(csv.DictReader(text.splitlines()))
        assert [row["name"] for row in found[:3]] == ["lr", "loss", "loss"]
        assert (found[0]["A one"], found[0]["B other"]) == ("0.001", "'=1+1")
        assert (found[1]["figure"], found[1]["A one"], found[1]["B other"]) == (
            "last",
            "0.5",
            "NaN",
        )
        assert "seed" not in text
    elif suffix == "jsonl":
        lines = [json.loads(line) for line in text.splitlines()]
        assert lines[0]["values"] == {"A": 0.001, "B": "=1+1"}
        assert lines[1]["values"]["B"]["last"]["value"] == "NaN"
        assert [line["name"] for line in lines[:2]] == ["lr", "loss"]
    else:
        assert "| Parameters | A one | B other |" in text
        assert "| lr | 0.001 | =1+1 |" in text
        assert "| loss | 0.5 | NaN |" in text


async def test_a_narrow_screen_shows_one_candidate_and_the_next(tmp_path: Path) -> None:
    for run_id, lr, seed in (("one", 1, 7), ("other", 1, 8), ("third", 2, 7)):
        one_run(tmp_path, {"lr": lr, "seed": seed}, run_id=run_id)
    runs = ("one", "other", "third")
    with closing(open_store(tmp_path)) as store:
        async with compared(store, *runs, size=(80, 24)) as pilot:
            assert "B other" in screen_lines(pilot)[4]
            assert "B − A" in screen_lines(pilot)[4]
            # What differs is what differs between the two that are in sight.
            assert line_with(pilot, "Parameters") == "Parameters 1 differ · 1 equal"
            assert line_with(pilot, " seed ") == "≠ seed 7 8 changed"
            await press(pilot, "right_square_bracket")
            assert "C third" in screen_lines(pilot)[4]
            assert line_with(pilot, " lr ") == "≠ lr 1 2 changed"
            assert " seed " not in screen_text(pilot)
            # In full it is what all runs have.
            await press(pilot, "enter")
            assert "B  other" in screen_text(pilot)
            await press(pilot, "escape", "right_square_bracket")
            assert "B − A" in screen_lines(pilot)[4]
            await press(pilot, "left_square_bracket")
            assert "C − A" in screen_lines(pilot)[4]


@pytest.mark.parametrize("width", [80, 120, 200])
async def test_eight_runs_have_room(tmp_path: Path, width: int) -> None:
    ids = sweep(tmp_path)
    with closing(open_store(tmp_path)) as store:
        async with compared(store, *ids, size=(width, 30)) as pilot:
            heads = screen_lines(pilot)[4].split()
            letters = [word for word in heads if len(word) == 1 and word.isalpha()]
            wanted = {80: "ABBA", 120: "ABCDEFGH", 200: "ABCDEFGH"}[width]
            assert "".join(letters) == wanted
            # However many columns there are, better and worse are told without colours.
            shown = line_with(pilot, "val/accuracy")
            assert any(mark in shown for mark in ("✓", "better"))
            assert all(len(line) <= width for line in screen_lines(pilot))


async def test_what_is_logged_meanwhile_is_shown_and_the_cursor_stays(tmp_path: Path) -> None:
    points = {"loss": 0.5, "acc": 0.5}, {"loss": 0.25, "acc": 0.25}
    with closing(two_runs(tmp_path, {"lr": 1}, {"lr": 2}, points)) as store:
        async with compared(store, "one", "other") as pilot:
            await press(pilot, "down", "down")
            name = under_cursor(pilot)
            with writer(tmp_path) as written, written.experiment("other") as experiment:
                experiment.params({"added": "later"})
                experiment.metrics([("loss", 0.125, 2, NOW), ("aaa", 1.0, 1, NOW)])
            await until(lambda: "later" in screen_text(pilot), "the new parameter")
            await until(lambda: "0.125" in screen_text(pilot), "the new point")
            await until(lambda: " aaa " in screen_text(pilot), "the new metric")
            assert under_cursor(pilot) == name


async def test_an_open_row_shows_what_it_becomes(tmp_path: Path) -> None:
    points = {"loss": 0.5}, {"loss": 0.25}
    with closing(two_runs(tmp_path, {}, {}, points)) as store:
        async with compared(store, "one", "other") as pilot:
            await press(pilot, "enter")
            assert "0.25 @ 1" in screen_text(pilot)
            with writer(tmp_path) as written, written.experiment("other") as experiment:
                experiment.metrics([("loss", 0.125, 2, NOW)])
            await until(lambda: "0.125 @ 2" in screen_text(pilot), "the new point")
            await until(lambda: "points  2" in screen_text(pilot), "the number of points")


async def test_how_long_an_active_run_has_gone_on_ticks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from tests.unit.stores import NOW as STARTED

    moment = STARTED + timedelta(minutes=14)
    monkeypatch.setattr("flowtui.clock.now", lambda: moment)
    for run_id in ("one", "other"):
        one_run(tmp_path, run_id=run_id)
    with (
        closing(open_store(tmp_path)) as store,
        held(tmp_path / "one" / "exp.db", tmp_path / "other" / "exp.db"),
    ):
        async with compared(store, "one", "other") as pilot:
            await press(pilot, "v")
            assert "14 m" in line_with(pilot, "duration")
            moment = STARTED + timedelta(minutes=44)
            await until(lambda: "44 m" in line_with(pilot, "duration"), "the time going on")


async def test_a_run_that_is_deleted_hides_no_other(tmp_path: Path) -> None:
    for run_id, value in (("one", 1), ("other", 2), ("third", 3)):
        one_run(tmp_path, {"lr": value}, run_id=run_id)
    with closing(open_store(tmp_path)) as store:
        async with compared(store, "one", "other", "third") as pilot:
            execute(tmp_path / "meta.db", "delete from experiments where id = 'other'")
            (tmp_path / "other" / "exp.db").unlink()
            await press(pilot, "r")
            await until(lambda: "B cannot be read" in screen_text(pilot), "the deletion")
            shown = line_with(pilot, " lr ")
            assert "1" in shown
            assert "3" in shown
            assert "unread" in shown


async def test_the_same_run_twice_differs_in_nothing(demo: Store) -> None:
    async with compared(demo, COSINE, COSINE) as pilot:
        text = screen_text(pilot)
        # That two models of one size are the same is not known.
        assert "not compared" in text
        assert "differ," not in text
        await press(pilot, "v", "home")
        assert "batch_size" in screen_text(pilot)


async def test_equal_runs_say_so(tmp_path: Path) -> None:
    with closing(two_runs(tmp_path, {"lr": 1}, {"lr": 1.0})) as store:
        execute(tmp_path / "meta.db", "update experiments set status = 'completed', duration = 5")
        async with compared(store, "one", "other") as pilot:
            assert "Nothing differs. v shows all rows." in screen_text(pilot)
            await press(pilot, "v")
            assert line_with(pilot, " lr ") == "lr 1 1.0 same"


async def test_texts_have_no_power_over_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b[31mred\x1b]0;title\x07\u202eback"
    with closing(two_runs(tmp_path, {evil: evil, "[b]x[/b]": 1}, {evil: "calm"})) as store:
        execute(tmp_path / "meta.db", "update experiments set name = ?, description = ?",
                [(evil, evil)])  # fmt: skip
        async with compared(store, "one", "other") as pilot:
            for keys in ((), ("enter",), ("escape",), ("end", "enter")):
                await press(pilot, *keys)
                text = screen_text(pilot)
                assert not set(text) & set("\x1b\x07\u202e")
                assert "red" in text or "[b]x[/b]" in text


async def test_a_tab_that_was_left_while_it_read_reads_when_it_is_shown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_held = True

    def held_up(connection: sqlite3.Connection) -> Parameters:
        while is_held:
            cancelling.check()
            time.sleep(0.005)
        return whole_params(connection)

    monkeypatch.setattr(fact_reading, "whole_params", held_up)
    with closing(two_runs(tmp_path, {"lr": 1}, {"lr": 2})) as store:
        chosen = [(store, store.resolve("one")), (store, store.resolve("other"))]
        app = FlowApp(store, None, Options(user="ana"), chosen)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(lambda: "reading" in screen_text(pilot), "the word for reading")
            await app.action_show_tab("metrics")
            await settled(pilot)
            is_held = False
            await app.action_show_tab("overview")
            await settled(pilot)
            assert line_with(pilot, " lr ") == "≠ lr 1 2 changed"


async def test_an_exported_run_is_compared_with_one_of_a_store(tmp_path: Path) -> None:
    with closing(two_runs(tmp_path / "store", {"lr": 1}, {"lr": 2})) as store:
        execute(tmp_path / "store" / "meta.db", "update experiments set status = 'completed'")
        path = tmp_path / "other.luml"
        packing.write_artifact(store, store.resolve("other").id, path)
        with closing(open_artifact(path)) as exported:
            chosen = [(store, store.resolve("one")), (exported, exported.resolve("latest"))]
            app = FlowApp(store, None, Options(user="ana"), chosen)
            async with app.run_test(size=(120, 40)) as pilot:
                await settled(pilot)
                assert line_with(pilot, " lr ") == "≠ lr 1 2 changed"


async def test_enter_on_a_configuration_file_shows_how_it_differs(demo: Store) -> None:
    async with compared(demo, "support-agent-v4", "support-agent-v5") as pilot:
        lines = screen_lines(pilot)
        assert any("config.yaml" in line and "changed" in line for line in lines)
        await pilot.press("end", "enter")
        await settled(pilot)
        assert isinstance(pilot.app, FlowApp)
        assert pilot.app.current_mode == "compare.attachments"
        assert "config.yaml" in screen_text(pilot)
        assert "limit" in screen_text(pilot)

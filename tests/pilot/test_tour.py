"""The tour, key by key, on the demo store: each step shows what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.cli.demo import DEMO_RUN
from flowtui.store.store import Store
from tests.conftest import open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until

TOUR = (Path(__file__).parents[2] / "docs" / "tour.md").read_text("utf-8")
pytestmark = pytest.mark.usefixtures("stopped_clock")


def told(task: str) -> str:
    """Return what the tour says about a task, on one line."""
    found = re.search(rf"\*\*{re.escape(task)}\*\*(.*?)\n\n", TOUR, re.DOTALL)
    assert found, task
    return " ".join(found[1].split())


def expression(task: str, contains: str) -> str:
    """Return the filter that the tour names."""
    found = re.findall(r"`` (.+?) ``|`([^`]+)`", told(task))
    (text,) = {one or other for one, other in found if contains in (one or other)}
    return text


async def press(pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)
    return screen_text(pilot)


async def typed(pilot: Pilot[None], text: str) -> str:
    await pilot.press(*("space" if char == " " else char for char in text))
    await settled(pilot)
    return screen_text(pilot)


async def test_find_why_answers_are_wrong(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await press(pilot, "slash")
        listed = await typed(pilot, expression("Find why answers are wrong.", "pass_rate"))
        assert "Runs 1 of" in listed
        run = await press(pilot, "enter", "enter")
        assert run.startswith(f" {DEMO_RUN}")
        evals = await press(pilot, "4")
        assert re.search(r"tickets_v1 +200 .*83 %", evals)
        await press(pilot, "7")
        rows = [line for line in screen_lines(pilot) if " ticket-" in line]
        assert len(rows) > 20
        assert all(row.startswith("✗") for row in rows)
        sample = await press(pilot, "enter")
        assert re.search(r"correct +✗ false", sample)
        assert "Never says which address" in sample
        assert "[-goes to -]{+with +}" in sample
        trace = await press(pilot, "t")
        assert pilot.app.current_mode == "traces"
        assert "execute_tool search_ord" in trace
        assert "tickets_v1  ticket-" in trace
        back = await press(pilot, "escape")
        assert "Never says which address" in back
        groups = await press(pilot, "escape", "b")
        assert "metadata.topic" in groups
        await typed(pilot, "topic")
        counted = await press(pilot, "enter")
        assert "order-status" in counted


async def test_see_which_samples_broke(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "support-agent-v")
        marked = await press(pilot, "enter", "down", "space", "up", "up", "space")
        assert "2 marked" in marked
        evals = await press(pilot, "equals_sign", "4")
        assert pilot.app.current_mode == "compare.evals"
        assert "A support-agent-v4   B support-agent-v5" in evals
        assert re.search(r"4 Evals [1-9]\d* worse", evals)
        sample = await press(pilot, "enter")
        assert "sample 1 of 200 · worse first" in sample
        following = await press(pilot, "right_square_bracket")
        assert following != sample
        pair = await press(pilot, "t")
        assert pilot.app.current_mode == "compare.traces"
        assert "execute_tool" in pair
        await press(pilot, "escape", "escape")
        await press(pilot, "4")
        review = await press(pilot, "R")
        assert "Esc Leave" in review


async def test_review_answers(demo_copy: Path) -> None:
    store = open_store(demo_copy)
    async with opened(store, DEMO_RUN, tab="evals") as pilot:
        await press(pilot, "slash")
        await typed(pilot, "similarity < 0.5 and not annotated")
        await press(pilot, "enter")
        first = await press(pilot, "R")
        assert " 1 of 16   judging quality" in first
        second = await press(pilot, "plus")
        assert "2 of " in second
        await press(pilot, "i")
        await typed(pilot, "too short")
        assert "too short" in await press(pilot, "enter")
        assert "3 of " in await press(pilot, "minus")
        assert "4 of " in await press(pilot, "s")
        assert "3 of " in await press(pilot, "b")
        assert "2 of " in await press(pilot, "u")
        await press(pilot, "escape")
        assert pilot.app.current_mode == "evals"
        again = await press(pilot, "R")
        assert "judging quality" in again
    store.close()


async def test_watch_a_run(demo: Store) -> None:
    async with opened(demo, "latest", tab="metrics") as pilot:
        assert "loss" in screen_text(pilot)
        zoomed = await press(pilot, "enter")
        assert "points" in zoomed
        await press(pilot, "end")
        assert "not following" in await press(pilot, "f")
        assert "not following" not in await press(pilot, "f")


async def test_export_a_plot(demo: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(demo, "resnet50-cosine", tab="metrics") as pilot:
        whole = await press(pilot, "enter")
        closer = await press(pilot, "plus", "comma", "full_stop", "o")
        assert closer != whole
        assert "log" in closer
        overlay = await press(pilot, "v")
        assert "Enter Apply" in overlay or "Space" in overlay
        export = await press(pilot, "escape", "x")
        assert all(form in export for form in ("SVG", "Text", "CSV", "JSON"))
        await press(pilot, "enter")
        assert list(tmp_path.iterdir()) != []


async def test_see_what_an_agent_did(demo: Store) -> None:
    async with opened(demo, DEMO_RUN) as pilot:
        trace = await press(pilot, "3", "enter")
        assert "★ support-agent" in trace
        assert "█" in trace
        await press(pilot, "down", "down")
        await until(lambda: screen_text(pilot).count("execute_tool") > 1, "the span's detail")
        for text in ("errors", "duration > 2s", expression("See what an agent did.", "model")):
            assert f"`{text}`" in told("See what an agent did.")
            await press(pilot, "slash")
            shown = await typed(pilot, text)
            assert "▲" not in shown.splitlines()[-2]
            found = await press(pilot, "enter")
            assert "no attribute" not in found
            await press(pilot, "slash", "escape")


async def test_look_at_the_files_of_a_run(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        files = await press(pilot, "5")
        for name in (".png", ".pdf", ".csv", ".log"):
            assert name in files
        assert "o Open" in files or "w Save" in files

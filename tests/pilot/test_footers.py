"""The footers tell what works here: no key that can only say why it does nothing."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.pilot.pilot import opened, screen_lines, settled
from tests.unit.stores import NOW, writer

RUN = "support-agent-v3"
PLACES = [
    (None, "overview", ()), (RUN, "overview", ()), (RUN, "metrics", ()), (RUN, "traces", ()),
    (RUN, "traces", ("enter",)), (RUN, "traces", ("b", "enter")), (RUN, "evals", ()),
    (RUN, "evals", ("enter",)), (RUN, "attachments", ()),
    ("resnet50-cosine", "metrics", ("enter",)),
]  # fmt: skip


def footer(pilot: Pilot[None]) -> str:
    return screen_lines(pilot)[-1]


@pytest.mark.parametrize(("run", "tab", "keys"), PLACES)
async def test_no_two_keys_that_are_shown_have_one_label(
    demo: Store, run: str | None, tab: str, keys: tuple[str, ...]
) -> None:
    async with opened(demo, run, size=(200, 50), tab=tab) as pilot:
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        actions = defaultdict(set)
        for active in pilot.app.screen.active_bindings.values():
            if active.enabled and active.binding.show:
                actions[active.binding.description].add(active.binding.action)
        assert {label: some for label, some in actions.items() if len(some) > 1} == {}


async def test_evals_offers_a_review(demo: Store) -> None:
    async with opened(demo, RUN, tab="evals") as pilot:
        assert "R Review" in footer(pilot)
        assert "+ Good" in footer(pilot)


async def test_read_only_shows_no_key_that_annotates(demo: Store) -> None:
    for read_only in (False, True):
        app = FlowApp(
            demo, demo.resolve(RUN), Options(tab="evals", user="ana", read_only=read_only)
        )
        async with app.run_test(size=(120, 30), notifications=True) as pilot:
            await settled(pilot)
            assert ("+ Good" in footer(pilot)) is not read_only
            await pilot.press("enter")
            await settled(pilot)
            assert ("+ Good" in footer(pilot)) is not read_only
            if read_only:
                await pilot.press("plus")
                await settled(pilot)
                assert any("--read-only" in line for line in screen_lines(pilot)), "it says why"


async def test_a_sample_without_a_trace_offers_none(tmp_path: Path) -> None:
    from flowtui.store.schema import EvalRow
    from tests.conftest import open_store

    with writer(tmp_path) as writing:
        writing.start_run("run", "run")
        with writing.experiment("run") as experiment:
            experiment.evals(
                [EvalRow(dataset_id="d", id="q", inputs={"n": 1}, scores={}, created_at=NOW)]
            )
    async with opened(open_store(tmp_path), "run", tab="evals") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        assert "t Trace" not in footer(pilot)


async def test_a_sample_with_a_trace_offers_it(demo: Store) -> None:
    async with opened(demo, RUN, tab="evals") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        assert "t Trace" in footer(pilot)


async def test_a_review_shows_its_answer_keys_and_the_output_first(demo: Store) -> None:
    async with opened(demo, RUN, size=(80, 24), tab="evals") as pilot:
        await pilot.press("R")
        await settled(pilot)
        lines = screen_lines(pilot)
        assert "+ Good" in lines[-1]
        assert lines[3].strip() == "Output and reference"
        shown = "\n".join(lines)
        assert "Inputs" in shown
        assert "▾ Scores" not in shown, "they are folded"
        assert shown.index("Output and reference") < shown.index("Inputs")

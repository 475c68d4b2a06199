"""The footers tell what works here: no key that can only say why it does nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.conftest import open_store
from tests.pilot.pilot import compared, opened, screen_lines, screen_text, settled, until
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


@pytest.mark.parametrize(
    ("run", "tab", "label"),
    [(RUN, "overview", "U Upload"), ("scratch", "traces", "C Collect"), (RUN, "traces", "R Review"),
     (RUN, "evals", "R Review")],
)  # fmt: skip
async def test_read_only_shows_no_key_that_can_only_refuse(
    demo: Store, run: str, tab: str, label: str
) -> None:
    for read_only in (False, True):
        options = Options(tab=tab, user="ana", read_only=read_only)
        app = FlowApp(demo, demo.resolve(run), options)
        async with app.run_test(size=(120, 30), notifications=True) as pilot:
            await settled(pilot)
            assert (label in footer(pilot)) is not read_only
            if read_only:
                await pilot.press(label[0])
                await settled(pilot)
                assert "--read-only" in screen_text(pilot), "it says why"


async def test_the_upload_has_room_at_80_columns(demo: Store) -> None:
    async with opened(demo, RUN, size=(80, 24)) as pilot:
        assert "U Upload" in footer(pilot)


async def test_the_way_back_is_shown_wherever_there_is_one(demo: Store) -> None:
    for keys in (("enter",), ("enter", "enter", "tab"), ("b", "enter")):
        async with opened(demo, RUN, size=(80, 24), tab="traces") as pilot:
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            assert "Esc " in footer(pilot), keys


@pytest.mark.parametrize("tab", [None, "overview", "metrics", "traces", "evals", "attachments"])
async def test_what_cannot_be_read_offers_to_read_it_again_and_nothing_else(
    demo_copy: Path, tab: str | None
) -> None:
    store = open_store(demo_copy)
    run = None if tab is None else RUN
    broken = demo_copy / "meta.db"
    if tab is not None:
        broken = demo_copy / store.resolve(RUN).row.id / "exp.db"
    whole = broken.read_bytes()
    broken.write_bytes(b"no database" * 1000)
    async with opened(store, run, size=(120, 30), tab=tab or "overview") as pilot:
        assert "r tries again" in screen_text(pilot)
        assert "r Refresh" in footer(pilot)
        for label in ("Move", "Filter", "Sort", "Copy", "Mark", "Review"):
            assert label not in footer(pilot)
        broken.write_bytes(whole)
        await pilot.press("r")
        await until(lambda: "r Refresh" not in footer(pilot), "the keys of what is there")
        assert "Filter" in footer(pilot)


async def test_a_list_without_lines_offers_no_keys_for_them(demo: Store) -> None:
    async with opened(demo, "scratch", tab="overview") as pilot:
        assert "Tab Pane" in footer(pilot)
        for label in ("Move", "Open", "Filter", "Copy"):
            assert label not in footer(pilot)


async def test_a_sample_without_a_trace_offers_none(tmp_path: Path) -> None:
    from flowtui.store.schema import EvalRow

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


async def test_a_search_offers_no_key_that_types_a_letter(demo: Store) -> None:
    async with opened(demo, RUN, tab="traces") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        assert "/ Search" in footer(pilot)
        await pilot.press("slash", "x")
        await settled(pilot)
        assert "Enter Done  Esc Clear" in footer(pilot)
        assert "/ Search" not in footer(pilot)


@pytest.mark.parametrize("tab", [None, "traces", "evals", "metrics", "attachments"])
async def test_what_a_filter_hides_says_which_key_brings_it_back(
    demo: Store, tab: str | None
) -> None:
    async with opened(demo, tab and RUN, tab=tab or "overview") as pilot:
        await pilot.press("slash", *"zzz", "enter")
        # In a narrow pane it takes several lines.
        await until(lambda: "filter." in screen_text(pilot), "the sentence")
        await pilot.press("slash", *["backspace"] * 3)
        await until(lambda: "filter." not in screen_text(pilot), "all of it")


async def test_below_a_dialog_in_terminal_colours_no_keys_are_offered(demo: Store) -> None:
    app = FlowApp(demo, demo.resolve(RUN), Options(user="ana", theme="ansi"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        before = screen_lines(pilot)
        await pilot.press("D")
        await until(lambda: "Esc Cancel" in screen_text(pilot), "the question")
        await settled(pilot)
        assert screen_lines(pilot)[0] == before[0], "what is below stays in sight"
        assert not footer(pilot).strip()
        await pilot.press("escape")
        await until(lambda: screen_lines(pilot) == before, "what was there")


async def test_looking_at_a_dialog_does_not_blank_what_is_below_it(demo: Store) -> None:
    """It did where the dialog was about to be drawn anew, and pictures showed that."""
    async with opened(demo, RUN) as pilot:
        await pilot.press("D")
        await until(lambda: "Esc Cancel" in screen_text(pilot), "the question")
        await settled(pilot)
        before = screen_lines(pilot)
        assert RUN in before[0]
        pilot.app.screen.refresh(Region(0, 0, 120, 3))
        assert screen_lines(pilot) == before


@pytest.mark.parametrize("tab", ["overview", "traces", "evals", "attachments"])
async def test_a_comparison_offers_what_works_and_what_helps(demo_copy: Path, tab: str) -> None:
    store = open_store(demo_copy)
    async with compared(store, "scratch", "cv-parser-ner", size=(120, 30), tab=tab) as pilot:
        for label in ("Sort", "Contents", "Lists"):
            assert label not in footer(pilot), "there is nothing of the kind"
        assert "r Refresh" not in footer(pilot)
    broken = demo_copy / store.resolve("cv-parser-ner").row.id / "exp.db"
    broken.write_bytes(b"no database" * 1000)
    async with compared(store, "scratch", "cv-parser-ner", size=(120, 30), tab=tab) as pilot:
        assert "r Refresh" in footer(pilot)


async def test_a_review_says_where_escape_leads(demo: Store) -> None:
    async with opened(demo, RUN, size=(80, 24), tab="evals") as pilot:
        await pilot.press("R")
        await until(lambda: "Esc Leave" in footer(pilot), "the review")
        await pilot.press("i", "x")
        await until(lambda: "Esc Back to the item" in footer(pilot), "the note")
        await pilot.press("escape")
        await until(lambda: "Esc Leave" in footer(pilot), "the review again")


async def test_the_help_cuts_nothing(demo: Store) -> None:
    for size in ((40, 10), (80, 24), (120, 40)):
        async with opened(demo, RUN, size=size) as pilot:
            await pilot.press("question_mark")
            await settled(pilot)
            for _ in range(40):
                inside = [line.split("│")[1] for line in screen_lines(pilot) if "│" in line]
                assert not [line for line in inside if "…" in line], size
                await pilot.press("pagedown")


async def test_the_palette_says_how_to_move(demo: Store) -> None:
    async with opened(demo, RUN, size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert "↑↓ Move  Enter Choose" in screen_text(pilot)
        first, second = [line.split("│")[1] for line in screen_lines(pilot) if "│" in line][1:3]
        starts = [re.search(r"\S  +\S", line) for line in (first, second)]
        assert len({found and found.end() for found in starts}) == 1, "what they do is a column"

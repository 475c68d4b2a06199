"""The split between the tree of a trace and the span: where it is, and what moving it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.widgets.documents.document import Document
from flowtui.widgets.trees.span_tree import SpanLines
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.pilot.test_trace_view import AGENT, added, here, open_trace, span, written

LONG = [span(1, None, 0, 9_000, name="a root with quite a long name of its own")] + [
    span(number, 1, 10 * number, 500, name=f"a step with a rather long name {number:03}")
    for number in range(2, 90)
]
SIZES = [(80, 24), (120, 40), (200, 60)]


def sizes(pilot: Pilot[None]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where the tree ends and where the detail begins, each as a column and a line."""
    lines = pilot.app.screen.query_one(SpanLines).region
    detail = pilot.app.screen.query_one("#span-detail", Document).region
    return (lines.right, lines.bottom), (detail.x, detail.y)


@pytest.mark.parametrize("size", SIZES)
async def test_the_span_is_below_a_short_tree_in_full_width(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(written(tmp_path, AGENT), "run", size=size, tab="traces") as pilot:
        lines = await open_trace(pilot)
        (_, bottom), (x, y) = sizes(pilot)
        assert (x, lines.size.width) == (0, size[0])
        assert lines.size.height == lines.line_count + 1
        assert y == bottom + 1
        await pilot.press("down", "enter")
        await settled(pilot)
        assert pilot.app.screen.query_one("#span-detail", Document).has_focus
        assert lines.is_on_screen


async def test_a_long_tree_has_the_span_beside_it_and_its_names_in_full(tmp_path: Path) -> None:
    async with opened(written(tmp_path, LONG), "run", tab="traces") as pilot:
        await open_trace(pilot)
        (right, _), (x, _) = sizes(pilot)
        assert x > right
        assert "a step with a rather long name 002 " in screen_text(pilot)
        assert "█" in screen_lines(pilot)[5], "the bars"


@pytest.mark.parametrize("size", SIZES)
async def test_turning_and_moving_the_split_keeps_cursor_scroll_and_folds(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(written(tmp_path, LONG), "run", size=size, tab="traces") as pilot:
        lines = await open_trace(pilot)
        await pilot.press("pagedown", "pagedown", "up")
        await settled(pilot)
        name, top = here(pilot), lines.scroll_offset.y
        for keys in (("|",), ("<", ">"), (">", "<"), ("|",)):
            await pilot.press(*keys)
            await settled(pilot)
            assert here(pilot) == name
            assert lines.scroll_offset.y <= lines.cursor < lines.scroll_offset.y + lines.size.height
        assert lines.scroll_offset.y == top
        await pilot.press("home", "left", "|", ">", "|")
        await settled(pilot)
        assert lines.line_count == 1, "the root is still folded"


async def test_the_detail_keeps_its_place_when_the_split_moves(tmp_path: Path) -> None:
    attributes = {f"key.{number:02}": "a text of some words " * 6 for number in range(40)}
    spans = [*LONG[:-1], span(200, 1, 0, 500, name="rich", status_code=2, attributes=attributes)]
    async with opened(written(tmp_path, spans), "run", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("enter")
        detail = pilot.app.screen.query_one("#span-detail", Document)
        await until(lambda: detail.line_count > 5, "the detail")
        while "Attributes" not in detail.copy_text and detail.section_key != "attributes":
            await pilot.press("down")
        await pilot.press("right", *["down"] * 30)
        await settled(pilot)
        held = detail.copy_text
        assert held
        for key in ("<", "<", ">", "|", "<", "|"):
            await pilot.press(key)
            await settled(pilot)
            assert detail.copy_text == held
            top = detail.scroll_offset.y
            assert top <= detail.cursor < top + detail.size.height


async def test_the_split_is_remembered_for_each_way_it_goes(tmp_path: Path) -> None:
    store = written(tmp_path, LONG)
    async with opened(store, "run", tab="traces") as pilot:
        await open_trace(pilot)
        (before, _), _ = sizes(pilot)
        await pilot.press("<")
        await settled(pilot)
        (beside, _), _ = sizes(pilot)
        assert beside < before
        await pilot.press("|", ">")
        await settled(pilot)
        below = sizes(pilot)
        assert below[1][0] == 0
    async with opened(store, "run", tab="traces") as pilot:
        await open_trace(pilot)
        assert sizes(pilot) == below
        await pilot.press("|")
        await settled(pilot)
        assert sizes(pilot)[0][0] == beside


async def test_the_split_leaves_room_for_both_parts(tmp_path: Path) -> None:
    async with opened(written(tmp_path, LONG), "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        for key, away in (("<", "<"), (">", ">"), ("|", "<"), (">", ">")):
            await pilot.press(key, *[away] * 30)
            await settled(pilot)
            detail = pilot.app.screen.query_one("#span")
            assert min(lines.size.height, detail.size.height) >= 2
            assert min(lines.size.width, detail.size.width) >= 28


async def test_a_narrow_screen_says_why_one_pane_has_no_split(tmp_path: Path) -> None:
    async with opened(written(tmp_path, LONG), "run", size=(80, 24), tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("<")
        await until(lambda: "| shows both" in screen_text(pilot), "the reason")
        await pilot.press("|")
        await settled(pilot)
        assert pilot.app.screen.query_one("#span-detail", Document).is_on_screen


async def test_a_trace_that_grows_does_not_turn_its_split(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        added(tmp_path, [span(number, 1, 10, 20) for number in range(50, 90)])
        await until(lambda: lines.line_count == 46, "the new spans")
        await settled(pilot)
        (right, bottom), (x, y) = sizes(pilot)
        assert (right, x) == (120, 0)
        assert y > bottom
        assert lines.size.height > 10, "it grows as far as half of the height"


async def test_a_search_does_not_turn_the_split(tmp_path: Path) -> None:
    spans = [span(1, None, 0, 9_000)] + [span(number, 1, 10, 20) for number in range(2, 13)]
    async with opened(written(tmp_path, spans), "run", tab="traces") as pilot:
        await open_trace(pilot)
        before = sizes(pilot)[1]
        await pilot.press("slash", *"span")
        await settled(pilot)
        assert sizes(pilot)[1] == before


async def test_what_is_remembered_may_be_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "remembered.json").write_text('{"trace split": {"way": 7, "beside": 1e300}}')
    monkeypatch.setenv("FLOW_TUI_STATE", str(state))
    async with opened(written(tmp_path / "store", LONG), "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        assert 40 < lines.size.width < 100

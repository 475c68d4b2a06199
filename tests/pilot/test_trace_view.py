"""One trace in full: tree, waterfall, detail, search, and how it grows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.store.schema import SpanRow, StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.documents.document import Document
from flowtui.widgets.trees.span_tree import SpanLines
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until

START_NS = int(NOW.timestamp()) * 1_000_000_000
MS = 1_000_000
TRACE = f"{7:032x}"


def span(
    number: int, parent: int | None = None, at_ms: int = 0, took_ms: int = 1_000, **more: object
) -> SpanRow:
    """Return a span of the one trace."""
    start = START_NS + at_ms * MS
    return SpanRow(
        trace_id=TRACE,
        span_id=f"{number:016x}",
        parent_span_id=None if parent is None else f"{parent:016x}",
        start_ns=start,
        end_ns=start + took_ms * MS,
        **{"name": f"span {number}", **more},  # type: ignore[arg-type]  # as the caller chose
    )


AGENT = [
    span(1, None, 0, 9_000, name="agent.run"),
    span(2, 1, 100, 2_000, attributes={"gen_ai.operation.name": "chat", "city": "Zürich"}),
    span(3, 2, 200, 1_000, attributes={"gen_ai.operation.name": "execute_tool"}),
    span(4, 1, 3_000, 2_000, status_code=2, status_message="no such parcel"),
    span(5, 4, 3_100, 1_500, name="lookup"),
    span(6, 1, 6_000, 500),
]


def written(directory: Path, spans: Sequence[SpanRow]) -> Store:
    with StoreWriter(directory, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.spans(list(spans))
    return open_store(directory)


def added(directory: Path, spans: Sequence[SpanRow]) -> None:
    with StoreWriter(directory, clock=lambda: NOW) as writer, writer.experiment("run") as more:
        more.spans(list(spans))


async def open_trace(pilot: Pilot[None]) -> SpanLines:
    await pilot.press("enter")
    lines = pilot.app.screen.query_one(SpanLines)
    await until(lambda: lines.line_count > 0, "the tree")
    await settled(pilot)
    return lines


def names(pilot: Pilot[None]) -> list[str]:
    """Return the names of the spans that show, by line."""
    lines = pilot.app.screen.query_one(SpanLines)
    shown = [lines.line(index, 120) for index in range(lines.line_count)]
    return ["".join(piece.text for piece in line)[:48].strip() for line in shown]


def here(pilot: Pilot[None]) -> str:
    node = pilot.app.screen.query_one(SpanLines).node
    assert node is not None
    assert node.span is not None
    return node.span.name


async def test_a_trace_opens_on_its_first_own_error_with_its_detail(tmp_path: Path) -> None:
    store = written(tmp_path, AGENT)
    async with opened(store, "run", size=(140, 40), tab="traces") as pilot:
        await open_trace(pilot)
        assert here(pilot) == "span 4"
        await until(lambda: "no such parcel" in screen_text(pilot), "the detail")
        assert "agent.run  9.0 s · 6 spans · ✗ 1" in screen_lines(pilot)[3]
        assert "trace 1 of 1" in screen_lines(pilot)[3]


async def test_arrows_and_enter_fold_and_an_error_shows_through_the_fold(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        await pilot.press("g", "left")
        assert lines.line_count == 1
        assert "▸ · agent.run +5" in names(pilot)[0]
        assert "✗1" in screen_lines(pilot)[5]
        await pilot.press("right")
        assert lines.line_count == 6
        await pilot.press("right")
        assert here(pilot) == "span 2"
        await pilot.press("enter")
        assert lines.line_count == 5
        await pilot.press("left")
        assert here(pilot) == "agent.run"


async def test_the_whole_tree_folds_by_levels(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        await pilot.press("g", "H")
        assert lines.line_count == 4
        await pilot.press("H")
        assert lines.line_count == 1
        await pilot.press("L", "L")
        assert lines.line_count == 6
        await pilot.press("z")
        assert lines.line_count == 1
        await pilot.press("z")
        assert lines.line_count == 6


async def test_a_cursor_in_what_is_folded_goes_to_what_hides_it(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("down")
        assert here(pilot) == "lookup"
        await pilot.press("H")
        assert here(pilot) == "span 4"


async def test_time_zooms_to_the_span_and_back(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", size=(140, 40), tab="traces") as pilot:
        lines = await open_trace(pilot)
        whole = lines.window
        await pilot.press("w")
        assert lines.window.length_ns == 2_200 * MS
        assert "›" in screen_text(pilot)
        await pilot.press("full_stop")
        assert lines.window.start_ns > START_NS + 2_900 * MS
        await pilot.press("0")
        assert lines.window == whole
        await pilot.press("i")
        assert lines.window.length_ns == whole.length_ns // 2
        await pilot.press("o")
        assert lines.window == whole


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("lookup", ["lookup"]),
        ("zürich", ["span 2"]),
        ("/^span [36]$/", ["span 3", "span 6"]),
        ("errors", ["span 4"]),
        ("duration > 1900ms", ["agent.run", "span 2", "span 4"]),
        ('attributes.city = "Zürich"', ["span 2"]),
        ("slowest", ["agent.run", "lookup", "span 2", "span 3"]),
    ],
)
async def test_a_search_visits_what_it_finds(tmp_path: Path, search: str, found: list[str]) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("G", "slash", *search)
        await settled(pilot)
        visited = []
        await pilot.press("enter")
        for _ in found:
            visited.append(here(pilot))
            await pilot.press("n")
        assert visited == found
        await pilot.press("N")
        assert here(pilot) == found[-1]


async def test_a_match_in_a_folded_part_is_unfolded(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        await pilot.press("z", "slash", *"lookup")
        await settled(pilot)
        await pilot.press("enter")
        assert here(pilot) == "lookup"
        assert lines.line_count == 5


async def test_a_mistake_in_a_search_is_pointed_at(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("slash", *"duration >")
        await settled(pilot)
        assert "^" in screen_text(pilot)


async def test_a_search_that_takes_too_long_says_so_in_place_of_matches(tmp_path: Path) -> None:
    spans = [*AGENT, span(7, 1, 7_000, name="abc " * 2_000 + "!")]
    async with opened(written(tmp_path, spans), "run", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("slash", *"lookup")
        await until(lambda: "1 span" in screen_lines(pilot)[-2], "what is found")
        await pilot.press("home", *"/(", "end", *r"|(\w+\s?)*\d$)/")
        said = r"expression (lookup|(\w+\s?)*\d$) takes too long on a text of 8,001 characters"
        await until(lambda: said in " ".join(screen_text(pilot).split()), "why there is no answer")
        place = here(pilot)
        await pilot.press("enter")
        assert here(pilot) == place


async def test_what_no_span_of_the_trace_has_is_named(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("slash", *"nosuch > 1")
        await settled(pilot)
        said = 'no attribute or annotation "nosuch" in this trace'
        await until(lambda: said in screen_text(pilot), "what is not there")
        await pilot.press("escape")
        assert said not in screen_text(pilot)


async def test_a_running_trace_grows_and_keeps_fold_and_cursor(tmp_path: Path) -> None:
    root, *below = AGENT
    store = written(tmp_path, below)
    async with opened(store, "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        assert "missing parent" in names(pilot)[0]
        await pilot.press("g", "down", "left")
        assert (here(pilot), lines.line_count) == ("span 2", 5)
        added(tmp_path, [root, span(7, 2, 1_500, 100), span(8, 1, 7_000, 100)])
        await pilot.press("r")
        await until(lambda: lines.span_tree.span_count == 8, "the new spans")
        assert "agent.run" in names(pilot)[0]
        assert (here(pilot), lines.line_count) == ("span 2", 6)
        assert "+2" in names(pilot)[1]


async def test_a_marked_span_shows_in_the_tree_and_undo_takes_it_back(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", size=(140, 40), tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("plus")
        await until(lambda: "✎ 1" in screen_lines(pilot)[3], "the mark")
        await until(lambda: "✓ true" in screen_text(pilot), "the annotation")
        await pilot.press("u")
        await until(lambda: "✎" not in screen_lines(pilot)[3], "no mark")


async def test_the_review_of_a_trace_goes_through_what_the_search_finds(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", size=(140, 40), tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("slash", *"errors", "enter")
        await settled(pilot)
        await pilot.press("R")
        await until(lambda: "1 of 1" in screen_text(pilot), "the review")
        await until(lambda: "no such parcel" in screen_text(pilot), "the span")
        await pilot.press("minus", "escape")
        await until(lambda: "✎ 1" in screen_lines(pilot)[3], "the mark in the tree")


async def test_the_review_of_the_list_goes_through_the_roots(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", tab="traces") as pilot:
        await pilot.press("R")
        await until(lambda: "agent.run" in screen_text(pilot), "the root span")
        await pilot.press("plus", "escape")
        await until(lambda: "✎ 1" in screen_text(pilot), "the mark in the list")


async def test_narrow_terminals_show_one_pane_of_a_long_trace_at_a_time(tmp_path: Path) -> None:
    more = [span(number, 1) for number in range(20, 40)]
    spans = [*AGENT, *more]
    async with opened(written(tmp_path, spans), "run", size=(80, 24), tab="traces") as pilot:
        await open_trace(pilot)
        assert not pilot.app.screen.query_one("#span-detail", Document).is_on_screen
        await pilot.press("down", "enter")
        await settled(pilot)
        assert pilot.app.screen.query_one("#span-detail", Document).is_on_screen
        assert not pilot.app.screen.query_one(SpanLines).is_on_screen
        await pilot.press("escape")
        assert pilot.app.screen.query_one(SpanLines).has_focus
        await pilot.press("escape")
        await settled(pilot)
        assert "Esc Runs" in screen_text(pilot)


async def test_brackets_step_through_the_traces_of_the_list(tmp_path: Path) -> None:
    other = replace(span(20, None, -5_000, name="other"), trace_id=f"{8:032x}")
    async with opened(written(tmp_path, [*AGENT, other]), "run", tab="traces") as pilot:
        lines = await open_trace(pilot)
        await pilot.press("right_square_bracket")
        await until(lambda: lines.span_tree.span_count == 1, "the next trace")
        assert here(pilot) == "other"
        assert "trace 2 of 2" in screen_lines(pilot)[3]
        await pilot.press("left_square_bracket")
        await until(lambda: lines.span_tree.span_count == 6, "the one before")
        await pilot.press("escape")
        await settled(pilot)
        assert "other" in screen_text(pilot)


async def test_a_link_leads_to_its_span(tmp_path: Path) -> None:
    link = {"trace_id": TRACE, "span_id": f"{6:016x}", "attributes": {}}
    spans = [*AGENT[:-1], replace(AGENT[-1], links=[link])]
    spans[-1] = replace(AGENT[-1])
    spans[0] = replace(AGENT[0], links=[link])
    async with opened(written(tmp_path, spans), "run", size=(140, 40), tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("g")
        await until(lambda: "Enter goes there" in screen_text(pilot), "the link")
        await pilot.press("tab", "slash", *"goes there")
        await pilot.press("enter", "enter")
        await until(lambda: here(pilot) == "span 6", "the linked span")


async def test_raw_json_and_back(tmp_path: Path) -> None:
    async with opened(written(tmp_path, AGENT), "run", size=(140, 40), tab="traces") as pilot:
        await open_trace(pilot)
        await until(lambda: "no such parcel" in screen_text(pilot), "the detail")
        await pilot.press("v")
        assert "genai_kind" in screen_text(pilot)
        await pilot.press("v")
        assert "genai_kind" not in screen_text(pilot)


@pytest.mark.parametrize(
    ("steps_down", "suffix", "holds"),
    [(0, "otlp.json", "traceId"), (1, "json", "children"), (2, "md", "## Trace `agent.run`")],
)
async def test_a_trace_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps_down: int, suffix: str, holds: str
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    store = written(tmp_path / "store", AGENT)
    monkeypatch.chdir(target)
    async with opened(store, "run", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.press("x")
        await until(lambda: bool(pilot.app.screen.query("ExportScreen Input, Input")), "the form")
        await settled(pilot)
        await pilot.press(*["down"] * steps_down, "enter")
        await until(lambda: bool(list(target.glob(f"*.{suffix}"))), "the file")
        await settled(pilot)
    text = next(target.glob(f"*.{suffix}")).read_text()
    assert holds in text
    if suffix != "md":
        json.loads(text)


@pytest.mark.parametrize("size", [(18, 8), (6, 3)])
async def test_a_terminal_that_has_no_room_for_a_trace_is_no_error(
    demo: Store, size: tuple[int, int]
) -> None:
    async with opened(demo, "support-agent-v3", tab="traces") as pilot:
        await open_trace(pilot)
        await pilot.resize_terminal(*size)
        await settled(pilot)
        await pilot.resize_terminal(120, 40)
        await until(lambda: "trace 1 of 46" in screen_text(pilot), "the trace again")

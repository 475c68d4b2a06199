"""The Traces tab: the list of a run's traces."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flowtui.app.app import FlowApp
from flowtui.store.schema import SpanRow, StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.lists.virtual_table import VirtualTable
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until

AGENT = "support-agent-v3"
START_NS = int(NOW.timestamp()) * 1_000_000_000


def span(number: int, *, parent: int | None = None, **more: object) -> SpanRow:
    """Return a span of the trace that is named after its parent, or itself."""
    trace = number if parent is None else parent
    return SpanRow(
        trace_id=f"{trace:032x}",
        span_id=f"{number:016x}",
        parent_span_id=None if parent is None else f"{parent:016x}",
        start_ns=START_NS + number,
        end_ns=START_NS + number + 1_500_000_000,
        **{"name": f"call {number}", **more},  # type: ignore[arg-type]  # as the caller chose
    )


async def test_the_newest_trace_stands_first_with_what_it_adds_up_to(tmp_path: Path) -> None:
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            usage = {"gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 2}
            experiment.spans(
                [
                    span(1, status_code=1),
                    span(2, parent=1, attributes=usage),
                    span(3, parent=1, status_code=2),
                    span(9),
                ]
            )
    async with opened(open_store(tmp_path), "run", tab="traces") as pilot:
        lines = screen_lines(pilot)
        assert "started ↓" in lines[3]
        assert lines[4].split()[:5] == ["call", "9", "–", "unset", "1.5"]
        assert "call 1" in lines[5]
        assert "✓ ok" in lines[5]
        assert "✗ 1" in lines[5]
        assert " 42 " in lines[5]


async def test_the_list_is_that_of_the_demo(demo: Store) -> None:
    async with opened(demo, AGENT, tab="traces") as pilot:
        rows = pilot.app.screen.query_one(VirtualTable)
        assert rows.line_count == 46
        await pilot.press("G")
        await settled(pilot)
        assert "…" not in screen_lines(pilot)[-2][:4]


async def test_filtering_by_an_expression_says_how_many_are_left(demo: Store) -> None:
    async with opened(demo, AGENT, tab="traces") as pilot:
        await pilot.press("slash", *"errors")
        await settled(pilot)
        assert "of 46" in screen_text(pilot)
        shown = pilot.app.screen.query_one(VirtualTable).line_count
        assert 0 < shown < 46
        assert all("✗" in line for line in screen_lines(pilot)[4 : 4 + min(shown, 20)])
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen.query_one(VirtualTable).line_count == 46


async def test_an_attribute_that_no_span_has_is_named(demo: Store) -> None:
    async with opened(demo, "support-agent-v3", tab="traces") as pilot:
        await pilot.press("slash", *"attributes.status")
        await settled(pilot)
        assert '"attributes.status" is searched for as text' in screen_text(pilot)
        await pilot.press(*" = 200")
        await settled(pilot)
        assert 'no attribute "status" in this run' in screen_text(pilot)


async def test_a_mistake_in_a_filter_is_pointed_at(demo: Store) -> None:
    async with opened(demo, AGENT, tab="traces") as pilot:
        await pilot.press("slash", *"span_count >")
        await settled(pilot)
        assert "^" in screen_text(pilot)


async def test_a_mistake_that_takes_more_than_a_line_is_said_in_full(demo: Store) -> None:
    async with opened(demo, AGENT, (80, 24), tab="traces") as pilot:
        await pilot.press("slash", *"state = bad")
        await settled(pilot)
        said = " ".join(line.strip() for line in screen_lines(pilot)[-4:-1])
        assert "ok, error, in_progress or unspecified, or its number" in said


async def test_sorting_again_reverses(demo: Store) -> None:
    async with opened(demo, AGENT, tab="traces") as pilot:
        await pilot.press("s")
        await settled(pilot)
        await pilot.press("down", "down", "down", "enter")
        await settled(pilot)
        assert "duration ↓" in screen_lines(pilot)[3]
        await pilot.press("s")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "duration ↑" in screen_lines(pilot)[3]


async def test_copying_copies_the_id_or_the_row(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: copied.append(text))
    async with opened(demo, AGENT, tab="traces") as pilot:
        await pilot.press("y", "Y")
        await settled(pilot)
    assert len(copied[0]) == 32
    assert json.loads(copied[1])["trace_id"] == copied[0]


async def test_a_trace_that_comes_appears_and_the_cursor_stays(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(AGENT).row
    async with opened(open_store(demo_copy), AGENT, tab="traces") as pilot:
        await pilot.press("down", "down")
        rows = pilot.app.screen.query_one(VirtualTable)
        held = rows.cursor_key
        with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
            experiment.spans([span(5, parent=77, name="fresh")])
        await until(lambda: "fresh" in screen_text(pilot), "the new trace")
        assert "● in progress" in screen_text(pilot)
        assert rows.cursor_key == held


async def test_a_run_without_spans_says_what_would_bring_some(demo: Store) -> None:
    async with opened(demo, "scratch", tab="traces") as pilot:
        assert "No spans were logged" in screen_text(pilot)


async def test_a_damaged_database_is_said(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(AGENT).row
    (demo_copy / run.id / "exp.db").write_bytes(b"no database" * 1000)
    async with opened(open_store(demo_copy), AGENT, tab="traces") as pilot:
        assert "exp.db is not a SQLite database" in screen_text(pilot)


async def test_a_list_that_is_read_anew_while_it_is_hidden_shows_the_same_rows(demo: Store) -> None:
    async with opened(demo, AGENT, tab="traces") as pilot:
        before = screen_lines(pilot)[4]
        await pilot.press("down", "enter")
        await until(lambda: "trace 2 of 46" in screen_text(pilot), "the trace")
        await pilot.press("r")
        await settled(pilot)
        await pilot.press("escape")
        await until(lambda: "started ↓" in screen_text(pilot), "the list")
        await settled(pilot)
        assert screen_lines(pilot)[4] == before


async def test_the_place_of_a_trace_is_that_of_the_list_while_others_come(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(AGENT).row
    async with opened(open_store(demo_copy), AGENT, tab="traces") as pilot:
        await pilot.press("down", "enter")
        await until(lambda: "trace 2 of 46" in screen_text(pilot), "the trace")
        with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
            late = {"start_ns": 4 * START_NS // 3, "end_ns": 4 * START_NS // 3 + 1}
            experiment.spans([replace(span(5, name="fresh"), **late)])
        await until(lambda: "trace 3 of 47" in screen_text(pilot), "its place by now")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(lambda: "trace 1 of 47" in screen_text(pilot), "the new trace")
        assert "fresh" in screen_text(pilot)

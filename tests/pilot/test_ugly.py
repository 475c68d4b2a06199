"""Traces and samples that nobody wrote by the book: what is shown is safe, and nothing breaks."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.screens.evals.samples_pane import SamplesPane
from flowtui.store.schema import EvalRow, SpanRow, StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.lists.virtual_table import VirtualTable
from flowtui.widgets.trees.span_tree import SpanLines
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_text, settled, until

MARKS = "e" + 5 * "\u0301"
HOSTILE = f"\x1b[2J\x1b]0;gone\x07[red]not red[/] \u202eback\u202c \x00 {MARKS} 漢字"
TRACE = "a/b [x]"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    chat = json.dumps([{"role": HOSTILE, "content": HOSTILE * 3}, 7, None, {"parts": "none"}])
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.spans(
                [
                    SpanRow(
                        trace_id=TRACE,
                        span_id=f"s{number}",
                        # A ring, a span that is its own parent, and one whose parent is not there.
                        parent_span_id={0: "s1", 1: "s0", 2: "s2", 3: "nowhere"}.get(number, "s0"),
                        name=HOSTILE if number % 2 else "",
                        start_ns=-(10**18) * (number % 2),
                        end_ns=10**18 if number != 4 else -5,
                        status_code=2 if number == 5 else 99,
                        status_message=HOSTILE,
                        attributes={HOSTILE: HOSTILE, "gen_ai.input.messages": chat, "n": 2**70},
                        events=[{"name": HOSTILE, "timestamp": 1, "attributes": {"k": HOSTILE}}],
                        links=[{"trace_id": HOSTILE, "span_id": HOSTILE, "attributes": {}}],
                    )
                    for number in range(8)
                ]
            )
            scores = {f"score {index}": index / 7 for index in range(200)}
            experiment.evals(
                [
                    EvalRow(dataset_id="a", id=HOSTILE, inputs={"q": HOSTILE}, scores=scores),
                    EvalRow(dataset_id="b", id=HOSTILE, inputs={"q": "x" * 1_000_000}),
                    EvalRow(dataset_id="b", id="c/d e", inputs={}, outputs={"a": [1, {"b": None}]}),
                ]
            )
    with closing(sqlite3.connect(tmp_path / "run" / "exp.db")) as connection:
        connection.execute("update spans set attributes = '{\"broken', links = 'x' where rowid = 8")
        connection.execute("update evals set outputs = '{\"broken', refs = '[1' where id = 'c/d e'")
        connection.execute(
            'update evals set scores = \'{"score 1": NaN, "score 2": "high", "score 3": true}\''
            " where dataset_id = 'b' and id <> 'c/d e'"
        )
        connection.commit()
    return open_store(tmp_path)


def assert_is_safe(text: str) -> None:
    odd = {char for char in text if not (char.isprintable() or char == "\n")}
    assert not odd, odd
    assert "\u202e" not in text


async def test_a_hostile_trace_is_shown_as_text(store: Store) -> None:
    async with opened(store, "run", size=(140, 40), tab="traces") as pilot:
        assert_is_safe(screen_text(pilot))
        await pilot.press("enter")
        lines = pilot.app.screen.query_one(SpanLines)
        await until(lambda: lines.line_count > 0, "the tree")
        await settled(pilot)
        assert lines.line_count == 9
        seen = ""
        for _ in range(9):
            await pilot.press("down")
            await settled(pilot)
            seen += screen_text(pilot)
        lines.go_to(next(at for at, node in enumerate(lines.span_tree) if node.id == "s7"))
        await until(lambda: "broken" in screen_text(pilot), "the span with broken attributes")
        for key in ("v", "z", "z", "w", "i", "o", "full_stop", "0", "H", "L", "tab", "G"):
            await pilot.press(key)
            await settled(pilot)
            seen += screen_text(pilot)
        assert_is_safe(seen)
        assert "[red]not red[/]" in seen
        assert "missing parent" in seen


async def test_hostile_samples_are_shown_as_text(store: Store) -> None:
    async with opened(store, "run", size=(140, 40), tab="evals") as pilot:
        rows = pilot.app.screen.query_one("#samples", VirtualTable)
        assert rows.line_count == 3
        seen = screen_text(pilot)
        for key in ("right", "right", "left", "7", "8", "9", "0", "6"):
            await pilot.press(key)
            await settled(pilot)
            seen += screen_text(pilot)
        for _ in range(3):
            await pilot.press("enter")
            await settled(pilot)
            seen += screen_text(pilot)
            await pilot.press("G", "v", "v", "escape", "down")
            await settled(pilot)
            seen += screen_text(pilot)
        assert_is_safe(seen)
        assert "[red]not red[/]" in seen
        assert "▲" in seen


async def test_all_200_scores_are_columns(store: Store) -> None:
    async with opened(store, "run", size=(140, 40), tab="evals") as pilot:
        pane = pilot.app.screen.query_one(SamplesPane)
        shown = [column.key for column in pane.rows.columns]
        assert len([key for key in shown if key.startswith("scores.")]) == 200


async def test_the_same_id_in_two_sets_is_two_samples(store: Store) -> None:
    async with opened(store, "run", size=(140, 40), tab="evals") as pilot:
        pane = pilot.app.screen.query_one(SamplesPane)
        await pilot.press("plus")
        await until(lambda: "✎1" in screen_text(pilot), "the mark")
        await settled(pilot)
        marked = [one for one in pane.known.values() if one.annotation_count]
        assert [one.dataset_id for one in marked] == ["a"]


async def test_what_a_form_is_about_is_text_in_its_title_too(store: Store) -> None:
    async with opened(store, "run", size=(140, 40), tab="traces") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        for _ in range(3):
            await pilot.press("a")
            await settled(pilot)
            shown = screen_text(pilot)
            await pilot.press("escape", "down")
            await settled(pilot)
            if "Annotate" in shown and "not red" in shown:
                break
        assert "[red]not red[/]" in shown

"""Traces of a comparison: names of spans, traces in pairs, and where a pair parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.screens.compare.trace_pair import TracePairView
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.widgets.documents.document import Document
from flowtui.widgets.lists.virtual_table import VirtualTable
from flowtui.widgets.trees.aligned_tree import AlignedLines
from tests.conftest import open_store
from tests.pilot.pilot import compared, screen_lines, screen_text, settled, until
from tests.unit.compared import Step, add_run, span_rows
from tests.unit.stores import execute, writer

TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}


def search(limit: int) -> Step:
    arguments = {"gen_ai.tool.call.arguments": f'{{"query": "refund", "limit": {limit}}}'}
    return Step(1, "search", 0.5, {**TOOL, **arguments})


def chat(answer: str) -> Step:
    said = f'[{{"role": "assistant", "content": "{answer}"}}]'
    return Step(1, "chat", 1.0, {"gen_ai.operation.name": "chat", "gen_ai.output.messages": said})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yield a store with two versions of an agent, of which the second searches less."""
    for name, limit, answer in (("old", 5, "You get it back."), ("new", 1, "No refund.")):
        broken = [Step(0, "agent", 3.0), search(limit), chat(answer)]
        same = [Step(0, "agent", 2.0), chat("Hello.")]
        more = [[Step(0, "cron"), Step(1, "chat")]] if name == "new" else []
        add_run(tmp_path, name, [broken, same, *more], {1: "q1", 2: "q2"})
    with closing(open_store(tmp_path)) as made:
        yield made


async def test_names_and_pairs_show_what_both_runs_have(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        text = screen_text(pilot)
        assert "2 in both, paired by their sample · 1 only in B" in text
        assert "4 names, by change of all time" in text
        names = [line.split()[1] for line in screen_lines(pilot)[5:9]]
        assert names == ["chat", "cron", "agent", "search"]
        assert "2 → 3" in screen_lines(pilot)[5]
        assert "3 Traces 2" in screen_lines(pilot)[1]


async def test_a_pair_opens_where_the_two_part_first(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        lines = pilot.app.screen.query_one(AlignedLines)
        assert lines.row == 1
        assert "2 differ" in screen_lines(pilot)[3]
        assert "≠ arguments" in next(line for line in screen_lines(pilot) if "◆ search" in line)
        document = pilot.app.screen.query_one(Document)
        assert any("limit" in line for line in screen_lines(pilot))
        assert "[-5-]{+1+}" in screen_text(pilot).replace(" ", "")
        await pilot.press("n")
        await settled(pilot)
        assert lines.row == 2
        await pilot.press("tab", "escape")
        await settled(pilot)
        assert lines.has_focus
        assert document.display
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen.query_one("#pairs", VirtualTable).has_focus


async def test_traces_that_say_the_same_are_said_to(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "they say the same" in screen_lines(pilot)[3]


async def test_a_trace_that_only_one_has_does_not_open(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        await pilot.press("end", "enter")
        await settled(pilot)
        assert not pilot.app.screen.query_one(TracePairView).display
        assert "Only B has this trace." in screen_text(pilot)


async def test_names_are_sorted_by_another_change(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        await pilot.press("s")
        await settled(pilot)
        assert "by change of count" in screen_text(pilot)


async def test_a_pair_grows_with_its_run(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        steps = [Step(0, "agent", 3.0), search(1), chat("No refund."), Step(1, "late")]
        with writer(store.directory) as made, made.experiment("id-new") as run:
            row: SpanRow = span_rows(1, steps)[-1]
            run.spans([row])
        await pilot.press("r")
        await until(lambda: "late" in screen_text(pilot))
        await settled(pilot)
        assert "1 only in B" in screen_lines(pilot)[3]


async def test_a_run_that_cannot_be_read_is_said_and_the_other_stays(store: Store) -> None:
    execute(store.directory / "id-new" / "exp.db", "drop table spans")
    (store.directory / "id-old" / "exp.db").write_bytes(b"no database at all, " * 400)
    async with compared(store, "old", "new", tab="traces") as pilot:
        assert "✗" in screen_text(pilot)
        assert "r tries again" in screen_text(pilot)


async def test_any_two_traces_are_put_side_by_side(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        await pilot.press("c", *"cron", "enter")
        await settled(pilot)
        assert pilot.app.screen.query_one(TracePairView).display
        text = screen_text(pilot)
        assert "3 only in A · 2 only in B" in text
        await pilot.press("escape")
        await settled(pilot)
        assert not pilot.app.screen.query_one(TracePairView).display


async def test_a_candidate_without_such_a_trace_closes_the_pair(store: Store) -> None:
    add_run(store.directory, "third", [[Step(0, "other")]])
    async with compared(store, "old", "new", "third", tab="traces") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        assert pilot.app.screen.query_one(TracePairView).display
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert not pilot.app.screen.query_one(TracePairView).display
        assert "C has no such trace." in screen_text(pilot)


async def test_what_one_run_lacks_is_a_dash(store: Store) -> None:
    async with compared(store, "old", "new", tab="traces") as pilot:
        line = next(line for line in screen_lines(pilot) if "cron" in line)
        assert "– → 1" in line

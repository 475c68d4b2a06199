"""Names that begin alike are told apart wherever names are listed, in a small terminal too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.store.schema import EvalRow, SpanRow
from flowtui.store.store import Store
from tests.pilot.pilot import compared as comparing
from tests.pilot.pilot import opened as running
from tests.pilot.pilot import screen_lines, screen_text, settled
from tests.unit.stores import opened, writer

RUN = "run-1"
WORDS = ("kiwi", "plum", "pear", "figs")
NAMES = [
    f"qz.observation.of.a.rather.long.name.that.no.column.has.room.for.{word}" for word in WORDS
]
MOMENT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def alike(tmp_path: Path) -> Store:
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.params(dict.fromkeys(NAMES, 1))
            experiment.metrics([(name, 0.5, step, MOMENT) for name in NAMES for step in (1, 2)])
            values = dict.fromkeys(NAMES, 1)
            span = SpanRow(trace_id="a" * 32, span_id="b" * 16, name="s", start_ns=1, end_ns=9,
                           attributes={**values, "nested": values})  # fmt: skip
            experiment.spans([span])
            experiment.evals(
                [EvalRow(dataset_id="d", id="1", inputs=values, scores=values, metadata=values)]
            )
            for name in NAMES:
                experiment.attachment(f"{name}.txt", b"x")
        for name in NAMES:
            store.model(RUN, f"{name}.pt", b"x")
    return opened(tmp_path).__enter__()


PLACES = {
    "parameters and metrics": ("overview", []),
    "charts": ("metrics", []),
    "attributes": ("traces", ["enter", "tab"]),
    "a sample": ("evals", ["enter"]),
    "columns to choose": ("evals", ["c"]),
    "attachments": ("attachments", []),
}


@pytest.mark.parametrize("size", [(80, 24), (100, 50)])
@pytest.mark.parametrize("place", PLACES)
async def test_each_name_can_be_read(alike: Store, place: str, size: tuple[int, int]) -> None:
    tab, keys = PLACES[place]
    async with running(alike, RUN, size=size, tab=tab) as pilot:
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        shown = screen_text(pilot)
        assert [word for word in WORDS if word not in shown] == []


async def test_the_heads_of_a_table_tell_columns_apart(alike: Store) -> None:
    async with running(alike, RUN, size=(120, 30), tab="evals") as pilot:
        head = next(line for line in screen_text(pilot).splitlines() if "inputs" in line)
        assert "kiwi" in head
        assert "pear" in head


@pytest.mark.parametrize("tab", ["overview", "attachments"])
async def test_a_comparison_tells_its_runs_apart_on_top_and_above_their_columns(
    tmp_path: Path, tab: str
) -> None:
    with writer(tmp_path) as store:
        for name in NAMES:
            store.start_run(name, name)
            with store.experiment(name) as experiment:
                experiment.params({"name": name})
                experiment.attachment("name.txt", name.encode())
    with opened(tmp_path) as found:
        async with comparing(found, *NAMES, size=(120, 30), tab=tab) as pilot:
            lines = screen_lines(pilot)
            for head in (lines[0], lines[4]):
                assert [word for word in WORDS if word in head] == list(WORDS)

"""Keys that come faster than screens open act where they were meant to."""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
import textual.timer
from textual import events
from textual.pilot import Pilot
from textual.worker import Worker, WorkerState, get_current_worker

from flowtui.app import key_queue
from flowtui.app.app import FlowApp
from flowtui.app.key_queue import CHECK_KEY_EVERY_S
from flowtui.screens.traces import view
from flowtui.screens.traces.screen import TracesScreen
from flowtui.store import runs as run_rows
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.errors import ReadCancelled
from flowtui.store.metrics import series as metric_series
from flowtui.store.samples import listing as sample_rows
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from flowtui.widgets.charts.grid import ChartGrid
from flowtui.widgets.host import Options
from flowtui.widgets.trees.span_tree import SpanLines
from tests.pilot.pilot import PATIENCE_S, opened, screen_text, settled, until
from tests.pilot.test_trace_view import AGENT, TRACE, open_trace, written

CHARACTERS = {"slash": "/", "space": " ", "plus": "+"}


def typed(pilot: Pilot[None], *keys: str) -> None:
    """Send keys as a terminal does that had them waiting: all at once."""
    assert pilot.app._driver is not None
    for key in keys:
        char = CHARACTERS.get(key, key if len(key) == 1 else None)
        pilot.app._driver.send_message(events.Key(key, char))


class Late:
    """Answers as a method of a store does, when it may."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self._may_answer = threading.Event()
        self.is_asked = False

    def __call__(self, *asked: Any, **options: Any) -> object:
        self.is_asked = True
        self._may_answer.wait(PATIENCE_S)
        return self._method(*asked, **options)

    def answer(self) -> None:
        self._may_answer.set()


async def test_what_is_typed_after_the_key_of_a_form_goes_into_the_form(tmp_path: Path) -> None:
    store = written(tmp_path, AGENT)
    async with opened(store, "run", tab="traces") as pilot:
        await open_trace(pilot)
        typed(pilot, "plus", "a", *"tone", "tab", "tab", *"too long", "ctrl+s")
        target = SpanTarget(TRACE, f"{4:016x}")
        await until(
            lambda: len(store.run("run").ask(annotation_rows.of_target, target)) == 2,
            "both annotations",
        )
        first, second = store.run("run").ask(annotation_rows.of_target, target)
        assert (first.name, first.value) == ("quality", True)
        assert (second.name, second.rationale) == ("tone", "too long")


async def test_keys_act_on_the_tab_that_the_one_before_shows(demo: Store) -> None:
    async with opened(demo, "support-agent-v3") as pilot:
        typed(pilot, "3", "slash", *"errors", "enter")
        await until(lambda: "5 of 46" in screen_text(pilot), "the filtered list")
        typed(pilot, "down", "enter", "z")
        await until(lambda: bool(pilot.app.screen.query(SpanLines)), "the tab")
        await until(lambda: "trace 2 of 5" in screen_text(pilot), "the trace")


async def test_a_key_whose_widget_is_gone_holds_up_no_other(demo: Store) -> None:
    async with opened(demo, "support-agent-v3") as pilot:
        for _ in range(5):
            typed(pilot, "question_mark", "escape", "2", "1", "escape", "enter")
        await settled(pilot)
        typed(pilot, "question_mark")
        await until(lambda: pilot.app.screen.is_modal, "the keys")


async def test_keys_wait_for_what_the_key_before_reads(tmp_path: Path) -> None:
    store = written(tmp_path, AGENT)
    async with opened(store, "run") as pilot:
        typed(pilot, "3", "down", "up", "enter", "a", *"tone", "ctrl+s")
        target = SpanTarget(TRACE, f"{4:016x}")
        await until(
            lambda: len(store.run("run").ask(annotation_rows.of_target, target)) == 1,
            "the annotation",
        )
        assert store.run("run").ask(annotation_rows.of_target, target)[0].name == "tone"


async def test_esc_leaves_what_the_key_before_it_opens(demo: Store) -> None:
    async with opened(demo, "support-agent-v3", tab="traces") as pilot:
        typed(pilot, "down", "enter", "escape", "question_mark")
        await until(lambda: pilot.app.screen.is_modal, "the keys")
        await pilot.press("escape")
        await settled(pilot)
        assert "started ↓" in screen_text(pilot)
        assert pilot.app.current_mode == "traces"


async def test_q_waits_for_nothing_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(tmp_path, AGENT)

    def endless(*_: object, **__: object) -> object:
        while not get_current_worker().is_cancelled:
            time.sleep(0.01)
        raise ReadCancelled

    async with opened(store, "run", tab="traces") as pilot:
        monkeypatch.setattr(view, "read_trace", endless)
        monkeypatch.setattr(key_queue, "MOST_CHECKS_WHILE_READING", 1_000_000)
        typed(pilot, "enter", "q")
        await until(lambda: cast("FlowApp", pilot.app).is_over, "the end")


async def test_a_key_that_comes_while_the_app_ends_does_nothing(demo: Store) -> None:
    async with opened(demo, "support-agent-v3") as pilot:
        pilot.app.exit()
        assert not await pilot.app.run_action("app.show_keys")
        assert not pilot.app.screen.is_modal
    # One that has been with its widget comes back to find no screen at all.
    back = events.Key("3", "3")
    back._set_forwarded()
    await pilot.app.on_event(back)


async def test_keys_wait_for_no_chart_that_is_still_read(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Late(metric_series.series)
    monkeypatch.setattr(metric_series, "series", late)
    # A key that waited for the charts would wait for ever.
    monkeypatch.setattr("flowtui.app.key_queue.MOST_CHECKS_WHILE_READING", sys.maxsize)
    app = FlowApp(demo, demo.resolve("support-agent-v3"), Options(tab="metrics", user="ana"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: bool(app.screen.query(ChartGrid)), "the grid")
        grid = app.screen.query_one(ChartGrid)
        await until(lambda: grid.key is not None, "the names of the metrics")
        first = grid.key
        await pilot.press("right", "right", "left", "right")
        await until(lambda: grid.key != first and not app.has_keys_to_take, "the keys' turn")
        late.answer()
        await settled(pilot)


@pytest.mark.parametrize(
    ("tab", "records", "filter_text", "place"),
    [
        ("evals", sample_rows, "annotated", "sample 2 of 115"),
        ("traces", trace_rows, "errors", "trace 2 of 5"),
    ],
)
async def test_keys_act_on_the_list_as_it_is_filtered_however_late_that_is_read(
    demo: Store,
    monkeypatch: pytest.MonkeyPatch,
    tab: str,
    records: ModuleType,
    filter_text: str,
    place: str,
) -> None:
    async with opened(demo, "support-agent-v3", tab=tab) as pilot:
        late = Late(records.ordered)
        monkeypatch.setattr(records, "ordered", late)
        typed(pilot, "slash", *filter_text, "enter", "down", "enter")
        await until(lambda: late.is_asked, "the filter")
        await asyncio.sleep(3 * CHECK_KEY_EVERY_S)
        late.answer()
        await until(lambda: place in screen_text(pilot), "the second of those that are left")


async def test_enter_opens_the_run_that_the_filter_has_found(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, None) as pilot:
        late = Late(run_rows.ordered)
        monkeypatch.setattr(run_rows, "ordered", late)
        typed(pilot, "slash", *"support-agent", "enter", "enter")
        await until(lambda: late.is_asked, "the filter")
        await asyncio.sleep(3 * CHECK_KEY_EVERY_S)
        late.answer()
        await until(lambda: pilot.app.current_mode == "overview", "a run")
        await settled(pilot)
        assert "support-agent" in screen_text(pilot).partition("\n")[0]


async def test_letters_of_a_filter_wait_for_no_list(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, "support-agent-v3", tab="evals") as pilot:
        late = Late(sample_rows.ordered)
        monkeypatch.setattr(sample_rows, "ordered", late)
        typed(pilot, "slash", *"order")
        await until(lambda: "/ order" in screen_text(pilot), "the whole word")
        late.answer()
        await settled(pilot)


async def test_keys_wait_until_what_a_worker_has_read_is_taken(demo: Store) -> None:
    async with opened(demo, "support-agent-v3", tab="traces") as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        worker = screen.run_worker(asyncio.sleep, thread=False, start=False)
        screen.open_with(worker)
        worker.cancel()
        assert screen.is_awaited, "what it posted may still be on its way"
        screen.post_message(Worker.StateChanged(worker, WorkerState.CANCELLED))
        await until(lambda: not screen.is_awaited, "the end of the waiting")


async def test_a_timer_whose_time_goes_by_while_it_starts_still_comes(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, None) as pilot:
        called: list[int] = []
        # As on a machine that stands still, or where another thread computes, between two looks.
        looks = itertools.chain(range(40), itertools.repeat(40))
        monkeypatch.setattr(textual.timer._time, "get_time", lambda: time.monotonic() + next(looks))
        for number in range(10):
            pilot.app.set_timer(CHECK_KEY_EVERY_S, partial(called.append, number))
        await until(lambda: sorted(called) == list(range(10)), "all timers")


async def test_ctrl_c_waits_for_no_key_that_waits_for_what_is_read(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, "support-agent-v3") as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        await pilot.press("f")
        monkeypatch.setattr("flowtui.app.key_queue.MOST_CHECKS_WHILE_READING", sys.maxsize)
        monkeypatch.setattr(app, "_is_reading", lambda: True)
        typed(pilot, "f", "up", "down", "ctrl+c")
        await until(lambda: app.is_over, "the end")

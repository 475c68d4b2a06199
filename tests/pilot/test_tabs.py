"""Moving between the list of runs and the tabs of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widgets import Rule

from flowtui.app.app import FlowApp
from flowtui.app.palette import commands
from flowtui.screens.base import TabScreen
from flowtui.screens.dialogs.choose import Choice, ColumnsScreen
from flowtui.store.schema import EvalRow, ExperimentWriter, SpanRow
from flowtui.store.store import Store
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.stores import one_run, writer

TABS = ("overview", "metrics", "traces", "evals", "attachments")


async def test_number_keys_choose_tabs(demo: Store) -> None:
    async with opened(demo, "support-agent-v3") as pilot:
        for number, tab in enumerate(TABS, start=1):
            await pilot.press(str(number))
            await settled(pilot)
            assert pilot.app.current_mode == tab
            assert screen_lines(pilot)[0].startswith(" support-agent-v3")


async def test_tab_labels_show_counts(demo: Store) -> None:
    async with opened(demo, "support-agent-v3") as pilot:
        assert "3 Traces 46" in screen_lines(pilot)[1]
        assert "4 Evals 460" in screen_lines(pilot)[1]


def log_point(run: ExperimentWriter) -> None:
    run.metrics([("loss", 0.5, 1, NOW)])


def log_span(run: ExperimentWriter) -> None:
    run.spans([SpanRow(trace_id="a" * 32, span_id="b" * 16, name="call", start_ns=1, end_ns=2)])


def log_sample(run: ExperimentWriter) -> None:
    run.evals([EvalRow(id="sample", dataset_id="set", inputs={"q": 1})])


def log_file(run: ExperimentWriter) -> None:
    run.attachment("notes.txt", b"text")


@pytest.mark.parametrize(
    ("tab", "log"),
    [
        ("metrics", log_point),
        ("traces", log_span),
        ("evals", log_sample),
        ("attachments", log_file),
    ],
)
async def test_a_tab_without_records_offers_no_keys_for_them_until_some_come(
    tmp_path: Path, tab: str, log: Callable[[ExperimentWriter], None]
) -> None:
    one_run(tmp_path)
    async with opened(open_store(tmp_path), "run-1", tab=tab) as pilot:
        screen = pilot.app.screen

        def offers(key: str) -> bool:
            return key in screen.active_bindings and screen.active_bindings[key].enabled

        assert not offers("s")
        assert "Sort" not in screen_lines(pilot)[-1]
        with writer(tmp_path) as store, store.experiment("run-1") as run:
            log(run)
        await until(lambda: offers("s"), "the keys")
        assert offers("slash")


async def test_a_tab_is_made_when_it_is_first_shown(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        made = {type(screen).__name__ for screen in pilot.app.query("Screen")} | {
            type(pilot.app.screen).__name__
        }
        assert made == {"OverviewScreen"}


async def test_clicking_a_tab_shows_it(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        x = screen_lines(pilot)[1].index("Traces")
        await pilot.click(offset=(x, 1))
        await settled(pilot)
        assert pilot.app.current_mode == "traces"


async def test_escape_goes_to_the_list_and_back_to_the_same_row(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("down", "down", "down", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, TabScreen)
        opened_name = pilot.app.screen.run.name
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, TabScreen)
        assert pilot.app.screen.run.name == opened_name == "support-agent-v5"


async def test_opening_another_run_closes_the_tabs_of_the_first(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("3", "escape", "down", "enter")
        await settled(pilot)
        assert screen_lines(pilot)[0].startswith(" scratch")
        await pilot.press("3")
        await settled(pilot)
        assert screen_lines(pilot)[0].startswith(" scratch")
        assert "No spans were logged" in screen_text(pilot)


async def test_number_keys_do_nothing_before_a_run_is_open(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("3")
        await settled(pilot)
        assert pilot.app.current_mode == "runs"


async def test_every_key_is_documented_and_every_id_is_unique(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        for key in ("escape", "1", "2", "3", "4", "5"):
            await pilot.press(key)
            await settled(pilot)
            ids: dict[str, Binding] = {}
            for active in pilot.app.screen.active_bindings.values():
                binding = active.binding
                if type(active.node).__module__.startswith("flowtui"):
                    assert binding.description or not binding.show, binding
                if binding.id:
                    assert binding.description
                    assert binding.tooltip, binding.id
                    known = ids.setdefault(binding.id, binding)
                    assert known.action == binding.action, binding.id


async def test_keys_screen_lists_what_works_here(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        await pilot.press("question_mark")
        await settled(pilot)
        shown = screen_text(pilot)
        assert "Go back to the list of runs" in shown
        assert "Leave flow-tui" in shown
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.current_mode == "overview"


async def test_palette_has_every_action_with_an_id_once(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        names = [command.name for command in commands(pilot.app, pilot.app.screen)]
        assert {"Filter", "Copy", "Upload", "Runs", "Keys", "Quit", "Traces"} <= set(names)
        assert len(names) == len(set(names))


async def test_palette_runs_an_action(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        await pilot.press("ctrl+p", *"traces", "enter")
        await settled(pilot)
        assert pilot.app.current_mode == "traces"


async def test_screens_closed_while_they_start_do_no_harm(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        for _ in range(20):
            app.action_show_keys()
            app.pop_screen()
            app.push_screen(ColumnsScreen("Columns", [Choice("a", "a")], ["a"]))
            app.pop_screen()
        await settled(pilot)
        assert screen_lines(pilot)[0].startswith(" resnet50-cosine")


async def test_opening_runs_in_quick_succession_ends_at_the_last(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        for name in ("scratch", "scratch", "resnet50-cosine", "support-agent-v3"):
            app.open_run(demo.resolve(name).row)
        await until(lambda: screen_text(pilot).startswith(" support-agent-v3"), "the last run")
        await settled(pilot)
        assert app.current_mode == "overview"


@pytest.mark.parametrize("tab", TABS)
async def test_keys_may_be_asked_for_while_a_tab_is_still_put_together(
    demo: Store, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    def ask(rule: Rule) -> None:
        asked.append(rule.screen.active_bindings)

    asked: list[object] = []
    monkeypatch.setattr(Rule, "on_mount", ask, raising=False)
    async with opened(demo, "support-agent-v3", tab=tab) as pilot:
        assert asked
        assert "q" in pilot.app.screen.active_bindings


@pytest.mark.parametrize("tab", TABS)
async def test_a_tab_that_is_closed_while_it_is_put_together_does_no_harm(
    demo: Store, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    def close(rule: Rule) -> None:
        # As all tabs are when another run is opened.
        closed.append(rule.screen)
        rule.app._prune(rule.screen)

    closed: list[object] = []
    async with opened(demo, "support-agent-v3", tab=TABS[TABS.index(tab) - 1]) as pilot:
        monkeypatch.setattr(Rule, "on_mount", close, raising=False)
        await pilot.press(str(TABS.index(tab) + 1))
        await until(lambda: bool(closed), "the tab")
        await until(lambda: not closed[0].is_running, "its end")  # type: ignore[attr-defined]

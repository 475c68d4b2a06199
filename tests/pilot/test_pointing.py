"""The mouse on what is closing, changing or gone: it does what it was meant to, or nothing."""

from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot
from textual.widgets._toast import Toast
from textual.worker import WorkerState

from flowtui.app.app import FlowApp
from flowtui.screens.dialogs.choose import Choice, ColumnsScreen
from flowtui.screens.dialogs.commands import CommandLines, CommandsScreen
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.store.store import Store
from flowtui.widgets.charts.curve_pane import CurvePane
from tests.pilot.pilot import (
    CLICK,
    DRAG,
    PRESS,
    RELEASE,
    opened,
    screen_lines,
    screen_text,
    send,
    settled,
    until,
)


def place_of(pilot: Pilot[None], word: str) -> tuple[int, int]:
    """Return the column and line where a word is on the screen."""
    for line, text in enumerate(screen_lines(pilot)):
        if word in text:
            return text.index(word), line
    raise AssertionError(f"{word!r} is not on the screen")


@pytest.mark.parametrize("sequence", [CLICK, PRESS + DRAG + RELEASE, DRAG, "\x1b[<64;{};{}M"])
async def test_what_has_gone_but_is_still_drawn_takes_nothing_of_the_mouse(
    demo: Store, sequence: str
) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        pilot.app.notify("a message")
        await until(lambda: "a message" in screen_text(pilot))
        place = place_of(pilot, "a message")
        # No frame is drawn meanwhile.
        with pilot.app.batch_update():
            await pilot.app.screen.query_one(Toast).remove()
            send(pilot, sequence, *place, 2)
            await pilot.pause()
        await settled(pilot)
        assert pilot.app._exception is None


async def test_a_command_that_is_clicked_twice_runs_once(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        assert app.follows
        await pilot.press("ctrl+p", *"follow")
        await until(lambda: "Follow what is written" in screen_text(pilot))
        send(pilot, CLICK, *place_of(pilot, "Follow what is written"), 2)
        await settled(pilot)
        await until(lambda: not isinstance(app.screen, CommandsScreen))
        assert not app.follows
        assert app.current_mode == "overview"


async def test_a_row_of_the_palette_that_has_gone_is_not_clicked(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        await pilot.press("ctrl+p")
        await settled(pilot)
        rows = pilot.app.screen.query_one(CommandLines)
        place = rows.region.x + 4, rows.region.y + 5
        send(pilot, CLICK, *place)
        # By the time that the list hears of it, something else was typed.
        rows.show_commands([])
        await settled(pilot)
        assert pilot.app._exception is None
        assert isinstance(pilot.app.screen, CommandsScreen)


async def test_a_palette_closed_before_it_is_there_does_no_harm(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        pilot.app.action_command_palette()
        pilot.app.pop_screen()
        await settled(pilot)
        assert pilot.app._exception is None


async def test_the_mouse_is_let_go_by_a_chart_that_is_left_with_a_button_down(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine", tab="metrics") as pilot:
        await pilot.press("enter")
        await until(lambda: bool(pilot.app.screen.query(CurvePane)))
        await settled(pilot)
        send(pilot, PRESS + DRAG, 60, 15)
        await until(lambda: pilot.app.mouse_captured is not None)
        await pilot.press("1")
        await settled(pilot)
        send(pilot, RELEASE, 60, 15)
        send(pilot, CLICK, *place_of(pilot, "3 Traces"))
        await until(lambda: pilot.app.current_mode == "traces", "the tab that was clicked")


async def test_a_press_whose_release_was_lost_holds_nothing(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine", tab="metrics") as pilot:
        await pilot.press("enter")
        await until(lambda: bool(pilot.app.screen.query(CurvePane)))
        await settled(pilot)
        send(pilot, PRESS, 60, 15)
        await until(lambda: pilot.app.mouse_captured is not None)
        send(pilot, CLICK, *place_of(pilot, "3 Traces"))
        await until(lambda: pilot.app.current_mode == "traces", "the tab that was clicked")


async def test_the_mouse_does_nothing_while_the_app_ends(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        pilot.app.exit()
        send(pilot, PRESS + DRAG + RELEASE, 10, 10, 20)
    assert pilot.app._exception is None


# Double clicks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later_s", "cells_away", "is_meant"),
    [(0.05, 0, False), (0.39, 1, False), (0.5, 0, True), (0.05, 4, True)],
)
@pytest.mark.parametrize("closed", ["toast", "palette"])
async def test_the_second_half_of_a_double_click_does_nothing_to_what_is_below(
    demo: Store, closed: str, later_s: float, cells_away: int, is_meant: bool
) -> None:
    async with opened(demo, "resnet50-cosine", tab="metrics") as pilot:
        await pilot.press("enter")
        await until(lambda: bool(pilot.app.screen.query(CurvePane)))
        await settled(pilot)
        chart = pilot.app.screen.query_one(CurvePane)
        before = chart.crosshair
        if closed == "toast":
            pilot.app.notify("a message")
            await until(lambda: "a message" in screen_text(pilot))
            column, line = place_of(pilot, "a message")
        else:
            await pilot.press("ctrl+p", *"follow")
            await until(lambda: "Follow what is written" in screen_text(pilot))
            column, line = place_of(pilot, "is written")
        await settled(pilot)
        send(pilot, CLICK, column, line, at_s=100.0)
        await until(lambda: not re.search("a message|what is written", screen_text(pilot)))
        await settled(pilot)
        assert chart.crosshair == before
        send(pilot, CLICK, column - cells_away, line, at_s=100.0 + later_s)
        await settled(pilot)
        assert (chart.crosshair != before) == is_meant


# Modals ------------------------------------------------------------------------------------------


def asked(pilot: Pilot[None]) -> tuple[ConfirmScreen, list[bool | None]]:
    """Ask something; return the question, and the answers so far."""
    answers: list[bool | None] = []
    question = ConfirmScreen("Really?")
    pilot.app.push_screen(question, answers.append)
    return question, answers


async def test_a_question_answered_twice_is_answered_once_and_takes_nothing_below_away(
    demo: Store,
) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        _below, unanswered = asked(pilot)
        question, answers = asked(pilot)
        await settled(pilot)
        question.dismiss(True)
        question.dismiss(False)
        await settled(pilot)
        assert (answers, unanswered) == ([True], [])
        assert "Really?" in screen_text(pilot)


@pytest.mark.parametrize("above", [ColumnsScreen, CommandsScreen])
async def test_a_question_that_is_done_waits_for_what_is_above_it(
    demo: Store, above: type[ColumnsScreen | CommandsScreen]
) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        question, answers = asked(pilot)
        is_palette = above is CommandsScreen
        shown = (
            CommandsScreen([]) if is_palette else ColumnsScreen("Columns", [Choice("a", "a")], [])
        )
        pilot.app.push_screen(shown)
        await settled(pilot)
        question.dismiss(True)
        await settled(pilot)
        assert pilot.app.screen is shown
        assert answers == []
        await pilot.press("escape")
        await settled(pilot)
        assert answers == [True]
        assert pilot.app.screen_stack == [pilot.app.screen]


async def test_nobody_waits_for_a_question_that_was_taken_away(demo: Store) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        waits = pilot.app.run_worker(pilot.app.push_screen_wait(ConfirmScreen("Really?")))
        await until(lambda: len(pilot.app.screen_stack) == 2)
        # As all tabs are when another run is opened.
        await pilot.app.switch_mode("runs")
        await pilot.app.remove_mode("overview")
        await until(lambda: waits.is_finished, "the end of who waited")
        assert waits.state is WorkerState.CANCELLED


async def test_a_question_that_is_answered_while_the_app_closes_takes_no_answer(
    demo: Store,
) -> None:
    async with opened(demo, "resnet50-cosine") as pilot:
        question, answers = asked(pilot)
        await settled(pilot)
        # When the app closes, its screens are removed one by one, and leave the stack at the end.
        await pilot.app._prune(question)
        question.dismiss(True)
        assert answers == []

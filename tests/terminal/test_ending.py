"""However it ends, it ends at once and leaves the terminal as it was."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from flowtui.store import checks
from tests.terminal.conftest import Start
from tests.terminal.terminal import Terminal
from tests.terminal.whole import assert_whole
from tests.unit.cli.test_cli_endless import make_store, without_end

AT_MOST_S = 5.0
"""A second, and what a busy machine adds."""


def opened(start: Start) -> Terminal:
    terminal = start("resnet50-cosine")
    terminal.wait_for("val/loss")
    terminal.settle()
    return terminal


@pytest.mark.parametrize("key", ["q", "\x03"], ids=["q", "ctrl-c"])
def test_a_key_leaves(start: Start, key: str) -> None:
    terminal = opened(start)
    terminal.send(key)
    assert terminal.wait_exit(AT_MOST_S) == 0
    assert_whole(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it(start: Start, number: signal.Signals) -> None:
    terminal = opened(start)
    terminal.signal(number)
    assert terminal.wait_exit(AT_MOST_S) == 128 + number
    assert_whole(terminal)


def test_a_signal_during_the_start_ends_it(start: Start) -> None:
    terminal = start("resnet50-cosine")
    terminal.wait_until(lambda: b"\x1b[?1049h" in terminal.raw)
    terminal.signal(signal.SIGTERM)
    terminal.wait_exit(AT_MOST_S)
    assert terminal.attributes() == terminal.attributes_before


def test_a_terminal_that_goes_away_ends_it(start: Start) -> None:
    terminal = opened(start)
    terminal.hang_up()
    # Python makes it 120 where there is nothing left to flush its output to.
    assert terminal.wait_exit(AT_MOST_S) in (128 + signal.SIGHUP, 120)


@pytest.mark.usefixtures("active_run")
def test_a_terminal_that_goes_away_while_the_run_is_active_ends_it(start: Start) -> None:
    terminal = start("llama-lora-sft")
    terminal.wait_for("● live")
    terminal.hang_up()
    # Python makes it 120 where there is nothing left to flush its output to.
    assert terminal.wait_exit(AT_MOST_S) in (128 + signal.SIGHUP, 120)


def test_a_terminal_that_takes_no_bytes_does_not_keep_it(start: Start) -> None:
    terminal = opened(start)
    terminal.stop_reading()
    for key in "?\x1b" * 40:
        terminal.send(key)
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_exit(AT_MOST_S) == 128 + signal.SIGTERM


@pytest.mark.parametrize("key", ["q", "\x03"], ids=["q", "ctrl-c"])
def test_a_list_without_end_does_not_keep_it(start: Start, tmp_path: Path, key: str) -> None:
    without_end(make_store(tmp_path / "store") / "meta.db", "experiments")
    terminal = start(store=tmp_path / "store")
    terminal.wait_for("reading…")
    terminal.send(key)
    # Before the reading is given up.
    assert terminal.wait_exit(checks.READ_S - 1) == 0
    assert_whole(terminal)


@pytest.mark.parametrize("keys", ["?", "/", "2", "\x1b"], ids=["keys", "filter", "tab", "runs"])
def test_ctrl_c_leaves_from_everywhere(start: Start, keys: str) -> None:
    terminal = opened(start)
    terminal.send(keys)
    terminal.settle()
    terminal.send("\x03")
    assert terminal.wait_exit(AT_MOST_S) == 0
    assert_whole(terminal)


@pytest.mark.parametrize("term", ["xterm-256color", "vt100"])
def test_without_another_screen_to_come_back_to_the_prompt_is_below_all(
    start: Start, term: str
) -> None:
    terminal = start("resnet50-cosine", TERM=term, lines=24, columns=80)
    terminal.wait_for("val/loss")
    terminal.settle()
    last_line = terminal.screen.display[-1]
    terminal.send("q")
    assert terminal.wait_exit(AT_MOST_S) == 0
    # What pyte draws is what such a terminal draws: it has no other screen.
    screen = terminal.screen
    assert screen.display[-2] == last_line
    # It does not know how the keyboard is given back, and draws the last letter of that.
    assert screen.display[-1].rstrip() in ("", "u")
    assert screen.cursor.y == 23

"""Over a slow link: what is shown, typed and sent is the same as anywhere else, only later."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.terminal.answers import DEVICE, GROUND
from tests.terminal.conftest import Start
from tests.terminal.slow_link import FAST, SLOW, Link, SlowTerminal, waiting_input
from tests.terminal.terminal import Terminal
from tests.terminal.whole import assert_whole

pytestmark = pytest.mark.slow

RUN = "support-agent-v3"
AT_MOST_S = 5.0
PATIENCE_S = 30.0
FAR = Link(0.2, 100_000_000)
"""Late, but wide."""
RGB = b"38;2;"
SSH = "192.0.2.1 50000 192.0.2.2 22"
DOWN, ESC, ENTER, TAB = "\x1b[B", "\x1b", "\r", "\t"
WALK = (
    # A metric in full, the prompt of a filter.
    ("2", "pass_rate"),
    (ENTER, " step "),
    (ESC, "Fold"),
    ("/", "regular"),
    ("rate", "pass_rate"),
    (ESC, "total_usd"),
    # A trace, the form of an annotation, the keys.
    ("3", "support.work"),
    (DOWN, "support-agent"),
    (ENTER, "▾ ★"),
    ("a", "Rationale"),
    (ESC, "▾ ★"),
    ("?", "in the focused pane"),
    (ESC, "▾ ★"),
    (ESC, "support.work"),
    # A sample, an attachment and its preview.
    ("4", "faithfulness"),
    (ENTER, "sample 1 of 460"),
    (ESC, "faithfulness"),
    ("5", "Attachments"),
    (TAB, "Attachments"),
    (ESC, "Attachments"),
    # The list of runs, and back.
    (ESC, "resnet50-cosine"),
    (ENTER, "Parameters"),
)
"""Keys, and a word of what they show."""


def begun(terminal: Terminal) -> Terminal:
    """Wait until the terminal is the app's: keys are read, and next to nothing is drawn."""
    terminal.wait_until(lambda: b"\x1b[?1049h" in terminal.raw)
    return terminal


def left(terminal: Terminal) -> None:
    """Leave, and check that nothing is left behind."""
    terminal.send("\x03")
    assert terminal.wait_exit(PATIENCE_S) == 0
    assert_whole(terminal)
    assert waiting_input(terminal) == 0


def test_every_screen_is_the_same_and_takes_as_many_bytes(start: Start, tmp_path: Path) -> None:
    here = start(RUN, link=FAST, columns=80, lines=24)
    there = start(RUN, link=SLOW, columns=80, lines=24, FLOW_TUI_STATE=str(tmp_path / "state"))
    for keys, word in (("", "pass_rate"), *WALK):
        here.send(keys)
        there.send(keys)
        here.wait_for(word)
        there.wait_for(word)
        there.wait_for(lambda text: text == here.text)
    there.settle()
    # What comes in parts on one of them may come as a whole on the other.
    assert there.byte_count <= 1.2 * here.byte_count
    assert there.bytes_during(1.5) == 0, "nothing happens"
    left(there)


@pytest.mark.parametrize("tab", ["overview", "metrics"])
def test_a_prompt_opened_at_once_has_only_what_was_typed(start: Start, tab: str) -> None:
    terminal = begun(start(RUN, "--tab", tab, link=FAR))
    # What somebody else has asked for comes late, and in the middle.
    terminal.send(f"/lo{GROUND.decode()}{DEVICE.decode()}")
    terminal.send("ss")
    terminal.wait_for(lambda text: " / loss " in text)
    left(terminal)


def test_leaving_at_once_leaves_no_answer_to_the_shell(start: Start) -> None:
    left(begun(start(RUN, link=FAR)))


def test_keys_typed_ahead_lead_where_they_lead_one_by_one(start: Start, tmp_path: Path) -> None:
    keys = ["3", DOWN, ENTER, "a", *"tone", TAB, ESC, "y", "?", ESC, ESC]
    keys += ["4", "/", *"order", ENTER, DOWN, ENTER]
    ahead = begun(start(RUN, link=SLOW, FLOW_TUI_STATE=str(tmp_path / "state")))
    ahead.send("".join(keys))
    one_by_one = start(RUN, link=FAST)
    one_by_one.wait_for("Parameters")
    for key in keys:
        one_by_one.send(key)
        one_by_one.settle(0.3)
    ahead.wait_for(lambda text: text == one_by_one.text, PATIENCE_S)
    left(ahead)


def test_nothing_is_lost_when_the_link_is_stuck_for_seconds(start: Start) -> None:
    whole = start(RUN, "--tab", "traces", link=FAST)
    whole.wait_for("support.work")
    whole.settle()
    terminal = start(RUN, "--tab", "traces", link=SLOW)
    assert isinstance(terminal, SlowTerminal)
    terminal.wait_for(lambda text: text == whole.text)
    for keys in ((DOWN, ENTER, ESC), ("2", ESC, ENTER), ("3", DOWN, DOWN)):
        # In the middle of what the last key brings, and with Esc and the next key in one piece.
        before = terminal.byte_count
        terminal.send("1")
        terminal.wait_until(lambda before=before: terminal.byte_count > before)
        terminal.get_stuck(1.2)
        for key in ("3", *keys):
            terminal.send(key)
            whole.send(key)
            whole.settle(0.3)
        assert not any("\ufffd" in line for line in terminal.screen.display)
    terminal.wait_for(lambda text: text == whole.text, PATIENCE_S)
    left(terminal)


def test_a_size_that_changes_while_it_loads_and_draws_is_the_size_in_the_end(start: Start) -> None:
    there = start(RUN, "--tab", "traces", link=FAST, columns=100, lines=30)
    there.wait_for("support.work")
    there.settle()
    terminal = begun(start(RUN, "--tab", "traces", link=SLOW))
    terminal.resize(80, 24)
    terminal.wait_for("support.work")
    terminal.resize(150, 45)
    before = terminal.byte_count
    terminal.wait_until(lambda: terminal.byte_count > before + 500)
    terminal.resize(100, 30)
    terminal.wait_for(lambda text: text == there.text, PATIENCE_S)
    left(terminal)


@pytest.mark.usefixtures("active_run")
def test_a_link_that_is_slow_has_its_clock_drawn_more_seldom(start: Start) -> None:
    run = ("llama-lora-sft",)
    fast = start(*run, link=FAST, SSH_CONNECTION=SSH)
    far = start(*run, link=FAR, SSH_CONNECTION=SSH)
    said = start(*run, "--slow", link=FAST)
    for terminal in (fast, far, said):
        terminal.wait_for("● live")
    # The link is measured a second after the start.
    far.wait_until(lambda: far.raw.count(b"\x1b[?2026$p") == 2)
    before = {terminal: terminal.byte_count for terminal in (fast, far, said)}
    fast.bytes_during(6.5)
    ticks = {terminal: terminal.byte_count - before[terminal] for terminal in before}
    assert 0 < ticks[far] < 0.67 * ticks[fast], ticks
    assert 0 < ticks[said] < 0.67 * ticks[fast], ticks
    # What is said to be slow has sixteen colours too.
    assert RGB in fast.raw
    assert RGB not in said.raw


def test_a_cursor_in_a_field_does_not_blink_over_ssh(start: Start) -> None:
    terminal = start(RUN, link=FAST, SSH_CONNECTION=SSH)
    terminal.wait_until(lambda: terminal.raw.count(b"\x1b[?2026$p") == 2)
    terminal.send("/x")
    terminal.wait_for("/ x")
    terminal.settle(0.3)
    assert terminal.bytes_during(1.5) == 0


def wait_for_rest(terminal: Terminal) -> None:
    """Wait until the program has done what it was asked for, whatever of it is under way still."""
    deadline = time.monotonic() + PATIENCE_S
    used_s = -1.0
    while (now_s := terminal.cpu_s()) != used_s:
        assert time.monotonic() < deadline, "it goes on computing"
        used_s = now_s
        time.sleep(0.15)


def test_leaving_does_not_wait_for_what_is_still_to_be_drawn(start: Start) -> None:
    terminals = {key: start(RUN, link=Link(0.05, 16_000)) for key in ("q", "\x03")}
    for terminal in terminals.values():
        terminal.wait_for("Parameters")
    # Far more than the link takes in a while; each is drawn before the next key comes.
    for tab in "23" * 8:
        for terminal in terminals.values():
            terminal.send(tab)
        time.sleep(0.1)
    for terminal in terminals.values():
        wait_for_rest(terminal)
    sent_at = time.monotonic()
    for key, terminal in terminals.items():
        terminal.send(key)
    for terminal in terminals.values():
        # What the kernel has taken by now, about 20 kB, comes through all the same.
        assert terminal.wait_exit(PATIENCE_S) == 0
        assert time.monotonic() - sent_at < AT_MOST_S
        assert_whole(terminal)

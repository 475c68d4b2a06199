"""Bytes of the mouse, as fast as a hand and a link can send them."""

from __future__ import annotations

import time

import pytest

from tests.terminal.conftest import Start
from tests.terminal.whole import assert_whole

CLICK = "\x1b[<0;{0};{1}M\x1b[<0;{0};{1}m"
OVER_THE_CARD = 110
"""A column of a toast that has nothing to click on below it."""


@pytest.mark.parametrize("gap_ms", [5, 10, 20, 40])
def test_a_double_click_on_a_toast_only_closes_it(start: Start, gap_ms: int) -> None:
    terminal = start("resnet50-cosine")
    terminal.wait_for("val/loss")
    terminal.settle()
    for _ in range(3):
        terminal.send("y")
        terminal.wait_for("clipboard")
        lines = enumerate(terminal.screen.display, start=1)
        click = CLICK.format(OVER_THE_CARD, next(line for line, text in lines if "▌" in text))
        terminal.send(click)
        # Not a wait for something: so much is between the clicks of a hand.
        time.sleep(gap_ms / 1000)
        terminal.send(click)
        terminal.wait_for(lambda text: "clipboard" not in text)
    terminal.send("q")
    assert terminal.wait_exit() == 0
    assert_whole(terminal)

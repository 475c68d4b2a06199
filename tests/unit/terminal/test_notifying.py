"""Notices of the desktop: what is sent to which terminal, and that no text breaks out of it."""

from __future__ import annotations

import re

import pytest

from flowtui.terminal.notifying import notice
from flowtui.terminal.session import session


@pytest.mark.parametrize(
    ("environment", "sent"),
    [
        ({"TERM": "xterm-kitty"}, "\a\x1b]9;run: loss, is NaN\x1b\\"),
        ({"TERM": "foot"}, "\a\x1b]777;notify;run;loss, is NaN\x1b\\"),
        ({"TERM": "rxvt-unicode-256color"}, "\a\x1b]777;notify;run;loss, is NaN\x1b\\"),
        ({"TERM": "linux"}, "\a"),
        ({"TERM": ""}, "\a"),
        (
            {"TERM": "tmux-256color", "TMUX": "/tmp/x"},
            "\a\x1bPtmux;\x1b\x1b]9;run: loss, is NaN\x1b\x1b\\\x1b\\",
        ),
        ({"TERM": "screen", "STY": "1"}, "\a\x1bP\x1b]9;run: loss, is NaN\x07\x1b\\"),
    ],
)
def test_a_notice_is_in_the_words_of_its_terminal(environment: dict[str, str], sent: str) -> None:
    assert notice("run", "loss; is NaN", session(environment)) == sent


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x9c\x1b\\\a", "a\nb\x00c", "‮" * 50])
def test_no_text_of_a_store_leaves_the_notice(text: str) -> None:
    sent = notice(text, text, session({"TERM": "xterm"}))
    inside = re.fullmatch("\a\x1b]9;(.*)\x1b\\\\", sent)
    assert inside is not None
    assert all(char.isprintable() for char in inside[1])

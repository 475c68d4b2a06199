"""What characters from a terminal mean, in whatever pieces and however late they come."""

from __future__ import annotations

import pytest
from textual import events
from textual.message import Message

from flowtui.terminal import keyboard
from flowtui.terminal.keyboard import PARTIAL_TIMEOUT_S, PASTE_PAUSE_S, Keyboard

LATER = None
"""Stands for a while in which nothing comes."""


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, which goes on only when a test says so."""
    time = [1_000.0]
    monkeypatch.setattr(keyboard, "monotonic", lambda: time[0])
    return time


def name(message: Message) -> str:
    if isinstance(message, events.Key):
        return message.key
    if isinstance(message, events.Paste):
        return f"paste {message.text!r}"
    return type(message).__name__


def meant(now: list[float], *pieces: str | None, is_typing: bool = False) -> list[str]:
    """Return the names of what some pieces mean, at once or in the end."""
    read = Keyboard(lambda: is_typing)
    messages: list[Message] = []
    for piece in (*pieces, LATER):
        if piece is LATER:
            now[0] += PARTIAL_TIMEOUT_S + 0.01
        else:
            messages += read.feed(piece)
        messages += read.tick()
    return [name(message) for message in messages]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b", "escape"),
        ("\x1b1", "escape 1"),
        ("\x1bj", "escape j"),
        ("\x1b\r", "escape enter"),
        ("\x1b/ab\r", "escape slash a b enter"),
        ("\x1b\x1b", "escape escape"),
        ("\x1b\x1b[B", "escape down"),
        ("\x1b]", "escape right_square_bracket"),
        ("\x1b[", "escape left_square_bracket"),
        ("\x1b[B\x1bOAx", "down up x"),
        ("\x1b[[A", "f1"),
        ("\x1b[27u\x1b[97;1;97u", "escape a"),
        ("é漢", "é 漢"),
    ],
)
def test_keys_that_come_at_once_are_the_keys_that_were_typed(
    now: list[float], sent: str, keys: str
) -> None:
    assert meant(now, sent) == keys.split()
    assert meant(now, *sent) == keys.split()


def test_esc_acts_when_nothing_more_comes(now: list[float]) -> None:
    assert meant(now, "\x1b", LATER, "[B") == ["escape", "left_square_bracket", "B"]


def test_where_text_is_typed_alt_moves_by_words(now: list[float]) -> None:
    assert meant(now, "\x1bb\x1bf", is_typing=True) == ["ctrl+left", "ctrl+right"]
    assert meant(now, "\x1bb\x1bf") == ["escape", "b", "escape", "f"]


@pytest.mark.parametrize(
    "answer",
    ["\x1b[?62;22c", "\x1b[>1;10;0c", "\x1b[?1u", "\x1b[0n", "\x1b[1;2x", "\x1b[?12;3R",
     "\x1b]11;rgb:0000/0000/0000\x1b\\", "\x1b]10;rgb:ff/ff/ff\x07", "\x1bP>|term 1.0\x1b\\",
     "\x1bP1$r0m\x1b\\", "\x1b[9y"],
)  # fmt: skip
def test_what_nobody_here_asked_for_types_nothing(now: list[float], answer: str) -> None:
    assert meant(now, f"a{answer}b") == ["a", "b"]
    cut = len(answer) // 2 + 1
    assert meant(now, f"a{answer[:cut]}", f"{answer[cut:]}b") == ["a", "b"]


def test_an_answer_may_come_in_two_pieces(now: list[float]) -> None:
    assert meant(now, "\x1b[?2026", ";2$y") == ["TerminalSupportsSynchronizedOutput"]


def test_half_an_answer_is_forgotten_in_the_end(now: list[float]) -> None:
    assert meant(now, "\x1b[?2026", LATER, "j") == ["j"]


def test_what_is_typed_meanwhile_does_not_keep_half_an_answer_alive(now: list[float]) -> None:
    read = Keyboard(lambda: False)
    messages = [*read.feed("\x1b]11;rgb:00")]
    for _ in range(3):
        now[0] += PARTIAL_TIMEOUT_S * 0.6
        messages += [*read.feed("\x03"), *read.tick()]
    assert [name(message) for message in messages] == ["ctrl+c"]


@pytest.mark.parametrize("text", ["", "two\rlines", "\x1b[31mred\x1b[m", "\x1b", "2j", "[201~"])
def test_a_paste_is_text_whatever_is_in_it(now: list[float], text: str) -> None:
    sent = f"\x1b[200~{text}\x1b[201~"
    for cut in range(1, len(sent)):
        assert meant(now, sent[:cut], f"{sent[cut:]}j") == [f"paste {text!r}", "j"]


def test_a_paste_may_take_its_time(now: list[float]) -> None:
    pieces = ("\x1b[200~a\x1b", LATER, "[20", LATER, "1~j")
    assert meant(now, *pieces) == ["paste 'a'", "j"]


LOST = (LATER,) * (int(PASTE_PAUSE_S / PARTIAL_TIMEOUT_S) + 1)


def test_a_paste_whose_end_never_comes_does_not_take_the_keys_after_it(now: list[float]) -> None:
    assert meant(now, "\x1b[200~dd", *LOST, "j", LATER, "\x1b[B") == ["j", "down"]
    assert meant(now, "\x1b[200~dd\x1b[2", *LOST, "j") == ["j"]


def test_keys_typed_meanwhile_do_not_keep_such_a_paste_alive(now: list[float]) -> None:
    keys = [piece for _ in LOST for piece in ("k", LATER)]
    assert meant(now, "\x1b[200~dd", LATER, *keys, "j") == ["k", "k", "j"]


def test_ctrl_c_acts_although_a_paste_has_not_ended(now: list[float]) -> None:
    assert meant(now, "\x1b[200~dd", LATER, "\x03") == ["ctrl+c"]
    assert meant(now, "\x1b[200~a\x03b\x1b[201~") == ["paste 'a\\x03b'"]


def test_the_rest_of_a_paste_that_was_given_up_acts_as_no_keys(now: list[float]) -> None:
    rest = "dq" * 2_000
    assert meant(now, "\x1b[200~dd", *LOST, rest, f"{rest}\x1b[201~j") == ["j"]
    assert meant(now, "\x1b[200~dd", *LOST, "dq\x1b[201~", "j") == ["j"]


def test_a_paste_whose_beginning_was_lost_acts_as_no_keys(now: list[float]) -> None:
    assert meant(now, "dq\x1b[201~j\x1b[200~a\x1b[201~") == ["j", "paste 'a'"]

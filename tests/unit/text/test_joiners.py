"""Joiners: part of what is written in Persian, Hindi and of emoji, visible everywhere else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui.format import plain, plain_lines
from flowtui.reports.escaped import csv_text
from flowtui.terminal.cell_diff import in_ascii
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents import wrapping
from flowtui.widgets.documents.blocks import Section, Text
from flowtui.widgets.documents.differences import word_diff
from flowtui.widgets.documents.layout import laid_out
from flowtui.widgets.documents.runs import Folds

ZWNJ, ZWJ = "\u200c", "\u200d"
WRITTEN = [
    f"می{ZWNJ}خواهم",  # Persian: "I want"
    f"کتاب{ZWNJ}ها",  # "books"
    f"خانه{ZWNJ}ی",  # "house of"
    f"مَ{ZWNJ}خ",  # with a vowel sign before the joiner
    f"क्{ZWNJ}ष",  # Hindi: the halant is to be seen
    f"क्{ZWJ}ष",  # the half form
    f"ශ්{ZWJ}රී ලංකා",  # Sinhala: Sri Lanka
    f"ন্{ZWJ}য",  # Bengali
    f"ᠮ{ZWNJ}ᠣ",  # Mongolian
    f"ܒ{ZWNJ}ܒ",  # Syriac
]
EMOJI = [
    f"👩{ZWJ}🔬",
    f"👩🏽{ZWJ}🔬",
    f"👨{ZWJ}👩{ZWJ}👧{ZWJ}👦",
    f"🏳{ZWJ}🌈",
    f"❤{ZWJ}🔥",
    f"🧔{ZWJ}♂",
    f"🐈{ZWJ}⬛",
    f"🙂{ZWJ}↔",
    f"👩{ZWJ}⚕",
    f"🏃🏾{ZWJ}♀{ZWJ}➡",
]


@pytest.mark.parametrize("text", [*WRITTEN, *EMOJI])
def test_a_joiner_that_a_script_or_an_emoji_needs_is_shown_as_itself(text: str) -> None:
    assert plain(text) == text
    assert plain_lines(text) == [text]
    assert wrapping.plain_wrapped(text, 80) == [text]
    assert csv_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"pass{ZWNJ}word", "pass‹ZWNJ›word"),
        (f"pass{ZWJ}word", "pass‹ZWJ›word"),
        (f"{ZWJ}a", "‹ZWJ›a"),
        (f"a{ZWNJ}", "a‹ZWNJ›"),
        (f"می{ZWNJ}", "می‹ZWNJ›"),
        (f"د{ZWNJ}ا", "د‹ZWNJ›ا"),  # dal joins to nothing after it
        (f"می{ZWNJ}{ZWNJ}خ", "می‹ZWNJ›‹ZWNJ›خ"),
        (f"می{ZWJ}خ", "می‹ZWJ›خ"),
        (f"👩{ZWJ}x", "👩‹ZWJ›x"),
        (f"x{ZWJ}👩", "x‹ZWJ›👩"),
        (f"👩{ZWJ}{ZWJ}🔬", "👩‹ZWJ›‹ZWJ›🔬"),
        (f"👩{ZWNJ}🔬", "👩‹ZWNJ›🔬"),
        (f"\ue000{ZWJ}\ue000", "\ue000‹ZWJ›\ue000"),
        (f"می{ZWNJ}\u202eخ", "می‹ZWNJ›‹RLO›خ"),
        (f"漢{ZWJ}字", "漢‹ZWJ›字"),
    ],
)
def test_a_joiner_that_nothing_needs_is_made_visible(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert wrapping.plain_wrapped(text, 80) == [shown]
    assert csv_text(text) == shown


def test_an_emoji_with_a_look_selector_stays_one_emoji() -> None:
    assert plain("❤\ufe0f\u200d🔥") == f"❤{ZWJ}🔥"


@given(st.text(st.sampled_from(f"{ZWNJ}{ZWJ}aدخ क्\u0301👩🏽❤\ufe0f\u202e"), max_size=12))
def test_what_came_through_once_comes_through_again_as_it_is(text: str) -> None:
    shown = plain(text)
    assert plain(shown) == shown


@given(st.text(st.sampled_from(f"{ZWNJ}{ZWJ}abcدخ क्👩🏽❤"), max_size=40), st.integers(4, 12))
def test_wrapped_lines_are_as_wide_as_asked_and_lose_no_character(text: str, width: int) -> None:
    lines = wrapping.plain_wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == plain(text).replace(" ", "")


@given(st.lists(st.sampled_from([*WRITTEN, *EMOJI, "a", "漢"]), max_size=5).map("".join))
def test_an_ascii_stand_in_is_as_wide_as_what_it_stands_for(text: str) -> None:
    assert cell_len(in_ascii(text)) == cell_len(text)


def test_a_difference_keeps_joined_characters_together() -> None:
    found = word_diff(f"a 👩{ZWJ}🔬 می{ZWNJ}خواهم", f"a 👩{ZWJ}🚀 می{ZWNJ}شود")
    assert [run.text for run in found if run.text.strip()] == [
        "a ", f"👩{ZWJ}🚀 می{ZWNJ}شود", f"👩{ZWJ}🔬 می{ZWNJ}خواهم",
    ]  # fmt: skip


def test_stretches_keep_their_roles_beside_joiners() -> None:
    pieces = (Piece(f"می{ZWNJ}", "muted"), Piece("خواهم", "error"), Piece(f"x{ZWJ}y", "ok"))
    text = Text("".join(piece.text for piece in pieces), pieces=pieces)
    layout = laid_out([Section("s", "", (text,))], 40, Folds())
    line = layout.at(0)[0].line(0)[1:]
    assert [tuple(piece) for piece in line] == [
        (f"می{ZWNJ}", "muted"), ("خواهم", "error"), ("x‹ZWJ›y", "ok"),
    ]  # fmt: skip


@given(st.characters(), st.characters())
def test_no_joiner_passes_between_latin_letters(before: str, after: str) -> None:
    name = unicodedata.name(before, "")
    if name.startswith("LATIN"):
        assert ZWNJ not in plain(f"{before}{ZWNJ}{after}")
        assert ZWJ not in plain(f"{before}{ZWJ}{after}")

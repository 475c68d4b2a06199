"""`plain`, the only door for text out of a store: nothing that comes through has any power."""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowtui.format import plain, plain_lines, plain_text

POWERLESS = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])
STAND_IN_LENGTH = len("‹U+E0041›") + 1
"""The longest that one character becomes."""

dangerous = st.sampled_from(
    [
        "\x1b[2J", "\x1b]52;c;eA==\x07", "\x9b2J", "\x9d0;t\x9c", "\x00", "\x07", "\x7f", "\r",
        "\n", "\t", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\u2029",
        "\ufe0f", "\U000e0041", "\U000e007f", "\ud800", "\udc9b", "\udcff", "e" + "\u0301" * 40,
        "\u20e3" * 9, "\ufff9", "\u061c", "\u180e", "\U000f0000", "\u3000", "\u00a0", "漢", "👩‍🔬",
    ]
)  # fmt: skip
anything = st.one_of(
    st.text(st.characters(exclude_categories=[])),
    st.lists(st.one_of(dangerous, st.text(max_size=4)), max_size=12).map("".join),
)


def categories(text: str) -> set[str]:
    """Return the categories of all characters but joiners, of which `test_joiners` tells."""
    return {unicodedata.category(char) for char in text if char not in "\u200c\u200d"}


@given(anything)
@example("\x1b\x9b\u202e\ud800\u2028")
def test_nothing_that_comes_through_has_any_power(text: str) -> None:
    assert not categories(plain(text)) & POWERLESS


@given(st.integers(0, 0x10FFFF))
@example(0x9B)
@example(0xE0020)
def test_no_character_comes_through_with_power(code: int) -> None:
    shown = plain(chr(code))
    assert not categories(shown) & POWERLESS
    assert len(shown) <= STAND_IN_LENGTH


@given(anything, st.integers(0, 30))
def test_length_is_bounded_by_the_limit(text: str, limit: int) -> None:
    shown = plain(text, limit)
    more = f"… {len(text) - limit:,} more" if len(text) > limit else ""
    assert shown.endswith(more)
    assert len(shown) <= limit * STAND_IN_LENGTH + len(more)


@given(st.text(string.printable[:95], max_size=200))
def test_printable_ascii_comes_through_as_it_is(text: str) -> None:
    assert plain(text) == text


@given(anything)
def test_what_came_through_once_comes_through_again_as_it_is(text: str) -> None:
    shown = plain(text, 10_000)
    assert plain(shown, 100_000) == shown


@given(anything)
def test_it_can_be_written_as_utf8(text: str) -> None:
    assert plain(text).encode("utf-8").decode("utf-8") == plain(text)


def test_no_letter_carries_a_pile_of_marks() -> None:
    assert plain("e" + "\u0301" * 40) == "e\u0301\u0301\u0301‹37 marks›"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\r", "a→b↵c␍"),
        ("\x1b[31m", "␛[31m"),
        ("\x9b", "‹U+009B›"),
        ("\x7f", "␡"),
        ("user\u202etxt.exe", "user‹RLO›txt.exe"),
        ("\udcff", "‹FF›"),
        ("\ud83d", "‹D83D›"),
        ("\U000e0041", "‹U+E0041›"),
        ("a\u00a0b", "a b"),
        ("❤\ufe0f", "❤"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_what_is_replaced_can_be_told(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_cut_says_how_much_is_missing() -> None:
    assert plain("x" * 3_001, 1_000) == "x" * 1_000 + "… 2,001 more"
    assert plain("x" * 1_000, 1_000) == "x" * 1_000


@given(anything, st.integers(0, 60))
def test_lines_have_no_power_and_are_bounded(text: str, limit: int) -> None:
    lines = plain_lines(text, limit)
    assert lines
    assert not categories("".join(lines)) & POWERLESS
    assert len(lines) <= limit + 2
    tabs = 4 * text.count("\t")
    assert sum(map(len, lines)) <= (limit + tabs) * STAND_IN_LENGTH + 40


def test_lines_end_where_they_end_in_any_file() -> None:
    assert plain_lines("a\r\nb\n\nc") == ["a", "b", "", "c"]
    assert plain_lines("") == [""]


def test_tabs_in_lines_stand_at_every_fourth_column() -> None:
    assert plain_lines("a\tb") == ["a   b"]


def test_tabs_that_widen_a_text_take_nothing_from_its_end() -> None:
    assert plain_lines("\tx", 2) == ["    x"]
    assert plain_text("a\n\t\t\tif x:") == "a\n            if x:"


def test_lines_say_how_much_is_missing() -> None:
    assert plain_lines("ab\ncdef", 4) == ["ab", "c", "… 3 more characters"]

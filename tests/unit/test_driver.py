"""What goes over the wire, against what Textual would have sent, on a terminal's screen."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui.driver import PLAIN, Look, Thrift, changed, in_ascii, transition

COLUMNS, LINES = 24, 6
RESET = "\x1b[0m"

# Codes that pyte's cells tell apart; dim (2) ends with bold, so it is among them.
ATTRIBUTES = [1, 2, 3, 4, 5, 7, 9]
COLORS = [
    *(f"{base + index}" for base in (30, 90) for index in (0, 1, 7)),
    "38;5;208",
    "38;2;1;2;3",
    "38;2;10;200;30",
]


def as_background(color: str) -> str:
    code, _, rest = color.partition(";")
    return f"{int(code) + 10}{';' if rest else ''}{rest}"


codes = st.builds(
    lambda attributes, foreground, background: [
        *(str(code) for code in sorted(attributes)),
        *foreground,
        *map(as_background, background),
    ],
    st.frozensets(st.sampled_from(ATTRIBUTES)),
    st.lists(st.sampled_from(COLORS), max_size=1),
    st.lists(st.sampled_from(COLORS), max_size=1),
)
words = st.text(st.sampled_from("abc é─▆漢 "), min_size=1, max_size=5)


def styled(look: list[str], text: str) -> str:
    """Return text as Rich renders it: the whole look before it, a reset after it."""
    return f"\x1b[{';'.join(look)}m{text}{RESET}" if look else text


moves = st.builds(
    lambda row, column: f"\x1b[{row};{column}H",
    st.integers(1, LINES),
    st.integers(1, COLUMNS),
)
erasures = st.sampled_from(["\x1b[2J", "\x1b[K", "\x1b[1K"])
rich_writes = st.one_of(st.builds(styled, codes, words), moves, erasures)
endings = st.sampled_from(["0", "", "22", "23", "24", "25", "27", "29", "39", "49"])
loose_sequences = st.one_of(
    codes.filter(bool).map(lambda look: f"\x1b[{';'.join(look)}m"),
    endings.map(lambda code: f"\x1b[{code}m"),
    st.builds(lambda end, look: f"\x1b[{';'.join([end, *look])}m", endings, codes),
)
loose_writes = st.one_of(loose_sequences, words, moves, erasures)


def cells(sent: str) -> list[list[tuple[object, ...]]]:
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.Stream(screen).feed(sent)
    return [[tuple(screen.buffer[y][x]) for x in range(COLUMNS)] for y in range(LINES)]


@given(st.lists(rich_writes, max_size=12))
def test_what_rich_writes_looks_the_same_and_takes_no_more_bytes(written: list[str]) -> None:
    thrift = Thrift()
    sent = "".join(map(thrift.filter, written))
    assert cells(sent) == cells("".join(written))
    assert len(sent) <= len("".join(written))


@given(st.lists(loose_writes, max_size=12))
def test_any_sequence_of_looks_ends_in_the_same_cells(written: list[str]) -> None:
    thrift = Thrift()
    assert cells("".join(map(thrift.filter, written))) == cells("".join(written))


@given(st.lists(st.one_of(loose_writes, rich_writes), max_size=12))
def test_where_a_write_is_cut_makes_no_difference(written: list[str]) -> None:
    thrift = Thrift()
    assert "".join(map(thrift.filter, written)) == Thrift().filter("".join(written))


@given(codes, codes)
def test_a_transition_is_never_longer_than_a_reset_and_the_whole_look(
    before: list[str], after: list[str]
) -> None:
    old, new = changed(PLAIN, ";".join(before)), changed(PLAIN, ";".join(after))
    assert len(transition(old, new)) <= len(f"\x1b[{';'.join(['0', *after])}m")


def test_the_same_look_twice_is_sent_once() -> None:
    thrift = Thrift()
    sent = thrift.filter(styled(["1", "31"], "a") + styled(["1", "31"], "b"))
    assert sent == "\x1b[1;31mab"


def test_a_look_that_shows_on_nothing_is_not_sent() -> None:
    assert Thrift().filter("\x1b[31m\x1b[1m\x1b[0m") == ""


def test_bold_stays_where_dim_ends() -> None:
    thrift = Thrift()
    sent = thrift.filter("\x1b[1;2mab\x1b[22;1mc")
    assert sent == "\x1b[1;2mab\x1b[22;1mc"


def test_a_reset_forgets_the_look() -> None:
    thrift = Thrift()
    thrift.filter("\x1b[31mred")
    assert thrift.reset() == RESET
    assert thrift.filter("as the terminal has it") == "as the terminal has it"


@pytest.mark.parametrize(
    ("codes", "look"),
    [
        ("", PLAIN),
        ("0", PLAIN),
        ("1;38;2;1;2;3;48;5;9;4", Look(frozenset({1, 4}), "38;2;1;2;3", "48;5;9")),
        ("4:3;31", Look(frozenset({4}), "31")),
        ("38:2::1:2:3;1", Look(frozenset({1}), "38:2::1:2:3")),
        ("48:5:7;4", Look(frozenset({4}), "", "48:5:7")),
        ("97;107", Look(frozenset(), "97", "107")),
        ("1;31;39;22", PLAIN),
    ],
)
def test_sgr_codes_are_read(codes: str, look: Look) -> None:
    assert changed(PLAIN, codes) == look


printable = st.text(
    st.one_of(
        st.sampled_from("─│▆█✓✗●…·↑漢字é👍👩🇬🇧ﷺ"),
        st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Zl", "Zp"]),
    )
)


@given(printable)
def test_ascii_stand_ins_are_ascii_and_as_wide_cell_by_cell(text: str) -> None:
    shown = in_ascii(text)
    assert shown.isascii()
    assert len(shown) == sum(map(cell_len, text))


@given(st.lists(rich_writes, max_size=12))
def test_without_utf8_only_ascii_is_sent_and_every_look_stays_in_its_place(
    written: list[str],
) -> None:
    thrift = Thrift(is_utf8=False)
    sent = "".join(map(thrift.filter, written))
    assert sent.isascii()
    here, there = cells(sent), cells("".join(written))
    assert [[cell[1:] for cell in row] for row in here] == [
        [cell[1:] for cell in row] for row in there
    ]


def test_frames_and_bars_have_stand_ins_that_look_like_them() -> None:
    assert in_ascii("┌─┐│▁▃█") == "+-+|_.#"
    assert in_ascii("漢") == "??"

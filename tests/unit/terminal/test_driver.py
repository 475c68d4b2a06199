"""What goes over the wire, against what Textual would have sent, on a terminal's screen."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.messages import InBandWindowResize
from wcwidth import wcwidth

from flowtui.terminal.cell_diff import PLAIN, CellDiff, SgrStyle, changed, in_ascii, transition
from flowtui.terminal.driver import DiffDriver
from flowtui.terminal.link_speed import QUERY
from flowtui.terminal.placeholders import QUERY as PLACEHOLDERS_QUERY

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
words = st.text(st.sampled_from("ab é─▆漢"), min_size=1, max_size=5)


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
line_feeds = st.builds(lambda row: f"\x1b[{row};3H\n", st.integers(1, LINES - 1))


# Four of three wide characters each are as wide as the screen.
parts = st.builds(styled, codes, st.text(st.sampled_from("ab é─▆漢"), min_size=1, max_size=3))


def frame(top: int, lines: list[list[str]]) -> str:
    """Return lines as Textual paints them: from the left, none wider than the screen."""
    return f"\x1b[{top};1H" + "\n".join(map("".join, lines))


frames = st.builds(
    frame,
    st.integers(1, 3),
    st.lists(st.lists(parts, max_size=4), min_size=1, max_size=4),
)
loose_writes = st.one_of(loose_sequences, words, moves, line_feeds, erasures)


def thrift(is_utf8: bool = True) -> CellDiff:
    return CellDiff(lambda: (COLUMNS, LINES), is_utf8)


def seen(sent: str) -> list[list[tuple[object, ...]]]:
    """Return what every cell shows, on a terminal that is set up as Textual does it."""
    screen = pyte.Screen(COLUMNS, LINES)
    # Lines are not wrapped, and the tty puts a CR before every LF.
    screen.reset_mode(pyte.modes.DECAWM)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(sent)
    return [[look(screen.buffer[y][x]) for x in range(COLUMNS)] for y in range(LINES)]


def look(char: Any) -> tuple[object, ...]:
    """Return what one cell shows: of a blank only its ground, and lines in the text's colour."""
    if char.data.isspace():
        if not (char.underscore or char.strikethrough or char.reverse or char.blink):
            char = char._replace(fg="default")
        char = char._replace(bold=False, italics=False)
    return tuple(char)


@given(st.lists(st.one_of(rich_writes, loose_writes), max_size=16))
def test_every_cell_shows_the_same(written: list[str]) -> None:
    assert seen("".join(map(thrift().filter, written))) == seen("".join(written))


@given(st.lists(frames, max_size=4))
def test_frames_look_the_same_and_take_at_most_a_movement_a_line_more(written: list[str]) -> None:
    filtered = thrift()
    sent = "".join(map(filtered.filter, written))
    assert seen(sent) == seen("".join(written))
    assert len(sent) <= len("".join(written)) + len(written) * LINES * len("\x1b[1;24H")


@given(frames)
def test_a_frame_that_is_there_already_is_not_sent_again(frame: str) -> None:
    filtered = thrift()
    filtered.filter(frame)
    assert len(filtered.filter(frame)) <= len("\x1b[1;24H")


def test_after_a_change_of_size_everything_is_sent_again() -> None:
    size = (COLUMNS, LINES)
    filtered = CellDiff(lambda: size)
    assert filtered.filter("\x1b[1;1Hthe same") == "\x1b[1;1Hthe same"
    size = (COLUMNS + 1, LINES)
    assert filtered.filter("\x1b[1;1Hthe same") == "\x1b[1;1Hthe same"


@pytest.mark.parametrize("sequence", ["\x1b[2J", "\x1b[?1049h", "\x1b[?1049l", "\x1b[!p", "\x1bc"])
def test_after_what_may_change_the_screen_everything_is_sent_again(sequence: str) -> None:
    filtered = thrift()
    filtered.filter("\x1b[1;1Hthe same")
    assert filtered.filter(f"{sequence}\x1b[1;1Hthe same").endswith("\x1b[1;1Hthe same")


def test_only_the_cells_that_differ_are_sent() -> None:
    filtered = thrift()
    filtered.filter("\x1b[1;1Hloss 0.4812 down\x1b[2;1Hlr 0.1")
    assert filtered.filter("\x1b[1;1Hloss 0.4799 down\x1b[2;1Hlr 0.1") == ("\x1b[1;9H799\x1b[2;7H")


def test_few_cells_between_two_that_differ_are_sent_again_and_many_are_stepped_over() -> None:
    filtered = thrift()
    filtered.filter("\x1b[1;1Haxbxxxxxxc")
    assert filtered.filter("\x1b[1;1HAxBxxxxxxC") == "\x1b[1;1HAxB\x1b[6CC"


def test_what_shows_on_no_cell_goes_through_as_it_is() -> None:
    unseen = (
        "\x1b[?2026h\x1b[?25l\x1b[?1002h\x1b[?2026$p\x1b[>25u\x1b]52;c;eA==\x07\x1b]22;default\x07"
    )
    filtered = thrift()
    filtered.filter("\x1b[1;1Hthe same\x1b[1;1H")
    assert filtered.filter(f"{unseen}\x1b[1;1Hthe same\x1b[1;1H") == unseen


# Characters of unsure width -----------------------------------------------------------------------

SURE = "ab é─▆漢"
UNSURE = [
    "👍",
    "👩\u200d🔬",
    "🇬🇧",
    "e\u0301\u0302",
    "❤\ufe0f",
    "क्षि",
    "\u1100\u1161\u11a8",
    "𝐀",
    "1\u20e3",
]
KINDS_OF_WIDTH: dict[str, Callable[[str], int]] = {
    "as Textual": wcwidth,
    "pictures narrow": lambda char: min(wcwidth(char), 2 if char in SURE else 1),
    "pictures wide, marks in cells of their own": lambda char: (
        wcwidth(char) if char in SURE or char.isascii() else 2 if wcwidth(char) else 1
    ),
    "all narrow, marks in cells of their own": lambda char: wcwidth(char) if char in SURE else 1,
}
"""How wide terminals draw a character."""


lines_with_unsure = st.lists(
    st.lists(
        st.tuples(codes, st.one_of(st.text(SURE, min_size=1, max_size=3),
                                   st.sampled_from(UNSURE))),
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip
updates = st.tuples(st.integers(1, 3), st.integers(1, 8), lines_with_unsure)


@pytest.mark.parametrize("kind", KINDS_OF_WIDTH)
@settings(max_examples=60)
@given(written=st.lists(updates, min_size=1, max_size=4))
def test_characters_of_unsure_width_cost_their_own_cells_at_most(
    kind: str, written: list[tuple[int, int, list[list[tuple[list[str], str]]]]]
) -> None:
    filtered = thrift()
    sent, expected = [], [[None] * COLUMNS for _ in range(LINES)]
    for top, left, lines in written:
        moved = []
        for number, parts in enumerate(lines):
            line, column = top - 1 + number, left - 1
            moved.append(f"\x1b[{line + 1};{left}H")
            for look_of_part, text in parts:
                if column + cell_len(text) > COLUMNS:
                    break
                moved.append(styled(look_of_part, text))
                put(expected[line], column, text, look_of_part)
                column += cell_len(text)
        sent.append(filtered.filter("".join(moved)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pyte.screens, "wcwidth", KINDS_OF_WIDTH[kind])
        shown = seen("".join(sent))
    for shown_line, expected_line in zip(shown, expected, strict=True):
        for cell, wanted in zip(shown_line, expected_line, strict=True):
            assert wanted is None or cell == wanted


def put(cells: list[tuple[object, ...] | None], column: int, text: str, codes: list[str]) -> None:
    """Note what a text shows in its cells, None where nobody can say."""
    width = cell_len(text)
    # Of what is cut nothing is sure, on either side.
    for end in (column - 1, column + width):
        if 0 <= end < COLUMNS and cells[end] is not None and cells[end][0] in ("", "漢"):
            cells[end] = None
    if text in UNSURE:
        cells[column : column + width] = [None] * width
        return
    cells[column : column + width] = shown_cells(tuple(codes), text)


@lru_cache
def shown_cells(codes: tuple[str, ...], text: str) -> list[tuple[object, ...]]:
    return seen(styled(list(codes), text))[0][: cell_len(text)]


@pytest.mark.parametrize("unsure", UNSURE)
def test_a_line_with_characters_of_unsure_width_is_not_sent_again(unsure: str) -> None:
    filtered = thrift()
    line = f"\x1b[2;1Ha {unsure} z\n\nbelow\x1b[1;1H"
    filtered.filter(line)
    assert filtered.filter(line) == ""


def test_a_change_beside_a_character_of_unsure_width_costs_only_that() -> None:
    filtered = thrift()
    filtered.filter("\x1b[1;1Ha 🚀 1\nbelow\x1b[1;1H")
    assert filtered.filter("\x1b[1;1Ha 🚀 2\nbelow\x1b[1;1H") == "\x1b[5C2\x1b[1;1H"


def test_a_character_of_unsure_width_that_changes_is_sent_with_what_it_may_have_covered() -> None:
    filtered = thrift()
    filtered.filter("\x1b[1;1H👩\u200d🔬 abcd\nbelow\x1b[1;1H")
    assert filtered.filter("\x1b[1;1H👩\u200d🚀") == ("  \x1b[2D👩\u200d🚀\x1b[1;3H ab\x1b[1;3H")


def test_a_mark_at_the_start_of_a_text_is_not_drawn_twice_onto_what_is_before_it() -> None:
    filtered = thrift()
    written = f"\x1b[1;1H{styled(['31'], 'ae')}\u0301 b"
    once, twice = filtered.filter(written), filtered.filter(written)
    assert seen(once + twice) == seen(once)


@given(codes, codes)
def test_a_transition_is_never_longer_than_a_reset_and_the_whole_look(
    before: list[str], after: list[str]
) -> None:
    old, new = changed(PLAIN, ";".join(before)), changed(PLAIN, ";".join(after))
    assert len(transition(old, new)) <= len(f"\x1b[{';'.join(['0', *after])}m")


@given(st.lists(frames, max_size=3), st.lists(frames, min_size=1, max_size=3))
def test_after_frames_that_were_skipped_the_next_whole_one_looks_the_same(
    drawn: list[str], skipped: list[str]
) -> None:
    filtered = thrift()
    last = frame(1, [["x" * COLUMNS]] * LINES)
    sent = [*map(filtered.filter, drawn), *map(filtered.skip, skipped), filtered.filter(last)]
    assert "".join(map(thrift().skip, skipped)) == ""
    assert seen("".join(sent)) == seen("".join([*drawn, last]))


def test_of_what_is_skipped_only_what_shows_on_no_cell_is_sent() -> None:
    filtered = thrift()
    filtered.filter("\x1b[1;1Hseen\x1b[1;1H")
    assert filtered.skip("\x1b[?1002h\x1b[31m\x1b[2;1Hnot seen\x1b[0m\x1b]52;c;eA==\x07") == (
        "\x1b[?1002h\x1b]52;c;eA==\x07"
    )
    assert filtered.filter("\x1b[1;1Hseen\x1b[2;1Hplain") == "\nplain"


def test_the_same_look_twice_is_sent_once() -> None:
    sent = thrift().filter(styled(["1", "31"], "a") + styled(["1", "31"], "b"))
    assert sent == "\x1b[1;31mab"


def test_a_look_that_shows_on_nothing_is_not_sent() -> None:
    assert thrift().filter("\x1b[31m\x1b[1m\x1b[0m") == ""


def test_bold_stays_where_dim_ends() -> None:
    written = "\x1b[1;2;38;2;1;2;3mab\x1b[22;1mc"
    assert thrift().filter(written) == written


def test_a_reset_forgets_the_look() -> None:
    filtered = thrift()
    filtered.filter("\x1b[31mred")
    assert filtered.reset() == RESET
    assert filtered.filter("as the terminal has it") == "as the terminal has it"


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("", PLAIN),
        ("0", PLAIN),
        ("1;38;2;1;2;3;48;5;9;4", SgrStyle(frozenset({1, 4}), "38;2;1;2;3", "48;5;9")),
        ("4:3;31", SgrStyle(frozenset({4}), "31")),
        ("38:2::1:2:3;1", SgrStyle(frozenset({1}), "38:2::1:2:3")),
        ("48:5:7;4", SgrStyle(frozenset({4}), "", "48:5:7")),
        ("97;107", SgrStyle(frozenset(), "97", "107")),
        ("1;31;39;22", PLAIN),
    ],
)
def test_sgr_codes_are_read(codes: str, style: SgrStyle) -> None:
    assert changed(PLAIN, codes) == style


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


@given(st.lists(frames, max_size=4))
def test_without_utf8_only_ascii_is_sent_and_every_look_stays_in_its_place(
    written: list[str],
) -> None:
    sent = "".join(map(thrift(is_utf8=False).filter, written))
    assert sent.isascii()
    here, there = seen(sent), seen("".join(written))
    assert [[cell[1:] for cell in line] for line in here] == [
        [cell[1:] for cell in line] for line in there
    ]


def test_frames_and_bars_have_stand_ins_that_look_like_them() -> None:
    assert in_ascii("┌─┐│▁▃█") == "+-+|_.#"
    assert in_ascii("▖▞▘▀▚▗▄▟") == "./''\\.-#"
    assert in_ascii("漢") == "??"


async def test_no_more_of_the_mouse_is_asked_for_where_frames_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    driver = DiffDriver(App())
    monkeypatch.setattr(driver, "_put", sent.append)
    monkeypatch.setattr(driver, "_is_clogged", lambda: True)
    driver.write("\x1b[?1003h")
    assert sent == ["\x1b[?1002h"]


async def test_a_terminal_that_never_answers_is_asked_once_and_holds_only_the_last_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    driver = DiffDriver(App())
    monkeypatch.setattr(driver, "write", sent.append)

    def waiting() -> weakref.ref[object]:
        def then() -> None:
            raise AssertionError("nothing was answered")

        driver.with_placeholders(then)
        return weakref.ref(then)

    pictures = [waiting() for _ in range(3)]
    assert sent == [PLACEHOLDERS_QUERY]
    assert [picture() is not None for picture in pictures] == [False, False, True]


# How it ends


async def test_an_answer_that_comes_while_input_ends_leaves_nothing_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    driver = DiffDriver(App())

    def answered_late(self: LinuxDriver) -> None:
        driver.process_message(InBandWindowResize(supported=True, enabled=False))

    monkeypatch.setattr(driver, "write", written.append)
    monkeypatch.setattr(LinuxDriver, "disable_input", answered_late)
    driver.stop_application_mode()
    assert "\x1b[?2048h" in written
    assert written.index("\x1b[?2048h") < written.index("\x1b[?2048l")


async def test_a_size_report_that_is_asked_for_while_input_ends_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    driver = DiffDriver(App())

    def answered_late(self: LinuxDriver) -> None:
        driver.write(QUERY)
        driver.process_message(InBandWindowResize(supported=True, enabled=False))

    monkeypatch.setattr(driver, "_put", written.append)
    monkeypatch.setattr(LinuxDriver, "disable_input", answered_late)
    driver.disable_input()
    asked_at = [index for index, data in enumerate(written) if data == QUERY]
    assert asked_at[0] < written.index("\x1b[?2048h") < asked_at[-1]
    assert len(driver._asked) == 2, "input is read until both are answered"

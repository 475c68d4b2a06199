"""Pictures in cells: what is sent, for which cells, and where it is known to work."""

from __future__ import annotations

import os
import re
import unicodedata

import pytest
from rich.cells import cell_len

from flowtui.previews.values import Part, Picture
from flowtui.terminal import placeholders
from flowtui.terminal.cell_diff import CellDiff
from flowtui.terminal.placeholders import (
    MARKS,
    PLACEHOLDER,
    PlacedPicture,
    are_likely,
    box_px,
    cells_of,
    placed,
)
from flowtui.terminal.session import session

HOME = {"TERM": "xterm-kitty", "LANG": "C.UTF-8"}
FAR = {**HOME, "SSH_CONNECTION": "1 2 3 4"}


def picture(width: int, height: int) -> Picture:
    rgb = os.urandom(width * height * 3)
    return Picture(width, height, rgb, width, height, Part("frame", 0, 1, 1, None))


def test_each_mark_takes_no_cell_and_is_never_composed() -> None:
    assert len(MARKS) == len(set(MARKS)) == 297
    assert (MARKS[0], MARKS[1], MARKS[-1]) == ("\u0305", "\u030d", "\U0001d244")
    assert {unicodedata.combining(mark) for mark in MARKS} == {230}
    assert {cell_len(f"{PLACEHOLDER}{mark}{mark}") for mark in MARKS} == {1}
    assert all(
        unicodedata.normalize("NFC", f"{PLACEHOLDER}{mark}") == f"{PLACEHOLDER}{mark}"
        for mark in MARKS
    )


@pytest.mark.parametrize(
    ("environ", "wanted", "likely"),
    [
        (HOME, None, True),
        ({**HOME, "TERM": "xterm-ghostty"}, None, True),
        ({**HOME, "TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, None, False),
        ({**HOME, "TERM": "xterm-256color", "KONSOLE_VERSION": "230800"}, None, False),
        (HOME, "kitty", True),
        (HOME, "none", False),
        (HOME, "sixel", False),
        ({**HOME, "TMUX": "x"}, "kitty", False),
        ({**HOME, "STY": "x"}, None, False),
        ({**HOME, "NVIM": "x"}, None, False),
        ({**HOME, "NO_COLOR": ""}, None, False),
        ({**HOME, "LANG": "C"}, None, False),
        (FAR, None, True),
        (FAR, "none", False),
    ],
)
def test_only_terminals_that_may_have_them_are_asked(
    environ: dict[str, str], wanted: str | None, likely: bool
) -> None:
    assert are_likely(environ, wanted, session(environ)) is likely


def test_a_picture_is_as_large_as_its_cells_and_no_larger_than_is_worth_it() -> None:
    assert box_px(40, 20, (9, 18)) == (360, 360)
    width, height = box_px(290, 100, (16, 32))
    assert width * height <= placeholders.MOST_PX
    assert width / height == pytest.approx(290 * 16 / 3_200, rel=0.01)
    width, height = box_px(100, 50, (10, 20), is_far=True)
    assert width * height <= placeholders.MOST_PX_FAR


def test_what_is_too_much_is_not_sent() -> None:
    assert placed(picture(4, 4), 298, 3) is None
    assert placed(picture(4, 4), 3, 298) is None
    assert placed(picture(500, 400), 50, 20, is_far=True) is None
    assert placed(picture(500, 400), 50, 20) is not None


def sent() -> PlacedPicture:
    made = placed(picture(300, 200), 3, 2)
    assert made is not None
    return made


def test_pieces_are_of_whole_sequences() -> None:
    made = sent()
    assert len(made.pieces) > 2
    for piece in made.pieces:
        assert re.fullmatch(r"(?:\x1b_G[^;\x1b]*;[^\x1b]{1,4096}\x1b\\)+", piece)
    red, green, blue = made.colour
    assert red << 16 | green << 8 | blue == made.number


def test_cells_are_told_from_other_text() -> None:
    made = sent()
    line = made.cell(0, 0) + made.cell(0, 1)
    assert cells_of(line) == [made.cell(0, 0), made.cell(0, 1)]
    assert cells_of(line + "x") is None
    assert cells_of(PLACEHOLDER + line) is None


def test_the_diff_sends_pictures_as_they_are_and_their_cells_once() -> None:
    made, diff = sent(), CellDiff(lambda: (20, 5))
    assert diff.filter("\x1b[1;1Hab") == "\x1b[1;1Hab"
    for piece in (*made.pieces, made.breaking_off, made.removal):
        assert diff.filter(piece) == piece
        assert diff.skip(piece) == piece
    # It still knows what is on the screen.
    assert diff.filter("\x1b[1;1Hab") == ""
    cells = [made.cell(1, column) for column in range(3)]
    drawn = diff.filter(f"\x1b[2;1H\x1b[38;2;1;2;3m{''.join(cells)}\x1b[0m")
    assert "".join(cells) in drawn
    assert diff.filter(f"\x1b[2;1H\x1b[38;2;1;2;3m{''.join(cells)}\x1b[0m") == ""
    other = f"{cells[0]}{made.cell(0, 0)}{cells[2]}"
    assert made.cell(0, 0) in (part := diff.filter(f"\x1b[2;1H\x1b[38;2;1;2;3m{other}"))
    assert cells[0] not in part
    assert cells[2] not in part
    assert "x" in diff.filter("\x1b[2;2Hx")
    # Beyond the edge nothing is known any more.
    wide = "".join(made.cell(0, column) for column in range(25))
    assert wide in diff.filter(f"\x1b[1;1H{wide}")
    assert diff.filter("\x1b[1;1Hab") != ""

"""Widths are reckoned with what terminals that go by wcwidth take, so that no letter is lost."""

from __future__ import annotations

import unicodedata

import pyte
import pytest
from rich.cells import cell_len, chop_cells, set_cell_size
from wcwidth import wcwidth

from flowtui.cell_widths import count_spacing_marks
from flowtui.terminal.cell_diff import CellDiff

HINDI = "नमस्ते दुनिया यह एक परीक्षण है"
COLUMNS = 60
WRITTEN = [
    HINDI,
    "தமிழ் மொழி சோதனை",  # Tamil
    "বাংলা ভাষার পরীক্ষা",  # Bengali
    "മലയാളം പരീക്ഷ",  # Malayalam
    "ဒါက စမ်းသပ်မှုပါ",  # Burmese
    "នេះជាការសាកល្បង",  # Khmer
    "ආයුබෝවන් ලෝකය",  # Sinhala
]


@pytest.fixture(autouse=True)
def _counted() -> None:
    count_spacing_marks()


def by_wcwidth(char: str) -> int:
    """Return the width of a character alone, as the C library and tmux have it.

    Python's wcwidth is newer, and takes every mark for one that is drawn into its letter.
    """
    return 1 if unicodedata.category(char) == "Mc" else wcwidth(char)


class Screen(pyte.Screen):
    """A terminal that gives each character its own width; Pyte's own stops at Indic marks."""

    def draw(self, data: str) -> None:
        for char in data:
            width = by_wcwidth(char)
            at = self.cursor.x if width else self.cursor.x - 1
            cell = self.buffer[self.cursor.y][at]
            written = char if width else cell.data + char
            self.buffer[self.cursor.y][at] = cell._replace(data=written)
            self.cursor.x += width


def shown(sent: str) -> str:
    screen = Screen(COLUMNS, 2)
    pyte.Stream(screen).feed(sent)
    return "".join(screen.buffer[0][column].data for column in range(COLUMNS)).rstrip()


@pytest.mark.parametrize("text", WRITTEN)
def test_no_letter_is_lost_where_marks_have_cells_of_their_own(text: str) -> None:
    filtered = CellDiff(lambda: (COLUMNS, 2))
    # As Textual draws it: the text, and blanks to the end of the line.
    line = f"\x1b[1;1H{text}{' ' * (COLUMNS - cell_len(text))}"
    assert shown(filtered.filter(line)) == text


@pytest.mark.parametrize("text", WRITTEN)
def test_a_text_is_as_wide_as_its_characters_one_by_one(text: str) -> None:
    assert cell_len(text) == sum(map(by_wcwidth, text))


def test_texts_are_cut_and_parted_in_the_same_widths() -> None:
    assert set_cell_size("दुनिया", 3) == "दुनि"
    assert "".join(chop_cells(HINDI, 7)) == HINDI
    assert all(cell_len(part) <= 7 for part in chop_cells(HINDI, 7))


@pytest.mark.parametrize("text", ["é", "e\u0301", "漢字", "─▆…", "👍", "ا\u064b", "กำ", "\u0301"])
def test_all_else_is_as_wide_as_before(text: str) -> None:
    assert cell_len(text) == sum(map(wcwidth, text))

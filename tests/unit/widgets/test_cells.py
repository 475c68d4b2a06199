"""Text in cells: wide characters take two, combining ones none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui.widgets.cells import Piece, clipped, fit, justified, width_of, wrapped

TEXT = st.text(st.sampled_from("ab 日本é-\u0301"), max_size=40)


@given(TEXT, st.integers(1, 30))
def test_fitted_text_has_exactly_its_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit(text, width, "right")) == width


def test_cut_text_says_so() -> None:
    assert fit("resnet50", 6) == "resne…"
    assert fit("日本語", 4) == "日 …"


@given(TEXT, st.integers(-3, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cell_len(line) <= max(width, 2) for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_words_stay_whole_where_they_fit() -> None:
    assert wrapped("ner  résumé-日本  größe-XL  production", 24) == [
        "ner  résumé-日本",
        "größe-XL  production",
    ]
    assert wrapped("", 10) == [""]


@given(st.lists(st.builds(Piece, TEXT), max_size=5), st.integers(0, 40))
def test_clipped_lines_fit(pieces: list[Piece], width: int) -> None:
    assert width_of(clipped(pieces, width)) <= width


def test_the_right_part_of_a_line_gives_way() -> None:
    left, right = [Piece("name")], [Piece("path")]
    assert width_of(justified(left, right, 20)) == 20
    assert justified(left, right, 8) == left


def test_blanks_that_are_cut_are_no_loss() -> None:
    assert clipped([Piece("ab"), Piece("   ")], 3) == [Piece("ab"), Piece(" ")]
    assert clipped([Piece("ab"), Piece("cd")], 3) == [Piece("ab"), Piece("…")]

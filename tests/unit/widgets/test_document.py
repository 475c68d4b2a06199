"""Documents: what their sections become as lines, and where a text is found in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.widgets.cells import Piece, width_of
from flowtui.widgets.documents.blocks import (
    Fact,
    Facts,
    Link,
    Section,
    Text,
    Turn,
    Values,
    Words,
    copied,
)
from flowtui.widgets.documents.layout import laid_out
from flowtui.widgets.documents.runs import SHOWN_CHARS, SHOWN_ITEMS, Folds, RunLayout
from flowtui.widgets.documents.search import line_of, matches, pattern_of
from flowtui.widgets.documents.wrapping import plain_lines, plain_wrapped

HOSTILE = "\x1b[31mred\x07\u202eevil\u200b e\u0301\u0301\u0301\u0301\u0301 \udc80 日本語 \t|\r\n"


def texts(layout: RunLayout) -> list[str]:
    """Return the lines of a layout as text."""
    lines = []
    for index in range(layout.line_count):
        run, at = layout.at(index)
        lines.append("".join(piece.text for piece in run.line(at)).rstrip())
    return lines


def shown(*blocks: object, width: int = 60, folds: Folds | None = None) -> list[str]:
    section = Section("s", "", blocks)  # type: ignore[arg-type]  # as the caller chose
    return texts(laid_out([section], width, folds or Folds()))


def test_sections_stand_apart_by_one_blank_line_and_fold() -> None:
    sections = [
        Section("a", "", (Text("top"),)),
        Section("b", "Facts", (Facts((Fact("a", "1"), Fact("long", "2"))),), "2"),
        Section("c", "Folded", (Text("hidden"),), is_folded=True),
    ]
    assert texts(laid_out(sections, 40, Folds())) == [
        " top",
        "",
        " ▾ Facts   2",
        "   a     1",
        "   long  2",
        "",
        " ▸ Folded",
    ]
    folds = Folds({("b",): False, ("c",): True})
    lines = texts(laid_out(sections, 40, folds))
    assert lines[2:] == [" ▸ Facts   2", "", " ▾ Folded", "   hidden"]


def test_text_is_wrapped_between_words_and_keeps_its_own_lines_and_indents() -> None:
    assert plain_wrapped("one two three\n\n    four\n", 8) == [
        "one two",
        "three",
        "",
        "    four",
        "",
    ]
    assert plain_wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert plain_wrapped("a\tb\r\nc", 20) == ["a   b", "c"]
    assert plain_wrapped("日本語の text", 5) == ["日本", "語の", "text"]
    assert plain_wrapped("", 20) == [""]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters() | st.sampled_from(HOSTILE), max_size=300), st.integers(2, 40))
def test_no_line_is_wider_than_it_may_be_and_nothing_but_blanks_is_lost(
    text: str, width: int
) -> None:
    lines = plain_wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert all(line == fmt.plain(line, 10_000) for line in lines)
    solid = "".join(lines).replace(" ", "")
    assert solid == "".join(plain_lines(text)).replace(" ", "")


def test_a_line_is_plain_as_everywhere() -> None:
    assert plain_lines(HOSTILE)[0] == fmt.plain(HOSTILE.expandtabs(4).rstrip("\r\n"))


def test_a_long_text_grows_tenfold_and_says_what_is_left() -> None:
    text = "x" * 30_000
    lines = shown(Text(text))
    assert lines[-1] == " … 28,000 more characters   Enter shows more"
    lines = shown(Text(text), folds=Folds(shown={("s", 0): 10 * SHOWN_CHARS}))
    assert lines[-1] == " … 10,000 more characters   Enter shows more"
    lines = shown(Text(text), folds=Folds(shown={("s", 0): 100 * SHOWN_CHARS}))
    assert sum(map(len, lines)) == 30_000 + len(lines)
    assert shown(Text(text), width=40)[-1] == " … 28,000 more characters"


def test_what_the_store_cut_is_said_where_it_ends() -> None:
    assert shown(Text("begin", full_chars=9)) == [" begin", " first 5 of 9 characters"]
    lines = shown(Text("begin", source="a", full_chars=5_242_880))
    assert lines == [" begin", " first 5 of 5,242,880 characters   p opens it whole"]
    tree = Values("v", {"a": "b" * 100}, {"a": 700_000}, are_attributes=True)
    lines = shown(tree, folds=Folds({("s", "v", "a"): True}))
    assert lines[0] == " ▾ a  700,000 characters"
    assert lines[-1] == "   first 100 of 700,000 characters   p opens it whole"


def test_a_peek_shows_the_first_or_the_last_lines() -> None:
    text = "\n".join(f"line {n}" for n in range(20))
    first = shown(Text(text, peek=2))
    assert first[:2] == [" line 0", " line 1"]
    assert first[2].startswith(" … ")
    last = shown(Text(text, peek=-2))
    assert last[0].startswith(" … ")
    assert last[1:] == [" line 18", " line 19"]
    assert shown(Text("a\nb\nc", peek=2)) == [" a", " b", " c"]


def test_values_are_a_tree_with_names_in_a_column() -> None:
    tree = Values("v", {"id": 3, "deep": {"x": [1, None], "empty": {}}, "text": "two\nlines"})
    assert shown(tree) == [
        "   id    3",
        " ▸ deep  {2}",
        " ▸ text  two↵lines",
    ]
    folds = Folds(
        {("s", "v", "deep"): True, ("s", "v", "deep", "x"): True, ("s", "v", "text"): True}
    )
    assert shown(tree, folds=folds) == [
        "   id       3",
        " ▾ deep     {2}",
        "   ▾ x      [2]",
        "       0    1",
        "       1    null",
        "     empty  {}",
        " ▾ text     9 characters",
        "   two",
        "   lines",
    ]
    assert shown(Values("v", {"a": 1, "b": True})) == [" a  1", " b  true"]


def test_long_texts_in_a_tree_can_stand_wrapped_beside_their_names() -> None:
    tree = Values("v", {"id": 3, "question": "one two three four"}, wraps_texts=True)
    assert shown(tree, width=22) == [" id        3", " question  one two", "           three four"]


def test_of_many_values_the_first_are_shown() -> None:
    tree = Values("v", {f"k{n}": n for n in range(SHOWN_ITEMS + 5)})
    lines = shown(tree)
    assert len(lines) == SHOWN_ITEMS + 1
    assert lines[-1] == " … 5 more values   Enter shows more"


def test_turns_stand_apart_and_links_lead_somewhere() -> None:
    turns = [
        Turn(name, (Text("said"),), note="stop", is_apart=True) for name in ("user", "assistant")
    ]
    lines = shown(*turns, Words((Piece("a"), Piece("b"))), Link("there", 7))
    assert lines == [
        " user   stop", "   said", "", " assistant   stop", "   said", " a   b", " there",
    ]  # fmt: skip
    layout = laid_out([Section("s", "", (Link("there", 7),))], 40, Folds())
    assert layout.at(0)[0].spot.target == 7


@pytest.mark.parametrize("width", [20, 44, 78])
def test_hostile_and_wide_text_overruns_no_width(width: int) -> None:
    text = (HOSTILE + "日本語" * 30) * 3
    deep: dict = {"x": text}
    for _ in range(50):
        deep = {"日本" * 20: deep, text: text}
    sections = [
        Section(
            "s",
            text,
            (
                Text(text, label=text[:12]),
                Facts((Fact(text, text), Fact("a", text))),
                Words((Piece(text[:9]), Piece("b"))),
                Turn(text, (Turn("in", (Text(text),)),), note=text),
                Values("v", deep, open_levels=60),
            ),
        )
    ]
    layout = laid_out(sections, width, Folds())
    for index in range(layout.line_count):
        run, at = layout.at(index)
        line = run.line(at)
        assert all(piece.text == fmt.plain(piece.text, 10_000) for piece in line)
        if run.is_body and not run.head:
            assert width_of(line) <= max(width, run.indent + 8)


def test_a_hundred_thousand_lines_are_one_run() -> None:
    layout = laid_out(
        [Section("s", "", (Text("x\n" * 100_000),))], 60, Folds(shown={("s", 0): 200_000})
    )
    assert layout.line_count == 100_001
    assert len(layout.runs) == 1


def test_of_five_megabytes_on_one_line_only_the_shown_part_is_laid_out() -> None:
    text = "x" * 5_000_000
    tree = Values("v", {"a": text})
    blocks = (Text(text), Text(text, peek=3), Text(text, peek=-3), Facts((Fact("a", text),)), tree)
    layout = laid_out([Section("s", "", blocks)], 60, Folds())
    assert layout.line_count < 100
    assert all(len(line) <= 60 for line in texts(layout))


def test_copying_gives_the_whole_of_a_thing() -> None:
    assert copied(Text("a\nb")) == "a\nb"
    assert copied({"a": [1, None]}) == '{\n  "a": [\n    1,\n    null\n  ]\n}'
    assert copied(True) == "true"
    said = Turn("user", (Text("one"), Values("v", {"a": 1})))
    assert copied(said) == 'one\n{\n  "a": 1\n}'
    assert copied(Section("s", "S", (said, Facts((Fact("k", "v"),))))).endswith("\n\nk\tv")


def test_a_text_is_found_in_any_case_and_in_what_is_folded() -> None:
    long = "word " * 2_000 + "Needle"
    sections = [
        Section("a", "Needles", (Text("a needle. NEEDLE"),), is_folded=True),
        Section("b", "B", (Values("v", {"needle": {"x": ["needle", 5]}, "t": long}),)),
    ]
    found = matches(sections, pattern_of("needle"))
    assert [match.key for match in found] == [
        ("a",), ("a", 0), ("a", 0), ("b", "v", "needle"), ("b", "v", "needle", "x", 0),
        ("b", "v", "t"),
    ]  # fmt: skip
    assert found[4].opens == (("b",), ("b", "v", "needle"), ("b", "v", "needle", "x"))
    assert matches(sections, pattern_of("n.edle")) == []
    assert len(matches(sections, pattern_of("5"))) == 1


def test_the_line_of_a_match_is_that_it_is_drawn_on() -> None:
    text = "\x1b\x1b\u202e " + "日本語 text " * 40 + "needle\n" + "\tend needle"
    sections = [Section("s", "", (Text(text),))]
    layout = laid_out(sections, 33, Folds())
    lines = texts(layout)
    found = [line_of(layout, match) for match in matches(sections, pattern_of("needle"))]
    assert found == [index for index, line in enumerate(lines) if "needle" in line]
    assert len(found) == 2

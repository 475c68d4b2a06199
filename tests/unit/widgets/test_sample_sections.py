"""One sample as sections: what they say, how they stand side by side, and that none overruns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.samples.values import Sample
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Link, Section, Text, Turn, copied
from flowtui.widgets.documents.layout import laid_out
from flowtui.widgets.documents.runs import SHOWN_CHARS, Folds, RunLayout
from flowtui.widgets.documents.sample_sections import (
    compared,
    judged_sections,
    sample_sections,
)
from flowtui.widgets.documents.search import line_of, matches, pattern_of
from tests.unit.widgets.test_document import HOSTILE, texts

TRACE = "a" * 32
WIDTHS = (78, 108, 120, 178)


def sample(**columns: Any) -> Sample:
    fields: dict[str, Any] = {
        "rowid": 1,
        "dataset_id": "faq",
        "id": "faq/1",
        "inputs": {"question": "what?"},
        "outputs": None,
        "refs": None,
        "scores": None,
        "metadata": None,
        "trace_ids": (),
        "annotation_count": 0,
        "created_at": datetime(2026, 6, 15, tzinfo=UTC),
        "updated_at": None,
    }
    return Sample(**(fields | columns))


def lines(shown: Sample, width: int = 78, key: str | None = None) -> list[str]:
    sections: Sequence[Section] = sample_sections(shown)
    if key is not None:
        sections = [section for section in sections if section.key == key]
    return texts(laid_out(sections, width, Folds()))


def test_the_head_names_the_sample_and_what_is_broken() -> None:
    shown = sample(
        annotation_count=2,
        problems=("scores is broken JSON at character 3",),
    )
    assert lines(shown, key="head") == [
        " faq/1",
        " faq   15 Jun 2026 00:00 UTC   ✎ 2 annotations",
        " ▲ scores is broken JSON at character 3",
    ]


def test_scores_come_with_their_reasons_errors_and_failures_first() -> None:
    shown = sample(
        scores={
            "rate": 0.5,
            "passed": False,
            "tone": "fair",
            "tone_reason": "no greeting",
            "__error__judge": "Timeout",
            "nested": {"facts": 1},
            "odd": math.nan,
        },
        metadata={
            "passed_reasoning": "11 is not 10",
            "reasons": {"rate": "half of it", "nested": "as told"},
            "explanation": "in short: wrong",
        },
    )
    assert lines(shown, key="scores") == [
        " ▾ Scores   6",
        "   ✗ judge      Timeout",
        "   passed       ✗ false",
        "                11 is not 10",
        "   rate         0.5",
        "                half of it",
        "   tone         fair",
        "                no greeting",
        "   odd          NaN",
        "   explanation  in short: wrong",
        "   nested",
        "     facts  1",
        "     as told",
    ]


def test_texts_are_compared_by_words_under_whatever_names() -> None:
    shown = sample(outputs={"response": "it is Lyon"}, refs={"expected": "it is Paris"})
    said = lines(shown, key="said")
    assert said == [
        " Inputs",
        "   question  what?",
        "",
        " Output   ≠ reference",
        "   response  it is Lyon",
        "",
        " Reference",
        "   expected  it is Paris",
        "",
        " Difference",
        "   [-only in the reference-]  {+only in the output+}",
        "   it is [-Paris-]{+Lyon+}",
    ]
    section = next(one for one in sample_sections(shown) if one.key == "said")
    layout = laid_out([section], 78, Folds())
    run, at = layout.at(layout.line_count - 1)
    assert [piece for piece in run.line(at) if piece.text.strip()] == [
        Piece("it is ", "text"),
        Piece("[-Paris-]", "error"),
        Piece("{+Lyon+}", "ok"),
    ]


def test_the_same_answer_is_told_once() -> None:
    said = lines(sample(outputs="Paris", refs=" Paris\n"), key="said")
    assert " Output   ✓ same as the reference" in said
    assert not any("Difference" in line for line in said)
    assert " Output   ✓ same as the reference" in lines(
        sample(outputs={"a": [1, None]}, refs={"a": [1.0, None]}), key="said"
    )
    assert " Output   no reference" in lines(sample(outputs="x"), key="said")


def test_data_is_compared_by_keys_with_all_of_it_folded_below() -> None:
    shown = sample(
        outputs={"city": "Lyon", "year": 987, "why": "x" * 40, "more": True, "same": [1]},
        refs={"city": "Paris", "year": 1990, "why": "y", "less": None, "same": [1]},
    )
    assert lines(shown, key="said")[3:] == [
        " Output and reference",
        "   3 of 4 shared values differ · 1 only in output · 1 only in reference",
        "   output │ reference",
        '   ≠ city     "Lyon" │ "Paris"',
        "   ≠ year     987    │ 1990",
        f'   ≠ why      "{"x" * 40}"',
        '              │ "y"',
        "   + more     true   only in the output",
        "   - less     null   only in the reference",
        "   = same[0]  1",
        "",
        " ▸ Output   all of it",
        "",
        " ▸ Reference   all of it",
    ]


def test_a_chat_reads_as_one_and_what_is_beside_it_is_kept() -> None:
    shown = sample(
        inputs={
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "5+5?"},
            ],
            "temperature": 0.2,
        },
        outputs="10",
    )
    said = lines(shown, key="said")
    assert said[:6] == [" Inputs", "   system", "     Be brief.", "", "   user", "     5+5?"]
    assert "   temperature  0.2" in said


@pytest.mark.parametrize(
    ("outputs", "refs", "expected"),
    [
        ({"response": "a"}, {"expected": "b"}, ("a", "b")),
        ({"answer": "a", "other": 1}, {"answer": "b"}, ("a", "b")),
        ({"a": 1, "b": 2}, {"c": 1, "d": 2}, ({"a": 1, "b": 2}, {"c": 1, "d": 2})),
        ("a", {"expected": "b"}, ("a", {"expected": "b"})),
    ],
)
def test_what_is_compared_is_what_the_view_of_differences_compares(
    outputs: Any, refs: Any, expected: tuple[Any, Any]
) -> None:
    assert compared(sample(outputs=outputs, refs=refs)) == expected


def test_links_lead_to_the_traces() -> None:
    section = next(one for one in sample_sections(sample(trace_ids=(TRACE,))) if one.title)
    (link,) = section.blocks
    assert isinstance(link, Link)
    assert link.target == SpanTarget(TRACE, "")


def test_wide_documents_have_columns_of_which_the_first_gives_way() -> None:
    shown = sample(outputs="one " * 30, refs="two " * 30)
    narrow, two, three = (lines(shown, width, "said") for width in (78, 110, 178))
    assert [line for line in narrow if "Output" in line] == [" Output   ≠ reference"]
    (heads,) = (line for line in two if "Output" in line)
    assert heads.split() == ["Output", "≠", "reference", "Reference"]
    assert two[0] == " Inputs"
    assert three[0].split() == ["Inputs", "Output", "≠", "reference", "Reference"]


# Columns and marked texts as blocks ------------------------------------------------------------


def columns(*blocks: Turn) -> list[Section]:
    return [Section("s", "", (Text("above"), Turn("", blocks, are_beside=True)))]


def lines_found(layout: RunLayout, sections: list[Section], needle: str) -> list[str]:
    found = [line_of(layout, match) for match in matches(sections, pattern_of(needle))]
    shown = texts(layout)
    return [shown[line] for line in found if line is not None]


def test_what_is_in_a_column_can_be_found_and_grown() -> None:
    long = "left word " * 400
    sections = columns(
        Turn("L", (Text(long),)),
        Turn(
            "R",
            (
                Text("right only"),
                Text(long),
            ),
        ),
    )
    folds = Folds()
    layout = laid_out(sections, 110, folds)
    assert len(lines_found(layout, sections, "right only")) == 1
    assert "right only" in lines_found(layout, sections, "right only")[0]
    growing = [run.spot for run in layout.runs if run.spot.grows_to is not None]
    assert len({spot.key for spot in growing}) == 2
    for spot in growing:
        assert spot.grows_to is not None
        folds.shown[spot.key] = spot.grows_to
    grown = laid_out(sections, 110, folds)
    assert grown.line_count > layout.line_count
    assert not any(run.spot.grows_to for run in grown.runs)
    assert len(lines_found(grown, sections, "left word")) == 800


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(st.characters() | st.sampled_from(HOSTILE), max_size=200), min_size=1, max_size=3
    ),
    st.integers(20, 190),
)
def test_columns_lose_nothing_and_never_overrun(parts: list[str], width: int) -> None:
    sections = columns(*(Turn(f"c{n}", (Text(part),)) for n, part in enumerate(parts)))
    layout = laid_out(sections, width, Folds())
    shown = texts(layout)
    assert all(cell_len(line) <= width for line in shown)
    expected = laid_out(sections, 20, Folds())
    alone = "".join("".join(texts(expected)).split())
    assert sorted("".join("".join(shown).split())) == sorted(alone)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=40), st.sampled_from(["text", "ok", "error"]))),
    st.integers(20, 60),
)
def test_marked_texts_are_their_text_in_roles(parts: list[tuple[str, Any]], width: int) -> None:
    pieces = tuple(Piece(text, role) for text, role in parts if text)
    whole = "".join(piece.text for piece in pieces)
    marked = laid_out([Section("s", "", (Text(whole, pieces=pieces),))], width, Folds())
    plain = laid_out([Section("s", "", (Text(whole),))], width, Folds())
    assert texts(marked) == texts(plain)


def test_a_long_marked_text_shows_its_first_part() -> None:
    pieces = (Piece("same " * 500), Piece("{+new+}" * 500, "ok"))
    block = Text("".join(piece.text for piece in pieces), pieces=pieces)
    layout = laid_out([Section("s", "", (block,))], 78, Folds())
    assert f"… {len(block.text) - SHOWN_CHARS:,} more characters" in texts(layout)[-1]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.sampled_from(HOSTILE + "ab日")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "messages", "role", "content", HOSTILE]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(json_values, json_values, json_values, json_values, json_values)
def test_any_sample_is_plain_lines_within_the_width(
    inputs: Any, outputs: Any, refs: Any, scores: Any, metadata: Any
) -> None:
    shown = sample(
        id=HOSTILE,
        dataset_id="日本" * 50,
        inputs=inputs,
        outputs=outputs,
        refs=refs,
        scores=scores,
        metadata=metadata,
        trace_ids=(HOSTILE,),
    )
    sections = sample_sections(shown)
    assert len({section.key for section in sections}) == len(sections)
    for width in WIDTHS:
        layout = laid_out(sections, width, Folds())
        for line in texts(layout):
            assert line == fmt.plain(line, 10_000)
            assert cell_len(line) <= width


@pytest.mark.parametrize(
    ("outputs", "refs"),
    [
        ({"answer": "yes"}, {"answer": "no"}),
        ({"answer": "yes"}, {"answer": "yes"}),
        ({"answer": "yes"}, None),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}),
    ],
)
def test_what_is_judged_comes_first_and_what_others_said_is_folded(outputs: Any, refs: Any) -> None:
    made = sample(inputs={"q": "why"}, outputs=outputs, refs=refs, scores={"ok": True},
                  metadata={"lang": "en"})  # fmt: skip
    said, *rest = judged_sections(made)
    text = copied(said)
    assert said.key == "said"
    assert text.index("why") > min(text.index(word) for word in ("yes", "2") if word in text)
    assert [(section.key, section.is_folded) for section in rest] == [
        ("scores", True), ("metadata", True),
    ]  # fmt: skip
    # Nothing is left out that the sample itself shows.
    assert {section.key for section in sample_sections(made)} - {"head"} == {
        "said", "scores", "metadata",
    }  # fmt: skip

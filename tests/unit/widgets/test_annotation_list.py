"""Annotations as lines, and the list that shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from flowtui.store.annotations.values import (
    Added,
    Annotation,
    AnnotationKind,
    Deleted,
    Edited,
    SpanTarget,
    Value,
    raw_text,
    type_of,
)
from flowtui.widgets.lists.annotation_lines import (
    annotation_lines,
    details,
    summary,
    value_piece,
    what_it_did,
)
from flowtui.widgets.lists.annotation_list import AnnotationList
from flowtui.widgets.paint import ROLE_CLASSES
from tests.conftest import NOW
from tests.pilot.pilot import screen_lines, screen_text


def annotation(
    value: Value = True,
    name: str = "helpful",
    rationale: str | None = None,
    kind: str = "",
    problem: str | None = None,
    id: str = "1",
) -> Annotation:
    default = AnnotationKind.FEEDBACK if isinstance(value, bool) else AnnotationKind.EXPECTATION
    return Annotation(
        id=id,
        target=SpanTarget("t", "s"),
        name=name,
        kind=kind or default,
        value_type=type_of(value),
        value=value,
        raw_value=raw_text(value),
        user="ana",
        rationale=rationale,
        created_at=NOW - timedelta(minutes=2),
        raw_created_at="2026-06-15 09:28:00",
        problem=problem,
    )


def texts(one: Annotation, width: int = 60, is_open: bool = False) -> list[str]:
    lines = annotation_lines(one, width, NOW, is_open)
    return ["".join(piece.text for piece in line.pieces) for line in lines]


@pytest.mark.parametrize(
    ("value", "kind", "text", "role"),
    [
        (True, "feedback", "✓ true", "ok"),
        (False, "feedback", "✗ false", "error"),
        (False, "expectation", "= false", "text"),
        (4, "expectation", "= 4", "text"),
        ("four", "expectation", "= four", "text"),
        ("", "expectation", "= (empty)", "text"),
        ("a\x1bb", "expectation", "= a␛b", "text"),
    ],
)
def test_a_value_is_glyph_and_word(value: Value, kind: str, text: str, role: str) -> None:
    assert value_piece(kind, value) == (text, role)


def test_the_value_comes_first_then_name_author_and_age() -> None:
    assert texts(annotation()) == ["✓ true  helpful  ana · 2 m"]
    assert texts(annotation(4, "rating")) == ["= 4  rating  ana · 2 m"]


def test_a_text_of_several_lines_stands_under_its_name() -> None:
    assert texts(annotation("one\ntwo", "answer")) == [
        "=  answer  ana · 2 m",
        "   one",
        "   two",
    ]


def test_a_text_that_does_not_fit_beside_its_name_stands_under_it() -> None:
    assert texts(annotation("some words more", "answer"), width=30) == [
        "=  answer  ana · 2 m",
        "   some words more",
    ]


def test_a_rationale_is_wrapped_under_its_annotation() -> None:
    assert texts(annotation(rationale="cites the wrong parcel"), width=20)[1:] == [
        "   cites the wrong",
        "   parcel",
    ]


def test_a_long_rationale_says_how_much_more_there_is() -> None:
    long = annotation(rationale="x" * 1_300)
    assert texts(long, width=103)[1:] == ["   " + "x" * 100] * 3 + ["   … 1,000 more characters"]
    assert texts(long, width=103, is_open=True)[1:] == ["   " + "x" * 100] * 13
    lines = annotation(rationale="\n".join("abcdefgh"))
    assert texts(lines)[1:] == [*("   " + letter for letter in "abcde"), "   … 6 more characters"]


def test_a_problem_is_said_in_amber() -> None:
    *_, last = annotation_lines(annotation(problem="the kind is odd"), 60, NOW, False)
    assert last.pieces == [("   the kind is odd", "attention")]


def test_a_time_that_cannot_be_read_is_shown_as_it_is() -> None:
    one = annotation()._replace(created_at=None, raw_created_at="soon")
    assert texts(one) == ["✓ true  helpful  ana · soon"]


def test_changes_are_told_in_a_few_words() -> None:
    before, after = annotation(True), annotation(False)
    assert summary(before) == "✓ helpful true"
    assert what_it_did(Added(before)) == "added ✓ helpful true"
    assert what_it_did(Deleted(before)) == "deleted ✓ helpful true"
    assert what_it_did(Edited(before, after)) == "✓ helpful true became ✗ helpful false"
    assert what_it_did(Edited(before, before)) == "the edit of ✓ helpful true"
    assert details(annotation(rationale="why")) == ["✓ helpful true", "by ana", "why"]


# The list


class ListScreen(Screen[None]):
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "AnnotationList"

    def compose(self) -> ComposeResult:
        yield AnnotationList()


class ListApp(App[None]):
    """Shows one list."""

    def get_default_screen(self) -> Screen[None]:
        return ListScreen()


@asynccontextmanager
async def listed(
    annotations: Iterable[Annotation], note: str = ""
) -> AsyncIterator[tuple[Pilot[None], AnnotationList]]:
    async with ListApp().run_test(size=(60, 12)) as pilot:
        shown = pilot.app.screen.query_one(AnnotationList)
        shown.show_annotations(tuple(annotations), note)
        await pilot.pause()
        yield pilot, shown


pytestmark = pytest.mark.usefixtures("stopped_clock")


async def test_the_list_says_how_many_there_are() -> None:
    async with listed([annotation(), annotation(4, id="2")]) as (pilot, _):
        assert screen_lines(pilot)[:3] == [
            " Annotations  2",
            "▎✓ true  helpful  ana · 2 m",
            " = 4  helpful  ana · 2 m",
        ]


async def test_an_empty_list_says_what_to_do() -> None:
    async with listed([], "none yet   a annotates") as (pilot, shown):
        assert screen_lines(pilot)[:2] == [" Annotations  0", " none yet   a annotates"]
        assert shown.annotation is None
        shown.show_annotations((), "none yet   it is read-only")
        await pilot.pause()
        assert "it is read-only" in screen_text(pilot)


async def test_the_cursor_marks_an_annotation_with_all_its_lines() -> None:
    ones = [annotation(rationale="why"), annotation(False, id="2", rationale="why not")]
    async with listed(ones) as (pilot, shown):
        await pilot.press("down")
        assert shown.annotation == ones[0]
        await pilot.press("down")
        assert shown.annotation == ones[1]
        await pilot.pause()
        assert [line[0] for line in screen_lines(pilot)[1:5]] == [" ", " ", "▎", "▎"]


async def test_enter_shows_a_long_text_whole_and_folds_it_again() -> None:
    async with listed([annotation(rationale="word " * 100 + "end")]) as (pilot, shown):
        folded = shown.line_count
        assert "more characters" in screen_text(pilot)
        await pilot.press("enter", "end")
        assert "end" in screen_text(pilot)
        assert shown.line_count > folded
        await pilot.press("enter")
        assert shown.line_count == folded


async def test_enter_is_offered_for_long_texts_only() -> None:
    async with listed([annotation(rationale="short")]) as (pilot, shown):
        assert shown.check_action("choose", ()) is False
        await pilot.press("enter")
        assert shown.line_count == 2


async def test_the_cursor_stays_on_its_annotation_when_others_come() -> None:
    one, two = annotation(), annotation(False, id="2")
    async with listed([one, two]) as (pilot, shown):
        await pilot.press("down")
        shown.show_annotations((annotation(id="0"), one, two))
        assert shown.annotation == two
        shown.show_annotations((one,))
        assert shown.annotation == one


async def test_only_lines_that_differ_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ones = [annotation(), annotation(4, id="2"), annotation(False, id="3")]
    async with listed(ones) as (_, shown):
        painted: list[int] = []
        monkeypatch.setattr(shown, "refresh_index", painted.append)
        shown.show_annotations(tuple(ones))
        assert painted == []
        shown.show_annotations((ones[0], annotation(5, id="2"), ones[2]))
        assert painted == [1]


async def test_no_word_is_lost_beside_the_scroll_bar() -> None:
    words = [f"word{number:03}" for number in range(200)]
    ones = [annotation(id=str(number), rationale=" ".join(words)) for number in range(3)]
    async with listed(ones) as (pilot, shown):
        await pilot.press("enter")
        await pilot.pause()
        assert shown.show_vertical_scrollbar
        assert "…" not in "".join(screen_lines(pilot)[:10])

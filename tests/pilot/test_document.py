"""The reading pane by its keys: moving, folding, growing, searching, following."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import Screen

import flowtui.app.app
from flowtui.app import themes
from flowtui.widgets.documents.blocks import Fact, Facts, Link, Section, Text, Turn, Values
from flowtui.widgets.documents.document import Document
from flowtui.widgets.paint import ROLE_CLASSES
from tests.pilot.pilot import screen_lines, screen_text, until


class Reading(Screen[None]):
    """A screen with nothing but a document."""

    COMPONENT_CLASSES = ROLE_CLASSES

    def compose(self) -> ComposeResult:
        yield Document()


class Reader(App[None]):
    """The smallest app that a document looks right in."""

    CSS_PATH = Path(flowtui.app.app.__file__).with_name("app.tcss")

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(themes.DARK)
        self.theme = themes.DARK.name
        self.followed: list[object] = []

    def on_mount(self) -> None:
        self.push_screen(Reading())

    def on_document_followed(self, message: Document.Followed) -> None:
        self.followed.append(message.target)


SECTIONS = (
    Section("head", "", (Text("the head"),)),
    Section("said", "Said", (Turn("user", (Text("a long word\nand another"),), is_apart=True),)),
    Section(
        "values",
        "Values",
        (Values("v", {"id": 3, "deep": {"x": "needle"}}, are_attributes=True),),
        is_folded=True,
    ),
    Section("links", "Links", (Link("go there", ("t", "s")), Link("nowhere"))),
)


@asynccontextmanager
async def reading(
    sections: Sequence[Section] = SECTIONS, size: tuple[int, int] = (60, 20)
) -> AsyncIterator[tuple[Pilot[None], Document]]:
    app = Reader()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        document = app.screen.query_one(Document)
        document.focus()
        document.show("one", sections)
        await pilot.pause()
        yield pilot, document


def line_with(pilot: Pilot[None], text: str) -> int:
    """Return which line of the document, unscrolled, holds a text."""
    return next(index for index, line in enumerate(screen_lines(pilot)) if text in line)


async def test_it_shows_sections_and_enter_folds_one() -> None:
    async with reading() as (pilot, document):
        assert screen_lines(pilot)[:5] == [
            " the head", "", " ▾ Said", "   user", "     a long word",
        ]  # fmt: skip
        document.cursor = 2
        await pilot.press("enter")
        assert " ▸ Said" in screen_lines(pilot)
        assert "a long word" not in screen_text(pilot)
        await pilot.press("right")
        assert "a long word" in screen_text(pilot)


async def test_folds_stay_from_one_document_to_the_next_and_the_cursor_goes_to_the_top() -> None:
    async with reading() as (pilot, document):
        document.cursor = line_with(pilot, "Values")
        await pilot.press("enter")
        document.cursor = line_with(pilot, "deep")
        await pilot.press("enter")
        assert "needle" in screen_text(pilot)
        document.show("two", (Section("head", "", (Text("another"),)), *SECTIONS[1:]))
        await pilot.pause()
        assert document.cursor == 0
        assert "needle" in screen_text(pilot)


async def test_the_cursor_stays_on_what_it_was_on_when_the_same_grows() -> None:
    async with reading() as (pilot, document):
        document.cursor = line_with(pilot, "go there")
        more = Section("head", "", (Text("the head\nof four\nlines\nnow"),))
        document.show("one", (more, *SECTIONS[1:]))
        await pilot.pause()
        assert document.cursor == line_with(pilot, "go there")
        assert document.copy_text == "go there"


async def test_a_step_of_the_cursor_repaints_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading() as (pilot, document):
        painted: list[Region] = []
        monkeypatch.setattr(document, "refresh", lambda *regions, **_: painted.extend(regions))
        await pilot.press("down")
        assert [region.y for region in painted] == [0, 1]
        assert all(region.height == 1 for region in painted)


async def test_enter_shows_more_of_a_long_text_each_time_and_left_less() -> None:
    text = "\n".join(f"row {n}" for n in range(20_000))
    async with reading((Section("head", "", (Text(text),)),)) as (pilot, document):
        counts = [document.line_count]
        for _ in range(2):
            await pilot.press("G", "enter")
            counts.append(document.line_count)
        assert counts == sorted(set(counts))
        assert counts[-1] == 20_000
        assert document.copy_text == text
        await pilot.press("left")
        assert document.line_count == counts[0]


async def test_z_folds_all_sections_and_unfolds_them() -> None:
    async with reading() as (pilot, _):
        await pilot.press("z")
        assert screen_lines(pilot)[:7] == [
            " the head", "", " ▸ Said", "", " ▸ Values", "", " ▸ Links",
        ]  # fmt: skip
        await pilot.press("z")
        assert "▸" not in screen_text(pilot).replace("▸ deep", "")


async def test_left_goes_up_to_what_a_line_is_in() -> None:
    async with reading() as (pilot, document):
        document.cursor = line_with(pilot, "another")
        await pilot.press("left")
        assert document.cursor == line_with(pilot, "user")
        await pilot.press("left")
        assert document.cursor == line_with(pilot, "Said")


async def test_enter_on_a_link_follows_it() -> None:
    async with reading() as (pilot, document):
        document.cursor = line_with(pilot, "go there")
        await pilot.press("enter", "down", "enter")
        assert isinstance(pilot.app, Reader)
        assert pilot.app.followed == [("t", "s")]


async def test_copying_takes_the_whole_text_and_the_attribute_is_known() -> None:
    async with reading() as (pilot, document):
        document.cursor = line_with(pilot, "another")
        assert document.copy_text == "a long word\nand another"
        assert document.source is None
        document.cursor = line_with(pilot, "Values")
        await pilot.press("enter", "down", "down")
        assert document.copy_text == '{\n  "x": "needle"\n}'
        assert document.source == "deep"


async def test_a_match_in_what_is_folded_is_unfolded_and_searching_wraps() -> None:
    long = Section("long", "Long", (Text("word " * 3_000 + "NEEDLE"),), is_folded=True)
    async with reading((*SECTIONS, long)) as (pilot, document):
        assert document.find("needle") == 2
        assert document.find_next(1) == 0
        await pilot.pause()
        assert "needle" in screen_lines(pilot)[document.cursor - document.scroll_offset.y]
        assert document.find_next(1) == 1
        await pilot.pause()
        assert "NEEDLE" in screen_lines(pilot)[document.cursor - document.scroll_offset.y]
        assert document.find_next(1) == 0
        assert document.find_next(-1) == 1
        assert document.find("no such text") == 0
        assert document.find_next(1) is None


async def test_a_note_stands_where_there_is_nothing_to_show() -> None:
    async with reading() as (pilot, document):
        document.show_note("✗ the span is gone")
        await pilot.pause()
        assert screen_text(pilot).strip() == "✗ the span is gone"
        assert document.copy_text == ""
        document.show("one", SECTIONS)
        await pilot.pause()
        assert "the head" in screen_text(pilot)


async def test_another_width_wraps_anew_and_keeps_the_cursor() -> None:
    words = Section("w", "Words", (Text("some words that wrap " * 10), Facts((Fact("a", "end"),))))
    async with reading((words,), size=(80, 20)) as (pilot, document):
        document.cursor = document.line_count - 1
        await pilot.resize_terminal(40, 20)
        await until(lambda: all(len(line) <= 39 for line in screen_lines(pilot)), "the width")
        assert document.cursor == document.line_count - 1
        assert document.copy_text == "end"

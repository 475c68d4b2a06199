"""The widgets of a review: the progress, the item, its annotations, and a line to type into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Label, Rule

from flowtui import format as fmt
from flowtui.screens.review.parts import TypedLine
from flowtui.screens.review.queue import ReviewItem
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.documents.blocks import Section
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.annotation_list import AnnotationList

SAID = ("said", "messages")
"""The sections of a sample and of a span that say what went in and came out."""


class ReviewDocument(Document):
    """Shows the item. Its own keys are left out of the footer, which has the keys that answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "down,j", "move(1)", "Move", show=False, id="move.down", tooltip="To the next line"
        ),
        Binding(
            "enter",
            "choose",
            "Open",
            show=False,
            id="move.choose",
            tooltip="Open what is under the cursor",
        ),
    ]


class ReviewBody(Container):
    """Shows an item, or a text in its place; texts need not be safe."""

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="review-head")
        yield OneLine(id="review-title")
        yield Rule()
        with Container(id="review-panes"):
            yield ReviewDocument(id="review-item")
            yield AnnotationList(id="review-annotations")
        yield Label("", id="review-problem", markup=False)
        yield OneLine(id="review-state")
        yield TypedLine()

    @property
    def document(self) -> Document:
        return self.query_one(Document)

    @property
    def line(self) -> TypedLine:
        return self.query_one(TypedLine)

    @property
    def is_typing(self) -> bool:
        return any(line.is_open for line in self.query(TypedLine))

    @property
    def copy_text(self) -> str:
        """The text under the cursor of the pane with the focus."""
        focused = self.screen.focused
        return focused.copy_text if isinstance(focused, (Document, AnnotationList)) else ""

    def show_item(self, item: ReviewItem) -> None:
        """Show an item without its annotations, which the caller shows."""
        note = Piece(f"  {fmt.plain(item.note, 200)}", "muted")
        self.query_one("#review-title", OneLine).show(
            [Piece(f" {fmt.plain(item.title, 200)}", "title"), note]
        )
        self.show_problem("")
        self.query_one(AnnotationList).display = True
        self.document.show(item.target, item.sections)
        if self.screen.has_class("-short"):
            # What stands above it would be all that is in sight.
            for key in SAID:
                self.document.go_to_section(key)

    def show_instead(self, content: Sequence[Section] | str) -> None:
        """Show sections or a sentence in place of an item."""
        self.query_one("#review-title", OneLine).show([])
        self.show_problem("")
        self.query_one(AnnotationList).display = False
        if isinstance(content, str):
            self.document.show_note(content)
        else:
            self.document.show("page", content)

    def show_lines(self, head: Line, state: Line) -> None:
        """Show the line with the progress, and the line with the present answer."""
        self.query_one("#review-head", OneLine).show(head)
        self.query_one("#review-state", OneLine).show(state)

    def show_problem(self, text: str) -> None:
        """Say what could not be done; an empty text removes the message."""
        label = self.query_one("#review-problem", Label)
        label.update(fmt.plain(text, 300))
        label.display = bool(text)

    def close_line(self) -> None:
        """Close the line to type into, and focus the item."""
        self.show_problem("")
        self.line.close()
        self.document.focus()

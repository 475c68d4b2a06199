"""Two traces of compared runs: their spans side by side, and the span under the cursor in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.store.compare.aligning import ABSENT, AlignedTrees, aligned, first_parting
from flowtui.store.compare.run_set import ComparedRun
from flowtui.store.compare.span_content import differing, span_content
from flowtui.store.compare.traces import differing_sides
from flowtui.store.traces import details as span_details
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.tree import SpanTree, span_tree
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece
from flowtui.widgets.compare import letter_role
from flowtui.widgets.documents.blocks import Section, Text, Words
from flowtui.widgets.documents.document import Document
from flowtui.widgets.documents.sample_differences import text_block
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.trees.aligned_tree import AlignedLines

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

MOST_COMPARED = 2_000
"""Of how many spans it is read what they say; the others are compared by their place alone."""
SIDE_CHARS = 200_000
"""How much of one side of a span is shown."""


@dataclass(frozen=True, slots=True)
class PairWanted:
    """The traces of two runs that are to be shown, the baseline's first."""

    runs: tuple[ComparedRun, ComparedRun]
    traces: tuple[str, str]
    title: str = ""
    """What both are of, such as a sample."""


# Without a repr, since Textual makes one of a worker's arguments.
@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ReadPair:
    """Two traces as they were read."""

    wanted: PairWanted
    trees: AlignedTrees
    differing: Mapping[int, tuple[str, ...]] | None = None
    """By row: the sides on which two spans differ; None until that has been read."""
    parting: int | None = None
    """The row in which the traces part first."""


class TracePairView(Asks, Container):
    """Shows two traces. Posts `Left` when the person goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_difference(1)", "Next", id="pair.next",
                tooltip="Go to the next span that differs"),
        Binding("N", "next_difference(-1)", "Previous", show=False, id="pair.previous",
                tooltip="Go to the previous span that differs"),
        Binding("f", "parting", "First", id="pair.first",
                tooltip="Go to the first span in which the two traces part"),
        Binding("tab", "switch_pane", "Pane", id="pair.pane", key_display="Tab",
                tooltip="Switch between the tree and the span"),
        Binding("y", "copy", "Copy", id="pair.copy", tooltip="Copy what is under the cursor"),
        Binding("escape", "leave", "Back", id="pair.leave", key_display="Esc",
                tooltip="Go back to the lists"),
    ]  # fmt: skip

    @dataclass
    class Left(Message):
        """Sent by TracePairView when the person goes back."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._wanted: PairWanted | None = None
        self._pair: ReadPair | None = None

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="pair-title")
        with Horizontal(id="pair-panes"):
            yield AlignedLines(id="aligned")
            yield Document(id="pair-span")

    @property
    def _lines(self) -> AlignedLines:
        return self.query_one(AlignedLines)

    @property
    def _document(self) -> Document:
        return self.query_one(Document)

    @property
    def is_open(self) -> bool:
        return self.display and self._wanted is not None

    def open(self, wanted: PairWanted) -> None:
        """Show two traces, with the cursor where they part first."""
        self._wanted, self._pair = wanted, None
        self._lines.show_note("reading…")
        self._document.show_note("")
        self.screen.set_focus(self._lines)
        self._read()

    def read_again(self) -> None:
        """Read the traces again, because their runs have changed."""
        if self.is_open:
            self._read()

    def _read(self) -> None:
        assert self._wanted is not None
        self.ask_each(
            partial(read_pair, self._wanted), self._show, self._show_failure, group="pair"
        )

    def _show_failure(self, reason: str) -> None:
        self._lines.show_note(f"✗ {fmt.plain(reason, 300)}")

    def _show(self, pair: ReadPair) -> None:
        before, self._pair = self._pair, pair
        lines = self._lines
        letters = pair.wanted.runs[0].letter, pair.wanted.runs[1].letter
        if before is None:
            lines.show_trees(pair.trees, letters)
        elif before.trees is not pair.trees:
            held = lines.row or 0
            lines.show_trees(pair.trees, letters)
            lines.go_to(min(held, len(pair.trees) - 1))
        if pair.differing is not None:
            lines.show_differing(pair.differing)
            # A person who has moved already reads something else.
            if before is not None and before.differing is None and lines.cursor == 0:
                self.action_parting()
        self._show_title()
        self._show_span()

    def on_resize(self) -> None:
        self._show_title()

    def _show_title(self) -> None:
        if (pair := self._pair) is None or not self.size.width:
            return
        trees = pair.trees
        pieces = [Piece(f" {fmt.plain(pair.wanted.title, 60)}", "title"), Piece("  ")]
        for run, tree in zip(pair.wanted.runs, (trees.baseline, trees.candidate), strict=True):
            took = "" if tree.duration_ns is None else f" {fmt.duration(tree.duration_ns / 1e9)}"
            pieces += [
                Piece(f" {run.letter}", letter_role(run.letter)),
                Piece(f"{took} · {fmt.count(tree.span_count, 'span')} ", "muted"),
            ]
        pieces.append(Piece(f"  {_said_of(pair)}", "attention"))
        self.query_one("#pair-title", OneLine).show(pieces)

    # The span --------------------------------------------------------------------------------

    @on(VirtualList.CursorMoved, "#aligned")
    def move_cursor(self) -> None:
        self._show_span()

    def _show_span(self) -> None:
        row = self._lines.row
        if self._pair is None or row is None:
            return
        identity = (self._pair.wanted, row)
        self.ask(
            partial(read_sections, self._pair, row),
            partial(self._document.show, identity),
            lambda reason: self._document.show_note(f"✗ {fmt.plain(reason, 300)}"),
            group="pair-span",
        )

    # Actions ---------------------------------------------------------------------------------

    @on(VirtualList.Chosen, "#aligned")
    def read_on(self) -> None:
        self.screen.set_focus(self._document)

    def action_switch_pane(self) -> None:
        self.screen.set_focus(self._document if self._lines.has_focus else self._lines)

    def action_next_difference(self, by: int) -> None:
        if not self._lines.next_difference(by):
            self.notify("No span differs.", timeout=2)

    def action_parting(self) -> None:
        if self._pair is not None and self._pair.parting is not None:
            self._lines.go_to(self._pair.parting)

    def action_copy(self) -> None:
        cast("Host", self.app).copy(self._document.copy_text)

    def action_leave(self) -> None:
        if self._document.has_focus:
            self.screen.set_focus(self._lines)
            return
        self._wanted = self._pair = None
        self.post_message(self.Left())


def read_pair(wanted: PairWanted) -> Iterator[ReadPair]:
    """Yield two traces side by side, and then the same with what their spans do not agree on.

    Raises:
        DatabaseError: A run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    one, other = wanted.runs
    trees = aligned(_tree(one, wanted.traces[0]), _tree(other, wanted.traces[1]))
    pair = ReadPair(wanted, trees)
    yield pair
    rows = range(min(len(trees), MOST_COMPARED))
    sides = differing_sides(one.run, other.run, trees, rows)
    yield replace(pair, differing=sides, parting=first_parting(trees, sides))


def _tree(run: ComparedRun, trace_id: str) -> SpanTree:
    return span_tree(run.run.ask(span_rows.spans, trace_id))


def _said_of(pair: ReadPair) -> str:
    """Return in words in how many spans two traces differ."""
    if pair.differing is None:
        return "comparing…"
    trees = pair.trees
    only = [sum(at == ABSENT for at in column) for column in (trees.others, trees.ones)]
    letters = [run.letter for run in pair.wanted.runs]
    said = [f"{len(pair.differing):,} differ"] if pair.differing else []
    said += [
        f"{count:,} only in {letter}" for count, letter in zip(only, letters, strict=True) if count
    ]
    if len(trees) > MOST_COMPARED:
        said.append(f"texts of the first {MOST_COMPARED:,} compared")
    return " · ".join(said) or "the same spans, and they say the same"


def read_sections(pair: ReadPair, row: int) -> tuple[Section, ...]:
    """Return what the spans of a row say: first where they differ, then what is the same.

    Raises:
        DatabaseError: A run's database cannot be read.
    """
    trees, (one, other) = pair.trees, pair.wanted.runs
    contents = []
    for run, tree, at in (
        (one, trees.baseline, trees.ones[row]),
        (other, trees.candidate, trees.others[row]),
    ):
        detail = None
        if at != ABSENT:
            ids = tree.spans.trace_id, tree.layout.ids[at]
            detail = run.run.ask(span_details.detail, *ids)
        contents.append({} if detail is None else span_content(detail))
    first, second = contents
    letters = one.letter, other.letter
    sides = differing(first, second) if trees.is_in_both(row) else tuple(first or second)
    head = Section("head", "", (Words((Piece(fmt.plain(trees.name(row), 200), "title"),)),))
    sections = [head]
    if not trees.is_in_both(row):
        letter = letters[0] if trees.others[row] == ABSENT else letters[1]
        sections.append(Section("only", "", (Text(f"only in {letter}", letter_role(letter)),)))
        return (
            *sections,
            *(_same(side, (first or second)[side], is_folded=False) for side in sides),
        )
    if not sides:
        sections.append(Section("same", "", (Text("Both say the same.", "ok"),)))
    for side in sides:
        texts = second.get(side, "")[:SIDE_CHARS], first.get(side, "")[:SIDE_CHARS]
        sections.append(Section(side, side.capitalize(), text_block(*texts, letters[::-1])))
    same = [side for side in first if side not in sides]
    return (*sections, *(_same(side, first[side], is_folded=bool(sides)) for side in same))


def _same(side: str, text: str, *, is_folded: bool) -> Section:
    cut = len(text) if len(text) > SIDE_CHARS else None
    block = Text(text[:SIDE_CHARS], full_chars=cut)
    return Section(side, side.capitalize(), (block,), is_folded=is_folded)

"""One row of the table of facts in full: the differences, and what each run has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import (
    delta_text,
    figure_lines,
    json_value_text,
    missing_text,
    point_of,
    sameness_words,
)
from flowtui.store.compare.fact_values import FactCell, FactValue, MetricFigures, Missing
from flowtui.store.compare.facts import FactKind, FactRow, Sameness
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.values import JsonValue, Point
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Block, Fact, Facts, Section, Text, Words
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.frame import OneLine

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

TITLE_CELLS = 50
"""A longer name stands in the document too, where it is wrapped."""
SHORT_CHARS = 40
"""Two texts of at most this length are read side by side without marks."""
MAX_PATHS = 200
"""How many paths inside two large values are shown that differ."""


class FactView(Asks, Container):
    """Shows one row, and whatever it has become since."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Table", key_display="Esc", id="fact.leave",
                tooltip="Back to the table"),
        Binding("y", "copy", "Copy", id="fact.copy", tooltip="Copy the value under the cursor"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="fact.copy_row",
                tooltip="Copy what all runs have, as JSON"),
    ]  # fmt: skip

    @dataclass
    class Left(Message):
        """Sent by FactView when the table is to be shown again."""

    def __init__(self, names: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run_names = names
        self.row: FactRow | None = None
        """The row that is shown; None while the table is."""

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="fact-title")
        yield Document(id="fact-detail")

    def open(self, row: FactRow) -> None:
        """Show a row, or what it is now."""
        self.row = row
        title = [Piece(f" {row.kind}", "muted"), Piece(f"  {fmt.plain(row.name, 200)}", "title")]
        self.query_one("#fact-title", OneLine).show(title)

        def take(sections: tuple[Section, ...]) -> None:
            if self.row is row:
                self.query_one(Document).show((row.kind, row.path), sections)

        self.ask(lambda: _sections(row, self._run_names), take, group="fact")

    def show_gone(self) -> None:
        """Say that no run has the row any more."""
        self.query_one(Document).show_note("No run has this any more. Esc goes back.")

    def action_leave(self) -> None:
        self.row = None
        self.post_message(self.Left())

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    def action_copy(self) -> None:
        if text := self.query_one(Document).copy_text:
            self._flow.copy(text)

    def action_copy_row(self) -> None:
        if self.row is not None:
            copy_row(self._flow, self.row)


def copy_row(flow: Host, row: FactRow) -> None:
    """Copy what all runs have in a row, as JSON."""
    from flowtui.reports.comparison.facts import fact_documents
    from flowtui.reports.runs import dumps

    flow.copy(dumps(fact_documents([row])[0]))


def _sections(row: FactRow, names: Sequence[str]) -> tuple[Section, ...]:
    # The documents of samples bring half of the code of their tab, so they are imported here.
    from flowtui.widgets.documents.bounded_blocks import bounded_sections

    return bounded_sections(fact_sections(row, names))


def fact_sections(row: FactRow, names: Sequence[str]) -> tuple[Section, ...]:
    """Return a row as sections: how it differs first, then what each run has."""
    sections = [Section("head", "", tuple(_head(row)))]
    if row.kind is FactKind.METRICS:
        sections.append(_against_baseline(row))
    else:
        sections += _differences(row)
    for index, cell in enumerate(row.cells):
        title = f"{LETTERS[index]}  {names[index]}"
        note = missing_text(cell) if isinstance(cell, Missing) else ""
        sections.append(Section(f"run {index}", title, tuple(_whole(row, cell)), note))
    return tuple(sections)


def _head(row: FactRow) -> Iterator[Block]:
    if cell_len(row.name) > TITLE_CELLS:
        yield Text(row.name, "title")
    pieces = [
        Piece("differs" if row.sameness is Sameness.DIFFERS else sameness_words(row), "muted")
    ]
    if row.kind is FactKind.METRICS:
        said = "in which direction it is better is not known: m on its row says it"
        if row.direction is not None:
            said = f"{row.direction} is better"
        pieces.append(Piece(said, "muted"))
    if row.kind is FactKind.MODELS:
        pieces.append(Piece("the contents of models are not compared", "muted"))
    yield Words(tuple(pieces))


def _differences(row: FactRow) -> Iterator[Section]:
    one = row.cells[0]
    for index, other in enumerate(row.cells[1:], 1):
        if isinstance(one, FactValue) and isinstance(other, FactValue) and not one.is_same(other):
            blocks = tuple(_difference(one, other, LETTERS[index]))
            if blocks:
                yield Section(f"from {index}", f"A → {LETTERS[index]}", blocks)


def _difference(one: FactValue, other: FactValue, letter: str) -> Iterator[Block]:
    from flowtui.widgets.documents.sample_differences import text_block

    if not (one.is_whole and other.is_whole):
        yield Text("They differ, but only their beginnings are kept.", "attention")
        return
    before, after = one.value, other.value
    if isinstance(before, str) and isinstance(after, str):
        if max(len(before), len(after)) > SHORT_CHARS:
            yield from text_block(after, before, (letter, LETTERS[0]))
    elif isinstance(before, (dict, list)) and type(before) is type(after):
        yield from _paths(before, after)


def _paths(before: JsonValue, after: JsonValue) -> Iterator[Block]:
    from flowtui.widgets.documents.differences import MAX_KEYS, key_diff

    found = key_diff(after, before)
    differing = [one for one in found if not one.is_same]
    yield Facts(
        tuple(
            Fact(
                one.path or "value",
                f"{json_value_text(one.reference) if one.in_reference else 'absent'} → "
                f"{json_value_text(one.output) if one.in_output else 'absent'}",
            )
            for one in differing[:MAX_PATHS]
        )
    )
    if len(differing) > MAX_PATHS:
        yield Text(f"… {len(differing) - MAX_PATHS:,} more paths that differ", "muted")
    if len(found) == MAX_KEYS:
        yield Text(f"only the first {MAX_KEYS:,} paths are compared", "attention")


def _whole(row: FactRow, cell: FactCell) -> Iterator[Block]:
    if isinstance(cell, Missing):
        return
    if isinstance(cell, MetricFigures):
        yield Facts(tuple(_of_metric(row, cell)))
        return
    from flowtui.widgets.documents.conversation import value_blocks

    if cell.problem:
        yield Text(f"▲ {cell.problem}", "attention")
    if row.kind is FactKind.ABOUT and row.name == "duration" and isinstance(cell.value, float):
        yield Text(f"{fmt.duration(cell.value)}   {fmt.exact(cell.value)} s")
        return
    yield from value_blocks(f"{row.kind} {row.name}", cell.value)


def _against_baseline(row: FactRow) -> Section:
    """Return how the candidates stand to the baseline."""
    said: dict[int, list[str]] = {}
    for line in figure_lines(row):
        for index, change in enumerate(line.deltas):
            if index and (text := delta_text(change)):
                said.setdefault(index, []).append(f"{line.what} {text}")
    rows = [Fact(LETTERS[index], "   ".join(parts)) for index, parts in sorted(said.items())]
    found: Block = Facts(tuple(rows)) if rows else Text("nothing to compare", "muted")
    return Section("deltas", "Against A", (found,))


def _of_metric(row: FactRow, figures: MetricFigures) -> Iterator[Fact]:
    for what in ("last", "best", "min", "max"):
        point = point_of(row, figures, what)
        if point is not None:
            yield Fact(what, _at_step(point))
    summary = figures.summary
    if summary is None:
        yield Fact("points", "reading…", "muted")
        return
    yield Fact("points", f"{summary.count:,}")
    odd = fmt.odd_points(summary.nan_count, summary.inf_count, summary.unreadable_count)
    if odd:
        yield Fact("", f"▲ {' '.join(odd)}", "attention")


def _at_step(point: Point) -> str:
    step = point.step
    return f"{fmt.exact(point.value)} @ {f'{step:,}' if isinstance(step, int) else fmt.exact(step)}"

"""The layout of sections as lines, for one width and the present folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role, fit
from flowtui.widgets.documents.blocks import Block, Facts, Link, Section, Text, Turn, Values, Words
from flowtui.widgets.documents.column_runs import painted, side_by_side
from flowtui.widgets.documents.runs import (
    SHOWN_CHARS,
    Folds,
    Key,
    LineRun,
    RunLayout,
    Spot,
    blank,
    body,
    cut_note,
    head_of,
    room,
    tail,
)  # fmt: skip
from flowtui.widgets.documents.value_runs import ValueRuns
from flowtui.widgets.documents.wrapping import plain_wrapped

MARGIN = 1
LEVEL_CELLS = 2
WORD_GAP = 3
MAX_NAME_CHARS = 200
MAX_LABEL_SHARE = 0.4
MAX_INDENT_SHARE = 0.4
"""Labels and indents may take these shares of the width, so that texts keep room."""
MIN_COLUMN_CELLS = 52
"""The least width of one of several columns; with less room they stand one under the other."""
COLUMN_GAP = 3


def laid_out(sections: Sequence[Section], width: int, folds: Folds) -> RunLayout:
    """Return the lines of sections, with a blank line between two."""
    composer = _Composer(width, folds)
    for section in sections:
        composer.add(section)
    return RunLayout(composer.runs, composer.beside)


def value_key(parent: Key, block: Values) -> Key:
    """Return the key of a block's folds, which does not depend on its place in the section."""
    return (parent[0], block.key)


class _Composer:
    def __init__(self, width: int, folds: Folds) -> None:
        self.runs: list[LineRun] = []
        self.beside: list[tuple[int, LineRun]] = []
        self._width = width
        self._folds = folds

    def add(self, section: Section) -> None:
        key: Key = (section.key,)
        if self.runs:
            self.runs.append(blank(key))
        if not section.title:
            self._blocks(section.blocks, key, MARGIN)
            return
        is_open = self._folds.are_open.get(key, not section.is_folded)
        spot = Spot(key, section, is_open=is_open, target=section.target)
        self._heading(spot, section.title, section.role, section.note, MARGIN)
        if is_open:
            self._blocks(section.blocks, key, MARGIN + LEVEL_CELLS)

    def _heading(self, spot: Spot, name: str, role: Role, note: str, indent: int) -> None:
        mark = {None: "", True: "▾ ", False: "▸ "}[spot.is_open]
        said = fmt.plain(name, MAX_NAME_CHARS)
        head = [Piece(" " * indent + mark, "muted"), Piece(said, role)]
        beside = f"{' ' * WORD_GAP}{fmt.plain(note, MAX_NAME_CHARS)}" if note else ""
        self.runs.append(LineRun(spot, [beside], "muted", head=head))

    def _blocks(self, blocks: Sequence[Block], key: Key, indent: int) -> None:
        for index, block in enumerate(blocks):
            self._block(block, (*key, index), indent)

    def _block(self, block: Block, key: Key, indent: int) -> None:
        indent = min(indent + block.indent, int(self._width * MAX_INDENT_SHARE))
        match block:
            case Text():
                self._text(block, key, indent)
            case Words():
                self._words(block, key, indent)
            case Facts():
                self._facts(block, key, indent)
            case Values():
                place = value_key(key, block)
                self.runs += ValueRuns(block, place, indent, self._width, self._folds).runs()
            case Link():
                self._link(block, key, indent)
            case Turn():
                self._turn(block, key, indent)

    def _turn(self, turn: Turn, key: Key, indent: int) -> None:
        if turn.are_beside:
            self._columns(turn, key, indent)
            return
        is_open = True
        if turn.can_fold:
            is_open = self._folds.are_open.get(key, not turn.is_folded)
        if turn.is_apart and key[-1] != 0:
            self.runs.append(blank(key))
        spot = Spot(key, turn, is_open=is_open if turn.can_fold else None)
        self._heading(spot, turn.name, turn.role, turn.note, indent)
        if is_open:
            self._blocks(turn.blocks, key, indent + LEVEL_CELLS)

    def _columns(self, turn: Turn, key: Key, indent: int) -> None:
        if turn.name:
            self._heading(Spot(key, turn), turn.name, turn.role, turn.note, indent)
        count = min(len(turn.blocks), (self._width - indent) // MIN_COLUMN_CELLS)
        under = len(turn.blocks) - count if count > 1 else len(turn.blocks)
        self._blocks(turn.blocks[:under], key, indent)
        if under == len(turn.blocks):
            return
        if under:
            self.runs.append(blank(key))
        cells = (self._width - indent - COLUMN_GAP * (count - 1)) // count
        columns: list[list[LineRun]] = []
        for index, block in enumerate(turn.blocks[under:], under):
            composer = _Composer(cells, self._folds)
            at_top = replace(block, is_apart=False) if isinstance(block, Turn) else block
            composer._block(at_top, (*key, index), 0)
            columns.append(composer.runs)
        first = sum(len(run.lines) for run in self.runs)
        joined, parts = side_by_side(columns, cells, COLUMN_GAP, indent)
        self.runs += joined
        self.beside += [(first + line, run) for line, run in parts]

    def _words(self, words: Words, key: Key, indent: int) -> None:
        spot = Spot(key, words)
        line: list[Piece] = [Piece(" " * indent)]
        used = indent
        for piece in words.pieces:
            text = fmt.plain(piece.text)
            if cell_len(text) > self._width - indent:
                text = fit(text, self._width - indent)
            gap = WORD_GAP if len(line) > 1 else 0
            if gap and used + gap + cell_len(text) > self._width:
                self.runs.append(LineRun(spot, [""], head=line))
                line, used, gap = [Piece(" " * indent)], indent, 0
            line.append(Piece(" " * gap + text, piece.role))
            used += gap + cell_len(text)
        self.runs.append(LineRun(spot, [""], head=line))

    def _facts(self, facts: Facts, key: Key, indent: int) -> None:
        labels = [fmt.plain(row.label, MAX_NAME_CHARS) for row in facts.rows]
        longest = int((self._width - indent) * MAX_LABEL_SHARE)
        cells = min(max(map(cell_len, labels), default=0), longest)
        labels = told_apart([row.label for row in facts.rows], cells)
        for index, (label, row) in enumerate(zip(labels, facts.rows, strict=True)):
            head = [Piece(f"{' ' * indent}{fit(label, cells)}  ", "muted")]
            text = Text(row.text, row.role, source=row.source, full_chars=row.full_chars)
            self._written(text, (*key, index), indent + cells + LEVEL_CELLS, head)

    def _text(self, text: Text, key: Key, indent: int) -> None:
        if not text.label:
            self._written(text, key, indent, ())
            return
        label = f"{fmt.plain(text.label, MAX_NAME_CHARS)}  "
        head = [Piece(" " * indent + label, "muted")]
        self._written(text, key, indent + cell_len(label), head)

    def _written(self, text: Text, key: Key, indent: int, head: Line) -> None:
        shown = self._folds.shown.get(key)
        spot = Spot(key, text, text.source)
        if text.peek and shown is None and self._is_longer(text, indent):
            part = head_of if text.peek > 0 else tail
            count = abs(text.peek)
            self.runs += part(spot, text.text, count, self._width, indent, text.role, head)
            return
        limit = shown or SHOWN_CHARS
        runs = body(spot, text.text, limit, self._width, indent, text.role, head)
        self.runs += (painted(run, text.pieces, limit) for run in runs) if text.pieces else runs
        if text.full_chars is not None and limit >= len(text.text):
            self.runs.append(cut_note(spot, len(text.text), text.full_chars, indent))

    def _is_longer(self, text: Text, indent: int) -> bool:
        """Say whether more lines would be left out than the one line that says so."""
        if len(text.text) > SHOWN_CHARS:
            return True
        lines = plain_wrapped(text.text.rstrip(), room(self._width, indent))
        return len(lines) > abs(text.peek) + 1

    def _link(self, link: Link, key: Key, indent: int) -> None:
        spot = Spot(key, link, target=link.target)
        lines = plain_wrapped(link.label, room(self._width, indent))
        self.runs.append(LineRun(spot, lines, "muted" if link.target is None else "text", indent))

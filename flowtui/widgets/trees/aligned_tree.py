"""Two traces as one tree of spans, with what each of them took and where they differ."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from flowtui import format as fmt
from flowtui.store.compare.aligning import ABSENT, AlignedTrees
from flowtui.store.traces.tree import ERROR, Node, SpanTree
from flowtui.widgets.cells import Line, Piece, fit, width_of
from flowtui.widgets.compare import change_of_duration, letter_role
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.trees.span_marks import MARKS

TOOK_CELLS, CHANGE_CELLS, TOKENS_CELLS, FLAGS_CELLS = 9, 9, 15, 20
TOKENS_FROM = 90
"""From how many cells on there is a column of tokens."""
INDENT_CELLS = 2


class AlignedLines(VirtualList):
    """Shows `AlignedTrees`; Enter and the arrows fold and unfold spans that have others below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "unfold", "Fold", key_display="←→",
                id="move.right", tooltip="Unfold the span, or go to its first child"),
        Binding("left,h", "fold", "Fold", show=False,
                id="move.left", tooltip="Fold the span, or go to its parent"),
        Binding("z", "fold_all", "Fold all", show=False,
                id="pair.fold_all", tooltip="Fold everything, or unfold everything"),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._trees: AlignedTrees | None = None
        self._letters = ("A", "B")
        self._differing: Mapping[int, Sequence[str]] = {}
        self._folded: set[int] = set()
        self._shown: array[int] = array("q")
        """The rows on the lines, in ascending order."""

    # What the owner says ---------------------------------------------------------------------

    def show_trees(self, trees: AlignedTrees, letters: tuple[str, str]) -> None:
        """Show two traces, all unfolded, with the cursor on the first row."""
        self._trees, self._letters = trees, letters
        self._differing, self._folded = {}, set()
        self._lay_out(0)
        self.cursor = 0

    def show_differing(self, differing: Mapping[int, Sequence[str]]) -> None:
        """Mark the rows in which the spans do not say the same, and on which sides."""
        self._differing = differing
        self.refresh()

    def show_note(self, text: str) -> None:
        """Show a text in place of the tree: why there is none."""
        self._trees, self._shown = None, array("q")
        self.resize_content(text)

    @property
    def row(self) -> int | None:
        """The row under the cursor."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    def go_to(self, row: int) -> None:
        """Put the cursor on a row, unfolding what hides it."""
        trees = self._trees
        if trees is None:
            return
        above = {fold for fold in self._folded if fold < row <= fold + trees.below[fold]}
        if above:
            self._folded -= above
            self._lay_out(row)
        self.cursor = bisect_left(self._shown, row)

    def next_difference(self, by: int) -> bool:
        """Go to the next or previous row that differs, around the ends; say if there is one."""
        trees, here = self._trees, self.row
        if trees is None or here is None:
            return False
        rows = [row for row in range(len(trees)) if self.differs(row)]
        if not rows:
            return False
        place = bisect_right(rows, here) if by > 0 else bisect_left(rows, here) - 1
        self.go_to(rows[place % len(rows)])
        return True

    def differs(self, row: int) -> bool:
        """Say whether only one trace has a row, or its spans do not say the same."""
        assert self._trees is not None
        return row in self._differing or not self._trees.is_in_both(row)

    # Drawing ---------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._shown)

    @property
    def header_height(self) -> int:
        return 1

    def _name_cells(self, width: int) -> int:
        tokens = TOKENS_CELLS if width >= TOKENS_FROM else 0
        return max(width - 2 * TOOK_CELLS - CHANGE_CELLS - tokens - FLAGS_CELLS - 1, 8)

    def header_lines(self, width: int) -> list[Line]:
        one, other = self._letters
        pieces = [
            Piece(fit(" span", self._name_cells(width) + 1), "muted"),
            Piece(one.rjust(TOOK_CELLS), letter_role(one)),
            Piece(other.rjust(TOOK_CELLS), letter_role(other)),
            Piece("Δ".rjust(CHANGE_CELLS), "muted"),
        ]
        if width >= TOKENS_FROM:
            pieces.append(Piece("tokens".rjust(TOKENS_CELLS), "muted"))
        return [[*pieces, Piece("  differs", "muted")]]

    def line(self, index: int, width: int) -> Line:
        trees = self._trees
        assert trees is not None
        row = self._shown[index]
        one = _node(trees.baseline, trees.ones[row])
        other = _node(trees.candidate, trees.others[row])
        pieces = [
            Piece(" "),
            *self._span_name(trees, row, one or other, self._name_cells(width)),
            Piece(fit(_took(one), TOOK_CELLS, "right")),
            Piece(fit(_took(other), TOOK_CELLS, "right")),
            _change(one, other),
        ]
        if width >= TOKENS_FROM:
            pieces.append(Piece(fit(_tokens(trees, row), TOKENS_CELLS, "right"), "muted"))
        return [*pieces, Piece("  "), *self._flags(row, one, other)]

    def _span_name(
        self, trees: AlignedTrees, row: int, node: Node | None, cells: int
    ) -> list[Piece]:
        indent = min(trees.depths[row] * INDENT_CELLS, cells // 2)
        mark = "  " if not trees.below[row] else "▸ " if row in self._folded else "▾ "
        head = [Piece(" " * indent + mark, "muted")]
        if node is None or node.span is None:
            head.append(Piece("? missing parent", "attention"))
        else:
            name = fmt.plain(node.span.name, 200) or "(no name)"
            room = max(cells - width_of(head) - 2, 1)
            head += [MARKS[node.span.genai_kind], Piece(f" {fit(name, min(len(name), room))}")]
        return [*head, Piece(" " * max(cells - width_of(head), 0))]

    def _flags(self, row: int, one: Node | None, other: Node | None) -> list[Piece]:
        first, second = self._letters
        if one is None or other is None:
            letter = first if other is None else second
            failed = [Piece("✗ ", "error")] if _has_failed(one or other) else []
            return [*failed, Piece("only in ", "attention"), Piece(letter, letter_role(letter))]
        pieces: list[Piece] = []
        if _has_failed(one) != _has_failed(other):
            pieces.append(Piece("✗ → ✓ " if _has_failed(one) else "✓ → ✗ ", "error"))
        elif _has_failed(one):
            pieces.append(Piece("✗ ", "error"))
        if sides := self._differing.get(row):
            pieces.append(Piece(f"≠ {' '.join(sides)}", "attention"))
        return pieces

    # Folding ---------------------------------------------------------------------------------

    def _lay_out(self, row: int) -> None:
        """Make the lines anew, with the cursor on a row, or on the one that hides it."""
        shown: array[int] = array("q")
        at = 0
        trees = self._trees
        while trees is not None and at < len(trees):
            shown.append(at)
            at += 1 + (trees.below[at] if at in self._folded else 0)
        self._shown = shown
        self.resize_content()
        self.cursor = max(bisect_right(shown, row) - 1, 0)

    def _set_folded(self, row: int, is_folded: bool) -> None:
        self._folded ^= {row} if (row in self._folded) != is_folded else set()
        self._lay_out(row)

    def action_choose(self) -> None:
        row, trees = self.row, self._trees
        if row is not None and trees is not None and trees.below[row]:
            self._set_folded(row, row not in self._folded)
        else:
            super().action_choose()

    def action_unfold(self) -> None:
        row, trees = self.row, self._trees
        if row is None or trees is None or not trees.below[row]:
            return
        if row in self._folded:
            self._set_folded(row, False)
        else:
            self.cursor += 1

    def action_fold(self) -> None:
        row, trees = self.row, self._trees
        if row is None or trees is None:
            return
        if trees.below[row] and row not in self._folded:
            self._set_folded(row, True)
            return
        depth = trees.depths[row]
        parents = (above for above in range(row - 1, -1, -1) if trees.depths[above] < depth)
        if (parent := next(parents, None)) is not None:
            self.go_to(parent)

    def action_fold_all(self) -> None:
        if (trees := self._trees) is not None:
            rows = range(len(trees))
            self._folded = set() if self._folded else {row for row in rows if trees.below[row]}
            self._lay_out(self.row or 0)


def _node(tree: SpanTree, at: int) -> Node | None:
    return None if at == ABSENT else tree[at]


def _took_ns(node: Node | None) -> int | None:
    return None if node is None or node.span is None else node.span.duration_ns


def _took(node: Node | None) -> str:
    if node is None or node.span is None:
        return ""
    return fmt.took(node.span.begun_ns, node.span.ended_ns)


def _change(one: Node | None, other: Node | None) -> Piece:
    before, after = _took_ns(one), _took_ns(other)
    if before is None or after is None:
        return Piece(" " * CHANGE_CELLS)
    return Piece(fit(change_of_duration(after - before), CHANGE_CELLS, "right"), "muted")


def _tokens(trees: AlignedTrees, row: int) -> str:
    texts = [
        "" if at == ABSENT or (usage := tree.usages.get(at)) is None else f"{usage.total or 0:,}"
        for tree, at in (
            (trees.baseline, trees.ones[row]),
            (trees.candidate, trees.others[row]),
        )
    ]
    return texts[0] if texts[0] == texts[1] else " → ".join(text or "–" for text in texts)


def _has_failed(node: Node | None) -> bool:
    return node is not None and node.span is not None and node.span.status_code == ERROR

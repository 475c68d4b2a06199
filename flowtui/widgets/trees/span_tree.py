"""A trace as a tree of spans, each with the bar of its time beside it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Set as AbstractSet
from typing import ClassVar

from textual.binding import Binding, BindingType

from flowtui.store.traces.layout import NONE
from flowtui.store.traces.tree import (
    Node,
    SpanTree,
    ancestors,
    folded_to,
    no_spans,
    visible,
)
from flowtui.widgets.cells import Line
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.trees.span_row import TreeView, Widths, head_row, name_cells, span_row, widths
from flowtui.widgets.trees.waterfall import TimeWindow, whole_window

PAN_SHARE = 0.5
"""How much of the time window a key pans."""


class SpanLines(VirtualList):
    """Shows a `SpanTree`. Folds, time window and cursor are kept while the trace grows.

    Enter and the arrows fold and unfold spans. Posts `Chosen` for spans without children.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "unfold", "Fold", key_display="←→",
                id="move.right", tooltip="Unfold the span, or go to its first child"),
        Binding("left,h", "fold", "Fold", show=False,
                id="move.left", tooltip="Fold the span, or go to its parent"),
        Binding("shift+right,L", "level(1)", "One level more", show=False,
                id="spans.unfold_level", tooltip="Unfold the whole tree by one level"),
        Binding("shift+left,H", "level(-1)", "One level less", show=False,
                id="spans.fold_level", tooltip="Fold the whole tree by one level"),
        Binding("z", "fold_all", "Fold all", show=False,
                id="spans.fold_all", tooltip="Fold everything, or unfold everything"),
        Binding("i", "zoom(0.5)", "Zoom in", show=False,
                id="spans.zoom_in", tooltip="Show half as much time, around the span"),
        Binding("o", "zoom(2.0)", "Zoom out", show=False, id="spans.zoom_out",
                tooltip="Show twice as much time"),
        Binding("w", "zoom_to_span", "Zoom to span", show=False, id="spans.zoom_to_span",
                tooltip="Show the time of the span under the cursor in the whole width"),
        Binding("full_stop", "pan(1)", "Later", show=False, id="spans.pan_right",
                tooltip="Show a later time"),
        Binding("comma", "pan(-1)", "Earlier", show=False, id="spans.pan_left",
                tooltip="Show an earlier time"),
        Binding("0", "fit", "Whole time", show=False,
                id="spans.fit", tooltip="Show the time of the whole trace"),
        Binding("t", "toggle_bars", "Timeline", show=False,
                id="spans.timeline", tooltip="Show the tree alone, or with its timeline"),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tree = no_spans()
        self._folded: set[int] = set()
        """The indices of the nodes whose children are hidden."""
        self._shown: array[int] = array("q")
        """The indices of the nodes on the lines, in ascending order."""
        self._window: TimeWindow | None = None
        """The time that is shown; None for the whole trace, also while it grows."""
        self._matches: array[int] = array("q")
        self._marked: AbstractSet[int] = frozenset()
        self._has_bars = True
        self._name_cells = 0

    # Showing a trace -------------------------------------------------------------------------

    def show_tree(self, tree: SpanTree, *, is_new: bool = False) -> None:
        """Show a trace; a new one is unfolded, with the cursor on the first error's source."""
        before, at = self._tree, self.index
        self._tree = tree
        if is_new or tree.layout is not before.layout:
            # While a trace grows, its columns only move to the right.
            self._name_cells = max(name_cells(tree), 0 if is_new else self._name_cells)
        if is_new:
            self._matches, self._marked = array("q"), frozenset()
            self._folded, self._window = set(), None
            self._lay_out(_first_error(tree))
        elif tree.layout is before.layout:
            self.refresh()
        else:
            folded = {before.layout.ids[at] for at in self._folded}
            self._folded = {at for at in tree.places_of(folded) if tree.layout.below[at]}
            held = None if at is None else tree.place_of(before.layout.ids[at])
            self._lay_out(held or 0)

    def show_note(self, text: str) -> None:
        """Show a text in place of a tree: why there is none."""
        self._tree, self._shown, self._folded = no_spans(), array("q"), set()
        self.resize_content(text)

    def show_matches(self, matches: array[int], *, are_marked: bool = True) -> None:
        """Take the matches of a search, to which `next_match` goes.

        Args:
            matches: The indices of the nodes, in the order in which to visit them.
            are_marked: Whether to mark the nodes; this is pointless if all nodes match.
        """
        self._matches = matches
        marked = frozenset(matches if are_marked else ())
        if marked != self._marked:
            self._marked = marked
            self.refresh()

    def next_match(self, by: int) -> bool:
        """Go to the next or previous match, around the ends; return whether there is a match."""
        at = self.index
        if not self._matches or at is None:
            return False
        if at in self._matches:
            place = self._matches.index(at) + by
        else:
            later = (place for place, match in enumerate(self._matches) if match > at)
            place = next(later, 0) - (by < 0)
        self.go_to(self._matches[place % len(self._matches)])
        return True

    @property
    def span_tree(self) -> SpanTree:
        return self._tree

    @property
    def index(self) -> int | None:
        """The index of the node under the cursor."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    @property
    def node(self) -> Node | None:
        """The node under the cursor."""
        return None if self.index is None else self._tree[self.index]

    def go_to(self, index: int) -> None:
        """Put the cursor on a node, unfolding what hides it."""
        above = self._folded.intersection(ancestors(self._tree, index)) if self._folded else ()
        if above:
            self._folded.difference_update(above)
            self._lay_out(index)
        else:
            self.cursor = bisect_left(self._shown, index)

    def _lay_out(self, index: int) -> None:
        """Make the lines anew, with the cursor on a node, or on the one that hides it."""
        self._shown = visible(self._tree, self._folded)
        self._take_lines(index)

    def _take_lines(self, index: int) -> None:
        line = self.cursor - round(self.scroll_y)
        at = max(bisect_right(self._shown, index) - 1, 0)
        self.resize_content()
        self.scroll_to(y=max(at - line, 0), animate=False, force=True, immediate=True)
        if at == self.cursor:
            self.keep_cursor_in_sight()
            self.post_message(self.CursorMoved(self, at))
        self.cursor = at
        self.refresh()

    # Drawing ---------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._shown)

    @property
    def header_height(self) -> int:
        return 1

    @property
    def window(self) -> TimeWindow:
        return self._window or whole_window(self._tree)

    @property
    def _view(self) -> TreeView:
        return TreeView(self._tree, self.window, self._folded, self._marked)

    @property
    def name_cells(self) -> int:
        """How many cells the names of its spans take in full."""
        return self._name_cells

    @property
    def whole_height(self) -> int:
        """How many lines it takes with nothing folded, with its header."""
        return len(self._tree) + self.header_height

    def _widths(self, width: int) -> Widths:
        return widths(width, self._has_bars, self._name_cells)

    def header_lines(self, width: int) -> list[Line]:
        return [head_row(self._view, self._widths(width))]

    def line(self, index: int, width: int) -> Line:
        return span_row(self._view, self._shown[index], self._widths(width))

    # Folding ---------------------------------------------------------------------------------

    def action_choose(self) -> None:
        at = self.index
        if at is not None and self._has_children(at):
            self._set_folded(at, at not in self._folded)
        else:
            super().action_choose()

    def action_unfold(self) -> None:
        at = self.index
        if at is None or not self._has_children(at):
            return
        if at in self._folded:
            self._set_folded(at, False)
        else:
            self.cursor += 1

    def action_fold(self) -> None:
        at = self.index
        if at is None:
            return
        if self._has_children(at) and at not in self._folded:
            self._set_folded(at, True)
        elif (parent := self._tree.layout.parents[at]) != NONE:
            self.go_to(parent)

    def _has_children(self, at: int) -> bool:
        return self._tree.layout.below[at] > 0

    def _set_folded(self, at: int, is_folded: bool) -> None:
        """Fold or unfold the node under the cursor."""
        line = self.cursor + 1
        behind = at + self._tree.layout.below[at] + 1
        if is_folded:
            self._folded.add(at)
            del self._shown[line : bisect_left(self._shown, behind)]
        else:
            self._folded.discard(at)
            self._shown[line:line] = visible(self._tree, self._folded, at + 1, behind)
        self._take_lines(at)

    def action_fold_all(self) -> None:
        self._fold_to(None if self._folded else 0)

    def action_level(self, by: int) -> None:
        depths = self._tree.layout.depths
        deepest = max(map(depths.__getitem__, self._shown), default=0)
        self._fold_to(max(deepest + by, 0))

    def _fold_to(self, level: int | None) -> None:
        self._folded = set() if level is None else folded_to(self._tree, level)
        self._lay_out(self.index or 0)

    # Time ------------------------------------------------------------------------------------

    def action_zoom(self, factor: float) -> None:
        if (times := self._times) is None:
            return
        start, end = times
        window = self.window
        # Of a span that is only partly in the window, that part stays in the middle.
        middle = (max(start, window.start_ns) + min(end, window.end_ns)) // 2
        self._show_window(window.scaled(factor, middle, whole_window(self._tree)))

    def action_zoom_to_span(self) -> None:
        if (times := self._times) is not None:
            self._show_window(whole_window(self._tree).around(*times))

    @property
    def _times(self) -> tuple[int, int] | None:
        """The start and the end of the span under the cursor."""
        return None if self.index is None else self._tree.times(self.index)

    def action_pan(self, direction: int) -> None:
        self._show_window(self.window.shifted(direction * PAN_SHARE, whole_window(self._tree)))

    def action_fit(self) -> None:
        self._show_window(None)

    def _show_window(self, window: TimeWindow | None) -> None:
        whole = whole_window(self._tree)
        self._window = None if window == whole else window
        self.refresh()

    def action_toggle_bars(self) -> None:
        self._has_bars = not self._has_bars
        self.refresh()


def _first_error(tree: SpanTree) -> int:
    """Return the first failed span without failed descendants; the root if no span has failed."""
    return next((at for at in tree.errors.places if tree.error_count_of(at) == 1), 0)

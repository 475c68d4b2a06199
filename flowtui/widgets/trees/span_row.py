"""A line of a tree of spans: name, duration, tokens, marks, and the bar of its time."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from flowtui import format as fmt
from flowtui.store.traces.times import problems
from flowtui.store.traces.tree import ERROR, Node, SpanTree
from flowtui.widgets.cells import Piece, Role, fit, width_of
from flowtui.widgets.trees.span_marks import MARKS
from flowtui.widgets.trees.waterfall import TimeWindow, bar, scale

DURATION_CELLS, TOKENS_CELLS, FLAGS_CELLS = 9, 9, 8
MIN_NAME_CELLS, MAX_NAME_CELLS, NAME_SHARE = 24, 64, 0.4
LEAST_BARS_CELLS = 12
"""How much room names leave to the bars."""
MEASURED_SPANS = 1_000
"""Of how many spans, the first ones, the width of the names is measured: it takes milliseconds."""
FOLDED_CELLS = 5
"""The room behind a name for the number of spans that are folded below it."""
BARS_FROM, TOKENS_FROM = 64, 44
"""From how many cells on a tree has bars, and tokens."""
FIXED_CELLS = 1 + DURATION_CELLS + TOKENS_CELLS + FLAGS_CELLS
"""What a row takes besides the name and the bar."""
INDENT_CELLS = 2
MAX_INDENT_SHARE = 0.5
"""How much of the name's width an indent may take; deeper nodes show their depth as a number."""
MAX_ERRORS_SHOWN = 999
NOT_READ = "…"


@dataclass(frozen=True, slots=True)
class Widths:
    """The widths of the columns in cells; 0 for a column that does not fit."""

    name: int
    tokens: int
    bars: int


@dataclass(frozen=True, slots=True)
class TreeView:
    """A tree with its time window, its folds and the matches of a search."""

    tree: SpanTree
    window: TimeWindow
    folded: AbstractSet[int] = frozenset()
    """The indices of the nodes whose children are hidden."""
    matches: AbstractSet[int] = frozenset()
    """The indices of the nodes that a search has found."""


def name_cells(tree: SpanTree) -> int:
    """Return how many cells the names of a tree would take in full, with their indent."""
    widest = 0
    for at in range(min(len(tree), MEASURED_SPANS)):
        node = tree[at]
        indent = min(node.depth * INDENT_CELLS, int(MAX_NAME_CELLS * MAX_INDENT_SHARE))
        widest = max(widest, indent + len("▾ ") + width_of(_named(node, False)))
    return widest + FOLDED_CELLS


def widths(width: int, has_bars: bool, wanted: int | None = None) -> Widths:
    """Return the widths of the columns in a line of `width` cells.

    Args:
        width: The width of the line.
        has_bars: Whether to show bars, if there is room.
        wanted: How wide the names are; None for a share of the line.
    """
    tokens = TOKENS_CELLS if width >= TOKENS_FROM else 0
    room = max(width - 1 - DURATION_CELLS - tokens - FLAGS_CELLS, 1)
    if not has_bars or width < BARS_FROM:
        return Widths(room, tokens, 0)
    name = round(width * NAME_SHARE) if wanted is None else min(wanted, room - LEAST_BARS_CELLS)
    name = max(MIN_NAME_CELLS, min(name, MAX_NAME_CELLS))
    # The last cell stays free, as beside every other column.
    return Widths(name, tokens, room - name - 1)


def head_row(view: TreeView, cells: Widths) -> list[Piece]:
    """Return the titles of the columns, and the times above the bars."""
    tokens = "tokens".rjust(cells.tokens)[: cells.tokens]
    head = f" {'span':<{cells.name}}{'duration':>{DURATION_CELLS}}{tokens}{'':{FLAGS_CELLS}}"
    start = view.tree.start_ns
    times = scale(view.window, start, cells.bars) if cells.bars and start is not None else ""
    return [Piece(head + times, "muted")]


def span_row(view: TreeView, at: int, cells: Widths) -> list[Piece]:
    """Return the line of a node, by its index."""
    node = view.tree[at]
    pieces = [
        Piece(" "),
        *_name(view, at, node, cells.name),
        Piece(f"{_duration(node):>{DURATION_CELLS}}"),
    ]
    if cells.tokens:
        pieces.append(Piece(_tokens(view.tree, at).rjust(cells.tokens), "muted"))
    pieces += _flags(node, at in view.folded)
    if cells.bars:
        pieces += bar(view.tree, at, view.window, cells.bars)
    return pieces


def _tokens(tree: SpanTree, at: int) -> str:
    if tree.spans.said is None:
        return NOT_READ
    usage = tree.usages.get(at)
    return "" if usage is None or usage.total is None else f"{usage.total:,}"


def _name(view: TreeView, at: int, node: Node, cells: int) -> list[Piece]:
    wanted = node.depth * INDENT_CELLS
    indent = min(wanted, int(cells * MAX_INDENT_SHARE))
    # If there is no room for the whole indent, the depth is shown as a number.
    deep = f"{node.depth} " if indent < wanted else ""
    is_folded = at in view.folded
    mark = ("▸ " if is_folded else "▾ ") if node.descendant_count else "  "
    glyph, name = _named(node, at in view.matches)
    head = [Piece(" " * indent + deep + mark, "muted"), glyph]
    tail = Piece(f" +{node.descendant_count:,}" if is_folded else "", "muted")
    room = max(cells - width_of([*head, tail]), 1)
    pieces = [*head, Piece(fit(name.text, min(room, width_of([name]))), name.role), tail]
    return [*pieces, Piece(" " * max(cells - width_of(pieces), 0))]


def _named(node: Node, is_match: bool) -> tuple[Piece, Piece]:
    """Return the glyph of a node, and its name after a blank."""
    if node.span is None:
        text = f" missing parent {fmt.short_id(node.id)}"
        return Piece("?", "attention"), Piece(text, "attention")
    role: Role = "accent" if is_match else "text"
    return MARKS[node.span.genai_kind], Piece(
        f" {fmt.plain(node.span.name, 200) or '(no name)'}", role
    )


def _duration(node: Node) -> str:
    return "" if node.span is None else fmt.took(node.span.begun_ns, node.span.ended_ns)


def _flags(node: Node, is_folded: bool) -> list[Piece]:
    """Return the marks before the bar: errors, a doubtful place or time, annotations.

    The errors and annotations of a folded node include those of its hidden descendants.
    """
    own_error = node.span is not None and node.span.status_code == ERROR
    errors = "✗" if own_error else ""
    if is_folded and node.error_count > own_error:
        errors = f"✗{node.error_count}" if node.error_count <= MAX_ERRORS_SHOWN else "✗1k+"
    doubt = "▲" if node.do_clocks_disagree or node.is_cycle or _is_odd(node) else " "
    own_count = 0 if node.span is None else node.span.annotation_count
    note = "✎" if (node.annotation_count if is_folded else own_count) else " "
    return [Piece(f" {errors:<4}", "error"), Piece(doubt, "attention"), Piece(f"{note} ", "accent")]


def _is_odd(node: Node) -> bool:
    """Return whether a span has missing or wrong times, or attributes that are too long to read."""
    span = node.span
    return span is not None and (span.is_unread or bool(problems(span.start_ns, span.end_ns)))

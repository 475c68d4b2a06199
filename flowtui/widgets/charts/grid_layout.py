"""The layout of a grid of charts: groups, bands of cards under their headers, and sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

PINNED = "pinned"
MIN_CARD_CELLS = 38
MIN_CARD_LINES, MAX_CARD_LINES = 8, 20


@dataclass(frozen=True, slots=True)
class CardGroup:
    """Metrics with the same prefix before the first slash of their names."""

    name: str
    """The prefix; empty for names without one."""
    keys: tuple[str, ...]
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """One row of the grid: the header of a group, or cards side by side."""

    y: int
    height: int
    group: CardGroup
    keys: tuple[str, ...] = ()
    """The metrics of the cards; empty for a header."""


def prefix(key: str) -> str:
    """Return the part of a name that groups metrics: `train` for `train/loss`."""
    head, slash, _ = key.partition("/")
    return head if slash else ""


def grouped(
    keys: Iterable[str], pinned: Collection[str] = (), folded: Collection[str] = ()
) -> list[CardGroup]:
    """Return metrics grouped by prefix: first the pinned ones, then as the prefixes come."""
    by_name: dict[str, list[str]] = {PINNED: []} if pinned else {}
    for key in keys:
        by_name.setdefault(PINNED if key in pinned else prefix(key), []).append(key)
    return [
        CardGroup(name, tuple(members), name in folded)
        for name, members in by_name.items()
        if members
    ]


def bands(groups: Sequence[CardGroup], columns: int, card_lines: int) -> list[Band]:
    """Return the rows of the grid from top to bottom.

    A single group without a name has no header: there is no other group to tell it from.
    """
    made: list[Band] = []
    y = 0
    has_headers = len(groups) > 1 or any(group.name for group in groups)
    for group in groups:
        if has_headers:
            made.append(Band(y, 1, group))
            y += 1
        for start in range(0, 0 if group.is_folded else len(group.keys), columns):
            made.append(Band(y, card_lines, group, group.keys[start : start + columns]))
            y += card_lines
    return made


@dataclass(frozen=True, slots=True)
class CardSize:
    """The number of cards side by side, and the width and height of a card."""

    columns: int
    cells: int
    lines: int


def card_size(group_sizes: Mapping[str, int], width: int, height: int) -> CardSize:
    """Return the largest size at which all cards fit; the smallest one if they never do.

    Args:
        group_sizes: How many metrics each group has.
        width: The width of the grid in cells.
        height: The height of the grid in lines.
    """
    at_most = max(width // MIN_CARD_CELLS, 1)
    columns = max(min(at_most, max(group_sizes.values(), default=1)), 1)
    rows = sum(-(-size // columns) for size in group_sizes.values())
    lines = (height - len(group_sizes)) // max(rows, 1)
    return CardSize(columns, width // columns, max(MIN_CARD_LINES, min(lines, MAX_CARD_LINES)))


def neighbour_key(groups: Iterable[CardGroup], key: str, by: int) -> str:
    """Return the metric that is `by` places after another, in the order of the grid."""
    keys = [key for group in groups for key in group.keys]
    index = keys.index(key) + by if key in keys else 0
    return keys[max(0, min(index, len(keys) - 1))] if keys else key


def card_name(group: str, key: str) -> str:
    """Return the name of a metric as its chart in a group shows it."""
    # Under the header of the group, the prefix would only repeat it.
    return key if group in ("", PINNED) else key.partition("/")[2] or key

"""A list of the groups of runs, of which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowtui import format as fmt
from flowtui.store.compare.directions import Direction
from flowtui.store.leaderboard import GroupSum
from flowtui.store.values import Group
from flowtui.told_apart import ListedNames
from flowtui.widgets.cells import Line, Piece, Role, fit
from flowtui.widgets.lists.virtual_list import VirtualList

ALL = "All groups"
WITHOUT = "no group"
COUNT_CELLS, SUM_CELLS = 8, 10
"""The widths of the columns, where there is room for the best and the mean of a metric."""
SUMS_FROM = 44
"""From how many cells on there is room for them."""


class GroupList(VirtualList):
    """Shows all groups together first, then each group, with their numbers of runs.

    While a filter is on, the numbers are those of the runs that match it.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._groups: Sequence[Group] = ()
        self._names = ListedNames()
        self._sums: Mapping[tuple[str | None, str], GroupSum] = {}
        self._is_filtered = False
        self._metric = ""
        self._better: Direction | None = None

    def show_sums(
        self,
        sums: Mapping[tuple[str | None, str], GroupSum],
        is_filtered: bool,
        metric: str = "",
        better: Direction | None = None,
    ) -> None:
        """Show how many runs match, and what a metric adds up to in each group.

        Args:
            sums: By the id and the name of a group; a group without runs that match is missing.
            is_filtered: Whether a filter is on; without one the counts are those of the groups.
            metric: The metric of the sums; empty for none.
            better: In which direction it is better, None if that is not known.
        """
        new = (sums, is_filtered, metric, better)
        if new != (self._sums, self._is_filtered, self._metric, self._better):
            self._sums, self._is_filtered, self._metric, self._better = new
            self.refresh()

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Show these groups; the cursor stays on its group."""
        if groups == self._groups:
            return
        held = self.group
        self._groups = groups
        self._names = ListedNames([group.name for group in groups])
        ids = [group.id for group in groups]
        index = ids.index(held.id) + 1 if held is not None and held.id in ids else 0
        self.set_reactive(GroupList.cursor, index)
        self.resize_content()

    @property
    def group(self) -> Group | None:
        """The group under the cursor; None for all groups together."""
        return self._groups[self.cursor - 1] if 0 < self.cursor <= len(self._groups) else None

    @property
    def line_count(self) -> int:
        return len(self._groups) + 1

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        role: Role = "accent" if self.has_focus else "muted"
        if not self._has_room(width):
            return [[Piece(" group", role)]]
        best = "" if self._better is None else " best"
        cells = 2 * SUM_CELLS - len(" mean ")
        name = fit(fmt.plain(self._metric, 100), cells - len(best)).rstrip()
        sums = fit(f"{name}{best}", cells, "right")
        room = max(width - COUNT_CELLS - 2 * SUM_CELLS, 1)
        return [
            [
                Piece(fit(" group", room), role),
                Piece(fit("runs ", COUNT_CELLS, "right"), "muted"),
                Piece(f"{sums} mean ", "muted"),
            ]
        ]

    def _has_room(self, width: int) -> bool:
        return bool(self._metric) and width >= SUMS_FROM

    def _count(self, group: Group) -> int:
        if not self._is_filtered:
            return group.run_count
        return self._sums.get((group.id, group.name), GroupSum()).run_count

    def line(self, index: int, width: int) -> Line:
        has_sums = self._has_room(width)
        sums_cells = 2 * SUM_CELLS if has_sums else 0
        if index == 0:
            name, count = ALL, sum(map(self._count, self._groups))
        else:
            group = self._groups[index - 1]
            widest = max(len(f"{self._count(one):,} ") for one in self._groups)
            room = max(width - (COUNT_CELLS if has_sums else widest) - sums_cells - 1, 1)
            name = self._names.label(index - 1, room) or WITHOUT
            count = self._count(group)
        number = f"{count:,} "
        if has_sums:
            number = fit(number, COUNT_CELLS, "right")
        role: Role = "title" if index == self.cursor else "text"
        room = max(width - len(number) - sums_cells - 1, 1)
        pieces = [Piece(" " + fit(name, room), role), Piece(number, "muted")]
        return [*pieces, *self._sum_pieces(index)] if has_sums else pieces

    def _sum_pieces(self, index: int) -> Line:
        """Return the best and the mean of a group, blank for all groups together."""
        group = self._groups[index - 1] if index else None
        found = self._sums.get((group.id, group.name)) if group is not None else None
        best = mean = None
        if found is not None and self._better is not None:
            best = found.low if self._better is Direction.LOWER else found.high
        if found is not None:
            mean = found.mean
        texts = (
            "" if value is None else fmt.number(value, 4, cells=SUM_CELLS - 2)
            for value in (best, mean)
        )
        return [Piece(fit(f"{text} ", SUM_CELLS, "right")) for text in texts]

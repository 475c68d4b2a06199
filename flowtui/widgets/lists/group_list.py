"""A list of the groups of runs, of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from flowtui.store.values import Group
from flowtui.told_apart import ListedNames
from flowtui.widgets.cells import Line, Piece, Role, fit
from flowtui.widgets.lists.virtual_list import VirtualList

ALL = "All groups"
WITHOUT = "no group"


class GroupList(VirtualList):
    """Shows all groups together first, then each group, with their numbers of runs."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._groups: Sequence[Group] = ()
        self._names = ListedNames()

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
        return [[Piece(" group", role)]]

    def line(self, index: int, width: int) -> Line:
        if index == 0:
            name, count = ALL, sum(group.run_count for group in self._groups)
        else:
            group = self._groups[index - 1]
            widest = max(len(f"{one.run_count:,} ") for one in self._groups)
            room = max(width - widest - 1, 1)
            name = self._names.label(index - 1, room) or WITHOUT
            count = group.run_count
        number = f"{count:,} "
        role: Role = "title" if index == self.cursor else "text"
        return [
            Piece(" " + fit(name, max(width - len(number) - 1, 1)), role),
            Piece(number, "muted"),
        ]

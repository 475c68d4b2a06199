"""The runs that a person has marked on the list, in the order in which they are compared."""

from __future__ import annotations

from collections.abc import Iterable

from flowtui.store.compare.run_set import LETTERS
from flowtui.widgets.cells import Piece
from flowtui.widgets.compare import letter_role

BEYOND = "•"
"""The mark of a run beyond those that can be compared, which have letters."""


class RunMarks:
    """The marked runs by id: the baseline first, then in the order of marking."""

    def __init__(self, marked: Iterable[str] = ()) -> None:
        self.ids: list[str] = list(marked)

    def toggle(self, run_id: str) -> None:
        """Mark a run, or take its mark away."""
        if run_id in self.ids:
            self.ids.remove(run_id)
        else:
            self.ids.append(run_id)

    def toggle_all(self, run_ids: Iterable[str]) -> None:
        """Mark all of these runs or, if all are marked, take their marks away."""
        asked = list(run_ids)
        marked = set(self.ids)
        if marked.issuperset(asked):
            gone = set(asked)
            self.ids = [run_id for run_id in self.ids if run_id not in gone]
        else:
            self.ids += [run_id for run_id in asked if run_id not in marked]

    def forget(self, run_ids: Iterable[str]) -> None:
        """Take the marks of runs away that are no longer there."""
        gone = set(run_ids)
        self.ids = [run_id for run_id in self.ids if run_id not in gone]

    def begin_with(self, run_id: str) -> None:
        """Make a run the baseline, marked or not until now."""
        self.ids = [run_id, *(marked for marked in self.ids if marked != run_id)]

    def letters(self) -> dict[str, str]:
        """Return the letter of each marked run, `BEYOND` for those that have none."""
        return {
            run_id: LETTERS[place] if place < len(LETTERS) else BEYOND
            for place, run_id in enumerate(self.ids)
        }


def marked_name(letter: str, name: str) -> Piece:
    """Return the cell with the name of a run that is marked with a letter."""
    return Piece(f"{letter} {name}", "accent" if letter == BEYOND else letter_role(letter))

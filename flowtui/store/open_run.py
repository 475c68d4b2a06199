"""The run that is open: one place for its row, which everything that shows the run looks at."""

from __future__ import annotations

from flowtui.store.values import Run


class OpenRun:
    """Holds a run's row as it was last read; the app replaces it when the row has changed.

    Whoever keeps one keeps no copy of what is in it, so that a run renamed from elsewhere has its
    new name in a header, a dialog and the name of a saved file alike.
    """

    def __init__(self, row: Run) -> None:
        self.row = row

    @property
    def id(self) -> str:
        """Its id, which never changes."""
        return self.row.id

    @property
    def name(self) -> str:
        """What it is called by now."""
        return self.row.name or self.row.id

"""A tab whose view is still to come: it says what the run has, and where it can be seen today."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from flowtui.screens.base import TabScreen
from flowtui.store.database import Cancelled
from flowtui.store.values import Counts, Kind
from flowtui.widgets.empty import EmptyText
from flowtui.widgets.frame import Frame


class PendingTab(TabScreen):
    """Shows the counts that the tab's label shows, in words."""

    elsewhere: ClassVar[str]
    """How to get at the records without this tab."""

    def compose_tab(self) -> Iterable[Widget]:
        yield EmptyText()

    def read(self, kinds: frozenset[Kind], cancelled: Cancelled) -> None:
        """Read nothing: the counts come with the frame."""

    def summary(self, counts: Counts) -> str:
        """Return what the run has for this tab, as a sentence."""
        raise NotImplementedError

    def show_frame(self, frame: Frame) -> None:
        text = f"{self.summary(frame.counts)}\n\n{self.elsewhere}"
        self.query_one(EmptyText).show(text)

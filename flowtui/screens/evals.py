"""Evals: so far only how many there are."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.screens.pending import PendingTab
from flowtui.store.values import Counts


class EvalsScreen(PendingTab):
    tab = "evals"
    elsewhere = "The samples are not part of this version. `lumlflow ui` on this store shows them."

    def summary(self, counts: Counts) -> str:
        if counts.samples is None:
            return "This store's schema has no evaluation samples."
        if not counts.samples:
            return "No samples were logged. tracker.log_eval_sample(...) logs one."
        return f"{fmt.count(counts.samples, 'evaluation sample')} logged."

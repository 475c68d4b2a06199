"""Metrics: so far only how many there are."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.screens.pending import PendingTab
from flowtui.store.values import Counts


class MetricsScreen(PendingTab):
    tab = "metrics"
    elsewhere = (
        "Plots are not part of this version. Overview shows each metric's last, lowest and\n"
        "highest value with a sparkline; `flow-tui show RUN --json` has them in full precision."
    )

    def summary(self, counts: Counts) -> str:
        if not counts.metrics:
            return "No metrics were logged. tracker.log_dynamic(key, value, step) logs one."
        return f"{fmt.count(counts.metrics, 'metric')} logged."

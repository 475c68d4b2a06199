"""Traces: so far only how many there are."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.screens.pending import PendingTab
from flowtui.store.values import Counts


class TracesScreen(PendingTab):
    tab = "traces"
    elsewhere = (
        "The span tree is not part of this version. `lumlflow ui` on this store shows the traces."
    )

    def summary(self, counts: Counts) -> str:
        if counts.traces is None:
            return "This store's schema has no spans."
        if not counts.traces:
            return "No spans were logged. Instrument the code with OpenTelemetry and the LUML SDK."
        return f"{fmt.count(counts.traces, 'trace')} of {fmt.count(counts.spans or 0, 'span')}."

"""Attachments: so far only how many there are."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.screens.pending import PendingTab
from flowtui.store.values import Counts


class AttachmentsScreen(PendingTab):
    tab = "attachments"
    elsewhere = "Previews are not part of this version. The files lie in the run's folder."

    def summary(self, counts: Counts) -> str:
        if counts.attachments is None:
            return "This store's schema has no attachments."
        if not counts.attachments:
            return "No files were attached. tracker.log_attachment(name, data) attaches one."
        return f"{fmt.count(counts.attachments, 'file')} attached."

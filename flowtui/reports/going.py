"""What goes with runs that are deleted, in words."""

from __future__ import annotations

from collections.abc import Iterable

from flowtui import format as fmt
from flowtui.store.care.going import RunGoing

NAME_CHARACTERS = 80


def named(run: RunGoing) -> str:
    """Return how a person knows a run: its name and its short id."""
    return f"{fmt.plain(run.name, NAME_CHARACTERS)} ({fmt.short_id(run.run.id)})"


def goes(runs: Iterable[RunGoing]) -> str:
    """Return what goes with runs together: spans, samples, annotations, models, files, bytes."""
    counted = list(runs)
    totals = [
        (sum(one.counts.spans or 0 for one in counted), "span"),
        (sum(one.counts.samples or 0 for one in counted), "sample"),
        (sum(one.counts.annotations or 0 for one in counted), "annotation"),
        (sum(one.counts.models or 0 for one in counted), "model"),
    ]
    files = sum(one.extent.files for one in counted)
    size_bytes = sum(one.extent.size_bytes for one in counted)
    words = [fmt.count(total, noun) for total, noun in totals if total]
    return ", ".join([*words, fmt.count(files, "file"), fmt.size(size_bytes)])


def remarks(runs: Iterable[RunGoing]) -> list[str]:
    """Return a line for each run of which something could not be counted."""
    return [f"{named(one)}: {fmt.plain(one.problem, 300)}" for one in runs if one.problem]

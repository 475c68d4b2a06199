"""`flow-tui export`: a run as a `.luml` file."""

from __future__ import annotations

import sys
from pathlib import Path

from flowtui import clock
from flowtui import format as fmt
from flowtui.cli.progress_line import Cancel, ProgressLine, signals_as_cancel
from flowtui.reports.saving import file_stem
from flowtui.reports.usage import WrongUsage
from flowtui.store.archive.packing import write_artifact
from flowtui.store.errors import ReadCancelled
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store

MISSING_SHOWN = 5


def export(store: Store, run: OpenRun, out: Path | None) -> None:
    """Write a run as an artifact and print where it is.

    Args:
        store: Where the run is.
        run: Which one.
        out: The file, or a folder to name one in; the current folder unless given. A file that is
            there is replaced only if it was named.

    Raises:
        StoreError: It cannot be packed or written.
        WrongUsage: A file exists already under the name that was made up.
    """
    target = out if out is not None and not out.is_dir() else None
    if target is None:
        target = (out or Path()) / f"{file_stem(run.name, fmt.short_id(run.id))}.luml"
        if target.exists():
            raise WrongUsage(f"{target} is there already; name a file with -o")
    cancel = Cancel()
    line = ProgressLine()
    with signals_as_cancel(cancel):
        try:
            artifact = write_artifact(
                store,
                run.id,
                target,
                cancel.is_set,
                lambda done, total: line.show(f"Packing {fmt.plain(run.name, 60)}", done, total),
            )
        except ReadCancelled:
            line.end()
            print("flow-tui: cancelled; nothing was written", file=sys.stderr)
            sys.exit(cancel.exit_code)
        finally:
            line.end()
    if store.standings([run.row], clock.now())[run.id].goes_on:
        print("the run is still active: the file holds what it has logged so far", file=sys.stderr)
    tell_missing(artifact.missing_attachments)
    print(f"{fmt.plain(str(target), 1_000)}  {fmt.size(artifact.size_bytes)}")


def tell_missing(paths: tuple[str, ...]) -> None:
    """Say on stderr which attachments are not in an artifact."""
    if not paths:
        return
    named = ", ".join(fmt.plain(path, 100) or "(no name)" for path in paths[:MISSING_SHOWN])
    more = f" and {len(paths) - MISSING_SHOWN:,} more" if len(paths) > MISSING_SHOWN else ""
    what = fmt.count(len(paths), "attachment")
    print(f"left out, since there is no file: {what}: {named}{more}", file=sys.stderr)

"""Whether this session may write into a store, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowtui.store.store import Store
    from flowtui.widgets.host import Options

READ_ONLY = "flow-tui was started with --read-only"
NO_AUTHOR = "there is no author to annotate as: start with --user NAME, or set FLOW_TUI_USER"


def why_not_written(store: Store, options: Options) -> str:
    """Return why this session may not write into the store; an empty text if it may."""
    if store.why_read_only:
        return store.why_read_only
    return READ_ONLY if options.read_only else ""


def none_logged(store: Store, options: Options, said: str, how: str) -> str:
    """Return that there are no records of a kind, and how some are written where that is done."""
    return said if why_not_written(store, options) else f"{said}{how}"


def why_not_annotated(store: Store, options: Options) -> str:
    """Return why this session may not annotate; an empty text if it may."""
    return why_not_written(store, options) or ("" if options.user.strip() else NO_AUTHOR)


def why_not_uploaded(store: Store, options: Options) -> str:
    """Return why nothing of a store is uploaded from here; nothing if it may be."""
    instead, reason = "upload the run from the store it is in", "an upload is noted in the store"
    return _why_not_sent(store, options, instead, reason)


def why_not_collected(store: Store, options: Options) -> str:
    """Return why nothing is collected into the runs of a store; nothing if it may be."""
    instead = "collect into the run that it is a copy of"
    return _why_not_sent(store, options, instead, "collecting writes spans into the run")


def _why_not_sent(store: Store, options: Options, instead: str, reason: str) -> str:
    if store.why_read_only:
        return (
            store.why_not_sent
            or f"{store.directory.name} is an exported or uploaded file: {instead}"
        )
    return f"{READ_ONLY}; {reason}." if options.read_only else ""

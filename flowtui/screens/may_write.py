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


def why_not_annotated(store: Store, options: Options) -> str:
    """Return why this session may not annotate; an empty text if it may."""
    return why_not_written(store, options) or ("" if options.user.strip() else NO_AUTHOR)

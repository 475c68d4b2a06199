"""A run that flow-tui makes itself, as the SDK would: its row, its folder, an empty exp.db."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flowtui.store.cancelling import cancelling
from flowtui.store.schema import StoreWriter

DEFAULT_GROUP = "default"


@contextmanager
def new_run(directory: Path, name: str, group: str = DEFAULT_GROUP) -> Iterator[str]:
    """Start a run, give its id, and end it: completed, or in error where the body raises.

    Args:
        directory: the store's folder, made where there is none.
        name: of the run; another may have it too.
        group: made where there is none.

    Raises:
        DatabaseError: the store cannot be written.
    """
    run_id = str(uuid.uuid4())
    started_at = datetime.now(UTC)
    with StoreWriter(directory) as writer:
        writer.start_run(run_id, name, group=group, created_at=started_at)
        # Held as the SDK holds it: so a viewer knows that somebody still writes, or was killed.
        held = writer.experiment(run_id)
    status = "error"
    try:
        with held:
            yield run_id
        status = "completed"
    finally:
        # Whoever left left the body; that it ended is noted all the same.
        with cancelling(lambda: False), StoreWriter(directory) as writer:
            duration = (datetime.now(UTC) - started_at).total_seconds()
            writer.end_run(run_id, status=status, duration=duration)

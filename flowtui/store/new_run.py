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
    """Start a run, yield its id, and end it: completed, or in error where the body raises.

    Args:
        directory: The store's folder, which is made if it is missing.
        name: The run's name; another run may have it too.
        group: The group's name; the group is made if it is missing.

    Raises:
        DatabaseError: The store cannot be written.
    """
    run_id = str(uuid.uuid4())
    started_at = datetime.now(UTC)
    with StoreWriter(directory) as writer:
        writer.start_run(run_id, name, group=group, created_at=started_at)
        # Kept open as the SDK keeps it, so that a viewer knows whether the writer lives or was
        # killed.
        held = writer.experiment(run_id)
    status = "error"
    try:
        with held:
            yield run_id
        status = "completed"
    finally:
        # Cancelling has ended the body; that the run ended is recorded all the same.
        with cancelling(lambda: False), StoreWriter(directory) as writer:
            duration = (datetime.now(UTC) - started_at).total_seconds()
            writer.end_run(run_id, status=status, duration=duration)

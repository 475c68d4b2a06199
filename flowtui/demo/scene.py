"""What the parts of the demo share: the writer, the moment, and seeded chance."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from flowtui.store.schema import StoreWriter

SEED = "flow-tui demo"


def chance(name: str) -> Random:
    """Makes a random source of its own for each name, so that one part can change alone."""
    return Random(f"{SEED}/{name}")


def seeded_uuid(rng: Random) -> str:
    """Makes a UUID4 out of a seeded source."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class Scene:
    """The store that is being made and the moment that it is made for."""

    writer: StoreWriter
    directory: Path
    """The store's."""
    now: datetime
    """Aware; every time in the store is counted back from it."""

    def ago(self, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """Returns the moment that lies so long before now."""
        return self.now - timedelta(days=days, hours=hours, minutes=minutes)

    def start(
        self,
        name: str,
        *,
        group: str,
        created_at: datetime,
        tags: Sequence[str] = (),
        description: str | None = None,
        source: str | None = None,
    ) -> str:
        """Adds an active run and returns its id, which follows from its name."""
        run_id = seeded_uuid(chance(f"id/{name}"))
        self.writer.start_run(
            run_id,
            name,
            group=group,
            tags=tags,
            description=description,
            source=source,
            created_at=created_at,
        )
        return run_id

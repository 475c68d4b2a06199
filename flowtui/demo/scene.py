"""What the parts of the demo share: the writer, the moment, and seeded chance."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from flowtui.demo.resources import read_json
from flowtui.store.schema import ParamValue, StoreWriter

SEED = "flow-tui demo"


def chance(name: str) -> Random:
    """Make a random source of its own for each name, so that one part can change alone."""
    return Random(f"{SEED}/{name}")


def seeded_uuid(rng: Random) -> str:
    """Make a UUID4 out of a seeded source."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that waits for its metrics."""

    id: str
    name: str
    created_at: datetime
    params: Mapping[str, ParamValue]
    """Not written yet."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The store that is being made and the moment that it is made for."""

    writer: StoreWriter
    directory: Path
    """The store's."""
    now: datetime
    """Aware; every time in the store is counted back from it."""

    def ago(self, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """Return the moment that is this long before now."""
        return self.now - timedelta(days=days, hours=hours, minutes=minutes)

    def group(self, name: str) -> None:
        """Add a group as groups.json describes it."""
        described = read_json("groups.json")[name]
        self.writer.group(
            name,
            description=described["description"],
            tags=described["tags"],
            created_at=self.ago(**described["ago"]),
        )

    def start(self, name: str) -> StartedRun:
        """Add an active run as runs.json describes it."""
        return self.start_described(name, read_json("runs.json")[name])

    def start_described(self, name: str, described: Mapping[str, Any]) -> StartedRun:
        """Add an active run.

        Args:
            name: The run's, from which its id follows.
            described: As in runs.json; all but group and ago may be missing.
        """
        run_id = seeded_uuid(chance(f"id/{name}"))
        created_at = self.ago(**described["ago"])
        self.writer.start_run(
            run_id,
            name,
            group=described["group"],
            tags=described.get("tags", ()),
            description=described.get("description"),
            source=described.get("source"),
            created_at=created_at,
        )
        return StartedRun(run_id, name, created_at, described.get("params", {}))

"""How far a run was read and what of it has no place, kept in a file beside the private store."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from flowtui import format as fmt
from flowtui.sources.records import Mark
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import JsonValue


@dataclass(slots=True)
class ReadState:
    """How one run was read so far."""

    mark: Mark = field(default_factory=dict)
    seen: list[object] = field(default_factory=list)
    """What `stat` said of its files when it was last read to their end."""
    read_bytes: int = 0
    size_bytes: int = 0
    replaced: int = 0
    """How many points were replaced by later ones of their step."""
    dropped: int = 0
    """How many points became void when the program went back to an earlier step."""
    left_out: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    """By name: how long the files are that grow."""
    paths: dict[str, str] = field(default_factory=dict)
    """By name: where attachments are that stay in the source."""
    row: dict[str, JsonValue] = field(default_factory=dict)
    """What reading told of the run, as a `RunRow`; empty where it told nothing."""
    why: str = ""
    """Why it could not be read further."""
    logged_at: str | None = None
    """When its last record came, in ISO 8601, as of when it was last read to its end; empty where
    no record has a time, None where that was not noted."""

    def save(self, path: Path) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(asdict(self), default=str))
        part.replace(path)

    def is_read(self, seen: list[object]) -> bool:
        """Say whether files in some state were read to their end."""
        return self.seen == seen

    def problems(self) -> tuple[str, ...]:
        """Return a sentence for each thing that is missing or not as it was written."""
        said = [note for note in self.notes.values() if note]
        if self.why:
            said.append(f"it could not be read further: {self.why}")
        if not self.seen and not self.why:
            size = f" ({self.size_bytes / 1e6:,.1f} MB)" if self.size_bytes else ""
            said.append(f"it is still being read{size}: what is shown is not all yet")
        if self.replaced:
            said.append(
                f"{fmt.count(self.replaced, 'point')} of a step came a second time: the later"
                " one is shown"
            )
        if self.dropped:
            said.append(
                f"{fmt.count(self.dropped, 'point')} became void, since the program went back to"
                " an earlier step"
            )
        said += [
            f"left out: {what} ({count:,})"
            for what, count in sorted(self.left_out.items())
            if count > 0
        ]
        return tuple(said)

    def count(self, more: Counter[str]) -> None:
        """Add to the counts of what was left out."""
        for what, count in more.items():
            self.left_out[what] = self.left_out.get(what, 0) + count


def load(path: Path) -> ReadState:
    """Return what a file says; that nothing was read where there is none, or it is broken."""
    with suppress(OSError, ValueError, TypeError, RecursionError):
        return ReadState(**json.loads(path.read_bytes()))
    return ReadState()


def as_json(state: object) -> list[object]:
    """Return a state of files as it comes back out of JSON."""
    found: list[object] = json.loads(json.dumps(state, default=str))
    return found


def row_of(state: ReadState) -> RunRow | None:
    """Return the row that reading a run told, None if it told none or what was kept is broken."""
    row = dict(state.row)
    try:
        created_at, tags = row.pop("created_at"), row.pop("tags")
        when = datetime.fromisoformat(str(created_at)) if created_at else None
        return RunRow(created_at=when, tags=tuple(tags), **row)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError):
        return None

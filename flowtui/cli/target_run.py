"""The run that `ingest` and `collect` write into: one that is there, or a new one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flowtui import format as fmt
from flowtui.cli.stores import located, open_store
from flowtui.reports.usage import WrongUsage
from flowtui.store.database import Database

NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Target:
    """A run to write into."""

    run_id: str
    name: str
    database: Database

    @property
    def line(self) -> str:
        """How a person knows it: name and short id."""
        return f"{fmt.plain(self.name, NAME_CHARACTERS)} ({fmt.short_id(self.run_id)})"


@contextmanager
def target(
    run: str | None, new: str | None, group: str | None, store: str | None
) -> Iterator[Target]:
    """Find or make the run that the command line names; end a new one when the body is left.

    Raises:
        WrongUsage: Neither a run nor a name for a new one is given, or both.
        StoreError: There is no such run, or the store cannot be written.
    """
    if (run is None) == (new is None):
        raise WrongUsage("give the RUN to write into, or --new NAME to make one")
    if group is not None and new is None:
        raise WrongUsage("--group is only for a new run: give --new NAME too")
    if run is not None:
        opened = open_store(store)
        found = opened.resolve(run)
        yield Target(found.id, found.name, found.database)
        return
    from flowtui.store.new_run import DEFAULT_GROUP, new_run

    directory = located(store).directory
    name = new or ""
    if not name.strip():
        raise WrongUsage("--new NAME: the name is empty")
    with new_run(directory, name, group or DEFAULT_GROUP) as run_id:
        database = Database(directory / run_id / "exp.db", f"{run_id[:8]}/exp.db")
        database.is_held_here = True
        yield Target(run_id, name, database)

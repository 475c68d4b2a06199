"""Paths of other tools' runs on the command line: opening them, and what is seen in a folder."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from flowtui import format as fmt
from flowtui import person
from flowtui.cli.progress_line import ProgressLine
from flowtui.sources import recognising
from flowtui.sources.private_store import SourceStore, open_source
from flowtui.store import runs
from flowtui.store.errors import RunAmbiguous, StoreNotFound
from flowtui.store.location import locate
from flowtui.terminal.shutdown import before_the_end

MARK = "::"
"""Between a path and a run of it."""
_MOST_LISTED = 20


def opened(word: str, *, waits: bool) -> SourceStore | None:
    """Open what another tool wrote at a path; None if it is none, or is a LUML store.

    Raises:
        SourceError: It cannot be read, or what is read of it cannot be kept.
        DatabaseError: The private store cannot be written.
    """
    path = _path(word)
    if path is None:
        return None
    source = recognising.recognise(path)
    if source is None:
        return None
    line = ProgressLine()

    def told(name: str, done: int, total: int) -> None:
        line.show(f"Reading {fmt.plain(name, 60)}", done, total)

    try:
        store = open_source(source, waits=waits, told=told if waits else None)
    finally:
        line.end()
    store.progress_ends = line.end
    before_the_end(store.close)
    return store


def only_run(store: SourceStore, word: str) -> str | None:
    """Return the name of the only run of a source; None if it has several.

    Raises:
        StoreNotFound: It has none.
    """
    known = store.ask(runs.ids)
    if not known:
        raise StoreNotFound(f"{word} has no runs yet")
    return next(iter(known.values())) if len(known) == 1 else None


def several(store: SourceStore, word: str) -> RunAmbiguous:
    """Return the error for a path that has several runs, where one is needed."""
    names = [name for _, name in store.ask(runs.identities)]
    lines = [f"{quote(word + MARK + name)}" for name in names[:_MOST_LISTED]]
    if len(names) > _MOST_LISTED:
        lines.append(f"and {len(names) - _MOST_LISTED:,} more")
    return RunAmbiguous(f"{word} has {len(names):,} runs: name one of them", lines)


def unknown(word: str, ways: Sequence[str] = ()) -> StoreNotFound | None:
    """Return the error for a path at which nothing is known; None if there is no such path.

    Args:
        word: The path.
        ways: What else a person can do.
    """
    path = _path(word)
    if path is None:
        return None
    has_none = "is not a LUML store: it has no meta.db" if path.is_dir() else "is a file"
    return StoreNotFound(
        f"{word} {has_none}, and nothing else is known in it; it could be",
        (*recognising.LOOKED_FOR, *ways),
    )


def ways(folder: Path) -> list[str]:
    """Return a line for each thing in a folder that can be opened, with the command."""
    return [
        f"{seen.command}   opens {fmt.count(seen.run_count, 'run')} of {seen.tool}"
        for seen in recognising.seen_in(folder)
    ]


def import_runs(
    word: str, names: Sequence[str], store: str | None, group: str | None, *, links: bool
) -> None:
    """Write runs of a path into a store for good, and print a line for each.

    Args:
        word: The path.
        names: Which of its runs; all where none is named.
        store: Which store; as for `stores.open_store`.
        group: The group of runs that are new in it.
        links: Whether attachments are linked where that works.

    Raises:
        StoreError: Nothing is known at the path, it has no such run, or a store cannot be written.
    """
    from flowtui.sources.importing import import_run

    found = opened(word, waits=True)
    if found is None:
        raise unknown(word) or StoreNotFound(f"there is nothing at {word} to import")
    directory = locate(store, os.environ, person.cwd(), person.home()).directory
    if directory.is_file():
        raise StoreNotFound(f"{directory} is a file, not the folder of a store")
    if not names:
        found.settle()
    ids = [found.resolve(name).id for name in names] or [
        one for one, _ in found.ask(runs.identities)
    ]
    for run_id in dict.fromkeys(ids):
        done = import_run(found, found.resolve(run_id), directory, group, links=links)
        name = fmt.plain(done.run.name, 100)
        print(f"{done.run.id}  {name}  {'added' if done.is_new else 'updated'}", flush=True)
        for remark in done.remarks:
            print(f"  {name}: {fmt.plain(remark, 500)}", file=sys.stderr)
    print(f"in {fmt.plain(str(directory), 1_000)}", file=sys.stderr)


def _path(word: str) -> Path | None:
    """Return the path that a word is, unless nothing is there or it is a LUML store."""
    if re.match("[A-Za-z][A-Za-z0-9+.-]*://", word):
        return None
    try:
        path = Path(word).expanduser()
        is_other = path.exists() and path.name != "meta.db" and not (path / "meta.db").exists()
    except (OSError, RuntimeError, ValueError):
        return None
    return path if is_other else None

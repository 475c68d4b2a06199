"""`flow-tui edit`, `delete` and `trash`: the care of runs, without a screen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from shlex import quote

from flowtui import clock
from flowtui import format as fmt
from flowtui.cli.asking import require_word, require_yes
from flowtui.reports.going import goes, named, remarks
from flowtui.reports.usage import WrongUsage
from flowtui.store.care import editing, trash
from flowtui.store.care.going import going
from flowtui.store.care.values import InvalidEdit, NotDeleted, RecordEdit, RecordTable
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store

NAME_CHARACTERS = 80


def edit(store: Store, run: OpenRun, wanted: RecordEdit) -> None:
    """Edit a run, and print what was changed.

    Raises:
        WrongUsage: Nothing is to be changed, or to what is invalid.
        StoreError: The run cannot be edited.
    """
    _require_folder(store)
    if wanted.is_empty:
        raise WrongUsage("give what to change: --name, --description, --tag, --untag or --group")
    try:
        wanted.check()
    except InvalidEdit as error:
        raise WrongUsage(str(error)) from error
    lacking = [tag for tag in wanted.removed_tags if tag not in run.row.tags]
    change = editing.edit(store.meta, RecordTable.RUNS, [run.id], wanted, now=clock.now)
    for tag in lacking:
        print(f"flow-tui: it has no tag {fmt.plain(tag, NAME_CHARACTERS)}", file=sys.stderr)
    name = f"{fmt.plain(wanted.name or run.name, NAME_CHARACTERS)} ({fmt.short_id(run.id)})"
    said = "nothing to change" if change is None else f"changed {', '.join(change.fields)}"
    print(f"{name}: {said}")


def delete(store: Store, run: OpenRun, yes: bool) -> None:
    """Move a run into the trash, after a question that its name or `delete` answers.

    Raises:
        WrongUsage: Nobody can be asked.
        StoreError: The run must not be deleted, or cannot be.
    """
    _require_folder(store)
    (one,) = going(store, [run.id], clock.now())
    if one.why_not:
        raise NotDeleted(f"{run.name} is not deleted: {one.why_not}")
    print(f"delete {named(one)}: {goes([one])}", file=sys.stderr)
    for line in remarks([one]):
        print(line, file=sys.stderr)
    if not yes:
        require_word((run.name, "delete"), "delete", "nothing was deleted")
    trash.delete(store, run.id, clock.now())
    word = quote(fmt.plain(run.id, 200))
    print(f"deleted {named(one)}; flow-tui trash --restore {word} brings it back")


def print_trash(store: Store) -> None:
    """Print the runs of the trash, the one that was deleted last first."""
    _require_folder(store)
    found = trash.trashed_runs(store)
    if not found:
        print("the trash is empty", file=sys.stderr)
    for one in found:
        when = "" if one.deleted_at is None else fmt.when(one.deleted_at)
        size = f"{fmt.count(one.extent.files, 'file')}, {fmt.size(one.extent.size_bytes)}"
        note = fmt.plain(one.why_not, 300)
        if one.is_interrupted:
            note = "interrupted: it is still in the list, without its folder, until it is restored"
        words = [fmt.plain(one.id, 200), fmt.plain(one.name, NAME_CHARACTERS), when, size, note]
        print("  ".join(word for word in words if word))


def restore(store: Store, word: str) -> None:
    """Put a run of the trash back.

    Args:
        store: The store.
        word: Its id, a unique prefix of one, or a name that only one run in the trash has.

    Raises:
        StoreError: There is no such run in the trash, or it cannot be restored.
    """
    _require_folder(store)
    found = trash.trashed_runs(store)
    by_id = [one.id for one in found if one.id == word]
    by_name = [one.id for one in found if one.name == word]
    begun = [one.id for one in found if word and one.id.startswith(word)]
    chosen = next((ids for ids in (by_id, by_name, begun) if ids), [word])
    if len(chosen) > 1:
        raise NotDeleted(f"{word!r} could be any of {_listed(sorted(chosen))}: give more of the id")
    name = trash.restore(store, chosen[0])
    print(f"restored {fmt.plain(name, NAME_CHARACTERS)} ({fmt.short_id(chosen[0])})")


def empty(store: Store, yes: bool) -> None:
    """Remove the runs of the trash for good, after a question.

    Raises:
        WrongUsage: Nobody can be asked.
        StoreError: Something cannot be removed.
    """
    _require_folder(store)
    found = [one for one in trash.trashed_runs(store) if not one.is_interrupted]
    if not found:
        print("the trash is empty", file=sys.stderr)
        return
    size = fmt.size(sum(one.extent.size_bytes for one in found))
    print(f"remove for good: {fmt.count(len(found), 'run')}, {size}", file=sys.stderr)
    if not yes:
        require_yes("remove them", "nothing was removed")
    count = trash.empty(store)
    print(f"removed {fmt.count(count, 'run')}, {size}")


def _require_folder(store: Store) -> None:
    if store.why_read_only:
        raise WrongUsage(store.why_read_only)


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(fmt.plain(one, 200) for one in ids)

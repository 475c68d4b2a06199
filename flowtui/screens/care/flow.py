"""The flow behind the keys e, D and u: editing, deleting, and undoing an edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from flowtui import clock
from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.reports.going import goes, named, remarks
from flowtui.screens.care.form import CareForm, CareSubject
from flowtui.screens.dialogs.confirm import ConfirmScreen, ConflictScreen
from flowtui.screens.dialogs.delete import DeleteScreen
from flowtui.screens.may_write import why_not_written
from flowtui.store.care import editing, models, states, trash
from flowtui.store.care.going import RunGoing, going
from flowtui.store.care.values import (
    InvalidEdit,
    RecordChanged,
    RecordEdit,
    RecordGone,
    RecordsEdited,
    RecordState,
    RecordTable,
)
from flowtui.store.store import Store
from flowtui.widgets.asking import begin

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

T = TypeVar("T")
NAME_CHARACTERS = 60
MOST_LISTED = 20
"""How many of the runs that are to be deleted are named."""
SLOW_S = 0.5
"""How long counting may take before a notice says that it goes on."""
TRASH = "into the store's trash: `flow-tui trash` restores"


class Care:
    """What a session edits and deletes in the store whose runs it lists."""

    def __init__(self, app: Host, store: Store) -> None:
        self._app = app
        self._store = store
        self._undo = editing.undo_stack(store.meta)
        self._is_asking = False

    async def edit(self, table: RecordTable, ids: Sequence[str]) -> None:
        """Open the form for rows, of which several are runs, and write what is changed."""
        await self._alone(partial(self._edit, table, ids))

    async def delete(self, table: RecordTable, ids: Sequence[str]) -> None:
        """Ask, and then delete rows, of which several are runs."""
        of_table = {
            RecordTable.RUNS: partial(self._delete_runs, ids),
            RecordTable.GROUPS: partial(self._delete_group, ids[0]),
            RecordTable.MODELS: partial(self._delete_model, ids[0]),
        }
        await self._alone(of_table[table])

    async def undo(self) -> None:
        """Undo the last edit of the session."""
        await self._alone(self._undo_last)

    async def _alone(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do a job, if the store may be written and no other one is under way."""
        refusal = why_not_written(self._store, self._app.options)
        if refusal:
            self._tell(refusal, is_bad=True)
            return
        if self._is_asking:
            return
        self._is_asking = True
        try:
            await job()
        except NoLongerWanted:
            return
        except Failure as error:
            self._tell(str(error), is_bad=True)
        finally:
            self._is_asking = False

    # Editing ---------------------------------------------------------------------------------

    async def _edit(self, table: RecordTable, ids: Sequence[str]) -> None:
        subject = await self._asked(partial(self._subject, table, ids))

        def save(wanted: RecordEdit, known: Mapping[str, RecordState]) -> RecordsEdited | None:
            meta = self._store.meta
            return editing.edit(meta, table, ids, wanted, known=known, now=clock.now)

        change = await self._app.push_screen_wait(CareForm(subject, save))
        if change is not None:
            self._undo.push(change)
            self._app.store_written()
            self._tell(f"Changed the {_what(change)}   u undoes")

    def _subject(self, table: RecordTable, ids: Sequence[str]) -> CareSubject:
        if len(ids) > editing.MOST_ROWS:
            message = f"at most {editing.MOST_ROWS:,} runs can be edited at once"
            raise InvalidEdit("", message)
        found = self._store.ask(states.states, table, ids)
        if len(found) < len(ids):
            gone = next(one for one in ids if one not in found)
            raise RecordGone(f"the {table.noun} {gone} is not in the store any more")
        only = next(iter(found.values()))
        what = fmt.plain(only.name or only.id, NAME_CHARACTERS)
        title = f"Edit the {table.noun} {what}"
        if len(ids) > 1:
            title = f"Edit the {len(ids):,} marked runs"
        groups = self._store.ask(states.group_names) if table is RecordTable.RUNS else {}
        names = list(dict.fromkeys(name for name in groups.values() if name))
        return CareSubject(title, found, names, self._store.ask(states.tags_in_use, table))

    # Undoing ---------------------------------------------------------------------------------

    async def _undo_last(self) -> None:
        last = self._undo.last
        if last is None:
            self._tell("There is nothing to undo.")
            return
        try:
            await self._written(self._undo.undo)
        except RecordChanged as error:
            if not await self._is_settled(last, error):
                return
        except RecordGone as error:
            # This edit can never be undone; on the stack it would block those before it.
            self._undo.skip()
            self._tell(f"Not undone: {error}", is_bad=True)
            return
        self._app.store_written()
        self._tell(f"Undone: {_what(last)}.")

    async def _is_settled(self, last: RecordsEdited, error: RecordChanged) -> bool:
        """Ask what to do if somebody has changed what is to be undone; say whether it was."""
        now = error.current
        details = [f"now  {fmt.plain(now.name, NAME_CHARACTERS)}   {fmt.plain(now.group, 40)}"]
        question = f"Undo: {_what(last)}?  But {fmt.plain(str(error), 200)}."
        answer = await self._app.push_screen_wait(ConflictScreen(question, details))
        if answer == "overwrite":
            await self._written(partial(self._undo.undo, True))
            return True
        if answer == "skip":
            self._undo.skip()
            self._tell(f"Not undone: {_what(last)}.")
        return False

    # Deleting --------------------------------------------------------------------------------

    async def _delete_runs(self, ids: Sequence[str]) -> None:
        runs = fmt.count(len(ids), "run")
        counting = self._app.set_timer(
            SLOW_S, partial(self._tell, f"Counting what goes with {runs}…")
        )
        try:
            found = await self._asked(partial(going, self._store, ids, clock.now()))
        finally:
            counting.stop()
        upload = self._app.frame.upload if self._app.frame is not None else None
        uploading = upload.run_id if upload is not None and not upload.is_failed else ""
        reasons = {one.run.id: one.why_not for one in found if one.why_not}
        if uploading:
            reasons.setdefault(uploading, "it is being uploaded")
        wanted = [one for one in found if one.run.id not in reasons]
        lines = [
            f"{named(one)}: {fmt.plain(reasons[one.run.id], 300)}"
            for one in found
            if one.run.id in reasons
        ]
        if not wanted:
            self._tell(f"Not deleted: {'; '.join(lines)}", is_bad=True)
            return
        if not await self._app.push_screen_wait(_delete_screen(wanted, lines)):
            return
        done: list[RunGoing] = []
        try:
            for one in wanted:
                await self._written(partial(trash.delete, self._store, one.run.id, clock.now()))
                done.append(one)
        finally:
            if done:
                await self._app.runs_deleted([one.run.id for one in done])
                is_one = len(done) == 1
                what = named(done[0]) if is_one else fmt.count(len(done), "run")
                restored = "it" if is_one else "them"
                self._tell(f"Deleted {what}. `flow-tui trash` restores {restored}.")

    async def _delete_model(self, model_id: str) -> None:
        state = await self._state(RecordTable.MODELS, model_id)
        question = f"Delete the model {fmt.plain(state.name, NAME_CHARACTERS)} for good?"
        details = ["Its row and its file are removed; this cannot be undone."]
        if not await self._app.push_screen_wait(DeleteScreen(question, state.name, details)):
            return
        done = await self._written(partial(models.delete_model, self._store, model_id))
        self._app.store_written()
        said = f"freed {fmt.size(done.freed_bytes)}" if done.freed_bytes else ""
        stays = f"its file stays: {done.why_file_stays}" if done.why_file_stays else said
        self._tell(f"Deleted the model {state.name}" + (f"; {stays}" if stays else ""))

    async def _delete_group(self, group_id: str) -> None:
        state = await self._state(RecordTable.GROUPS, group_id)
        count = await self._asked(partial(self._store.ask, states.run_count, group_id))
        if count:
            runs = fmt.count(count, "run")
            self._tell(f"The group {state.name} has {runs}: move or delete them first.", True)
            return
        question = f"Delete the group {fmt.plain(state.name, NAME_CHARACTERS)}, which has no runs?"
        if await self._app.push_screen_wait(ConfirmScreen(question, ["This cannot be undone."])):
            await self._written(partial(editing.delete_group, self._store.meta, group_id))
            self._app.store_written()
            self._tell(f"Deleted the group {state.name}.")

    async def _state(self, table: RecordTable, id_: str) -> RecordState:
        found = await self._asked(partial(self._store.ask, states.state, table, id_))
        if found is None:
            raise RecordGone(f"the {table.noun} is not in the store any more")
        return found

    # How -------------------------------------------------------------------------------------

    async def _asked(self, question: Callable[[], T]) -> T:
        return await begin(self._app, question).answer()

    async def _written(self, question: Callable[[], T]) -> T:
        return await begin(self._app, question, is_write=True).answer()

    def _tell(self, words: str, is_bad: bool = False) -> None:
        self._app.notify(
            fmt.plain(words, 400),
            severity="warning" if is_bad else "information",
            timeout=6 if is_bad else 3,
            markup=False,
        )


def _delete_screen(wanted: Sequence[RunGoing], refused: Sequence[str]) -> DeleteScreen:
    lines = [goes(wanted), *remarks(wanted)]
    stay = ["", *(f"stays: {line}" for line in refused)] if refused else []
    if len(wanted) == 1:
        return DeleteScreen(
            f"Delete {named(wanted[0])}?", wanted[0].name, [*lines, f"It goes {TRASH} it.", *stay]
        )
    listed = ["", *map(named, wanted[:MOST_LISTED])]
    more = len(wanted) - MOST_LISTED
    rest = [f"… {more:,} more"] if more > 0 else []
    details = [*lines, f"They go {TRASH} them.", *stay, *listed, *rest]
    return DeleteScreen(f"Delete {len(wanted):,} runs?", "", details)


def _what(change: RecordsEdited) -> str:
    """Return what an edit did, in a few words."""
    fields = ", ".join(change.fields)
    if len(change.rows) > 1:
        return f"{fields} of {len(change.rows):,} {change.table.noun}s"
    (row,) = change.rows
    name = row.after.get("name", row.name)
    return f"{fields} of {fmt.plain(str(name), NAME_CHARACTERS)}"

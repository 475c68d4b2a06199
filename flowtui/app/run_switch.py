"""Going from one run to another without the list: to its neighbours there, or by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from flowtui import clock
from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.screens.dialogs.commands import Command, CommandsScreen
from flowtui.store import runs as run_rows
from flowtui.widgets.asking import begin

if TYPE_CHECKING:
    from flowtui.store.liveness.standing import Standing
    from flowtui.store.store import Store
    from flowtui.store.values import Run
    from flowtui.widgets.host import Host

T = TypeVar("T")
NAME_CHARS = 80


class RunSwitch:
    """Finds the run to open next; the app opens it on the tab that is shown."""

    def __init__(self, app: Host, store: Store) -> None:
        self._app = app
        self._store = store

    async def step(self, here: Run, by: int, listed: Sequence[int]) -> None:
        """Open the run that stands below or above one in the list of runs.

        Args:
            here: The run that is open.
            by: 1 for the run below, -1 for the one above.
            listed: The rowids of the runs as they are listed; empty if the list was not shown yet.
        """
        found = await self._asked(partial(_neighbour, self._store, here, by, listed))
        if isinstance(found, str):
            self._app.notify(found, timeout=2)
        elif found is not None:
            self._app.open_run(found)

    async def by_name(self) -> None:
        """Ask for a run by a few letters of its name, and open it; needs a worker."""
        runs = await self._asked(partial(_all_runs, self._store))
        if not runs:
            return
        commands = [
            Command(
                fmt.plain(run.name or run.id, NAME_CHARS),
                _said_of(run, standing),
                partial(self._app.open_run, run),
            )
            for run, standing in runs
        ]
        chosen = await self._app.push_screen_wait(CommandsScreen(commands, "Open a run"))
        if chosen is not None:
            chosen.run()

    async def _asked(self, question: Callable[[], T]) -> T | None:
        try:
            return await begin(self._app, question).answer()
        except NoLongerWanted:
            return None
        except Failure as error:
            self._app.notify(fmt.plain(str(error), 300), severity="error", markup=False)
            return None


def _said_of(run: Run, standing: Standing) -> str:
    state = fmt.run_state_short(run.status, standing)
    words = [fmt.short_id(run.id), fmt.plain(run.group_name or "", 40), state]
    if run.created_at is not None:
        words.append(fmt.when_short(run.created_at))
    return " · ".join(word for word in words if word)


def _all_runs(store: Store) -> list[tuple[Run, Standing]]:
    """Return all runs, the newest first."""
    rowids = store.list.ordered()
    found = store.ask(run_rows.at, rowids)
    standings = store.standings(list(found.values()), clock.now())
    return [(run, standings[run.id]) for rowid in rowids if (run := found.get(rowid)) is not None]


def _neighbour(store: Store, here: Run, by: int, listed: Sequence[int]) -> Run | str:
    """Return the run beside one in the list, or a sentence that says why there is none."""
    rowids = listed or store.list.ordered()
    row = store.ask(run_rows.run, here.id)
    if row is None or row.rowid not in rowids:
        return "The list does not show this run as it is filtered now."
    place = list(rowids).index(row.rowid) + by
    if not 0 <= place < len(rowids):
        return (
            "This is the last run of the list." if by > 0 else "This is the first run of the list."
        )
    found = store.ask(run_rows.at, [rowids[place]])
    return found.get(rowids[place], "That run was deleted.")

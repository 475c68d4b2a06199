"""The comparison of a session: its tabs, and the watch over its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from textual.screen import Screen

from flowtui import clock
from flowtui.failures import Failure, NoLongerWanted
from flowtui.screens.compare.base import CompareScreen, CompareState
from flowtui.store import runs as run_rows
from flowtui.store.changes import Watcher
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.liveness.standing import standing
from flowtui.store.values import Kind
from flowtui.widgets.asking import begin
from flowtui.widgets.compare import RunState
from flowtui.widgets.frame.frame import TABS

if TYPE_CHECKING:
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store
    from flowtui.widgets.host import Host


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the compared runs found, by letter."""

    changed: Mapping[str, frozenset[Kind]]
    states: Mapping[str, RunState]


class Comparing:
    """Keeps the runs that are compared, makes the tabs over them, and watches them."""

    def __init__(self, app: Host, prefix: str) -> None:
        """Take the app, and what the modes of a comparison's tabs begin with."""
        self._app = app
        self._prefix = prefix
        self.state: CompareState | None = None
        self.tabs: dict[str, CompareScreen] = {}
        self._watchers: dict[str, Watcher] = {}
        self._is_looking = False

    def compares(self, opened: Sequence[tuple[Store, OpenRun]]) -> bool:
        """Say whether just these runs are compared already."""
        if self.state is None:
            return False
        return [(of.store, of.run) for of in self.state.runs.runs] == list(opened)

    def ids_in(self, store: Store) -> list[str]:
        """Return the ids of the compared runs that are in a store, the baseline first."""
        runs = () if self.state is None else self.state.runs.runs
        return list(dict.fromkeys(of.run.id for of in runs if of.store is store))

    async def close(self) -> None:
        """Remove the tabs, none of which may be shown now."""
        for tab in TABS if self.state is not None else ():
            await self._app.remove_mode(self._prefix + tab)
        self.state = None
        self.tabs.clear()

    def open(self, opened: Sequence[tuple[Store, OpenRun]]) -> None:
        """Make the tabs over these runs, the baseline first; others must be closed."""
        runs = RunSet.of(opened)
        self.state = CompareState(runs)
        self._watchers = {of.letter: Watcher(of.store.meta, of.run) for of in runs.runs}
        for tab in TABS:
            self._app.add_mode(self._prefix + tab, partial(self._make_tab, tab))

    def _make_tab(self, tab: str) -> Screen[None]:
        assert self.state is not None
        module = import_module(f"flowtui.screens.compare.{tab}")
        screen: CompareScreen = getattr(module, f"Compare{tab.title()}")(self.state)
        self.tabs[tab] = screen
        return screen

    def look(self) -> None:
        """Look for changes of the runs, unless such a look is under way."""
        if self.state is not None and not self._is_looking:
            self._is_looking = True
            self._app.run_worker(self._look(self.state), group="compare-watch")

    async def _look(self, state: CompareState) -> None:
        try:
            question = partial(_looked, state.runs, dict(self._watchers), dict(state.states))
            pending = begin(self._app, question)
            found = await pending.answer()
        except (Failure, NoLongerWanted):
            # Each run's own failure is part of the answer; a fault of ours is reported elsewhere.
            return
        finally:
            self._is_looking = False
        if state is not self.state:
            return
        if state.states != found.states:
            state.states = dict(found.states)
            for screen in self.tabs.values():
                screen.show_state()
        if found.changed:
            for screen in self.tabs.values():
                screen.store_changed(found.changed)

    async def make_tab_again(self, tab: str) -> None:
        """Make a tab anew when it is shown next; it must be hidden now."""
        await self._app.remove_mode(self._prefix + tab)
        self.tabs.pop(tab, None)
        self._app.add_mode(self._prefix + tab, partial(self._make_tab, tab))

    def read_again(self) -> None:
        """Read everything that is shown again."""
        if self.state is not None:
            letters = [of.letter for of in self.state.runs.runs]
            for screen in self.tabs.values():
                screen.store_changed(dict.fromkeys(letters, screen.reads))
            self.look()


def _looked(
    runs: RunSet, watchers: Mapping[str, Watcher], before: Mapping[str, RunState]
) -> Looked:
    changed: dict[str, frozenset[Kind]] = {}
    states: dict[str, RunState] = {}
    for of in runs.runs:
        known = before.get(of.letter)
        kinds, states[of.letter] = _looked_at(of, watchers[of.letter], known)
        if kinds:
            changed[of.letter] = kinds
    return Looked(changed, states)


def _looked_at(
    of: ComparedRun, watcher: Watcher, before: RunState | None
) -> tuple[frozenset[Kind], RunState]:
    try:
        kinds = watcher.look().kinds
        # A first look does not tell that a run has gone since it was opened.
        if Kind.RUN in kinds or before is None or before.problem:
            row = of.store.ask(run_rows.run, of.run.id)
            if row is None:
                return kinds, RunState(problem="deleted")
            of.run.row = row
        now = clock.now()
        signs = of.store.signs([of.run.row], now).get(of.run.id)
        return kinds, RunState(standing(of.run.row, signs, now))
    except ReadCancelled:
        raise
    except StoreError as error:
        return frozenset(), RunState(problem=str(error))

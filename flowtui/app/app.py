"""The application: a mode for each tab, the open run, what it is compared with, and the end.

It is one file, since what is open, the mode that shows it and the lock between two openings change
together. What goes on beside them has files of its own: `watching`, `comparing`, `following` and
`background`.
"""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import AwaitMount

from flowtui import clock, person, screens
from flowtui import format as fmt
from flowtui.app.background import Background
from flowtui.app.key_queue import OPENING
from flowtui.app.shell import Shell
from flowtui.app.watching import Told, Watching
from flowtui.screens.base import TabScreen
from flowtui.store.errors import StoreError
from flowtui.store.liveness.standing import standing
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Kind, Run
from flowtui.terminal.keyboard import TakesText
from flowtui.terminal.link_speed import QUERY, LinkSpeed
from flowtui.widgets.frame.frame import READ_AGAIN, TABS, Frame, HidesKeys, reading_mark
from flowtui.widgets.host import Options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flowtui.app.comparing import Comparing
    from flowtui.app.following import Following
    from flowtui.app.run_switch import RunSwitch
    from flowtui.launch.link import ProgramLink
    from flowtui.screens.care.flow import Care
    from flowtui.screens.runs.screen import RunsScreen
    from flowtui.store.annotations.values import Target
    from flowtui.store.care.values import RecordTable

TICK_EVERY_S = 1.0
"""How often the store is checked for changes and ages on the screen are updated."""
MEASURE_LINK_AFTER_S = 1.0
"""How long after the start the link is measured: until then the terminal is busy drawing."""
RUNS = "runs"
"""The mode of the list of runs; every other mode is a tab of the open run or of a comparison."""
COMPARED = "compare."
"""What the modes of a comparison's tabs begin with."""


def _label(store: Store) -> str:
    """Return where a store is, as a person would write it; one in a registry has no path."""
    place = store.directory
    return fmt.path(place, person.home(), "~") if place.is_absolute() else str(place)


class FlowApp(HidesKeys, Shell):
    """Shows one store: the list of its runs, and one run at a time in five tabs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"show_tab('{tab}')", tab.title(), show=False, id=f"app.{tab}",
                    tooltip=f"Show the run's {tab}")
            for number, tab in enumerate(TABS, start=1)
        ),
        Binding("right_curly_bracket", "step_run(1)", "Next run", show=False, key_display="}",
                id="app.next_run", tooltip="Open the run below in the list, on the same tab"),
        Binding("left_curly_bracket", "step_run(-1)", "Previous run", show=False,
                key_display="{", id="app.previous_run",
                tooltip="Open the run above in the list, on the same tab"),
        Binding("ctrl+o", "open_by_name", "Open by name", show=False, id="app.open_by_name",
                tooltip="Open a run by a few letters of its name"),
        Binding("r", "refresh_now", "Refresh", id="app.refresh",
                tooltip="Look for changes now"),
        Binding("f", "follow", "Follow", show=False, id="app.follow",
                tooltip="Follow what is written, or stop"),
        Binding("U", "upload", "Upload", show=False, id="app.upload",
                tooltip="Upload this run, or show the upload that is under way"),
        Binding("O", "open_registry", "Registry", show=False, id="app.open_registry",
                tooltip="List the runs in the registry, and open one where it lies"),
        Binding("exclamation_mark", "be_told", "Be told", show=False, key_display="!",
                id="app.be_told",
                tooltip="Be told when the run ends, fails, goes quiet or a condition holds"),
        Binding("ctrl+t", "show_console", "Console", show=False, id="app.console",
                tooltip="Show the output of the program that was started, or go back"),
    ]  # fmt: skip

    def __init__(
        self,
        store: Store,
        run: OpenRun | None,
        options: Options,
        compared: Sequence[tuple[Store, OpenRun]] = (),
        program: ProgramLink | None = None,
    ) -> None:
        """Make the app.

        Args:
            store: The store whose runs are listed.
            run: The run that is shown first; None for the list of runs.
            options: How it is shown.
            compared: Runs with their stores that are compared first, the baseline first.
            program: The program whose run is shown first, if one was started.
        """
        # Textual reads the first mode from the class; here it depends on what is opened.
        prefix = COMPARED if compared else ""
        is_over_runs = run is not None or bool(compared)
        self.DEFAULT_MODE = prefix + options.tab if is_over_runs else RUNS  # type: ignore[misc]
        super().__init__(options)
        self.store = store
        self._run_store = store
        """The store of the open run: the one that is listed, unless it is one of the registry."""
        self.store_label = _label(store)
        self.follows = True
        self._run = run
        told = Told(self._list_changed, self._tabs_changed, self.show_frame)
        self.watching = Watching(self, store, run, told)
        self._opening = asyncio.Lock()
        self._tabs: dict[str, TabScreen] = {}
        self._runs_screen: RunsScreen | None = None
        self.background = Background(self)
        self._following: Following | None = None
        if program is not None and run is not None:
            from flowtui.app.following import Following

            self._following = Following(self, program, store, run)
        self._comparing: Comparing | None = None
        self._care: Care | None = None
        if compared:
            self._comparisons().open(compared)
        self.add_mode(RUNS, self._make_runs_screen)
        for tab in TABS:
            self.add_mode(tab, partial(self._make_tab, tab))
        self._link_speed = LinkSpeed(options.is_slow)
        self._is_measuring_link = False

    # Screens ---------------------------------------------------------------------------------

    def _make_runs_screen(self) -> Screen[None]:
        from flowtui.screens.runs.screen import RunsScreen

        opened = None if self._run is None else self._run.row
        marked = () if self._comparing is None else self._comparing.ids_in(self.store)
        self._runs_screen = RunsScreen(self.store, opened, marked)
        return self._runs_screen

    def _make_tab(self, tab: str) -> Screen[None]:
        # Each tab's code is imported when it is first shown.
        from importlib import import_module

        assert self._run is not None
        module = import_module(f"flowtui.screens.{tab}.screen")
        screen: TabScreen = getattr(module, f"{tab.title()}Screen")(self._run_store, self._run)
        self._tabs[tab] = screen
        return screen

    @work(group="opening")
    async def open_run(self, run: Run, store: Store | None = None) -> None:
        """Show a run, of another store if one is given, and close the tabs of the one before.

        It is shown on the tab that is shown now or, from the list of runs, on the first one.
        """
        tab = self.current_mode if self.current_mode in TABS else self.options.tab
        # Without the lock, Enter pressed twice would build the tabs of a run twice.
        async with self._opening:
            of = store or self.store
            if self._run is None or self._run.id != run.id or self._run_store is not of:
                if not await self.background.may_open(run):
                    return
                try:
                    opened = of.opened(run)
                except StoreError as error:
                    # Any writer may choose an id, also one that is no folder of the store.
                    self.notify(
                        fmt.plain(str(error), 300),
                        title="Not opened",
                        severity="error",
                        markup=False,
                    )
                    return
                await self._close_tabs()
                self._run_store = of
                self._run = opened
                self.watching.begin(of, opened)
            self.watching.read()
            await self.switch_mode(tab)

    @work(group="opening")
    async def action_step_run(self, by: int) -> None:
        if (run := self._run_in_sight) is not None:
            listed = () if self._runs_screen is None else self._runs_screen.listed
            await self._run_switch().step(run.row, by, listed)

    @work(group="opening")
    async def action_open_by_name(self) -> None:
        await self._run_switch().by_name()

    def _run_switch(self) -> RunSwitch:
        from flowtui.app.run_switch import RunSwitch

        return RunSwitch(self, self.store)

    async def _close_tabs(self) -> None:
        # Textual cannot remove the current mode.
        await self.switch_mode(RUNS)
        for name in TABS:
            await self.remove_mode(name)
            self.add_mode(name, partial(self._make_tab, name))
        self._tabs.clear()

    async def make_tab_again(self, tab: str) -> None:
        if tab.startswith(COMPARED):
            assert self._comparing is not None
            await self._comparing.make_tab_again(tab.removeprefix(COMPARED))
            return
        await self.remove_mode(tab)
        self._tabs.pop(tab, None)
        self.add_mode(tab, self._make_runs_screen if tab == RUNS else partial(self._make_tab, tab))

    def show_tab(self, tab: str) -> AwaitMount | None:
        """Show a tab, or the list of runs; do nothing while another run is being opened.

        In a comparison it is the comparison's tab, and so it is on the list while no run is open.
        """
        if self._opening.locked():
            return None
        is_of_comparison = self._is_comparing or (self._run is None and self._has_comparison)
        return self.switch_mode(COMPARED + tab if is_of_comparison and tab != RUNS else tab)

    async def action_show_tab(self, tab: str) -> None:
        if (shown := self.show_tab(tab)) is not None:
            await shown

    async def action_show_console(self) -> None:
        if self._following is not None:
            await self._following.toggle()

    def _comparisons(self) -> Comparing:
        if self._comparing is None:
            # Most sessions compare nothing, and the first paint has no time for its import.
            from flowtui.app.comparing import Comparing

            self._comparing = Comparing(self, COMPARED)
        return self._comparing

    @work(group="opening")
    async def compare(self, opened: Sequence[tuple[Store, OpenRun]]) -> None:
        """Show a comparison of runs, the baseline first; of the same runs it is where it was."""
        comparing = self._comparisons()
        async with self._opening:
            if not comparing.compares(opened):
                if self._is_comparing:
                    await self.switch_mode(RUNS)
                await comparing.close()
                comparing.open(opened)
            assert comparing.state is not None
            await self.switch_mode(COMPARED + comparing.state.tab)
        comparing.look()

    def compare_traces(self, traces: Mapping[str, str]) -> None:
        """Show traces of the compared runs, by letter, side by side."""
        self._show_compared("traces", traces)

    def compare_file(self, path: str) -> None:
        """Show how a file that compared runs attached differs, by its path."""
        self._show_compared("attachments", path)

    @work
    async def _show_compared(self, tab: str, what: object) -> None:
        assert self._comparing is not None
        async with self._opening:
            await self.switch_mode(f"{COMPARED}{tab}")
        self._comparing.tabs[tab].follow(what)

    @property
    def _has_comparison(self) -> bool:
        return self._comparing is not None and self._comparing.state is not None

    @property
    def _is_comparing(self) -> bool:
        return self.current_mode.startswith(COMPARED)

    @work
    async def follow(self, target: Target, back_to: str) -> None:
        """Show a span or a sample on its own tab, where Esc leads back to the tab `back_to`."""
        from flowtui.store.annotations.values import SpanTarget

        tab = "traces" if isinstance(target, SpanTarget) else "evals"
        async with self._opening:
            await self.switch_mode(tab)
        self._tabs[tab].follow(target, back_to)

    def show_runs(self) -> None:
        """Show the list of runs; the run's tabs stay as they are."""
        self.show_tab(RUNS)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "upload":
            return self._run_in_sight is not None or self.background.upload is not None
        if action in ("be_told", "step_run"):
            return self._run_in_sight is not None
        if action == "show_console":
            return self._following is not None
        if action == "show_tab":
            return self._run is not None or self._has_comparison
        return super().check_action(action, parameters)

    def hides(self, action: str) -> bool:
        # What is read again by itself needs no key, as long as it can be read.
        return action == READ_AGAIN and not getattr(self.screen, "has_failed", False)

    # Live ------------------------------------------------------------------------------------

    @property
    def _run_label(self) -> str:
        """Where the open run is, as a person would write it."""
        return self.store_label if self._run_store is self.store else _label(self._run_store)

    @property
    def frame(self) -> Frame | None:
        """What the lines above and below each tab say now."""
        if self._run is None:
            return None
        now = clock.now()
        signs = self.watching.signs
        written_at = None if signs is None else signs.written_at
        age_s = None if written_at is None else max((now - written_at).total_seconds(), 0.0)
        return Frame(
            run=self._run.row,
            counts=self.watching.counts,
            store=self._run_label,
            standing=standing(self._run.row, signs, now),
            follows=self.follows,
            age_s=age_s,
            problem=self.watching.problem,
            reading=reading_mark(self.watching.reading),
            upload=self.background.upload,
            collect=self.background.collect,
            alarm=self.background.alarm,
            program=None if self._following is None else self._following.mark,
        )

    def on_mount(self) -> None:
        self.set_interval(TICK_EVERY_S, self._tick)
        self.watching.read()
        if self._comparing is not None:
            self._comparing.look()
        if self._following is not None:
            self._following.start()
        if self.session.is_ssh:
            self.set_timer(MEASURE_LINK_AFTER_S, self._measure_link)

    def after_first_paint(self) -> None:
        super().after_first_paint()
        self.watching.look()
        # It loads ctypes, for which there was no time before.
        from flowtui.memory import give_back_large_blocks

        give_back_large_blocks()
        # The style sheets of the other screens: parsed earlier they would delay the first paint,
        # and parsed later the first look at a tab.
        for path in Path(screens.__file__).parent.rglob("*.tcss"):
            if not self.stylesheet.has_source(str(path), ""):
                self.stylesheet.read(path)
        self.stylesheet.reparse()

    def _tick(self) -> None:
        # Textual removes the widgets before it stops the timers: a late tick would find none.
        if not self.is_running:
            return
        if self._process_end.is_terminal_gone:
            self._process_end.leave_soon(128 + signal.SIGHUP, self._leave)
            return
        if not self._link_speed.is_due():
            return
        self.background.look()
        if self.follows:
            self.watching.look()
            if self._comparing is not None:
                self._comparing.look()
        if self._run is not None and self._run.row.is_active:
            self.show_frame()
        if self._runs_screen is not None and self.follows:
            self._runs_screen.tick()
        self._show_ages()

    def _show_ages(self) -> None:
        """Show how old annotations are by now, also where they show through a form."""
        from flowtui.widgets.lists.annotation_list import AnnotationList

        for screen in self.screen_stack:
            for shown in screen.query(AnnotationList):
                shown.show_ages()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # A blinking cursor would send bytes over the link twice a second, all the time.
        is_far = self.session.is_ssh or self._link_speed.is_slow
        if is_far and isinstance(event.widget, TakesText):
            event.widget.cursor_blink = False

    @property
    def is_link_slow(self) -> bool:
        return self._link_speed.is_slow

    def _measure_link(self) -> None:
        assert self.terminal_driver is not None
        self._is_measuring_link = True
        self.terminal_driver.write(QUERY)

    def on_terminal_supports_synchronized_output(self) -> None:
        from flowtui.terminal.driver import DiffDriver

        # The answer to Textual's own query at the start is late on any link, and says nothing.
        if self._is_measuring_link and isinstance(self.terminal_driver, DiffDriver):
            self._link_speed.answered(self.terminal_driver.round_trip_s)

    def _list_changed(self) -> None:
        if self._runs_screen is not None:
            self._runs_screen.list_changed()

    def _tabs_changed(self, kinds: frozenset[Kind] | None) -> None:
        """Have the tabs read these kinds of records again, or all that they show."""
        for screen in self._tabs.values():
            screen.store_changed(screen.reads if kinds is None else kinds)

    def show_frame(self) -> None:
        """Show the present frame in every tab."""
        frame = self.frame
        for screen in self._tabs.values():
            screen.frame = frame
        if self._following is not None and self._following.screen is not None:
            self._following.screen.frame = frame

    def action_refresh_now(self) -> None:
        self.watching.look()
        self.watching.read_all()
        self._list_changed()
        if self._comparing is not None:
            self._comparing.read_again()

    def action_follow(self) -> None:
        self.follows = not self.follows
        self.show_frame()
        if self.follows:
            self.watching.look()

    # Editing and deleting --------------------------------------------------------------------

    def edit(self, table: RecordTable, ids: Sequence[str]) -> None:
        self.run_worker(self._caring().edit(table, ids), group=OPENING)

    def delete(self, table: RecordTable, ids: Sequence[str]) -> None:
        self.run_worker(self._caring().delete(table, ids), group=OPENING)

    def undo_edit(self) -> None:
        self.run_worker(self._caring().undo(), group=OPENING)

    def _caring(self) -> Care:
        if self._care is None:
            from flowtui.screens.care.flow import Care

            self._care = Care(self, self.store)
        return self._care

    def store_written(self) -> None:
        self.watching.look()
        self._list_changed()
        if self._comparing is not None:
            self._comparing.look()

    async def runs_deleted(self, run_ids: Sequence[str]) -> None:
        async with self._opening:
            is_here = self._run_store is self.store
            if self._run is not None and is_here and self._run.id in run_ids:
                await self._close_tabs()
                self._run = None
                self.watching.begin(self.store, None)
        if self._runs_screen is not None:
            self._runs_screen.unmark(run_ids)
        self.store_written()

    # In the background -----------------------------------------------------------------------

    @property
    def _run_in_sight(self) -> OpenRun | None:
        """The open run, while one of its tabs is shown."""
        return self._run if self.current_mode in TABS else None

    def action_upload(self) -> None:
        self.background.open_upload(self._run_store, self._run_in_sight)

    def action_open_registry(self) -> None:
        self.background.open_registry(self.store)

    def action_be_told(self) -> None:
        if (run := self._run_in_sight) is not None:
            self.background.open_alarm(self._run_store, run)

    def send_notice(self, sequence: str) -> None:
        """Send a bell or a notice to the terminal."""
        if self.terminal_driver is not None:
            self.terminal_driver.write(sequence)

    def retry_upload(self) -> None:
        self.background.retry_upload()

    def end_upload(self) -> None:
        self.background.end_upload()

    def open_collector(self) -> None:
        assert self._run is not None
        self.background.open_collector(self._run_store, self._run)

    def show_upload(self) -> None:
        """Show the upload's progress in every tab; after its end, read what it has recorded."""
        self.show_frame()
        if not self.background.is_uploading:
            self._tabs_changed(frozenset({Kind.RUN}))
            self.watching.look()

    # How it ends -----------------------------------------------------------------------------

    async def action_quit(self) -> None:
        if self._following is not None and self._following.is_running:
            self._following.ask_to_leave(self.background.quit)
        else:
            self.background.quit()

    def on_unmount(self) -> None:
        if self._following is not None:
            self._following.close()
        self.background.close()

"""What `flow-tui [RUN]` does: open the store and run the app, or print without a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from flowtui import person
from flowtui.cli.stores import RunsAtPath, naming_others, open_located, open_run, open_store
from flowtui.cli.telling import is_terminal, settings_told, told_by_app
from flowtui.reports.usage import WrongUsage
from flowtui.settings import settings as settings_file
from flowtui.settings.values import THEMES
from flowtui.store.errors import RunNotFound, StoreError, StoreNotFound

if TYPE_CHECKING:
    from flowtui.app.shell import Shell
    from flowtui.launch.link import ProgramLink
    from flowtui.settings.in_force import Given
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store
    from flowtui.store.values import StoreLocation
    from flowtui.widgets.host import Options

COMMANDS = (
    "open",
    "demo",
    "list",
    "show",
    "metrics",
    "traces",
    "evals",
    "compare",
    "run",
    "wait",
    "export",
    "upload",
    "import",
    "edit",
    "delete",
    "trash",
    "ingest",
    "collect",
    "registry",
    "cache",
    "config",
    "doctor",
    "help",
)
"""Words that are not a RUN; `flow-tui open NAME` opens a run of such a name."""
COMMAND_LIKENESS = 0.6
TABS = ("overview", "metrics", "traces", "evals", "attachments")


@dataclass(frozen=True, slots=True)
class Opening:
    """What to open, and how."""

    run: str | None = None
    store: str | None = None
    tab: str = TABS[0]
    read_only: bool = False
    user: str | None = None
    theme: str | None = None
    is_slow: bool | None = None
    allow_large: bool = False
    may_be_command: bool = False
    """Whether `run` stands where a command may stand, so that it may be a mistyped one."""

    def carry_out(self) -> NoReturn:
        """Open it, and leave with the app's exit code.

        Raises:
            StoreError: There is no such store or run.
            WrongUsage: There is no such tab, theme or command.
        """
        self.checked()
        try:
            with told_by_app(is_terminal()):
                store, run = self._opened()
        except StoreNotFound as error:
            if self.run is not None:
                raise
            if error.place is None or not is_terminal():
                raise naming_others(error, self.store) from error
            store, run = self._awaited(error.place), None
        if is_terminal():
            self.run_app(store, run)
        if run is not None:
            from flowtui.reports import runs

            runs.print_run(store, run)
        else:
            from flowtui.reports import run_table
            from flowtui.screens.compare.chosen_directions import chosen_directions

            store.settle()
            usual = settings_told("columns").columns
            wanted = run_table.ListRequest(usual=usual, chosen=chosen_directions())
            run_table.print_runs(store, wanted)
        sys.exit(0)

    def checked(self) -> None:
        """Check the words that the options take.

        Raises:
            WrongUsage: There is no such tab or theme.
        """
        if self.tab not in TABS:
            raise WrongUsage(f"--tab {self.tab!r} is not one of {', '.join(TABS)}")
        if self.theme is not None and self.theme not in THEMES:
            raise WrongUsage(f"--theme {self.theme!r} is not one of {', '.join(THEMES)}")

    def _opened(self) -> tuple[Store, OpenRun | None]:
        waits = not is_terminal()
        if self.run is None:
            return open_located(self.store, self.allow_large, waits), None
        try:
            return open_run(self.run, self.store, self.allow_large, waits)
        except RunsAtPath as found:
            return found.store, None
        except (RunNotFound, StoreNotFound) as error:
            near = commands_near(self.run) if self.may_be_command else []
            if not near:
                raise
            raise WrongUsage(
                f"there is no command {self.run!r} (closest: {', '.join(near)}), and {error}"
            ) from error

    def run_app(
        self,
        store: Store,
        run: OpenRun | None,
        compared: Sequence[tuple[Store, OpenRun]] = (),
        program: ProgramLink | None = None,
    ) -> NoReturn:
        """Run the app on a run, on the list of runs, or on a comparison; leave with its code."""
        from flowtui.app.app import FlowApp

        app = FlowApp(store, run, self._options(), compared, program)
        app.take_signals()
        for one in dict.fromkeys((store, *(of for of, _ in compared))):
            one.follow()
        try:
            app.run(mouse=app.options.takes_mouse)
        finally:
            for one in dict.fromkeys((store, *(of for of, _ in compared))):
                one.close()
        self._left(app)

    def _awaited(self, place: StoreLocation) -> Store:
        """Say in the app that there is no store, and return the one that appears; else leave."""
        from flowtui.app.welcome import WelcomeApp
        from flowtui.sources import recognising

        others = recognising.seen_in(person.cwd()) if self.store is None else ()
        app = WelcomeApp(self._options(), place, self._is_there, others)
        app.take_signals()
        app.run(mouse=app.options.takes_mouse)
        if not app.has_appeared:
            self._left(app)
        return open_store(self.store, self.allow_large)

    def _is_there(self) -> bool:
        try:
            # Asked every second: what else is in the folder was looked at once.
            open_located(self.store).close()
        except StoreError:
            return False
        return True

    def _left(self, app: Shell) -> NoReturn:
        """Leave with the exit code of an app, or open the runs for which it was left."""
        if app.wants_demo:
            from flowtui.cli.demo import DEMO_RUN, demo_store

            directory = demo_store(person.folder("cache"))
            replace(self, run=DEMO_RUN, store=str(directory), tab=TABS[0]).carry_out()
        if app.wants_path:
            replace(self, store=app.wants_path).carry_out()
        sys.exit(app.return_code or 0)

    def given(self) -> Given:
        """Return what it says about what config.toml may say too.

        Raises:
            WrongUsage: There is no such theme.
        """
        from flowtui.settings.in_force import Given

        self.checked()
        return Given(self.store, self.theme, self.user, self.is_slow)

    def _options(self) -> Options:
        """Return what is in force of the options, the environment and the person's settings."""
        from flowtui.settings import in_force
        from flowtui.terminal.session import session
        from flowtui.widgets.host import Options

        here = session(os.environ)
        # Textual and Rich look at this variable alone, which SSH seldom passes on, and screen does.
        if here.is_truecolor:
            os.environ["COLORTERM"] = "truecolor"
        else:
            os.environ.pop("COLORTERM", None)
        settings = settings_file.settings()
        given = self.given()
        keymap: Mapping[str, str] = {}
        mistakes = settings.mistakes
        if settings.keys:
            from flowtui.settings.keymap import checked

            keymap, of_keys = checked(settings)
            mistakes = tuple(sorted((*mistakes, *of_keys)))
        return Options(
            self.tab,
            str(in_force.theme(given, settings, here).value),
            self.read_only,
            str(in_force.user(given, settings, os.environ).value),
            bool(in_force.is_slow(given, settings).value),
            settings.theme,
            settings.columns,
            settings.pictures,
            keymap,
            bool(in_force.takes_mouse(settings, here).value),
            tuple(map(str, mistakes)),
        )


def commands_near(word: str) -> list[str]:
    """Return the commands that a word may mean: those that begin with it or look like it."""
    import difflib

    from flowtui.store.location import LATEST

    begun = [command for command in COMMANDS if len(word) > 1 and command.startswith(word.lower())]
    known = (*COMMANDS, LATEST)
    return begun or difflib.get_close_matches(word.lower(), known, 2, COMMAND_LIKENESS)

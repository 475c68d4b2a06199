"""What `flow-tui [RUN]` does: open the store and run the app, or print without a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from flowtui import person
from flowtui.cli.standard_streams import OutputFailed, print_no_more
from flowtui.registry.errors import RegistryError
from flowtui.reports.usage import WrongUsage
from flowtui.settings import settings as settings_file
from flowtui.settings.values import THEMES, Mistake
from flowtui.store.errors import (
    FilterError,
    RunAmbiguous,
    RunNotFound,
    StoreError,
    StoreNotFound,
)

if TYPE_CHECKING:
    from flowtui.app.shell import Shell
    from flowtui.launch.link import ProgramLink
    from flowtui.settings.in_force import Given
    from flowtui.settings.values import Settings
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
ARTIFACT_SUFFIX = ".luml"
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
            with _told_by_app(is_terminal()):
                store, run = self._opened()
        except StoreNotFound as error:
            if self.run is not None:
                raise
            if error.place is None or not is_terminal():
                raise _naming_others(error, self.store) from error
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
            return _opened_store(self.store, self.allow_large, waits), None
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
            app.run()
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
        app.run()
        if not app.has_appeared:
            self._left(app)
        return open_store(self.store, self.allow_large)

    def _is_there(self) -> bool:
        try:
            # Asked every second: what else is in the folder was looked at once.
            _opened_store(self.store).close()
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
            tuple(map(str, mistakes)),
        )


def settings_told(*names: str) -> Settings:
    """Return the person's settings, and tell once on stderr what of some cannot be used.

    Args:
        names: The settings that are needed; what is wrong with the others concerns nobody here.
    """
    settings = settings_file.settings()
    for mistake in settings.mistakes:
        if mistake.key in ("", *names) and mistake not in _told:
            _told[mistake] = None
            if not (_is_app_to_tell or _is_completing()):
                print(f"flow-tui: {mistake}", file=sys.stderr)
    return settings


_told: dict[Mistake, None] = {}
_is_app_to_tell = False


@contextmanager
def _told_by_app(is_told: bool) -> Iterator[None]:
    """Tell of mistakes in settings on stderr only if the app, which tells them, is not reached."""
    global _is_app_to_tell
    _is_app_to_tell = is_told
    try:
        yield
    except Exception:
        for mistake in _told if is_told else ():
            print(f"flow-tui: {mistake}", file=sys.stderr)
        raise
    finally:
        _is_app_to_tell = False


def located(option: str | None) -> StoreLocation:
    """Return where the store is that an option, the environment, the folder or settings name.

    Raises:
        StoreNotFound: It cannot be said.
    """
    from flowtui.store.location import locate

    named = None if option is not None else settings_told("store").place
    return locate(option, os.environ, person.cwd(), person.home(), named)


def _is_completing() -> bool:
    """Say whether a shell completes a word, where nobody can be told or asked anything."""
    return "_FLOW_TUI_COMPLETE" in os.environ


def commands_near(word: str) -> list[str]:
    """Return the commands that a word may mean: those that begin with it or look like it."""
    import difflib

    from flowtui.store.location import LATEST

    begun = [command for command in COMMANDS if len(word) > 1 and command.startswith(word.lower())]
    known = (*COMMANDS, LATEST)
    return begun or difflib.get_close_matches(word.lower(), known, 2, COMMAND_LIKENESS)


class RunsAtPath(RunAmbiguous):
    """A path has several runs of another tool, where one was to be named; carries their store."""

    def __init__(self, store: Store, ambiguous: RunAmbiguous) -> None:
        super().__init__(str(ambiguous), ambiguous.matches)
        self.store = store


def open_run(
    word: str, option: str | None, allow_large: bool = False, waits: bool = True
) -> tuple[Store, OpenRun]:
    """Open a run and the store that it is in: the one in an artifact, or the one that a word names.

    Args:
        word: A path to an artifact that ends in .luml or has a separator in it, a word that
            `Store.resolve` takes, a path of another tool's runs, with `::NAME` if it has several,
            or one that names a run in the registry.
        option: Which store, as for `open_store`.
        allow_large: Whether an artifact may unpack to more than is usual, without asking.
        waits: Whether a run of another tool is read to its end before it is shown.

    Raises:
        StoreError: There is no such store, run or file.
        RunsAtPath: It is a path with several runs.
        RegistryError: It cannot be read from the registry.
    """
    if option is None and _is_artifact(word):
        store = open_artifact(Path(word), allow_large)
        return store, store.resolve("latest")
    try:
        store = open_store(option, allow_large, waits)
        return store, store.resolve(word)
    except (RunNotFound, StoreNotFound) as error:
        if word.endswith(ARTIFACT_SUFFIX):
            raise RunNotFound(f"{_no_file(word)}, and there is no run of that name") from error
        if option is None and (found := run_of_source(word, waits)) is not None:
            return found
        from flowtui.cli import remote

        return remote.opened(word, error, allow_large)


def run_of_source(word: str, waits: bool) -> tuple[Store, OpenRun] | None:
    """Open a run by the path of what another tool wrote; None if there is nothing at such a path.

    Raises:
        StoreError: It cannot be read, or has no such run, or nothing is known at the path.
        RunsAtPath: It has several runs, and the word names none of them.
    """
    path, mark, name = word.rpartition("::")
    path = path if mark and not Path(word).exists() else word
    if not Path(path).expanduser().exists():
        return None
    from flowtui.cli import sources

    store = sources.opened(path, waits=waits)
    if store is None:
        nothing = sources.unknown(path)
        if nothing is not None:
            raise nothing
        return None
    wanted = name if path != word else sources.only_run(store, path)
    if wanted is None:
        raise RunsAtPath(store, sources.several(store, path))
    return store, store.resolve(wanted)


def open_file(word: str, option: str | None, allow_large: bool = False) -> Store:
    """Open the artifact or the runs of another tool at a path, where no run is taken.

    Raises:
        WrongUsage: The path is of neither, or a store is named beside it.
        StoreError: It cannot be read.
    """
    if _is_artifact(word):
        if option is not None:
            raise WrongUsage(f"{word} and --store {option} are two stores: give one")
        return open_artifact(Path(word), allow_large)
    if word.endswith(ARTIFACT_SUFFIX):
        raise WrongUsage(_no_file(word))
    from shlex import quote

    from flowtui.cli import sources

    if option is None and (found := sources.opened(word, waits=True)) is not None:
        return found
    typed = quote(word)
    if Path(word).is_dir():
        raise WrongUsage(f"{word!r} is a folder; to name a store: flow-tui list --store {typed}")
    raise WrongUsage(
        f"{word!r} is not a .luml file; for one run: flow-tui show {typed}, "
        f"for all runs of that name: flow-tui list --filter {typed}"
    )


def _no_file(word: str) -> str:
    return (
        f"{word} is a folder, not a .luml file"
        if Path(word).is_dir()
        else f"there is no file {word}"
    )


def _is_artifact(word: str) -> bool:
    is_path = word.endswith(ARTIFACT_SUFFIX) or os.sep in word
    return is_path and Path(word).is_file()


def open_store(option: str | None, allow_large: bool = False, waits: bool = True) -> Store:
    """Open the store that an option, the environment or the folder names, or an artifact.

    Args:
        option: A folder, an artifact, or a path of what another tool wrote.
        allow_large: Whether an artifact may unpack to more than is usual, without asking.
        waits: Whether runs of another tool are read to their ends before they are shown.

    Raises:
        StoreNotFound: There is none; its ways name the runs of other tools that are in the folder.
        StoreError: It cannot be read.
    """
    try:
        return _opened_store(option, allow_large, waits)
    except StoreNotFound as error:
        raise _naming_others(error, option) from error


def _naming_others(error: StoreNotFound, option: str | None) -> StoreNotFound:
    """Return the error with the runs of other tools in the folder, where no store was named."""
    if option is not None:
        return error
    from flowtui.cli import sources

    ways = (*sources.ways(person.cwd()), *error.ways)
    return StoreNotFound(str(error), ways, error.place)


def _opened_store(option: str | None, allow_large: bool = False, waits: bool = True) -> Store:
    """Open a store as `open_store` does, without a look around in the folder if there is none."""
    from flowtui.store.store import Store

    if option is not None and option.endswith(ARTIFACT_SUFFIX) and Path(option).is_file():
        return open_artifact(Path(option), allow_large)
    try:
        return Store(located(option))
    except StoreNotFound as error:
        if option is None:
            raise
        from flowtui.cli import sources

        found = sources.opened(option, waits=waits)
        if found is None:
            raise sources.unknown(option, error.ways) or error from error
        return found


def open_artifact(path: Path, allow_large: bool) -> Store:
    """Open the artifact in a file, asking first if it is unusually large.

    Raises:
        StoreError: It cannot be read, or nobody agreed to unpack it.
    """
    # Imported here, since it loads tar and zip, and few people open an artifact.
    from flowtui.store.archive.opening import open_artifact
    from flowtui.store.archive.values import ArtifactError, ArtifactTooLarge
    from flowtui.terminal.shutdown import before_the_end

    try:
        store = open_artifact(path, allow_large)
    except ArtifactTooLarge as large:
        if _is_completing() or not (sys.stdin.isatty() and sys.stderr.isatty()):
            message = f"{large}; --allow-large unpacks it all the same"
            raise ArtifactError(message) from large
        from flowtui.format import plain

        question = f"flow-tui: {plain(str(large), 2_000)}. Unpack it all the same? [y/N] "
        print(question, end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise ArtifactError(f"{path} was not opened") from large
        store = open_artifact(path, allow_large=True)
    before_the_end(store.close)
    return store


def is_terminal() -> bool:
    """Say whether an app can be shown here."""
    is_dumb = os.environ.get("TERM", "") in ("", "dumb")
    return sys.stdout.isatty() and sys.stdin.isatty() and not is_dumb


@contextmanager
def errors_as_one_line() -> Iterator[None]:
    """Turn what a person can do something about into a line on stderr and an exit code.

    Suggestions follow below it, one on each line.
    """
    try:
        yield
    except (StoreError, RegistryError, WrongUsage) as error:
        from flowtui.format import plain

        where = ""
        if isinstance(error, FilterError):
            where = f"--filter, character {error.position + 1}: "
        print(f"flow-tui: {where}{plain(str(error), 2_000)}", file=sys.stderr)
        below: Sequence[str] = ()
        if isinstance(error, RunAmbiguous):
            below = error.matches
        elif isinstance(error, StoreNotFound):
            below = error.ways
        for line in below:
            print(f"  {plain(line, 300)}", file=sys.stderr)
        sys.exit(2 if isinstance(error, (WrongUsage, FilterError)) else 1)
    except OutputFailed as error:
        print_no_more()
        print(f"flow-tui: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of the pipe has closed it.
        print_no_more()
        sys.exit(1)
    except OSError as error:
        from flowtui.format import plain

        where = "" if error.filename is None else f"{plain(str(error.filename), 1_000)}: "
        print(f"flow-tui: {where}{_reason(error)}", file=sys.stderr)
        sys.exit(1)


def _reason(error: OSError) -> str:
    from flowtui import temporary

    if temporary.is_full(error):
        return "there is no room left on the disk: free some, or set TMPDIR to another folder"
    return error.strerror or str(error)

"""Opening what is named: the store by an option, the environment or the folder, a run by a word."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui import person
from flowtui.cli.telling import is_completing, settings_told
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import RunAmbiguous, RunNotFound, StoreNotFound

if TYPE_CHECKING:
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store
    from flowtui.store.values import StoreLocation

ARTIFACT_SUFFIX = ".luml"


def located(option: str | None) -> StoreLocation:
    """Return where the store is that an option, the environment, the folder or settings name.

    Raises:
        StoreNotFound: It cannot be said.
    """
    from flowtui.store.location import locate

    named = None if option is not None else settings_told("store").place
    return locate(option, os.environ, person.cwd(), person.home(), named)


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
        return open_located(option, allow_large, waits)
    except StoreNotFound as error:
        raise naming_others(error, option) from error


def naming_others(error: StoreNotFound, option: str | None) -> StoreNotFound:
    """Return the error with the runs of other tools in the folder, where no store was named."""
    if option is not None:
        return error
    from flowtui.cli import sources

    ways = (*sources.ways(person.cwd()), *error.ways)
    return StoreNotFound(str(error), ways, error.place)


def open_located(option: str | None, allow_large: bool = False, waits: bool = True) -> Store:
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
        if is_completing() or not (sys.stdin.isatty() and sys.stderr.isatty()):
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

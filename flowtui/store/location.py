"""Where the store is, and which run a word names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from flowtui import person
from flowtui.person import NO_HOME
from flowtui.store.closest import closest
from flowtui.store.errors import RunAmbiguous, RunNotFound, StoreNotFound
from flowtui.store.values import Run, StoreLocation

VARIABLES = ("LUML_BACKEND_STORE_URI", "BACKEND_STORE_URI")
LATEST = "latest"
OPTION = "--store"
WAYS = (
    "flow-tui demo         shows what this is, with runs that are made up",
    "flow-tui run -- CMD   starts a program, traces it, and shows its run",
    "flow-tui --store DIR  opens a store that is somewhere else",
)
OF_THE_SDK = "luml-sdk makes one with its first run (pip install luml-sdk):"


def locate(
    option: str | None,
    environ: Mapping[str, str],
    cwd: Path,
    home: Path | None,
    named: tuple[str, str] | None = None,
) -> StoreLocation:
    """Return the directory of the store to read; it need not exist.

    Looks where the SDK and its browser app look: the option, the environment, `./.env`,
    `./experiments` if it is a store, `~/.luml/experiments`; the last one may be named otherwise.

    Args:
        option: What the command line says.
        environ: The environment.
        cwd: The current folder.
        home: The person's home, if one is known.
        named: The store of a person's settings, and what names it.

    Raises:
        StoreNotFound: It would be in the home folder, and none is known; or it is not a folder.
    """
    if option:
        return StoreLocation(_directory(option, cwd, home), OPTION)
    for variable in VARIABLES:
        if uri := environ.get(variable):
            return StoreLocation(_directory(uri, cwd, home), variable)
    env_file = cwd / ".env"
    if env_file.is_file():
        settings = _settings(env_file)
        for variable in VARIABLES:
            if uri := settings.get(variable):
                return StoreLocation(_directory(uri, cwd, home), f"{variable} in .env")
    if (cwd / "experiments" / "meta.db").is_file():
        return StoreLocation(cwd / "experiments", "./experiments")
    if named is not None:
        return StoreLocation(_directory(named[0], cwd, home), named[1])
    return StoreLocation(_known(home) / ".luml" / "experiments", "the default place")


def require(location: StoreLocation) -> Path:
    """Return the directory of a store that exists.

    Raises:
        StoreNotFound: The folder or its meta.db is missing; the text says which, and what to do.
    """
    directory = location.directory
    source = f"({location.source})"
    ways = (*WAYS, OF_THE_SDK, *(f"    {line}" for line in sdk_lines(directory)))
    try:
        if (directory / "meta.db").exists():
            return directory
        if directory.is_file():
            problem = f"{directory} is a file, not the folder of a store {source}"
            raise StoreNotFound(problem, WAYS)
        if directory.is_dir():
            problem = f"{directory} is not a LUML store: it has no meta.db {source}"
            raise StoreNotFound(problem, ways, location)
    except PermissionError as error:
        problem = f"{directory} may not be opened by this user {source}"
        raise StoreNotFound(problem, WAYS) from error
    except OSError as error:
        problem = f"{directory} is not a folder: {error.strerror} {source}"
        raise StoreNotFound(problem, WAYS) from error
    raise StoreNotFound(f"no store of runs at {directory} {source}", ways, location)


def sdk_lines(directory: Path) -> tuple[str, ...]:
    """Return the lines of Python that log a run into the store in a folder, started from here."""
    uri = f"sqlite://{_from_here(directory)}"
    named = repr(uri) if {*uri} & {*'"\\'} or not uri.isprintable() else f'"{uri}"'
    return (
        "from luml.experiments.tracker import ExperimentTracker",
        f"tracker = ExperimentTracker({named})",
        'tracker.start_experiment(name="first")',
        'tracker.log_dynamic("loss", 0.5, step=1)',
        "tracker.end_experiment()",
    )


def program_line(location: StoreLocation) -> str:
    """Return the command that starts a program whose run is looked for in a store."""
    from shlex import quote

    named = f" --store {quote(_from_here(location.directory))}" if location.source == OPTION else ""
    return f"flow-tui run{named} -- python train.py"


def _from_here(directory: Path) -> str:
    place, cwd = directory.absolute(), person.cwd()
    return f"./{place.relative_to(cwd)}" if place.is_relative_to(cwd) else str(place)


def choose(word: str, candidates: Sequence[Run], directory: Path) -> Run | None:
    """Return the run that a word on the command line names, None if none does.

    An exact id wins, then an exact name that only one run has, then a unique prefix of an id.

    Args:
        word: The word that was typed.
        candidates: The runs that have it as name or beginning of the id (`runs.candidates`).
        directory: The store's folder, for messages.

    Raises:
        RunAmbiguous: Several runs match; there is one line for each.
    """
    exact = [run for run in candidates if run.id == word]
    named = [run for run in candidates if run.name == word]
    for matches in (exact, named, candidates):
        if len(matches) == 1:
            return matches[0]
    if candidates:
        raise RunAmbiguous(
            f"{word!r} could be any of {len(candidates)} runs in {directory}: give more of the id",
            [f"{run.id}  {run.name}  {run.status}" for run in candidates],
        )
    return None


def not_found(word: str, known: Sequence[tuple[str, str]], directory: Path) -> RunNotFound:
    """Return the error for a word that does not name a run, with the closest of the known ones."""
    near = closest(word, [*(name for _, name in known), *(run_id for run_id, _ in known)])
    message = f"no run {word!r} in {directory}"
    if near:
        message += f"; closest: {', '.join(near)}"
    elif not known:
        message += ", which has no runs yet"
    else:
        message += "; `flow-tui list` prints those it has"
    return RunNotFound(message, near)


def _settings(env_file: Path) -> Mapping[str, str | None]:
    """Return the variables of a .env file; one that this user may not read counts as empty."""
    try:
        text = env_file.read_text("utf-8", "replace")
    except OSError:
        return {}
    # Imported here, so that only a project that has the file pays for its parser.
    from dotenv import dotenv_values

    return dotenv_values(stream=StringIO(text), interpolate=False)


def _known(home: Path | None) -> Path:
    if home is None:
        raise StoreNotFound(f"{NO_HOME}, or say where the store is", WAYS)
    return home


def _directory(uri: str, cwd: Path, home: Path | None) -> Path:
    text = uri.removeprefix("sqlite://")
    if re.match("[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise StoreNotFound(f"a store is a folder, or sqlite://DIR, and cannot be at {uri}", WAYS)
    in_home = text == "~" or text.startswith("~/")
    path = _known(home) / text[2:] if in_home else cwd / text
    return path.parent if path.suffix == ".db" else path
